"""What `close` of a Redis store leaves behind: no connection, to a server or to a Sentinel."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from sessions.stores.base import wall_clock  # noqa: E402
from sessions.stores.redis import AsyncRedisStore, RedisStore  # noqa: E402
from sessions.testing import a_record  # noqa: E402
from tests.support.processes import wait_until  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    RedisServer,
    redis_cluster,
    redis_server,
    redis_with_sentinel,
    server_binary,
)

pytestmark = pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)


class Servers:
    """The servers that a store uses, and its URL."""

    def __init__(self, url: str, servers: list[RedisServer]) -> None:
        self.url = url
        self._clients = [redis.Redis(port=server.port) for server in servers]
        self._before = self._addresses()

    def _addresses(self) -> set[str]:
        """Return who is connected to the servers, without the servers themselves."""
        return {
            f"{client}{one['addr']}" for client in self._clients for one in client.client_list()
        }

    def connections(self) -> int:
        """Return how many connections there are more than at the beginning."""
        return len(self._addresses() - self._before)

    def close(self) -> None:
        """Close the connections of the test."""
        for client in self._clients:
            client.close()


@pytest.fixture(params=["one", "sentinel", "cluster"])
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Servers]:
    """Give one server, one with a Sentinel, or a cluster."""
    with ExitStack() as stack:
        if request.param == "one":
            server = stack.enter_context(redis_server(tmp_path))
            made = Servers(server.url, [server])
        elif request.param == "sentinel":
            master, _, sentinel = stack.enter_context(redis_with_sentinel(tmp_path))
            url = f"redis+sentinel://127.0.0.1:{sentinel.port}/sessions"
            made = Servers(url, [master, sentinel])
        else:
            several = stack.enter_context(redis_cluster(tmp_path))
            made = Servers(f"redis+cluster://127.0.0.1:{several[0].port}", several)
        stack.callback(made.close)
        yield made


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """Let the garbage collector close nothing."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_a_blocking_store_leaves_no_connection(servers: Servers) -> None:
    """Neither of its calls, nor of the calls about all sessions."""
    store = RedisStore.from_url(servers.url)
    store.create("key", a_record(wall_clock))
    store.count()
    assert servers.connections() > 0
    client: Any = store._client

    store.close()

    wait_until(lambda: servers.connections() == 0)
    # The store can still be used.
    assert store.load("key") is not None
    store.close()
    del client


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_an_asynchronous_store_leaves_no_connection(servers: Servers) -> None:
    """Also several of them, if calls ran at the same time."""

    async def use() -> None:
        store = AsyncRedisStore.from_url(servers.url)
        await store.create("key", a_record(wall_clock))
        await asyncio.gather(*(store.load("key") for _ in range(5)), store.count())
        assert servers.connections() > 0
        client: Any = store._client

        await store.close()

        await asyncio.to_thread(wait_until, lambda: servers.connections() == 0)
        assert await store.load("key") is not None
        await store.close()
        del client

    asyncio.run(use())
