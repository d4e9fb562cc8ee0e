"""`resume` of a session that no handler uses, but that a setting such as `rolling` loads."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    EndReason,
    MemoryStore,
    Session,
    SessionContainer,
    SessionManager,
    StoreUnavailable,
)
from sessions.edges import Headers, RequestHead
from sessions.stateless import SignedToken, TokenFormat
from sessions.testing import ManualClock
from tests.support.apps import KEY
from tests.support.loops import a_head
from tests.support.watched import WatchedStore

CALLS: list[str] = []
VERDICTS: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def no_calls() -> None:
    """Forget the calls before each test, and let `resume` return True."""
    CALLS.clear()
    VERDICTS["resume"] = True


def verdict() -> bool:
    """Return the result of `resume`, or raise it if it is an error."""
    CALLS.append("resume")
    if isinstance(VERDICTS["resume"], Exception):
        raise VERDICTS["resume"]
    return bool(VERDICTS["resume"])


class Noted(Session):
    """A session that notes the calls of its methods."""

    def resume(self, request: RequestHead) -> bool:
        self._path = request.path
        return verdict()

    def suspend(self) -> None:
        CALLS.append(f"suspend after {self._path}")

    def finish(self, reason: EndReason) -> None:
        CALLS.append(f"finish {reason}")


class AsyncNoted(AsyncSession):
    """The same for an event loop."""

    async def resume(self, request: RequestHead) -> bool:
        await asyncio.sleep(0)
        self._path = request.path
        return verdict()

    async def suspend(self) -> None:
        CALLS.append(f"suspend after {self._path}")

    async def finish(self, reason: EndReason) -> None:
        CALLS.append(f"finish {reason}")


def container(store: Any, **settings: Any) -> SessionContainer:
    """Return settings with both classes."""
    kinds: dict[str, Any] = {"session_class": Noted, "async_session_class": AsyncNoted}
    return SessionContainer(keys=[KEY], store=store, **kinds, **settings)


def unused(settings: SessionContainer, *, failed: bool = False) -> Headers:
    """Return the headers of a request that brings a session and does not use it."""
    manager = SessionManager(settings)
    with manager.create({"a": 1}) as created:
        pass
    session = manager.open(a_head(f"session={manager.token(created)}"))
    assert manager.close_now(session, failed=failed) is None
    headers = manager.close(session, failed=failed)
    manager.suspend(session)
    return headers


def unused_on_a_loop(settings: SessionContainer, *, failed: bool = False) -> Headers:
    """Return the same of an asynchronous manager."""

    async def lives() -> Headers:
        manager = AsyncSessionManager(settings)
        created = await manager.create({"a": 1})
        session = manager.open(a_head(f"session={manager.token(created)}"))
        assert manager.close_now(session, failed=failed) is None
        headers = await manager.close(session, failed=failed)
        await manager.suspend(session)
        await manager.aclose()
        return headers

    return asyncio.run(lives())


def handshake(settings: SessionContainer) -> Headers:
    """Return the headers of a handshake that does not use the session."""

    async def lives() -> Headers:
        manager = AsyncSessionManager(settings)
        created = await manager.create({"a": 1})
        session = manager.open(a_head(f"session={manager.token(created)}"))
        headers = await manager.handshake(session)
        await manager.close_unanswered(session)
        await manager.suspend(session)
        await manager.aclose()
        return headers

    return asyncio.run(lives())


def blocking_handshake(settings: SessionContainer) -> Headers:
    """Return the same of a blocking manager."""
    manager = SessionManager(settings)
    created = manager.create({"a": 1})
    session = manager.open(a_head(f"session={manager.token(created)}"))
    headers = manager.handshake(session)
    manager.close_unanswered(session)
    manager.suspend(session)
    return headers


def cookies(headers: Headers) -> list[str]:
    """Return the Set-Cookie headers."""
    return [value for name, value in headers if name == "Set-Cookie"]


Request = Callable[..., Headers]
both = pytest.mark.parametrize(
    "request_of", [unused, unused_on_a_loop], ids=["blocking", "asynchronous"]
)
every = pytest.mark.parametrize(
    "request_of",
    [unused, unused_on_a_loop, handshake, blocking_handshake],
    ids=["blocking", "asynchronous", "handshake", "blocking handshake"],
)
settings = pytest.mark.parametrize("setting", ["rolling", "save_uninitialized"])
stores = pytest.mark.parametrize("store", [MemoryStore, SignedToken], ids=["stored", "in tokens"])


@every
@settings
@stores
def test_a_setting_that_opens_a_session_asks_resume(
    request_of: Request, setting: str, store: Callable[[], MemoryStore | TokenFormat]
) -> None:
    """Nothing is suspended that was not resumed before."""
    headers = request_of(container(store(), **{setting: True}))

    assert CALLS == ["resume", "suspend after "]
    assert bool(cookies(headers)) == (setting == "rolling")


@every
@settings
@stores
def test_a_refused_session_is_not_renewed(
    request_of: Request, setting: str, store: Callable[[], MemoryStore | TokenFormat]
) -> None:
    """It ends, and the client loses its cookie."""
    VERDICTS["resume"] = False

    headers = request_of(container(store(), **{setting: True}))

    assert CALLS == ["resume", "finish resume_refused"]
    assert ["=; Max-Age=0" in cookie for cookie in cookies(headers)] == [True]


@both
def test_an_error_of_resume_is_an_error_of_the_request(request_of: Request) -> None:
    """The session is neither renewed nor ended."""
    VERDICTS["resume"] = LookupError("a bug of resume")
    store = MemoryStore()

    with pytest.raises(LookupError):
        request_of(container(store, rolling=True))
    assert (CALLS, store.count()) == (["resume"], 1)


@both
def test_an_error_of_resume_keeps_the_page_of_an_earlier_error(
    request_of: Request, caplog: pytest.LogCaptureFixture
) -> None:
    """The response has no session, and the log has the error."""
    VERDICTS["resume"] = LookupError("a bug of resume")
    store = MemoryStore()

    assert request_of(container(store, rolling=True), failed=True) == []
    assert (CALLS, store.count()) == (["resume"], 1)
    assert "a bug of resume" in caplog.text


@both
def test_a_failing_store_does_not_fail_the_page(request_of: Request, clock: ManualClock) -> None:
    """Nobody has used the session, so nothing was asked of `resume`."""
    store = WatchedStore(MemoryStore(clock=clock))

    def fail() -> None:
        raise StoreUnavailable("the server is down")

    store.before["load"] = fail

    assert cookies(request_of(container(store, clock=clock, rolling=True))) == []
    assert CALLS == []
