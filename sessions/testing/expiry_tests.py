"""Tests of expiry and `purge`."""

from sessions.record import Ended, Outcome
from sessions.stores.base import PURGE_BATCH, PURGE_DELAY
from sessions.testing.assertions import expect, values_in
from sessions.testing.clock import MICROSECOND, START, ManualClock
from sessions.testing.records import NEW_SECRET, SECRET, a_record, some_changes
from sessions.testing.suite import Suite, clock_test, contract_test
from sessions.testing.under_test import StoreUnderTest

_HINT = "; does the store read the time from self.clock()?"


class ExpiryTests(Suite):
    """Test when records expire, and which records `purge` removes."""

    @clock_test
    async def test_a_record_is_absent_exactly_at_its_expiry(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """At `expires_at`, no method finds the record; a new record inherits nothing from it."""
        await store.create("key", a_record(clock, {"old": b"1"}, lives=100.25, user_id="ada"))
        changes = some_changes(clock, set={"a": b"1"}, lives=500)

        clock.set(START + 100.25)

        expect(await store.load("key"), None, f"load at the expiry{_HINT}")
        expect(await store.commit("key", changes), Outcome.GONE, "commit at the expiry")
        found = await store.touch("key", SECRET, START + 500, START + 100.25)
        expect(found, False, "touch at the expiry")
        expect(await store.delete("key", user_id="ada"), False, "delete for a user at the expiry")
        expect(await store.delete("key"), False, "delete at the expiry")
        expect(await store.load("key"), None, "load after a delete at the expiry")
        record = a_record(clock, secret=NEW_SECRET)
        expect(await store.create("key", record), True, "create at the expiry")
        expect(await store.load("key"), record, "load of the record that follows")

    @clock_test
    async def test_a_record_is_there_a_microsecond_before_its_expiry(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Every method still finds the record."""
        for key in ("key", "touched", "committed", "deleted"):
            await store.create(key, a_record(clock, {"a": b"1"}, lives=100.25))

        clock.set(START + 100.25 - MICROSECOND)

        values = await values_in(store, "key")
        expect(values, {"a": b"1"}, f"the values a microsecond before the expiry{_HINT}")
        found = await store.create("key", a_record(clock, secret=NEW_SECRET))
        expect(found, False, "create a microsecond before the expiry")
        found = await store.touch("touched", SECRET, START + 500, clock())
        expect(found, True, "touch a microsecond before the expiry")
        outcome = await store.commit("committed", some_changes(clock))
        expect(outcome, Outcome.APPLIED, "commit a microsecond before the expiry")
        expect(await store.delete("deleted"), True, "delete a microsecond before the expiry")

    @clock_test
    async def test_create_with_the_secret_of_an_expired_record_begins_anew(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The second `create` makes a new record, and does not count as a repeated call."""
        await store.create("key", a_record(clock, {"old": b"1"}))
        clock.advance(100)
        record = a_record(clock, {"new": b"1"})

        expect(await store.create("key", record), True, "create over an expired record")
        expect(await store.load("key"), record, "load after this create")

    @contract_test
    async def test_a_record_that_expires_in_the_past_is_absent(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A record is absent at once after a create, touch or commit with an expiry in the past."""
        now = clock()
        for key in ("touched", "committed"):
            await store.create(key, a_record(clock, {"old": b"1"}))
        await store.create("made", a_record(clock, {"old": b"1"}, expires_at=now - 5))
        await store.touch("touched", SECRET, now - 5, now)
        await store.commit("committed", some_changes(clock, expires_at=now - 5))

        for key in ("made", "touched", "committed"):
            expect(await store.load(key), None, f"load of a record that expired ({key})")
            late = await store.commit(key, some_changes(clock, set={"a": b"1"}))
            expect(late, Outcome.GONE, f"commit on a record that expired ({key})")
            found = await store.touch(key, SECRET, now + 500, now)
            expect(found, False, f"touch of a record that expired ({key})")
            record = a_record(clock, {"new": b"1"}, secret=NEW_SECRET)
            expect(await store.create(key, record), True, f"create over an expired record ({key})")
            expect(await store.load(key), record, f"load after create ({key})")

    @clock_test
    async def test_the_expiry_that_was_set_last_counts(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A commit or a touch can set an expiry that is later or earlier than before."""
        for key in ("touched longer", "touched shorter", "longer", "shorter"):
            await store.create(key, a_record(clock, lives=100))
        await store.touch("touched longer", SECRET, START + 200, START)
        await store.touch("touched shorter", SECRET, START + 50, START)
        await store.commit("longer", some_changes(clock, lives=200))
        await store.commit("shorter", some_changes(clock, lives=50))

        for now, key, alive in (
            (START + 50 - MICROSECOND, "touched shorter", True),
            (START + 50, "touched shorter", False),
            (START + 50, "shorter", False),
            (START + 200 - MICROSECOND, "touched longer", True),
            (START + 200 - MICROSECOND, "longer", True),
            (START + 200, "longer", False),
        ):
            clock.set(now)
            found = await store.load(key) is not None
            expect(found, alive, f"whether the {key} record is there {now - START} s later")

    @clock_test
    async def test_the_clock_of_a_store_can_be_set_later(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A container gives its clock to the store, and each call of the store uses this clock."""
        await store.create("key", a_record(clock, lives=100))
        later = ManualClock(START + 100)
        store.set_clock(later)

        expect(await store.load("key"), None, "load after set_clock with a later clock")
        later.set(START + 99)
        expect(await store.delete("key"), True, "delete after the clock was set back")
        expect(await store.load("key"), Ended(START + 99), "load after this delete")

    @clock_test
    async def test_purge_removes_what_expired_long_ago(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Each purge removes at most `limit` expired records, and live records stay."""
        for n in range(5):
            await store.create(f"old{n}", a_record(clock, {"a": b"1"}, lives=10 + n))
        await store.create("live", a_record(clock, {"a": b"1"}, lives=1000))
        await store.create("short", a_record(clock, {"a": b"1"}, lives=10))
        await store.touch("short", SECRET, START + 1000, START)
        clock.set(START + 14 + PURGE_DELAY + 1)

        found = [await store.purge(limit) for limit in (2, 2, 2, 2)]
        expect(found, [2, 2, 1, 0], "how many records each of four purges with limit=2 removed")
        for key in ("live", "short"):
            expect(await values_in(store, key), {"a": b"1"}, f"the {key} record after a purge")

    @clock_test
    async def test_purge_leaves_what_expired_just_now(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """An expired record stays for PURGE_DELAY seconds, because machines' clocks differ."""
        await store.create("key", a_record(clock, lives=100))

        for later in (0.0, PURGE_DELAY / 2, PURGE_DELAY - MICROSECOND):
            clock.set(START + 100 + later)
            expect(await store.purge(10), 0, f"purge {later} seconds after the expiry")
        clock.set(START + 100 + PURGE_DELAY + 1)
        expect(await store.purge(10), 1, "purge when PURGE_DELAY is over")
        expect(await store.purge(10), 0, "second purge")

    @clock_test
    async def test_purge_removes_more_than_one_batch(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`purge` removes up to `limit` records, even if they do not fit in one transaction."""
        count = PURGE_BATCH + 5
        for n in range(count):
            await store.create(f"old{n}", a_record(clock, lives=1))
        clock.advance(PURGE_DELAY + 10)

        expect(await store.purge(PURGE_BATCH + 2), PURGE_BATCH + 2, "purge of more than a batch")
        expect(await store.purge(PURGE_BATCH + 2), 3, "second purge")

    @clock_test
    async def test_nothing_is_left_of_a_record_that_was_purged(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A new record with the same key inherits nothing from the purged record."""
        await store.create("key", a_record(clock, {"old": b"1"}, user_id="ada"))
        clock.advance(100 + PURGE_DELAY + 1)
        await store.purge(10)
        record = a_record(clock, {"new": b"1"})

        expect(await store.load("key"), None, "load after a purge")
        expect(await store.create("key", record), True, "create after a purge")
        expect(await store.load("key"), record, "load of the record that follows")

    @contract_test
    async def test_purge_leaves_what_lives_and_what_has_just_ended(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A purge removes expired records only."""
        record = a_record(clock, {"a": b"1"})
        await store.create("live", record)
        await store.create("ended", a_record(clock))
        await store.delete("ended")

        expect(await store.purge(10), 0, "purge where nothing has expired")
        expect(await store.load("live"), record, "load of a live record after a purge")
        expect(await store.load("ended"), Ended(clock()), "load of an ended record after a purge")
