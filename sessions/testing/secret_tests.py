"""Tests of new secrets, and of the grace time of an earlier secret.

In the grace time after a new secret, a store still accepts commits with the earlier secret.
"""

from typing import Any

from sessions.record import Grace, Outcome
from sessions.testing.assertions import expect, record_in, values_in
from sessions.testing.clock import MICROSECOND, START, ManualClock
from sessions.testing.records import NEW_SECRET, OTHER_SECRET, SECRET, a_record, some_changes
from sessions.testing.suite import Suite, clock_test, contract_test
from sessions.testing.under_test import StoreUnderTest


class SecretTests(Suite):
    """Test commits that change the secret, and commits with an earlier secret."""

    @contract_test
    async def test_a_new_secret_takes_the_place_of_the_old_one(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The new secret and the other changes of the commit apply in one step."""
        now = clock()
        await store.create("key", a_record(clock, {"a": b"1"}, secret_since=now - 500))

        changes = some_changes(
            clock, set={"b": b"2"}, new_secret=NEW_SECRET, user_id="ada", created_at=now - 0.25
        )
        expect(await store.commit("key", changes), Outcome.APPLIED, "commit of a new secret")
        wanted = a_record(
            clock, {"a": b"1", "b": b"2"}, secret=NEW_SECRET, user_id="ada", created_at=now - 0.25
        )
        expect(await store.load("key"), wanted, "load after a commit of a new secret")
        late = await store.commit("key", some_changes(clock, set={"a": b"late"}))
        expect(late, Outcome.SUPERSEDED, "commit for the earlier secret")
        expect(
            await store.touch("key", SECRET, now + 500, now), False, "touch for the earlier secret"
        )
        expect(await store.load("key"), wanted, "load after late calls")
        found = await store.commit("key", some_changes(clock, secret=NEW_SECRET, set={"a": b"2"}))
        expect(found, Outcome.APPLIED, "commit for the new secret")

    @clock_test
    async def test_a_secret_is_new_since_the_commit(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A new secret sets `secret_since` to the store's time; other commits do not change it."""
        await store.create("key", a_record(clock, secret_since=START - 700))
        changes = some_changes(clock, new_secret=NEW_SECRET)
        clock.advance(5.125)
        await store.commit("key", changes)
        clock.advance(5)
        await store.commit("key", some_changes(clock, secret=NEW_SECRET, user_id="ada"))
        await store.touch("key", NEW_SECRET, clock() + 100, clock())

        found = (await record_in(store, "key")).secret_since
        expect(found, START + 5.125, "secret_since after a commit of a new secret")

    @contract_test
    async def test_the_secret_of_before_may_have_grace(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A commit with the earlier secret can change values, but not the secret or grace time."""
        until = clock() + 30.5
        await store.create("key", a_record(clock))
        await store.commit("key", some_changes(clock, new_secret=NEW_SECRET, grace=until))
        record = await record_in(store, "key")
        expect(record.grace, Grace(SECRET, until), "grace after a new secret with grace")

        changes = some_changes(clock, set={"a": b"1"}, expected={"a": None})
        expect(
            await store.commit("key", changes),
            Outcome.APPLIED,
            "commit for the earlier secret in its grace time",
        )
        expect(await store.commit("key", changes), Outcome.CONFLICT, "the same commit again")
        wanted = a_record(clock, {"a": b"1"}, secret=NEW_SECRET, grace=Grace(SECRET, until))
        expect(await store.load("key"), wanted, "load after a commit for the earlier secret")

    @contract_test
    async def test_grace_is_for_values_alone(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """With an earlier secret, no commit changes id, user, timeout or age, and a touch fails."""
        now = clock()
        grace = Grace(SECRET, now + 30)
        record = a_record(clock, {"a": b"1"}, secret=NEW_SECRET, grace=grace, user_id="ada")
        await store.create("key", record)
        refused: list[dict[str, Any]] = [
            {"user_id": "eve"},
            {"user_id": None},
            {"timeout": 7.0},
            {"timeout": None},
            {"created_at": now},
            {"new_secret": OTHER_SECRET},
            {"new_secret": OTHER_SECRET, "grace": now + 10},
        ]

        for fields in refused:
            found = await store.commit("key", some_changes(clock, set={"a": b"2"}, **fields))
            expect(found, Outcome.SUPERSEDED, f"commit of {fields} for the earlier secret")
        expect(
            await store.touch("key", SECRET, now + 500, now), False, "touch for the earlier secret"
        )
        expect(await store.load("key"), record, "load after the refused calls")

    @contract_test
    async def test_grace_that_is_over_is_none(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A commit with the earlier secret is SUPERSEDED after the grace time."""
        grace = Grace(SECRET, clock() - 1)
        await store.create("key", a_record(clock, secret=NEW_SECRET, grace=grace))

        outcome = await store.commit("key", some_changes(clock, set={"a": b"1"}))

        expect(outcome, Outcome.SUPERSEDED, "commit for the earlier secret after its grace time")
        expect(await values_in(store, "key"), {}, "the values after this commit")

    @clock_test
    async def test_grace_ends_exactly_at_its_time(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The store's clock decides when the grace time ends, not the times in the commit."""
        await store.create("key", a_record(clock))
        changes = some_changes(clock, new_secret=NEW_SECRET, grace=START + 30)
        await store.commit("key", changes)
        late = some_changes(clock, set={"a": b"1"})

        clock.set(START + 30 - MICROSECOND)
        found = await store.commit("key", late)
        expect(found, Outcome.APPLIED, "commit a microsecond before the grace time ends")
        clock.set(START + 30)
        found = await store.commit("key", late)
        expect(found, Outcome.SUPERSEDED, "commit at the end of the grace time")

    @contract_test
    async def test_only_a_renewal_ends_grace(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A touch, or a commit without a new secret, does not change the grace time.

        This is true even if the commit names another grace time.
        """
        now = clock()
        grace = Grace(SECRET, now + 30)
        await store.create("key", a_record(clock, secret=NEW_SECRET, grace=grace))
        several: list[dict[str, Any]] = [
            {"set": {"a": b"1"}},
            {"user_id": "ada"},
            {"timeout": None},
            {"created_at": now},
            {"grace": now + 80},
        ]
        for fields in several:
            await store.commit("key", some_changes(clock, secret=NEW_SECRET, **fields))
            found = (await record_in(store, "key")).grace
            expect(found, grace, f"grace after a commit of {fields}")

        await store.touch("key", NEW_SECRET, now + 100, now)
        expect((await record_in(store, "key")).grace, grace, "grace after a touch")

    @contract_test
    async def test_a_renewal_without_grace_ends_the_grace_of_before(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """After a renewal without grace, a commit with any earlier secret is SUPERSEDED."""
        await store.create("key", a_record(clock))
        renewal = some_changes(clock, new_secret=NEW_SECRET, grace=clock() + 50)
        await store.commit("key", renewal)
        await store.commit("key", some_changes(clock, secret=NEW_SECRET, new_secret=OTHER_SECRET))

        expect(
            (await record_in(store, "key")).grace, None, "grace after a new secret without grace"
        )
        for secret in (SECRET, NEW_SECRET):
            found = await store.commit("key", some_changes(clock, secret=secret, set={"a": b"1"}))
            expect(found, Outcome.SUPERSEDED, "commit for an earlier secret")

    @contract_test
    async def test_one_earlier_secret_has_grace(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Only the secret before the last renewal has grace."""
        until = clock() + 50
        await store.create("key", a_record(clock))
        await store.commit("key", some_changes(clock, new_secret=NEW_SECRET, grace=until))
        renewal = some_changes(clock, secret=NEW_SECRET, new_secret=OTHER_SECRET, grace=until)
        await store.commit("key", renewal)

        found = (await record_in(store, "key")).grace
        expect(found, Grace(NEW_SECRET, until), "grace after two renewals")
        oldest = await store.commit("key", some_changes(clock, set={"a": b"1"}))
        expect(oldest, Outcome.SUPERSEDED, "commit for the oldest secret")
        older = some_changes(clock, secret=NEW_SECRET, set={"a": b"1"})
        expect(await store.commit("key", older), Outcome.APPLIED, "commit for the earlier secret")

    @contract_test
    async def test_a_renewal_whose_reply_was_lost_is_applied_once(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The repeated commit is APPLIED, but changes nothing, even if it expects old values."""
        now = clock()
        await store.create("key", a_record(clock, {"count": b"1"}))
        renewal = some_changes(
            clock, lives=200, set={"count": b"2"}, expected={"count": b"1"}, user_id="ada",
            new_secret=NEW_SECRET, grace=now + 50,
        )  # fmt: skip
        expect(await store.commit("key", renewal), Outcome.APPLIED, "commit of a new secret")
        later = some_changes(clock, secret=NEW_SECRET, set={"count": b"3"}, user_id="eve")
        await store.commit("key", later)
        record = await record_in(store, "key")

        expect(await store.commit("key", renewal), Outcome.APPLIED, "the same commit again")
        expect(await store.load("key"), record, "load after the same commit again")

    @clock_test
    async def test_a_repeated_renewal_is_no_renewal(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A second commit with the same new secret changes no time, not even `secret_since`."""
        await store.create("key", a_record(clock))
        renewal = some_changes(clock, new_secret=NEW_SECRET)
        await store.commit("key", renewal)
        record = await record_in(store, "key")

        clock.advance(10)
        again = some_changes(clock, new_secret=NEW_SECRET, created_at=clock())

        expect(await store.commit("key", again), Outcome.APPLIED, "the same renewal again")
        expect(await store.load("key"), record, "load after the same renewal again")
