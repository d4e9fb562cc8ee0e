"""Connections to one SQLite file: one thread each at a time, none carried across a fork."""

import contextlib
import os
import random
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sessions.stores.base import CALL_DEADLINE

MAXIMUM_IDLE = 16
START_UP_DEADLINE = 5.0

_BUSY_TIMEOUT = 0.01
_LONGEST_PAUSE = 0.002

T = TypeVar("T")


class Connections:
    """Lend connections; keep the idle ones for the next borrower.

    One writer of a process at a time asks SQLite for the write lock: the threads queue here, and
    only processes compete there. A fork waits until none is lent and closes the idle ones, for a
    child that inherits an open connection has none of its locks, and SQLite does not know it.
    """

    def __init__(self, path: Path, *, durable: bool) -> None:
        self._path = path
        self._durable = durable
        self._patience = START_UP_DEADLINE
        self._begin()
        _all.add(self)

    def read(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """Return the rows of one statement."""
        connection = self._take()
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            self._give(connection)

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do the work in one write transaction, and undo it if it raises.

        Waits CALL_DEADLINE seconds at most for its turn.
        """
        deadline = time.monotonic() + CALL_DEADLINE
        connection = self._take()
        try:
            if not self._writer.acquire(timeout=max(0.0, deadline - time.monotonic())):
                raise sqlite3.OperationalError("database is locked by another thread")
            try:
                patiently(lambda: connection.execute("BEGIN IMMEDIATE"), deadline)
                done = work(connection)
                connection.execute("COMMIT")
                return done
            finally:
                _undo(connection)
                self._writer.release()
        finally:
            self._give(connection)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._gate:
            self._close_idle()

    def _begin(self) -> None:
        self._gate = threading.Condition()
        self._writer = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._lent = 0

    def _take(self) -> sqlite3.Connection:
        with self._gate:
            self._lent += 1
            if self._idle:
                return self._idle.pop()
        try:
            return self._connect()
        # Whatever kept it from being made, its place is free again.
        except BaseException:
            self._give(None)
            raise

    def _give(self, connection: sqlite3.Connection | None) -> None:
        with self._gate:
            self._lent -= 1
            self._gate.notify_all()
            if connection is None:
                return
            if len(self._idle) < MAXIMUM_IDLE and not connection.in_transaction:
                self._idle.append(connection)
            else:
                connection.close()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _before_fork(self) -> None:
        self._gate.acquire()
        self._gate.wait_for(lambda: self._lent == 0, timeout=CALL_DEADLINE)
        self._close_idle()

    def _after_fork_in_parent(self) -> None:
        self._gate.release()

    def _connect(self) -> sqlite3.Connection:
        _make_file(self._path)
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        try:
            deadline = time.monotonic() + self._patience
            patiently(lambda: _prepare(connection, self._durable), deadline)
        # Nobody else will know of it.
        except BaseException:
            connection.close()
            raise
        # The first one may have to wait for others that set the database up; no request may.
        self._patience = CALL_DEADLINE
        return connection


def patiently(work: Callable[[], object], deadline: float) -> None:
    """Do the work, again and again while the database is locked, until the deadline."""
    while True:
        try:
            work()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311
        else:
            return


def _make_file(path: Path) -> None:
    """Make the file unless it is there; SQLite would leave its mode to the umask.

    One that is there is not opened: to close it would drop the locks of this process's connections,
    and the next process to leave would remove their log. Source: sqlite.org/howtocorrupt.html, 2.2.
    """
    with contextlib.suppress(FileExistsError):
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        os.close(os.open(os.path.realpath(path), flags, 0o600))


def _undo(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        # A connection that cannot even do this is closed when it is given back.
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def _prepare(connection: sqlite3.Connection, durable: bool) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise sqlite3.NotSupportedError(f"its journal mode stays {mode!r}, sessions need WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")


# In one order, for two threads may fork at once.
def _everyone() -> list[Connections]:
    return sorted(_all, key=id)


def _before_fork() -> None:
    for connections in _everyone():
        connections._before_fork()
        _held().append(connections)


def _after_fork_in_parent() -> None:
    while _held():
        _held().pop()._after_fork_in_parent()


def _after_fork_in_child() -> None:
    _held().clear()
    for connections in _everyone():
        connections._begin()


def _held() -> list[Connections]:
    """Return what this thread holds for its fork."""
    held: list[Connections] = _forking.__dict__.setdefault("held", [])
    return held


_all: weakref.WeakSet[Connections] = weakref.WeakSet()
_forking = threading.local()

os.register_at_fork(
    before=_before_fork,
    after_in_parent=_after_fork_in_parent,
    after_in_child=_after_fork_in_child,
)
