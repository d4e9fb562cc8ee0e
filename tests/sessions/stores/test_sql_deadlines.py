"""How long one call to an SQL server lasts if the server, or the network, is slow or silent."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
pytest.importorskip("psycopg", reason="psycopg is not installed")
pytest.importorskip("asyncpg", reason="asyncpg is not installed")
pytest.importorskip("pymysql", reason="PyMySQL is not installed")
pytest.importorskip("asyncmy", reason="asyncmy is not installed")

from sessions.errors import StoreUnavailable
from sessions.record import Record
from sessions.stores.sql import AsyncSQLStore, SQLStore
from tests.support.broken_servers import KEY, a_live_record
from tests.support.patience import soon, soon_async
from tests.support.processes import open_descriptors, wait_until
from tests.support.sql_servers import SQLServer
from tests.support.sql_stores import KINDS, every_store
from tests.support.tcp_proxy import proxy_to

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("punctual")]

# With these, a connection opens slowly but in time, and then its first call is slow too.
PAUSES = (0.0005, 0.001, 0.0016)


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[SQLServer]:
    """Give a server with one session."""
    with request.param() as server:
        store = SQLStore.from_url(server.url)
        store.create_schema()
        soon(lambda: store.create(KEY, a_live_record(a=b"x" * 100)))
        store.close()
        yield server


def first_loads(server: SQLServer, port: int) -> list[float]:
    """Return the seconds of the first load with each driver."""
    took = []
    for store in every_store(server, port):
        began = time.monotonic()
        with suppress(StoreUnavailable):
            store.load(KEY)
        took.append(time.monotonic() - began)
        store.close()
    return took


def test_a_call_has_one_deadline(server: SQLServer) -> None:
    """What opens a connection and prepares it is a part of the call."""
    with proxy_to(server.port) as proxy:
        for pause in PAUSES:
            proxy.pause = pause
            # A busy machine delays some calls, but not all of them.
            tries = zip(*(first_loads(server, proxy.port) for _ in range(3)), strict=True)
            assert max(min(took) for took in tries) < 0.65


async def _give_up(store: AsyncSQLStore, calls: int) -> None:
    """Make some calls at once: half of them are cancelled, and the others end by themselves."""
    tasks = [asyncio.create_task(store.load(KEY)) for _ in range(calls)]
    await asyncio.sleep(0.05)
    for task in tasks[::2]:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(result, StoreUnavailable | asyncio.CancelledError)


def test_a_silent_server_leaves_nothing_behind(server: SQLServer) -> None:
    """No descriptor and no task stays, whether a call gives up or is cancelled."""

    async def look(url: str) -> None:
        store = AsyncSQLStore.from_url(url)
        await soon_async(lambda: store.load(KEY))
        before = open_descriptors()
        server.freeze()
        try:
            for _ in range(4):
                await _give_up(store, 6)
        finally:
            server.thaw()
        await asyncio.sleep(0.05)
        assert open_descriptors() <= before
        assert len(asyncio.all_tasks()) == 1
        assert isinstance(await soon_async(lambda: store.load(KEY)), Record)
        await store.close()

    for url in server.async_urls:
        asyncio.run(look(url))


def test_a_silent_server_leaves_no_descriptor_of_a_blocking_call(server: SQLServer) -> None:
    """The connection of a call that gives up is closed at once."""
    store = SQLStore.from_url(server.url)
    soon(lambda: store.load(KEY))
    before = open_descriptors()
    server.freeze()
    try:
        for _ in range(4):
            with pytest.raises(StoreUnavailable):
                store.load(KEY)
    finally:
        server.thaw()
    wait_until(lambda: open_descriptors() <= before)
    store.close()


def test_a_late_reply_is_not_given_to_another_call(server: SQLServer) -> None:
    """The connection of a call that was given up or cancelled is used no more."""

    async def look(url: str) -> None:
        store = AsyncSQLStore.from_url(url)
        for name in ("one", "two"):
            await soon_async(partial(store.create, name, a_live_record(n=name.encode())))
        server.freeze()
        try:
            await _give_up(store, 4)
        finally:
            server.thaw()
        for name in ("two", "one", "two"):
            found = await soon_async(partial(store.load, name))
            assert isinstance(found, Record)
            assert found.values == {"n": name.encode()}
        await store.close()

    for url in server.async_urls:
        asyncio.run(look(url))
