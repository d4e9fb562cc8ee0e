"""The asynchronous drivers of the SQL store: see `sql_drivers`."""

import asyncio
from collections.abc import Iterable
from functools import partial
from importlib import import_module
from inspect import signature
from traceback import clear_frames
from typing import Any

from sessions.stores.sql_drivers import (
    CONNECT_SHARE,
    REPLY_TIMEOUT,
    MySQL,
    PostgreSQL,
    mysql_settings,
    postgresql_settings,
    required,
)
from sessions.stores.sql_rows import Parameters, Row, with_each_name
from sessions.stores.sql_statements import Statement

_INTERVAL = 0.1


class AsyncPsycopg(PostgreSQL):
    """PostgreSQL over psycopg 3, asynchronous."""

    def __init__(self, owner: str) -> None:
        self._psycopg = required("psycopg", owner, "'satsuma[sql]'")
        self._waiting = import_module("psycopg.waiting")
        self.errors: tuple[type[Exception], ...] = (self._psycopg.Error, OSError)
        self.lost: tuple[type[Exception], ...] = (
            self._psycopg.OperationalError,
            self._psycopg.InterfaceError,
            OSError,
        )

    def check(self, parameters: Parameters) -> None:
        """Raise an error if the driver does not know one of the parameters."""
        parameters.pop("context", None)
        self._psycopg.conninfo.make_conninfo(**parameters)

    async def connect(self, parameters: Parameters, seconds: float) -> Any:
        """Open a connection."""
        parameters.pop("context", None)
        async with asyncio.timeout(seconds * CONNECT_SHARE):
            try:
                return await self._psycopg.AsyncConnection.connect(**parameters)
            except BaseException as error:
                # The driver does not close a connection that is half open. Without the frames of
                # the error, Python frees the connection at once, which closes it.
                clear_frames(error.__traceback__)
                raise

    async def adopt(self, connection: Any, seconds: float) -> None:
        """Prepare a new connection for the store: autocommit, time limits and row format."""
        # On a timeout, the driver would ask the server to cancel, and a server that hangs would
        # never answer.
        connection.wait = partial(
            self._waiting.wait_async,
            fileno=connection.pgconn.socket,
            interval=_INTERVAL,
            timeout=seconds,
        )
        await connection.rollback()
        await connection.set_autocommit(True)
        connection.cursor_factory = self._psycopg.AsyncRawCursor
        connection.row_factory = self._psycopg.rows.tuple_row
        await connection.execute(postgresql_settings(seconds))
        connection.own_cursor = connection.cursor(binary=True)

    async def fetch(self, connection: Any, statement: Statement, values: Parameters) -> list[Row]:
        """Run a query, and return its rows."""
        sent = [values[name] for name in statement.names]
        cursor = await connection.own_cursor.execute(statement.text, sent, prepare=True)
        rows: list[Row] = await cursor.fetchall()
        return rows

    async def change(self, connection: Any, statement: Statement, values: Parameters) -> int:
        """Run a statement, and return the number of changed rows."""
        sent = [values[name] for name in statement.names]
        cursor = await connection.own_cursor.execute(statement.text, sent, prepare=True)
        count: int = cursor.rowcount
        return count

    async def run(self, connection: Any, texts: Iterable[str]) -> None:
        """Run several statements in order."""
        for text in texts:
            await connection.execute(text)

    def drop(self, connection: Any) -> None:
        """Close a connection at once, even if its event loop has ended."""
        connection.pgconn.finish()


