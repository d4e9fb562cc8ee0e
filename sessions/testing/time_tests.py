"""Tests of the times in a record."""

from typing import Any

from sessions.record import CLOCK_TOLERANCE, Outcome, Record
from sessions.testing.assertions import expect, record_in
from sessions.testing.clock import MICROSECOND, START, ManualClock
from sessions.testing.records import SECRET, a_record, some_changes
from sessions.testing.suite import Suite, clock_test, contract_test
from sessions.testing.under_test import StoreUnderTest

_SET_BY_A_CLOCK = ("created_at", "accessed_at", "updated_at")

Times = tuple[float, float, float, float]


class TimeTests(Suite):
    """Test the times of a record after commits and touches."""

    @contract_test
    async def test_touch_changes_times_only(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A touch sets `accessed_at` and `expires_at`; all other fields of the record stay."""
        now = clock()
        fields: dict[str, Any] = {"timeout": 5.0, "user_id": "ada", "updated_at": now - 3.5}
        await store.create("key", a_record(clock, {"b": b"1", "a": b"2"}, **fields))

        expect(await store.touch("key", SECRET, now + 200.25, now + 3.1), True, "touch")
        wanted = a_record(
            clock, {"b": b"1", "a": b"2"}, lives=200.25, accessed_at=now + 3.1, **fields
        )
        expect(await store.load("key"), wanted, "load after touch")

    @contract_test
    async def test_touch_is_for_the_present_secret(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """`touch` with another secret returns False and changes no time."""
        record = a_record(clock)
        await store.create("key", record)

        found = await store.touch("key", "another secret", clock() + 500, clock() + 1)

        expect(found, False, "touch for another secret")
        expect(await store.load("key"), record, "load after this touch")

    @contract_test
    async def test_a_commit_sets_the_times_that_it_names(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The record keeps each of these times with all fractions of a second."""
        now = clock()
        await store.create("key", a_record(clock, created_at=now - 9 + MICROSECOND))
        accessed, updated, expires = now + 1 / 3, now + 0.1 + MICROSECOND, now + 300 + 2 / 7
        changes = some_changes(clock, accessed_at=accessed, updated_at=updated, expires_at=expires)

        await store.commit("key", changes)

        wanted = (now - 9 + MICROSECOND, accessed, updated, expires)
        expect(await _times(store), wanted, "the times after a commit")

    @contract_test
    async def test_a_far_expiry_is_kept(self, store: StoreUnderTest, clock: ManualClock) -> None:
        """A record can live for centuries."""
        far = 253_402_300_799.5
        await store.create("key", a_record(clock, expires_at=far))

        expect((await record_in(store, "key")).expires_at, far, "expires_at after create")

    @contract_test
    async def test_an_expiry_is_set_later_and_sooner(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """If the record has no timeout, a commit or touch can make the expiry later or earlier."""
        now = clock()
        await store.create("key", a_record(clock, lives=100))

        for lives in (200.0, 50.0, 150.0, 149.5):
            await store.commit("key", some_changes(clock, lives=lives))
            found = (await record_in(store, "key")).expires_at
            expect(found, now + lives, f"expires_at after a commit of {lives} seconds from now")
        for lives in (200.0, 50.0, 150.0, 149.5):
            await store.touch("key", SECRET, now + lives, now)
            found = (await record_in(store, "key")).expires_at
            expect(found, now + lives, f"expires_at after a touch of {lives} seconds from now")

    @contract_test
    async def test_a_timeout_of_its_own_is_not_undone(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """If a record has its own timeout, an earlier expiry is ignored.

        The earlier expiry can come from a slow request that does not know the latest timeout.
        """
        now = clock()
        await store.create("key", a_record(clock, lives=100, timeout=100.0))

        await store.touch("key", SECRET, now + 50, now + 1)
        found = await _times(store)
        expect(
            found, (now, now + 1, now, now + 100), "the times after a touch with an earlier expiry"
        )
        await store.commit("key", some_changes(clock, accessed_at=now + 2, lives=60))
        found = await _times(store)
        expect(
            found, (now, now + 2, now, now + 100), "the times after a commit with an earlier expiry"
        )

    @contract_test
    async def test_a_timeout_of_its_own_is_extended(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A commit or a touch with a later expiry sets this expiry."""
        now = clock()
        await store.create("key", a_record(clock, lives=100, timeout=100.0))

        await store.touch("key", SECRET, now + 110, now + 1)
        found = await _times(store)
        expect(found, (now, now + 1, now, now + 110), "the times after a touch with a later expiry")
        await store.commit("key", some_changes(clock, accessed_at=now + 2, lives=120))
        found = await _times(store)
        expect(
            found, (now, now + 2, now, now + 120), "the times after a commit with a later expiry"
        )

    @contract_test
    async def test_a_commit_that_names_a_timeout_sets_the_expiry(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A commit that sets or removes the timeout can also set an earlier expiry."""
        now = clock()
        for timeout in (50.0, None):
            key = f"key {timeout}"
            await store.create(key, a_record(clock, lives=100, timeout=100.0))
            await store.commit(key, some_changes(clock, lives=50, timeout=timeout))
            found = (await record_in(store, key)).expires_at
            expect(found, now + 50, f"expires_at after a commit with timeout={timeout}")

    @contract_test
    async def test_an_earlier_use_leaves_all_times_alone(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A commit with an earlier accessed_at changes values, user and timeout, but no times."""
        now = clock()
        record = a_record(clock, {"a": b"1"}, updated_at=now - 7)
        await store.create("key", record)

        for earlier in (MICROSECOND, 30.0):
            found = await store.touch("key", SECRET, now + 500, now - earlier)
            expect(found, True, "touch with an earlier accessed_at")
            expect(await store.load("key"), record, "load after this touch")
        fields: dict[str, Any] = {"set": {"a": b"2"}, "user_id": "ada", "timeout": 5.0}
        changes = some_changes(clock, lives=500, accessed_at=now - MICROSECOND, **fields)
        expect(
            await store.commit("key", changes),
            Outcome.APPLIED,
            "commit with an earlier accessed_at",
        )
        wanted = a_record(clock, {"a": b"2"}, updated_at=now - 7, user_id="ada", timeout=5.0)
        expect(await store.load("key"), wanted, "load after this commit")

    @contract_test
    async def test_an_earlier_use_may_begin_the_age_anew(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A commit can change created_at even if its accessed_at is earlier than the record's.

        A sign-in makes such a commit.
        """
        now = clock()
        await store.create("key", a_record(clock, created_at=now - 9))
        changes = some_changes(clock, lives=50, accessed_at=now - 1, created_at=now - 1)

        await store.commit("key", changes)

        wanted = (now - 1, now, now, now + 100)
        expect(
            await _times(store),
            wanted,
            "the times after a commit with created_at and an earlier accessed_at",
        )

    @contract_test
    async def test_a_use_at_the_same_moment_counts(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A touch changes expires_at, even if accessed_at stays the same."""
        now = clock()
        await store.create("key", a_record(clock, lives=100))

        await store.commit("key", some_changes(clock, updated_at=now + 0.5, lives=70))
        expect(await _times(store), (now, now, now + 0.5, now + 70), "the times after a commit")
        await store.touch("key", SECRET, now + 60, now)
        expect(await _times(store), (now, now, now + 0.5, now + 60), "the times after a touch")

    @clock_test
    async def test_times_of_a_wrong_clock_count_as_now(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """If the times of a record are far in the future, a commit or a touch replaces them."""
        for key, timeout in (("plain", None), ("own", 5000.0)):
            await store.create(key, _far_ahead(clock, timeout))
            await store.create(f"{key} touched", _far_ahead(clock, timeout))
            clock.advance(0.25)
            now = clock()

            await store.commit(key, some_changes(clock, lives=70))
            found = await _times(store, key)
            wanted = (now, now, now, now + 70)
            expect(found, wanted, f"the times after a commit on a wrong clock's record ({key})")
            await store.touch(f"{key} touched", SECRET, now + 70, now)
            found = await _times(store, f"{key} touched")
            expect(found, wanted, f"the times after a touch of a wrong clock's record ({key})")

    @clock_test
    async def test_created_at_of_a_wrong_clock_counts_as_now(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A created_at far in the future counts as now, even if the other times are right."""
        for key, accessed in (("key", START), ("earlier", START - 1)):
            await store.create(key, a_record(clock, created_at=START + 3600))
            await store.commit(key, some_changes(clock, accessed_at=accessed, set={"a": b"1"}))
            found = (await record_in(store, key)).created_at
            expect(found, START, "created_at of a wrong clock after a commit")

    @clock_test
    async def test_clocks_may_differ_by_a_minute(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Times up to CLOCK_TOLERANCE in the future are kept; the present replaces later times."""
        ahead = START + CLOCK_TOLERANCE
        for key, accessed, wanted in (
            ("right", ahead, (ahead, ahead, ahead, START + 900)),
            ("wrong", ahead + MICROSECOND, (START, START, START, START + 70)),
        ):
            times: dict[str, Any] = dict.fromkeys(
                ("created_at", "accessed_at", "updated_at"), accessed
            )
            await store.create(key, a_record(clock, lives=900, **times))
            await store.commit(key, some_changes(clock, lives=70))
            found = await _times(store, key)
            expect(found, wanted, f"the times after a commit on a clock that is {key}")


async def _times(store: StoreUnderTest, key: str = "key") -> Times:
    record = await record_in(store, key)
    return record.created_at, record.accessed_at, record.updated_at, record.expires_at


def _far_ahead(clock: ManualClock, timeout: float | None) -> Record:
    times: dict[str, Any] = dict.fromkeys(
        ("created_at", "accessed_at", "updated_at"), clock() + 86_400
    )
    return a_record(clock, lives=90_000, timeout=timeout, **times)
