"""Stores with faults in the times of a record."""

from collections.abc import Callable
from dataclasses import replace

from sessions.record import CLOCK_TOLERANCE, Changes, Record
from tests.support.dictionary_store import DictionaryStore
from tests.support.faulty_stores.registry import found_by


class Rounds(DictionaryStore):
    """Keep times with less than their fractions of seconds."""

    digits = 0

    def kept(self, record: Record) -> Record:
        return self.rounded(super().kept(record))

    def changed(self, record: Record, changes: Changes) -> Record:
        return self.rounded(super().changed(record, changes))

    def touched(self, record: Record, expires_at: float, accessed_at: float) -> Record:
        return self.rounded(super().touched(record, expires_at, accessed_at))

    def rounded(self, record: Record) -> Record:
        """Return the record with rounded times."""
        return replace(
            record,
            created_at=round(record.created_at, self.digits),
            accessed_at=round(record.accessed_at, self.digits),
            updated_at=round(record.updated_at, self.digits),
            expires_at=round(record.expires_at, self.digits),
        )


@found_by("test_a_record_comes_back_as_it_was_kept")
class RoundsToSeconds(Rounds):
    """Times are whole seconds."""


@found_by("test_a_record_comes_back_as_it_was_kept")
class RoundsToMilliseconds(Rounds):
    """Times are whole milliseconds."""

    digits = 3


@found_by("test_a_commit_sets_the_times_that_it_names")
class CommitRoundsToMicroseconds(DictionaryStore):
    """`commit` keeps times as a datetime does."""

    def changed(self, record: Record, changes: Changes) -> Record:
        accessed = round(changes.accessed_at, 6)
        return super().changed(record, replace(changes, accessed_at=accessed))


@found_by("test_touch_changes_times_only")
class TouchRounds(DictionaryStore):
    """`touch` keeps whole seconds."""

    def touched(self, record: Record, expires_at: float, accessed_at: float) -> Record:
        return super().touched(record, round(expires_at), accessed_at)


@found_by("test_a_far_expiry_is_kept")
class ExpiresInThisCentury(DictionaryStore):
    """Seconds have 32 bits."""

    def kept(self, record: Record) -> Record:
        kept = super().kept(record)
        return replace(kept, expires_at=min(kept.expires_at, 2.0**32))


@found_by("test_an_expiry_is_set_later_and_sooner")
class TouchNeverShortens(DictionaryStore):
    """`touch` sets a later expiry only."""

    def touched(self, record: Record, expires_at: float, accessed_at: float) -> Record:
        return super().touched(record, max(expires_at, record.expires_at), accessed_at)


@found_by("test_an_expiry_is_set_later_and_sooner")
class CommitNeverShortens(DictionaryStore):
    """`commit` sets a later expiry only."""

    def changed(self, record: Record, changes: Changes) -> Record:
        later = max(changes.expires_at, record.expires_at)
        return super().changed(record, replace(changes, expires_at=later))


@found_by("test_a_timeout_of_its_own_is_not_undone")
class TouchUndoesATimeout(DictionaryStore):
    """`touch` shortens the life of a record with a timeout of its own."""

    def touched(self, record: Record, expires_at: float, accessed_at: float) -> Record:
        return replace(super().touched(record, expires_at, accessed_at), expires_at=expires_at)


@found_by("test_a_timeout_of_its_own_is_not_undone")
class CommitUndoesATimeout(DictionaryStore):
    """`commit` shortens the life of a record with a timeout of its own."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return replace(super().changed(record, changes), expires_at=changes.expires_at)


@found_by("test_a_timeout_of_its_own_is_extended")
class ATimeoutIsNeverExtended(DictionaryStore):
    """The expiry of a record with a timeout of its own stays."""

    def touched(self, record: Record, expires_at: float, accessed_at: float) -> Record:
        touched = super().touched(record, expires_at, accessed_at)
        return replace(touched, expires_at=record.expires_at) if record.timeout else touched


@found_by("test_a_commit_that_names_a_timeout_sets_the_expiry")
class ANamedTimeoutShortensNothing(DictionaryStore):
    """A commit of a shorter timeout keeps the later expiry."""

    def changed(self, record: Record, changes: Changes) -> Record:
        changed = super().changed(record, changes)
        if record.timeout is None:
            return changed
        return replace(changed, expires_at=max(changed.expires_at, record.expires_at))


@found_by("test_a_commit_that_names_a_timeout_sets_the_expiry")
class ATimeoutThatIsTakenAwayShortensNothing(DictionaryStore):
    """A commit that takes the timeout away keeps the later expiry."""

    def changed(self, record: Record, changes: Changes) -> Record:
        changed = super().changed(record, changes)
        if changes.timeout is not None:
            return changed
        return replace(changed, expires_at=max(changed.expires_at, record.expires_at))


@found_by("test_an_earlier_use_leaves_all_times_alone")
class AnEarlierTouchRewinds(DictionaryStore):
    """`touch` sets an earlier time of access."""

    def touched(self, record: Record, expires_at: float, accessed_at: float) -> Record:
        touched = super().touched(record, expires_at, accessed_at)
        return replace(touched, accessed_at=accessed_at)


@found_by("test_an_earlier_use_leaves_all_times_alone")
class AnEarlierCommitRewinds(DictionaryStore):
    """`commit` sets an earlier time of access, and all that goes with it."""

    def changed(self, record: Record, changes: Changes) -> Record:
        earlier = min(changes.accessed_at, record.accessed_at)
        return super().changed(replace(record, accessed_at=earlier), changes)


@found_by("test_an_earlier_use_leaves_all_times_alone")
class AnEarlierCommitUpdates(DictionaryStore):
    """`commit` of an earlier use sets `updated_at`."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return replace(super().changed(record, changes), updated_at=changes.updated_at)


