"""Sessions in PostgreSQL, MariaDB or MySQL."""

import random
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from sessions.errors import ConfigurationError, StoreUnavailable
from sessions.names import OF_SERVERS, explains_settings
from sessions.public_names import refusing
from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores.base import AsyncStore, Store

try:
    from sqlalchemy.exc import SQLAlchemyError

    from sessions.stores.sql_connections import (
        POOL_SIZE,
        AsyncConnections,
        AsyncSource,
        BlockingSource,
        Connections,
        driver_of,
        shown_url,
        url_of,
    )
except ImportError as error:
    raise ConfigurationError(
        "SQLStore needs the package sqlalchemy, which is not installed. Fix: run"
        " pip install 'satsuma[sql]'"
    ) from error

from sessions.stores.failures import always_changing, unavailable
from sessions.stores.sql_async_drivers import ASYNCHRONOUS
from sessions.stores.sql_drivers import BLOCKING
from sessions.stores.sql_expiring import AsyncSQLExpiring, SQLExpiring
from sessions.stores.sql_listing import AsyncSQLListing, SQLListing
from sessions.stores.sql_rows import (
    Parameters,
    Row,
    commit_parameters,
    create_parameters,
    damage_parameters,
    found_in,
    own_time,
    refusal_in,
    use_parameters,
    user_in,
)
from sessions.stores.sql_statements import Statement, Statements
from sessions.stores.sql_users import AsyncSQLUsers, SQLUsers

T = TypeVar("T")

_TRIES = 5
"""The largest number of tries of one call, if other requests keep changing the record."""
_PURGE_CHANCE = 1 / 32
"""The chance that a creation also removes records that expired long ago."""
_PREFIX = re.compile(r"([a-z][a-z0-9_]{0,39})?", re.ASCII)


@explains_settings(OF_SERVERS)
class SQLStore(SQLExpiring, SQLListing, SQLUsers, Store):
    """Keep records in a table of PostgreSQL, MariaDB or MySQL, one row for each session.

    `engine` is an Engine of SQLAlchemy. The store opens its own connections with the settings of
    the engine, so it never takes part in a transaction of the application. `from_url` makes a store
    whose calls end within a second, even if the server hangs. `create_schema` creates the table.
    The name of the table begins with `prefix`: applications with different prefixes can share a
    database, but not sessions. Sessions expire by the clock of the server, unless the container has
    its own clock.
    """

    def __init__(self, engine: Any, *, prefix: str = "", pool_size: int = POOL_SIZE) -> None:
        driver = driver_of(engine, BLOCKING, "SQLStore")
        self._begin(driver, BlockingSource(driver, engine.url, engine), engine.url, prefix)
        self._connect(pool_size)

    @classmethod
    def from_url(cls, url: Any, *, prefix: str = "", pool_size: int = POOL_SIZE) -> "SQLStore":
        """Return a store for the URL of a database, in the format of SQLAlchemy.

        The URL begins with `postgresql+psycopg://`, `mariadb+pymysql://` or `mysql+pymysql://`.
        Raises ConfigurationError for another URL, or if the driver is not installed.
        """
        parts = url_of(url, BLOCKING, "SQLStore")
        driver = BLOCKING[parts.drivername]("SQLStore")
        store = cls.__new__(cls)
        store._begin(driver, BlockingSource(driver, parts), parts, prefix)
        store._connect(pool_size)
        return store

    def _begin(self, driver: Any, source: BlockingSource, url: Any, prefix: str) -> None:
        self._driver = driver
        self._source = source
        self._name = shown_url(url)
        self._table = _table(prefix, "SQLStore")
        self._sql = Statements(driver.language, self._table)

    def _connect(self, pool_size: int) -> None:
        size = _checked_size(pool_size, "SQLStore")
        self._connections = Connections(self._driver, self._source, size)

    def __repr__(self) -> str:
        return f"<SQLStore {self._name!r}>"

    def create_schema(self) -> None:
        """Create the table if it is missing; the database user must be allowed to create tables.

        Several processes can call this at the same time. All other methods need only the rights to
        select, insert, update and delete.
        """
        try:
            self._look_at_tables()
        except StoreUnavailable as error:
            if not self._driver.has_no_table(error.__cause__):
                raise
        else:
            return
        tables = self._driver.tables(self._table)
        try:
            self._connections.alone(lambda connection: self._driver.run(connection, tables))
        except (*self._driver.errors, SQLAlchemyError) as error:
            raise _not_created(self, error) from error

    def load(self, key: str) -> Record | Ended | None:
        return found_in(self._fetch(key)).record

    def create(self, key: str, record: Record) -> bool:
        is_there = self._create(key, record)
        # This random number is no secret, so a simple generator is enough.
        if random.random() < _PURGE_CHANCE and not self.collects_expired:  # noqa: S311
            # The session is stored, so this failure is ignored. A later creation tries again.
            with suppress(StoreUnavailable):
                self._purge_by_the_way()
        return is_there

    def _create(self, key: str, record: Record) -> bool:
        values = create_parameters(key, record)
        for _ in range(_TRIES):
            if self._change(self._sql.create, values) == 1:
                return True
            # Find out which record has the key.
            rows = self._fetch(key)
            damaged = damage_parameters(key, rows)
            found = None if damaged else found_in(rows).record
            if isinstance(found, Record):
                return found.secret == record.secret
            if self._change(self._sql.create_again, values) == 1:
                return True
            if damaged:
                self._change(self._sql.remove_damaged, damaged)
        raise always_changing(self, tries=_TRIES)

    def commit(self, key: str, changes: Changes) -> Outcome:
        statement = self._sql.commit_values if changes.only_values else self._sql.commit
        values = commit_parameters(key, changes, self._driver.names_in)
        for _ in range(_TRIES):
            if self._change(statement, values, is_repeatable=not changes.expected) == 1:
                return Outcome.APPLIED
            refusal = refusal_in(self._fetch(key), changes)
            if refusal is not None:
                return refusal
        raise always_changing(self, tries=_TRIES)

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        values = use_parameters(key, secret, expires_at, accessed_at)
        return self._change(self._sql.touch, values) == 1

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        if self._change(self._sql.end, {"key": key, "user_id": user_in(user_id)}) == 1:
            return True
        if user_id is None:
            # Remove an expired or damaged row too, because it has a user's data.
            self._change(self._sql.remove_dead, {"key": key, "keeps": self.collects_expired})
        return False

    def close(self) -> None:
        """Close the connections; a later call opens them again."""
        self._connections.close()

    def _fetch(self, key: str) -> list[Row]:
        return self._rows(self._sql.load, {"key": key})

    def _rows(self, statement: Statement, values: Parameters) -> list[Row]:
        values["now"] = own_time(self)
        return self._ask(lambda one: self._driver.fetch(one, statement, values))

    def _change(self, statement: Statement, values: Parameters, **how: bool) -> int:
        values["now"] = own_time(self)
        return self._ask(lambda one: int(self._driver.change(one, statement, values)), **how)

    def _at_its_time(self, work: Callable[[Any, Parameters], T], values: Parameters) -> T:
        values["now"] = own_time(self)
        return self._ask(lambda one: work(one, values))

    def _ask(self, work: Callable[[Any], T], *, is_repeatable: bool = True) -> T:
        try:
            return self._connections.use(work, is_repeatable=is_repeatable)
        except (*self._driver.errors, SQLAlchemyError) as error:
            raise _unavailable(self, error) from error


