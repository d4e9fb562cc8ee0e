"""Count and list the records of the SQLite store, and find expired ones."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from sessions.errors import StoreUnavailable, UnreadableValue
from sessions.record import Ended, Record
from sessions.stores.listing import Page
from sessions.stores.sqlite_connections import Connections
from sessions.stores.sqlite_statements import Statements


class SQLiteListing(ABC):
    """Count and list the records of a SQLite store."""

    clock: Callable[[], float]
    _connections: Connections
    _sql: Statements

    @abstractmethod
    def load(self, key: str) -> Record | Ended | None:
        """Return the record, None, or Ended: see `Store.load`."""

    @abstractmethod
    def _unavailable(self, error: Exception) -> StoreUnavailable:
        """Return the StoreUnavailable for an error of SQLite."""

    def count(self) -> int:
        """Return the number of live records: see `Countable`."""
        ((count,),) = self._rows(self._sql.count)
        return int(count)

    def has_expired(self, key: str) -> bool:
        """Return whether the store still has the expired record: see `KeepsExpired`."""
        return bool(self._rows(self._sql.has_expired, key=key))

    def page(self, after: str | None, limit: int) -> Page:
        """Return the next live records in the order of their keys: see `Listable`."""
        keys = [key for (key,) in self._rows(self._sql.keys, after=after or "", size=limit)]
        records = [(key, record) for key in keys if (record := self._live(key)) is not None]
        return Page(records, keys[-1] if len(keys) == limit else None)

    def _rows(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        try:
            return self._connections.read(statement, {"now": self.clock(), **values})
        except (sqlite3.Error, OSError) as error:
            raise self._unavailable(error) from error

    def _live(self, key: str) -> Record | None:
        # Each row is loaded by itself, so that a damaged row does not hide others.
        try:
            found = self.load(key)
        except UnreadableValue:
            return None
        return found if isinstance(found, Record) else None
