"""Faults with records that somebody damaged."""

from sessions.record import Changes, Ended, Outcome, Record
from tests.support.dictionary_store import DictionaryStore
from tests.support.faulty_stores.registry import found_by


@found_by("test_a_damaged_record_cannot_be_loaded")
class LoadsNothingForDamage(DictionaryStore):
    """A damaged record is none to `load`."""

    def load(self, key: str) -> Record | Ended | None:
        return None if key in self.damaged else super().load(key)


@found_by("test_a_damaged_record_is_neither_changed_nor_used")
class CommitsToDamage(DictionaryStore):
    """A commit applies to what nobody can read."""

    def commit(self, key: str, changes: Changes) -> Outcome:
        return Outcome.APPLIED if key in self.damaged else super().commit(key, changes)


@found_by("test_a_damaged_record_is_neither_changed_nor_used")
class TouchesDamage(DictionaryStore):
    """A touch is told of a record that nobody can read."""

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        return key in self.damaged or super().touch(key, secret, expires_at, accessed_at)


@found_by("test_a_damaged_record_is_replaced")
class DamageKeepsItsKey(DictionaryStore):
    """`create` refuses where a damaged record is."""

    def create(self, key: str, record: Record) -> bool:
        return key not in self.damaged and super().create(key, record)


@found_by("test_a_damaged_record_is_deleted")
class DamageStays(DictionaryStore):
    """`delete` does not see what is damaged."""

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        return key not in self.damaged and super().delete(key, user_id=user_id)
