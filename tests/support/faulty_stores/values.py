"""Stores with faults in names and values."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from sessions.record import Changes, Outcome, Record
from tests.support.dictionary_store import DictionaryStore
from tests.support.faulty_stores.registry import found_by

Values = Mapping[str, bytes]


class Rewrites(DictionaryStore):
    """Keep other values than those that it is given."""

    def rewritten(self, values: Values) -> Values:
        """Return what is kept of the values."""
        return values

    def kept(self, record: Record) -> Record:
        return replace(record, values=self.rewritten(dict(record.values)))

    def changed(self, record: Record, changes: Changes) -> Record:
        changed = super().changed(record, changes)
        return replace(changed, values=self.rewritten(changed.values))


@found_by("test_names_are_any_text")
class FoldsNames(Rewrites):
    """Names that differ in case only are one."""

    def rewritten(self, values: Values) -> Values:
        return {name.lower(): value for name, value in values.items()}


@found_by("test_names_are_any_text")
class CutsNames(Rewrites):
    """A name ends at its first NUL."""

    def rewritten(self, values: Values) -> Values:
        return {name.partition("\0")[0]: value for name, value in values.items()}


@found_by("test_names_are_any_text")
class StripsNames(Rewrites):
    """A name ends before its spaces."""

    def rewritten(self, values: Values) -> Values:
        return {name.rstrip(" "): value for name, value in values.items()}


@found_by("test_names_are_any_text")
class DropsNamesOfItsOwn(Rewrites):
    """A name that begins with a dollar is the store's own."""

    def rewritten(self, values: Values) -> Values:
        return {name: value for name, value in values.items() if not name.startswith("$")}


@found_by("test_values_are_any_bytes")
class DropsEmptyValues(Rewrites):
    """An empty value is none."""

    def rewritten(self, values: Values) -> Values:
        return {name: value for name, value in values.items() if value}


@found_by("test_values_are_any_bytes")
class KeepsText(Rewrites):
    """A value goes through text on its way."""

    def rewritten(self, values: Values) -> Values:
        return {name: value.decode(errors="replace").encode() for name, value in values.items()}


@found_by("test_values_are_any_bytes")
class CutsLongValues(Rewrites):
    """A value has 65,535 bytes at most."""

    def rewritten(self, values: Values) -> Values:
        return {name: value[:65_535] for name, value in values.items()}


@found_by("test_names_keep_the_order_in_which_they_were_set")
class SortsNames(Rewrites):
    """Names stand in the order of the alphabet."""

    def rewritten(self, values: Values) -> Values:
        return dict(sorted(values.items()))


@found_by("test_names_keep_the_order_in_which_they_were_set")
class SortsNewNames(DictionaryStore):
    """Names that one commit adds stand in the order of the alphabet."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return super().changed(record, replace(changes, set=dict(sorted(changes.set.items()))))


@found_by("test_a_name_that_is_set_again_keeps_its_place")
class MovesNamesToTheEnd(DictionaryStore):
    """A name that is set again goes to the end."""

    def changed(self, record: Record, changes: Changes) -> Record:
        others = {n: v for n, v in record.values.items() if n not in changes.set}
        return super().changed(replace(record, values=others), changes)


@found_by("test_a_name_that_was_removed_comes_back_at_the_end")
class RemembersPlaces(Rewrites):
    """A name that was removed and set again goes back to its place."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.places: dict[str, int] = {}

    def rewritten(self, values: Values) -> Values:
        for name in values:
            self.places.setdefault(name, len(self.places))
        return {name: values[name] for name in sorted(values, key=self.places.__getitem__)}


@found_by("test_a_record_has_many_values")
class SetsFewNames(DictionaryStore):
    """A commit sets 500 names at most."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return super().changed(record, replace(changes, set=dict([*changes.set.items()][:500])))


@found_by("test_users_are_any_text")
class KeepsUsersAsNumbers(DictionaryStore):
    """A user's name that looks like a number is shortened like one."""

    def changed(self, record: Record, changes: Changes) -> Record:
        changed = super().changed(record, changes)
        return replace(changed, user_id=changed.user_id and changed.user_id.strip("12"))


@found_by("test_dictionaries_of_the_caller_stay_its_own")
class KeepsTheCallersDictionary(DictionaryStore):
    """`create` keeps the very dictionary that it is given."""

    def kept(self, record: Record) -> Record:
        return record


@found_by("test_a_commit_keeps_what_was_loaded_before")
class ChangesRecordsInPlace(DictionaryStore):
    """`commit` changes the values that others have loaded."""

    def changed(self, record: Record, changes: Changes) -> Record:
        changed = super().changed(record, changes)
        assert isinstance(record.values, dict)
        record.values.clear()
        record.values.update(changed.values)
        return replace(changed, values=record.values)


@found_by("test_a_record_comes_back_as_it_was_kept")
class VersionIsAlwaysTheNewest(DictionaryStore):
    """Whatever version a record has, 2 comes back."""

    def kept(self, record: Record) -> Record:
        return replace(super().kept(record), version=2)


@found_by("test_a_commit_keeps_the_version_of_the_record")
class CommitRaisesTheVersion(DictionaryStore):
    """`commit` writes the newest version."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return replace(super().changed(record, changes), version=2)


@found_by("test_commit_with_a_false_expectation_applies_nothing")
class FoldsExpectations(DictionaryStore):
    """A false expectation of a name in capitals is asked of the small one."""

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        small = {name.lower(): value for name, value in changes.expected.items()}
        return super().outcome(record, replace(changes, expected=small))
