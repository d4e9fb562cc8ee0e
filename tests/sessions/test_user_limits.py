"""The largest number of sessions of a user: the oldest end, or a sign-in is refused."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from sessions import (
    AsyncSessionManager,
    AsyncStore,
    ConfigurationError,
    MemoryStore,
    Session,
    SessionContainer,
    SessionManager,
    Store,
    StoreUnavailable,
)
from sessions.core.ids import hash_of
from sessions.core.user_limits import LONGEST_WAIT
from sessions.errors import TooManySessions
from sessions.stateless import SignedToken
from sessions.stores.listing import Countable
from sessions.stores.user_index import hash_of_user
from sessions.testing import ManualClock, a_record, in_parallel
from sessions.users import SessionLimit
from tests.sessions.conftest import SiteMaker
from tests.support.apps import KEY, Browser, Site, in_turn, writes
from tests.support.loops import on_a_loop
from tests.support.refusals import problems
from tests.support.suspending_store import SuspendingIndex, SuspendingStore
from tests.support.users import signs_in, who
from tests.support.watched import WatchedIndex, WatchedStore

PARALLEL = 50
MOST = 3
NOBODY: tuple[None, dict[str, object]] = (None, {})


@pytest.fixture
def watched(store: Store) -> WatchedStore:
    """Return a store with an index, with its calls counted."""
    return WatchedIndex(store)


@pytest.fixture
def ending(make_site: SiteMaker) -> Site:
    """Return a site that ends the oldest session of a user who has too many."""
    return make_site(sessions_per_user=SessionLimit(MOST))


@pytest.fixture
def refusing(make_site: SiteMaker) -> Site:
    """Return a site that refuses a user who has too many sessions."""
    return make_site(sessions_per_user=SessionLimit(MOST, "refuse"))


def signed_in(site: Site, clock: ManualClock, count: int, user_id: str = "ada") -> list[Browser]:
    """Return browsers in which the user is signed in, a second after one another."""
    browsers = [site.browser() for _ in range(count)]
    for browser in browsers:
        clock.advance(1)
        assert browser.visit(signs_in(user_id)).status == 200
    return browsers


def saves_quietly(session: Session) -> None:
    """Save the session, and hide a failure of the store."""
    with suppress(StoreUnavailable):
        session.save()


def users(browsers: list[Browser]) -> list[str | None]:
    """Return who is signed in, in each browser."""
    return [browser.visit(who).value[0] for browser in browsers]


def counted(store: Store) -> int:
    """Return how many live records the store has."""
    assert isinstance(store, Countable)
    return store.count()


class TestEndOldest:
    """The new sign-in counts, and the oldest of the others end."""

    def test_the_oldest_sign_ins_end(self, ending: Site, clock: ManualClock) -> None:
        """The last use does not matter, and other users keep their sessions."""
        bobs = signed_in(ending, clock, MOST, "bob")
        first, *later = signed_in(ending, clock, MOST)
        clock.advance(1000)
        first.visit(writes(a=1))
        ending.events.clear()
        (newest,) = signed_in(ending, clock, 1)

        assert users([first, *later, newest]) == [None, "ada", "ada", "ada"]
        assert users(bobs) == ["bob"] * MOST
        ended = [event for event in ending.events if event.kind == "destroyed"]
        assert [event.reason for event in ended] == ["evicted"]

    def test_a_second_sign_in_of_a_session_ends_no_other(
        self, ending: Site, clock: ManualClock
    ) -> None:
        """A user who shows a password again has no session more."""
        browsers = signed_in(ending, clock, MOST)
        for browser in browsers:
            browser.visit(signs_in("ada"))

        assert users(browsers) == ["ada"] * MOST

    def test_an_ended_session_does_not_count_for_the_limit(
        self, ending: Site, clock: ManualClock
    ) -> None:
        """After a logout, a sign-out or a sign-in as another user."""
        browsers = signed_in(ending, clock, MOST)
        for browser, leaves in zip(
            browsers, (Session.destroy, Session.clear_user, signs_in("bob")), strict=True
        ):
            browser.visit(leaves)
        others = signed_in(ending, clock, MOST)

        assert users(others) == ["ada"] * MOST
        assert users(browsers) == [None, None, "bob"]

    def test_parallel_sign_ins_leave_exactly_the_limit(self, ending: Site) -> None:
        """Fifty of them, with the same time on the clock."""
        browsers = [ending.browser() for _ in range(PARALLEL)]
        answers = in_parallel(PARALLEL, lambda n: browsers[n].visit(signs_in()).status)

        assert answers == [200] * PARALLEL
        assert users(browsers).count("ada") == MOST
        assert len(ending.manager.sessions_of("ada")) == MOST

    def test_a_clock_that_is_behind_ends_others(self, ending: Site, clock: ManualClock) -> None:
        """The sign-in of a server whose clock is late is still the latest."""
        older = signed_in(ending, clock, MOST)
        clock.advance(-40)
        (newest,) = signed_in(ending, clock, 1)

        assert users([*older, newest]) == [None, "ada", "ada", "ada"]

    def test_an_ended_session_gets_no_cookie(self, ending: Site, clock: ManualClock) -> None:
        """Later sign-ins ended it before its response left."""
        late = ending.browser()
        ending.store.before["keys_of_user"] = lambda: ending.store.before.update(
            keys_of_user=lambda: signed_in(ending, clock, MOST)
        )
        answer = late.visit(signs_in())

        assert answer.set_cookies == []
        assert len(ending.manager.sessions_of("ada")) == MOST

    def test_a_store_that_fails_in_the_middle_is_a_503(
        self, ending: Site, clock: ManualClock
    ) -> None:
        """The user is signed in, and the next sign-in ends what is too many."""
        older = signed_in(ending, clock, MOST)
        shopper, visitor = ending.browser(), ending.browser()
        shopper.visit(writes(cart="tea"))
        ending.events.clear()
        ending.store.broken = {"delete"}
        assert shopper.visit(signs_in()).status == 503
        # The handler catches the error, but the answer reports no success.
        assert visitor.visit(in_turn(signs_in(), saves_quietly)).status == 503
        ending.store.broken = set()

        assert ending.told == [
            *("regenerated", "signed_in", "store_failed"),
            *("created", "signed_in", "store_failed"),
        ]
        assert users([shopper, visitor]) == ["ada", "ada"]
        assert shopper.holds() == {"cart": "tea"}
        (newest,) = signed_in(ending, clock, 1)
        assert len(ending.manager.sessions_of("ada")) == MOST
        assert users([*older, newest])[-1:] == ["ada"]


class TestRefuse:
    """A sign-in beyond the limit changes nothing."""

    def test_a_refused_sign_in_leaves_no_session(
        self, refusing: Site, clock: ManualClock, store: Store
    ) -> None:
        """The answer is 409 without a cookie, and the others stay."""
        browsers = signed_in(refusing, clock, MOST)
        before, visitor = counted(store), refusing.browser()
        answer = visitor.visit(in_turn(writes(a=1), signs_in()))

        assert (answer.status, answer.set_cookies) == (409, [])
        assert counted(store) == before
        assert users(browsers) == ["ada"] * MOST

    def test_a_session_that_was_there_stays_as_it_was(
        self, refusing: Site, clock: ManualClock
    ) -> None:
        """Under its id, with its data, without the user."""
        signed_in(refusing, clock, MOST)
        browser = refusing.browser()
        browser.visit(writes(a=1))
        cookie = browser.cookie
        answer = browser.visit(signs_in("ada", name="Ada"))

        assert (answer.status, browser.cookie) == (409, cookie)
        assert browser.visit(who).value == NOBODY
        assert browser.holds() == {"a": 1}

    @pytest.mark.parametrize("before", [None, "bob"])
    def test_a_handler_can_answer_the_refusal(
        self, refusing: Site, clock: ManualClock, before: str | None
    ) -> None:
        """With `save()` the handler learns it, and the rest of the request works."""
        signed_in(refusing, clock, MOST)
        browser = refusing.browser()
        browser.visit(signs_in(before) if before else writes(a=1))

        def handler(session: Session) -> str | None:
            session.set_user("ada")
            with pytest.raises(TooManySessions, match=r"3 sessions already.*Fix: "):
                session.save()
            session["told"] = True
            return session.user_id

        answer = browser.visit(handler)

        assert (answer.status, answer.value) == (200, before)
        assert browser.holds()["told"] is True
        assert browser.visit(who).value[0] == before

    def test_a_logout_or_a_timeout_allows_another_sign_in(
        self, refusing: Site, clock: ManualClock
    ) -> None:
        """By a logout at once, and by a timeout."""
        browsers = signed_in(refusing, clock, MOST)
        visitor = refusing.browser()
        assert visitor.visit(signs_in()).status == 409
        browsers[0].visit(Session.destroy)
        assert visitor.visit(signs_in()).status == 200
        assert refusing.browser().visit(signs_in()).status == 409
        clock.advance(24 * 3600)

        assert refusing.browser().visit(signs_in()).status == 200

    def test_a_second_sign_in_of_a_session_is_not_refused(
        self, refusing: Site, clock: ManualClock
    ) -> None:
        """The session has its place already."""
        browsers = signed_in(refusing, clock, MOST)

        assert [browser.visit(signs_in()).status for browser in browsers] == [200] * MOST

    def test_of_parallel_sign_ins_exactly_the_limit_is_let_in(
        self, refusing: Site, store: Store
    ) -> None:
        """Fifty of them; nothing is left of their queue."""
        manager = refusing.manager

        def sign_in(_: int) -> bool:
            session = manager.create()
            session.set_user("ada")
            try:
                manager.close(session)
            except TooManySessions:
                manager.close(session, failed=True)
                return False
            return True

        answers = in_parallel(PARALLEL, sign_in)

        assert answers.count(True) == MOST
        assert len(manager.sessions_of("ada")) == MOST
        assert counted(store) == PARALLEL

    def test_sign_ins_of_new_visitors_at_once(self, refusing: Site, store: Store) -> None:
        """Those who are refused leave no record."""
        sign_ins = [refusing.browser() for _ in range(16)]
        answers = in_parallel(16, lambda n: sign_ins[n].visit(signs_in()).status)

        assert sorted(answers) == [200] * MOST + [409] * (16 - MOST)
        assert counted(store) == MOST

    def test_a_crash_blocks_a_place_for_two_minutes(
        self, refusing: Site, clock: ManualClock
    ) -> None:
        """Longer than a commit whose reply was lost may take; then the place is free."""
        for _ in range(MOST):
            refusing.store.broken = {"add_to_user"}
            assert refusing.browser().visit(signs_in()).status == 503
            refusing.store.broken = set()
        early = refusing.browser().visit(signs_in()).status
        clock.advance(LONGEST_WAIT)

        assert (early, refusing.browser().visit(signs_in()).status) == (409, 200)

    def test_a_damaged_queue_begins_again(self, refusing: Site, clock: ManualClock) -> None:
        """A record that nobody can read stops no sign-in."""
        key = hash_of(f"sign-ins:{hash_of_user('ada')}")
        refusing.store.create(key, a_record(clock, values={"\0waiting": b"damaged"}))

        assert refusing.browser().visit(signs_in()).status == 200


@pytest.mark.parametrize("beyond", ["end_oldest", "refuse"])
@on_a_loop
async def test_in_an_asynchronous_manager(
    any_store: Store | AsyncStore, clock: ManualClock, beyond: Any
) -> None:
    """Each kind of store, with all sign-ins on one loop."""
    limit = SessionLimit(MOST, beyond)
    if isinstance(any_store, SuspendingStore):
        any_store = SuspendingIndex(MemoryStore(clock=clock))
    container = SessionContainer(keys=[KEY], store=any_store, clock=clock, sessions_per_user=limit)
    manager = AsyncSessionManager(container)

    async def sign_in() -> bool:
        session = await manager.create()
        session.set_user("ada")
        try:
            await manager.close(session)
        except TooManySessions:
            await manager.close(session, failed=True)
            return False
        return True

    done = await asyncio.gather(*[sign_in() for _ in range(20)])

    assert done.count(True) == (20 if beyond == "end_oldest" else MOST)
    assert len(await manager.sessions_of("ada")) == MOST
    await manager.aclose()


def test_encrypted_sessions_have_the_same_limit() -> None:
    """The times and users of their records can be read."""
    limit = SessionLimit(2)
    container = SessionContainer(
        keys=[KEY], encryption_keys=["e" + KEY], sessions_per_user=limit, clock=ManualClock()
    )
    manager = SessionManager(container)
    for _ in range(4):
        with manager.create() as session:
            session.set_user("ada")

    assert len(manager.sessions_of("ada")) == 2
    assert session.handle in [info.handle for info in manager.sessions_of("ada")]


@pytest.mark.parametrize(
    "make",
    [
        lambda: SessionLimit(0),
        lambda: SessionLimit(-1),
        lambda: SessionLimit(True),
        lambda: SessionLimit(2.0),  # type: ignore[arg-type]
        lambda: SessionLimit(2, "end_newest"),  # type: ignore[arg-type]
    ],
)
def test_wrong_limits_are_refused(make: Callable[[], object]) -> None:
    """Each with the value and the remedy."""
    with pytest.raises(ConfigurationError, match=r"SessionLimit: .*=.*\. Fix: give"):
        make()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"sessions_per_user": 5}, "sessions_per_user=5 is not a limit. Fix: give"),
        (
            {"sessions_per_user": SessionLimit(5), "store": SignedToken()},
            "needs a store that knows the sessions of a user",
        ),
        (
            {"sessions_per_user": SessionLimit(5), "store": WatchedStore(MemoryStore())},
            "needs a store that knows the sessions of a user",
        ),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], told: str) -> None:
    """A limit that nobody keeps would be worse than none."""
    (problem,) = problems(SessionContainer, keys=[KEY], **settings)

    assert told in problem


def test_a_sign_in_without_a_limit_asks_nothing_more(site: Site, browser: Browser) -> None:
    """The calls are those of before."""
    browser.visit(writes(a=1))
    site.store.calls.clear()
    browser.visit(signs_in())

    assert site.store.calls == ["load", "add_to_user", "commit"]


def test_a_name_of_another_library_is_explained() -> None:
    """The message says what to write here."""
    (problem,) = problems(SessionContainer, keys=[KEY], max_sessions=5)

    assert "write sessions_per_user=SessionLimit(5)" in problem