@explains_settings(OF_SERVERS)
class AsyncSQLStore(AsyncSQLExpiring, AsyncSQLListing, AsyncSQLUsers, AsyncStore):
    """Keep records in PostgreSQL, MariaDB or MySQL without blocking an event loop: see `SQLStore`.

    `engine` is an AsyncEngine of SQLAlchemy. The store opens connections for each event loop that
    uses it.
    """

    def __init__(self, engine: Any, *, prefix: str = "", pool_size: int = POOL_SIZE) -> None:
        driver = driver_of(engine, ASYNCHRONOUS, "AsyncSQLStore")
        self._begin(driver, AsyncSource(driver, engine.url, engine), engine.url, prefix)
        self._connect(pool_size)

    @classmethod
    def from_url(cls, url: Any, *, prefix: str = "", pool_size: int = POOL_SIZE) -> "AsyncSQLStore":
        """Return a store for the URL of a database, in the format of SQLAlchemy.

        The URL begins with `postgresql+psycopg://`, `postgresql+asyncpg://`, `mariadb+asyncmy://`
        or `mysql+asyncmy://`: see `SQLStore.from_url`.
        """
        parts = url_of(url, ASYNCHRONOUS, "AsyncSQLStore")
        driver = ASYNCHRONOUS[parts.drivername]("AsyncSQLStore")
        store = cls.__new__(cls)
        store._begin(driver, AsyncSource(driver, parts), parts, prefix)
        store._connect(pool_size)
        return store

    def _begin(self, driver: Any, source: AsyncSource, url: Any, prefix: str) -> None:
        self._driver = driver
        self._source = source
        self._name = shown_url(url)
        self._table = _table(prefix, "AsyncSQLStore")
        self._sql = Statements(driver.language, self._table)

    def _connect(self, pool_size: int) -> None:
        size = _checked_size(pool_size, "AsyncSQLStore")
        self._connections = AsyncConnections(self._driver, self._source, size)

    def __repr__(self) -> str:
        return f"<AsyncSQLStore {self._name!r}>"

    async def create_schema(self) -> None:
        """Create the table if it is missing: see `SQLStore.create_schema`."""
        try:
            await self._look_at_tables()
        except StoreUnavailable as error:
            if not self._driver.has_no_table(error.__cause__):
                raise
        else:
            return
        tables = self._driver.tables(self._table)
        try:
            await self._connections.alone(lambda one: self._driver.run(one, tables))
        except (*self._driver.errors, SQLAlchemyError) as error:
            raise _not_created(self, error) from error

    async def load(self, key: str) -> Record | Ended | None:
        return found_in(await self._fetch(key)).record

    async def create(self, key: str, record: Record) -> bool:
        is_there = await self._create(key, record)
        # This random number is no secret, so a simple generator is enough.
        if random.random() < _PURGE_CHANCE and not self.collects_expired:  # noqa: S311
            # The session is stored, so this failure is ignored. A later creation tries again.
            with suppress(StoreUnavailable):
                await self._purge_by_the_way()
        return is_there

    async def _create(self, key: str, record: Record) -> bool:
        values = create_parameters(key, record)
        for _ in range(_TRIES):
            if await self._change(self._sql.create, values) == 1:
                return True
            # Find out which record has the key.
            rows = await self._fetch(key)
            damaged = damage_parameters(key, rows)
            found = None if damaged else found_in(rows).record
            if isinstance(found, Record):
                return found.secret == record.secret
            if await self._change(self._sql.create_again, values) == 1:
                return True
            if damaged:
                await self._change(self._sql.remove_damaged, damaged)
        raise always_changing(self, tries=_TRIES)

    async def commit(self, key: str, changes: Changes) -> Outcome:
        statement = self._sql.commit_values if changes.only_values else self._sql.commit
        values = commit_parameters(key, changes, self._driver.names_in)
        for _ in range(_TRIES):
            if await self._change(statement, values, is_repeatable=not changes.expected) == 1:
                return Outcome.APPLIED
            refusal = refusal_in(await self._fetch(key), changes)
            if refusal is not None:
                return refusal
        raise always_changing(self, tries=_TRIES)

    async def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        values = use_parameters(key, secret, expires_at, accessed_at)
        return await self._change(self._sql.touch, values) == 1

    async def delete(self, key: str, *, user_id: str | None = None) -> bool:
        if await self._change(self._sql.end, {"key": key, "user_id": user_in(user_id)}) == 1:
            return True
        if user_id is None:
            # Remove an expired or damaged row too, because it has a user's data.
            await self._change(self._sql.remove_dead, {"key": key, "keeps": self.collects_expired})
        return False

    async def close(self) -> None:
        """Close the connections of this event loop; a later call opens them again."""
        self._connections.close()

    async def _fetch(self, key: str) -> list[Row]:
        return await self._rows(self._sql.load, {"key": key})

    async def _rows(self, statement: Statement, values: Parameters) -> list[Row]:
        values["now"] = own_time(self)
        return await self._ask(lambda one: self._driver.fetch(one, statement, values))

    async def _change(self, statement: Statement, values: Parameters, **how: bool) -> int:
        values["now"] = own_time(self)
        return await self._ask(lambda one: self._driver.change(one, statement, values), **how)

    async def _at_its_time(
        self, work: Callable[[Any, Parameters], Awaitable[T]], values: Parameters
    ) -> T:
        values["now"] = own_time(self)
        return await self._ask(lambda one: work(one, values))

    async def _ask(self, work: Callable[[Any], Awaitable[T]], *, is_repeatable: bool = True) -> T:
        try:
            return await self._connections.use(work, is_repeatable=is_repeatable)
        except (*self._driver.errors, SQLAlchemyError) as error:
            raise _unavailable(self, error) from error


