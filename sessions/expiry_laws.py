"""The laws of the store contract that need a clock which the test moves."""

from collections.abc import Callable
from functools import partial
from unittest import SkipTest

from sessions.record import Changes
from sessions.specimens import (
    MICROSECOND,
    START,
    ManualClock,
    a_record,
    expect,
    some_changes,
    values_of,
)
from sessions.stores.base import Outcome, Store

_HINT = "; does the store take the present from self.clock()?"


class ExpiryLaws:
    """Hold a store to its times.

    `server_expires` is True for a store whose server removes expired records by a clock of its own:
    these tests are skipped then.
    """

    server_expires = False

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return a fresh, empty store that reads the clock."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say which store it is about: give it"
            " def make_store(self, clock), which returns a fresh, empty store that reads the clock"
        )

    def test_s57_a_record_is_absent_exactly_at_its_expiry(self) -> None:
        """One microsecond before, it is there; at the moment, no method sees it."""
        store, clock = self._store_on_our_clock()
        store.create("key", a_record(clock, lives=100))

        clock.set(START + 100 - MICROSECOND)
        before = store.load("key") is not None
        expect(before, True, f"load a microsecond before the expiry{_HINT}")
        clock.set(START + 100)
        expect(store.load("key"), None, f"load at the expiry{_HINT}")
        changes = some_changes(clock, set={"a": b"1"})
        expect(store.commit("key", changes), Outcome.GONE, "commit at the expiry")
        expect(store.touch("key", clock() + 100, clock()), False, "touch at the expiry")
        expect(store.rename("key", "new"), False, "rename at the expiry")
        expect(store.delete("key"), False, "delete at the expiry")
        expect(store.create("key", a_record(clock)), True, "create at the expiry")
        expect(values_of(store, "key"), {}, "the values of the record that follows")

    def test_rename_to_an_expired_key_inherits_nothing(self) -> None:
        """An expired record is no obstacle and leaves no residue."""
        store, clock = self._store_on_our_clock()
        store.create("new", a_record(clock, values={"old": b"1"}, lives=10))
        store.create("key", a_record(clock, values={"a": b"1"}))
        clock.advance(20)

        expect(store.rename("key", "new"), True, "rename to a key whose record expired")
        expect(values_of(store, "new"), {"a": b"1"}, "the values after it")

    def test_touch_extends_and_shortens_a_life(self) -> None:
        """The time that touch sets is the time that counts."""
        store, clock = self._store_on_our_clock()
        store.create("longer", a_record(clock, lives=100))
        store.create("shorter", a_record(clock, lives=100))
        store.touch("longer", START + 200, clock())
        store.touch("shorter", START + 50, clock())

        clock.set(START + 150)

        expect(store.load("longer") is not None, True, "load of the extended record")
        expect(store.load("shorter"), None, "load of the shortened record")

    def test_s62_touch_does_not_shorten_the_life_of_a_timeout_of_its_own(self) -> None:
        """A slow reader reckons with the timeout that it saw, and must not undo a longer one."""
        store, clock = self._store_on_our_clock()
        for key in ("extended", "kept"):
            store.create(key, a_record(clock, lives=100, timeout=100.0))
        store.touch("extended", START + 200, clock())
        store.touch("kept", START + 50, clock())

        clock.set(START + 100 - MICROSECOND)
        expect(store.load("kept") is not None, True, "load after a touch with an earlier expiry")
        clock.set(START + 150)
        expect(store.load("kept"), None, "load at the end of its life")
        expect(store.load("extended") is not None, True, "load of the extended record")

    def test_s62_only_a_commit_with_a_timeout_shortens_it(self) -> None:
        """Others come from requests that may have seen an earlier timeout."""
        store, clock = self._store_on_our_clock()
        for key in ("kept", "shortened"):
            store.create(key, a_record(clock, lives=100, timeout=100.0))
        earlier = partial(Changes, accessed_at=START, updated_at=START, expires_at=START + 50)
        store.commit("kept", earlier())
        store.commit("shortened", earlier(timeout=50.0))

        clock.set(START + 50)

        expect(store.load("kept") is not None, True, "load after a commit with an earlier expiry")
        expect(store.load("shortened"), None, "load after a commit with a shorter timeout")

    def test_s66_purge_removes_expired_records_only_and_in_batches(self) -> None:
        """At most `limit` at a time, until none is left."""
        store, clock = self._store_on_our_clock()
        for n in range(5):
            store.create(f"old{n}", a_record(clock, values={"a": b"1"}, lives=10 + n))
        store.create("live", a_record(clock, values={"a": b"1"}, lives=100))
        clock.advance(50)

        expect([store.purge(2) for _ in range(4)], [2, 2, 1, 0], "four purges of two at most")
        expect(values_of(store, "live"), {"a": b"1"}, "the live record")

    def _store(self) -> tuple[Store, ManualClock]:
        clock = ManualClock()
        return self.make_store(clock), clock

    def _store_on_our_clock(self) -> tuple[Store, ManualClock]:
        if self.server_expires:
            raise SkipTest("the server removes expired records by its own clock")
        return self._store()
