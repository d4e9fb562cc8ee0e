"""Two requests of one session at once, in thousands of orders, over real stores.

Nobody brings an ended session back, no second id lives, no cookie and no acknowledged write is
lost. SESSIONS_INTERLEAVINGS=10000 runs so many rounds of each race.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from sessions import AsyncSessionManager, MemoryStore, SessionManager, SQLiteStore, Store
from tests.support.hesitating_stores import HesitatingAsyncStore, HesitatingStore, hesitate
from tests.support.races import (
    BEFORE,
    RACES,
    Opponent,
    Race,
    Sent,
    container_of,
    opponent_in_process,
    opponent_in_thread,
    seen_by,
    serve,
    serve_async,
)

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("SESSIONS_INTERLEAVINGS", "200"))

Acts = tuple[str, str]
each_race = pytest.mark.parametrize("acts", RACES, ids=" beside ".join)


@each_race
def test_in_threads_over_memory(acts: Acts) -> None:
    """Two threads over one MemoryStore."""
    assert _raced_in_threads(MemoryStore(), acts) == []


@each_race
def test_in_threads_over_sqlite(acts: Acts, tmp_path: Path) -> None:
    """Two threads over one SQLiteStore."""
    assert _raced_in_threads(SQLiteStore(tmp_path / "sessions.db"), acts) == []


@each_race
def test_in_two_processes_over_sqlite(acts: Acts, tmp_path: Path) -> None:
    """Two processes over one SQLite file."""
    path, random = tmp_path / "sessions.db", _random()
    manager = _manager(SQLiteStore(path), random)
    with opponent_in_process(path, seed=random.randrange(1000)) as opponent:
        found = [*_raced(manager, opponent, acts, random)]

    assert found == []


@each_race
def test_in_tasks_over_an_asynchronous_store(acts: Acts) -> None:
    """Two tasks of one event loop, whose store suspends them at random."""
    assert asyncio.run(_raced_in_tasks(acts)) == []


def _raced_in_threads(store: Store, acts: Acts) -> list[str]:
    random = _random()
    manager = _manager(store, random)
    with opponent_in_thread(manager, random) as opponent:
        return [*_raced(manager, opponent, acts, random)]


def _raced(
    manager: SessionManager, opponent: Opponent, acts: Acts, random: Random
) -> Iterator[str]:
    """Run the rounds, each with another side first, and yield what goes wrong."""
    look, served = seen_by(manager), 0
    for number in range(ROUNDS):
        with manager.create(BEFORE) as session:
            old = manager.token(session)
        first, second = _sent(acts, old)
        ours, theirs = (first, second) if number % 2 else (second, first)
        opponent.begin(theirs)
        for _ in range(random.randrange(8)):
            hesitate(random)
        answers = {ours: serve(manager, ours), theirs: opponent.answer()}
        race = Race(old, (first, second), (answers[first], answers[second]))
        if race.is_served:
            served += 1
            yield from (f"round {number}: {problem}" for problem in race.problems(look))
    if served < ROUNDS / 2:
        yield f"{served} of {ROUNDS} rounds were served"


async def _raced_in_tasks(acts: Acts) -> list[str]:
    random = _random()
    store = HesitatingAsyncStore(MemoryStore(), random)
    manager = AsyncSessionManager(container_of(store))
    # The blocking side only looks, at what the same store holds.
    look = seen_by(SessionManager(container_of(store.inner)))
    found: list[str] = []
    for number in range(ROUNDS):
        async with await manager.create(BEFORE) as session:
            old = manager.token(session)
        sent = _sent(acts, old)
        order = (0, 1) if number % 2 else (1, 0)
        tasks = [asyncio.create_task(serve_async(manager, sent[index])) for index in order]
        done = dict(zip(order, await asyncio.gather(*tasks), strict=True))
        race = Race(old, sent, (done[0], done[1]))
        found += [f"round {number}: {problem}" for problem in race.problems(look)]
    await manager.aclose()
    return found


def _sent(acts: Acts, token: str) -> tuple[Sent, Sent]:
    return Sent(acts[0], "ann", token), Sent(acts[1], "bob", token)


def _manager(store: Store, random: Random) -> SessionManager:
    return SessionManager(container_of(HesitatingStore(store, random)))


def _random() -> Random:
    return Random(20)  # noqa: S311
