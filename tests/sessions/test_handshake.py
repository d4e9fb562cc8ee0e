"""A connection that goes on after its headers have left, such as a WebSocket."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from sessions import (
    AsyncSessionManager,
    Session,
    SessionClosed,
    SessionManager,
    SessionNotFound,
    StoreUnavailable,
)
from sessions.testing import ManualClock
from tests.support.apps import Browser, Site, session_of, writes
from tests.support.loops import a_cookie, a_head, cookie_of, on_a_loop, opened
from tests.support.suspending_store import SuspendingStore
from tests.support.users import signs_in, who
from tests.support.watched import WatchedStore

MATCH = "headers of the handshake were sent already"


@pytest.fixture
def manager(site: Site) -> SessionManager:
    """Return the manager of the site."""
    return site.manager


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a value, with the store's calls forgotten."""
    browser.visit(writes(a=1))
    browser.site.store_calls().clear()
    return browser


def test_a_handshake_commits_and_returns_the_headers(manager: SessionManager) -> None:
    """The headers are those of a first write, even if the connection lasts for hours."""
    session = manager.open(a_head())
    session["a"] = 1

    headers = manager.handshake(session)

    assert [name for name, _ in headers] == ["Vary", "Set-Cookie", "Cache-Control"]
    assert session_of(manager, cookie_of(headers))["a"] == 1
    assert not session.closed


def test_a_handshake_changes_the_id(manager: SessionManager, customer: Browser) -> None:
    """A new id from before the handshake is sent with its headers."""
    session = manager.open(a_head(customer.cookie))
    session.set_user("ada")

    cookie = cookie_of(manager.handshake(session))

    assert cookie != customer.cookie
    assert session_of(manager, cookie).user_id == "ada"
    assert session_of(manager, customer.cookie).is_new


def test_the_session_stays_usable(manager: SessionManager, customer: Browser) -> None:
    """Each save() commits the changes since the last one, and close() commits the rest."""
    session = manager.open(a_head(customer.cookie))
    manager.handshake(session)
    session["b"] = 2
    session.save()
    saved = customer.holds()
    counted = session.increment("n")
    session["c"] = 3
    headers = manager.close(session)

    assert (saved, counted) == ({"a": 1, "b": 2}, 1)
    assert customer.holds() == {"a": 1, "b": 2, "n": 1, "c": 3}
    assert [name for name, _ in headers if name == "Set-Cookie"] == []


def test_an_untouched_connection_costs_nothing(manager: SessionManager, customer: Browser) -> None:
    """There is no header and no call to the store."""
    session = manager.open(a_head(customer.cookie))

    assert manager.handshake(session) == []
    assert manager.close(session) == []
    assert customer.site.store_calls() == []


@pytest.mark.parametrize(
    "act",
    [
        lambda session: session.regenerate(),
        lambda session: session.set_user("ada"),
    ],
    ids=["regenerate", "set_user"],
)
def test_no_other_id_after_the_handshake(
    manager: SessionManager, customer: Browser, act: Callable[[Session], None]
) -> None:
    """No answer could send the new id, so the verb raises an error and loses nothing."""
    session = manager.open(a_head(customer.cookie))
    session["b"] = 2
    manager.handshake(session)

    with pytest.raises(SessionClosed, match=MATCH):
        act(session)
    session["c"] = 3
    session.save()
    assert customer.holds() == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize(
    "act",
    [
        lambda session: session.save(),
        lambda session: session.increment("n"),
        lambda session: session.update_with("n", str),
    ],
    ids=["save", "increment", "update_with"],
)
def test_no_first_record_after_the_handshake(
    manager: SessionManager, watched: WatchedStore, act: Callable[[Session], None]
) -> None:
    """No answer could bring its cookie to the client."""
    session = manager.open(a_head())
    manager.handshake(session)
    session["a"] = 1

    with pytest.raises(SessionClosed, match=MATCH):
        act(session)
    assert watched.calls == []


def test_a_logout_after_the_handshake_ends_the_session(
    manager: SessionManager, customer: Browser
) -> None:
    """The client keeps a cookie that has no session."""
    session = manager.open(a_head(customer.cookie))
    session.load()
    manager.handshake(session)
    session.destroy()
    session.save()

    assert customer.holds() == {}
    with pytest.raises(SessionClosed, match=MATCH):
        _write_and_save(session)


def _write_and_save(session: Session) -> None:
    session["fresh"] = 1
    session.save()


def test_a_logout_of_another_request_is_an_error_in_a_connection(
    manager: SessionManager, customer: Browser
) -> None:
    """reload() and save() raise an error, so the connection can end."""
    session = manager.open(a_head(customer.cookie))
    session.load()
    manager.handshake(session)
    customer.visit(Session.destroy)

    with pytest.raises(SessionNotFound):
        session.reload()
    assert session.gone


def test_reload_in_a_long_connection_shows_changes_of_others(
    manager: SessionManager, customer: Browser, clock: ManualClock
) -> None:
    """reload() shows the changes hours later."""
    session = manager.open(a_head(customer.cookie))
    session.load()
    manager.handshake(session)
    clock.advance(7200)
    customer.visit(writes(b=2))
    session.reload()

    assert dict(session) == {"a": 1, "b": 2}


def test_a_failed_verb_of_a_connection_can_be_repeated(
    manager: SessionManager, customer: Browser
) -> None:
    """A failure of the store fails one verb, and the next verb may work."""
    session = manager.open(a_head(customer.cookie))
    session.load()
    manager.handshake(session)
    session["b"] = 2
    customer.site.store.broken = {"commit"}
    with pytest.raises(Exception, match="the test broke commit"):
        session.save()
    customer.site.store.broken = set()
    session.save()

    assert customer.holds() == {"a": 1, "b": 2}


