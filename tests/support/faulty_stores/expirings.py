"""Stores with faults in what they give out of expired records."""

from dataclasses import replace

from sessions.record import Record
from tests.support.dictionary_store import ExpiringDictionaryStore
from tests.support.faulty_stores.registry import found_by


@found_by("test_no_live_record_is_given_out", "test_a_record_is_given_out_from_its_expiry_on")
class TakesTheLiving(ExpiringDictionaryStore):
    """`take_expired` does not look at the expiry."""

    def take_expired(self, key: str) -> Record | None:
        return self.records.pop(key, None)


@found_by("test_an_expired_record_is_given_out_whole")
class TakesWithoutValues(ExpiringDictionaryStore):
    """`take_expired` forgets the values."""

    def take_expired(self, key: str) -> Record | None:
        record = super().take_expired(key)
        return None if record is None else replace(record, values={})


@found_by("test_an_expired_record_is_given_out_whole", "test_more_than_one_batch_is_given_out")
class GivesOutTwice(ExpiringDictionaryStore):
    """`purge_expired` leaves what it returns."""

    def purge_expired(self, limit: int) -> list[tuple[str, Record]]:
        self.ask_server()
        old = [pair for pair in self.records.items() if self.is_old(pair[1])]
        return old[:limit]


@found_by("test_more_than_one_batch_is_given_out")
class GivesOutAll(ExpiringDictionaryStore):
    """`purge_expired` knows no limit."""

    def purge_expired(self, limit: int) -> list[tuple[str, Record]]:
        return super().purge_expired(1_000_000)


@found_by(
    "test_a_record_is_given_out_from_its_expiry_on",
    "test_a_record_is_not_given_out_by_an_early_purge",
)
class PurgesTooEarly(ExpiringDictionaryStore):
    """`purge_expired` does not wait for slow clocks."""

    def is_old(self, record: Record) -> bool:
        return record.expires_at <= self.clock()


@found_by("test_a_record_that_was_extended_is_not_given_out")
class TakesByTheFirstExpiry(ExpiringDictionaryStore):
    """`take_expired` looks at the expiry of the creation."""

    def take_expired(self, key: str) -> Record | None:
        record = self.records.get(key)
        is_over = record is not None and record.created_at + 100 <= self.clock()
        return self.records.pop(key) if is_over else None


@found_by("test_no_other_call_removes_what_is_to_be_given_out")
class DeletesExpiredRecords(ExpiringDictionaryStore):
    """`delete` removes an expired record, too, and says nothing."""

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        if self.live(key) is None:
            self.records.pop(key, None)
        return super().delete(key, user_id=user_id)


@found_by("test_no_other_call_removes_what_is_to_be_given_out")
class PurgesAtCreations(ExpiringDictionaryStore):
    """A creation removes expired records, and says nothing."""

    def create(self, key: str, record: Record) -> bool:
        self.purge(10)
        return super().create(key, record)


@found_by(
    "test_two_calls_at_once_on_a_record_that_is_given_out",
    "test_an_expired_record_is_known_until_it_is_given_out",
)
class LooksAndThenRemoves(ExpiringDictionaryStore):
    """`take_expired` reads and removes in two steps, and `has_expired` is true for nothing."""

    def take_expired(self, key: str) -> Record | None:
        record = self.records.get(key)
        if record is None or record.expires_at > self.clock():
            return None
        self.records.pop(key, None)
        return record

    def has_expired(self, key: str) -> bool:
        return False


@found_by("test_nothing_is_given_out_by_a_broken_store")
class TakesABrokenServerForAnEmptyOne(ExpiringDictionaryStore):
    """A broken store has no expired records."""

    def purge_expired(self, limit: int) -> list[tuple[str, Record]]:
        return [] if self.is_broken else super().purge_expired(limit)
