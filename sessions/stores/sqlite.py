"""Sessions in a SQLite file: one machine, any number of processes."""

import itertools
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from sessions.errors import ConfigurationError, StoreUnavailable
from sessions.record import Changes, Record
from sessions.stores.base import Outcome, Store
from sessions.stores.sqlite_connections import Connections

SCHEMA_VERSION = 1

_OLDEST_SQLITE = (3, 35, 0)
_PREFIX = re.compile(r"([a-z][a-z0-9_]*)?", re.ASCII)
_LIVE = "key = ? AND expires_at > ?"
_PURGE_EVERY = 32
_PURGE_BATCH = 64

T = TypeVar("T")
Items = Iterable[tuple[str, bytes]]


class SQLiteStore(Store):
    """Keep records in the SQLite database `path`, in tables of the store's own.

    A row for each value, so that writers of different keys merge. `prefix` begins the names of the
    tables: applications with different prefixes share a file and nothing else. The file is made
    with mode 0600. What is committed survives the end of the process; with `durable` it survives a
    power failure too, at the price of a wait for the disk. The file belongs on a local disk.
    Raises ConfigurationError if it cannot be opened.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        prefix: str = "",
        durable: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        _check(path, prefix)
        self.clock = clock
        self.path = Path(path).absolute()
        self._sql = _Statements(prefix)
        self._creations = itertools.count(1)
        self._connections = Connections(self.path, durable=durable)
        self._set_up()

    def __repr__(self) -> str:
        return f"<SQLiteStore {str(self.path)!r}>"

    def load(self, key: str) -> Record | None:
        rows = self._read(self._sql.load, (key, self.clock()))
        if not rows:
            return None
        version, created, accessed, updated, expires, timeout, user, _, _ = rows[0]
        return Record(
            values={row[7]: row[8] for row in rows if row[7] is not None},
            created_at=created,
            accessed_at=accessed,
            updated_at=updated,
            expires_at=expires,
            timeout=timeout,
            user_id=user,
            version=version,
        )

    def create(self, key: str, record: Record) -> bool:
        def insert(connection: sqlite3.Connection) -> bool:
            self._remove_expired(connection, key)
            rows = connection.execute(self._sql.create, _row(key, record)).fetchall()
            if not rows:
                return False
            self._set(connection, rows[0][0], record.values.items())
            if next(self._creations) % _PURGE_EVERY == 0:
                self._purge(connection, _PURGE_BATCH)
            return True

        return self._write(insert)

    def commit(self, key: str, changes: Changes) -> Outcome:
        times = (changes.accessed_at, changes.updated_at, changes.expires_at)
        timeout = changes.timeout
        values = (*times, timeout, timeout, changes.user_id, key, self.clock())

        def apply(connection: sqlite3.Connection) -> Outcome:
            if changes.expected and self._conflicts(connection, key, changes):
                return Outcome.CONFLICT
            rows = connection.execute(self._sql.commit, values).fetchall()
            if not rows:
                return Outcome.GONE
            session = rows[0][0]
            self._set(connection, session, changes.set.items())
            if changes.removed:
                removed = [(session, name) for name in changes.removed]
                connection.executemany(self._sql.unset, removed)
            return Outcome.APPLIED

        return self._write(apply)

    def touch(self, key: str, expires_at: float, accessed_at: float) -> bool:
        values = (accessed_at, expires_at, key, self.clock())
        return self._write(lambda connection: _changed(connection.execute(self._sql.touch, values)))

    def delete(self, key: str) -> bool:
        def remove(connection: sqlite3.Connection) -> bool:
            self._remove_expired(connection, key)
            rows = connection.execute(self._sql.find, (key,)).fetchall()
            self._remove(connection, rows)
            return bool(rows)

        return self._write(remove)

    def rename(self, key: str, new_key: str) -> bool:
        def move(connection: sqlite3.Connection) -> bool:
            self._remove_expired(connection, new_key)
            return _changed(connection.execute(self._sql.rename, (new_key, key, self.clock())))

        return self._write(move)

    def purge(self, limit: int) -> int:
        return self._write(lambda connection: self._purge(connection, limit))

    def close(self) -> None:
        """Close the connections that no call is using."""
        self._connections.close()

    def _set_up(self) -> None:
        try:
            self._write(self._make_tables)
        except (StoreUnavailable, OSError) as error:
            raise ConfigurationError(
                f"SQLiteStore({str(self.path)!r}) cannot be opened: {error.__cause__ or error}; "
                "give a file on a local disk, in a directory that exists and may be written"
            ) from error

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        for statement in self._sql.schema:
            connection.execute(statement)
        ((version,),) = connection.execute(self._sql.version).fetchall()
        if version != SCHEMA_VERSION:
            raise ConfigurationError(
                f"SQLiteStore({str(self.path)!r}) has tables of version {version!r}, this release "
                f"knows {SCHEMA_VERSION}; use the release that made them, or another prefix"
            )

    def _read(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._connections.read(statement, values)
        except (sqlite3.Error, OSError) as error:
            raise self._unavailable(error) from error

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return self._connections.write(work)
        except (sqlite3.Error, OSError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(f"the SQLite database {str(self.path)!r} cannot be used: {error}")

    def _set(self, connection: sqlite3.Connection, session: int, values: Items) -> None:
        rows = [(session, name, value) for name, value in values]
        if rows:
            connection.executemany(self._sql.set, rows)

    def _conflicts(self, connection: sqlite3.Connection, key: str, changes: Changes) -> bool:
        rows = connection.execute(self._sql.load, (key, self.clock())).fetchall()
        values = {row[7]: row[8] for row in rows}
        return bool(rows) and any(
            values.get(name) != value for name, value in changes.expected.items()
        )

    def _remove_expired(self, connection: sqlite3.Connection, key: str) -> None:
        rows = connection.execute(self._sql.expired_one, (key, self.clock())).fetchall()
        self._remove(connection, rows)

    def _purge(self, connection: sqlite3.Connection, limit: int) -> int:
        rows = connection.execute(self._sql.expired, (self.clock(), limit)).fetchall()
        self._remove(connection, rows)
        return len(rows)

    def _remove(self, connection: sqlite3.Connection, sessions: list[tuple[Any, ...]]) -> None:
        if sessions:
            connection.executemany(self._sql.remove_values, sessions)
            connection.executemany(self._sql.remove_session, sessions)


class _Statements:
    """Hold the store's SQL for one prefix."""

    def __init__(self, prefix: str) -> None:
        sessions, values, live = f"{prefix}sessions", f"{prefix}session_values", _LIVE
        self.schema = _schema(sessions, values, f"{prefix}session_schema")
        self.version = f"SELECT version FROM {prefix}session_schema"
        self.load = f"""SELECT version, created_at, accessed_at, updated_at, expires_at, timeout,
            user_id, name, value FROM {sessions} LEFT JOIN {values} ON session = id WHERE {live}"""
        self.create = f"""INSERT INTO {sessions} (key, version, created_at, accessed_at, updated_at,
            expires_at, timeout, user_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (key) DO NOTHING RETURNING id"""
        self.commit = f"""UPDATE {sessions} SET accessed_at = ?, updated_at = ?,
            expires_at = MAX(?, IIF(? IS NULL AND timeout IS NOT NULL, expires_at, 0)),
            timeout = COALESCE(?, timeout), user_id = COALESCE(?, user_id)
            WHERE {live} RETURNING id"""
        self.set = f"""INSERT INTO {values} (session, name, value) VALUES (?, ?, ?)
            ON CONFLICT (session, name) DO UPDATE SET value = excluded.value"""
        self.unset = f"DELETE FROM {values} WHERE session = ? AND name = ?"
        self.touch = f"""UPDATE {sessions} SET accessed_at = ?,
            expires_at = MAX(?, IIF(timeout IS NULL, 0, expires_at)) WHERE {live}"""
        self.rename = f"UPDATE OR IGNORE {sessions} SET key = ? WHERE {live}"
        self.find = f"SELECT id FROM {sessions} WHERE key = ?"
        self.expired_one = f"SELECT id FROM {sessions} WHERE key = ? AND expires_at <= ?"
        self.expired = f"SELECT id FROM {sessions} WHERE expires_at <= ? LIMIT ?"
        self.remove_values = f"DELETE FROM {values} WHERE session = ?"
        self.remove_session = f"DELETE FROM {sessions} WHERE id = ?"


