"""A pool of connections to one SQLite file; before a fork, all connections are closed."""

import contextlib
import os
import random
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sessions.stores.base import CALL_DEADLINE
from sessions.stores.sqlite_turns import LONGEST_WAIT, Turns

MAXIMUM_IDLE = 16
START_UP_DEADLINE = 5.0
_LONGEST_PAUSE = 0.0005
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL}
_LOST_FILES = {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY,
}

T = TypeVar("T")
Work = Callable[[sqlite3.Cursor], T]
Identity = tuple[int, int]
Values = tuple[object, ...] | dict[str, object]


class Connections:
    """A pool of connections to one SQLite file.

    Only one thread of a process at a time asks SQLite for the write lock; the other threads wait in
    a queue. If the file at the path is replaced, connections to the old file are closed, and a
    write to the old file counts as failed. A fork waits until no connection is in use, and closes
    all of them: a child would inherit a connection without its locks, and SQLite would not notice.

    `prepare` is called with each new connection, and creates missing tables.
    """

    def __init__(
        self, path: Path, *, durable: bool, prepare: Callable[[sqlite3.Connection], None]
    ) -> None:
        self._path = str(path)
        self._durable = durable
        self._prepare = prepare
        self._patience = START_UP_DEADLINE
        self._begin()
        _all.add(self)

    def read(self, statement: str, values: Values) -> list[tuple[Any, ...]]:
        """Return the rows of one statement."""
        began = time.monotonic()
        try:
            opened = self._take(began, True)
            try:
                rows = opened.cursor.execute(statement, values).fetchall()
            # After any error, even an interrupt such as Ctrl-C, the connection is not safe to use.
            except BaseException as error:
                self._give_up(opened, error)
                raise
        except sqlite3.DatabaseError:
            # Try again: wait for locks, and open the files that are at the path now.
            return self._do(
                lambda cursor: cursor.execute(statement, values).fetchall(),
                began,
                is_write=False,
                repeatable=True,
            )
        self._give(opened)
        return rows

    def write(self, work: Work[T], *, repeatable: bool = True, waits: bool = True) -> T:
        """Call `work`, which runs a statement or a transaction, while no other thread writes.

        A write waits until the database is free: at most CALL_DEADLINE seconds after the last write
        of another thread or process, and at most LONGEST_WAIT seconds in all. If the file was
        possibly replaced during the write, `repeatable` work is done again, with the new file.
        """
        began = time.monotonic() - (0.0 if waits else LONGEST_WAIT)
        if not self._turns.take(began):
            raise sqlite3.OperationalError("database is locked by other threads of this process")
        try:
            return self._do(work, began, is_write=True, repeatable=repeatable)
        finally:
            self._turns.give_back()

    def close(self) -> None:
        """Close the connections that no call uses."""
        while self._idle:
            with contextlib.suppress(IndexError):
                self._drop(self._idle.pop())

    def _begin(self) -> None:
        # While a fork or a renewal holds this lock, no connection can be opened.
        self._gate = threading.Lock()
        self._turns = Turns()
        # Appending to a list, popping from it and changing a set are atomic: no lock is needed.
        self._idle: list[Opened] = []
        self._open: set[object] = set()
        self._files: Files | None = None

    def _do(self, work: Work[T], began: float, *, is_write: bool, repeatable: bool) -> T:
        files = self._files
        try:
            return self._do_once(work, began, is_write, not (is_write and repeatable))
        except sqlite3.DatabaseError as error:
            if _is_table_missing(error):
                # A new connection creates the missing table.
                self.close()
            elif repeatable and _are_files_lost(error):
                self._renew(files, began)
            else:
                raise
        return self._do_once(work, began, is_write, True)

    def _do_once(self, work: Work[T], began: float, is_write: bool, is_checked: bool) -> T:
        opened = self._take(began, is_checked)
        try:
            try:
                answer = work(opened.cursor)
            except sqlite3.OperationalError as error:
                if not is_locked(error):
                    raise
                answer = self._do_when_unlocked(work, opened, began)
            if is_write:
                if not opened.files.are_in_place():
                    raise FilesReplaced("the files of the database were replaced or removed")
                self._turns.moved_at = time.monotonic()
        # After any error, even an interrupt such as Ctrl-C, the connection is not safe to use.
        except BaseException as error:
            self._give_up(opened, error)
            raise
        self._give(opened)
        return answer

    def _do_when_unlocked(self, work: Work[T], opened: "Opened", began: float) -> T:
        seen = opened.others_commits()
        while True:
            time.sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311 (no secret)
            try:
                return work(opened.cursor)
            except sqlite3.OperationalError as error:
                if not is_locked(error) or self._turns.patience(began) <= 0:
                    raise
            before, seen = seen, opened.others_commits()
            if before != seen:
                self._turns.moved_at = time.monotonic()

    def _take(self, began: float, is_checked: bool) -> "Opened":
        """Return a connection; with `is_checked`, close connections to a moved or removed file."""
        while True:
            try:
                opened = self._idle.pop()
            except IndexError:
                return self._connect(began)
            if not is_checked or opened.files.is_database_in_place():
                return opened
            self._drop(opened)
            self._renew(opened.files, began)

    def _give(self, opened: "Opened") -> None:
        if len(self._idle) < MAXIMUM_IDLE and not opened.connection.in_transaction:
            self._idle.append(opened)
        else:
            self._drop(opened)

    def _give_up(self, opened: "Opened", error: BaseException) -> None:
        if not isinstance(error, sqlite3.Error) or _are_files_lost(error):
            self._drop(opened)
            return
        if opened.connection.in_transaction:
            # If the rollback fails, the connection is closed when it is given back.
            with contextlib.suppress(sqlite3.Error):
                opened.connection.execute("ROLLBACK")
        self._give(opened)

    def _drop(self, opened: "Opened") -> None:
        try:
            opened.connection.close()
        finally:
            self._open.discard(opened)

    def _renew(self, files: "Files | None", began: float) -> None:
        """Close all connections to the old files, before the present files are opened.

        While an old connection is open, SQLite uses the old log in all connections of this process.
        """
        with self._gate:
            if self._files != files:
                return
            self._close_all(began + CALL_DEADLINE)
            self._files = None
            if files is not None:
                files.remove_leftover_log()

    def _close_all(self, deadline: float) -> None:
        self.close()
        while self._open and time.monotonic() < deadline:
            time.sleep(_LONGEST_PAUSE / 4)
            self.close()

    def _connect(self, began: float) -> "Opened":
        place = object()
        with self._gate:
            self._open.add(place)
        try:
            opened = self._opened(began + self._patience)
            self._open.add(opened)
        finally:
            self._open.discard(place)
        # Only the first connection waits longer, because another process may be creating the
        # tables.
        self._patience = CALL_DEADLINE
        self._files = opened.files
        return opened

    def _opened(self, deadline: float) -> "Opened":
        _make_file(self._path)
        identity = _identity(self._path)
        connection = sqlite3.connect(
            self._path, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            patiently(lambda: self._set_up(connection), deadline)
            log = f"{os.path.realpath(self._path)}-wal"
            files = Files(self._path, identity, log, _identity(log))
            if not files.is_database_in_place():
                raise FilesReplaced("the files of the database were replaced while it was opened")
            return Opened(connection, connection.cursor(), files)
        except BaseException:
            # No other code knows this connection.
            connection.close()
            raise

    def _set_up(self, connection: sqlite3.Connection) -> None:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode != "wal":
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise sqlite3.NotSupportedError(
                f"its journal mode stays {mode!r}, but sessions need WAL. Fix: give a file on a"
                " local disk"
            )
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
        self._prepare(connection)

    def _before_fork(self) -> None:
        self._gate.acquire()
        self._close_all(time.monotonic() + CALL_DEADLINE)

    def _after_fork_in_parent(self) -> None:
        self._gate.release()


class FilesReplaced(sqlite3.OperationalError):
    """The files at the path are not the files of the connection any more."""


class Files(NamedTuple):
    """The identities of the files that a connection has open."""

    path: str
    database: Identity
    log_path: str
    log: Identity

    def is_database_in_place(self) -> bool:
        """Return whether the path still leads to the database file of the connection."""
        return _is_at(self.path, self.database)

    def are_in_place(self) -> bool:
        """Return whether the paths still lead to the database and the log of the connection."""
        return _is_at(self.path, self.database) and _is_at(self.log_path, self.log)

    def remove_leftover_log(self) -> None:
        """Remove the log of a lost database; SQLite would apply the log to the next database."""
        if not self.is_database_in_place() and _is_at(self.log_path, self.log):
            for path in (self.log_path, f"{self.log_path.removesuffix('-wal')}-shm"):
                Path(path).unlink(missing_ok=True)


@dataclass(slots=True, eq=False)
class Opened:
    """A connection with its cursor and its files."""

    connection: sqlite3.Connection
    cursor: sqlite3.Cursor
    files: Files

    def others_commits(self) -> int:
        """Return a number that changes when another connection commits."""
        try:
            (number,) = self.connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.OperationalError:
            # The whole database is locked, so no other connection commits.
            return 0
        return int(number)


def patiently(work: Callable[[], object], deadline: float) -> None:
    """Call the work; while the database is locked, call it again until the deadline."""
    while True:
        try:
            work()
        except sqlite3.OperationalError as error:
            if not is_locked(error) or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311 (no secret)
        else:
            return


def is_locked(error: Exception) -> bool:
    """Return whether the error says that another connection holds the lock of the database."""
    return _code(error) in _LOCKED


def _is_table_missing(error: sqlite3.Error) -> bool:
    return str(error).startswith("no such table")


def _are_files_lost(error: sqlite3.Error) -> bool:
    return isinstance(error, FilesReplaced) or _code(error) in _LOST_FILES


def _code(error: Exception) -> int:
    # Errors of the Python module itself have no code of SQLite.
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _identity(path: str) -> Identity:
    try:
        found = os.stat(path)
    except FileNotFoundError as error:
        raise FilesReplaced(f"{path!r} was removed while it was opened") from error
    return found.st_dev, found.st_ino


def _is_at(path: str, identity: Identity) -> bool:
    try:
        found = os.stat(path)
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == identity


def _make_file(path: str) -> None:
    """Create the file with mode 0600 if it is missing, because SQLite would use the umask.

    This function does not open an existing file, because it would have to close the file again.
    This would release the locks that this process has on the file. Another process could then
    remove the log that this process uses. Source: sqlite.org/howtocorrupt.html, 2.2.
    """
    with contextlib.suppress(FileExistsError):
        # Windows has no O_CLOEXEC, and child processes there do not inherit files.
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
        os.close(os.open(os.path.realpath(path), flags, 0o600))


# All locks are taken in one order, because two threads may fork at the same time.
def _before_fork() -> None:
    for connections in sorted(_all, key=id):
        connections._before_fork()
        _held().append(connections)


def _after_fork_in_parent() -> None:
    while _held():
        _held().pop()._after_fork_in_parent()


def _after_fork_in_child() -> None:
    _held().clear()
    for connections in list(_all):
        connections._begin()


# The connections that this thread holds during its fork.
def _held() -> list[Connections]:
    held: list[Connections] = _forking.__dict__.setdefault("held", [])
    return held


_all: weakref.WeakSet[Connections] = weakref.WeakSet()
_forking = threading.local()

# Windows has no forks.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
