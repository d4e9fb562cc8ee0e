"""Sessions in a real PostgreSQL server."""

from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
pytest.importorskip("psycopg", reason="psycopg is not installed")
pytest.importorskip("asyncpg", reason="asyncpg is not installed")

from sessions.stores.base import Store
from sessions.stores.sql import SQLStore
from sessions.testing import CountableContract, ListableContract, StoreContract, UserIndexContract
from tests.support.sql_contracts import AsyncSQLStoreOnServer, OnSQLServer, SQLStoreOnServer
from tests.support.sql_servers import (
    NO_POSTGRESQL,
    PostgreSQLServer,
    postgresql,
    postgresql_folder,
)

pytestmark = pytest.mark.skipif(postgresql_folder() is None, reason=NO_POSTGRESQL)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQLServer]:
    """Give one server to all tests of the module."""
    with postgresql() as server:
        SQLStore.from_url(server.url).create_schema()
        yield server


class TestSQLStore(SQLStoreOnServer):
    """SQLStore keeps the contract by the clock of the test."""

    unused = "postgresql+psycopg://postgres@127.0.0.1:1/postgres"


class TestSQLStoreByTheServersClock(
    OnSQLServer, CountableContract, ListableContract, StoreContract, UserIndexContract
):
    """SQLStore keeps the contract by the clock of the server."""

    server_expires = True

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return a store in the empty table."""
        return SQLStore.from_url(self.server.url)

    def damage_record(self, store: Store, key: str) -> None:
        """Remove a time from the row."""
        self.damage()


class TestAsyncSQLStore(AsyncSQLStoreOnServer):
    """AsyncSQLStore keeps the contract over psycopg."""

    driver = "psycopg"
    unused = "postgresql+psycopg://postgres@127.0.0.1:1/postgres"


class TestAsyncSQLStoreOverAsyncpg(AsyncSQLStoreOnServer):
    """AsyncSQLStore keeps the contract over asyncpg."""

    driver = "asyncpg"
    unused = "postgresql+asyncpg://postgres@127.0.0.1:1/postgres"
