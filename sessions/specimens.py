"""A clock that a test moves, and records and changes to try a store with."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from sessions.record import Changes, Record
from sessions.stores.base import Store

START = 1_800_000_000.0
MICROSECOND = 0.000_001

T = TypeVar("T")


class ManualClock:
    """Tell the time that the test has set, in epoch seconds."""

    def __init__(self, now: float = START) -> None:
        self._now = now

    def __call__(self) -> float:
        """Return the present."""
        return self._now

    def advance(self, by: float | timedelta) -> None:
        """Let time pass, in seconds or as a timedelta."""
        self._now += by.total_seconds() if isinstance(by, timedelta) else by

    def set(self, now: float) -> None:
        """Set the present, in epoch seconds."""
        self._now = now


def expect(found: object, wanted: object, what: str) -> None:
    """Raise AssertionError that says which law of the contract is broken."""
    if found != wanted:
        raise AssertionError(f"{what}: expected {wanted!r}, got {found!r}")


def a_record(
    clock: Callable[[], float],
    values: dict[str, bytes] | None = None,
    *,
    lives: float = 100,
    timeout: float | None = None,
    user_id: str | None = None,
) -> Record:
    """Make a record that is born now and lives for so many seconds."""
    now = clock()
    return Record(
        values=dict(values or {}),
        created_at=now,
        accessed_at=now,
        updated_at=now,
        expires_at=now + lives,
        timeout=timeout,
        user_id=user_id,
    )


def some_changes(
    clock: Callable[[], float],
    *,
    set: dict[str, bytes] | None = None,
    removed: frozenset[str] = frozenset(),
    expected: dict[str, bytes | None] | None = None,
) -> Changes:
    """Make changes that leave the times of `a_record` as they are."""
    now = clock()
    return Changes(
        accessed_at=now,
        updated_at=now,
        expires_at=now + 100,
        set=set or {},
        removed=removed,
        expected=expected or {},
    )


def loaded_from(store: Store, key: str) -> Record:
    """Return the record, which must be there."""
    record = store.load(key)
    if record is None:
        raise AssertionError(f"load({key!r}): expected a record, got None")
    return record


def values_of(store: Store, key: str) -> dict[str, bytes]:
    """Return the values of the record, which must be there."""
    return loaded_from(store, key).values


def in_parallel(count: int, work: Callable[[int], T]) -> list[T]:
    """Do the work in so many threads that start together; return what each of them returned."""
    together = threading.Barrier(count)

    def run(n: int) -> T:
        together.wait(timeout=10)
        return work(n)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
