"""The SQL stores of tests, one for each driver, and their servers."""

from typing import Any

import pytest

from sessions.stores.sql import AsyncSQLStore, SQLStore
from tests.support.blocking import Blocking
from tests.support.sql_servers import (
    NO_MARIADB,
    NO_POSTGRESQL,
    SQLServer,
    mariadb,
    mariadb_binary,
    postgresql,
    postgresql_folder,
)

KINDS = [
    pytest.param(
        postgresql,
        id="postgresql",
        marks=pytest.mark.skipif(postgresql_folder() is None, reason=NO_POSTGRESQL),
    ),
    pytest.param(
        mariadb,
        id="mariadb",
        marks=pytest.mark.skipif(mariadb_binary() is None, reason=NO_MARIADB),
    ),
]
"""The servers, for a fixture."""


def every_store(server: SQLServer, port: int | None = None, prefix: str = "") -> list[Any]:
    """Return a store for each driver."""

    def at(url: str) -> str:
        return url.replace(str(server.port), str(port or server.port))

    faces = [AsyncSQLStore.from_url(at(url), prefix=prefix) for url in server.async_urls]
    return [SQLStore.from_url(at(server.url), prefix=prefix), *map(Blocking, faces)]
