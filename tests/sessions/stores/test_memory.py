"""MemoryStore keeps the contract, and its bounds."""

from collections.abc import Callable

import pytest

from sessions import ConfigurationError, MemoryStore, Outcome, StoreUnavailable
from sessions.specimens import START, a_record, in_parallel, some_changes
from sessions.stores.base import Store
from sessions.testing import ManualClock, StoreContract


class TestMemoryStore(StoreContract):
    """The contract."""

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return an empty store."""
        return MemoryStore(clock=clock)


def test_a_full_store_refuses_and_drops_nothing() -> None:
    """A new session is refused; the live ones go on, and make room when they expire."""
    clock = ManualClock()
    store = MemoryStore(max_sessions=2, clock=clock)
    store.create("a", a_record(clock, lives=100))
    store.create("b", a_record(clock, lives=200))

    with pytest.raises(StoreUnavailable, match=r"max_sessions=2.*raise the bound"):
        store.create("c", a_record(clock))

    clock.advance(150)
    assert store.create("c", a_record(clock))
    assert store.load("b") is not None


def test_the_bytes_are_bounded_exactly() -> None:
    """Data over the bound is refused, and what is deleted makes room again."""
    clock = ManualClock()
    store = MemoryStore(max_bytes=5_000, clock=clock)
    store.create("a", a_record(clock, values={"x": b"1" * 3_000}))

    with pytest.raises(StoreUnavailable, match="max_bytes=5000"):
        store.create("b", a_record(clock, values={"x": b"1" * 3_000}))
    with pytest.raises(StoreUnavailable, match="max_bytes=5000"):
        store.commit("a", some_changes(clock, set={"y": b"1" * 3_000}))

    store.delete("a")
    assert store.create("b", a_record(clock, values={"x": b"1" * 3_000}))


def test_expired_sessions_make_room_for_bytes_at_once() -> None:
    """A store is not full of what is over: neither to a new session nor to one that grows."""
    clock = ManualClock(START + 1)
    store = MemoryStore(max_bytes=5_000, clock=clock)
    store.create("live", a_record(clock, lives=1000))
    for turn in range(2):
        store.create(f"old{turn}", a_record(clock, values={"x": b"1" * 3_000}, lives=5))
        clock.advance(6)

    assert len(store) == 2
    assert store.commit("live", some_changes(clock, set={"y": b"1" * 3_000})) is Outcome.APPLIED
    assert len(store) == 1


def test_nothing_is_left_of_sessions_that_came_and_went() -> None:
    """The books balance after threads created, moved, touched and deleted."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)

    def live(n: int) -> None:
        for turn in range(200):
            key = f"{n}.{turn}"
            store.create(key, a_record(clock, values={"x": b"1"}))
            store.commit(key, some_changes(clock, set={"x": b"22", "y": b"3"}))
            store.touch(key, clock() + 500 * (n + 1), clock())
            store.rename(key, f"new.{key}")
            store.delete(f"new.{key}")

    in_parallel(8, live)

    assert repr(store) == "<MemoryStore: 0 sessions, 0 bytes>"


def test_s67_bounds_that_keep_nothing_are_refused_together() -> None:
    """Both are named, with the value."""
    with pytest.raises(ConfigurationError) as caught:
        MemoryStore(max_sessions=0, max_bytes=-1)

    assert len(caught.value.problems) == 2
    assert "max_sessions=0" in caught.value.problems[0]


def test_a_bound_that_is_no_number_is_refused() -> None:
    """Not at the first write, but when the store is made."""
    with pytest.raises(ConfigurationError) as caught:
        MemoryStore(max_bytes="1M")  # type: ignore[arg-type]

    assert caught.value.problems == (
        "MemoryStore(max_bytes='1M') is no whole number; give one such as 1_000_000",
    )
