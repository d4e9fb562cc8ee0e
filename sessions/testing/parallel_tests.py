"""Tests of many calls at the same time."""

from functools import partial

from sessions.record import Ended, Outcome
from sessions.testing.assertions import expect, record_in, values_in
from sessions.testing.clock import ManualClock
from sessions.testing.records import SECRET, a_record, some_changes
from sessions.testing.suite import Suite, contract_test
from sessions.testing.under_test import StoreUnderTest, Work

_ROUNDS = 5
_CALLS = 8


class ParallelTests(Suite):
    """Test calls that many threads, or many tasks, make at the same time."""

    @contract_test
    async def test_of_many_parallel_creates_one_wins(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The store keeps the record of the create that returned True."""
        for turn in range(_ROUNDS):
            key = f"key{turn}"
            records = [a_record(clock, {"n": b"%d" % n}, secret=f"of {n}") for n in range(_CALLS)]

            made = await store.in_parallel([partial(store.create, key, r) for r in records])

            expect(made.count(True), 1, "parallel creates of one key that returned True")
            kept = records[made.index(True)]
            expect(await store.load(key), kept, "load after parallel creates")

    @contract_test
    async def test_parallel_commits_of_different_names_all_survive(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Every value of every commit is stored."""
        await store.create("key", a_record(clock))

        async def commit_some(number: int) -> None:
            for turn in range(_ROUNDS):
                await store.commit("key", some_changes(clock, set={f"{number}.{turn}": b"1"}))

        await store.in_parallel([partial(commit_some, number) for number in range(_CALLS)])

        wanted = {f"{number}.{turn}" for number in range(_CALLS) for turn in range(_ROUNDS)}
        expect(set(await values_in(store, "key")), wanted, "the names after parallel commits")

    @contract_test
    async def test_of_parallel_commits_with_one_expectation_one_is_applied(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A commit checks the expected value and changes the record in one atomic step."""
        for turn in range(_ROUNDS):
            key = f"key{turn}"
            await store.create(key, a_record(clock, {"a": b"0"}))
            claims = [
                some_changes(clock, set={"a": b"by %d" % n}, expected={"a": b"0"})
                for n in range(_CALLS)
            ]

            outcomes = await store.in_parallel([partial(store.commit, key, c) for c in claims])

            expect(outcomes.count(Outcome.APPLIED), 1, "parallel claims that were APPLIED")
            expect(outcomes.count(Outcome.CONFLICT), _CALLS - 1, "claims with CONFLICT")
            winner = outcomes.index(Outcome.APPLIED)
            wanted = {"a": b"by %d" % winner}
            expect(await values_in(store, key), wanted, "the values after parallel claims")

    @contract_test
    async def test_of_parallel_renewals_one_is_applied(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The record has the secret and the values of the one renewal that was applied."""
        for turn in range(_ROUNDS):
            key = f"key{turn}"
            await store.create(key, a_record(clock))
            renewals = [
                some_changes(clock, set={f"by {n}": b"1"}, new_secret=f"new {n}")
                for n in range(_CALLS)
            ]

            outcomes = await store.in_parallel([partial(store.commit, key, r) for r in renewals])

            expect(outcomes.count(Outcome.APPLIED), 1, "parallel renewals that were APPLIED")
            expect(outcomes.count(Outcome.SUPERSEDED), _CALLS - 1, "renewals that were SUPERSEDED")
            record, winner = await record_in(store, key), outcomes.index(Outcome.APPLIED)
            expect(record.secret, f"new {winner}", "the secret after parallel renewals")
            expect(list(record.values), [f"by {winner}"], "the names after parallel renewals")

    @contract_test
    async def test_of_parallel_deletes_one_ends_the_record(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The other deletes find no live record, and return False."""
        for turn in range(_ROUNDS):
            key = f"key{turn}"
            await store.create(key, a_record(clock))

            ended = await store.in_parallel([partial(store.delete, key)] * _CALLS)

            expect(ended.count(True), 1, "parallel deletes that returned True")

    @contract_test
    async def test_a_delete_beside_commits_and_touches_is_never_undone(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Calls after the delete find no record, and create none."""
        now = clock()
        for turn in range(_ROUNDS):
            key = f"key{turn}"
            await store.create(key, a_record(clock, {"a": b"1"}))
            changes = some_changes(clock, set={"b": b"1"})
            works: list[Work[object]] = [
                partial(store.commit, key, changes),
                partial(store.touch, key, SECRET, now + 200, now + 1),
                partial(store.delete, key),
                partial(store.commit, key, changes),
                partial(store.touch, key, SECRET, now + 300, now + 2),
                partial(store.purge, 10),
            ]

            await store.in_parallel(works)

            expect(
                await store.load(key),
                Ended(now),
                "load after a delete that ran together with other calls",
            )
