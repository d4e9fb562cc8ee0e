"""Sessions in a real Valkey server."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from sessions.stores.base import AsyncStore, Store  # noqa: E402
from sessions.stores.redis import AsyncRedisStore, RedisStore  # noqa: E402
from sessions.testing import (  # noqa: E402
    AsyncStoreContract,
    AsyncUserIndexContract,
    CountableContract,
    ListableContract,
    StoreContract,
    UserIndexContract,
)
from tests.support.patience import patiently  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    RedisServer,
    redis_server,
    server_binary,
)

pytestmark = pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Give one server to all tests of the module."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


class _OnAServer:
    server: RedisServer

    @pytest.fixture(autouse=True)
    def _empty(self, server: RedisServer) -> None:
        self.server = server
        with redis.Redis(port=server.port) as client:
            client.flushall()

    def damage(self, key: str) -> None:
        """Write a value that is not a session under the key."""
        with redis.Redis(port=self.server.port) as client:
            client.hset(f"sessions:{key}", "about", b"\x91\x01")


class TestRedisStore(
    _OnAServer, CountableContract, ListableContract, StoreContract, UserIndexContract
):
    """RedisStore keeps the contract, also between two processes."""

    server_expires = True

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return a store in the empty server."""
        return RedisStore.from_url(self.server.url)

    def open_in_another_process(self, store: Store) -> Callable[[], Store]:
        """Return what opens the same server."""
        return patiently(partial(RedisStore.from_url, self.server.url))

    def break_store(self, store: Store) -> None:
        """Change the port of the store to one without a server."""
        assert isinstance(store, RedisStore)
        store.close()
        store._make = RedisStore.from_url("redis://127.0.0.1:1")._make

    def damage_record(self, store: Store, key: str) -> None:
        """Write a hash that is not a session under the key."""
        self.damage(key)


class TestAsyncRedisStore(
    _OnAServer, CountableContract, ListableContract, AsyncStoreContract, AsyncUserIndexContract
):
    """AsyncRedisStore keeps the contract."""

    server_expires = True

    def make_store(self, clock: Callable[[], float]) -> AsyncStore:
        """Return a store in the empty server."""
        return AsyncRedisStore.from_url(self.server.url)

    async def break_store(self, store: Any) -> None:
        """Change the port of the store to one without a server."""
        await store.close()
        store._make = AsyncRedisStore.from_url("redis://127.0.0.1:1")._make

    async def damage_record(self, store: AsyncStore, key: str) -> None:
        """Write a hash that is not a session under the key."""
        self.damage(key)
