"""Tests of an optional feature: the store returns each expired record exactly once."""

from functools import partial
from typing import Any, cast
from unittest import SkipTest

from sessions.core.ids import hash_of
from sessions.record import Ended, Grace, Record
from sessions.stores.base import PURGE_BATCH, PURGE_DELAY
from sessions.stores.expired import AsyncKeepsExpired, KeepsExpired
from sessions.stores.expiring import AsyncExpiring, Expiring
from sessions.testing.assertions import exactly, expect, expect_unavailable
from sessions.testing.calls import Call, PurgeExpired, TakeExpired
from sessions.testing.clock import MICROSECOND, ManualClock
from sessions.testing.process_tests import POINTS_AT_MOST, Meeting, ProcessTests, race
from sessions.testing.race_tests import NEVER, Pair, calls, interrupt, some_of
from sessions.testing.records import SECRET, a_record
from sessions.testing.suite import Suite, clock_test, contract_test
from sessions.testing.under_test import StoreUnderTest, Work

_AGO = 1000.0
"""How many seconds ago the records of these tests expired: long enough for a purge."""
_KEY, _TAKEN, _PURGED = map(hash_of, ("key", "taken", "purged"))
_CALLS = 8
_MANY = 30
_ROUNDS = 5


class ExpiringTests(Suite):
    """Test a store that gives out its expired records: see `sessions.stores.expiring`.

    The tests are skipped for a store without this feature.
    """

    @contract_test
    async def test_no_live_record_is_given_out(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`take_expired` and `purge_expired` give out nothing if no record has expired."""
        expiring = collecting(store)
        record = a_record(clock, {"a": b"1"})
        await store.create(_KEY, record)

        for key in (_KEY, hash_of("unknown")):
            expect(
                await expiring.take_expired(key),
                None,
                "take_expired of a live and of an unknown key",
            )
        expect(await expiring.purge_expired(10), [], "purge_expired where nothing has expired")
        expect(await store.load(_KEY), record, "load after take and purge")

    @contract_test
    async def test_an_expired_record_is_given_out_whole(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`take_expired` and `purge_expired` return every field, and then the record is gone."""
        expiring = collecting(store)
        records = {key: _an_old_record(clock, key) for key in (_TAKEN, _PURGED)}
        for key, record in records.items():
            await store.create(key, record)

        expect(await expiring.take_expired(_TAKEN), records[_TAKEN], "take_expired")
        ((key, found),) = await expiring.purge_expired(10)
        expect(key, _PURGED, "the key that purge_expired returned")
        expect(found, records[_PURGED], "the record that purge_expired returned")
        for key in records:
            expect(await expiring.take_expired(key), None, f"take_expired again ({key})")
        expect(await expiring.purge_expired(10), [], "purge_expired again")

    @clock_test
    async def test_a_record_is_given_out_from_its_expiry_on(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`take_expired` works at once, and a purge waits PURGE_DELAY seconds."""
        expiring = collecting(store)
        for key in (_TAKEN, _PURGED):
            await store.create(key, a_record(clock, lives=100))
        clock.advance(100 - MICROSECOND)
        expect(await expiring.take_expired(_TAKEN), None, "take_expired before the expiry")
        clock.advance(MICROSECOND)

        taken = await expiring.take_expired(_TAKEN)
        expect(isinstance(taken, Record), True, "whether take_expired at the expiry has a record")
        clock.advance(PURGE_DELAY - 1)
        expect(await expiring.purge_expired(10), [], "purge_expired before PURGE_DELAY is over")
        clock.advance(2)
        keys = [key for key, _ in await expiring.purge_expired(10)]
        expect(keys, [_PURGED], "the keys that purge_expired returned after PURGE_DELAY")

    @contract_test
    async def test_a_record_is_not_given_out_by_an_early_purge(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A purge leaves a record that has just expired, but `take_expired` gives it out."""
        expiring = collecting(store)
        record = a_record(clock, {"a": b"1"}, expires_at=clock() - PURGE_DELAY / 2)
        await store.create(_KEY, record)

        expect(await expiring.purge_expired(10), [], "purge_expired before PURGE_DELAY is over")
        expect(await expiring.take_expired(_KEY), record, "take_expired after this purge")

    @clock_test
    async def test_a_record_that_was_extended_is_not_given_out(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A touch has set a later expiry, so the record is live."""
        expiring = collecting(store)
        await store.create(_KEY, a_record(clock, lives=100))
        await store.touch(_KEY, SECRET, clock() + 2000, clock())
        clock.advance(1000)

        expect(await expiring.take_expired(_KEY), None, "take_expired of an extended record")
        expect(await expiring.purge_expired(10), [], "purge_expired of an extended record")

    @contract_test
    async def test_an_ended_record_is_not_given_out(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """No call gives out a deleted record, and `load` still returns the time of its end."""
        expiring = collecting(store)
        await store.create(_KEY, a_record(clock, {"a": b"1"}))
        await store.delete(_KEY)

        expect(await expiring.take_expired(_KEY), None, "take_expired of an ended record")
        expect(await expiring.purge_expired(10), [], "purge_expired of an ended record")
        expect(await store.load(_KEY), Ended(clock()), "load after take and purge")

    @contract_test
    async def test_no_other_call_removes_what_is_to_be_given_out(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`delete` finds no live record and removes nothing, and `create` does not purge."""
        expiring = collecting(store)
        record = _an_old_record(clock, "text")
        await store.create(_KEY, record)

        expect(await store.delete(_KEY), False, "delete of an expired record")
        for number in range(300):
            await store.create(hash_of(f"{number}"), a_record(clock))
        expect(
            await store.delete(_KEY, user_id="ada"),
            False,
            "delete of an expired record with its user",
        )
        expect(await expiring.take_expired(_KEY), record, "take_expired after these calls")

    @contract_test
    async def test_a_record_that_was_replaced_is_not_given_out(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`create` has replaced the expired record, and the new record is live."""
        expiring = collecting(store)
        await store.create(_KEY, _an_old_record(clock, "text"))
        record = a_record(clock, {"new": b"1"})
        await store.create(_KEY, record)

        expect(await expiring.take_expired(_KEY), None, "take_expired of a replaced record")
        expect(await expiring.purge_expired(10), [], "purge_expired of a replaced record")
        expect(await store.load(_KEY), record, "load of the new record")

    @contract_test
    async def test_more_than_one_batch_is_given_out(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A purge gives out at most `limit` records and their keys; the next gives out the rest."""
        expiring = collecting(store)
        records = await _fill(store, clock, PURGE_BATCH + 5)

        first = await expiring.purge_expired(PURGE_BATCH + 2)
        rest = await expiring.purge_expired(PURGE_BATCH + 2)

        expect(
            [len(first), len(rest)],
            [PURGE_BATCH + 2, 3],
            "how many records each of two purges returned",
        )
        found = {key: exactly(record) for key, record in (*first, *rest)}
        expect(found, {key: exactly(one) for key, one in records.items()}, "both purges")

    @contract_test
    async def test_each_record_is_given_out_to_one_of_many_calls(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """If many calls run at the same time, they give out each record only once."""
        expiring = collecting(store)
        for _ in range(_ROUNDS):
            records = await _fill(store, clock, _MANY)
            takes = [partial(_taken, expiring, key) for key in list(records)[:_CALLS]]
            purges = [partial(expiring.purge_expired, _MANY // 2)] * (_CALLS // 2)
            works = cast("list[Work[list[tuple[str, Record]]]]", [*takes, *purges, *takes])

            given = [pair for some in await store.in_parallel(works) for pair in some]
            given += await expiring.purge_expired(_MANY)

            keys = sorted(key for key, _ in given)
            expect(keys, sorted(records), "the keys that all calls together returned")

    @contract_test
    async def test_two_calls_at_once_on_a_record_that_is_given_out(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The answers, and the record after them, are as if one call followed the other."""
        collecting(store)
        made = _calls(clock)
        for number, pair in enumerate(_pairs(made)):
            points = await interrupt(store, clock, ("expired", pair, NEVER), made)
            for at in some_of(points, number, self.points_at_most):
                await interrupt(store, clock, ("expired", pair, at), made)

    @clock_test
    async def test_a_damaged_record_is_not_given_out(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The damaged record causes no error, and the other records are given out."""
        expiring = collecting(store)
        await store.create(_KEY, a_record(clock, lives=100))
        await self.damage_under_test(store, _KEY)
        await store.create(hash_of("sound"), a_record(clock, lives=100))
        clock.advance(_AGO)

        expect(await expiring.take_expired(_KEY), None, "take_expired of a damaged record")
        keys = [key for key, _ in await expiring.purge_expired(10)]
        expect(keys, [hash_of("sound")], "the keys that purge_expired returned")

    @contract_test
    async def test_nothing_is_given_out_by_a_broken_store(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A broken store raises StoreUnavailable; it must not look like an empty store."""
        expiring = collecting(store)
        await store.create(_KEY, _an_old_record(clock, "text"))
        await self.break_under_test(store)

        await expect_unavailable("take_expired", lambda: expiring.take_expired(_KEY))
        await expect_unavailable("purge_expired", lambda: expiring.purge_expired(10))

    @contract_test
    async def test_an_expired_record_is_known_until_it_is_given_out(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`has_expired` is false for live, ended and unknown records."""
        expiring = collecting(store)
        if not isinstance(cast(Any, store).inner, KeepsExpired | AsyncKeepsExpired):
            raise SkipTest("the store has no method has_expired")
        await store.create("live", a_record(clock))
        await store.create("ended", a_record(clock))
        await store.delete("ended")
        await store.create("over", _an_old_record(clock, "over"))

        for key, known in (("live", False), ("ended", False), ("none", False), ("over", True)):
            expect(await store.ask("has_expired", key), known, f"has_expired of {key!r}")
        await expiring.take_expired("over")
        expect(await store.ask("has_expired", "over"), False, "has_expired after take_expired")


class ExpiringProcessTests(ProcessTests):
    """Test that only one of two processes receives an expired record."""

    @contract_test
    async def test_a_record_is_given_out_to_one_of_two_processes(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The answers, and the record after them, are as if one call followed the other."""
        collecting(store)
        made = _calls(clock)
        with self.another_process(store, _collecting) as connection:
            for number, pair in enumerate(_pairs(made)):
                meet = partial(race, store, clock, connection)
                points = await meet(Meeting("expired", pair, NEVER), made)
                for at in some_of(points, number, min(self.points_at_most, POINTS_AT_MOST)):
                    await meet(Meeting("expired", pair, at), made)


_GIVES = (TakeExpired, PurgeExpired)


def collecting(store: StoreUnderTest) -> AsyncExpiring:
    """Return the store, ready to give out expired records; raise SkipTest if it never does so."""
    inner = cast(Any, store).inner
    if not isinstance(inner, Expiring | AsyncExpiring):
        raise SkipTest("the store does not give out its expired records")
    _collecting(inner)
    return cast(AsyncExpiring, store)


def _collecting(store: Any) -> Any:
    store.collects_expired = True
    return store


async def _taken(expiring: AsyncExpiring, key: str) -> list[tuple[str, Record]]:
    record = await expiring.take_expired(key)
    return [] if record is None else [(key, record)]


async def _fill(store: StoreUnderTest, clock: ManualClock, number: int) -> dict[str, Record]:
    """Store many records that have expired, and return them."""
    records = {hash_of(f"key {n}"): _an_old_record(clock, f"{n}") for n in range(number)}
    made = await store.in_parallel([partial(_create_all, store, records)])
    expect(made, [number], "the number of creates that returned True")
    return records


async def _create_all(store: StoreUnderTest, records: dict[str, Record]) -> int:
    return sum([await store.create(key, record) for key, record in records.items()])


def _an_old_record(clock: ManualClock, text: str) -> Record:
    """Return a record that expired long ago, with a value for each field."""
    then = clock() - 2 * _AGO
    return a_record(
        clock,
        {"b": text.encode(), "a": b"\x00\xff", "": b""},
        secret_since=then + 1,
        created_at=then,
        accessed_at=then + 2,
        updated_at=then + 3,
        expires_at=then + _AGO,
        grace=Grace("an earlier secret", then + 30),
        timeout=_AGO,
        user_id="ada",
    )


def _calls(clock: ManualClock) -> dict[str, Call]:
    """Return the calls to make at the same time, by name."""
    usual = calls(clock)
    names = ("create", "another create", "delete", "commit of values")
    gives: dict[str, Call] = {"take_expired": TakeExpired(), "purge_expired": PurgeExpired()}
    return {**gives, **{name: usual[name] for name in names}}


def _pairs(made: dict[str, Call]) -> list[Pair]:
    """Return the pairs in which at least one call is `take_expired` or `purge_expired`."""
    return [
        (first, second)
        for first in made
        for second in made
        if isinstance(made[first], _GIVES) or isinstance(made[second], _GIVES)
    ]
