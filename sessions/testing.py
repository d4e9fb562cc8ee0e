"""The suite that every store passes, and a clock that a test moves."""

from functools import partial

from sessions.expiry_laws import ExpiryLaws
from sessions.record import Changes
from sessions.specimens import (
    ManualClock,
    a_record,
    expect,
    in_parallel,
    loaded_from,
    some_changes,
    values_of,
)
from sessions.stores.base import Outcome

__all__ = ["ManualClock", "StoreContract"]


class StoreContract(ExpiryLaws):
    """Hold a store to the contract of `sessions.stores.base`.

    Subclass it in a test module as `class TestMyStore(StoreContract)` and return a fresh, empty
    store from `make_store`.
    """

    # load, create

    def test_s88_load_of_a_missing_key_is_none(self) -> None:
        """Absence is a value, not an error."""
        store, _ = self._store()

        expect(store.load("missing"), None, "load of a missing key")

    def test_s88_create_then_load_gives_the_record_back(self) -> None:
        """Every field comes back as it was kept."""
        store, clock = self._store()
        record = a_record(clock, values={"a": b"1", "b": b""}, timeout=77.5, user_id="ada")

        expect(store.create("key", record), True, "create of a free key")
        expect(store.load("key"), record, "load after create")

    def test_s88_create_of_a_taken_key_changes_nothing(self) -> None:
        """False, and the first record stays."""
        store, clock = self._store()
        store.create("key", a_record(clock, values={"a": b"first"}))

        expect(store.create("key", a_record(clock)), False, "create of a taken key")
        expect(values_of(store, "key"), {"a": b"first"}, "the values after a refused create")

    def test_s39_of_many_parallel_creates_one_wins(self) -> None:
        """Create is atomic."""
        store, clock = self._store()

        made = in_parallel(8, lambda n: store.create("key", a_record(clock, {"n": b"%d" % n})))

        expect(made.count(True), 1, "parallel creates of one key that returned True")

    def test_a_loaded_record_is_the_callers_own(self) -> None:
        """Changing it changes nothing in the store."""
        store, clock = self._store()
        record = a_record(clock, values={"a": b"1"})
        store.create("key", record)
        record.values["a"] = b"changed before"

        loaded = loaded_from(store, "key")
        loaded.values["a"] = b"changed after"

        expect(values_of(store, "key"), {"a": b"1"}, "the values after the caller changed its copy")

    def test_s92_values_are_any_bytes(self) -> None:
        """Empty, one byte, a megabyte and every octet."""
        store, clock = self._store()
        values = {"empty": b"", "one": b"\0", "all": bytes(range(256)), "big": b"\xff" * 1_000_000}
        store.create("key", a_record(clock, values=values))

        expect(values_of(store, "key"), values, "the values after create")

    def test_s18_names_are_any_text(self) -> None:
        """A name that looks like the store's own neither clobbers nor breaks anything."""
        store, clock = self._store()
        names = [
            "id",
            "key",
            "user_id",
            "version",
            "__x__",
            "$set",
            "a.b",
            "",
            "\0",
            "ż",
            "😀",
            "a b",
        ]
        values = {name: name.encode() for name in names}
        store.create("key", a_record(clock, values=values, user_id="ada"))

        expect(store.commit("key", some_changes(clock, set=values)), Outcome.APPLIED, "commit")
        expect(store.load("key"), a_record(clock, values=values, user_id="ada"), "load after it")

    # commit

    def test_s88_commit_merges_with_what_is_there_now(self) -> None:
        """The named values are set or removed, the others stay."""
        store, clock = self._store()
        store.create("key", a_record(clock, values={"a": b"1", "b": b"2", "c": b"3"}))

        changes = some_changes(clock, set={"b": b"22", "d": b"4"}, removed=frozenset({"c", "x"}))

        expect(store.commit("key", changes), Outcome.APPLIED, "commit on a live record")
        merged = {"a": b"1", "b": b"22", "d": b"4"}
        expect(values_of(store, "key"), merged, "the values after the commit")

    def test_commit_sets_times_timeout_and_user(self) -> None:
        """What the changes name is kept; None leaves timeout and user as they are."""
        store, clock = self._store()
        store.create("key", a_record(clock, timeout=5.0, user_id="ada"))
        now = clock()
        changed = partial(Changes, accessed_at=now + 1, updated_at=now + 2, expires_at=now + 300)

        store.commit("key", changed())
        store.commit("key", changed(timeout=9.0))
        store.commit("key", changed(user_id="eve"))

        record = loaded_from(store, "key")
        found = (record.accessed_at, record.updated_at, record.expires_at)
        expect(found, (now + 1, now + 2, now + 300), "the times after the commit")
        expect((record.timeout, record.user_id), (9.0, "eve"), "timeout and user after the commits")
        expect(record.created_at, now, "created_at, which no commit changes")

    def test_s89_commit_on_a_missing_record_creates_nothing(self) -> None:
        """GONE, and still nothing there."""
        store, clock = self._store()

        outcome = store.commit("key", some_changes(clock, set={"a": b"1"}))

        expect(outcome, Outcome.GONE, "commit on a missing record")
        expect(store.load("key"), None, "load after a commit that was GONE")

    def test_commit_on_a_missing_record_is_gone_whatever_it_expects(self) -> None:
        """Absence of the record comes before absence of a value."""
        store, clock = self._store()

        expectations: list[dict[str, bytes | None]] = [{"a": None}, {"a": b"1"}]
        for expected in expectations:
            changes = some_changes(clock, set={"a": b"2"}, expected=expected)
            expect(store.commit("key", changes), Outcome.GONE, f"commit expecting {expected}")

    def test_commit_with_a_true_expectation_is_applied(self) -> None:
        """A named value that is still the same, a named absence that is still one."""
        store, clock = self._store()
        store.create("key", a_record(clock, values={"a": b"1"}))
        expected: dict[str, bytes | None] = {"a": b"1", "b": None}

        outcome = store.commit("key", some_changes(clock, set={"a": b"2"}, expected=expected))

        expect(outcome, Outcome.APPLIED, "commit with a true expectation")
        expect(values_of(store, "key"), {"a": b"2"}, "the values after it")

    def test_commit_with_a_false_expectation_applies_nothing(self) -> None:
        """CONFLICT: no value, no time, no user changes."""
        store, clock = self._store()
        record = a_record(clock, values={"a": b"1"})
        store.create("key", record)

        for expected in ({"a": b"other"}, {"a": None}, {"b": b""}, {"a": b"1", "b": b"1"}):
            changes = Changes(
                accessed_at=clock() + 5,
                updated_at=clock() + 5,
                expires_at=clock() + 500,
                set={"a": b"2", "n": b"new"},
                removed=frozenset({"a"}),
                expected=expected,
                user_id="eve",
            )
            expect(store.commit("key", changes), Outcome.CONFLICT, f"commit expecting {expected}")
            expect(store.load("key"), record, "the record after a CONFLICT")

    def test_s25_parallel_commits_of_different_names_all_survive(self) -> None:
        """Nobody's value is lost."""
        store, clock = self._store()
        store.create("key", a_record(clock))

        in_parallel(8, lambda n: store.commit("key", some_changes(clock, set={f"k{n}": b"%d" % n})))

        wanted = {f"k{n}": b"%d" % n for n in range(8)}
        expect(values_of(store, "key"), wanted, "the values after parallel commits")

    def test_of_parallel_commits_with_one_expectation_one_is_applied(self) -> None:
        """Comparing and setting is one step."""
        store, clock = self._store()
        store.create("key", a_record(clock, values={"a": b"0"}))

        def claim(n: int) -> Outcome:
            mine = some_changes(clock, set={"a": b"by %d" % n}, expected={"a": b"0"})
            return store.commit("key", mine)

        outcomes = in_parallel(8, claim)

        expect(outcomes.count(Outcome.APPLIED), 1, "parallel commits that claimed the same value")
        expect(outcomes.count(Outcome.CONFLICT), 7, "the others")

    # touch

    def test_s90_touch_changes_two_times_only(self) -> None:
        """Values, user, timeout and the other times stay."""
        store, clock = self._store()
        record = a_record(clock, values={"a": b"1"}, timeout=5.0, user_id="ada")
        store.create("key", record)

        expect(store.touch("key", clock() + 200, clock() + 3), True, "touch of a live record")
        record.expires_at, record.accessed_at = clock() + 200, clock() + 3
        expect(store.load("key"), record, "load after touch")

    def test_s89_touch_of_a_missing_record_creates_nothing(self) -> None:
        """False, and still nothing there."""
        store, clock = self._store()

        expect(store.touch("key", clock() + 100, clock()), False, "touch of a missing record")
        expect(store.load("key"), None, "load after it")

    # delete, rename

    def test_s45_delete_tells_whether_there_was_a_record(self) -> None:
        """It is idempotent and no error."""
        store, clock = self._store()
        store.create("key", a_record(clock, values={"a": b"1"}))

        expect(store.delete("key"), True, "delete of a live record")
        expect(store.load("key"), None, "load after delete")
        expect(store.delete("key"), False, "delete of a deleted record")
        expect(store.delete("never"), False, "delete of a key that never was")

    def test_s88_a_key_is_free_again_after_delete(self) -> None:
        """A new record under it inherits nothing."""
        store, clock = self._store()
        store.create("key", a_record(clock, values={"old": b"1"}, user_id="ada"))
        store.delete("key")

        expect(store.create("key", a_record(clock)), True, "create after delete")
        expect(store.load("key"), a_record(clock), "load after it")

    def test_s88_rename_moves_the_record_as_it_is(self) -> None:
        """The old key is dead, the new one has everything."""
        store, clock = self._store()
        record = a_record(clock, values={"a": b"1"}, timeout=5.0, user_id="ada")
        store.create("old", record)

        expect(store.rename("old", "new"), True, "rename of a live record")
        expect(store.load("old"), None, "load of the old key")
        expect(store.load("new"), record, "load of the new key")
        gone = store.commit("old", some_changes(clock, set={"a": b"2"}))
        expect(gone, Outcome.GONE, "commit on the old key")

    def test_s88_rename_of_a_missing_record_is_false(self) -> None:
        """And creates nothing."""
        store, _ = self._store()

        expect(store.rename("old", "new"), False, "rename of a missing record")
        expect(store.load("new"), None, "load of the new key")

    def test_s6_rename_never_overwrites(self) -> None:
        """False, and both records stay."""
        store, clock = self._store()
        store.create("old", a_record(clock, values={"a": b"old"}))
        store.create("new", a_record(clock, values={"a": b"new"}))

        expect(store.rename("old", "new"), False, "rename to a taken key")
        expect(values_of(store, "old"), {"a": b"old"}, "the record to move")
        expect(values_of(store, "new"), {"a": b"new"}, "the record in the way")

    def test_s37_of_many_parallel_renames_one_wins(self) -> None:
        """Exactly one new key lives."""
        store, clock = self._store()
        store.create("key", a_record(clock, values={"a": b"1"}))

        moved = in_parallel(8, lambda n: store.rename("key", f"new{n}"))

        expect(moved.count(True), 1, "parallel renames of one key that returned True")
        alive = [n for n in range(8) if store.load(f"new{n}") is not None]
        expect(alive, [moved.index(True)], "the new keys that live")