class Asyncpg(PostgreSQL):
    """PostgreSQL over asyncpg."""

    def __init__(self, owner: str) -> None:
        self._asyncpg = required("asyncpg", owner, "asyncpg")
        failures = self._asyncpg
        self.errors: tuple[type[Exception], ...] = (
            failures.PostgresError,
            failures.InterfaceError,
            failures.InternalClientError,
            OSError,
        )
        self.lost: tuple[type[Exception], ...] = (
            failures.PostgresConnectionError,
            failures.InterfaceError,
            failures.OperatorInterventionError,
            OSError,
        )

    def check(self, parameters: Parameters) -> None:
        """Raise an error if the driver does not know one of the parameters."""
        signature(self._asyncpg.connect).bind(**_of_asyncpg(parameters))

    async def connect(self, parameters: Parameters, seconds: float) -> Any:
        """Open a connection."""
        known = _of_asyncpg(parameters)
        async with asyncio.timeout(seconds * CONNECT_SHARE):
            return await self._asyncpg.connect(**known)

    async def adopt(self, connection: Any, seconds: float) -> None:
        """Prepare a new connection for the store: autocommit, time limits and row format."""
        async with asyncio.timeout(seconds):
            await connection.execute(postgresql_settings(seconds))

    async def fetch(self, connection: Any, statement: Statement, values: Parameters) -> list[Row]:
        """Run a query, and return its rows."""
        sent = [values[name] for name in statement.names]
        # On a timeout, the driver would ask the server to cancel, and the server may hang. So
        # `terminate` ends the connection.
        late = asyncio.get_running_loop().call_later(REPLY_TIMEOUT, connection.terminate)
        try:
            return [tuple(row) for row in await connection.fetch(statement.text, *sent)]
        finally:
            late.cancel()

    async def change(self, connection: Any, statement: Statement, values: Parameters) -> int:
        """Run a statement, and return the number of changed rows."""
        sent = [values[name] for name in statement.names]
        late = asyncio.get_running_loop().call_later(REPLY_TIMEOUT, connection.terminate)
        try:
            status: str = await connection.execute(statement.text, *sent)
        finally:
            late.cancel()
        return int(status.rpartition(" ")[2])

    async def run(self, connection: Any, texts: Iterable[str]) -> None:
        """Run several statements in order."""
        for text in texts:
            await connection.execute(text)

    def drop(self, connection: Any) -> None:
        """Close a connection at once, even if its event loop has ended."""
        if not connection.is_closed():
            connection.terminate()


def _of_asyncpg(parameters: Parameters) -> Parameters:
    """Return the parameters without SQLAlchemy's own parameters, which asyncpg does not know."""
    return {
        name: value
        for name, value in parameters.items()
        if not name.startswith("prepared_statement_")
    }


class Asyncmy(MySQL):
    """MariaDB or MySQL over asyncmy."""

    def __init__(self, owner: str) -> None:
        self._asyncmy = required("asyncmy", owner, "asyncmy")
        failures = import_module("asyncmy.errors")
        self._integrity = failures.IntegrityError
        self.errors: tuple[type[Exception], ...] = (failures.Error, OSError)
        self.lost: tuple[type[Exception], ...] = (
            failures.OperationalError,
            failures.InterfaceError,
            OSError,
        )

    def check(self, parameters: Parameters) -> None:
        """Raise an error if the driver does not know one of the parameters."""
        signature(self._asyncmy.connect).bind(**parameters)

    async def connect(self, parameters: Parameters, seconds: float) -> Any:
        """Open a connection."""
        async with asyncio.timeout(seconds * CONNECT_SHARE):
            return await self._asyncmy.connect(**{**parameters, "charset": "utf8mb4"})

    async def adopt(self, connection: Any, seconds: float) -> None:
        """Prepare a new connection for the store: autocommit, time limits and row format."""
        async with asyncio.timeout(seconds):
            await connection.autocommit(True)
            await self.run(connection, mysql_settings(seconds, connection.get_server_info()))

    async def fetch(self, connection: Any, statement: Statement, values: Parameters) -> list[Row]:
        """Run a query, and return its rows."""
        async with asyncio.timeout(REPLY_TIMEOUT), connection.cursor() as cursor:
            await cursor.execute(statement.text, values)
            return list(await cursor.fetchall())

    async def change(self, connection: Any, statement: Statement, values: Parameters) -> int:
        """Run a statement, and return the number of changed rows."""
        async with asyncio.timeout(REPLY_TIMEOUT), connection.cursor() as cursor:
            try:
                count: int = await cursor.execute(*with_each_name(statement.text, values))
            except self._integrity as error:
                if not self.is_duplicate(error):
                    raise
                return 0
            return count

    async def run(self, connection: Any, texts: Iterable[str]) -> None:
        """Run several statements in order."""
        async with connection.cursor() as cursor:
            for text in texts:
                await cursor.execute(text)

    def drop(self, connection: Any) -> None:
        """Close a connection at once, even if its event loop has ended."""
        connection.close()


ASYNCHRONOUS: dict[str, Any] = {
    "postgresql+psycopg": AsyncPsycopg,
    "postgresql+psycopg_async": AsyncPsycopg,
    "postgresql+asyncpg": Asyncpg,
    "mariadb+asyncmy": Asyncmy,
    "mysql+asyncmy": Asyncmy,
}
