"""A reply of an SQL server that is cut after each of its bytes, for each driver."""

import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
pytest.importorskip("psycopg", reason="psycopg is not installed")
pytest.importorskip("asyncpg", reason="asyncpg is not installed")
pytest.importorskip("pymysql", reason="PyMySQL is not installed")
pytest.importorskip("asyncmy", reason="asyncmy is not installed")

from sessions.record import Ended, Record
from sessions.stores.base import Store
from sessions.stores.sql import SQLStore
from tests.support.blocking import Blocking
from tests.support.broken_servers import KEY, SECOND, a_live_record, has_failed
from tests.support.sql_servers import SQLServer
from tests.support.sql_stores import KINDS, every_store
from tests.support.tcp_proxy import Proxy, cut_after, passing, proxy_to

pytestmark = pytest.mark.slow

RECORD = a_live_record(a=b"1", b=b"x" * 8)


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[SQLServer]:
    """Give a server with the tables of the store."""
    with request.param() as server:
        SQLStore.from_url(server.url).create_schema()
        yield server


@pytest.fixture
def direct(server: SQLServer) -> Iterator[SQLStore]:
    """Give a store without a proxy, to prepare and to look."""
    store = SQLStore.from_url(server.url)
    yield store
    store.close()


@pytest.mark.parametrize("verb", ["load", "create", "commit", "delete"])
def test_a_reply_that_is_reset_after_any_byte_is_not_a_wrong_answer(
    server: SQLServer, direct: SQLStore, verb: str
) -> None:
    """The call is right or raises StoreUnavailable at once, and the next call is right."""
    with proxy_to(server.port) as proxy:
        proxy.resets = True
        for store in _stores(server, proxy):
            # Each round ends with a load, whose connection is kept for the next round.
            store.load(KEY)
            for size in count():
                _prepare(direct, verb)
                if not _is_cut(proxy, store, verb, size):
                    break
            # The last size was the whole reply.
            assert size > 5
            store.close()


def test_a_new_connection_that_is_reset_is_not_a_wrong_answer(
    server: SQLServer, direct: SQLStore
) -> None:
    """The connection ends somewhere in its handshake, in its settings or in its first reply."""
    _prepare(direct, "load")
    with proxy_to(server.port) as proxy:
        proxy.resets = True
        for store in _stores(server, proxy):
            for size in count(0, 9):
                store.disconnect() if isinstance(store, Blocking) else store.close()
                if not _is_cut(proxy, store, "load", size):
                    break
            assert size > 100
            store.close()


def _stores(server: SQLServer, proxy: Proxy) -> list[Any]:
    stores = every_store(server, proxy.port)
    if "pymysql" in server.url:
        # The driver would read all certificates of the system for each connection.
        url = server.url.replace(str(server.port), str(proxy.port))
        stores[0] = SQLStore.from_url(f"{url}?ssl_disabled=true")
    return stores


def _prepare(direct: SQLStore, verb: str) -> None:
    """Let the session be as it was before the call."""
    if verb in ("commit", "delete") or not isinstance(direct.load(KEY), Record):
        direct.delete(KEY)
        assert direct.create(KEY, RECORD)


def _is_cut(proxy: Proxy, store: Store, verb: str, size: int) -> bool:
    """Make a call whose replies end after so many bytes; return whether it failed."""
    # A session that has ended would need more replies until its key is used again.
    key = f"{store!r} {size}" if verb == "create" else KEY
    proxy.change = cut_after(size)
    began = time.monotonic()
    failed = has_failed(store, RECORD, verb, key)
    assert time.monotonic() - began < SECOND
    proxy.change = passing
    found = store.load(key)
    if verb == "delete":
        assert isinstance(found, Ended) or (failed and found == RECORD)
    elif verb == "create":
        assert found == RECORD or (failed and found is None)
    else:
        assert isinstance(found, Record)
        assert found.values["b"] == RECORD.values["b"]
        assert found.values["a"] == b"2" or verb == "load" or failed
    return failed
