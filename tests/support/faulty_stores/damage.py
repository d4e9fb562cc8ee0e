"""Faulty stores that handle damaged records wrongly."""

from sessions.record import Changes, Ended, Outcome, Record
from tests.support.dictionary_store import DictionaryStore
from tests.support.faulty_stores.registry import found_by


@found_by("test_a_damaged_record_cannot_be_loaded")
class LoadsNothingForDamage(DictionaryStore):
    """`load` returns None for a damaged record."""

    def load(self, key: str) -> Record | Ended | None:
        return None if key in self.damaged else super().load(key)


@found_by("test_a_damaged_record_is_neither_changed_nor_used")
class CommitsToDamage(DictionaryStore):
    """`commit` reports success for a record that cannot be read."""

    def commit(self, key: str, changes: Changes) -> Outcome:
        return Outcome.APPLIED if key in self.damaged else super().commit(key, changes)


@found_by("test_a_damaged_record_is_neither_changed_nor_used")
class TouchesDamage(DictionaryStore):
    """`touch` reports success for a record that cannot be read."""

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        return key in self.damaged or super().touch(key, secret, expires_at, accessed_at)


@found_by("test_a_damaged_record_is_replaced")
class DamageKeepsItsKey(DictionaryStore):
    """`create` refuses the key of a damaged record."""

    def create(self, key: str, record: Record) -> bool:
        return key not in self.damaged and super().create(key, record)


@found_by("test_a_damaged_record_is_deleted")
class DamageStays(DictionaryStore):
    """`delete` does not remove a damaged record."""

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        return key not in self.damaged and super().delete(key, user_id=user_id)
