"""Tests of the names and values of a record, and of their order."""

from dataclasses import replace
from itertools import permutations

from sessions.record import Outcome
from sessions.testing.assertions import expect, record_in, values_in
from sessions.testing.clock import ManualClock
from sessions.testing.records import a_record, some_changes
from sessions.testing.suite import Suite, contract_test
from sessions.testing.under_test import StoreUnderTest

_NAMES = (
    *("id", "key", "secret", "user_id", "version", "values", "__x__", "_id", "v:a"),
    *("$set", "$", "a.b", "a[0]", ".", "0", "-1", "", " ", "a", "a ", "a b", "\0", "a\0", "a\0b"),
    *("cart", "Cart", "CART", "straße", "STRASSE", "é", "e\u0301", "ż", "😀", "'", '"', "\\"),
    *("%", "%s", "?", ":a", "{}", "\n", "null", "None", "n" * 200),
)


class ValueTests(Suite):
    """Test that a store keeps all names and values unchanged and in order."""

    @contract_test
    async def test_values_are_any_bytes(self, store: StoreUnderTest, clock: ManualClock) -> None:
        """`create` and `commit` keep empty values, values of a megabyte, and every byte."""
        values = {"empty": b"", "one": b"\0", "all": bytes(range(256)), "big": b"\xff" * 1_000_000}
        await store.create("made", a_record(clock, values))
        await store.create("key", a_record(clock))
        await store.commit("key", some_changes(clock, set=values))

        expect(await values_in(store, "made"), values, "the values after create")
        expect(await values_in(store, "key"), values, "the values after commit")

    @contract_test
    async def test_names_are_any_text(self, store: StoreUnderTest, clock: ManualClock) -> None:
        """Names that look alike are different names, and each can be changed and removed."""
        values = {name: b"of " + name.encode() for name in _NAMES}
        await store.create("key", a_record(clock, values, user_id="ada"))
        expect(await values_in(store, "key"), values, "the values after create")

        values = {name: value + b"!" for name, value in values.items()}
        await store.commit("key", some_changes(clock, set=values))
        wanted = a_record(clock, values, user_id="ada")
        expect(await store.load("key"), wanted, "load after a commit of each name")
        await store.commit("key", some_changes(clock, removed=frozenset(_NAMES[::2])))
        left = {name: values[name] for name in _NAMES[1::2]}
        expect(await values_in(store, "key"), left, "the values after every second name is removed")

    @contract_test
    async def test_some_of_the_names_are_removed_together(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A commit removes exactly the given names, in any order, and leaves all other names."""
        names = ("a", "b", "c", "none")
        sets = [some for count in range(1, 5) for some in permutations(names, count)]
        for number, removed in enumerate(sets):
            key, values = f"key {number}", {"a": b"1", "b": b"2", "c": b"3", "d": b"4"}
            await store.create(key, a_record(clock, values))
            changes = some_changes(clock, set={"e": b"5"}, removed=frozenset(removed))

            await store.commit(key, changes)

            values["e"] = b"5"
            left = {name: value for name, value in values.items() if name not in removed}
            expect(await values_in(store, key), left, f"the values after {removed} are removed")

    @contract_test
    async def test_each_absent_name_is_expected(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A commit that expects some names to be absent is a CONFLICT if one of them is there."""
        names = ("a", "b", "c")
        for there in names:
            for number, expected in enumerate(permutations(names)):
                key = f"{there} {number}"
                await store.create(key, a_record(clock, {there: b"1", "z": b"2"}))
                changes = some_changes(clock, expected=dict.fromkeys(expected))
                outcome = await store.commit(key, changes)
                expect(outcome, Outcome.CONFLICT, f"commit that expects no {expected}")

    @contract_test
    async def test_an_expectation_names_any_text(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A name in another letter case, or a longer name, is another name."""
        values = {name: name.encode() for name in _NAMES}
        await store.create("key", a_record(clock, values))

        met = await store.commit("key", some_changes(clock, expected=values))
        expect(met, Outcome.APPLIED, "commit that expects each value")
        for name in ("cART", "a\0\0", "$sets", "a.b.c", "N" * 200):
            changes = some_changes(clock, expected={name: b""})
            what = f"commit that expects a value under {name!r}"
            expect(await store.commit("key", changes), Outcome.CONFLICT, what)

    @contract_test
    async def test_users_are_any_text(self, store: StoreUnderTest, clock: ManualClock) -> None:
        """A user id is stored and compared unchanged."""
        for number, user_id in enumerate(("ż 😀", "o'neil", 'a"\\b', "$where", "12")):
            key = f"key{number}"
            await store.create(key, a_record(clock))
            await store.commit(key, some_changes(clock, user_id=user_id))

            expect((await record_in(store, key)).user_id, user_id, "user_id after a commit")
            expect(await store.delete(key, user_id=user_id), True, f"delete for {user_id!r}")

    @contract_test
    async def test_a_record_has_many_values(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """One commit sets hundreds of names, and another commit removes them."""
        values = {f"name{n}": b"%d" % n for n in range(600)}
        await store.create("key", a_record(clock, {"a": b"1"}))

        await store.commit("key", some_changes(clock, set=values))
        found = list((await values_in(store, "key")).items())
        expect(found, [("a", b"1"), *values.items()], "the values after a commit of 600 names")
        await store.commit("key", some_changes(clock, removed=frozenset(values)))
        expect(await values_in(store, "key"), {"a": b"1"}, "the values after their removal")

    @contract_test
    async def test_names_keep_the_order_in_which_they_were_set(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """New names go to the end, in the order of the changes."""
        await store.create("key", a_record(clock, {"m": b"", "z": b"", "a": b""}))
        expect(await _names(store), ["m", "z", "a"], "the names after create")

        await store.commit("key", some_changes(clock, set={"y": b"", "c": b"", "x": b""}))
        await store.commit("key", some_changes(clock, set={"b": b""}))
        await store.touch("key", some_changes(clock).secret, clock() + 100, clock())

        wanted = ["m", "z", "a", "y", "c", "x", "b"]
        expect(await _names(store), wanted, "the names after two commits and a touch")

    @contract_test
    async def test_a_name_that_is_set_again_keeps_its_place(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The name keeps its place in the order, even if the same commit sets new names."""
        await store.create("key", a_record(clock, {"c": b"", "b": b"", "a": b""}))

        await store.commit("key", some_changes(clock, set={"n": b"", "b": b"2", "c": b"2"}))

        expect(await _names(store), ["c", "b", "a", "n"], "the names after they were set again")

    @contract_test
    async def test_a_name_that_was_removed_comes_back_at_the_end(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The other names keep their order."""
        await store.create("key", a_record(clock, {"c": b"", "b": b"", "a": b""}))

        await store.commit("key", some_changes(clock, removed=frozenset("c")))
        expect(await _names(store), ["b", "a"], "the names after a removal")
        await store.commit("key", some_changes(clock, set={"c": b""}))
        expect(await _names(store), ["b", "a", "c"], "the names after the name was set again")

    @contract_test
    async def test_dictionaries_of_the_caller_stay_its_own(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """If a caller changes its dictionary after the call, the record does not change."""
        made, added = {"a": b"1"}, {"b": b"2"}
        await store.create("made", replace(a_record(clock), values=made))
        await store.create("key", a_record(clock))
        await store.commit("key", some_changes(clock, set=added))

        made["a"], added["b"] = b"changed", b"changed"
        made["c"] = added["d"] = b"new"

        what = "the values after the caller changed the dictionary"
        expect(await values_in(store, "made"), {"a": b"1"}, f"{what} that it created")
        expect(await values_in(store, "key"), {"b": b"2"}, f"{what} that it committed")

    @contract_test
    async def test_a_commit_keeps_what_was_loaded_before(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A store never changes a record in place, so a loaded record does not change."""
        await store.create("key", a_record(clock, {"a": b"1"}))
        before = await record_in(store, "key")

        await store.commit("key", some_changes(clock, set={"a": b"2", "b": b"2"}))
        await store.touch("key", before.secret, clock() + 500, clock() + 1)

        expect(before, a_record(clock, {"a": b"1"}), "a record that was loaded before a commit")


async def _names(store: StoreUnderTest) -> list[str]:
    return list((await record_in(store, "key")).values)
