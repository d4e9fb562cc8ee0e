"""`end_session_of` and `end_session`: end one session by its handle, of a user or of anybody."""

from collections.abc import Callable
from typing import Any

import pytest

from sessions import (
    AsyncSessionManager,
    MemoryStore,
    SessionContainer,
    SessionError,
    SessionManager,
    SessionNotFound,
)
from sessions.stateless import SignedToken
from sessions.testing import ManualClock
from tests.support.apps import KEY
from tests.support.loops import on_a_loop


@pytest.fixture
def told() -> list[Any]:
    """Return a list of all events."""
    return []


@pytest.fixture
def manager(told: list[Any]) -> SessionManager:
    """Return a manager over a store in memory."""
    return SessionManager(SessionContainer(keys=[KEY], listeners=[told.append]))


def signed_in(manager: SessionManager, user_id: str = "ada") -> tuple[str, str]:
    """Return the handle and the id of a new session of the user."""
    with manager.create() as session:
        session.set_user(user_id)
    return session.handle, session.id


def test_only_this_session_ends(manager: SessionManager, told: list[Any]) -> None:
    """Once; the event says that a user ended it."""
    handle, id = signed_in(manager)
    other, _ = signed_in(manager)
    told.clear()

    assert manager.end_session_of("ada", handle) is True
    assert manager.end_session_of("ada", handle) is False
    assert [(event.kind, event.reason, event.handle) for event in told] == [
        ("destroyed", "ended_by_user", handle)
    ]
    assert [info.handle for info in manager.sessions_of("ada")] == [other]
    with pytest.raises(SessionNotFound):
        manager.get(id)


@pytest.mark.parametrize("handle", ["", "x", "0" * 64, "0" * 63 + "\n", 7, None])
def test_a_wrong_handle_ends_no_session(manager: SessionManager, handle: Any) -> None:
    """Whatever text a form sends, and also the session of another user."""
    bobs, _ = signed_in(manager, "bob")

    assert manager.end_session_of("ada", handle) is False
    assert manager.end_session_of("ada", bobs) is False
    assert [info.handle for info in manager.sessions_of("bob")] == [bobs]


ENDS: dict[str, Callable[[SessionManager, str, str], object]] = {
    "delete": lambda manager, _, text: manager.delete(text),
    "end_session": lambda manager, handle, _: manager.end_session(handle),
    "end_session_of": lambda manager, handle, _: manager.end_session_of("ada", handle),
    "end_sessions_of": lambda manager, handle, _: manager.end_sessions_of("ada"),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_expired_session_ends_by_its_timeout(
    clock: ManualClock, told: list[Any], end: Callable[[SessionManager, str, str], object]
) -> None:
    """Whoever ends it later: the record is not removed without its event."""
    settings: dict[str, Any] = {"store": MemoryStore(clock=clock), "clock": clock}
    manager = SessionManager(SessionContainer(keys=[KEY], listeners=[told.append], **settings))
    handle, id = signed_in(manager)
    told.clear()
    clock.advance(24 * 3600)

    assert not end(manager, handle, id)
    assert [(event.kind, event.reason, event.handle) for event in told] == [
        ("destroyed", "timeout", handle)
    ]


@on_a_loop
async def test_a_text_that_is_not_an_id_ends_no_session() -> None:
    """There was no live session, so the result is False."""
    blocking = SessionManager(SessionContainer(keys=[KEY]))
    asynchronous = AsyncSessionManager(SessionContainer(keys=[KEY]))

    for text in ("", "x", "x" * 65):
        assert blocking.delete(text) is False
        assert await asynchronous.delete(text) is False


@on_a_loop
async def test_in_an_asynchronous_manager() -> None:
    """The same method as a coroutine."""
    manager = AsyncSessionManager(SessionContainer(keys=[KEY]))
    async with await manager.create() as session:
        session.set_user("ada")

    assert await manager.end_session_of("bob", session.handle) is False
    assert await manager.end_session_of("ada", session.handle) is True


@pytest.mark.parametrize("token", [SignedToken(), SignedToken(revocations=MemoryStore())])
def test_sessions_in_tokens_refuse_it(token: SignedToken) -> None:
    """No server knows whose session it is."""
    manager = SessionManager(SessionContainer(keys=[KEY], store=token))

    with pytest.raises(SessionError, match=r"nobody knows whose session .* Fix: "):
        manager.end_session_of("ada", "0" * 64)


def test_an_administrator_may_end_any_session(manager: SessionManager, told: list[Any]) -> None:
    """Also without a user; the event says that a program ended it."""
    handles = [signed_in(manager)[0], signed_in(manager, "bob")[0], manager.create().handle]
    told.clear()

    assert [manager.end_session(handle) for handle in handles] == [True] * 3
    assert [manager.end_session(handle) for handle in [*handles, "", "x"]] == [False] * 5
    assert [(event.kind, event.reason, event.handle) for event in told] == [
        ("destroyed", "deleted", handle) for handle in handles
    ]


def test_an_administrator_ends_a_session_of_this_user_only(manager: SessionManager) -> None:
    """A session of another user lives on."""
    handle, id = signed_in(manager)

    assert manager.end_session(handle, "bob") is False
    assert manager.get(id).user_id == "ada"
    assert manager.end_session(handle, "ada") is True


@on_a_loop
async def test_an_administrator_of_an_asynchronous_manager() -> None:
    """The same for a coroutine."""
    manager = AsyncSessionManager(SessionContainer(keys=[KEY]))
    session = await manager.create()

    assert await manager.end_session(session.handle, "ada") is False
    assert await manager.end_session(session.handle) is True


def test_sessions_in_tokens_have_no_handle_to_end() -> None:
    """The message says what can be done."""
    manager = SessionManager(SessionContainer(keys=[KEY], store=SignedToken()))

    with pytest.raises(SessionError, match=r"Fix: give the container a store; or end all"):
        manager.end_session("0" * 64)
