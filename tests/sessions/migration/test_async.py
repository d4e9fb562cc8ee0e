"""Legacy cookies on an event loop: with plain and coroutine functions, over each kind of store."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    AsyncStore,
    ConfigurationError,
    MemoryStore,
    Session,
    SessionContainer,
    SessionManager,
    SQLiteStore,
    Store,
    StoreUnavailable,
)
from sessions.migration import HexSignatureCookie, KeygripCookie, LegacySession
from sessions.testing import ManualClock
from sessions.transports.cookie import CookieHead
from tests.sessions.migration.cookies import HEADERS, NAMES, OldSystem
from tests.support.apps import KEY
from tests.support.suspending_store import SuspendingStore


def a_manager(
    store: Store | AsyncStore, clock: ManualClock, cookies: list[Any]
) -> AsyncSessionManager:
    """Return a manager that reads the cookies."""
    container = SessionContainer(keys=[KEY], store=store, clock=clock, legacy_cookies=cookies)
    return AsyncSessionManager(container)


async def answered(
    manager: AsyncSessionManager, header: str
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the values of one request, and the headers of its response."""
    session = manager.open(CookieHead(header, "/", "http", None))
    if not manager.preload_now(session):
        await manager.preload(session)
    values = dict(session)
    headers = manager.close_now(session)
    return values, await manager.close(session) if headers is None else headers


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize("is_coroutine", [False, True], ids=["def", "async def"])
def test_nobody_is_logged_out(
    any_store: Store | AsyncStore, clock: ManualClock, kind: str, is_coroutine: bool
) -> None:
    """A plain function runs in a thread, where it does not block the loop."""
    old = OldSystem()
    threads = []

    def load(content: Any) -> LegacySession | None:
        threads.append(threading.get_ident())
        return old.load(content)

    async def load_slowly(content: Any) -> LegacySession | None:
        threads.append(threading.get_ident())
        await asyncio.sleep(0)
        return old.load(content)

    async def end(content: Any) -> None:
        await asyncio.sleep(0)
        old.end(content)

    async def program() -> None:
        manager = a_manager(
            any_store, clock, old.cookies(load=load_slowly if is_coroutine else load, end=end)
        )
        values, headers = await answered(manager, HEADERS[kind])
        cookies = [value for name, value in headers if name == "Set-Cookie"]
        again, _ = await answered(manager, cookies[0].partition(";")[0])

        assert values == again
        assert values["items"] in ("Dog", "Dog,Cat")
        assert [cookie.partition("=")[0] for cookie in cookies[1:]] == NAMES[kind]
        assert len(old.ended) == 1
        assert [thread == threading.get_ident() for thread in threads] == [is_coroutine]
        await manager.aclose()

    asyncio.run(program())


def test_tasks_with_one_legacy_cookie_share_a_session(
    any_store: Store | AsyncStore, clock: ManualClock
) -> None:
    """Many tasks run at once, and each writes its own key."""
    old = OldSystem()

    async def write(manager: AsyncSessionManager, key: str) -> str:
        session: AsyncSession = manager.open(CookieHead(HEADERS["hex"], "/", "http", None))
        await session.load()
        session[key] = 1
        await manager.close(session)
        return session.handle

    async def program() -> None:
        manager = a_manager(any_store, clock, old.cookies())
        keys = [f"key{number}" for number in range(8)]
        handles = await asyncio.gather(*(write(manager, key) for key in keys))
        values, _ = await answered(manager, HEADERS["hex"])

        assert len(set(handles)) == 1
        assert values == {"items": "Dog", **dict.fromkeys(keys, 1)}
        await manager.aclose()

    asyncio.run(program())


@pytest.mark.parametrize("is_coroutine", [False, True], ids=["def", "async def"])
def test_a_broken_other_system_is_unavailable(
    any_store: Store | AsyncStore, clock: ManualClock, is_coroutine: bool
) -> None:
    """The first use of the session raises an error, and the answer is 503."""

    def load(content: Any) -> Any:
        raise OSError("no connection")

    async def load_slowly(content: Any) -> Any:
        load(content)

    async def program() -> None:
        cookie = HexSignatureCookie(
            "sid", keys=["secret"], load=load_slowly if is_coroutine else load
        )
        manager = a_manager(any_store, clock, [cookie])
        session = manager.open(CookieHead(HEADERS["hex"], "/", "http", None))
        await manager.preload(session)
        with pytest.raises(StoreUnavailable, match="OSError"):
            session.get("a")
        await manager.abandon(session)
        await manager.aclose()

    asyncio.run(program())


@pytest.mark.parametrize("setting", ["load", "end"])
def test_a_blocking_manager_refuses_coroutine_functions(setting: str) -> None:
    """The error comes at start-up and says what to do."""

    async def function(content: Any) -> None:
        return None

    functions: dict[str, Any] = {"load": dict, setting: function}
    cookie = KeygripCookie("s", keys=["key1"], **functions)

    with pytest.raises(ConfigurationError, match="Fix: give a plain function"):
        SessionManager(SessionContainer(keys=[KEY], legacy_cookies=[cookie]))


@pytest.mark.parametrize("is_blocking_store", [True, False], ids=["SQLite", "suspending"])
def test_a_slow_function_is_not_a_failure_of_the_store(
    clock: ManualClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    is_blocking_store: bool,
) -> None:
    """A slow `end` is logged, and the page is served; a slow `load` is 503, and is named."""
    monkeypatch.setattr("sessions.core.async_driving.DEADLINE", 0.2)
    never = asyncio.Event()
    old = OldSystem()

    async def wait(content: Any) -> None:
        await never.wait()

    async def program() -> None:
        inner = SQLiteStore(tmp_path / "sessions.db", clock=clock)
        store = inner if is_blocking_store else SuspendingStore(MemoryStore(clock=clock))
        slow_end = HexSignatureCookie("sid", keys=["secret"], load=old.load, end=wait)
        manager = a_manager(store, clock, [slow_end])
        values, _ = await answered(manager, HEADERS["hex"])
        assert values == {"items": "Dog"}
        assert "end() of <HexSignatureCookie 'sid'> failed" in caplog.text
        await manager.aclose()

        slow_load = KeygripCookie("s", keys=["key1"], load=wait)
        manager = a_manager(MemoryStore(clock=clock), clock, [slow_load])
        session = manager.open(CookieHead(HEADERS["keygrip"], "/", "http", None))
        with pytest.raises(
            StoreUnavailable, match=r"load\(\) of <KeygripCookie 's'> raised Timeout"
        ):
            await session.load()
        await manager.abandon(session)

    asyncio.run(program())


def test_a_thread_of_a_request_may_move_and_end_a_session(clock: ManualClock) -> None:
    """Coroutine functions run on the loop of the request."""
    old = OldSystem()
    loops = []

    async def load(content: Any) -> LegacySession | None:
        loops.append(asyncio.get_running_loop())
        return old.load(content)

    async def end(content: Any) -> None:
        loops.append(asyncio.get_running_loop())
        old.ended.append(content)

    async def program() -> None:
        manager = a_manager(MemoryStore(clock=clock), clock, old.cookies(load=load, end=end))
        for use in (dict, Session.delete):
            session = manager.open(CookieHead(HEADERS["hex"], "/", "http", None))
            await asyncio.to_thread(use, manager.face(session, Session))
        assert loops == [asyncio.get_running_loop()] * 3

    asyncio.run(program())

    assert old.ended == ["abc123", "abc123"]