@found_by("test_an_earlier_use_leaves_all_times_alone")
class AnEarlierCommitIsLost(DictionaryStore):
    """`commit` of an earlier use sets no values."""

    def changed(self, record: Record, changes: Changes) -> Record:
        changed = super().changed(record, changes)
        return record if changes.accessed_at < record.accessed_at else changed


@found_by("test_an_earlier_use_leaves_all_times_alone")
class RefusesAnEarlierTouch(DictionaryStore):
    """`touch` of an earlier use is False."""

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        live = self.live(key)
        is_late = live is not None and accessed_at < live.accessed_at
        return not is_late and super().touch(key, secret, expires_at, accessed_at)


@found_by("test_a_use_at_the_same_moment_counts")
class AUseAtTheSameMomentIsEarlier(DictionaryStore):
    """A use at the moment of the last one leaves the times alone."""

    def touched(self, record: Record, expires_at: float, accessed_at: float) -> Record:
        touched = super().touched(record, expires_at, accessed_at)
        return record if accessed_at == record.accessed_at else touched


@found_by("test_an_earlier_use_may_begin_the_age_anew")
class AnEarlierSignInKeepsTheAge(DictionaryStore):
    """`created_at` of an earlier use is ignored."""

    def changed(self, record: Record, changes: Changes) -> Record:
        is_late = changes.accessed_at < record.accessed_at
        return super().changed(record, replace(changes, created_at=None) if is_late else changes)


@found_by("test_times_of_a_wrong_clock_count_as_now")
class BelievesAWrongClock(DictionaryStore):
    """Times that lie far ahead stay."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return record.changed_by(changes, self.clock() + 10_000_000)


@found_by("test_times_of_a_wrong_clock_count_as_now")
class TouchBelievesAWrongClock(DictionaryStore):
    """`touch` leaves `created_at` and `updated_at` far ahead."""

    def touched(self, record: Record, expires_at: float, accessed_at: float) -> Record:
        touched = super().touched(record, expires_at, accessed_at)
        return replace(touched, created_at=record.created_at, updated_at=record.updated_at)


@found_by("test_created_at_of_a_wrong_clock_counts_as_now")
class BelievesAWrongBirth(DictionaryStore):
    """`created_at` stays far ahead where the last use was right."""

    def changed(self, record: Record, changes: Changes) -> Record:
        is_right = record.accessed_at <= self.clock() + CLOCK_TOLERANCE
        changed = super().changed(record, changes)
        return replace(changed, created_at=record.created_at) if is_right else changed


@found_by("test_clocks_may_differ_by_a_minute")
class AllowsNoDifferenceOfClocks(DictionaryStore):
    """A time that lies a minute ahead is wrong already."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return record.changed_by(changes, self.clock() - 0.000_000_5)


@found_by("test_touch_changes_times_only")
class TouchUpdates(DictionaryStore):
    """`touch` sets `updated_at`."""

    def touched(self, record: Record, expires_at: float, accessed_at: float) -> Record:
        return replace(super().touched(record, expires_at, accessed_at), updated_at=accessed_at)


@found_by("test_touch_changes_times_only")
class TouchDropsValues(DictionaryStore):
    """`touch` loses a value."""

    def touched(self, record: Record, expires_at: float, accessed_at: float) -> Record:
        return replace(super().touched(record, expires_at, accessed_at), values={})


@found_by("test_touch_is_for_the_present_secret")
class TouchTakesAnySecret(DictionaryStore):
    """`touch` does not ask for the secret."""

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        live = self.live(key)
        return super().touch(key, live.secret if live else secret, expires_at, accessed_at)


@found_by("test_a_missing_record_is_never_made_by_another_method")
class TouchCreates(DictionaryStore):
    """`touch` makes a record where none is."""

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        if self.live(key) is None:
            self.records[key] = Record(
                values={},
                secret=secret,
                secret_since=accessed_at,
                created_at=accessed_at,
                accessed_at=accessed_at,
                updated_at=accessed_at,
                expires_at=expires_at,
            )
        return super().touch(key, secret, expires_at, accessed_at)


@found_by("test_the_expiry_that_was_set_last_counts")
class ExpiresAtTheFirstExpiry(DictionaryStore):
    """The expiry of `create` counts, whatever is shown."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.expiries: dict[str, float] = {}

    def create(self, key: str, record: Record) -> bool:
        self.expiries[key] = record.expires_at
        return super().create(key, record)

    def live(self, key: str) -> Record | None:
        return super().live(key) if self.expiries.get(key, 0.0) > self.clock() else None
