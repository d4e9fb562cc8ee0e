"""How long one call to Redis lasts if the server, or the network, is slow with each reply."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from sessions.errors import StoreUnavailable  # noqa: E402
from sessions.record import Record  # noqa: E402
from sessions.stores.redis import AsyncRedisStore, RedisStore  # noqa: E402
from sessions.testing import a_record  # noqa: E402
from tests.support.broken_servers import KEY, a_live_record  # noqa: E402
from tests.support.patience import soon, soon_async  # noqa: E402
from tests.support.processes import nothing_left  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    RedisServer,
    redis_server,
    redis_with_sentinel,
    server_binary,
)
from tests.support.tcp_proxy import Proxy, cut_after, passing, proxy_to  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(server_binary() is None, reason=WHY_NOT),
    pytest.mark.usefixtures("punctual"),
]

# Some of these are slow for the first replies of a connection, and others for all of them.
PAUSES = (0.005, 0.02, 0.03, 0.05)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Give a server that asks for a password."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        with redis.Redis(port=server.port) as client:
            client.execute_command("ACL", "SETUSER", "ada", "on", ">secret", "~*", "&*", "+@all")
        yield server


@pytest.fixture
def proxy(server: RedisServer) -> Iterator[Proxy]:
    """Give a proxy in front of the server."""
    with proxy_to(server.port) as proxy:
        yield proxy


def url_of(proxy: Proxy) -> str:
    """Return a URL with which a new connection needs five replies before its first call."""
    return f"redis://ada:secret@127.0.0.1:{proxy.port}/3?client_name=shop"


def shortest(call: Callable[[], object]) -> float:
    """Return the seconds of the shortest of some failing calls: a busy machine delays others."""
    took = []
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            call()
        took.append(time.monotonic() - began)
    return min(took)


@pytest.mark.parametrize("is_new", [False, True])
def test_an_asynchronous_call_has_one_deadline(proxy: Proxy, is_new: bool) -> None:
    """All replies together take no longer than the call may, also those to a new connection."""
    with asyncio.Runner() as runner:
        for pause in PAUSES:
            store = AsyncRedisStore.from_url(url_of(proxy))
            runner.run(store.create(KEY, a_live_record(a=b"x" * 100)))
            if is_new:
                runner.run(store.close())
            proxy.pause = pause

            assert shortest(lambda store=store: runner.run(store.load(KEY))) < 0.6  # type: ignore[misc]

            proxy.pause = 0
            assert isinstance(runner.run(store.load(KEY)), Record)
            runner.run(store.close())


@pytest.mark.parametrize("is_new", [False, True])
def test_a_call_has_one_deadline(proxy: Proxy, is_new: bool) -> None:
    """The driver itself limits the time of each read only."""
    for pause in PAUSES:
        store = RedisStore.from_url(url_of(proxy))
        store.create(KEY, a_live_record(a=b"x" * 100))
        if is_new:
            store.close()
        proxy.pause = pause

        assert shortest(lambda store=store: store.load(KEY)) < 0.6  # type: ignore[misc]

        proxy.pause = 0
        assert isinstance(store.load(KEY), Record)
        store.close()


@pytest.mark.parametrize("pause", [0.005, 0.03])
def test_a_store_is_made_in_time(proxy: Proxy, pause: float) -> None:
    """It looks at the settings of the server, whose reply is long."""
    proxy.pause = pause
    began = time.monotonic()
    store = RedisStore.from_url(url_of(proxy))
    assert time.monotonic() - began < 1

    assert shortest(lambda: store.load(KEY)) < 0.6
    store.close()


@pytest.mark.parametrize("pause", [0.01, 0.03])
def test_several_sentinels_have_one_deadline(tmp_path: Path, pause: float) -> None:
    """The client asks one after the other."""
    with redis_with_sentinel(tmp_path) as (_, _, sentinel), proxy_to(sentinel.port) as proxy:
        hosts = ",".join([f"127.0.0.1:{proxy.port}"] * 3)
        proxy.pause = pause
        store = RedisStore.from_url(f"redis+sentinel://{hosts}/sessions")

        assert shortest(lambda: store.load(KEY)) < 1
        store.close()


def test_a_late_reply_is_not_given_to_another_call(server: RedisServer) -> None:
    """The connection of a call that was given up is closed, and of a cancelled one too."""

    async def look() -> None:
        store: Any = AsyncRedisStore.from_url(server.url)
        for number in range(3):
            await store.create(str(number), a_record(time.time, {"n": b"%d" % number}, lives=60))
        server.freeze()
        try:
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    await store.load("0")
                given_up = asyncio.create_task(store.load("1"))
                await asyncio.sleep(0.02)
                given_up.cancel()
                await asyncio.wait([given_up])
        finally:
            server.thaw()
        for number in (2, 1, 0):
            found = await store.load(str(number))
            assert found.values == {"n": b"%d" % number}
        await store.close()

    asyncio.run(look())


def test_failed_calls_leave_nothing_behind(server: RedisServer) -> None:
    """No descriptor and no thread stays, if the server is silent or resets a connection."""
    with proxy_to(server.port) as proxy:
        proxy.resets = True
        store = RedisStore.from_url(f"redis://127.0.0.1:{proxy.port}")
        soon(lambda: store.load(KEY))
        with nothing_left():
            for _ in range(4):
                proxy.change = cut_after(2)
                with pytest.raises(StoreUnavailable):
                    store.load(KEY)
                proxy.change = passing
                soon(lambda: store.load(KEY))
                with silent(server), pytest.raises(StoreUnavailable):
                    store.load(KEY)
            soon(lambda: store.load(KEY))
        store.close()


def test_failed_asynchronous_calls_leave_nothing_behind(server: RedisServer) -> None:
    """No descriptor and no task stays, whether a call fails, gives up or is cancelled."""

    async def look(proxy: Proxy) -> None:
        store = AsyncRedisStore.from_url(f"redis://127.0.0.1:{proxy.port}")
        await soon_async(lambda: store.load(KEY))
        with nothing_left():
            for _ in range(4):
                proxy.change = cut_after(2)
                with pytest.raises(StoreUnavailable):
                    await store.load(KEY)
                proxy.change = passing
                await soon_async(lambda: store.load(KEY))
                with silent(server):
                    tasks = [asyncio.create_task(store.load(KEY)) for _ in range(4)]
                    await asyncio.sleep(0.05)
                    tasks[0].cancel()
                    tasks[1].cancel()
                    await asyncio.wait(tasks)
            await soon_async(lambda: store.load(KEY))
            await store.close()
            # The loop closes its descriptors in its next round.
            await asyncio.sleep(0.05)
        assert len(asyncio.all_tasks()) == 1

    with proxy_to(server.port) as proxy:
        proxy.resets = True
        asyncio.run(look(proxy))


@contextmanager
def silent(server: RedisServer) -> Iterator[None]:
    """Let the server keep its connections and answer nobody."""
    server.freeze()
    try:
        yield
    finally:
        server.thaw()
