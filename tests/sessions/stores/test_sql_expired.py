"""SQL stores distinguish expired records from unknown ones, by the clock of the server."""

import asyncio
from collections.abc import Iterator

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
pytest.importorskip("psycopg", reason="psycopg is not installed")
pytest.importorskip("asyncpg", reason="asyncpg is not installed")
pytest.importorskip("pymysql", reason="PyMySQL is not installed")
pytest.importorskip("asyncmy", reason="asyncmy is not installed")

from sessions.stores.expired import AsyncKeepsExpired, KeepsExpired
from sessions.stores.sql import AsyncSQLStore, SQLStore
from tests.support.sql_servers import SQLServer
from tests.support.sql_stores import KEY, KINDS, a_live_record


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[SQLServer]:
    """Give a server."""
    with request.param() as server:
        yield server


def test_an_expired_record_is_known(server: SQLServer) -> None:
    """The blocking and the asynchronous store both know it."""
    store = SQLStore.from_url(server.url)
    store.create_schema()
    assert isinstance(store, KeepsExpired)
    store.create(KEY, a_live_record())
    seen = [store.has_expired(KEY)]
    server.run("UPDATE sessions SET expires_at = expires_at - 1000000000")
    seen += [store.has_expired(KEY), store.has_expired("unknown")]
    store.close()

    async def other(url: str) -> list[bool]:
        store = AsyncSQLStore.from_url(url)
        assert isinstance(store, AsyncKeepsExpired)
        found = [await store.has_expired(KEY), await store.has_expired("unknown")]
        await store.close()
        return found

    assert seen == [False, True, False]
    for url in server.async_urls:
        assert asyncio.run(other(url)) == [True, False]
