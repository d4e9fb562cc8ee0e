"""Sessions in a server that speaks MongoDB's protocol."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

pymongo = pytest.importorskip("pymongo", reason="pymongo is not installed")

from sessions.stores.base import AsyncStore, Store  # noqa: E402
from sessions.stores.mongo import AsyncMongoStore, MongoStore  # noqa: E402
from sessions.testing import (  # noqa: E402
    AsyncStoreContract,
    AsyncUserIndexContract,
    CountableContract,
    ListableContract,
    StoreContract,
    UserIndexContract,
)
from tests.support.mongo_servers import (  # noqa: E402
    REAL_URL,
    WHY_NOT,
    has_server,
    mongo_server,
)
from tests.support.patience import patiently  # noqa: E402

pytestmark = pytest.mark.skipif(REAL_URL is None and not has_server(), reason=WHY_NOT)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give one server to all tests of the module."""
    if REAL_URL is not None:
        yield REAL_URL
        return
    with mongo_server(tmp_path_factory.mktemp("mongo")) as server:
        yield server.url


class _OnAServer:
    url: str
    points_at_most = 1

    @pytest.fixture(autouse=True)
    def _empty(self, url: str) -> None:
        self.url = url
        with pymongo.MongoClient(url) as client:
            client.get_default_database()["sessions"].delete_many({})

    def damage(self, key: str) -> None:
        """Remove the secret from the document of the key."""
        with pymongo.MongoClient(self.url) as client:
            sessions = client.get_default_database()["sessions"]
            sessions.update_one({"_id": key}, {"$unset": {"secret": 1}})


class TestMongoStore(
    _OnAServer, CountableContract, ListableContract, StoreContract, UserIndexContract
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


class TestAsyncMongoStore(
    _OnAServer, CountableContract, ListableContract, AsyncStoreContract, AsyncUserIndexContract
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
