"""Event loops, threads, processes and deadlines of an asynchronous manager."""

import asyncio
import multiprocessing
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from sessions import (
    AsyncSessionManager,
    Ended,
    MemoryStore,
    Record,
    SQLiteStore,
    Store,
    StoreUnavailable,
)
from sessions.core.limits import WORKER_THREADS
from sessions.testing import ManualClock
from tests.support.loops import SECONDS, a_head, a_manager, an_id_of, holds, on_a_loop, steps
from tests.support.suspending_store import SuspendingStore
from tests.support.watched import WatchedStore


class SilentStore(SuspendingStore):
    """Never answer the verbs in `silent`."""

    silent: frozenset[str] = frozenset()

    async def load(self, key: str) -> Record | Ended | None:
        await self._maybe_hang("load")
        return await super().load(key)

    async def commit(self, key: str, changes: Any) -> Any:
        await self._maybe_hang("commit")
        return await super().commit(key, changes)

    async def create(self, key: str, record: Record) -> bool:
        await self._maybe_hang("create")
        return await super().create(key, record)

    async def _maybe_hang(self, verb: str) -> None:
        if verb in self.silent:
            await asyncio.Event().wait()


class GatedStore(WatchedStore):
    """Let no load end before the gate is open, and note the threads that wait."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.gate = threading.Event()
        self.threads: set[int] = set()

    def load(self, key: str) -> Record | Ended | None:
        self.threads.add(threading.get_ident())
        self.gate.wait(SECONDS)
        return super().load(key)


# Loops, threads, processes


def test_two_event_loops_one_after_the_other(async_manager: AsyncSessionManager) -> None:
    """A test client makes a new loop for each request, and finds its session again."""
    session_id = asyncio.run(an_id_of(async_manager, n=0))

    async def add() -> int:
        async with async_manager.get(session_id) as session:
            number: int = await session.increment("n")
            session[f"k{number}"] = number
        return number

    async def add_in_parallel() -> list[int]:
        return [*await asyncio.gather(add(), add(), add())]

    numbers = [*asyncio.run(add_in_parallel()), *asyncio.run(add_in_parallel())]

    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]
    assert len(asyncio.run(holds(async_manager, session_id))) == 7


@on_a_loop
async def test_a_blocking_store_never_blocks_the_loop(store: Store, clock: ManualClock) -> None:
    """Its calls run in a limited number of threads."""
    gated = GatedStore(store)
    manager = a_manager(gated, clock)
    session_id = await an_id_of(manager, a=1)
    visits = [asyncio.create_task(holds(manager, session_id)) for _ in range(5 * WORKER_THREADS)]

    while len(gated.threads) < WORKER_THREADS:
        await asyncio.sleep(0.001)
    gated.gate.set()
    seen = await asyncio.gather(*visits)
    await manager.aclose()

    assert seen == [{"a": 1}] * (5 * WORKER_THREADS)
    assert len(gated.threads) == WORKER_THREADS
    assert threading.get_ident() not in gated.threads


@on_a_loop
async def test_a_store_in_place_is_asked_in_the_loops_own_thread(clock: ManualClock) -> None:
    """To use another thread would take longer than the call."""
    before = {*threading.enumerate()}
    manager = a_manager(MemoryStore(clock=clock), clock)
    await holds(manager, await an_id_of(manager, a=1))

    assert {*threading.enumerate()} - before == set()


@on_a_loop
async def test_aclose_leaves_no_thread_behind(clock: ManualClock, tmp_path: Path) -> None:
    """The threads of the manager end, and their connections are closed."""
    before = {*threading.enumerate()}
    manager = a_manager(SQLiteStore(tmp_path / "sessions.db", clock=clock), clock)
    await an_id_of(manager, a=1)
    made = {*threading.enumerate()} - before
    await manager.aclose()
    left = {*threading.enumerate()} - before
    for thread in left:
        thread.join(SECONDS / 20)

    assert made
    assert [thread.name for thread in left if thread.is_alive()] == []


@on_a_loop
async def test_a_manager_can_be_used_again_after_aclose(async_manager: AsyncSessionManager) -> None:
    """The application can start a second time with the same manager."""
    await an_id_of(async_manager, a=1)
    await async_manager.aclose()

    assert await holds(async_manager, await an_id_of(async_manager, b=2)) == {"b": 2}


def test_a_fork_after_threads_were_made(clock: ManualClock, tmp_path: Path) -> None:
    """The child makes its own threads, because threads do not survive a fork."""
    manager = a_manager(SQLiteStore(tmp_path / "sessions.db", clock=clock), clock)
    session_id = asyncio.run(an_id_of(manager, a=1))
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    child = context.Process(target=visit_in_child, args=(there, manager, session_id))
    child.start()

    told = here.recv() if here.poll(SECONDS) else "the child hangs"
    child.kill()
    child.join()

    assert told == {"a": 1, "by": "the child"}
    assert asyncio.run(holds(manager, session_id)) == told
    asyncio.run(manager.aclose())


def visit_in_child(pipe: Connection, async_manager: AsyncSessionManager, session_id: str) -> None:
    """Use the session in the child, and report its values."""

    async def visit() -> dict[str, Any]:
        async with async_manager.get(session_id) as session:
            session["by"] = "the child"
        return await holds(async_manager, session_id)

    pipe.send(asyncio.run(visit()))


# The deadline


@on_a_loop
async def test_a_store_that_never_answers_is_503_within_the_deadline(clock: ManualClock) -> None:
    """This holds for every operation; here all of them run at the same time."""
    store = SilentStore(MemoryStore(clock=clock))
    manager = a_manager(store, clock)
    token = manager.token(await manager.create({"a": 1}))
    loaded = [manager.open(a_head(f"session={token}")) for _ in range(3)]
    for session in loaded:
        await session.load()
        session["b"] = 2
    new = manager.open(a_head())
    await new.load()
    new["a"] = 1
    store.silent = frozenset({"load", "commit", "create"})
    waiting: list[Any] = [
        manager.open(a_head(f"session={token}")).load(),
        loaded[0].save(),
        loaded[1].increment("n"),
        manager.close(loaded[2]),
        manager.close(new),
    ]
    began = asyncio.get_running_loop().time()

    answers = await asyncio.gather(*waiting, return_exceptions=True)
    took = asyncio.get_running_loop().time() - began

    assert [type(answer) for answer in answers] == [StoreUnavailable] * 5
    assert StoreUnavailable.status == 503
    assert 0.5 < took < 2


@on_a_loop
async def test_a_thread_that_never_returns_is_503_within_the_deadline(clock: ManualClock) -> None:
    """The wait for a free thread counts, too."""
    gated = GatedStore(MemoryStore(clock=clock))
    manager = a_manager(gated, clock)
    token = manager.token(await manager.create({"a": 1}))
    visits = [manager.open(a_head(f"session={token}")).load() for _ in range(2 * WORKER_THREADS)]

    answers = await asyncio.gather(*visits, return_exceptions=True)
    gated.gate.set()
    await manager.aclose()

    assert [type(answer) for answer in answers] == [StoreUnavailable] * (2 * WORKER_THREADS)
    assert len(gated.threads) <= WORKER_THREADS


@on_a_loop
async def test_a_call_after_its_deadline_is_not_repeated(clock: ManualClock) -> None:
    """A slow thread may carry out its call after the 503, so the call is not repeated."""
    watched = WatchedStore(MemoryStore(clock=clock))
    manager = a_manager(watched, clock)
    session_id = await an_id_of(manager, a=1)
    cookie = f"session={manager.token(await manager.get(session_id))}"
    session = manager.open(a_head(cookie))
    await session.load()
    session["b"] = 2
    gate = threading.Event()
    watched.before["commit"] = lambda: gate.wait(SECONDS)

    with pytest.raises(StoreUnavailable, match="did not answer the call commit"):
        await manager.close(session)
    headers = await manager.close(session, failed=True)
    gate.set()
    while await holds(manager, session_id) == {"a": 1}:
        await asyncio.sleep(0.001)
    await manager.aclose()

    assert headers == [("Vary", "Cookie")]
    assert watched.calls.count("commit") == 1


# The end


@on_a_loop
async def test_aclose_waits_for_commits_that_are_under_way(
    async_manager: AsyncSessionManager,
) -> None:
    """The requests of these commits may have been cancelled."""
    session_id = await an_id_of(async_manager, a=1)
    session = await async_manager.get(session_id)
    session["b"] = 2
    request = asyncio.create_task(async_manager.close(session))
    await steps(2)
    request.cancel()

    await async_manager.aclose()

    assert not session.modified
    assert await holds(async_manager, session_id) == {"a": 1, "b": 2}
