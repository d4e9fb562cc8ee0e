"""SQLiteStore with damaged rows."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sessions.errors import UnreadableValue
from sessions.record import Outcome
from sessions.stores.sqlite import SQLiteStore
from sessions.testing import NEW_SECRET, OTHER_SECRET, SECRET, ManualClock, a_record, some_changes

NUMBERS = ["version", "created_at", "accessed_at", "updated_at", "expires_at", "secret_since"]
NO_NUMBERS = ["'tomorrow'", "x'00ff'", "NULL"]
DAMAGE = [
    *((column, value) for column in NUMBERS for value in NO_NUMBERS),
    ("version", "1.5"),
    ("timeout", "'long'"),
    ("timeout", "x'01'"),
    ("user_id", "x'616461'"),
    ("user_id", "CAST(x'ff' AS TEXT)"),
    ("secret", "NULL"),
    ("secret", "x'00'"),
    ("grace_secret", "'half'"),
    ("grace_secret", "x'00'"),
    ("grace_until", "5.0"),
    ("grace_until", "'soon'"),
    ("ended_at", "'now'"),
    ("ended_at", "x'00'"),
    ("data", "NULL"),
    ("data", "'text'"),
    ("data", "7"),
    ("data", "x''"),
    ("data", "x'c1'"),
    ("data", "x'81a161'"),
    ("data", "x'81a1ffc40101'"),
    ("data", "x'81a16101'"),
    ("data", "x'8101c40101'"),
    ("data", "x'90'"),
    ("data", f"x'{'91' * 3000}'"),
]
damaged = pytest.mark.parametrize(("column", "value"), DAMAGE)
# To SQLite this is text like any other.
SEEN_BY_NOBODY_ELSE = ("user_id", "CAST(x'ff' AS TEXT)")


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that the test moves."""
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database goes."""
    return tmp_path / "sessions.db"


@pytest.fixture
def store(path: Path, clock: ManualClock) -> SQLiteStore:
    """Return a store that keeps one record."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock, values={"a": b"1"}, user_id="ada"))
    return store


def damage(path: Path, column: str, value: str) -> None:
    """Write the SQL value into the column of every row."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE sessions SET {column} = {value}")  # noqa: S608
        connection.commit()


@damaged
def test_a_damaged_row_cannot_be_loaded(
    path: Path, store: SQLiteStore, column: str, value: str
) -> None:
    """Every kind of damage raises the same error."""
    damage(path, column, value)

    with pytest.raises(UnreadableValue, match="damaged"):
        store.load("key")


@damaged
def test_a_damaged_row_is_not_a_record_to_other_calls(
    path: Path, clock: ManualClock, store: SQLiteStore, column: str, value: str
) -> None:
    """A commit and a touch find no record, and raise no error."""
    damage(path, column, value)
    if (column, value) == SEEN_BY_NOBODY_ELSE:
        return

    plain = store.commit("key", some_changes(clock, set={"a": b"2"}))
    renewed = store.commit("key", some_changes(clock, new_secret=NEW_SECRET))
    cleared = store.commit("key", some_changes(clock, set={"a": b"2"}, clear=True))
    claimed = store.commit("key", some_changes(clock, expected={"a": b"1"}))
    touched = store.touch("key", SECRET, clock() + 200, clock())

    assert [plain, renewed, cleared, claimed] == [Outcome.GONE] * 4
    assert not touched


@damaged
def test_a_damaged_row_is_replaced(
    path: Path, clock: ManualClock, store: SQLiteStore, column: str, value: str
) -> None:
    """A new record can use the key of a damaged row."""
    damage(path, column, value)
    if (column, value) == SEEN_BY_NOBODY_ELSE:
        return
    record = a_record(clock, values={"b": b"2"}, secret=OTHER_SECRET)

    assert store.create("key", record)
    assert store.load("key") == record


@damaged
def test_a_damaged_row_is_deleted(
    path: Path, clock: ManualClock, store: SQLiteStore, column: str, value: str
) -> None:
    """Afterwards the key is as if there had been no damage."""
    damage(path, column, value)

    store.delete("key")

    assert not store.delete("key")
    assert store.commit("key", some_changes(clock)) is Outcome.GONE
    store.load("key")


def test_a_damaged_row_that_has_expired_is_absent(
    path: Path, clock: ManualClock, store: SQLiteStore
) -> None:
    """A damaged row counts as absent after its expiry."""
    damage(path, "data", "x'c1'")
    clock.advance(100)

    assert store.load("key") is None


@damaged
def test_a_damaged_row_is_purged(
    path: Path, clock: ManualClock, store: SQLiteStore, column: str, value: str
) -> None:
    """A purge ends and leaves nothing that has expired."""
    damage(path, column, value)
    clock.advance(1000)

    store.purge(10)

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM sessions").fetchone() == (0,)
