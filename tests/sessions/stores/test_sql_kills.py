"""The SQL stores when a process is killed during a write, or the server ends connections."""

import time
from collections.abc import Iterator
from functools import partial

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
pytest.importorskip("psycopg", reason="psycopg is not installed")
pytest.importorskip("pymysql", reason="PyMySQL is not installed")

from sessions.record import Outcome
from sessions.stores.sql import SQLStore
from sessions.testing import some_changes, values_of
from tests.support.broken_servers import KEY, a_live_record
from tests.support.killed_writers import kill_writers
from tests.support.patience import patiently
from tests.support.sql_servers import PostgreSQLServer, SQLServer
from tests.support.sql_stores import KINDS, every_store


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[SQLServer]:
    """Give one server of each kind."""
    with request.param() as server:
        SQLStore.from_url(server.url).create_schema()
        yield server


@pytest.fixture(autouse=True)
def _empty(server: SQLServer) -> None:
    server.run("DELETE FROM sessions")


def test_processes_that_are_killed_lose_no_acknowledged_write(server: SQLServer) -> None:
    """The next process writes at once, because no row stays locked."""
    rounds = kill_writers(patiently(partial(SQLStore.from_url, server.url)), 20)

    assert [one for one in rounds if not one.is_right] == []
    assert len(rounds) == 20


def test_connections_that_the_server_ends_are_replaced(server: SQLServer) -> None:
    """An administrator or a time limit ends idle connections, and no call fails."""
    stores = every_store(server)
    stores[0].create(KEY, a_live_record())
    for number, store in enumerate(stores):
        assert store.load(KEY) is not None
        end_connections(server)

        changes = some_changes(time.time, lives=3600, set={f"{number}": b"1"})
        assert store.commit(KEY, changes) is Outcome.APPLIED
        store.close()

    with_all = SQLStore.from_url(server.url)
    assert set(values_of(with_all, KEY)) == {f"{number}" for number in range(len(stores))}
    with_all.close()


def end_connections(server: SQLServer) -> None:
    """End all connections except the one that sends this command."""
    if isinstance(server, PostgreSQLServer):
        others = "FROM pg_stat_activity WHERE backend_type = 'client backend'"
        server.run(f"SELECT pg_terminate_backend(pid) {others} AND pid <> pg_backend_pid()")
        return
    listed = server.run(
        "SELECT id FROM information_schema.processlist"
        " WHERE id <> connection_id() AND user = 'tester'"
    )
    for (number,) in listed:
        server.run(f"KILL {int(number)}")
