"""Sessions in a SQLite file: one machine, any number of processes."""

import logging
import os
import random
import sqlite3
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from sessions.errors import ConfigurationError, StoreUnavailable, UnreadableValue
from sessions.names import OF_STORES, explains_settings
from sessions.record import CLOCK_TOLERANCE, Changes, Ended, Grace, Outcome, Record, Unchanged
from sessions.stores.base import (
    PURGE_BATCH,
    PURGE_DELAY,
    REMEMBERED_FOR,
    Store,
    check_clock,
    wall_clock,
)
from sessions.stores.sqlite_connections import Connections, is_locked
from sessions.stores.sqlite_listing import SQLiteListing
from sessions.stores.sqlite_settings import check_settings
from sessions.stores.sqlite_statements import SCHEMA_VERSION, Statements

PURGE_CHANCE = 1 / 32
"""The chance that a creation also removes records that expired long ago."""


T = TypeVar("T")
Row = tuple[Any, ...]

_logger = logging.getLogger("sessions")
_encode = msgspec.msgpack.Encoder().encode
_values_in = msgspec.msgpack.Decoder(dict[str, bytes]).decode
_patch_in = msgspec.msgpack.Decoder(dict[str, bytes | None]).decode
_DAMAGE = (msgspec.MsgspecError, ValueError, RecursionError)

_NONE: Final = type(None)
_TIMES = (float, float, float, float)
_SHAPES = frozenset(
    (int, *_TIMES, timeout, user, str, float, *grace, bytes, _NONE)
    for timeout, user, grace in product(
        (float, _NONE), (str, _NONE), ((str, float), (_NONE, _NONE))
    )
)
"""The types of the columns of a record that is not damaged."""


