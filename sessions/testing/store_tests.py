"""Tests of `load`, `create` and `delete`, and of a broken store."""

from sessions.record import Ended, Grace, Outcome
from sessions.stores.base import REMEMBERED_FOR
from sessions.testing.assertions import expect, expect_unavailable
from sessions.testing.clock import MICROSECOND, START, ManualClock
from sessions.testing.records import NEW_SECRET, OTHER_SECRET, SECRET, a_record, some_changes
from sessions.testing.suite import Suite, clock_test, contract_test
from sessions.testing.under_test import StoreUnderTest


class StoreTests(Suite):
    """Test single calls, with no other call at the same time."""

    @contract_test
    async def test_load_of_a_missing_key_is_none(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`load` returns None for a missing key, and raises no error."""
        expect(await store.load("missing"), None, "load of a missing key")

    @contract_test
    async def test_a_missing_record_is_never_made_by_another_method(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Only `create` makes a record."""
        now = clock()
        changes = some_changes(clock, set={"a": b"1"})
        renewal = some_changes(clock, new_secret=NEW_SECRET)

        expect(await store.commit("key", changes), Outcome.GONE, "commit on a missing record")
        expect(await store.commit("key", renewal), Outcome.GONE, "renewal of a missing record")
        found = await store.touch("key", SECRET, now + 100, now)
        expect(found, False, "touch of a missing record")
        expect(await store.delete("key"), False, "delete of a missing record")
        expect(await store.delete("key", user_id="ada"), False, "delete of a missing user's record")
        expect(await store.load("key"), None, "load after these calls")

    @contract_test
    async def test_a_record_comes_back_as_it_was_kept(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Every field is kept, and times keep their fractions of seconds."""
        now = clock()
        record = a_record(
            clock,
            {"b": b"1", "a": b""},
            secret_since=now - 1000.1,
            created_at=now - 2000.000_3,
            accessed_at=now - 0.1 - MICROSECOND,
            updated_at=now - 1 / 3,
            expires_at=now + 100 + 2 / 7,
            grace=Grace(OTHER_SECRET, now + 10.7),
            timeout=77.123_456_789,
            user_id="ada",
            version=1,
        )

        expect(await store.create("key", record), True, "create of a free key")
        expect(await store.load("key"), record, "load after create")

    @contract_test
    async def test_what_a_record_does_not_have_comes_back_as_none(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A record can be without values, grace, timeout and user."""
        record = a_record(clock, version=7)
        await store.create("key", record)

        expect(await store.load("key"), record, "load of a record with few fields")

    @contract_test
    async def test_create_changes_nothing_where_a_live_record_is(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`create` with another secret, even an earlier secret of the record, returns False."""
        now = clock()
        first = a_record(clock, {"a": b"1"}, grace=Grace(OTHER_SECRET, now + 50), user_id="ada")
        await store.create("key", first)

        for secret in (NEW_SECRET, OTHER_SECRET):
            second = a_record(clock, {"b": b"2"}, lives=200, secret=secret)
            expect(await store.create("key", second), False, "create of a taken key")
            expect(await store.load("key"), first, "load after a refused create")

    @contract_test
    async def test_create_whose_reply_was_lost_is_true(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """If the stored record has the same secret, `create` returns True and changes nothing."""
        await store.create("key", a_record(clock, {"a": b"1"}))
        await store.commit("key", some_changes(clock, set={"a": b"2"}))

        again = await store.create("key", a_record(clock, {"a": b"1"}, lives=500))
        expect(again, True, "create with the secret of the record that is there")
        wanted = a_record(clock, {"a": b"2"})
        expect(await store.load("key"), wanted, "load after a repeated create")

    @contract_test
    async def test_two_keys_are_two_records(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A change of one record never changes another, even if their keys differ only in case."""
        other = a_record(clock, {"a": b"other"}, user_id="ada")
        await store.create("key", a_record(clock, {"a": b"1"}, user_id="ada"))
        expect(await store.create("KEY", other), True, "create of a key in capitals")

        await store.commit("key", some_changes(clock, set={"a": b"2"}, new_secret=NEW_SECRET))
        await store.touch("key", NEW_SECRET, clock() + 500, clock() + 5)
        expect(await store.load("KEY"), other, "load of the other record after changes")
        await store.delete("key", user_id="ada")
        expect(await store.load("KEY"), other, "load of the other record after a delete")

    @contract_test
    async def test_delete_ends_a_record(self, store: StoreUnderTest, clock: ManualClock) -> None:
        """`delete` returns True once, then False; `load` returns the time of the end."""
        await store.create("key", a_record(clock, {"a": b"1"}, user_id="ada"))

        expect(await store.delete("key"), True, "delete of a live record")
        expect(await store.load("key"), Ended(clock()), "load after delete")
        expect(await store.delete("key"), False, "delete of an ended record")
        expect(await store.delete("key", user_id="ada"), False, "delete of an ended record")
        expect(await store.load("key"), Ended(clock()), "load after a second delete")

    @contract_test
    async def test_no_call_brings_an_ended_record_back(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Late commits and touches find no record."""
        now = clock()
        await store.create("key", a_record(clock, {"a": b"1"}))
        await store.delete("key")

        late = some_changes(clock, set={"a": b"2"})
        expect(await store.commit("key", late), Outcome.GONE, "commit on an ended record")
        late = some_changes(clock, new_secret=NEW_SECRET, user_id="ada")
        expect(await store.commit("key", late), Outcome.GONE, "renewal of an ended record")
        found = await store.touch("key", SECRET, now + 500, now + 1)
        expect(found, False, "touch of an ended record")
        expect(await store.load("key"), Ended(now), "load after late calls")

    @contract_test
    async def test_create_follows_an_ended_record(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A new record with the same key inherits nothing from the ended record."""
        await store.create("key", a_record(clock, {"old": b"1"}, user_id="ada", timeout=9.0))
        await store.delete("key")
        record = a_record(clock, {"new": b"1"}, secret=NEW_SECRET)

        expect(await store.create("key", record), True, "create after delete")
        expect(await store.load("key"), record, "load of the record that follows")

    @contract_test
    async def test_delete_asks_for_the_user(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """If `delete` gets a user, it ends only a record of this user."""
        record = a_record(clock, {"a": b"1"}, user_id="ada")
        await store.create("key", record)
        await store.create("anonymous", a_record(clock))

        for user_id in ("eve", "ADA", ""):
            what = f"delete of ada's record with user_id={user_id!r}"
            expect(await store.delete("key", user_id=user_id), False, what)
        expect(await store.load("key"), record, "load after delete for another user")
        what = "delete of a record without a user, with user_id='ada'"
        expect(await store.delete("anonymous", user_id="ada"), False, what)
        expect(await store.delete("key", user_id="ada"), True, "delete for the record's user")
        expect(await store.load("key"), Ended(clock()), "load after this delete")

    @contract_test
    async def test_delete_asks_for_the_user_of_now(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`delete` compares `user_id` with the record's present user, not with an earlier user."""
        await store.create("key", a_record(clock, user_id="ada"))
        await store.commit("key", some_changes(clock, user_id="eve"))

        expect(await store.delete("key", user_id="ada"), False, "delete for the earlier user")
        expect(await store.delete("key", user_id="eve"), True, "delete for the present user")

    @clock_test
    async def test_an_ended_record_is_remembered_for_a_short_time(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`load` returns `Ended` for REMEMBERED_FOR seconds after the first delete, then None."""
        await store.create("key", a_record(clock, {"a": b"1"}, lives=1000))
        await store.delete("key")

        clock.set(START + REMEMBERED_FOR / 2)
        expect(await store.delete("key"), False, "delete of an ended record")
        clock.set(START + REMEMBERED_FOR - MICROSECOND)
        expect(await store.load("key"), Ended(START), "load just before REMEMBERED_FOR is over")
        clock.set(START + REMEMBERED_FOR)
        expect(await store.load("key"), None, "load when REMEMBERED_FOR is over")

    @contract_test
    async def test_a_store_that_was_closed_opens_again(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`close` closes connections and keeps the records."""
        record = a_record(clock, {"a": b"1"})
        await store.create("key", record)

        await store.close()
        await store.close()

        expect(await store.load("key"), record, "load after close")

    @contract_test
    async def test_a_broken_store_raises_store_unavailable(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Every method raises StoreUnavailable, not a driver's error, and returns no value."""
        now, record = clock(), a_record(clock)
        await store.create("key", record)

        await self.break_under_test(store)

        await expect_unavailable("load", lambda: store.load("key"))
        await expect_unavailable("create", lambda: store.create("new", record))
        await expect_unavailable("commit", lambda: store.commit("key", some_changes(clock)))
        await expect_unavailable("touch", lambda: store.touch("key", SECRET, now + 200, now))
        await expect_unavailable("delete", lambda: store.delete("key"))
        if not self.server_expires:
            await expect_unavailable("purge", lambda: store.purge(10))