def _unavailable(store: Any, error: Exception) -> StoreUnavailable:
    if store._driver.has_no_table(error):
        return StoreUnavailable(
            f"{store!r} has no table {store._table}. Fix: call create_schema() of the store once,"
            " as a database user who may create tables; `framework sessions migrate --url URL` does"
            " this"
        )
    return unavailable(store, error)


def _not_created(store: Any, error: Exception) -> StoreUnavailable:
    """Return the error of a table that cannot be created."""
    remedy = None
    if re.search("denied|privilege|must be owner", str(error), re.IGNORECASE):
        remedy = (
            "let a database user who may create tables run `framework sessions migrate --url URL`,"
            " or give this user the right CREATE"
        )
    return unavailable(store, error, remedy)


def _table(prefix: object, owner: str) -> str:
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
        raise ConfigurationError(
            f"{owner}(prefix={prefix!r}): the name of a table cannot begin with this prefix. Fix:"
            " use at most 40 lower-case letters, digits and underscores, such as 'shop_'"
        )
    return f"{prefix}sessions"


def _checked_size(size: object, owner: str) -> int:
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ConfigurationError(
            f"{owner}(pool_size={size!r}) is not a number of connections. Fix: give 1 or more"
        )
    return size


# Type checkers do not see this function, because they would then accept every name.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
