"""Processes use shared sessions at random, in PostgreSQL and MariaDB."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
pytest.importorskip("psycopg", reason="psycopg is not installed")
pytest.importorskip("pymysql", reason="PyMySQL is not installed")

from sessions.stores.sql import SQLStore
from tests.support.history_workers import assert_nothing_lost, workers
from tests.support.sql_servers import SQLServer
from tests.support.sql_stores import KINDS

# How many actions are acknowledged before a fault, and after it.
ACTIONS = 250


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[SQLServer]:
    """Give one server of each kind."""
    with request.param() as server:
        SQLStore.from_url(server.url).create_schema()
        yield server


def test_processes_on_a_server(tmp_path: Path, server: SQLServer) -> None:
    """Several processes use one server without disturbance."""
    with workers(tmp_path, partial(SQLStore.from_url, server.url)) as history:
        history.wait_for_more(2 * ACTIONS)

    assert_nothing_lost(history)


def test_a_server_that_is_killed_and_comes_back(tmp_path: Path, server: SQLServer) -> None:
    """The server is killed during commits, and still has all acknowledged changes."""
    with workers(tmp_path, partial(SQLStore.from_url, server.url)) as history:
        history.wait_for_more(ACTIONS)
        server.stop()
        server.start()
        history.wait_for_more(ACTIONS)

    assert_nothing_lost(history)


def test_a_process_that_is_killed_takes_nothing_along(tmp_path: Path, server: SQLServer) -> None:
    """Its last action is complete or absent, and all other processes go on."""
    with workers(tmp_path, partial(SQLStore.from_url, server.url)) as history:
        history.wait_for_more(ACTIONS)
        history.workers[0].kill()
        history.wait_for_more(ACTIONS)

    assert_nothing_lost(history)
