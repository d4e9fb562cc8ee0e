"""Tests of pairs of calls on one record at the same time.

The two answers, and the record after them, must be the same as if the two calls were made one after
the other, in one of the two orders.
"""

import itertools
from functools import partial

from sessions.core.ids import hash_of
from sessions.record import Ended
from sessions.testing.assertions import exactly, shown
from sessions.testing.calls import Call, Commit, Create, Delete, Purge, State, Touch, seen
from sessions.testing.clock import ManualClock
from sessions.testing.records import NEW_SECRET, OTHER_SECRET, SECRET, a_record, some_changes
from sessions.testing.suite import Suite, contract_test
from sessions.testing.under_test import StoreUnderTest

NEVER = -1
"""In place of the number of a point: make the other call after the first call has ended."""

_EXPIRED_AGO = 1000.0

Pair = tuple[str, str]
Found = tuple[object, object, State]


class RaceTests(Suite):
    """Test that two calls at the same time are atomic.

    One call pauses at a point, and the other call is made in the meantime.
    """

    @contract_test
    async def test_two_calls_at_once_on_a_live_record(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The answers and the record at the end are as if one call followed the other."""
        await self._race(store, clock, "live")

    @contract_test
    async def test_two_calls_at_once_where_no_record_is(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """At least one of the two calls is a create, which makes the record."""
        await self._race(store, clock, "missing")

    @contract_test
    async def test_two_calls_at_once_on_an_ended_record(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The answers are as if one call followed the other; at least one of the calls creates."""
        await self._race(store, clock, "ended")

    @contract_test
    async def test_two_calls_at_once_on_an_expired_record(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """At least one of the two calls is a create; a purge does not remove the created record."""
        await self._race(store, clock, "expired")

    async def _race(self, store: StoreUnderTest, clock: ManualClock, begin: str) -> None:
        for number, pair in enumerate(every_pair(clock)[begin]):
            points = await interrupt(store, clock, (begin, pair, NEVER), calls(clock))
            for at in some_of(points, number, self.points_at_most):
                await interrupt(store, clock, (begin, pair, at), calls(clock))


def calls(clock: ManualClock) -> dict[str, Call]:
    """Return the calls to make at the same time, by name."""
    now = clock()
    change = partial(some_changes, clock)
    made = {"made": b"1"}
    return {
        "create": Create(a_record(clock, made, user_id="ada")),
        "another create": Create(a_record(clock, {"made": b"2"}, secret=OTHER_SECRET)),
        "commit of values": Commit(
            change(set={"a": b"2", "n": b"1"}, removed=frozenset("b"), lives=110)
        ),
        "commit of other values": Commit(change(set={"m": b"1"}, accessed_at=now + 1, lives=300)),
        "commit of a user": Commit(change(user_id="eve", timeout=900.0, lives=900)),
        "commit of a new secret": Commit(change(new_secret=NEW_SECRET, set={"r": b"1"}, lives=120)),
        "commit with an expectation": Commit(
            change(set={"a": b"3"}, expected={"a": b"1"}, lives=130)
        ),
        "touch": Touch(SECRET, now + 200, now),
        "delete": Delete(),
        "delete for a user": Delete("ada"),
        "purge": Purge(),
    }


def allowed(first: Call, second: Call, state: State, now: float) -> list[Found]:
    """Return, for each order of the two calls, both answers and the final state."""
    answer, between = first.as_expected(state, now)
    later, end = second.as_expected(between, now)
    other_answer, between = second.as_expected(state, now)
    other_later, other_end = first.as_expected(between, now)
    return [(answer, later, seen(end, now)), (other_later, other_answer, seen(other_end, now))]


def expect_one_of(found: Found, wanted: list[Found], what: str) -> None:
    """Raise AssertionError unless the answers and the state in `found` are also in `wanted`.

    `wanted` has the answers and the state for each order of the two calls.
    """
    *answers, state = found
    if not any([*answers, exactly(state)] == [*w[:2], exactly(w[2])] for w in wanted):
        raise AssertionError(
            f"{what} (the answer of the first, of the second, and load after both):"
            f" expected {' or '.join(map(shown, wanted))}, found {shown(found)}"
        )


def every_pair(clock: ManualClock) -> dict[str, list[Pair]]:
    """Return the pairs of calls to test, for each kind of record.

    If there is no live record, each pair has a `create`, because a pair without a `create` changes
    nothing.
    """
    names = list(calls(clock))
    pairs = list(itertools.product(names, names))
    with_create = [pair for pair in pairs if any("create" in name for name in pair)]
    return {
        "live": pairs,
        "missing": with_create,
        "ended": with_create,
        "expired": with_create,
    }


async def prepare(store: StoreUnderTest, key: str, begin: str, clock: ManualClock) -> State:
    """Prepare the record under the key, and return the state before the two calls."""
    values = {"a": b"1", "b": b"1"}
    record = a_record(clock, values, user_id="ada")
    if begin == "expired":
        record = a_record(clock, values, user_id="ada", expires_at=clock() - _EXPIRED_AGO)
    if begin != "missing":
        await store.create(key, record)
    if begin == "ended":
        await store.delete(key)
        return Ended(clock())
    return None if begin == "missing" else record


async def interrupt(
    store: StoreUnderTest, clock: ManualClock, meeting: tuple[str, Pair, int], made: dict[str, Call]
) -> int:
    """Make the second call of a pair while the first pauses, and check both answers.

    `meeting` has the state of the record before both calls (such as "expired"), the names of the
    calls, and the point at which the first call pauses. `made` has the calls by their names. Return
    the number of points at which the first call can pause.
    """
    begin, pair, at = meeting
    key = hash_of(f"{pair} at {at}")
    first, second = (made[name] for name in pair)
    state = await prepare(store, key, begin, clock)

    answer, other, points = await store.interrupt(
        partial(first.on, store, key), partial(second.on, store, key), at
    )

    what = f"{pair[0]}, and {pair[1]} at the same time, on a record that is {begin}"
    found = (answer, other, await store.load(key))
    orders = allowed(first, second, state, clock())
    expect_one_of(found, orders[:1] if at == NEVER else orders, what)
    return points


def some_of(points: int, number: int, at_most: int) -> list[int]:
    """Return at most `at_most` of the points at which one call is paused for another call.

    `points` is how many points there are. `number` is the index of the pair of calls, so that
    different pairs get different points.
    """
    step = max(-(-points // at_most), 1)
    return list(range(number % step, points, step))
