"""Processes that write to a session until they are killed in the middle of a write."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from sessions.record import Outcome
from sessions.stores.base import Store
from sessions.testing import a_record, some_changes, values_of
from tests.support.processes import wait_until

KEY = "a-key"
Open = Callable[[], Store]


class Round(NamedTuple):
    """The number of writes of a process: as it was acknowledged, and as the store has it."""

    acknowledged: int
    found: int

    @property
    def is_right(self) -> bool:
        """Return whether no write is lost, and at most one write was stored without a reply."""
        return self.found in (self.acknowledged, self.acknowledged + 1)


def kill_writers(opening: Open, rounds: int) -> list[Round]:
    """Kill so many processes in the middle of a write, and return what each has written.

    After each, another process reads and writes at once.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_kill_writers, (opening, rounds))


def _kill_writers(opening: Open, rounds: int) -> list[Round]:
    # This process has one thread, so that its forks are sound.
    store, random = opening(), Random(7)  # noqa: S311
    store.create(KEY, a_record(time.time, lives=3600))
    told = [_kill_one(opening, f"{number}", random) for number in range(rounds)]
    found = []
    for number, acknowledged in enumerate(told):
        value = values_of(store, KEY)[f"{number}"]
        found.append(Round(acknowledged, int(value.partition(b" ")[0])))
    store.close()
    return found


def _kill_one(opening: Open, name: str, random: Random) -> int:
    """Return how many writes of a process were acknowledged before it was killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _write(opening(), name, writer)
        finally:
            os._exit(1)
    os.close(writer)
    try:
        told = len(os.read(reader, random.randrange(1, 20)))
        # In the middle of a write, wherever that is.
        time.sleep(random.random() / 500)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    while more := os.read(reader, 65536):
        told += len(more)
    os.close(reader)
    _check_that_others_write(opening())
    return told


def _write(store: Store, name: str, told: int) -> None:
    number = 0
    while True:
        number += 1
        value = b"%d " % number + b"x" * 500
        changes = some_changes(time.time, lives=3600, set={name: value})
        if store.commit(KEY, changes) is not Outcome.APPLIED:
            return
        os.write(told, b".")


def _check_that_others_write(store: Store) -> None:
    changes = some_changes(time.time, lives=3600, set={"others": b"1"})
    wait_until(lambda: store.commit(KEY, changes) is Outcome.APPLIED)
    store.close()
