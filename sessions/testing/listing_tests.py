"""Test suites for stores that can count their records, or list them."""

from collections.abc import Awaitable, Callable

from sessions.core.ids import hash_of
from sessions.testing.assertions import exactly, expect, expect_unavailable
from sessions.testing.clock import ManualClock
from sessions.testing.records import NEW_SECRET, OTHER_SECRET, a_record, some_changes
from sessions.testing.suite import Suite, clock_test, contract_test
from sessions.testing.under_test import StoreUnderTest

_MANY = 37
_MOST_PAGES = 500


class CountableContract(Suite):
    """Test a store against the contract of `sessions.stores.listing.Countable`.

    Write this base first: `class TestMyStore(CountableContract, StoreContract)`.
    """

    @contract_test
    async def test_an_empty_store_counts_no_records(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The count of a new store is 0."""
        expect(await store.count(), 0, "count of an empty store")

    @contract_test
    async def test_live_records_are_counted(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """An ended record is not counted, and a changed record is counted once."""
        keys = await _filled(store, clock)
        expect(await store.count(), _MANY, "count after the creations")

        await store.commit(keys[0], some_changes(clock, set={"a": b"2"}))
        await store.delete(keys[1])
        await store.delete(keys[2])
        expect(await store.count(), _MANY - 2, "count after a commit and two deletes")
        await store.create(keys[1], a_record(clock, secret=NEW_SECRET))
        expect(
            await store.count(), _MANY - 1, "count after a create with the key of an ended record"
        )

    @clock_test
    async def test_expired_records_are_not_counted(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """An expired record is not counted, even if it is not removed yet."""
        await store.create(hash_of("short"), a_record(clock, lives=50))
        await store.create(hash_of("long"), a_record(clock, lives=100))

        clock.advance(50)

        expect(await store.count(), 1, "count when one of two records has expired")

    @contract_test
    async def test_a_broken_store_counts_nothing(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A broken store raises StoreUnavailable, and does not seem to be empty."""
        await _filled(store, clock)
        await self.break_under_test(store)

        await expect_unavailable("count", store.count)


class ListableContract(Suite):
    """Test a store against the contract of `sessions.stores.listing.Listable`.

    Write this base first: `class TestMyStore(ListableContract, StoreContract)`.
    """

    @contract_test
    async def test_an_empty_store_lists_nothing(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The first page is empty, and is the last page."""
        expect(await _listed(store, 10), {}, "the pages of an empty store")

    @contract_test
    async def test_all_live_records_are_listed(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """All live records are listed unchanged, with pages of any size."""
        keys = await _filled(store, clock)
        await store.delete(keys[0])
        expected = {key: exactly(await store.load(key)) for key in keys[1:]}

        for limit in (1, 2, 10, _MANY - 1, _MANY, 1000):
            expect(await _listed(store, limit), expected, f"the pages with limit={limit}")

    @contract_test
    async def test_a_listing_shows_the_present_record(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """After a commit, the listing has every field of the changed record."""
        key = hash_of("key")
        await store.create(key, a_record(clock, {"a": b"1", "b": b"2"}))
        changes = some_changes(
            clock,
            set={"c": b"3"},
            removed=frozenset(("a",)),
            user_id="ada",
            timeout=50.0,
            new_secret=OTHER_SECRET,
            grace=clock() + 10,
        )
        await store.commit(key, changes)

        expected = {key: exactly(await store.load(key))}
        expect(await _listed(store, 10), expected, "the pages after a commit")

    @clock_test
    async def test_expired_records_are_not_listed(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """An expired record is not listed, even if it is not removed yet."""
        record = a_record(clock, lives=100)
        await store.create(hash_of("short"), a_record(clock, lives=50))
        await store.create(hash_of("long"), record)

        clock.advance(50)

        expect(
            await _listed(store, 10),
            {hash_of("long"): exactly(record)},
            "the pages when one of two records has expired",
        )

    @contract_test
    async def test_a_record_that_stays_is_listed_whatever_happens_meanwhile(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A record that stays is listed, even if others are created or ended between two pages."""
        keys = await _filled(store, clock)
        stays, goes = keys[::2], keys[1::2]
        number = 0

        async def disturb() -> None:
            nonlocal number
            if goes:
                await store.delete(goes.pop())
            number += 1
            await store.create(hash_of(f"another {number}"), a_record(clock))

        listed = await _listed(store, 3, between=disturb, most=_MANY)
        missing = [key for key in stays if key not in listed]
        expect(missing, [], "the records that lived all the time and are on no page")

    @contract_test
    async def test_a_broken_store_lists_nothing(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A broken store raises StoreUnavailable, and does not seem to be empty."""
        await _filled(store, clock)
        await self.break_under_test(store)

        await expect_unavailable("page", lambda: store.page(None, 10))


async def _filled(store: StoreUnderTest, clock: ManualClock) -> list[str]:
    """Create many records, and return their keys."""
    keys = [hash_of(f"number {number}") for number in range(_MANY)]
    for number, key in enumerate(keys):
        user = f"user {number}" if number % 3 == 0 else None
        await store.create(key, a_record(clock, {"number": b"%d" % number}, user_id=user))
    return keys


async def _nothing() -> None:
    """Do nothing between two pages."""


async def _listed(
    store: StoreUnderTest,
    limit: int,
    *,
    between: Callable[[], Awaitable[None]] = _nothing,
    most: int = _MOST_PAGES,
) -> dict[str, object]:
    """Return the records of all pages; call `between` after each of the first `most` pages."""
    listed: dict[str, object] = {}
    after: str | None = None
    for number in range(_MOST_PAGES):
        page = await store.page(after, limit)
        listed.update((key, exactly(record)) for key, record in page.records)
        if page.after is None:
            return listed
        after = page.after
        if number < most:
            await between()
    raise AssertionError(
        f"the pages with limit={limit}: expected a last page, found {_MOST_PAGES} pages without it"
    )
