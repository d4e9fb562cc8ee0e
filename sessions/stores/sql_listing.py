"""Count and list the records of the SQL stores."""

from abc import ABC, abstractmethod
from typing import Any

from sessions.errors import UnreadableValue
from sessions.record import Record
from sessions.stores.listing import Page
from sessions.stores.sql_rows import Parameters, Row, found_in
from sessions.stores.sql_statements import Statement, Statements

_COUNTED = 20_000
"""The largest number of records that one statement counts, so that it ends in time."""


class SQLListing(ABC):
    """Count and list the records of a SQL store."""

    _sql: Statements

    @abstractmethod
    def _rows(self, statement: Statement, values: Parameters) -> list[Row]:
        """Return the rows of a query."""

    def count(self) -> int:
        """Return the number of live records: see `Countable`."""
        count, after = 0, ""
        while True:
            rows = self._rows(self._sql.count, _place(after, _COUNTED))
            ((some, after),) = rows
            count += int(some)
            if some < _COUNTED:
                return count

    def page(self, after: str | None, limit: int) -> Page:
        """Return the next live records in the order of their keys: see `Listable`."""
        return _page_in(self._rows(self._sql.page, _place(after, limit)), limit)


class AsyncSQLListing(ABC):
    """Count and list the records of an asynchronous SQL store."""

    _sql: Statements

    @abstractmethod
    async def _rows(self, statement: Statement, values: Parameters) -> list[Row]:
        """Return the rows of a query."""

    async def count(self) -> int:
        """Return the number of live records: see `Countable`."""
        count, after = 0, ""
        while True:
            rows = await self._rows(self._sql.count, _place(after, _COUNTED))
            ((some, after),) = rows
            count += int(some)
            if some < _COUNTED:
                return count

    async def page(self, after: str | None, limit: int) -> Page:
        """Return the next live records in the order of their keys: see `Listable`."""
        return _page_in(await self._rows(self._sql.page, _place(after, limit)), limit)


def _place(after: str | None, limit: int) -> Parameters:
    return {"after": after or "", "size": limit}


def _page_in(rows: list[Any], limit: int) -> Page:
    records = [(key, record) for key, *row in rows if (record := _live_in(row)) is not None]
    return Page(records, rows[-1][0] if len(rows) == limit else None)


def _live_in(row: list[Any]) -> Record | None:
    try:
        found = found_in([tuple(row)]).record
    except UnreadableValue:
        return None
    return found if isinstance(found, Record) else None