def test_a_failed_connection_discards_unsaved_changes(
    manager: SessionManager, customer: Browser
) -> None:
    """A failed connection is like a failed request."""
    session = manager.open(a_head(customer.cookie))
    session.load()
    manager.handshake(session)
    session["saved"] = 1
    session.save()
    session["lost"] = 1
    manager.close(session, failed=True)

    assert customer.holds() == {"a": 1, "saved": 1}


def test_a_refused_connection_brings_no_new_session(
    manager: SessionManager, watched: WatchedStore
) -> None:
    """If no header leaves, no session is stored that nobody could find."""
    session = manager.open(a_head())
    session["tries"] = 1

    manager.close_unanswered(session)

    assert session.closed
    assert watched.writes == []


def test_a_refused_connection_keeps_changes_of_a_stored_session(
    manager: SessionManager, customer: Browser
) -> None:
    """The changes are saved, but the id stays, because the client could not learn a new one."""
    session = manager.open(a_head(customer.cookie))
    session["tries"] = 1
    session.regenerate()

    manager.close_unanswered(session)

    assert customer.holds() == {"a": 1, "tries": 1}


def test_a_refused_connection_carries_out_a_logout(
    manager: SessionManager, customer: Browser
) -> None:
    """The client keeps a cookie that has no session."""
    session = manager.open(a_head(customer.cookie))
    session.destroy()

    manager.close_unanswered(session)

    assert customer.holds() == {}


@on_a_loop
async def test_a_handshake_on_a_loop(async_manager: AsyncSessionManager) -> None:
    """An asynchronous handshake does the same."""
    session = await opened(async_manager)
    session["a"] = 1
    cookie = cookie_of(await async_manager.handshake(session))
    session["b"] = 2
    await session.save()
    with pytest.raises(SessionClosed, match=MATCH):
        session.regenerate()
    session["c"] = 3
    await async_manager.close(session)

    assert dict(await opened(async_manager, cookie)) == {"a": 1, "b": 2, "c": 3}


@on_a_loop
async def test_no_first_record_after_a_handshake_on_a_loop(
    async_manager: AsyncSessionManager,
) -> None:
    """Every verb that would create a record raises an error."""
    session = await opened(async_manager)
    await async_manager.handshake(session)
    session["a"] = 1

    for verb in (session.save, lambda: session.increment("n"), lambda: session.take("n")):
        with pytest.raises(SessionClosed, match=MATCH):
            await verb()


@on_a_loop
async def test_a_refused_connection_on_a_loop(async_manager: AsyncSessionManager) -> None:
    """The changes are saved, and the id stays."""
    cookie = await a_cookie(async_manager, a=1)
    session = await opened(async_manager, cookie)
    session["b"] = 2
    session.set_user("ada")
    await async_manager.close_unanswered(session)

    found = await opened(async_manager, cookie)
    assert (dict(found), found.user_id) == ({"a": 1, "b": 2}, None)


@pytest.mark.parametrize(
    "act",
    [lambda session: session.increment("n"), lambda session: session.update_with("n", str)],
    ids=["increment", "update_with"],
)
def test_a_first_change_after_the_handshake_makes_no_record(
    manager: SessionManager, watched: WatchedStore, act: Callable[[Session], None]
) -> None:
    """No answer could send the new id, although nothing was written before."""
    session = manager.open(a_head())
    manager.handshake(session)

    with pytest.raises(SessionClosed, match=MATCH):
        act(session)
    assert (watched.calls, session.is_new) == ([], True)


def test_a_refused_connection_carries_out_a_sign_out(
    manager: SessionManager, customer: Browser
) -> None:
    """This holds also with a new id, which is dropped."""
    customer.visit(signs_in())
    session = manager.open(a_head(customer.cookie))
    session.clear_user()
    session.regenerate()

    manager.close_unanswered(session)

    assert customer.visit(who).value == (None, {})


def test_a_refused_sign_in_does_not_change_the_earlier_user(
    manager: SessionManager, customer: Browser
) -> None:
    """The session has no data of the refused user."""
    customer.visit(signs_in("bob", role="user"))
    session = manager.open(a_head(customer.cookie))
    session.set_user("ada", role="admin")

    manager.close_unanswered(session)

    assert customer.visit(who).value == ("bob", {"role": "user"})
    assert customer.holds() == {"a": 1}


@on_a_loop
async def test_a_connection_whose_first_load_failed_can_load_later(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """A store that failed at the handshake is asked again."""
    session = slow_manager.open(a_head(await a_cookie(slow_manager, a=1)))
    suspending.broken = {"load"}
    await slow_manager.preload(session)
    await slow_manager.handshake(session)
    suspending.broken = set()

    await session.load()

    assert dict(session) == {"a": 1}


@on_a_loop
async def test_a_thread_of_a_connection_asks_a_store_again_that_has_failed(
    async_manager: AsyncSessionManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each verb in a thread has the time limit of a request."""
    session = await opened(async_manager, await a_cookie(async_manager, n=1))
    await async_manager.handshake(session)
    blocking = async_manager.face(session, Session)

    def in_thread() -> int:
        with monkeypatch.context() as patch:
            patch.setattr("sessions.core.async_driving.DEADLINE", 0.0)
            patch.setattr("sessions.core.budget.LATEST_ASK", -1.0)
            with contextlib.suppress(StoreUnavailable):
                blocking.increment("n")
        return int(blocking.increment("n"))

    assert await asyncio.to_thread(in_thread) in (2, 3)
