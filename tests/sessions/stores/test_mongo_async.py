"""The asynchronous MongoDB store: faults, cancelled calls, and several event loops."""

import asyncio
import time
from collections.abc import Iterator

import pytest

pymongo = pytest.importorskip("pymongo", reason="pymongo is not installed")

from sessions.errors import StoreUnavailable  # noqa: E402
from sessions.record import Record  # noqa: E402
from sessions.stores.mongo import AsyncMongoStore, MongoStore  # noqa: E402
from sessions.testing import a_record  # noqa: E402
from tests.support.mongo_servers import (  # noqa: E402
    WHY_NOT,
    MongoServer,
    has_server,
    mongo_server,
    url_of,
)
from tests.support.processes import nothing_left  # noqa: E402
from tests.support.tcp_proxy import Proxy, cut_after, passing, proxy_to  # noqa: E402

pytestmark = pytest.mark.skipif(not has_server(), reason=WHY_NOT)

# The promise is one second; the rest is for a machine that is busy.
SECOND = 2.0
PATIENT = 10.0
KEY = "a-key"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """Give a server that a test freezes and thaws."""
    with mongo_server(tmp_path_factory.mktemp("mongo")) as server:
        yield server


@pytest.fixture
def direct(server: MongoServer) -> Iterator[MongoStore]:
    """Give a store to prepare the sessions."""
    store = MongoStore.from_url(server.url)
    store._deadline = PATIENT
    yield store
    store.close()


def a_live_record(**values: bytes) -> Record:
    """Return a record that lives for an hour."""
    return a_record(time.time, values, lives=3600)


@pytest.mark.usefixtures("punctual")
def test_an_asynchronous_call_ends_in_time_as_well(server: MongoServer, direct: MongoStore) -> None:
    """The event loop goes on while a call waits, and the store works afterwards."""
    record = a_live_record(a=b"1")
    direct.create(KEY, record)

    async def run() -> None:
        asynchronous = AsyncMongoStore.from_url(server.url)
        assert await _answer_soon(asynchronous) == record
        server.freeze()
        try:
            began, turns = time.monotonic(), asyncio.create_task(_turns(5))
            with pytest.raises(StoreUnavailable):
                await asynchronous.load(KEY)
            assert time.monotonic() - began < SECOND
            assert turns.done()
        finally:
            server.thaw()
        assert await _answer_soon(asynchronous) == record
        await asynchronous.close()

    asyncio.run(run())


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0.01)


async def _answer_soon(store: AsyncMongoStore) -> object:
    for _ in range(20):
        try:
            return await store.load(KEY)
        except StoreUnavailable:
            await asyncio.sleep(0.1)
    raise AssertionError("the store does not come back")


def test_a_cancelled_call_leaves_the_store_as_it_was(
    server: MongoServer, direct: MongoStore
) -> None:
    """The late reply of a cancelled call does not answer another call."""
    records = {key: a_live_record(name=key.encode()) for key in ("one", "two")}
    for key, record in records.items():
        direct.create(key, record)

    async def run() -> None:
        asynchronous = AsyncMongoStore.from_url(server.url)
        asynchronous._deadline = PATIENT
        await asynchronous.load("one")
        for delay in (0.0, 0.0002, 0.0005, 0.001):
            call = asyncio.create_task(asynchronous.load("one"))
            await asyncio.sleep(delay)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            assert await asynchronous.load("two") == records["two"]
        await asynchronous.close()

    asyncio.run(run())


def test_an_asynchronous_store_serves_one_loop_after_another(server: MongoServer) -> None:
    """Each event loop has its own connections."""
    asynchronous = AsyncMongoStore.from_url(server.url)
    asynchronous._deadline = PATIENT

    async def run() -> object:
        return await asynchronous.load("nothing")

    for _ in range(3):
        assert asyncio.run(run()) is None


@pytest.mark.usefixtures("punctual")
def test_failed_calls_leave_nothing_behind(server: MongoServer) -> None:
    """No descriptor, thread or task stays, whether a call fails, gives up or is cancelled."""

    async def look(proxy: Proxy) -> None:
        store = AsyncMongoStore.from_url(url_of(proxy.port))
        await _answer_soon(store)
        for _ in range(3):
            proxy.change = cut_after(20)
            with pytest.raises(StoreUnavailable):
                await store.load(KEY)
            proxy.change = passing
            await _answer_soon(store)
            server.freeze()
            tasks = [asyncio.create_task(store.load(KEY)) for _ in range(4)]
            await asyncio.sleep(0.05)
            tasks[0].cancel()
            tasks[1].cancel()
            await asyncio.wait(tasks)
            server.thaw()
        await _answer_soon(store)
        await store.close()
        await asyncio.sleep(0.05)
        assert len(asyncio.all_tasks()) == 1

    with nothing_left(), proxy_to(server.port) as proxy:
        asyncio.run(look(proxy))
