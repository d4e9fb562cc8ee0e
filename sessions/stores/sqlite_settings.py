"""Check the settings of a SQLite store."""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import NoReturn

from sessions.errors import ConfigurationError
from sessions.stores.base import without_password

_OLDEST_SQLITE = (3, 35, 0)
_makes_files = ContextVar("makes_files", default=True)
_SERVER = re.compile(r"(?i)(rediss?|postgres(ql)?|mariadb|mysql|mongodb|sqlite)(\+\w+)?:/")
_PREFIX = re.compile(r"([a-z][a-z0-9_]*)?", re.ASCII)


def check_settings(path: object, prefix: object, durable: object) -> None:
    """Raise ConfigurationError with all mistakes in the settings."""
    _refuse_url(path)
    problems = []
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        problems.append(
            f"SQLite {sqlite3.sqlite_version} is too old for SQLiteStore. Fix: install SQLite"
            " 3.35 or later"
        )
    if not _is_file(path):
        problems.append(
            f"SQLiteStore({path!r}) needs a file that several connections can open. Fix: give the"
            " path of a file, or use MemoryStore()"
        )
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
        problems.append(
            f"SQLiteStore(prefix={prefix!r}): the name of a table cannot begin with this prefix."
            " Fix: use lower-case letters, digits and underscores"
        )
    if not isinstance(durable, bool):
        problems.append(f"SQLiteStore(durable={durable!r}) is not a bool. Fix: give True or False")
    if problems:
        raise ConfigurationError(problems)


@contextmanager
def making_files(makes_files: bool) -> Iterator[None]:
    """Choose whether a new store makes its file; a command that only reads must not make it."""
    token = _makes_files.set(makes_files)
    try:
        yield
    finally:
        _makes_files.reset(token)


class MissingFile:
    """Replace the connections of a store whose file is missing; reads and writes raise an error.

    Commands that must not make the file use this class.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, *_: object, **__: object) -> NoReturn:
        """Raise ConfigurationError, because the database file does not exist."""
        raise ConfigurationError(
            f"the SQLite database {str(self._path)!r} does not exist, and this command does not"
            " make it. Fix: correct the path; if it is right, start the application, which makes"
            " the file"
        )

    write = read

    def close(self) -> None:
        """Do nothing, because no connection is open."""


def is_missing(path: Path) -> bool:
    """Return True if there is no file and the store must not make one: see `making_files`."""
    return not _makes_files.get() and not path.exists()


def _refuse_url(path: object) -> None:
    # `Path` has replaced the two slashes of a URL by one slash.
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
    if isinstance(text, str) and ("://" in text or _SERVER.match(text)):
        raise ConfigurationError(
            f"SQLiteStore got the URL {without_password(text)!r}, not a path. Fix: write"
            " store_from_url(...) with the URL, and import it: from sessions import"
            " store_from_url"
        )


def _is_file(path: object) -> bool:
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    is_shared = text != ":memory:" and isinstance(text, str) and not text.startswith("file:")
    return is_shared and bool(text)
