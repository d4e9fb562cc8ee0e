"""The contract of stores, for the SQL stores in a real server, by the clock of the test."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import pytest

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
from tests.support.sql_servers import SQLServer

S = TypeVar("S", Store, AsyncStore)


class OnSQLServer:
    """Give each test the server of its module, with empty tables."""

    server: SQLServer

    @pytest.fixture(autouse=True)
    def _empty(self, server: SQLServer) -> None:
        self.server = server
        server.run("DELETE FROM sessions", "DELETE FROM session_users")

    def damage(self) -> None:
        """Damage the only row of the table."""
        self.server.run("UPDATE sessions SET created_at = NULL")


class SQLStoreOnServer(
    OnSQLServer, CountableContract, ListableContract, StoreContract, UserIndexContract
):
    """SQLStore keeps the contract."""

    unused: str
    """A URL of the driver, at which no server is."""

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
        store._connections = SQLStore.from_url(self.unused)._connections

    def damage_record(self, store: Store, key: str) -> None:
        """Remove a time from the row."""
        self.damage()


class AsyncSQLStoreOnServer(
    OnSQLServer, CountableContract, ListableContract, AsyncStoreContract, AsyncUserIndexContract
):
    """AsyncSQLStore keeps the contract."""

    driver: str
    unused: str
    """A URL of the driver, at which no server is."""

    def make_store(self, clock: Callable[[], float]) -> AsyncStore:
        """Return a store in the empty table."""
        (url,) = [url for url in self.server.async_urls if f"+{self.driver}:" in url]
        return _reading(clock, AsyncSQLStore.from_url(url))

    async def break_store(self, store: Any) -> None:
        """Change the port of the store to one without a server."""
        await store.close()
        store._connections = AsyncSQLStore.from_url(self.unused)._connections

    async def damage_record(self, store: AsyncStore, key: str) -> None:
        """Remove a time from the row."""
        self.damage()


def _reading(clock: Callable[[], float], store: S) -> S:
    store.clock = clock
    return store


def _opened(url: str, clock: Callable[[], float]) -> Store:
    return _reading(clock, SQLStore.from_url(url))
