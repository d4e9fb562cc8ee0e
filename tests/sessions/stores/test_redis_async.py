"""The asynchronous Redis store: event loops, and cancelled calls."""

import asyncio
import time
from collections.abc import Iterator

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from sessions.errors import StoreUnavailable  # noqa: E402
from sessions.record import Record  # noqa: E402
from sessions.stores.redis import AsyncRedisStore, RedisStore  # noqa: E402
from sessions.testing import a_record, some_changes  # noqa: E402
from tests.support.patience import soon_async  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    RedisServer,
    redis_server,
    server_binary,
)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)]


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Give a server that the test may break, with two sessions."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        blocking = RedisStore.from_url(server.url)
        for name in ("ada", "bob"):
            blocking.create(name, a_record(time.time, {"user": name.encode()}, lives=3600))
        blocking.close()
        yield server


@pytest.mark.usefixtures("punctual")
def test_a_cancelled_call_leaves_its_reply_to_nobody(server: RedisServer) -> None:
    """The reply comes later, and the next call on the connection must not take it for its own."""

    async def main() -> None:
        store = AsyncRedisStore.from_url(server.url)
        await soon_async(lambda: store.load("ada"))
        for pause in (0, 0.0002, 0.001, 0.05):
            server.freeze()
            task = asyncio.create_task(store.load("ada"))
            await asyncio.sleep(pause)
            task.cancel()
            # Python 3.11 may lose a cancellation while it sends: then the call runs into its time.
            with pytest.raises((asyncio.CancelledError, StoreUnavailable)):
                await task
            server.thaw()
            found = await soon_async(lambda: store.load("bob"))
            assert isinstance(found, Record)
            assert found.values == {"user": b"bob"}
        await store.close()

    asyncio.run(main())


def test_one_store_serves_one_event_loop_after_another(server: RedisServer) -> None:
    """A connection belongs to one loop, so the store has connections for each loop."""
    store = AsyncRedisStore.from_url(server.url)
    for number in range(5):
        found = asyncio.run(store.load("ada"))
        assert isinstance(found, Record)
        assert len(store._opened) == 1, number


@pytest.mark.usefixtures("punctual")
def test_a_stopped_server_costs_a_second_at_most_and_comes_back(server: RedisServer) -> None:
    """Many calls wait at the same time, and not one after another."""

    async def main() -> None:
        store = AsyncRedisStore.from_url(server.url)
        await soon_async(lambda: store.load("ada"))
        server.freeze()
        began = time.monotonic()
        calls = [store.load("ada") for _ in range(20)]
        calls_too = [store.commit("ada", some_changes(time.time)) for _ in range(20)]
        found = await asyncio.gather(*calls, *calls_too, return_exceptions=True)
        assert time.monotonic() - began < 2
        assert all(isinstance(each, StoreUnavailable) for each in found), found
        server.thaw()
        assert isinstance(await soon_async(lambda: store.load("ada")), Record)
        server.stop()
        with pytest.raises(StoreUnavailable):
            await store.load("ada")
        server.start()
        assert await soon_async(lambda: store.load("ada")) is None
        await store.close()

    asyncio.run(main())
