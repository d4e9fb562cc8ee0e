"""Tests of pairs of calls: each of two processes makes one call on the same record."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, cast
from unittest import SkipTest

from sessions.core.ids import hash_of
from sessions.stores.base import Store
from sessions.testing.calls import Call
from sessions.testing.clock import ManualClock
from sessions.testing.interruptions import InterruptedThread, finish
from sessions.testing.race_tests import (
    NEVER,
    Pair,
    allowed,
    calls,
    every_pair,
    expect_one_of,
    prepare,
    some_of,
)
from sessions.testing.suite import Suite, contract_test
from sessions.testing.under_test import BlockingStoreUnderTest, StoreUnderTest

PATIENCE = 0.003
"""The longest time in seconds that a call waits for the call in the other process."""

_START_AT_MOST = 60.0
_CALL_AT_MOST = 20.0
POINTS_AT_MOST = 3

Open = Callable[[], Store]


class ProcessTests(Suite):
    """Test that calls are atomic, even against calls from another process."""

    def open_in_another_process(self, store: Any) -> Open | None:
        """Return a function that opens the same store in another process, or None.

        Return None if only one process can use the store. The function is pickled, so return a
        function of a module, or a `functools.partial` of the store's class. Pass `store.clock` to
        the store that the function opens; this clock is pickled too.
        """
        return None

    @contract_test
    async def test_two_calls_at_once_from_two_processes(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The answers, and the record after them, are as if one call followed the other."""
        made = calls(clock)
        with self.another_process(store) as connection:
            for begin, pairs in every_pair(clock).items():
                for number, pair in enumerate(pairs):
                    meet = partial(race, store, clock, connection)
                    points = await meet(Meeting(begin, pair, NEVER), made)
                    for at in some_of(points, number, min(self.points_at_most, POINTS_AT_MOST)):
                        await meet(Meeting(begin, pair, at), made)

    def another_process(
        self, store: StoreUnderTest, prepare: Callable[[Store], Store] | None = None
    ) -> AbstractContextManager[Connection]:
        """Return a context with the connection to another process, which opens the same store.

        Raises SkipTest if only one process can use the store. `prepare` is a function of a module;
        the other process calls it with the opened store.
        """
        opening = self.open_in_another_process(cast(BlockingStoreUnderTest, store).inner)
        if opening is None:
            raise SkipTest(
                "the suite does not know how to open this store in another process. Fix: write the"
                " method open_in_another_process(self, store)"
            )
        return _another_process(opening if prepare is None else partial(_opened, opening, prepare))


class OtherProcess:
    """The second of two calls, made in another process."""

    def __init__(self, connection: Connection, key: str, call: Call) -> None:
        self._connection = connection
        self._asked = (key, call)
        self._has_begun = False

    def begin(self) -> None:
        """Begin the call, and wait for its end, but at most PATIENCE seconds."""
        self._has_begun = True
        self._connection.send(self._asked)
        self._connection.poll(PATIENCE)

    def answer(self) -> object:
        """Return the result of the call; if it has not begun, make it now."""
        if not self._has_begun:
            self.begin()
        return _received(self._connection, _CALL_AT_MOST)


class Meeting(NamedTuple):
    """The kind of the record, the two calls, and the point at which the second call is made."""

    begin: str
    pair: Pair
    at: int


async def race(
    store: StoreUnderTest,
    clock: ManualClock,
    connection: Connection,
    meeting: Meeting,
    made: dict[str, Call],
) -> int:
    """Make two calls in two processes, and check both answers.

    Return the number of points at which the first call can pause.
    """
    begin, pair, at = meeting
    key = hash_of(f"{begin} {pair} at {at}")
    state = await prepare(store, key, begin, clock)
    first, second = (made[name] for name in pair)
    other = OtherProcess(connection, key, second)
    interrupted = InterruptedThread(at, other.begin)
    answer = interrupted.run(partial(_make, first, store, key))
    found = (answer, other.answer(), await store.load(key))
    what = f"{pair[0]}, and {pair[1]} in another process, on a record that is {begin}"
    orders = allowed(first, second, state, clock())
    expect_one_of(found, orders[:1] if at == NEVER else orders, what)
    return interrupted.points


def _make(call: Call, store: StoreUnderTest, key: str) -> object:
    return finish(call.on(store, key))


@contextmanager
def _another_process(opening: Open) -> Iterator[Connection]:
    spawn = multiprocessing.get_context("spawn")
    ours: Any
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_answer_calls, args=(opening, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        _received(ours, _START_AT_MOST)
        yield ours
    finally:
        ours.close()
        process.join(_CALL_AT_MOST)
        process.kill()


def _opened(opening: Open, prepare: Callable[[Store], Store]) -> Store:
    return prepare(opening())


def _answer_calls(opening: Open, connection: Connection) -> None:
    store = BlockingStoreUnderTest(opening(), ManualClock(), server_expires=False)
    connection.send("ready")
    with suppress(EOFError):
        while True:
            key, call = connection.recv()
            connection.send(_make(call, store, key))


def _received(connection: Connection, seconds: float) -> object:
    try:
        if connection.poll(seconds):
            return connection.recv()
    except EOFError:
        raise AssertionError("the other process ended. Fix: read its error on stderr") from None
    raise AssertionError(f"the other process has not answered within {seconds} seconds")
