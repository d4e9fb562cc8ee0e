"""Tests that run on an event loop, and the kinds of stores that an asynchronous manager takes."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    AsyncStore,
    MemoryStore,
    SessionContainer,
    SQLiteStore,
    Store,
)
from sessions.testing import ManualClock
from sessions.wsgi import EnvironHead
from tests.support.apps import KEY
from tests.support.suspending_store import SuspendingStore

P = ParamSpec("P")

SECONDS = 20.0
"""How long a test waits for what must happen before it gives up."""

ASYNC_STORES: dict[str, Callable[[Path, ManualClock], Store | AsyncStore]] = {
    "memory": lambda folder, clock: MemoryStore(clock=clock),
    "sqlite in threads": lambda folder, clock: SQLiteStore(folder / "async.db", clock=clock),
    "suspending": lambda folder, clock: SuspendingStore(MemoryStore(clock=clock)),
}


def on_a_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test on an event loop, and stop a test that hangs."""

    async def bounded(*arguments: P.args, **options: P.kwargs) -> None:
        async with asyncio.timeout(SECONDS):
            await test(*arguments, **options)

    @wraps(test)
    def run(*arguments: P.args, **options: P.kwargs) -> None:
        asyncio.run(bounded(*arguments, **options))

    return run


def a_head(cookie: str = "", *, scheme: str = "http") -> EnvironHead:
    """Return the head of a request with the cookie."""
    return EnvironHead({"HTTP_COOKIE": cookie, "wsgi.url_scheme": scheme})


def cookie_of(headers: list[tuple[str, str]]) -> str:
    """Return the one cookie that the headers set, as a browser sends it back."""
    (text,) = [value for name, value in headers if name == "Set-Cookie"]
    return text.partition(";")[0]


async def steps(count: int) -> None:
    """Let the other tasks take a number of steps."""
    for _ in range(count):
        await asyncio.sleep(0)


async def a_cookie(manager: AsyncSessionManager, **values: Any) -> str:
    """Store a session with the values, and return its cookie."""
    session = await manager.create(values)
    await manager.close(session)
    return f"session={manager.token(session)}"


async def opened(manager: AsyncSessionManager, cookie: str = "") -> AsyncSession:
    """Return the loaded session of a request with the cookie."""
    session = manager.open(a_head(cookie))
    await session.load()
    return session


def a_manager(store: Store | AsyncStore, clock: ManualClock, **more: Any) -> AsyncSessionManager:
    """Return a manager over this store."""
    return AsyncSessionManager(SessionContainer(keys=[KEY], store=store, clock=clock, **more))


async def an_id_of(manager: AsyncSessionManager, **values: Any) -> str:
    """Store a session with the values, and return its id."""
    session = await manager.create(values)
    await manager.close(session)
    return session.id


async def holds(manager: AsyncSessionManager, session_id: str) -> dict[str, Any]:
    """Return what the session of the id holds."""
    return dict(await manager.get(session_id))
