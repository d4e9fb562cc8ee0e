"""Remove the expired rows of the SQL stores, and return each of them once.

The call that removed a row returns the row. With `RETURNING`, or with the number of removed rows,
the server says which call has removed the row.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from sessions.errors import StoreUnavailable
from sessions.record import Record
from sessions.stores.base import PURGE_BATCH
from sessions.stores.expiring import Expired
from sessions.stores.sql_rows import Parameters, Row, expired_in
from sessions.stores.sql_statements import Batch, Statement, Statements

T = TypeVar("T")

_TAKEN = 50
"""The largest number of rows that one statement returns, because their values take time."""


class SQLExpiring(ABC):
    """Remove and return the expired rows of a SQL store."""

    _driver: Any
    _sql: Statements
    collects_expired = False

    @abstractmethod
    def _rows(self, statement: Statement, values: Parameters) -> list[Row]:
        """Return the rows of a query."""

    @abstractmethod
    def _change(self, statement: Statement, values: Parameters, **how: bool) -> int:
        """Run a statement, and return the number of changed rows."""

    @abstractmethod
    def _at_its_time(self, work: Callable[[Any, Parameters], T], values: Parameters) -> T:
        """Add the present time to the values, and call `work` with a connection and the values."""

    def purge(self, limit: int) -> int:
        """Remove expired records: see `Store.purge`."""

        def remove(size: int) -> int:
            return self._changed(self._sql.removing, size)

        return self._purge(limit, PURGE_BATCH, remove)

    def has_expired(self, key: str) -> bool:
        """Return whether the store still has the expired record: see `KeepsExpired`."""
        return bool(self._rows(self._sql.find_expired, {"key": key}))

    def take_expired(self, key: str) -> Record | None:
        """Remove and return the record if it has expired: see `Expiring`."""
        for row in self._rows(self._sql.find_expired, {"key": key}):
            record = expired_in(row)
            if record is None:
                continue
            which: Parameters = {"key": key, "secret": record.secret}
            if self._change(self._sql.remove_expired, which) == 1:
                return record
        return None

    def purge_expired(self, limit: int) -> list[Expired]:
        """Purge, and return the removed records: see `Expiring`."""
        taken: list[Row] = []

        def take(size: int) -> int:
            rows = self._taken(size)
            taken.extend(rows)
            return len(rows)

        try:
            self._purge(limit, _TAKEN, take)
        except StoreUnavailable:
            # The records that were removed before the failure must be returned.
            if not taken:
                raise
        return _records_in(taken)

    def _purge(self, limit: int, most: int, remove: Callable[[int], int]) -> int:
        while self._changed(self._sql.postponing, PURGE_BATCH) == PURGE_BATCH:
            pass
        removed = 0
        while removed < limit:
            size = min(most, limit - removed)
            count = remove(size)
            removed += count
            if count < size:
                break
        while self._changed(self._sql.forgetting, PURGE_BATCH) == PURGE_BATCH:
            pass
        for statement in self._sql.users.purges:
            while self._change(statement, {"size": PURGE_BATCH}) == PURGE_BATCH:
                pass
        return removed

    def _changed(self, batch: Batch, size: int) -> int:
        """Change some rows; return their number."""
        if batch.find is None:
            return self._change(batch.change, {"size": size})
        return len(self._found_and_changed(batch, batch.find, size))

    def _taken(self, size: int) -> list[Row]:
        """Remove some expired rows; return them."""
        batch = self._sql.taking
        if batch.find is None:
            return self._rows(batch.change, {"size": size})
        return self._found_and_changed(batch, batch.find, size)

    def _found_and_changed(self, batch: Batch, find: Statement, size: int) -> list[Row]:
        found = self._rows(find, {"size": size})
        if not found:
            return []
        values: Parameters = {"keys": tuple(row[0] for row in found)}
        return self._at_its_time(partial(self._lock_and_change, batch), values)

    def _lock_and_change(self, batch: Batch, connection: Any, values: Parameters) -> list[Row]:
        # If anything fails, the connection is closed, and so the server undoes the transaction.
        driver = self._driver
        driver.run(connection, ("START TRANSACTION",))
        rows: list[Row] = driver.fetch(connection, batch.lock, values)
        if rows:
            driver.change(connection, batch.change, {"keys": tuple(row[0] for row in rows)})
        driver.run(connection, ("COMMIT",))
        return rows

    def _purge_by_the_way(self) -> None:
        values: Parameters = {"size": PURGE_BATCH}
        for statement in self._sql.purges:
            self._change(statement, values)


class AsyncSQLExpiring(ABC):
    """Remove and return the expired rows of an asynchronous SQL store."""

    _driver: Any
    _sql: Statements
    collects_expired = False

    @abstractmethod
    async def _rows(self, statement: Statement, values: Parameters) -> list[Row]:
        """Return the rows of a query."""

    @abstractmethod
    async def _change(self, statement: Statement, values: Parameters, **how: bool) -> int:
        """Run a statement, and return the number of changed rows."""

    @abstractmethod
    async def _at_its_time(
        self, work: Callable[[Any, Parameters], Awaitable[T]], values: Parameters
    ) -> T:
        """Add the present time to the values, and call `work` with a connection and the values."""

    async def purge(self, limit: int) -> int:
        """Remove expired records: see `Store.purge`."""

        async def remove(size: int) -> int:
            return await self._changed(self._sql.removing, size)

        return await self._purge(limit, PURGE_BATCH, remove)

    async def has_expired(self, key: str) -> bool:
        """Return whether the store still has the expired record: see `KeepsExpired`."""
        return bool(await self._rows(self._sql.find_expired, {"key": key}))

    async def take_expired(self, key: str) -> Record | None:
        """Remove and return the record if it has expired: see `Expiring`."""
        for row in await self._rows(self._sql.find_expired, {"key": key}):
            record = expired_in(row)
            if record is None:
                continue
            which: Parameters = {"key": key, "secret": record.secret}
            if await self._change(self._sql.remove_expired, which) == 1:
                return record
        return None

    async def purge_expired(self, limit: int) -> list[Expired]:
        """Purge, and return the removed records: see `Expiring`."""
        taken: list[Row] = []

        async def take(size: int) -> int:
            rows = await self._taken(size)
            taken.extend(rows)
            return len(rows)

        try:
            await self._purge(limit, _TAKEN, take)
        except StoreUnavailable:
            # The records that were removed before the failure must be returned.
            if not taken:
                raise
        return _records_in(taken)

    async def _purge(self, limit: int, most: int, remove: Callable[[int], Awaitable[int]]) -> int:
        while await self._changed(self._sql.postponing, PURGE_BATCH) == PURGE_BATCH:
            pass
        removed = 0
        while removed < limit:
            size = min(most, limit - removed)
            count = await remove(size)
            removed += count
            if count < size:
                break
        while await self._changed(self._sql.forgetting, PURGE_BATCH) == PURGE_BATCH:
            pass
        for statement in self._sql.users.purges:
            while await self._change(statement, {"size": PURGE_BATCH}) == PURGE_BATCH:
                pass
        return removed

    async def _changed(self, batch: Batch, size: int) -> int:
        """Change some rows; return their number."""
        if batch.find is None:
            return await self._change(batch.change, {"size": size})
        return len(await self._found_and_changed(batch, batch.find, size))

    async def _taken(self, size: int) -> list[Row]:
        """Remove some expired rows; return them."""
        batch = self._sql.taking
        if batch.find is None:
            return await self._rows(batch.change, {"size": size})
        return await self._found_and_changed(batch, batch.find, size)

    async def _found_and_changed(self, batch: Batch, find: Statement, size: int) -> list[Row]:
        found = await self._rows(find, {"size": size})
        if not found:
            return []
        values: Parameters = {"keys": tuple(row[0] for row in found)}
        return await self._at_its_time(partial(self._lock_and_change, batch), values)

    async def _lock_and_change(
        self, batch: Batch, connection: Any, values: Parameters
    ) -> list[Row]:
        # If anything fails, the connection is closed, and so the server undoes the transaction.
        driver = self._driver
        await driver.run(connection, ("START TRANSACTION",))
        rows: list[Row] = await driver.fetch(connection, batch.lock, values)
        if rows:
            await driver.change(connection, batch.change, {"keys": tuple(row[0] for row in rows)})
        await driver.run(connection, ("COMMIT",))
        return rows

    async def _purge_by_the_way(self) -> None:
        values: Parameters = {"size": PURGE_BATCH}
        for statement in self._sql.purges:
            await self._change(statement, values)


def _records_in(rows: list[Row]) -> list[Expired]:
    found = [(key, expired_in(tuple(row))) for key, *row in rows]
    return [(key, record) for key, record in found if record is not None]
