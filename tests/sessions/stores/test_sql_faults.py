"""What a request sees while a real PostgreSQL server is broken, and afterwards."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
pytest.importorskip("psycopg", reason="psycopg is not installed")
pytest.importorskip("asyncpg", reason="asyncpg is not installed")
pytest.importorskip("pymysql", reason="PyMySQL is not installed")
pytest.importorskip("asyncmy", reason="asyncmy is not installed")

from sessions.errors import StoreUnavailable
from sessions.record import Ended, Outcome, Record
from sessions.stores.base import Store
from sessions.stores.sql import AsyncSQLStore, SQLStore
from sessions.testing import some_changes
from tests.support.broken_servers import (
    KEY,
    a_live_record,
    assert_unavailable,
    calls_of,
    has_failed,
)
from tests.support.patience import soon
from tests.support.processes import free_port, open_descriptors
from tests.support.sql_servers import SQLServer
from tests.support.sql_stores import KINDS, every_store
from tests.support.tcp_proxy import Proxy, cut_after, garbled, passing, proxy_to


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[SQLServer]:
    """Give a server that the test may break, and mends again."""
    with request.param() as server:
        SQLStore.from_url(server.url).create_schema()
        yield server


@pytest.fixture
def store(server: SQLServer) -> Iterator[SQLStore]:
    """Give a store in the empty table of the server."""
    server.run("DELETE FROM sessions")
    store = SQLStore.from_url(server.url)
    yield store
    store.close()


def test_a_server_that_is_not_there_is_unavailable(server: SQLServer) -> None:
    """The store can be made before its server is started."""
    for store in every_store(server, free_port()):
        assert_unavailable(calls_of(store, a_live_record()))
        store.close()


@pytest.mark.usefixtures("punctual")
def test_a_frozen_server_is_unavailable_until_it_continues(
    server: SQLServer, store: SQLStore
) -> None:
    """The server keeps and accepts connections, but does not answer."""
    record = a_live_record(a=b"1")
    assert soon(lambda: store.create(KEY, record))
    stores = every_store(server, prefix="frozen_")
    for each in stores:
        # What makes the table may take long, and what comes after it may not.
        server.run("DROP TABLE IF EXISTS frozen_sessions")
        each.create_schema()
        assert soon(partial(each.create, KEY, record))
    server.freeze()
    try:
        for each in stores:
            # The first call has a connection, the others open new ones.
            assert_unavailable(calls_of(each, record)[:3])
    finally:
        server.thaw()

    assert soon(lambda: store.load(KEY)) == record
    for each in stores:
        found = soon(partial(each.load, KEY))
        assert isinstance(found, Record)
        # The commit may have been sent: its outcome was unknown.
        assert found.values["a"] in (b"1", b"2")
        each.close()


def test_a_server_that_starts_again_is_used_at_once(server: SQLServer, store: SQLStore) -> None:
    """The store's connections are dead, but no request fails."""
    record = a_live_record(a=b"1")
    store.create(KEY, record)
    stores = every_store(server)
    for each in stores:
        assert each.load(KEY) == record
    server.stop()
    server.start()

    for each in stores:
        # What was acknowledged is there.
        assert each.load(KEY) == record
        assert each.commit(KEY, some_changes(time.time)) is Outcome.APPLIED
        assert each.delete(KEY)
        assert each.create(KEY, record)
        each.close()


@pytest.mark.parametrize("verb", ["load", "commit", "delete"])
def test_a_reply_that_is_cut_off_never_gives_a_wrong_answer(
    server: SQLServer, store: SQLStore, verb: str
) -> None:
    """A reply is cut after some bytes: the call is right or raises StoreUnavailable."""
    with proxy_to(server.port) as proxy:
        for each in every_store(server, proxy.port):
            for count in (0, 1, 3, 4, 5, 7, 11, 20, 40, 80, 160, 320, 400):
                record = a_live_record(a=b"1", b=b"x" * 40)
                store.delete(KEY)
                assert store.create(KEY, record)
                each.load("other")
                proxy.change = cut_after(count)
                has_failed(each, record, verb)
                proxy.change = passing
                found = each.load(KEY)
                if verb == "delete":
                    assert found is None or isinstance(found, Ended) or found == record
                else:
                    assert isinstance(found, Record)
                    assert found.values["b"] == b"x" * 40
            each.close()


@pytest.mark.usefixtures("punctual")
def test_garbage_is_unavailable(server: SQLServer, store: SQLStore) -> None:
    """Something that speaks another protocol has taken the port."""
    with proxy_to(server.port) as proxy:
        for each in every_store(server, proxy.port):
            each.load(KEY)
            proxy.change = garbled
            assert_unavailable(calls_of(each, a_live_record()))
            proxy.change = passing

            assert each.load(KEY) is None
            each.close()


@pytest.mark.usefixtures("punctual")
@pytest.mark.parametrize("is_new", [False, True])
def test_a_reply_in_small_parts_costs_no_more_than_its_time(
    server: SQLServer, store: SQLStore, is_new: bool
) -> None:
    """Each part comes in time, but the whole reply would take many seconds."""
    assert store.create(KEY, a_live_record(a=b"x" * 100))
    with proxy_to(server.port) as proxy:
        for each in every_store(server, proxy.port):
            if not is_new:
                each.load(KEY)
            proxy.pause = 0.1
            assert_unavailable(calls_of(each, a_live_record()))
            proxy.pause = 0

            assert isinstance(each.load(KEY), Record)
            each.close()


def _cut_once(proxy: Proxy, data: bytes) -> tuple[bytes, bool]:
    proxy.change = passing
    return b"", False


