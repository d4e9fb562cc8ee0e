"""Every pair of calls on one record at the same time.

Their answers, and the record that they leave behind, must be those of one order of the two calls.
"""

import itertools
from functools import partial

from sessions.record import Ended
from sessions.testing.assertions import exactly, shown
from sessions.testing.calls import Call, Commit, Create, Delete, Purge, State, Touch, seen
from sessions.testing.clock import ManualClock
from sessions.testing.records import NEW_SECRET, OTHER_SECRET, SECRET, a_record, some_changes
from sessions.testing.suite import Suite, law
from sessions.testing.under_test import StoreUnderTest

NEVER = -1
"""Stand for no point: the other call is made after the first one."""

_EXPIRED_AGO = 1000.0

Pair = tuple[str, str]
Found = tuple[object, object, State]


class RaceLaws(Suite):
    """Hold a store to calls that are atomic against each other.

    One call pauses at a point of its way, and the other one is made in the meantime.
    """

    @law
    async def test_two_calls_at_once_on_a_live_record(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Their answers, and what they leave behind, are those of some order of the two."""
        await self._race(store, clock, "live")

    @law
    async def test_two_calls_at_once_where_no_record_is(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """One of them creates the record."""
        await self._race(store, clock, "missing")

    @law
    async def test_two_calls_at_once_on_an_ended_record(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """One of them creates the record that follows."""
        await self._race(store, clock, "ended")

    @law
    async def test_two_calls_at_once_on_an_expired_record(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """One of them creates the record that follows, which no purge removes."""
        await self._race(store, clock, "expired")

    async def _race(self, store: StoreUnderTest, clock: ManualClock, begin: str) -> None:
        for number, pair in enumerate(every_pair(clock)[begin]):
            points = await _interrupt(store, clock, begin, pair, at=NEVER)
            for at in some_of(points, number, self.points_at_most):
                await _interrupt(store, clock, begin, pair, at=at)


def calls(clock: ManualClock) -> dict[str, Call]:
    """Return the calls that meet each other, by their names."""
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
    """Return the two answers, and what is left behind, in either order."""
    answer, between = first.by_the_laws(state, now)
    later, end = second.by_the_laws(between, now)
    other_answer, between = second.by_the_laws(state, now)
    other_later, other_end = first.by_the_laws(between, now)
    return [(answer, later, seen(end, now)), (other_later, other_answer, seen(other_end, now))]


def expect_one_of(found: Found, wanted: list[Found], what: str) -> None:
    """Raise AssertionError unless some order of the two calls explains what was found."""
    *answers, state = found
    if not any([*answers, exactly(state)] == [*w[:2], exactly(w[2])] for w in wanted):
        raise AssertionError(
            f"{what} (the answer of the first, of the second, and load after both):"
            f" expected {' or '.join(map(shown, wanted))}, found {shown(found)}"
        )


def every_pair(clock: ManualClock) -> dict[str, list[Pair]]:
    """Return the pairs of calls that meet, by the kind of record on which they meet.

    Where there is no live record, one of the two calls creates it: other pairs do nothing there.
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
    """Prepare what is under the key before the two calls, and return it."""
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


async def _interrupt(
    store: StoreUnderTest, clock: ManualClock, begin: str, pair: Pair, *, at: int
) -> int:
    key = f"{pair} at {at}"
    first, second = (calls(clock)[name] for name in pair)
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
    """Return the points of one call at which the other is tried; other pairs try other points."""
    step = max(-(-points // at_most), 1)
    return list(range(number % step, points, step))
