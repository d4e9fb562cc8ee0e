"""Check the settings of a SQLite store."""

import os
import re
import sqlite3

from sessions.errors import ConfigurationError
from sessions.stores.base import without_password

_OLDEST_SQLITE = (3, 35, 0)
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
            f"SQLiteStore(prefix={prefix!r}) cannot begin the name of a table. Fix: "
            "use lower-case letters, digits and underscores"
        )
    if not isinstance(durable, bool):
        problems.append(f"SQLiteStore(durable={durable!r}) is not a bool. Fix: give True or False")
    if problems:
        raise ConfigurationError(problems)


def _refuse_url(path: object) -> None:
    if isinstance(path, str) and "://" in path:
        raise ConfigurationError(
            f"SQLiteStore got the URL {without_password(path)!r}, not a path. Fix: write"
            " store_from_url(...) with the URL, with from sessions import store_from_url"
        )


def _is_file(path: object) -> bool:
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    is_shared = text != ":memory:" and isinstance(text, str) and not text.startswith("file:")
    return is_shared and bool(text)
