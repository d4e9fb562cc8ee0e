"""Stores that give out their expired records: each record exactly once."""

from concurrent.futures import ThreadPoolExecutor

from sessions import Record, Store
from sessions.stores.base import PURGE_DELAY
from sessions.stores.expiring import Expiring
from sessions.testing import ManualClock
from sessions.testing.records import a_record


def expiring(store: Store) -> Expiring:
    """Return the store, which gives out its expired records."""
    assert isinstance(store, Expiring)
    return store


def fill(store: Store, clock: ManualClock, number: int) -> dict[str, Record]:
    """Store records that live for an hour."""
    records = {f"{n:064x}": a_record(clock, values={"n": b"\x01"}) for n in range(number)}
    for key, record in records.items():
        assert store.create(key, record)
    return records


def test_a_live_record_is_not_taken(store: Store, clock: ManualClock) -> None:
    """Nor is one that nobody stored."""
    records = fill(store, clock, 1)
    clock.advance(99)

    assert [expiring(store).take_expired(key) for key in (*records, "f" * 64)] == [None, None]
    assert all(store.load(key) == record for key, record in records.items())


def test_one_caller_gets_an_expired_record(store: Store, clock: ManualClock) -> None:
    """Of many that ask at the same time; the record has its values."""
    ((key, record),) = fill(store, clock, 1).items()
    clock.advance(100)

    with ThreadPoolExecutor(8) as pool:
        taken = [*pool.map(lambda _: expiring(store).take_expired(key), range(24))]

    assert [one for one in taken if one is not None] == [record]


def test_a_purge_gives_out_what_it_removes(store: Store, clock: ManualClock) -> None:
    """Each record once, at most as many as the limit; nothing is left for the next purge."""
    records = fill(store, clock, 30)
    early = expiring(store).purge_expired(100)
    clock.advance(101 + PURGE_DELAY)

    with ThreadPoolExecutor(4) as pool:
        batches = [*pool.map(lambda _: expiring(store).purge_expired(7), range(8))]

    taken = [pair for batch in batches for pair in batch]
    assert early == []
    assert max(map(len, batches)) <= 7
    assert len(taken) == 30
    assert dict(taken) == records
    assert store.purge(100) == 0


def test_an_ended_record_is_not_given_out(store: Store, clock: ManualClock) -> None:
    """Its end was told already."""
    ((key, _),) = fill(store, clock, 1).items()
    assert store.delete(key)
    clock.advance(3600)

    assert expiring(store).take_expired(key) is None
    assert expiring(store).purge_expired(100) == []


def test_a_collecting_store_leaves_expired_records_to_the_purge(
    store: Store, clock: ManualClock
) -> None:
    """Creations do not remove them silently."""
    fill(store, clock, 10)
    expiring(store).collects_expired = True
    clock.advance(101 + PURGE_DELAY)
    for n in range(300):
        store.create(f"{n + 1000:064x}", a_record(clock))

    assert len(expiring(store).purge_expired(100)) == 10
