"""SQL stores keep expired records for whoever finds them first, by the clock of the server."""

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
pytest.importorskip("psycopg", reason="psycopg is not installed")
pytest.importorskip("asyncpg", reason="asyncpg is not installed")
pytest.importorskip("pymysql", reason="PyMySQL is not installed")
pytest.importorskip("asyncmy", reason="asyncmy is not installed")

from sessions.errors import StoreUnavailable
from sessions.stores.expired import AsyncKeepsExpired, KeepsExpired
from sessions.stores.sql import AsyncSQLStore, SQLStore
from sessions.testing import a_record, in_parallel
from tests.support.broken_servers import KEY, a_live_record
from tests.support.sql_servers import MariaDBServer, PostgreSQLServer, SQLServer
from tests.support.sql_stores import KINDS, every_store
from tests.support.told_ends import ends_told_by_two_processes, expected_ends

SESSIONS = 12
REFUSES_LAST = {
    PostgreSQLServer: (
        "CREATE FUNCTION refuse() RETURNS trigger AS"
        " $$ BEGIN RAISE EXCEPTION 'it stays'; END $$ LANGUAGE plpgsql",
        "CREATE TRIGGER refuse BEFORE DELETE ON sessions FOR EACH ROW"
        " WHEN (OLD.session_key = 'last') EXECUTE FUNCTION refuse()",
    ),
    MariaDBServer: (
        "CREATE TRIGGER refuse BEFORE DELETE ON sessions FOR EACH ROW"
        " IF OLD.session_key = 'last' THEN SIGNAL SQLSTATE '45000'; END IF",
    ),
}
REFUSES_NOTHING = {
    PostgreSQLServer: ("DROP TRIGGER refuse ON sessions", "DROP FUNCTION refuse"),
    MariaDBServer: ("DROP TRIGGER refuse",),
}


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[SQLServer]:
    """Give a server with the tables."""
    with request.param() as server:
        SQLStore.from_url(server.url).create_schema()
        yield server


@pytest.fixture(autouse=True)
def _empty(server: SQLServer) -> None:
    server.run("TRUNCATE TABLE sessions")


def test_an_expired_record_is_known(server: SQLServer) -> None:
    """The blocking and the asynchronous store both know it."""
    store = SQLStore.from_url(server.url)
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


def test_two_processes_report_each_end_once(server: SQLServer) -> None:
    """Requests find the expired sessions at the same time as purges do."""
    opened = partial(SQLStore.from_url, server.url)

    ends = ends_told_by_two_processes(opened, SESSIONS, asynchronous=False)

    assert ends == expected_ends(SESSIONS)


def test_two_processes_with_event_loops_report_each_end_once(server: SQLServer) -> None:
    """With each driver."""
    for url in server.async_urls:
        opened = partial(AsyncSQLStore.from_url, url)

        ends = ends_told_by_two_processes(opened, SESSIONS, asynchronous=True)

        assert ends == expected_ends(SESSIONS), url


def test_a_purge_that_fails_still_reports_the_removed_sessions(server: SQLServer) -> None:
    """Else nobody would tell the ends of these sessions; the error comes with the next purge."""
    ago = time.time() - 1000
    made = sorted(f"key {number}" for number in range(50))
    filling = SQLStore.from_url(server.url)
    # Else a creation may purge, by chance.
    filling.collects_expired = True
    for store in every_store(server):
        for key in (*made, "last"):
            filling.create(key, a_record(time.time, expires_at=ago if key in made else ago + 1))
        server.run(*REFUSES_LAST[type(server)])

        removed = store.purge_expired(1000)
        with pytest.raises(StoreUnavailable):
            store.purge_expired(1000)
        server.run(*REFUSES_NOTHING[type(server)])

        assert sorted(key for key, _ in removed) == made
        server.run("TRUNCATE TABLE sessions")
        store.close()


def test_purges_and_loads_at_once_do_not_block_each_other(server: SQLServer) -> None:
    """Each locks a row before its entry in the index, so hardly any call is undone and repeated."""
    store = SQLStore.from_url(server.url)
    store.collects_expired = True
    before = deadlocks(server)
    for _ in range(60):
        keys = [f"key {number}" for number in range(30)]
        for key in keys:
            store.create(key, a_record(time.time, expires_at=time.time() - 1000))
        takes = [partial(store.take_expired, key) for key in keys[:8]]
        purges = [partial(store.purge_expired, 15)] * 4
        works: list[Callable[[], object]] = [*takes, *purges, *takes]
        in_parallel(len(works), partial(call_one, works))
    store.close()

    assert deadlocks(server) - before < 10


def call_one(works: list[Callable[[], object]], number: int) -> object:
    """Call one of the functions."""
    return works[number]()


def deadlocks(server: SQLServer) -> int:
    """Return how many statements the server has undone because they waited for each other."""
    asked = {
        PostgreSQLServer: "SELECT '', deadlocks FROM pg_stat_database"
        " WHERE datname = current_database()",
        MariaDBServer: "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'",
    }
    ((_, count),) = server.run(asked[type(server)])
    return int(count)
