"""Tests of `commit`: what it changes, and when it changes nothing."""

from typing import Any

from sessions.record import Ended, Outcome
from sessions.testing.assertions import expect, record_in, values_in
from sessions.testing.clock import ManualClock
from sessions.testing.records import NEW_SECRET, OTHER_SECRET, a_record, some_changes
from sessions.testing.suite import Suite, contract_test
from sessions.testing.under_test import StoreUnderTest


class CommitTests(Suite):
    """Test the answers of `commit`, and the record after it."""

    @contract_test
    async def test_commit_merges_with_what_is_there_now(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The values in the changes are set or removed, and all other values stay."""
        await store.create("key", a_record(clock, {"a": b"1", "b": b"2", "c": b"3"}))

        changes = some_changes(clock, set={"b": b"22", "d": b"4"}, removed=frozenset({"c", "x"}))

        expect(await store.commit("key", changes), Outcome.APPLIED, "commit on a live record")
        merged = {"a": b"1", "b": b"22", "d": b"4"}
        expect(await values_in(store, "key"), merged, "the values after the commit")

    @contract_test
    async def test_commits_of_two_requests_both_survive(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A commit changes the current record, not the record that was loaded earlier."""
        await store.create("key", a_record(clock, {"a": b"1", "b": b"1"}))

        await store.commit("key", some_changes(clock, set={"a": b"2"}, user_id="ada"))
        await store.commit("key", some_changes(clock, set={"b": b"2"}, timeout=9.0, lives=200))

        wanted = a_record(clock, {"a": b"2", "b": b"2"}, lives=200, user_id="ada", timeout=9.0)
        expect(await store.load("key"), wanted, "load after commits of two requests")

    @contract_test
    async def test_a_name_that_is_set_and_removed_is_removed(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A name in both `set` and `removed` is removed, even if the record did not have it."""
        await store.create("key", a_record(clock, {"a": b"1"}))
        changes = some_changes(clock, set={"a": b"2", "b": b"2"}, removed=frozenset({"a", "b"}))

        expect(
            await store.commit("key", changes),
            Outcome.APPLIED,
            "commit that sets and removes the same names",
        )
        expect(await values_in(store, "key"), {}, "the values after this commit")

    @contract_test
    async def test_a_commit_that_clears_drops_all_values_of_before(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Values that the caller has not loaded are dropped too; the commit's own values stay."""
        await store.create("key", a_record(clock, {"a": b"1", "b": b"1"}, user_id="ada"))
        changes = some_changes(clock, set={"c": b"2", "a": b"2"}, user_id="eve", clear=True)

        expect(await store.commit("key", changes), Outcome.APPLIED, "commit that clears")
        found = [*(await values_in(store, "key")).items()]
        expect(found, [("c", b"2"), ("a", b"2")], "the values after this commit, in order")

    @contract_test
    async def test_a_commit_without_values_changes_no_value(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Only the times change."""
        await store.create("key", a_record(clock, {"a": b"1"}, user_id="ada", timeout=5.0))

        await store.commit("key", some_changes(clock, lives=300))

        wanted = a_record(clock, {"a": b"1"}, lives=300, user_id="ada", timeout=5.0)
        expect(await store.load("key"), wanted, "load after a commit without values")

    @contract_test
    async def test_user_and_timeout_change_only_if_they_are_named(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """UNCHANGED keeps user or timeout, None removes it, and a value sets it."""
        await store.create("key", a_record(clock, {"a": b"1"}, timeout=5.0, user_id="ada"))
        steps: list[tuple[dict[str, Any], tuple[str | None, float | None]]] = [
            ({"set": {"a": b"2"}}, ("ada", 5.0)),
            ({"user_id": "eve"}, ("eve", 5.0)),
            ({"timeout": 9.5}, ("eve", 9.5)),
            ({"user_id": None}, (None, 9.5)),
            ({"timeout": None}, (None, None)),
            ({"set": {"a": b"3"}}, (None, None)),
            ({"user_id": "ada", "timeout": 5.0}, ("ada", 5.0)),
            ({"user_id": None, "timeout": None, "set": {"a": b"4"}}, (None, None)),
        ]

        for fields, wanted in steps:
            await store.commit("key", some_changes(clock, **fields))
            record = await record_in(store, "key")
            what = f"user_id and timeout after a commit of {fields}"
            expect((record.user_id, record.timeout), wanted, what)

    @contract_test
    async def test_created_at_begins_anew_if_it_is_named(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A commit with created_at sets this time; any other commit keeps the record's time."""
        now = clock()
        await store.create("key", a_record(clock, created_at=now - 5000.25))

        await store.commit("key", some_changes(clock, set={"a": b"1"}))
        found = (await record_in(store, "key")).created_at
        expect(found, now - 5000.25, "created_at after a commit that does not name it")
        await store.commit("key", some_changes(clock, created_at=now - 0.5))
        found = (await record_in(store, "key")).created_at
        expect(found, now - 0.5, "created_at after a commit that names it")

    @contract_test
    async def test_a_commit_keeps_the_version_of_the_record(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A store does not encode the values, so it never changes the version of their encoding."""
        await store.create("key", a_record(clock, version=41))

        await store.commit("key", some_changes(clock, set={"a": b"1"}, new_secret=NEW_SECRET))

        expect((await record_in(store, "key")).version, 41, "version after a commit")

    @contract_test
    async def test_commit_with_a_true_expectation_is_applied(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The record has the expected values; None stands for a name without a value."""
        await store.create("key", a_record(clock, {"a": b"1", "empty": b""}))
        expected = {"a": b"1", "b": None, "empty": b""}

        outcome = await store.commit("key", some_changes(clock, set={"a": b"2"}, expected=expected))

        expect(outcome, Outcome.APPLIED, "commit with a true expectation")
        wanted = {"a": b"2", "empty": b""}
        expect(await values_in(store, "key"), wanted, "the values after this commit")

    @contract_test
    async def test_commit_with_a_false_expectation_applies_nothing(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The answer is CONFLICT, and the record does not change."""
        record = a_record(clock, {"a": b"1", "empty": b""})
        await store.create("key", record)
        everything = {"set": {"a": b"2", "n": b"new"}, "removed": frozenset({"empty"})}

        for expected in (
            *({"a": b"other"}, {"a": None}, {"a": b""}, {"b": b""}, {"empty": None}),
            *({"a": b"1", "b": b"1"}, {"b": None, "a": b"2"}, {"A": b"1"}),
        ):
            changes = some_changes(
                clock, lives=500, **everything, expected=expected, user_id="eve", timeout=1.0,
                new_secret=NEW_SECRET, created_at=clock() - 1,
            )  # fmt: skip
            what = f"commit that expects {expected}"
            expect(await store.commit("key", changes), Outcome.CONFLICT, what)
            expect(await store.load("key"), record, f"load after a {what} is CONFLICT")

    @contract_test
    async def test_an_expectation_is_of_now(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`expected` is compared with the present values, after the changes of other requests."""
        await store.create("key", a_record(clock, {"a": b"1", "b": b"1"}))
        await store.commit("key", some_changes(clock, set={"a": b"2"}, removed=frozenset("b")))

        steps = [
            ({"a": b"1"}, Outcome.CONFLICT),
            ({"b": b"1"}, Outcome.CONFLICT),
            ({"a": b"2", "b": None}, Outcome.APPLIED),
        ]
        for expected, wanted in steps:
            found = await store.commit("key", some_changes(clock, expected=expected))
            expect(found, wanted, f"commit that expects {expected}")

    @contract_test
    async def test_a_commit_for_another_secret_applies_nothing(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The answer is SUPERSEDED for every kind of change."""
        record = a_record(clock, {"a": b"1"})
        await store.create("key", record)

        for fields in (
            {"set": {"a": b"2"}},
            {"user_id": "eve"},
            {"user_id": None},
            {"timeout": 1.0},
            {"new_secret": NEW_SECRET},
            {"removed": frozenset("a")},
            {},
        ):
            changes = some_changes(clock, lives=500, secret=OTHER_SECRET, **fields)
            what = f"commit of {fields} for another secret"
            expect(await store.commit("key", changes), Outcome.SUPERSEDED, what)
            expect(await store.load("key"), record, f"load after a {what}")

    @contract_test
    async def test_the_first_reason_is_told(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The store checks for GONE first, then for SUPERSEDED, then for CONFLICT."""
        changes = some_changes(clock, secret=OTHER_SECRET, expected={"a": b"2"})
        absent = some_changes(clock, expected={"a": None})

        expect(await store.commit("key", changes), Outcome.GONE, "commit on a missing record")
        expect(await store.commit("key", absent), Outcome.GONE, "commit that expects absence")
        await store.create("key", a_record(clock, {"a": b"1"}))
        what = "commit for another secret, with a false expectation"
        expect(await store.commit("key", changes), Outcome.SUPERSEDED, what)
        await store.delete("key")
        expect(await store.commit("key", changes), Outcome.GONE, "commit on an ended record")
        expect(await store.commit("key", absent), Outcome.GONE, "commit that expects absence")
        expect(await store.load("key"), Ended(clock()), "load of the ended record")
