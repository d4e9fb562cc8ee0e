"""Sessions that live longer than the absolute timeout: "remember me", up to a bound."""

from datetime import timedelta
from typing import Any

import pytest

from sessions import (
    AsyncSessionManager,
    MemoryStore,
    SessionContainer,
    SessionManager,
    SessionNotFound,
)
from sessions.stateless import SignedToken
from sessions.testing import MICROSECOND, START, ManualClock
from tests.sessions.conftest import SiteMaker
from tests.support.apps import KEY, Browser, Handler, Site, everything, in_turn, writes
from tests.support.loops import on_a_loop
from tests.support.refusals import problems
from tests.support.users import signs_in, who

DAY = 86400.0
ABSOLUTE, LONGEST = timedelta(days=14), timedelta(days=90)
MONTH = timedelta(days=30)


def lives_for(lifetime: timedelta | None) -> Handler:
    """Make a handler that sets the timeout of the session."""
    return lambda session: setattr(session, "timeout", lifetime)


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """Return a site that remembers users for 90 days at most."""
    return make_site(longest_timeout=LONGEST)


@pytest.fixture
def remembered(site: Site) -> Browser:
    """Return a browser whose user wants to be remembered for a month."""
    browser = site.browser()
    browser.visit(in_turn(signs_in(), lives_for(MONTH)))
    return browser


def test_a_remembered_session_outlives_the_absolute_timeout(
    remembered: Browser, clock: ManualClock
) -> None:
    """Each use begins its timeout anew."""
    for _ in range(3):
        clock.advance(MONTH.total_seconds() - MICROSECOND)
        last = remembered.visit(who).value
        remembered.visit(writes(a=1))

    assert last == ("ada", {})


@pytest.mark.parametrize("uses", [everything, writes(a=1)], ids=["reads", "writes"])
def test_longest_timeout_limits_a_remembered_session_exactly(
    remembered: Browser, clock: ManualClock, uses: Handler
) -> None:
    """It cannot be used for longer than the container allows, however often it is used."""
    for _ in range(89):
        clock.advance(DAY)
        remembered.visit(uses)
    clock.advance(DAY - MICROSECOND)
    before = remembered.visit(who).value[0]
    clock.advance(MICROSECOND)

    assert (before, remembered.visit(who).value[0]) == ("ada", None)


def test_only_this_session_is_remembered(
    site: Site, remembered: Browser, clock: ManualClock
) -> None:
    """Another session of the same user ends at the absolute timeout, used or not."""
    other, short = site.browser(), site.browser()
    other.visit(signs_in())
    short.visit(in_turn(signs_in(), lives_for(ABSOLUTE)))
    for _ in range(14):
        clock.advance(DAY - 1)
        for browser in (other, short):
            browser.visit(writes(a=1))
    clock.advance(14)

    assert [browser.visit(who).value[0] for browser in (other, short)] == [None, None]
    assert remembered.visit(who).value[0] == "ada"
    assert len(site.manager.container.keys) == 1


@pytest.mark.parametrize(
    ("lifetime", "days"), [(MONTH, 30), (timedelta(days=100), 90), (ABSOLUTE, 14)]
)
def test_the_cookie_lives_as_long(site: Site, lifetime: timedelta, days: int) -> None:
    """Max-Age, and `expires_at`, name the time that counts."""
    browser = site.browser()
    answer = browser.visit(in_turn(writes(a=1), lives_for(lifetime)))

    assert answer.attributes["max-age"] == f"{days * 86400}"
    told = browser.visit(lambda session: session.expires_at.timestamp()).value
    assert told == START + days * DAY


def test_a_timeout_of_none_ends_the_remembering(remembered: Browser, clock: ManualClock) -> None:
    """The container's timeouts again, and a cookie that ends with the browser."""
    clock.advance(DAY)
    answer = remembered.visit(lives_for(None))
    clock.advance(DAY - MICROSECOND)
    before = remembered.visit(who).value[0]
    clock.advance(DAY)

    assert "max-age" not in answer.attributes
    assert (before, remembered.visit(who).value[0]) == ("ada", None)


