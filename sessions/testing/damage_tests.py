"""Tests of damaged records: `load` raises an error, and all other methods find no record."""

from typing import Any

from sessions.errors import UnreadableValue
from sessions.record import Outcome, Record
from sessions.testing.assertions import expect, shown
from sessions.testing.clock import ManualClock
from sessions.testing.records import NEW_SECRET, OTHER_SECRET, SECRET, a_record, some_changes
from sessions.testing.suite import Suite, contract_test
from sessions.testing.under_test import StoreUnderTest


class DamageTests(Suite):
    """Test a record with a field that is missing or has a wrong type."""

    @contract_test
    async def test_a_damaged_record_cannot_be_loaded(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`load` raises UnreadableValue, so that the damage is logged."""
        await self._damaged(store, clock)

        await _expect_unreadable(store)

    @contract_test
    async def test_a_damaged_record_is_neither_changed_nor_used(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`commit`, `touch` and `delete(user_id=...)` find no record, and change nothing."""
        await self._damaged(store, clock)
        commits: dict[str, dict[str, Any]] = {
            "values": {"set": {"b": b"2"}},
            "an expected value": {"set": {"a": b"2"}, "expected": {"a": b"1"}},
            "a new secret": {"new_secret": NEW_SECRET},
            "another user": {"clear": True, "user_id": "eve"},
        }

        for what, change in commits.items():
            outcome = await store.commit("key", some_changes(clock, **change))
            expect(outcome, Outcome.GONE, f"commit of {what} on a damaged record")
        is_touched = await store.touch("key", SECRET, clock() + 500, clock() + 1)
        expect(is_touched, False, "touch of a damaged record")
        is_ended = await store.delete("key", user_id="ada")
        expect(is_ended, False, "delete of a damaged record with its user")
        await _expect_unreadable(store)

    @contract_test
    async def test_a_damaged_record_is_replaced(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`create` stores a new record under the key, and the new record inherits nothing."""
        await self._damaged(store, clock)
        record = a_record(clock, {"b": b"2"}, secret=OTHER_SECRET)

        expect(await store.create("key", record), True, "create with the key of a damaged record")
        expect(await store.load("key"), record, "load of the record that took its place")

    @contract_test
    async def test_a_damaged_record_is_deleted(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`delete` returns False and removes the damaged record."""
        await self._damaged(store, clock)

        expect(await store.delete("key"), False, "delete of a damaged record")
        try:
            found: object = await store.load("key")
        except UnreadableValue as error:
            found = error
        expect(found, None, "load after this delete")
        record = a_record(clock)
        expect(await store.create("key", record), True, "create after this delete")
        expect(await store.load("key"), record, "load of the new record")

    async def _damaged(self, store: StoreUnderTest, clock: ManualClock) -> None:
        await store.create("key", a_record(clock, {"a": b"1"}, user_id="ada"))
        await self.damage_under_test(store, "key")


async def _expect_unreadable(store: StoreUnderTest) -> None:
    what = "load of a damaged record: expected UnreadableValue"
    try:
        found: Record | object = await store.load("key")
    except UnreadableValue:
        return
    raise AssertionError(f"{what}, found {shown(found)}")
