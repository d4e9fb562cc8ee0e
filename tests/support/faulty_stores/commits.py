"""Stores with faults in commits."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from sessions.record import UNCHANGED, Changes, Outcome, Record
from tests.support.dictionary_store import DictionaryStore
from tests.support.faulty_stores.registry import found_by


@found_by("test_commit_with_a_false_expectation_applies_nothing")
class ExpectsNothing(DictionaryStore):
    """`expected` is ignored."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        return super().outcome(record, replace(changes, expected={}))


@found_by("test_commit_with_a_false_expectation_applies_nothing")
class ExpectsNoAbsence(DictionaryStore):
    """A name that must be absent is not looked at."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        named = {name: value for name, value in changes.expected.items() if value is not None}
        return super().outcome(record, replace(changes, expected=named))


@found_by("test_commit_with_a_false_expectation_applies_nothing")
class TakesEmptyForAbsent(DictionaryStore):
    """An empty value and an absent one are the same to an expectation."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        full = {name: value for name, value in record.values.items() if value}
        wanted = {name: value or None for name, value in changes.expected.items()}
        return super().outcome(replace(record, values=full), replace(changes, expected=wanted))


@found_by("test_commit_with_a_false_expectation_applies_nothing")
class AppliesBeforeItAsks(DictionaryStore):
    """Values are set before a conflict is found."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        outcome = super().outcome(record, changes)
        if outcome is Outcome.CONFLICT:
            self.records["key"] = replace(record, values={**record.values, **changes.set})
        return outcome


@found_by("test_commit_with_a_false_expectation_applies_nothing")
class LooksAtOneExpectation(DictionaryStore):
    """Only the first name of `expected` counts."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        return super().outcome(
            record, replace(changes, expected=dict([*changes.expected.items()][:1]))
        )


@found_by("test_commit_with_a_true_expectation_is_applied")
class NeverMeetsAnEmptyValue(DictionaryStore):
    """An expectation of an empty value is never met."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        wanted = {name: value or b"?" for name, value in changes.expected.items() if value == b""}
        return super().outcome(record, replace(changes, expected={**changes.expected, **wanted}))


@found_by("test_an_expectation_names_any_text")
class LooksForNamesAsPaths(DictionaryStore):
    """A name with a dot is looked for in the value of what stands before it."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        flat = {name: value for name, value in record.values.items() if "." not in name}
        return super().outcome(replace(record, values=flat), changes)


@found_by("test_an_expectation_is_of_now", "test_commits_of_two_requests_both_survive")
class MergesWithWhatWasMade(DictionaryStore):
    """A commit applies to the values that `create` was given."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.first: Mapping[str, bytes] = {}

    def kept(self, record: Record) -> Record:
        self.first = dict(record.values)
        return super().kept(record)

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        return super().outcome(replace(record, values=self.first), changes)

    def changed(self, record: Record, changes: Changes) -> Record:
        return super().changed(replace(record, values=self.first), changes)


@found_by("test_the_first_reason_is_told")
class ConflictComesFirst(DictionaryStore):
    """A false expectation is told before another secret is."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        if super().outcome(record, replace(changes, secret=record.secret)) is Outcome.CONFLICT:
            return Outcome.CONFLICT
        return super().outcome(record, changes)


@found_by("test_a_missing_record_is_never_made_by_another_method")
class TellsSupersededForGone(DictionaryStore):
    """A missing record has another secret."""

    def commit(self, key: str, changes: Changes) -> Outcome:
        outcome = super().commit(key, changes)
        return Outcome.SUPERSEDED if outcome is Outcome.GONE else outcome


@found_by("test_a_commit_for_another_secret_applies_nothing")
class TakesAnySecret(DictionaryStore):
    """SUPERSEDED is never told."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        return super().outcome(record, replace(changes, secret=record.secret))


@found_by("test_a_commit_for_another_secret_applies_nothing")
class TellsGoneForSuperseded(DictionaryStore):
    """A record with another secret is none."""

    def commit(self, key: str, changes: Changes) -> Outcome:
        outcome = super().commit(key, changes)
        return Outcome.GONE if outcome is Outcome.SUPERSEDED else outcome


@found_by("test_a_name_that_is_set_and_removed_is_removed")
class RemovesBeforeItSets(DictionaryStore):
    """A name that is set and removed is set."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return super().changed(record, replace(changes, removed=changes.removed - {*changes.set}))


@found_by("test_commit_merges_with_what_is_there_now")
class ReplacesAllValues(DictionaryStore):
    """Values that the changes do not name are lost."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return super().changed(replace(record, values={}), changes)


@found_by("test_commit_merges_with_what_is_there_now")
class RemovesNothing(DictionaryStore):
    """`removed` is ignored."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return super().changed(record, replace(changes, removed=frozenset()))


@found_by("test_user_and_timeout_change_only_if_they_are_named")
class KeepsTheUserForNone(DictionaryStore):
    """A user is not taken away."""

    def changed(self, record: Record, changes: Changes) -> Record:
        named = UNCHANGED if changes.user_id is None else changes.user_id
        return super().changed(record, replace(changes, user_id=named))


@found_by("test_user_and_timeout_change_only_if_they_are_named")
class KeepsTheTimeoutForNone(DictionaryStore):
    """A timeout is not taken away."""

    def changed(self, record: Record, changes: Changes) -> Record:
        named = UNCHANGED if changes.timeout is None else changes.timeout
        return super().changed(record, replace(changes, timeout=named))


@found_by("test_user_and_timeout_change_only_if_they_are_named")
class DropsTheUser(DictionaryStore):
    """A commit that does not name the user takes it away."""

    def changed(self, record: Record, changes: Changes) -> Record:
        named = None if changes.user_id is UNCHANGED else changes.user_id
        return super().changed(record, replace(changes, user_id=named))


@found_by("test_user_and_timeout_change_only_if_they_are_named")
class DropsTheTimeout(DictionaryStore):
    """A commit that does not name the timeout takes it away."""

    def changed(self, record: Record, changes: Changes) -> Record:
        named = None if changes.timeout is UNCHANGED else changes.timeout
        return super().changed(record, replace(changes, timeout=named))


@found_by("test_created_at_begins_anew_if_it_is_named")
class KeepsItsAge(DictionaryStore):
    """`created_at` of the changes is ignored."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return super().changed(record, replace(changes, created_at=None))


@found_by("test_created_at_begins_anew_if_it_is_named")
class BeginsItsAgeWithEachCommit(DictionaryStore):
    """Each commit sets `created_at`."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return replace(super().changed(record, changes), created_at=self.clock())


@found_by("test_a_commit_without_values_changes_no_value")
class IgnoresCommitsWithoutValues(DictionaryStore):
    """A commit that sets no value does nothing."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return super().changed(record, changes) if changes.set or changes.removed else record


@found_by("test_a_missing_record_is_never_made_by_another_method")
class CommitCreates(DictionaryStore):
    """`commit` makes a record where none is."""

    def commit(self, key: str, changes: Changes) -> Outcome:
        now = self.clock()
        if self.live(key) is None:
            made = Record(
                values=dict(changes.set),
                secret=changes.secret,
                secret_since=now,
                created_at=now,
                accessed_at=now,
                updated_at=now,
                expires_at=changes.expires_at,
            )
            self.records[key] = made
        return super().commit(key, changes)


@found_by("test_a_commit_that_clears_drops_all_values_of_before")
class KeepsClearedValues(DictionaryStore):
    """A commit that clears merges all the same."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return super().changed(record, replace(changes, clear=False))
