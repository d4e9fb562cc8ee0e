"""`resume` is asked about a session before any code can use it, whatever loads the session."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    MemoryStore,
    Session,
    SessionContainer,
    SessionManager,
)
from sessions.edges import Headers, RequestHead
from sessions.stateless import EncryptedToken, SignedToken
from sessions.transports.cookie import CookieHead
from tests.support.apps import KEY
from tests.support.watched import WatchedStore

CALLS: list[str] = []

STORES: dict[str, Callable[[], Any]] = {
    "a store": MemoryStore,
    "signed": SignedToken,
    "encrypted": EncryptedToken,
    "revocable": lambda: SignedToken(revocations=MemoryStore()),
}


class Refused(Session):
    """A session that no later request may use."""

    def resume(self, request: RequestHead) -> bool:
        CALLS.append("resume")
        return False


class AsyncRefused(AsyncSession):
    """The same for an event loop."""

    async def resume(self, request: RequestHead) -> bool:
        await asyncio.sleep(0)
        CALLS.append("resume")
        return False


@pytest.fixture(params=STORES)
def container(request: pytest.FixtureRequest) -> SessionContainer:
    """Return a container with one kind of store."""
    CALLS.clear()
    return SessionContainer(
        keys=[KEY],
        store=STORES[request.param](),
        session_class=Refused,
        async_session_class=AsyncRefused,
    )


def cookie_in(headers: Headers) -> str:
    """Return the Cookie header of a browser that got these headers."""
    return next(value.partition(";")[0] for name, value in headers if name == "Set-Cookie")


def head_with(cookie: str) -> RequestHead:
    """Return the head of a request with a Cookie header."""
    return CookieHead(cookie, "/", "https", None)


def begun(manager: SessionManager) -> str:
    """Return the cookie of a new session with a value."""
    session = manager.open(head_with(""))
    session["a"] = 1
    return cookie_in(manager.close(session))


def _by_use(manager: SessionManager, session: Session) -> None:
    session.get("a")


def _by_handshake(manager: SessionManager, session: Session) -> None:
    manager.handshake(session)


def _by_use_and_handshake(manager: SessionManager, session: Session) -> None:
    session.get("a")
    manager.handshake(session)


@pytest.mark.parametrize("load", [_by_use, _by_handshake, _by_use_and_handshake])
def test_blocking_code_never_sees_a_refused_session(
    container: SessionContainer, load: Callable[[SessionManager, Session], None]
) -> None:
    """A request that loads the session in any way asks `resume` once, and reads nothing."""
    manager = SessionManager(container)
    session = manager.open(head_with(begun(manager)))

    load(manager, session)

    assert dict(session) == {}
    assert CALLS == ["resume"]


async def _eagerly(manager: AsyncSessionManager, session: AsyncSession) -> None:
    if not manager.preload_now(session):
        await manager.preload(session)


async def _on_demand(manager: AsyncSessionManager, session: AsyncSession) -> None:
    await session.load()


async def _at_a_handshake(manager: AsyncSessionManager, session: AsyncSession) -> None:
    await manager.handshake(session)
    await session.load()


async def _eagerly_at_a_handshake(manager: AsyncSessionManager, session: AsyncSession) -> None:
    await _eagerly(manager, session)
    await manager.handshake(session)


@pytest.mark.parametrize("load", [_eagerly, _on_demand, _at_a_handshake, _eagerly_at_a_handshake])
def test_asynchronous_code_never_sees_a_refused_session(
    container: SessionContainer,
    load: Callable[[AsyncSessionManager, AsyncSession], Coroutine[Any, Any, None]],
) -> None:
    """A request that loads the session in any way asks `resume` once, and reads nothing."""
    cookie = begun(SessionManager(container))

    async def read() -> dict[str, Any]:
        manager = AsyncSessionManager(container)
        session = manager.open(head_with(cookie))
        await load(manager, session)
        return dict(session)

    assert asyncio.run(read()) == {}
    assert CALLS == ["resume"]


@pytest.mark.parametrize("settings", [{"rolling": True}, {"save_uninitialized": True}])
def test_a_page_without_sessions_does_not_prolong_a_refused_session(
    container: SessionContainer, settings: dict[str, bool]
) -> None:
    """The settings that open the session of every request ask `resume`, too."""
    container = replace(container, **settings)  # type: ignore[arg-type]
    manager = SessionManager(container)
    cookie = begun(manager)

    sent = manager.close(manager.open(head_with(cookie)))
    assert CALLS == ["resume"]
    assert cookie not in [value.partition(";")[0] for _, value in sent]

    other = begun(manager)
    answered = asyncio.run(_closed(container, other))
    assert CALLS == ["resume"] * 2
    assert other not in [value.partition(";")[0] for _, value in answered]


async def _closed(container: SessionContainer, cookie: str) -> Headers:
    manager = AsyncSessionManager(container)
    return await manager.close(manager.open(head_with(cookie)))


def test_the_handshake_of_revocable_sessions_calls_no_store() -> None:
    """These sessions can still load after the handshake, and `resume` is called then."""
    CALLS.clear()
    store = WatchedStore(MemoryStore())
    container = SessionContainer(
        keys=[KEY], store=SignedToken(revocations=store), session_class=Refused
    )
    manager = SessionManager(container)
    session = manager.open(head_with(begun(manager)))
    before = len(store.calls)

    manager.handshake(session)

    assert (len(store.calls), CALLS) == (before, [])
    assert dict(session) == {}
    assert CALLS == ["resume"]
