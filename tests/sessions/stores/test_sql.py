"""Sessions in a real PostgreSQL server."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
pytest.importorskip("psycopg", reason="psycopg is not installed")
pytest.importorskip("asyncpg", reason="asyncpg is not installed")

from sessions.stores.base import AsyncStore, Store
from sessions.stores.sql import AsyncSQLStore, SQLStore
from sessions.testing import (
    AsyncStoreContract,
    AsyncUserIndexContract,
    CountableContract,
    ListableContract,
    StoreContract,
    UserIndexContract,
)
from tests.support.patience import patiently
from tests.support.sql_servers import (
    NO_POSTGRESQL,
    PostgreSQLServer,
    postgresql,
    postgresql_folder,
)

pytestmark = pytest.mark.skipif(postgresql_folder() is None, reason=NO_POSTGRESQL)

NOBODY = "postgresql+psycopg://postgres@127.0.0.1:1/postgres"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQLServer]:
    """Give one server to all tests of the module."""
    with postgresql() as server:
        SQLStore.from_url(server.url).create_schema()
        yield server


class _OnAServer:
    server: PostgreSQLServer

    @pytest.fixture(autouse=True)
    def _empty(self, server: PostgreSQLServer) -> None:
        self.server = server
        server.run("DELETE FROM sessions", "DELETE FROM session_users")

    def damage(self) -> None:
        """Damage the only row of the table."""
        self.server.run("UPDATE sessions SET created_at = NULL")


class TestSQLStore(
    _OnAServer, CountableContract, ListableContract, StoreContract, UserIndexContract
):
    """SQLStore keeps the contract by the clock of the test."""

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return a store in the empty table."""
        return _reading(clock, SQLStore.from_url(self.server.url))

    def open_in_another_process(self, store: Store) -> Callable[[], Store]:
        """Return what opens the same table."""
        return patiently(partial(_opened, self.server.url, store.clock))

    def break_store(self, store: Store) -> None:
        """Change the port of the store to one without a server."""
        assert isinstance(store, SQLStore)
        store.close()
        store._connections = SQLStore.from_url(NOBODY)._connections

    def damage_record(self, store: Store, key: str) -> None:
        """Remove a time from the row."""
        self.damage()


class TestSQLStoreByTheServersClock(
    _OnAServer, CountableContract, ListableContract, StoreContract, UserIndexContract
):
    """SQLStore keeps the contract by the clock of the server."""

    server_expires = True

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return a store in the empty table."""
        return SQLStore.from_url(self.server.url)

    def damage_record(self, store: Store, key: str) -> None:
        """Remove a time from the row."""
        self.damage()


class TestAsyncSQLStore(
    _OnAServer, CountableContract, ListableContract, AsyncStoreContract, AsyncUserIndexContract
):
    """AsyncSQLStore keeps the contract over psycopg."""

    driver = "psycopg"

    def make_store(self, clock: Callable[[], float]) -> AsyncStore:
        """Return a store in the empty table."""
        return _reading(clock, AsyncSQLStore.from_url(self._url()))

    def _url(self) -> str:
        return self.server.url.replace("psycopg", self.driver)

    async def break_store(self, store: Any) -> None:
        """Change the port of the store to one without a server."""
        await store.close()
        url = NOBODY.replace("psycopg", self.driver)
        store._connections = AsyncSQLStore.from_url(url)._connections

    async def damage_record(self, store: AsyncStore, key: str) -> None:
        """Remove a time from the row."""
        self.damage()


class TestAsyncSQLStoreOverAsyncpg(TestAsyncSQLStore):
    """AsyncSQLStore keeps the contract over asyncpg."""

    driver = "asyncpg"


S = TypeVar("S", Store, AsyncStore)


def _reading(clock: Callable[[], float], store: S) -> S:
    store.clock = clock
    return store


def _opened(url: str, clock: Callable[[], float]) -> Store:
    return _reading(clock, SQLStore.from_url(url))
