"""Sessions in a real MariaDB server."""

from collections.abc import Iterator

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
pytest.importorskip("pymysql", reason="PyMySQL is not installed")
pytest.importorskip("asyncmy", reason="asyncmy is not installed")

from sessions.stores.sql import SQLStore
from tests.support.sql_contracts import AsyncSQLStoreOnServer, SQLStoreOnServer
from tests.support.sql_servers import NO_MARIADB, MariaDBServer, mariadb, mariadb_binary

pytestmark = pytest.mark.skipif(mariadb_binary() is None, reason=NO_MARIADB)


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDBServer]:
    """Give one server to all tests of the module."""
    with mariadb() as server:
        SQLStore.from_url(server.url).create_schema()
        yield server


class TestSQLStore(SQLStoreOnServer):
    """SQLStore keeps the contract by the clock of the test."""

    unused = "mariadb+pymysql://tester@127.0.0.1:1/test"


class TestAsyncSQLStore(AsyncSQLStoreOnServer):
    """AsyncSQLStore keeps the contract over asyncmy."""

    driver = "asyncmy"
    unused = "mariadb+asyncmy://tester@127.0.0.1:1/test"