def test_a_change_without_an_expectation_is_sent_again(server: SQLServer, store: SQLStore) -> None:
    """One reply is lost, but no request fails."""
    with proxy_to(server.port) as proxy:
        for each in every_store(server, proxy.port):
            store.delete(KEY)
            record = a_live_record(a=b"1")
            each.load(KEY)
            calls: list[Callable[[], object]] = [partial(each.create, KEY, record)]
            for call in calls + calls_of(each, record)[:4]:
                store.create(KEY, record)
                each.load(KEY)
                proxy.change = partial(_cut_once, proxy)
                assert call() not in (None, False, Outcome.GONE)
            each.close()


def test_a_change_with_an_unknown_outcome_is_not_sent_again(
    server: SQLServer, store: SQLStore
) -> None:
    """The first try was applied, so a second try would find its own value and fail."""
    with proxy_to(server.port) as proxy:
        for each in every_store(server, proxy.port):
            store.delete(KEY)
            store.create(KEY, a_live_record(a=b"1"))
            each.load(KEY)
            changes = some_changes(time.time, set={"a": b"2"}, expected={"a": b"1"})
            proxy.change = partial(_cut_once, proxy)
            with pytest.raises(StoreUnavailable):
                each.commit(KEY, changes)
            assert proxy.change is passing
            each.close()


@pytest.mark.usefixtures("punctual")
def test_a_row_that_somebody_holds_costs_no_more_than_its_time(
    server: SQLServer, store: SQLStore
) -> None:
    """Another program's transaction has locked the row and does not end."""
    record = a_live_record(a=b"1")
    soon(lambda: store.create(KEY, record))
    with server.connect() as connection:
        connection.exec_driver_sql("UPDATE sessions SET next_place = next_place")
        for each in every_store(server):
            assert soon(partial(each.load, KEY)) == record
            assert_unavailable(calls_of(each, record)[2:])
            each.close()
        connection.rollback()

    assert soon(lambda: store.load(KEY)) == record


def test_a_server_that_is_killed_in_mid_traffic_loses_nothing(
    server: SQLServer, store: SQLStore
) -> None:
    """All acknowledged changes are there after the restart, and the row is complete."""
    store.create(KEY, a_live_record())
    acknowledged, number = 0, 0
    for pause in (0.03, 0.05, 0.08):
        killer = threading.Timer(pause, server.stop)
        killer.start()
        while True:
            number += 1
            values = {"a": b"%d" % number, "b": b"%d" % number}
            try:
                assert store.commit(KEY, some_changes(time.time, set=values)) is Outcome.APPLIED
            except StoreUnavailable:
                break
            acknowledged = number
        killer.join()
        server.start()
        found = store.load(KEY)
        assert isinstance(found, Record)
        assert found.values["a"] == found.values["b"]
        assert int(found.values["a"]) in (acknowledged, number)


def test_a_replica_is_read_and_not_written(server: SQLServer, store: SQLStore) -> None:
    """The address may be wrong, or a failover may have made the server read-only."""
    record = a_live_record(a=b"1")
    store.create(KEY, record)
    store.close()
    with server.only_reading():
        assert store.load(KEY) == record
        assert_unavailable(calls_of(store, record)[1:])
        store.close()

    assert store.load(KEY) == record
    assert store.delete(KEY)


@pytest.mark.parametrize("server", KINDS[:1], indirect=True)
def test_a_full_disk_refuses_only_new_data(server: SQLServer, store: SQLStore) -> None:
    """Acknowledged changes stay, users can sign out, and the store works when there is room."""
    record = a_live_record(a=b"1")
    kept = {KEY: record}
    assert store.create(KEY, record)
    server.stop()
    server.start(full_at=18_000_000)
    refusal = ""
    while not refusal:
        key, big = f"big{len(kept)}", a_live_record(a=os.urandom(500_000))
        try:
            assert store.create(key, big)
            kept[key] = big
        except StoreUnavailable as error:
            refusal = str(error)
    assert "could not extend file" in refusal
    assert len(kept) > 5
    assert all(store.load(key) == big for key, big in kept.items())
    assert store.delete(KEY)
    server.stop()
    server.start()

    assert store.create(KEY, big)


def test_a_cancelled_call_leaves_a_store_that_works(server: SQLServer, store: SQLStore) -> None:
    """The client of a request leaves, and no other call waits for the cancelled one."""
    store.create(KEY, a_live_record(a=b"1"))

    async def cancel(url: str) -> None:
        own = AsyncSQLStore.from_url(url)
        await own.load(KEY)
        for steps in range(12):
            changes = some_changes(time.time, set={"a": b"%d" % steps})
            task = asyncio.create_task(own.commit(KEY, changes))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            found = await own.load(KEY)
            assert isinstance(found, Record)
        await own.close()

    for url in server.async_urls:
        began = time.monotonic()
        asyncio.run(cancel(url))
        assert time.monotonic() - began < 3


def test_broken_calls_leave_nothing_behind(server: SQLServer, store: SQLStore) -> None:
    """No file descriptor, thread or server connection stays, however often the server fails."""
    with proxy_to(server.port) as proxy:
        for each in every_store(server, proxy.port):

            def fail(store: Store = each) -> None:
                store.load(KEY)
                proxy.change = cut_after(2)
                with pytest.raises(StoreUnavailable):
                    store.load(KEY)
                proxy.change = passing
                store.load(KEY)

            fail()
            before = open_descriptors(), threading.active_count()
            for _ in range(15):
                fail()
            deadline = time.monotonic() + 10
            while open_descriptors() > before[0] or threading.active_count() > before[1]:
                assert time.monotonic() < deadline, "descriptors or threads are left"
                time.sleep(0.02)
            each.close()
