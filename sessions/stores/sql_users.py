"""The index of users of the SQL stores: one row for each entry, in a separate table."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from sessions.record import Ended, Record
from sessions.stores.sql_rows import Parameters, Row
from sessions.stores.sql_statements import Statement, Statements
from sessions.stores.user_index import hash_of_user


class SQLUsers(ABC):
    """Keep the index of users in a table."""

    _driver: Any
    _sql: Statements

    @abstractmethod
    def load(self, key: str) -> Record | Ended | None:
        """Return the record, None, or Ended: see `Store.load`."""

    @abstractmethod
    def _rows(self, statement: Statement, values: Parameters) -> list[Row]:
        """Return the rows of a query."""

    @abstractmethod
    def _change(self, statement: Statement, values: Parameters, **how: bool) -> int:
        """Run a statement, and return the number of changed rows."""

    def add_to_user(self, user_id: str, key: str, until: float) -> None:
        """Add an entry: see `UserIndex.add_to_user`."""
        self._change(self._sql.users.add, _entry(user_id, key, until))

    def keys_of_user(self, user_id: str) -> dict[str, float]:
        """Return the keys of the user: see `UserIndex.keys_of_user`."""
        return _entries_in(self._rows(self._sql.users.keys, {"user": hash_of_user(user_id)}))

    def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        """Remove entries: see `UserIndex.remove_from_user`."""
        for values in self._driver.entries_in(entries):
            self._change(self._sql.users.remove, {"user": hash_of_user(user_id), **values})

    def _look_at_tables(self) -> None:
        """Raise StoreUnavailable if a table is missing."""
        self.load("")
        self.keys_of_user("")


class AsyncSQLUsers(ABC):
    """Keep the index of users in a table, on an event loop."""

    _driver: Any
    _sql: Statements

    @abstractmethod
    async def load(self, key: str) -> Record | Ended | None:
        """Return the record, None, or Ended: see `Store.load`."""

    @abstractmethod
    async def _rows(self, statement: Statement, values: Parameters) -> list[Row]:
        """Return the rows of a query."""

    @abstractmethod
    async def _change(self, statement: Statement, values: Parameters, **how: bool) -> int:
        """Run a statement, and return the number of changed rows."""

    async def add_to_user(self, user_id: str, key: str, until: float) -> None:
        """Add an entry: see `UserIndex.add_to_user`."""
        await self._change(self._sql.users.add, _entry(user_id, key, until))

    async def keys_of_user(self, user_id: str) -> dict[str, float]:
        """Return the keys of the user: see `UserIndex.keys_of_user`."""
        return _entries_in(await self._rows(self._sql.users.keys, {"user": hash_of_user(user_id)}))

    async def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        """Remove entries: see `UserIndex.remove_from_user`."""
        for values in self._driver.entries_in(entries):
            await self._change(self._sql.users.remove, {"user": hash_of_user(user_id), **values})

    async def _look_at_tables(self) -> None:
        """Raise StoreUnavailable if a table is missing."""
        await self.load("")
        await self.keys_of_user("")


def _entry(user_id: str, key: str, until: float) -> Parameters:
    return {"user": hash_of_user(user_id), "key": key, "until": float(until)}


def _entries_in(rows: list[Row]) -> dict[str, float]:
    return {key: float(until) for key, until in rows}
