"""The rules of an index of users, which a store can have in addition to the contract."""

from collections.abc import Mapping
from functools import partial
from typing import cast

from sessions.errors import StoreUnavailable
from sessions.stores.base import PURGE_DELAY, REMEMBERED_FOR
from sessions.testing.assertions import expect
from sessions.testing.clock import ManualClock
from sessions.testing.race_tests import NEVER, some_of
from sessions.testing.records import NEW_SECRET, a_record, some_changes
from sessions.testing.suite import Suite, clock_test, contract_test
from sessions.testing.under_test import StoreUnderTest

_LIFE = 1000.0
_MANY = 500
_ALIKE = (
    *("ada", "Ada", "ada ", " ada", "ada\0", "\0", "ad", "adaa", "ada:a", "a{da}", "ada%", "a_a"),
    *("\u00e5", "a\u030a", "ß", "ss", "😀", "'; DROP TABLE sessions; --", "$ada", "a.da", "*"),
    *("1", "01", "1.0", "x" * 300, "x" * 301, "\udc80"),
)


class UserIndexTests(Suite):
    """Test the rules of an index of users."""

    @contract_test
    async def test_an_unknown_user_has_no_keys(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """An unknown user has no keys, and to remove an entry of this user is no error."""
        await _remove(store, "nobody", "key")

        expect(await _keys(store, "nobody"), {}, "keys_of_user of an unknown user")

    @contract_test
    async def test_a_key_comes_back_with_its_time(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The index returns the times that it was given, exact to the microsecond."""
        await store.create("b", a_record(clock, lives=_LIFE, user_id="ada"))
        times = {"a": clock() + _LIFE, "b": clock() + 2 * _LIFE + 0.000_25}
        for key, until in times.items():
            await _add(store, "ada", key, until)

        expect(await _keys(store, "ada"), times, "keys_of_user after two entries")

    @contract_test
    async def test_of_two_times_of_a_key_the_later_counts(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The later time counts, even if it is added first: clocks of two servers may differ."""
        early, late = clock() + _LIFE, clock() + 2 * _LIFE
        for key, times in (("a", (early, late)), ("b", (late, early))):
            for until in times:
                await _add(store, "ada", key, until)

        expect(await _keys(store, "ada"), {"a": late, "b": late}, "keys_of_user")

    @contract_test
    async def test_users_have_nothing_in_common(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Users are different if their ids differ in case, white space, Unicode form or length."""
        for number, user_id in enumerate(_ALIKE):
            await _add(store, user_id, f"key {number}", clock() + _LIFE)
        await _remove(store, "ada", "key 0", "key 1")

        for number, user_id in enumerate(_ALIKE):
            expected = [f"key {number}"] if number else []
            expect([*await _keys(store, user_id)], expected, f"keys_of_user({user_id!r})")

    @contract_test
    async def test_users_share_a_key(self, store: StoreUnderTest, clock: ManualClock) -> None:
        """If two users sign in with one browser, both users have the key of the session."""
        for user_id in ("ada", "bob"):
            await _add(store, user_id, "key", clock() + _LIFE)
        await _remove(store, "ada", "key")

        expect([*await _keys(store, "ada")], [], "keys_of_user of the first user")
        expect([*await _keys(store, "bob")], ["key"], "keys_of_user of the other user")

    @contract_test
    async def test_only_the_named_keys_are_removed(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """To remove a missing or an already removed key is no error."""
        for key in ("a", "b", "c", "d"):
            await _add(store, "ada", key, clock() + _LIFE)
        await _remove(store, "ada", "a", "c", "x")
        await _remove(store, "ada", "a")
        await _remove(store, "ada")

        expect(sorted(await _keys(store, "ada")), ["b", "d"], "keys_of_user after a removal")

    @contract_test
    async def test_an_entry_that_was_made_anew_is_not_removed(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """An entry stays if it got a later time after `keys_of_user` returned it."""
        await _add(store, "ada", "key", clock() + _LIFE)
        listed = await _keys(store, "ada")
        await _add(store, "ada", "key", clock() + _LIFE + 61)
        await store.ask("remove_from_user", "ada", listed)

        expect(await _keys(store, "ada"), {"key": clock() + _LIFE + 61}, "keys_of_user")

    @contract_test
    async def test_many_keys(self, store: StoreUnderTest, clock: ManualClock) -> None:
        """A user can have hundreds of sessions, and one call can remove hundreds of entries."""
        keys = [f"key {number}" for number in range(_MANY)]
        for key in keys:
            await _add(store, "ada", key, clock() + _LIFE)

        expect(
            sorted(await _keys(store, "ada")), sorted(keys), "keys_of_user of a user with many keys"
        )
        await _remove(store, "ada", *keys[1:])
        expect(
            [*await _keys(store, "ada")],
            keys[:1],
            "keys_of_user after the removal of all keys but one",
        )

    @contract_test
    async def test_an_entry_never_changes_with_its_record(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A new id, another user or a touch of the session does not change its entry."""
        until = clock() + _LIFE
        await store.create("key", a_record(clock, user_id="ada"))
        await _add(store, "ada", "key", until)
        await store.touch("key", a_record(clock).secret, clock() + 50, clock())
        await store.commit("key", some_changes(clock, new_secret=NEW_SECRET, user_id="bob"))
        await store.commit("key", some_changes(clock, secret=NEW_SECRET, user_id=None))

        expect(await _keys(store, "ada"), {"key": until}, "keys_of_user")

    @contract_test
    async def test_an_entry_waits_for_its_record(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """An entry is made before its record, and no other call removes the entry in between."""
        until = clock() + _LIFE
        await _add(store, "ada", "key", until)
        await store.delete("key")
        await store.purge(1000)
        await _add(store, "ada", "another", until)

        expect(
            sorted(await _keys(store, "ada")), ["another", "key"], "keys_of_user before the record"
        )
        await store.create("key", a_record(clock, user_id="ada"))
        expect(
            sorted(await _keys(store, "ada")), ["another", "key"], "keys_of_user after the record"
        )

    @contract_test
    async def test_entries_at_the_same_time(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Many logins of one user at the same time all get an entry."""
        keys = [f"key {number}" for number in range(16)]
        works = [partial(_add, store, "ada", key, clock() + _LIFE) for key in keys]

        await store.in_parallel(works)

        expect(
            sorted(await _keys(store, "ada")), sorted(keys), "keys_of_user after parallel logins"
        )

    @contract_test
    async def test_an_entry_beside_a_removal(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A login keeps its new entry, even if all older entries are removed at the same time."""
        points = await self._beside(store, clock, NEVER)
        for at in some_of(points, 0, self.points_at_most):
            await self._beside(store, clock, at)

    async def _beside(self, store: StoreUnderTest, clock: ManualClock, at: int) -> int:
        user_id, until = f"user {at}", clock() + _LIFE
        await _add(store, user_id, "old", until)

        _, _, points = await store.interrupt(
            partial(_remove, store, user_id, "old"), partial(_add, store, user_id, "new", until), at
        )

        expect([*await _keys(store, user_id)], ["new"], "keys_of_user after a login and a removal")
        return points

    @clock_test
    async def test_nothing_is_left_of_sessions_that_expired(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A purge removes entries together with their expired records."""
        await self._sign_in(store, clock, 100)
        clock.advance(100 + PURGE_DELAY + 2 * REMEMBERED_FOR + 1)
        await store.purge(1000)

        expect(await _keys(store, "ada"), {}, "keys_of_user after a purge")

    @clock_test
    async def test_nothing_is_left_of_sessions_that_were_ended(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """A purge removes the entries of ended sessions, and entries that never had a record."""
        keys = await self._sign_in(store, clock, 10_000)
        for key in keys:
            await store.delete(key)
        await _add(store, "ada", "never created", clock() + 20_000)
        clock.advance(PURGE_DELAY + 2 * REMEMBERED_FOR + 1)
        await store.purge(1000)

        expect(await _keys(store, "ada"), {}, "keys_of_user after a purge")

    @clock_test
    async def test_a_purge_keeps_the_entries_of_live_sessions(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """The entry of a live session stays, even if it is very old."""
        keys = await self._sign_in(store, clock, 10_000)
        for _ in range(3):
            clock.advance(3000)
            await store.purge(1000)

        expect(sorted(await _keys(store, "ada")), sorted(keys), "keys_of_user after three purges")

    async def _sign_in(self, store: StoreUnderTest, clock: ManualClock, lives: float) -> list[str]:
        keys = [f"key {number}" for number in range(3)]
        for key in keys:
            await _add(store, "ada", key, clock() + 20_000)
            await store.create(key, a_record(clock, lives=lives, user_id="ada"))
        return keys

    @contract_test
    async def test_a_broken_index_raises_store_unavailable(
        self, store: StoreUnderTest, clock: ManualClock
    ) -> None:
        """Each method of a broken index raises StoreUnavailable."""
        await _add(store, "ada", "key", clock() + _LIFE)
        await self.break_under_test(store)

        for verb, arguments in (
            ("add_to_user", ("ada", "another", clock() + _LIFE)),
            ("keys_of_user", ("ada",)),
            ("remove_from_user", ("ada", {"key": clock() + _LIFE})),
        ):
            try:
                answer = await store.ask(verb, *arguments)
            except StoreUnavailable:
                continue
            raise AssertionError(f"{verb} of a broken store returned {answer!r}")


async def _add(store: StoreUnderTest, user_id: str, key: str, until: float) -> None:
    await store.ask("add_to_user", user_id, key, until)


async def _keys(store: StoreUnderTest, user_id: str) -> dict[str, float]:
    return dict(cast(Mapping[str, float], await store.ask("keys_of_user", user_id)))


async def _remove(store: StoreUnderTest, user_id: str, *keys: str) -> None:
    found = await _keys(store, user_id)
    entries = {key: found.get(key, 0.0) for key in keys}
    await store.ask("remove_from_user", user_id, entries)
