"""The contract of stores, for the MongoDB stores on a server."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pymongo
import pytest

from sessions.stores.base import AsyncStore, Store
from sessions.stores.mongo import AsyncMongoStore, MongoStore
from sessions.testing import (
    AsyncStoreContract,
    AsyncUserIndexContract,
    CountableContract,
    ListableContract,
    StoreContract,
    UserIndexContract,
)
from tests.support.patience import patiently


class OnMongoServer:
    """Give each test the server of its module, without sessions."""

    url: str
    points_at_most = 1

    @pytest.fixture(autouse=True)
    def _empty(self, url: str) -> None:
        self.url = url
        client: Any
        with pymongo.MongoClient(url) as client:
            client.get_default_database()["sessions"].delete_many({})

    def damage(self, key: str) -> None:
        """Remove the secret from the document of the key."""
        client: Any
        with pymongo.MongoClient(self.url) as client:
            sessions = client.get_default_database()["sessions"]
            sessions.update_one({"_id": key}, {"$unset": {"secret": 1}})


class MongoStoreOnServer(
    OnMongoServer, CountableContract, ListableContract, StoreContract, UserIndexContract
):
    """MongoStore keeps the contract, also between two processes."""

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return a store in the empty collection."""
        return _open(self.url, clock)

    def open_in_another_process(self, store: Store) -> Callable[[], Store]:
        """Return what opens the same collection."""
        return patiently(partial(_open, self.url, store.clock))

    def break_store(self, store: Store) -> None:
        """Close the client that the store uses."""
        assert isinstance(store, MongoStore)
        store._collection.database.client.close()

    def damage_record(self, store: Store, key: str) -> None:
        """Remove the secret from the document."""
        self.damage(key)


class AsyncMongoStoreOnServer(
    OnMongoServer, CountableContract, ListableContract, AsyncStoreContract, AsyncUserIndexContract
):
    """AsyncMongoStore keeps the contract."""

    def make_store(self, clock: Callable[[], float]) -> AsyncStore:
        """Return a store in the empty collection."""
        store = AsyncMongoStore.from_url(self.url)
        store.clock = clock
        return store

    async def break_store(self, store: Any) -> None:
        """Close the client that the store uses."""
        await store._collection.database.client.close()

    async def damage_record(self, store: AsyncStore, key: str) -> None:
        """Remove the secret from the document."""
        self.damage(key)


def _open(url: str, clock: Callable[[], float]) -> MongoStore:
    store = MongoStore.from_url(url)
    store.clock = clock
    return store
