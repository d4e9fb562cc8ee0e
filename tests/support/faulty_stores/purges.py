"""Stores with faults in purges, and in the errors of a broken or closed store."""

from collections.abc import Callable
from dataclasses import replace

from sessions.record import Ended, Record
from tests.support.dictionary_store import DictionaryStore
from tests.support.faulty_stores.registry import found_by


@found_by("test_a_broken_store_raises_store_unavailable")
class LetsErrorsOfTheDriverEscape(DictionaryStore):
    """A broken connection is an OSError."""

    def ask_server(self) -> None:
        if self.is_broken:
            raise ConnectionResetError("the server has gone away")


@found_by("test_a_broken_store_raises_store_unavailable")
class TakesABrokenServerForAnEmptyOne(DictionaryStore):
    """A broken store has no records."""

    def load(self, key: str) -> Record | Ended | None:
        return None if self.is_broken else super().load(key)


@found_by("test_a_broken_store_raises_store_unavailable")
class TouchHidesABrokenServer(DictionaryStore):
    """A touch that fails is a touch of a missing record."""

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        return not self.is_broken and super().touch(key, secret, expires_at, accessed_at)


@found_by("test_a_store_that_was_closed_opens_again")
class ForgetsAtClose(DictionaryStore):
    """`close` throws the records away."""

    def close(self) -> None:
        self.records.clear()


@found_by("test_purge_removes_what_expired_long_ago")
class PurgesOverTheLimit(DictionaryStore):
    """`purge` removes all that it finds."""

    def purge(self, limit: int) -> int:
        return super().purge(1000)


@found_by("test_purge_removes_more_than_one_batch")
class PurgesOneBatch(DictionaryStore):
    """`purge` ends with its first transaction."""

    def purge(self, limit: int) -> int:
        return super().purge(min(limit, 200))


@found_by("test_nothing_is_left_of_a_record_that_was_purged")
class PurgesNoValues(DictionaryStore):
    """A record that follows a purged one has its values too."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.values: dict[str, bytes] = {}

    def is_old(self, record: Record) -> bool:
        if super().is_old(record):
            self.values.update(record.values)
        return super().is_old(record)

    def kept(self, record: Record) -> Record:
        return replace(record, values={**self.values, **record.values})


@found_by("test_purge_leaves_what_lives_and_what_has_just_ended")
class PurgesEndings(DictionaryStore):
    """`purge` forgets what was ended just now."""

    def purge(self, limit: int) -> int:
        self.endings.clear()
        return super().purge(limit)


@found_by("test_purge_leaves_what_lives_and_what_has_just_ended")
class PurgesTheLiving(DictionaryStore):
    """`purge` removes live records."""

    def is_old(self, record: Record) -> bool:
        return True


@found_by("test_purge_leaves_what_expired_just_now")
class PurgesTooEarly(DictionaryStore):
    """`purge` removes what has expired a moment ago."""

    def is_old(self, record: Record) -> bool:
        return record.expires_at <= self.clock()


@found_by("test_purge_removes_what_expired_long_ago")
class NeverPurges(DictionaryStore):
    """`purge` removes nothing."""

    def is_old(self, record: Record) -> bool:
        return False


@found_by("test_purge_removes_what_expired_long_ago")
class PurgesByTheAgeOfTheRecord(DictionaryStore):
    """`purge` reckons with the time at which the record was made."""

    def is_old(self, record: Record) -> bool:
        return record.created_at + 80 < self.clock()
