"""A MariaDB server in a country with summer time."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
pytest.importorskip("pymysql", reason="PyMySQL is not installed")
pytest.importorskip("asyncmy", reason="asyncmy is not installed")

from sessions.record import Record
from sessions.stores.sql import AsyncSQLStore, SQLStore
from sessions.testing import a_record
from tests.support.sql_servers import NO_MARIADB, MariaDBServer, mariadb, mariadb_binary

pytestmark = pytest.mark.skipif(mariadb_binary() is None, reason=NO_MARIADB)

# In this hour, the clocks of Europe show the times from two to three for the first time.
SECOND_OF_THE_NIGHT = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
HALF_AN_HOUR = timedelta(minutes=30).total_seconds()


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDBServer]:
    """Give a server whose system has such a time zone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Europe/Warsaw")
        with mariadb() as server:
            SQLStore.from_url(server.url).create_schema()
            yield server


def a_record_of_that_night() -> Record:
    """Return a record that lives for half an hour."""
    return a_record(lambda: SECOND_OF_THE_NIGHT, {"a": b"1"}, lives=HALF_AN_HOUR)


def test_no_session_expires_when_the_clocks_are_put_back(server: MariaDBServer) -> None:
    """The time of the server is the one of the world, not the one of its country."""
    store = SQLStore.from_url(server.url, pool_size=1)
    store._connections.use(
        lambda one: store._driver.run(one, [f"SET SESSION timestamp = {SECOND_OF_THE_NIGHT}"])
    )

    assert store.create("a-key", a_record_of_that_night())
    assert store.load("a-key") == a_record_of_that_night()
    store.close()


def test_an_event_loop_has_the_same_time(server: MariaDBServer) -> None:
    """Its driver has connections of its own."""

    async def create_and_load() -> object:
        store = AsyncSQLStore.from_url(server.async_urls[0], pool_size=1)
        await store._connections.use(
            lambda one: store._driver.run(one, [f"SET SESSION timestamp = {SECOND_OF_THE_NIGHT}"])
        )
        await store.create("another-key", a_record_of_that_night())
        found = await store.load("another-key")
        await store.close()
        return found

    assert asyncio.run(create_and_load()) == a_record_of_that_night()
