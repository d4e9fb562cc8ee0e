"""Sessions that have expired, and processes that find them: who tells the end of which session."""

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    EndReason,
    Session,
    SessionContainer,
    SessionEvent,
    SessionManager,
)
from sessions.stores.base import wall_clock
from sessions.testing import ManualClock, in_parallel
from tests.support.apps import KEY
from tests.support.patience import patience

# Sessions that were made this many seconds ago have expired, long enough for a purge.
_AGO = 24 * 3600 + 600
_THREADS = 4

Open = Callable[[], Any]
Ends = Counter[tuple[str, str, object]]
"""How often an end was told: by whom, of which session, and with which value."""


def ends_told_by_two_processes(open_store: Open, number: int, *, asynchronous: bool) -> Ends:
    """Let many sessions expire, find them in two processes at once, and return who told what.

    Each process loads each session, in several threads or tasks, and purges in the meantime.
    """
    tokens = _expired_sessions(open_store, number, asynchronous=asynchronous)
    spawn = multiprocessing.get_context("spawn")
    find = _find_in_tasks if asynchronous else _find_in_threads
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        told = [*pool.map(partial(find, open_store), (tokens, tokens[::-1]))]
    return sum(told, Counter())


def expected_ends(number: int) -> Ends:
    """Return what must be told: each end once by the event, and once by `finish`."""
    ends: Ends = Counter()
    for n in range(number):
        ends["event", "TIMEOUT", None] += 1
        ends["finish", "TIMEOUT", n] += 1
    return ends


def _expired_sessions(open_store: Open, number: int, *, asynchronous: bool) -> list[str]:
    """Make sessions by a clock of the past, and return their tokens."""
    past = ManualClock(wall_clock() - _AGO)
    container = _container(open_store, Counter(), past)
    if asynchronous:
        return asyncio.run(_make_in_tasks(container, number))
    manager = SessionManager(container)
    tokens = [manager.token(manager.create({"n": n})) for n in range(number)]
    _store_of(container).close()
    return tokens


async def _make_in_tasks(container: SessionContainer, number: int) -> list[str]:
    manager = AsyncSessionManager(container)
    tokens = [manager.token(await manager.create({"n": n})) for n in range(number)]
    await _store_of(container).close()
    return tokens


def _find_in_threads(open_store: Open, tokens: list[str]) -> Ends:
    ends: Ends = Counter()
    with patience():
        container = _container(open_store, ends, wall_clock)
        manager = SessionManager(container)

        def find(thread: int) -> None:
            for n, token in enumerate(tokens):
                assert manager.from_token(token) is None
                if n % _THREADS == thread:
                    manager.purge(2)

        in_parallel(_THREADS, find)
        _store_of(container).close()
    return ends


def _find_in_tasks(open_store: Open, tokens: list[str]) -> Ends:
    ends: Ends = Counter()

    async def find_all() -> None:
        container = _container(open_store, ends, wall_clock)
        manager = AsyncSessionManager(container)

        async def find(task: int) -> None:
            for n, token in enumerate(tokens):
                assert await manager.from_token(token) is None
                if n % _THREADS == task:
                    await manager.purge(2)

        await asyncio.gather(*map(find, range(_THREADS)))
        await manager.aclose()
        await _store_of(container).close()

    with patience():
        asyncio.run(find_all())
    return ends


def _container(open_store: Open, ends: Ends, clock: Callable[[], float]) -> SessionContainer:
    def listen(event: SessionEvent) -> None:
        if event.kind == "destroyed":
            ends["event", _name(event.reason), None] += 1

    class Told(Session):
        def finish(self, reason: EndReason) -> None:
            ends["finish", reason.name, self["n"]] += 1

    class AsyncTold(AsyncSession):
        async def finish(self, reason: EndReason) -> None:
            ends["finish", reason.name, self["n"]] += 1

    return SessionContainer(
        keys=[KEY],
        store=open_store(),
        clock=clock,
        listeners=[listen],
        session_class=Told,
        async_session_class=AsyncTold,
    )


def _name(reason: EndReason | str | None) -> str:
    return reason.name if isinstance(reason, EndReason) else str(reason)


def _store_of(container: SessionContainer) -> Any:
    return container.store
