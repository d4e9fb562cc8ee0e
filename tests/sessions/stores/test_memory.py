"""MemoryStore keeps its bounds, and what it does in one call is bounded too."""

import pytest

from sessions import (
    ConfigurationError,
    MemoryStore,
    Outcome,
    SessionContainer,
    SessionManager,
    StoreUnavailable,
)
from sessions.record import Ended, Record
from sessions.stores.base import PURGE_BATCH, PURGE_DELAY, REMEMBERED_FOR
from sessions.testing import ManualClock, a_record, some_changes
from sessions.testing.clock import START
from sessions.testing.records import SECRET
from sessions.testing.threads import in_parallel
from tests.support.apps import KEY


def test_a_full_store_refuses_and_drops_nothing() -> None:
    """A new session is refused; the live ones go on, and make room when they expire."""
    clock = ManualClock()
    store = MemoryStore(max_sessions=2, clock=clock)
    store.create("a", a_record(clock, lives=100))
    store.create("b", a_record(clock, lives=200))

    with pytest.raises(StoreUnavailable, match=r"max_sessions=2.*raise this limit"):
        store.create("c", a_record(clock))

    clock.advance(150)
    assert store.create("c", a_record(clock))
    assert store.load("b") is not None


def test_a_session_that_comes_during_a_load_is_there() -> None:
    """A load finds a record that another thread creates under the key of an ended session."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    store.create("a", a_record(clock))
    store.delete("a")
    record = a_record(clock)

    def clock_that_creates() -> float:
        store.clock = clock
        store.create("a", record)
        return clock()

    store.clock = clock_that_creates

    assert store.load("a") == record


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
    """Expired sessions leave room for a new session, and for one that grows."""
    clock = ManualClock(START + 1)
    store = MemoryStore(max_bytes=5_000, clock=clock)
    store.create("live", a_record(clock, lives=1000))
    for turn in range(2):
        store.create(f"old{turn}", a_record(clock, values={"x": b"1" * 3_000}, lives=5))
        clock.advance(6)

    assert len(store) == 2
    assert store.commit("live", some_changes(clock, set={"y": b"1" * 3_000})) is Outcome.APPLIED
    assert len(store) == 1


def test_the_counters_are_zero_after_all_sessions_have_ended() -> None:
    """The store counts nothing after threads created, changed, touched and deleted sessions."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)

    def live(n: int) -> None:
        for turn in range(200):
            key = f"{n}.{turn}"
            store.create(key, a_record(clock, values={"x": b"1"}))
            store.commit(key, some_changes(clock, set={"x": b"22", "y": b"3"}))
            store.touch(key, SECRET, clock() + 500 * (n + 1), clock())
            store.delete(key)

    in_parallel(8, live)

    assert repr(store) == "<MemoryStore: 0 sessions, 0 bytes>"


def test_bounds_that_keep_nothing_are_refused_together() -> None:
    """The error names both limits, with their values."""
    with pytest.raises(ConfigurationError) as caught:
        MemoryStore(max_sessions=0, max_bytes=-1)

    assert len(caught.value.problems) == 2
    assert "max_sessions=0" in caught.value.problems[0]


def test_a_bound_that_is_not_a_number_is_refused() -> None:
    """The store raises the error when it is made, not at the first write."""
    with pytest.raises(ConfigurationError) as caught:
        MemoryStore(max_bytes="1M")  # type: ignore[arg-type]

    assert caught.value.problems == (
        "MemoryStore(max_bytes='1M') is not a whole number. Fix: give a number such as 1_000_000",
    )


def test_a_create_removes_a_few_expired_records_only() -> None:
    """However many have expired, the request that comes next does not pay for all."""
    clock = ManualClock(START)
    store = MemoryStore(clock=clock)
    for number in range(1_000):
        store.create(f"old{number}", a_record(clock, lives=10))
    clock.advance(1_000)

    store.create("new", a_record(clock))

    assert 980 < len(store) < 1_000
    for number in range(200):
        store.create(f"new{number}", a_record(clock))
    assert len(store) == 201


def test_purge_removes_more_than_a_batch() -> None:
    """A large limit is cut into batches, between which others get their turn."""
    clock = ManualClock(START)
    store = MemoryStore(clock=clock)
    for number in range(3 * PURGE_BATCH):
        store.create(f"old{number}", a_record(clock, lives=10))
    clock.advance(10 + PURGE_DELAY + 1)

    assert store.purge(10 * PURGE_BATCH) == 3 * PURGE_BATCH
    assert len(store) == 0


def test_ends_are_forgotten_as_others_come() -> None:
    """The store remembers only the sessions that ended in the last minute."""
    clock = ManualClock(START)
    store = MemoryStore(clock=clock)
    for number in range(10):
        store.create(f"key{number}", a_record(clock, lives=10_000))
        store.delete(f"key{number}")
        clock.advance(REMEMBERED_FOR)

    assert store.load("key8") is None
    clock.advance(-1)
    assert store.load("key9") == Ended(START + 9 * REMEMBERED_FOR)


def test_a_session_that_was_ended_after_its_time_does_not_come_back() -> None:
    """The clock was ahead when the session ended, and is set right afterwards."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    store.create("a", a_record(clock))
    clock.advance(30 * 86_400)
    ended = store.delete("a")

    clock.set(START)

    assert not ended
    assert not isinstance(store.load("a"), Record)


def test_the_memory_store_forgets_users_without_sessions() -> None:
    """Each sign-in looks at some older entries: nobody has to purge."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    manager = SessionManager(SessionContainer(keys=[KEY], store=store, clock=clock))
    for number in range(500):
        clock.advance(1)
        with manager.create() as session:
            session.set_user(f"user {number % 7}")
        with manager.get(session.id) as session:
            session.destroy()

    assert len(store._users) < 200
    clock.advance(1000)
    manager.purge()
    assert len(store._users) == 0