def _schema(sessions: str, values: str, schema: str) -> tuple[str, ...]:
    return (
        f"CREATE TABLE IF NOT EXISTS {schema} (version INTEGER NOT NULL)",
        f"""INSERT INTO {schema} SELECT {SCHEMA_VERSION}
            WHERE NOT EXISTS (SELECT * FROM {schema})""",
        f"""CREATE TABLE IF NOT EXISTS {sessions} (
            id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, version INTEGER NOT NULL,
            created_at REAL NOT NULL, accessed_at REAL NOT NULL, updated_at REAL NOT NULL,
            expires_at REAL NOT NULL, timeout REAL, user_id TEXT)""",
        f"CREATE INDEX IF NOT EXISTS {sessions}_expiry ON {sessions} (expires_at)",
        f"""CREATE TABLE IF NOT EXISTS {values} (
            session INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,
            PRIMARY KEY (session, name)) WITHOUT ROWID""",
    )


def _check(path: object, prefix: str) -> None:
    problems = []
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        problems.append(
            f"SQLite {sqlite3.sqlite_version} is too old for SQLiteStore; 3.35 or later is needed"
        )
    if not _is_file(path):
        problems.append(
            f"SQLiteStore({path!r}) needs a file that every connection finds; "
            "give the path of one, or use MemoryStore()"
        )
    if not _PREFIX.fullmatch(prefix):
        problems.append(
            f"SQLiteStore(prefix={prefix!r}) begins no table name; "
            "use lower-case letters, digits and underscores"
        )
    if problems:
        raise ConfigurationError(problems)


def _is_file(path: object) -> bool:
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    is_shared = text != ":memory:" and isinstance(text, str) and not text.startswith("file:")
    return is_shared and bool(text)


def _row(key: str, record: Record) -> tuple[object, ...]:
    return (
        key,
        record.version,
        record.created_at,
        record.accessed_at,
        record.updated_at,
        record.expires_at,
        record.timeout,
        record.user_id,
    )


def _changed(cursor: sqlite3.Cursor) -> bool:
    return cursor.rowcount == 1
