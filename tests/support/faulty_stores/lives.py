"""Stores with faults in how records begin and end."""

from collections.abc import Callable
from dataclasses import replace

from sessions.record import Ended, Record
from sessions.stores.base import REMEMBERED_FOR
from tests.support.dictionary_store import DictionaryStore
from tests.support.faulty_stores.registry import found_by


@found_by("test_a_record_is_absent_exactly_at_its_expiry")
class RefusesOverAnExpiredRecord(DictionaryStore):
    """`create` refuses where an expired record has not been removed yet."""

    def create(self, key: str, record: Record) -> bool:
        return key not in self.records and super().create(key, record)


@found_by("test_a_record_that_expires_in_the_past_is_absent")
class LoadsExpiredRecords(DictionaryStore):
    """`load` does not look at the time."""

    def load(self, key: str) -> Record | Ended | None:
        return self.records.get(key) or super().load(key)


@found_by("test_a_record_is_absent_exactly_at_its_expiry")
class ExpiresTooLate(DictionaryStore):
    """A record is still there at the very moment of its expiry."""

    def live(self, key: str) -> Record | None:
        record = self.records.get(key)
        return record if record is not None and record.expires_at >= self.clock() else None


@found_by("test_a_record_is_there_a_microsecond_before_its_expiry")
class ExpiresInWholeSeconds(DictionaryStore):
    """A record is gone in the second in which it expires."""

    def live(self, key: str) -> Record | None:
        record = self.records.get(key)
        return record if record is not None and int(record.expires_at) > self.clock() else None


@found_by("test_create_changes_nothing_where_a_live_record_is")
class CreateOverwrites(DictionaryStore):
    """`create` takes the place of a live record."""

    def create(self, key: str, record: Record) -> bool:
        self.records.pop(key, None)
        return super().create(key, record)


@found_by("test_create_whose_reply_was_lost_is_true")
class CreateForgetsItsReply(DictionaryStore):
    """`create` refuses where the record of its own first try is."""

    def create(self, key: str, record: Record) -> bool:
        return self.live(key) is None and super().create(key, record)


@found_by("test_create_whose_reply_was_lost_is_true")
class CreateTwice(DictionaryStore):
    """`create` puts the record of its first try back over what came since."""

    def create(self, key: str, record: Record) -> bool:
        live = self.live(key)
        if live is not None and live.secret == record.secret:
            del self.records[key]
        return super().create(key, record)


@found_by("test_create_changes_nothing_where_a_live_record_is")
class CreateTakesGraceForItsSecret(DictionaryStore):
    """`create` takes the earlier secret of a record for the present one."""

    def create(self, key: str, record: Record) -> bool:
        live = self.live(key)
        has_grace = live is not None and live.has_grace(record.secret, self.clock())
        return has_grace or super().create(key, record)


@found_by("test_create_follows_an_ended_record")
class RefusesOverAnEnding(DictionaryStore):
    """`create` refuses where a record was ended a short time ago."""

    def create(self, key: str, record: Record) -> bool:
        return self.ending(key) is None and super().create(key, record)


@found_by("test_create_follows_an_ended_record")
class InheritsTheUser(DictionaryStore):
    """A record that follows an ended one has its user."""

    users: dict[str, str | None] = {}

    def create(self, key: str, record: Record) -> bool:
        return super().create(key, replace(record, user_id=self.users.pop(key, record.user_id)))

    def end(self, key: str) -> None:
        self.users[key] = self.records[key].user_id
        super().end(key)


@found_by("test_an_ended_record_is_remembered_for_a_short_time")
class RemembersForEver(DictionaryStore):
    """An ended record never becomes an unknown one."""

    def ending(self, key: str) -> Ended | None:
        return self.endings.get(key)


@found_by("test_an_ended_record_is_remembered_for_a_short_time")
class RemembersALittleTooLong(DictionaryStore):
    """An ended record is told at the moment at which it is forgotten."""

    def ending(self, key: str) -> Ended | None:
        ended = self.endings.get(key)
        return ended if ended and self.clock() - ended.at <= REMEMBERED_FOR else None


