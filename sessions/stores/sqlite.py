"""Sessions in a SQLite file: one machine, any number of processes."""

import json
import logging
import os
import random
import sqlite3
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from sessions.errors import ConfigurationError, StoreUnavailable, UnreadableValue
from sessions.names import OF_STORES, explains_settings
from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores.base import (
    PURGE_BATCH,
    REMEMBERED_FOR,
    Store,
    check_clock,
    wall_clock,
)
from sessions.stores.expiring import Expired
from sessions.stores.failures import unavailable
from sessions.stores.sqlite_connections import Connections, is_locked
from sessions.stores.sqlite_listing import SQLiteListing
from sessions.stores.sqlite_rows import (
    Row,
    agrees,
    columns_of,
    commit_parameters,
    found_in,
    is_readable,
    merged,
    record_in,
    unreadable,
    use_parameters,
)
from sessions.stores.sqlite_settings import MissingFile, check_settings, is_missing
from sessions.stores.sqlite_statements import SCHEMA_VERSION, Statements, UserStatements
from sessions.stores.user_index import hash_of_user

PURGE_CHANCE = 1 / 32
"""The chance that a creation also removes records that expired long ago."""


T = TypeVar("T")

_logger = logging.getLogger("sessions")


@explains_settings(OF_STORES)
class SQLiteStore(SQLiteListing, Store):
    """Keep records in the SQLite database `path`, in the store's own tables.

    A session is one row, with all its values in one column. The names of the tables begin with
    `prefix`: applications with different prefixes can share a file, but not sessions. The file is
    created with mode 0600, and must be on a local disk. A committed change survives the end of the
    process. With `durable`, it also survives a power failure, but each write waits for the disk. If
    the file is removed or replaced, its sessions have ended, and the new file gets new sessions.
    Raises ConfigurationError if the file cannot be opened.
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
        self._users = UserStatements(prefix)
        self.collects_expired = False
        self._connections: Connections
        if is_missing(self.path):
            self._connections = cast("Any", MissingFile(self.path))
            return
        self._connections = Connections(self.path, durable=durable, prepare=self._prepare)
        self._start()

    def __repr__(self) -> str:
        return f"<SQLiteStore {str(self.path)!r}>"

    def load(self, key: str) -> Record | Ended | None:
        try:
            rows = self._connections.read(self._sql.load, (key,))
        except (sqlite3.Error, OSError) as error:
            if _is_no_text(error):
                raise unreadable() from error
            raise self._unavailable(error) from error
        return found_in(rows[0], self.clock()) if rows else None

    def create(self, key: str, record: Record) -> bool:
        columns = columns_of(record)

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
        # This random number is no secret, so a simple generator is enough.
        if random.random() < PURGE_CHANCE and not self.collects_expired:  # noqa: S311
            self._purge_by_the_way()
        return is_there

    def commit(self, key: str, changes: Changes) -> Outcome:
        statement = self._sql.commit_values if changes.only_values else self._sql.commit

        def apply(cursor: sqlite3.Cursor) -> Outcome:
            now = self.clock()
            values = commit_parameters(key, changes, now)
            if _changes_row(cursor, statement, values):
                return Outcome.APPLIED
            # Find out why nothing changed, in a transaction that locks out other writers.
            cursor.execute("BEGIN IMMEDIATE")
            outcome = self._outcome(cursor, key, changes, now)
            if outcome is Outcome.APPLIED:
                _changes_row(cursor, statement, values)
            cursor.execute("COMMIT")
            return outcome

        return self._write(apply, repeatable=not changes.expected)

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        def use(cursor: sqlite3.Cursor) -> bool:
            values = use_parameters(key, self.clock(), accessed_at, expires_at)
            values["secret"] = secret
            return cursor.execute(self._sql.touch, values).rowcount == 1

        return self._write(use)

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        def end(cursor: sqlite3.Cursor) -> bool:
            keeps = self.collects_expired
            values = {"key": key, "user_id": user_id, "now": self.clock(), "keeps": keeps}
            if cursor.execute(self._sql.end, values).rowcount == 1:
                return True
            if user_id is None:
                cursor.execute(self._sql.remove_leftover, values)
            return False

        return self._write(end)

    def purge(self, limit: int) -> int:
        return self._purge(limit, self._purge_batch)

    def take_expired(self, key: str) -> Record | None:
        """Remove and return the record if it has expired: see `Expiring`."""

        def take(cursor: sqlite3.Cursor) -> list[Row]:
            values = {"key": key, "now": self.clock()}
            return cursor.execute(self._sql.take_expired, values).fetchall()

        for row in self._write(take):
            return record_in(row)
        return None

    def purge_expired(self, limit: int) -> list[Expired]:
        """Purge, and return the removed records: see `Expiring`."""
        taken: list[Row] = []

        def purge_batch(cursor: sqlite3.Cursor, size: int) -> tuple[int, int]:
            try:
                looked_at, rows, others = self._take_batch(cursor, size)
            except sqlite3.OperationalError as error:
                if not _is_no_text(error):
                    raise
                # A damaged row cannot be returned, so this batch is only removed.
                cursor.execute("ROLLBACK")
                return self._purge_batch(cursor, size)
            taken.extend(rows)
            return looked_at, len(rows) + others

        try:
            self._purge(limit, purge_batch)
        except StoreUnavailable:
            # The records that were removed before the failure must be returned.
            if not taken:
                raise
        found = [(row[-1], record_in(row[:-1])) for row in taken]
        return [(key, record) for key, record in found if record is not None]

    def add_to_user(self, user_id: str, key: str, until: float) -> None:
        """Add the key to the user: see `UserIndex.add_to_user`."""
        check_at = self.clock() + 2 * REMEMBERED_FOR
        entry = {"user": hash_of_user(user_id), "key": key, "until": until, "check_at": check_at}
        self._write(lambda cursor: cursor.execute(self._users.add, entry))

    def keys_of_user(self, user_id: str) -> dict[str, float]:
        """Return the keys of the user: see `UserIndex.keys_of_user`."""
        try:
            return dict(self._connections.read(self._users.keys, (hash_of_user(user_id),)))
        except (sqlite3.Error, OSError) as error:
            raise self._unavailable(error) from error

    def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        """Remove these entries: see `UserIndex.remove_from_user`."""
        values = (hash_of_user(user_id), json.dumps([*entries.items()]))
        self._write(lambda cursor: cursor.execute(self._users.remove, values))

    def close(self) -> None:
        """Close the connections that no call uses."""
        self._connections.close()

    def _start(self) -> None:
        try:
            self._connections.read("SELECT 1", ())
            if not os.access(self.path, os.W_OK):
                raise PermissionError("this process has no right to write to it")
        except (sqlite3.Error, OSError) as error:
            raise ConfigurationError(
                f"SQLiteStore({str(self.path)!r}) cannot be opened: {_explained(error)}"
            ) from error

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.create_function("merged", 2, merged, deterministic=True)
        connection.create_function("agrees", 2, agrees, deterministic=True)
        connection.create_function("is_readable", 1, is_readable, deterministic=True)
        if not self._has_tables(connection):
            self._make_tables(connection)

    def _has_tables(self, connection: sqlite3.Connection) -> bool:
        try:
            versions = connection.execute(self._sql.version).fetchall()
            for statement in (self._sql.columns, self._users.columns):
                connection.execute(statement).fetchall()
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
            for statement in (*self._sql.tables, *self._users.tables):
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
            record = found_in(rows[0], now) if rows else None
        except (UnreadableValue, sqlite3.OperationalError) as error:
            if isinstance(error, sqlite3.OperationalError) and not _is_no_text(error):
                raise
            return Outcome.GONE
        return record.outcome_of(changes, now) if isinstance(record, Record) else Outcome.GONE

    def _purge_by_the_way(self) -> None:
        try:
            self._connections.write(self._purge_batch, waits=False)
        except (sqlite3.Error, OSError):
            # The session is stored, so this failure is ignored. A later creation tries again.
            return

    def _purge(self, limit: int, batch: Callable[..., tuple[int, int]]) -> int:
        removed = 0
        while removed < limit:
            size = min(PURGE_BATCH, limit - removed)
            looked_at, count = self._write(partial(batch, size=size))
            removed += count
            if looked_at == 0:
                break
        return removed

    def _purge_batch(self, cursor: sqlite3.Cursor, size: int = PURGE_BATCH) -> tuple[int, int]:
        """Remove expired rows; return the numbers of checked rows and of removed records."""
        looked_at, _, removed = self._take_batch(cursor, size, takes=False)
        return looked_at, removed

    def _take_batch(
        self, cursor: sqlite3.Cursor, size: int, *, takes: bool = True
    ) -> tuple[int, list[Row], int]:
        """Remove some expired rows; with `takes`, return the rows that have a record.

        A row without a record says only that a session was ended. The result is the number of rows
        that were looked at, the rows with a record, and the number of removed records that are
        not in the result.
        """
        values: dict[str, object] = {"now": self.clock(), "size": size}
        cursor.execute("BEGIN IMMEDIATE")
        looked_at = cursor.execute(self._sql.postpone, values).rowcount
        taken = cursor.execute(self._sql.take_due, values).fetchall() if takes else []
        values["size"] = size - len(taken)
        removed = cursor.execute(self._sql.remove_due, values).fetchall()
        for statement in self._users.purge:
            looked_at += cursor.execute(statement, values).rowcount
        cursor.execute("COMMIT")
        others = sum(is_record for (is_record,) in removed)
        return looked_at + len(taken) + len(removed), taken, others

    def _write(self, work: Callable[[sqlite3.Cursor], T], *, repeatable: bool = True) -> T:
        try:
            return self._connections.write(work, repeatable=repeatable)
        except (sqlite3.Error, OSError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        return unavailable(f"the SQLite database {str(self.path)!r}", error)


def _explained(error: Exception) -> str:
    if isinstance(error, sqlite3.NotSupportedError):
        return str(error)
    if is_locked(error):
        return (
            f"{error}, because another process holds its lock. Fix: wait until that process has"
            " finished its work, such as a backup, or end that process. Then try again"
        )
    return f"{error}. Fix: give a file on a local disk, in a directory that exists and is writable"


def _is_no_text(error: Exception) -> bool:
    return str(error).startswith("Could not decode to UTF-8")


def _changes_row(cursor: sqlite3.Cursor, statement: str, values: dict[str, object]) -> bool:
    try:
        return cursor.execute(statement, values).rowcount == 1
    except sqlite3.OperationalError as error:
        if str(error) != "user-defined function raised exception":
            raise
        # The data are damaged, so the row counts as no record.
        return False