@explains_settings(OF_STORES)
class SQLiteStore(SQLiteListing, Store):
    """Keep records in the SQLite database `path`, in tables of the store's own.

    A session is one row, with all its values in one column. The names of the tables begin with
    `prefix`: applications with different prefixes can share a file, but not sessions. The file is
    created with mode 0600, and must be on a local disk. A committed change survives the end of the
    process. With `durable`, it also survives a power failure, but each write waits for the disk. If
    the file is removed or replaced, its sessions have ended, and new sessions are stored. Raises
    ConfigurationError if the file cannot be opened.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        prefix: str = "",
        durable: bool = False,
        clock: Callable[[], float] = wall_clock,
    ) -> None:
        check_settings(path, prefix, durable)
        check_clock(clock, "SQLiteStore")
        self.clock = clock
        self.path = Path(path).absolute()
        self._sql = Statements(prefix)
        self._connections = Connections(self.path, durable=durable, prepare=self._prepare)
        self._start()

    def __repr__(self) -> str:
        return f"<SQLiteStore {str(self.path)!r}>"

    def load(self, key: str) -> Record | Ended | None:
        try:
            rows = self._connections.read(self._sql.load, (key,))
        except (sqlite3.Error, OSError) as error:
            if _is_no_text(error):
                raise _unreadable() from error
            raise self._unavailable(error) from error
        return _found(rows[0], self.clock()) if rows else None

    def create(self, key: str, record: Record) -> bool:
        columns = _columns(record)

        def insert(cursor: sqlite3.Cursor) -> bool:
            values = {"key": key, "now": self.clock(), **columns}
            if cursor.execute(self._sql.create, values).rowcount == 1:
                return True
            # Find out which record has the key, in a transaction that locks out other writers.
            cursor.execute("BEGIN IMMEDIATE")
            is_made = cursor.execute(self._sql.create, values).rowcount == 1
            same = cursor.execute(self._sql.has_secret, (key, record.secret)).fetchall()
            cursor.execute("COMMIT")
            return is_made or bool(same)

        is_there = self._write(insert)
        if random.random() < PURGE_CHANCE:  # noqa: S311
            self._purge_by_the_way()
        return is_there

    def commit(self, key: str, changes: Changes) -> Outcome:
        statement = self._sql.commit_values if changes.only_values else self._sql.commit

        def apply(cursor: sqlite3.Cursor) -> Outcome:
            now = self.clock()
            values = _parameters(key, changes, now)
            if _changes_row(cursor, statement, values):
                return Outcome.APPLIED
            # Find out why, in a transaction that locks out other writers.
            cursor.execute("BEGIN IMMEDIATE")
            outcome = self._outcome(cursor, key, changes, now)
            if outcome is Outcome.APPLIED:
                _changes_row(cursor, statement, values)
            cursor.execute("COMMIT")
            return outcome

        return self._write(apply, repeatable=not changes.expected)

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        def use(cursor: sqlite3.Cursor) -> bool:
            values = _use(key, self.clock(), accessed_at, expires_at)
            values["secret"] = secret
            return cursor.execute(self._sql.touch, values).rowcount == 1

        return self._write(use)

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        def end(cursor: sqlite3.Cursor) -> bool:
            values = {"key": key, "user_id": user_id, "now": self.clock()}
            if cursor.execute(self._sql.end, values).rowcount == 1:
                return True
            if user_id is None:
                cursor.execute(self._sql.remove_leftover, values)
            return False

        return self._write(end)

    def purge(self, limit: int) -> int:
        removed = 0
        while removed < limit:
            batch = min(PURGE_BATCH, limit - removed)
            looked_at, count = self._write(partial(self._purge_batch, size=batch))
            removed += count
            if looked_at == 0:
                break
        return removed

    def close(self) -> None:
        """Close the connections that no call uses."""
        self._connections.close()

    def _start(self) -> None:
        try:
            self._connections.read("SELECT 1", ())
            if not os.access(self.path, os.W_OK):
                raise PermissionError("it may not be written")
        except (sqlite3.Error, OSError) as error:
            raise ConfigurationError(
                f"SQLiteStore({str(self.path)!r}) cannot be opened: {_explained(error)}"
            ) from error

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.create_function("merged", 2, _merged, deterministic=True)
        connection.create_function("agrees", 2, _agrees, deterministic=True)
        connection.create_function("is_readable", 1, _is_readable, deterministic=True)
        if not self._has_tables(connection):
            self._make_tables(connection)

    def _has_tables(self, connection: sqlite3.Connection) -> bool:
        try:
            versions = connection.execute(self._sql.version).fetchall()
            connection.execute(self._sql.columns).fetchall()
        except sqlite3.OperationalError as error:
            if not str(error).startswith(("no such table", "no such column")):
                raise
            return False
        return versions == [(SCHEMA_VERSION,)]

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement in self._sql.schema_table:
                connection.execute(statement)
            ((version,),) = connection.execute(self._sql.version).fetchall()
            if version == 1:
                for statement in self._sql.replace_first:
                    connection.execute(statement)
            elif version != SCHEMA_VERSION:
                raise sqlite3.NotSupportedError(
                    f"its tables have version {version!r}, but this release needs version"
                    f" {SCHEMA_VERSION}. Fix: use the release that made the tables, or another"
                    " prefix"
                )
            for statement in self._sql.tables:
                connection.execute(statement)
            connection.execute(self._sql.columns).fetchall()
        if version == 1:
            _logger.warning(
                "%r had tables of an earlier version, which were replaced, so its sessions have"
                " ended",
                str(self.path),
            )

    def _outcome(self, cursor: sqlite3.Cursor, key: str, changes: Changes, now: float) -> Outcome:
        try:
            rows = cursor.execute(self._sql.load, (key,)).fetchall()
            record = _found(rows[0], now) if rows else None
        except (UnreadableValue, sqlite3.OperationalError) as error:
            if isinstance(error, sqlite3.OperationalError) and not _is_no_text(error):
                raise
            return Outcome.GONE
        return record.outcome_of(changes, now) if isinstance(record, Record) else Outcome.GONE

    def _purge_by_the_way(self) -> None:
        try:
            self._connections.write(self._purge_batch, waits=False)
        except (sqlite3.Error, OSError):
            # The session is stored. Another creation will try the purge again.
            return

    def _purge_batch(self, cursor: sqlite3.Cursor, size: int = PURGE_BATCH) -> tuple[int, int]:
        """Remove expired rows; return the numbers of rows looked at and records removed."""
        values = {"now": self.clock(), "size": size}
        cursor.execute("BEGIN IMMEDIATE")
        looked_at = cursor.execute(self._sql.postpone, values).rowcount
        removed = cursor.execute(self._sql.remove_due, values).fetchall()
        cursor.execute("COMMIT")
        return looked_at + len(removed), sum(is_record for (is_record,) in removed)

    def _write(self, work: Callable[[sqlite3.Cursor], T], *, repeatable: bool = True) -> T:
        try:
            return self._connections.write(work, repeatable=repeatable)
        except (sqlite3.Error, OSError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(f"the SQLite database {str(self.path)!r} cannot be used: {error}")


def _explained(error: Exception) -> str:
    if isinstance(error, sqlite3.NotSupportedError):
        return str(error)
    if is_locked(error):
        return (
            f"{error}, because another process holds its lock. Fix: wait until that process has"
            " finished (a backup, a long transaction), or end that process, and start again"
        )
    return f"{error}. Fix: give a file on a local disk, in a directory that exists and is writable"


def _found(row: Row, now: float) -> Record | Ended | None:
    """Return the record or `Ended` in a row, or None; raise UnreadableValue if it is damaged."""
    expires_at, ended_at = row[4], row[12]
    if type(ended_at) is float:
        return Ended(ended_at) if now < ended_at + REMEMBERED_FOR else None
    if type(expires_at) is float and expires_at <= now:
        return None
    if tuple(map(type, row)) not in _SHAPES:
        raise _unreadable()
    try:
        return _record(row)
    except _DAMAGE as error:
        raise _unreadable() from error


def _record(row: Row) -> Record:
    (version, created, accessed, updated, expires, timeout, user, secret, since, *rest) = row
    grace_secret, grace_until, data, _ = rest
    return Record(
        values=_values_in(data),
        secret=secret,
        secret_since=since,
        created_at=created,
        accessed_at=accessed,
        updated_at=updated,
        expires_at=expires,
        grace=None if grace_secret is None else Grace(grace_secret, grace_until),
        timeout=timeout,
        user_id=user,
        version=version,
    )


def _is_no_text(error: Exception) -> bool:
    return str(error).startswith("Could not decode to UTF-8")


def _unreadable() -> UnreadableValue:
    return UnreadableValue("the stored session is damaged, so a new session begins")


def _columns(record: Record) -> dict[str, object]:
    grace_secret, grace_until = record.grace or (None, None)
    return {
        "version": record.version,
        "created_at": record.created_at,
        "accessed_at": record.accessed_at,
        "updated_at": record.updated_at,
        "expires_at": record.expires_at,
        "timeout": record.timeout,
        "user_id": record.user_id,
        "secret": record.secret,
        "secret_since": record.secret_since,
        "grace_secret": grace_secret,
        "grace_until": grace_until,
        "data": _encode(dict(record.values)),
        "purge_at": record.expires_at + PURGE_DELAY,
    }


def _use(key: str, now: float, accessed_at: float, expires_at: float) -> dict[str, object]:
    return {
        "key": key,
        "now": now,
        "ahead": now + CLOCK_TOLERANCE,
        "accessed_at": accessed_at,
        "expires_at": expires_at,
        "keeps_later": True,
    }


def _parameters(key: str, changes: Changes, now: float) -> dict[str, object]:
    values = _use(key, now, changes.accessed_at, changes.expires_at)
    values["secret"] = changes.secret
    values["updated_at"] = changes.updated_at
    # A name that is both set and removed is removed.
    values["patch"] = _encode({**changes.set, **dict.fromkeys(changes.removed)})
    values["expected"] = _encode(dict(changes.expected)) if changes.expected else None
    if changes.only_values:
        return values
    keeps_timeout = isinstance(changes.timeout, Unchanged)
    keeps_user = isinstance(changes.user_id, Unchanged)
    values["keeps_later"] = keeps_timeout
    values["timeout"] = None if keeps_timeout else changes.timeout
    values["sets_user"] = not keeps_user
    values["user_id"] = None if keeps_user else changes.user_id
    values["clear"] = changes.clear
    values["new_secret"] = changes.new_secret
    values["grace"] = changes.grace
    values["created_at"] = changes.created_at
    return values


def _changes_row(cursor: sqlite3.Cursor, statement: str, values: dict[str, object]) -> bool:
    try:
        return cursor.execute(statement, values).rowcount == 1
    except sqlite3.OperationalError as error:
        if str(error) != "user-defined function raised exception":
            raise
        # The data are damaged, so the row counts as no record.
        return False


def _merged(data: bytes, patch: bytes) -> bytes:
    """Return the values changed by the patch; None in the patch removes a value."""
    values: dict[str, bytes | None] = {**_values_in(data)}
    changes = _patch_in(patch)
    values.update(changes)
    if None in changes.values():
        values = {name: value for name, value in values.items() if value is not None}
    return _encode(values)


def _agrees(data: bytes, expected: bytes) -> bool:
    values = _values_in(data)
    return all(values.get(name) == value for name, value in _patch_in(expected).items())


def _is_readable(data: object) -> bool:
    try:
        _values_in(data)  # type: ignore[arg-type]
    except (*_DAMAGE, TypeError):
        return False
    return True
