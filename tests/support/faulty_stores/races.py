"""Stores with faults that only concurrent calls show."""

from sessions.record import Changes, Ended, Outcome, Record
from tests.support.dictionary_store import DictionaryStore
from tests.support.faulty_stores.registry import found_by

_ON_A_LIVE_RECORD = "test_two_calls_at_once_on_a_live_record"


@found_by(_ON_A_LIVE_RECORD)
class TouchTakesNoLock(DictionaryStore):
    """Commits that come between the read and the write of a touch are lost."""

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        record = self.live(key)
        if record is None or record.secret != secret:
            return False
        self.records[key] = self.touched(record, expires_at, accessed_at)
        return True


@found_by(_ON_A_LIVE_RECORD)
class DeleteTakesNoLock(DictionaryStore):
    """A delete beside another one, or beside a change of user, ends what it must not."""

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        record = self.live(key)
        if record is None or (user_id is not None and record.user_id != user_id):
            return False
        self.records.pop(key, None)
        self.endings[key] = Ended(self.clock())
        return True


@found_by(_ON_A_LIVE_RECORD)
class CommitTakesNoLock(DictionaryStore):
    """A commit writes over what came since it has read, and brings an ended record back."""

    def commit(self, key: str, changes: Changes) -> Outcome:
        record = self.live(key)
        if record is None:
            return Outcome.GONE
        outcome = self.outcome(record, changes)
        if outcome is Outcome.APPLIED:
            self.records[key] = self.changed(record, changes)
        return outcome


@found_by(_ON_A_LIVE_RECORD)
class CommitTakesItsLockTwice(DictionaryStore):
    """A commit reads and writes under the lock, and lets go of it in between."""

    def commit(self, key: str, changes: Changes) -> Outcome:
        with self.lock:
            record = self.live(key)
        if record is None:
            return Outcome.GONE
        outcome = self.outcome(record, changes)
        with self.lock:
            if outcome is Outcome.APPLIED and self.live(key) is not None:
                self.records[key] = self.changed(record, changes)
            return outcome


@found_by(_ON_A_LIVE_RECORD)
class ExpectationsAreAskedOutsideOfTheLock(DictionaryStore):
    """Two claims of one value are both told that they have it."""

    def commit(self, key: str, changes: Changes) -> Outcome:
        record = self.live(key)
        if record is not None and self.outcome(record, changes) is Outcome.CONFLICT:
            return Outcome.CONFLICT
        with self.lock:
            record = self.live(key)
            if record is None:
                return Outcome.GONE
            self.records[key] = self.changed(record, changes)
            return Outcome.APPLIED


@found_by("test_two_calls_at_once_where_no_record_is")
class CreateTakesNoLock(DictionaryStore):
    """Two creates of one key are both told that it is theirs."""

    def create(self, key: str, record: Record) -> bool:
        live = self.live(key)
        if live is not None:
            return live.secret == record.secret
        self.endings.pop(key, None)
        self.records[key] = self.kept(record)
        return True


@found_by("test_two_calls_at_once_on_an_expired_record")
class PurgeTakesNoLock(DictionaryStore):
    """A purge removes a record that took the place of an expired one."""

    def purge(self, limit: int) -> int:
        old = [key for key, record in [*self.records.items()] if self.is_old(record)][:limit]
        for key in old:
            self.records.pop(key, None)
        return len(old)


@found_by("test_two_calls_at_once_on_an_ended_record")
class CreateForgetsTheEndTooLate(DictionaryStore):
    """A create that has let go of the lock takes away the end of its own record."""

    def create(self, key: str, record: Record) -> bool:
        is_over_an_end = key in self.endings
        is_made = super().create(key, record)
        if is_over_an_end and is_made:
            self.endings.pop(key, None)
        return is_made


@found_by(_ON_A_LIVE_RECORD)
class AsksForTheUserOutsideOfTheLock(DictionaryStore):
    """A delete for a user ends the record of another, who has just signed in."""

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        record = self.live(key)
        if record is None or (user_id is not None and record.user_id != user_id):
            return False
        return super().delete(key)


@found_by(_ON_A_LIVE_RECORD)
class AsksForTheSecretOutsideOfTheLock(DictionaryStore):
    """A touch for the secret of before comes through, beside a renewal."""

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        record = self.live(key)
        if record is None or record.secret != secret:
            return False
        with self.lock:
            record = self.live(key)
            if record is None:
                return False
            self.records[key] = self.touched(record, expires_at, accessed_at)
            return True


@found_by(_ON_A_LIVE_RECORD)
class WritesInTwoSteps(DictionaryStore):
    """A commit takes the record away before it puts the new one there, and load sees that."""

    def load(self, key: str) -> Record | Ended | None:
        return self.live(key) or self.ending(key)

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        if self.load(key) is None:
            return False
        return super().delete(key, user_id=user_id)

    def changed(self, record: Record, changes: Changes) -> Record:
        key = next(key for key, kept in self.records.items() if kept is record)
        del self.records[key]
        return super().changed(record, changes)