@found_by("test_delete_ends_a_record")
class RemembersNoEnding(DictionaryStore):
    """`delete` leaves nothing at all."""

    def ending(self, key: str) -> Ended | None:
        return None


@found_by("test_delete_ends_a_record")
class KeepsTheDataOfTheEnded(DictionaryStore):
    """`load` still shows the record of an ended session."""

    def load(self, key: str) -> Record | Ended | None:
        return super().load(key) or self.records.get(f"ended {key}")

    def end(self, key: str) -> None:
        self.records[f"ended {key}"] = self.records[key]
        super().end(key)

    def ending(self, key: str) -> Ended | None:
        return None


@found_by("test_an_ended_record_is_remembered_for_a_short_time")
class EndsTwice(DictionaryStore):
    """A second `delete` begins the short time anew."""

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        if key in self.endings:
            self.endings[key] = Ended(self.clock())
        return super().delete(key, user_id=user_id)


@found_by("test_a_missing_record_is_never_made_by_another_method")
class EndsWhatNeverWas(DictionaryStore):
    """`delete` of a missing key leaves an ending."""

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        self.endings.setdefault(key, Ended(self.clock()))
        return super().delete(key, user_id=user_id)


@found_by("test_delete_ends_a_record")
class DeletesTwice(DictionaryStore):
    """A second `delete` is True again."""

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        return super().delete(key, user_id=user_id) or key in self.endings


@found_by("test_delete_asks_for_the_user")
class DeletesForAnyUser(DictionaryStore):
    """`delete` does not ask for the user."""

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        return super().delete(key)


@found_by("test_delete_asks_for_the_user")
class DeletesForAnEmptyUser(DictionaryStore):
    """`delete` takes the empty user for none."""

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        return super().delete(key, user_id=user_id or None)


@found_by("test_no_call_brings_an_ended_record_back")
class TouchBringsBack(DictionaryStore):
    """`touch` of an ended record is True."""

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        return super().touch(key, secret, expires_at, accessed_at) or key in self.endings


@found_by("test_two_keys_are_two_records")
class FoldsKeys(DictionaryStore):
    """Keys that differ in case only are one."""

    def live(self, key: str) -> Record | None:
        return super().live(key.lower())


@found_by("test_the_clock_of_a_store_can_be_set_later")
class KeepsItsFirstClock(DictionaryStore):
    """A clock that is set later is ignored."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.first_clock = clock

    def live(self, key: str) -> Record | None:
        record = self.records.get(key)
        return record if record is not None and record.expires_at > self.first_clock() else None


@found_by("test_create_with_the_secret_of_an_expired_record_begins_anew")
class TakesAnExpiredRecordForALostReply(DictionaryStore):
    """`create` with the secret of an expired record is True, and keeps nothing."""

    def create(self, key: str, record: Record) -> bool:
        kept = self.records.get(key)
        return (kept is not None and kept.secret == record.secret) or super().create(key, record)


@found_by("test_delete_asks_for_the_user_of_now")
class DeletesForTheFirstUser(DictionaryStore):
    """`delete` asks for the user with whom the record was made."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.first_users: dict[str, str | None] = {}

    def create(self, key: str, record: Record) -> bool:
        self.first_users.setdefault(key, record.user_id)
        return super().create(key, record)

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        is_another = user_id is not None and self.first_users.get(key) != user_id
        return not is_another and super().delete(key)


@found_by("test_what_a_record_does_not_have_comes_back_as_none")
class KeepsZeroForNone(DictionaryStore):
    """A record without a timeout is given a timeout of 0 seconds."""

    def kept(self, record: Record) -> Record:
        return replace(super().kept(record), timeout=record.timeout or 0.0)


@found_by("test_load_of_a_missing_key_is_none")
class TakesMissingForEnded(DictionaryStore):
    """`load` of a missing key returns an ending from long ago."""

    def load(self, key: str) -> Record | Ended | None:
        return super().load(key) or Ended(0.0)
