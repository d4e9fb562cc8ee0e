"""Calls of a store whose server is broken: each one is right, or unavailable within a second."""

import time
from collections.abc import Callable

import pytest

from sessions.errors import StoreUnavailable
from sessions.record import Outcome, Record
from sessions.stores.base import Store
from sessions.testing import a_record, some_changes

# The promise is one second; the rest is for a machine that is busy.
SECOND = 2.0
KEY = "a-key"


def a_live_record(**values: bytes) -> Record:
    """Return a record that lives for an hour."""
    return a_record(time.time, values, lives=3600)


def calls_of(store: Store, record: Record) -> list[Callable[[], object]]:
    """Return one call of each kind."""
    now = time.time()
    changes = some_changes(time.time, lives=3600, set={"a": b"2"})
    return [
        lambda: store.load(KEY),
        lambda: store.create("another", record),
        lambda: store.commit(KEY, changes),
        lambda: store.touch(KEY, record.secret, now + 3600, now),
        lambda: store.delete(KEY),
    ]


def assert_unavailable(calls: list[Callable[[], object]]) -> None:
    """Check that each call raises StoreUnavailable within a second."""
    for call in calls:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            call()
        assert time.monotonic() - began < SECOND


def has_failed(store: Store, record: Record, verb: str, key: str = KEY) -> bool:
    """Return whether a call failed; a call that did not must have given the right answer."""
    try:
        match verb:
            case "load":
                assert store.load(key) == record
            case "create":
                assert store.create(key, record)
            case "commit":
                changes = some_changes(time.time, lives=3600, set={"a": b"2"})
                assert store.commit(key, changes) is Outcome.APPLIED
            case "delete":
                # A second try finds that the first one has ended the session.
                store.delete(key)
    except StoreUnavailable:
        return True
    return False
