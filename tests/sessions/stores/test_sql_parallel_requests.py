"""Two processes that do the same at once, on PostgreSQL and MariaDB."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
pytest.importorskip("psycopg", reason="psycopg is not installed")
pytest.importorskip("pymysql", reason="PyMySQL is not installed")

from sessions.stores.sql import SQLStore
from tests.support.parallel_requests import (
    Open,
    assert_limits_are_exact,
    assert_updates_are_exact,
)
from tests.support.sql_servers import SQLServer
from tests.support.sql_stores import KINDS


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[SQLServer]:
    """Give one server of each kind."""
    with request.param() as server:
        SQLStore.from_url(server.url).create_schema()
        yield server


@pytest.mark.parametrize("check", [assert_updates_are_exact, assert_limits_are_exact])
def test_two_processes_at_once(server: SQLServer, check: Callable[[Open], None]) -> None:
    """No update is lost, and a limit is exact."""
    check(partial(SQLStore.from_url, server.url))