def test_a_timeout_of_none_ends_a_session_that_is_too_old(
    remembered: Browser, clock: ManualClock
) -> None:
    """Without its own timeout it would have ended long ago."""
    clock.advance(20 * DAY)
    remembered.visit(lives_for(None))

    assert remembered.visit(who).value[0] is None


def test_a_bound_is_not_for_a_short_timeout(store: Any, clock: ManualClock) -> None:
    """Also where an earlier release allowed all sessions to live longer."""

    def manager(**settings: Any) -> SessionManager:
        return SessionManager(SessionContainer(keys=[KEY], store=store, clock=clock, **settings))

    before, now = manager(absolute_timeout=MONTH), manager(longest_timeout=LONGEST)
    session = before.create({"a": 1})
    session.timeout = timedelta(days=10)
    before.close(session)
    clock.advance(9 * DAY)
    with before.get(session.id) as used:
        used["b"] = 2
    clock.advance(5 * DAY - MICROSECOND)
    with now.get(session.id) as last:
        assert last["a"] == 1
    clock.advance(MICROSECOND)

    with pytest.raises(SessionNotFound):
        now.get(session.id)


def test_without_a_bound_the_absolute_timeout_counts(
    make_site: SiteMaker, clock: ManualClock
) -> None:
    """Nobody gets more time than the container says."""
    browser = make_site().browser()
    browser.visit(in_turn(writes(a=1), lives_for(MONTH)))
    clock.advance(14 * DAY)

    assert browser.holds() == {}


def test_sign_out_everywhere_finds_it(
    site: Site, remembered: Browser, clock: ManualClock, store: Any
) -> None:
    """The index of users keeps it for as long as it can live."""
    manager = SessionManager(
        SessionContainer(keys=[KEY], store=store, clock=clock, longest_timeout=LONGEST)
    )
    with manager.create() as session:
        session.set_user("bob")
        session.timeout = MONTH
    for _ in range(3):
        clock.advance(29 * DAY)
        manager.purge()
        with manager.get(session.id) as again:
            again["a"] = clock()

    assert [info.handle for info in manager.sessions_of("bob")] == [session.handle]
    assert manager.end_sessions_of("bob") == 1


def test_sessions_in_tokens_are_remembered(clock: ManualClock) -> None:
    """A list of revocations keeps its entries for as long as they live."""
    store = MemoryStore(clock=clock)
    site = Site(SignedToken(revocations=store), clock, longest_timeout=LONGEST)
    browser = site.browser()
    browser.visit(in_turn(signs_in(), lives_for(MONTH)))
    stolen = browser.cookie
    clock.advance(20 * DAY)
    assert browser.visit(who).value[0] == "ada"
    site.manager.end_sessions_of("ada")
    clock.advance(9 * DAY)
    site.manager.purge()

    assert site.visit(who, stolen).value[0] is None


@on_a_loop
async def test_in_an_asynchronous_manager(clock: ManualClock) -> None:
    """The same timeouts."""
    container = SessionContainer(keys=[KEY], clock=clock, longest_timeout=LONGEST)
    manager = AsyncSessionManager(container)
    async with await manager.create({"a": 1}) as session:
        session.timeout = MONTH
    clock.advance(29 * DAY)

    async with manager.get(session.id) as again:
        assert again["a"] == 1


@pytest.mark.parametrize("bound", [ABSOLUTE, timedelta(days=1)])
def test_a_bound_that_changes_nothing_is_refused(bound: timedelta) -> None:
    """It is a mistake, most probably of the unit."""
    (problem,) = problems(SessionContainer, keys=[KEY], longest_timeout=bound)

    assert "is not longer than absolute_timeout" in problem
