"""Make records and changes for tests of stores."""

from collections.abc import Callable, Mapping
from typing import Any

from sessions.record import Changes, Record
from sessions.stores.base import Store

SECRET, NEW_SECRET, OTHER_SECRET = ("hash of an id", "hash of a new id", "hash of another id")
LIFETIME = 100.0


def a_record(
    clock: Callable[[], float],
    values: Mapping[str, bytes] | None = None,
    *,
    lives: float = LIFETIME,
    **fields: Any,
) -> Record:
    """Return a record that was created now and expires after `lives` seconds, with these fields."""
    now = clock()
    made: dict[str, Any] = {
        "values": dict(values or {}),
        "secret": SECRET,
        "secret_since": now,
        "created_at": now,
        "accessed_at": now,
        "updated_at": now,
        "expires_at": now + lives,
    }
    return Record(**{**made, **fields})


def some_changes(clock: Callable[[], float], *, lives: float = LIFETIME, **fields: Any) -> Changes:
    """Return changes whose times are now, and whose expiry is `lives` seconds later."""
    now = clock()
    made: dict[str, Any] = {
        "secret": SECRET,
        "accessed_at": now,
        "updated_at": now,
        "expires_at": now + lives,
    }
    return Changes(**{**made, **fields})


def loaded_from(store: Store, key: str) -> Record:
    """Return the record of the key; raise AssertionError if there is none."""
    record = store.load(key)
    if not isinstance(record, Record):
        raise AssertionError(f"load({key!r}): expected a record, found {record!r}")
    return record


def values_of(store: Store, key: str) -> dict[str, bytes]:
    """Return the values of the record; raise AssertionError if there is none."""
    return dict(loaded_from(store, key).values)
