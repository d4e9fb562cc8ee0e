"""The list of revocations: what it costs, how long it remembers, and what its failure means."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sessions import (
    AsyncSessionManager,
    AsyncStore,
    ConfigurationError,
    MemoryStore,
    Session,
    SessionContainer,
    SessionError,
    SessionManager,
    SQLiteStore,
    Store,
)
from sessions.stateless import SignedToken, TokenFormat
from sessions.testing import ManualClock
from tests.sessions.stateless.conftest import SiteMaker
from tests.sessions.stateless.revoking import (
    NOBODY,
    content,
    destroys,
    regenerates,
    signs_in,
)
from tests.support.apps import KEY, Handler, Site, everything, in_turn, untouched, writes
from tests.support.loops import a_head, cookie_of
from tests.support.suspending_store import SuspendingStore
from tests.support.watched import WatchedStore

IDLE = timedelta(days=1)


@pytest.fixture
def site(revocable: Site) -> Site:
    """Return a site whose tokens can be revoked."""
    return revocable


def test_the_calls_of_each_request(site: Site, listed: WatchedStore, clock: ManualClock) -> None:
    """A read asks once, a write twice, and who has no token asks nothing.

    Where a user is signed in, each asks once more, for the user.
    """

    def calls(handler: Handler, cookie: str = "") -> list[str]:
        listed.calls.clear()
        site.visit(handler, cookie)
        return [*listed.calls]

    assert calls(writes(a=1)) == []
    assert calls(in_turn(writes(a=1), signs_in)) == ["load"]
    cookie = site.visit(writes(a=1)).cookie
    assert calls(untouched, cookie) == []
    assert calls(everything, cookie) == ["load"]
    assert calls(writes(b=1), cookie) == ["load", "load"]
    assert calls(everything, "session=rubbish") == []
    assert calls(signs_in, cookie) == ["load", "load", "create"]
    signed_in = site.visit(signs_in).cookie
    assert calls(everything, signed_in) == ["load", "load"]
    assert calls(writes(b=1), signed_in) == ["load"] * 4
    clock.advance(IDLE)
    assert calls(everything, cookie) == []


@pytest.mark.parametrize("handler", [everything, writes(a=1), destroys, signs_in])
def test_a_list_that_is_unreachable_is_a_503(
    site: Site, listed: WatchedStore, handler: Handler
) -> None:
    """The request gets no session that may have ended, and its cookie stays."""
    cookie = site.visit(writes(a=1)).cookie
    listed.broken = {"load", "create", "commit"}

    answer = site.visit(handler, cookie)

    assert answer.status == 503
    assert answer.all("Retry-After")
    assert not answer.set_cookies
    listed.broken = set()
    assert content(site, cookie) == ({"a": 1}, None)


def test_a_renewal_that_fails_spares_the_page(
    site: Site, listed: WatchedStore, clock: ManualClock
) -> None:
    """The page is served, and the next request tries again."""
    cookie = site.visit(writes(a=1)).cookie
    clock.advance(120)

    def handler(session: Session) -> object:
        session.load()
        listed.broken = {"load"}
        return dict(session)

    answer = site.visit(handler, cookie)

    assert (answer.status, answer.value) == (200, {"a": 1})
    assert not answer.set_cookies
    assert site.told[-1] == "store_failed"


def test_a_logout_whose_reply_is_lost_can_be_repeated(site: Site, listed: WatchedStore) -> None:
    """The answer is 503, although the session has ended."""
    cookie = site.visit(writes(a=1)).cookie
    listed.loses_reply = {"create"}

    assert site.visit(destroys, cookie).status == 503

    listed.loses_reply = set()
    assert content(site, cookie) == NOBODY
    assert site.visit(destroys, cookie).status == 200


@pytest.mark.parametrize("lasts", [timedelta(days=14), timedelta(hours=1)])
def test_an_entry_outlives_the_tokens_and_then_goes(
    make_revocable: SiteMaker, clock: ManualClock, lasts: timedelta, listed: WatchedStore
) -> None:
    """An entry stays as long as a token of its session could live, and no longer."""
    site = make_revocable(idle_timeout=lasts, absolute_timeout=lasts)
    cookie = site.visit(writes(a=1)).cookie
    site.visit(destroys, cookie)
    clock.advance(lasts - timedelta(seconds=1))

    assert content(site, cookie) == NOBODY
    assert site.manager.purge() == 0
    clock.advance(timedelta(minutes=3))
    assert site.manager.purge() <= 1
    assert content(site, cookie) == NOBODY
    assert listed.load("whatever") is None


def test_an_entry_outlives_tokens_of_a_clock_that_is_ahead(
    kind: TokenFormat, listed: WatchedStore, clock: ManualClock
) -> None:
    """A clock that is a week ahead makes tokens that live longer, and the entry stays for them."""
    ahead = ManualClock()
    ahead.advance(timedelta(days=7))
    fortnight = timedelta(days=14)
    token = replace(kind, revocations=listed)  # type: ignore[type-var]
    wrong, right = (
        Site(token, time, idle_timeout=fortnight, absolute_timeout=fortnight)
        for time in (ahead, clock)
    )
    cookie = wrong.visit(writes(a=1)).cookie
    right.visit(destroys, cookie)

    clock.advance(timedelta(days=20))

    assert content(right, cookie) == NOBODY


@pytest.mark.parametrize("moment", ["create", "load", "commit"])
def test_two_logouts_at_once(site: Site, listed: WatchedStore, moment: str) -> None:
    """Both get an answer in every order of their calls, and the session has ended."""
    before = site.visit(writes(a=1)).cookie
    cookie = site.visit(regenerates, before).cookie
    listed.before[moment] = lambda: site.visit(destroys, cookie)

    assert site.visit(destroys, cookie).status == 200

    assert content(site, cookie) == NOBODY


def test_a_list_that_is_not_a_store_is_refused() -> None:
    """The error comes at start-up and says what to do."""
    with pytest.raises(ConfigurationError, match=r"revocations='redis' is not a Store.*Fix: "):
        SessionContainer(keys=[KEY], store=SignedToken(revocations="redis"))  # type: ignore[arg-type]


def test_a_blocking_manager_refuses_an_asynchronous_list(clock: ManualClock) -> None:
    """A blocking manager cannot await the calls of the list."""
    token = SignedToken(revocations=SuspendingStore(MemoryStore(clock=clock)))

    with pytest.raises(ConfigurationError, match="is an AsyncStore"):
        SessionManager(SessionContainer(keys=[KEY], store=token))


@pytest.mark.parametrize("kind_of_list", ["asynchronous", "blocking", "in place"])
def test_an_event_loop_asks_any_list(clock: ManualClock, kind_of_list: str, tmp_path: Any) -> None:
    """The list may be asynchronous, blocking or in memory, as a store of sessions."""
    lists: dict[str, Callable[[], Store | AsyncStore]] = {
        "asynchronous": lambda: SuspendingStore(MemoryStore(clock=clock)),
        "blocking": lambda: SQLiteStore(tmp_path / "revocations.db", clock=clock),
        "in place": lambda: MemoryStore(clock=clock),
    }
    token = SignedToken(revocations=lists[kind_of_list]())
    container = SessionContainer(keys=[KEY], store=token, clock=clock)

    async def program() -> None:
        manager = AsyncSessionManager(container)
        session = manager.open(a_head())
        await session.load()
        session["a"] = 1
        cookie = cookie_of(await manager.close(session))
        session = manager.open(a_head(cookie))
        await session.load()
        assert dict(session) == {"a": 1}
        session.destroy()
        await session.save()
        await manager.close(session)
        session = manager.open(a_head(cookie))
        await session.load()
        assert dict(session) == {}
        assert session.is_past
        await manager.close(session)
        await manager.aclose()

    asyncio.run(program())


def test_a_connection_writes_nothing_after_its_handshake(site: Site, listed: WatchedStore) -> None:
    """This holds also for a connection that did not use its session before."""
    cookie = site.visit(writes(a=1)).cookie
    session = site.manager.open(a_head(cookie))
    site.manager.handshake(session)

    assert session["a"] == 1
    session["b"] = 2
    with pytest.raises(SessionError):
        session.save()
    site.manager.close_unanswered(session)

    assert content(site, cookie) == ({"a": 1}, None)
