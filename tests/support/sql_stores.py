"""The SQL stores of tests, one for each driver, and their servers."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores.base import Store
from sessions.stores.sql import AsyncSQLStore, SQLStore
from tests.support.sql_servers import (
    NO_MARIADB,
    NO_POSTGRESQL,
    SQLServer,
    mariadb,
    mariadb_binary,
    postgresql,
    postgresql_folder,
)

T = TypeVar("T")

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


class Blocking(Store):
    """Call an asynchronous store as a blocking one, in one event loop."""

    def __init__(self, inner: AsyncSQLStore) -> None:
        self.inner = inner
        self._runner = asyncio.Runner()

    def load(self, key: str) -> Record | Ended | None:
        return self._do(self.inner.load(key))

    def create(self, key: str, record: Record) -> bool:
        return self._do(self.inner.create(key, record))

    def commit(self, key: str, changes: Changes) -> Outcome:
        return self._do(self.inner.commit(key, changes))

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        return self._do(self.inner.touch(key, secret, expires_at, accessed_at))

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        return self._do(self.inner.delete(key, user_id=user_id))

    def purge(self, limit: int) -> int:
        return self._do(self.inner.purge(limit))

    def purge_expired(self, limit: int) -> list[tuple[str, Record]]:
        return self._do(self.inner.purge_expired(limit))

    def create_schema(self) -> None:
        self._do(self.inner.create_schema())

    def disconnect(self) -> None:
        """Close the connections, so that the next call opens a new one."""
        self._do(self.inner.close())

    def close(self) -> None:
        self.disconnect()
        self._runner.close()

    def _do(self, call: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(call)


def every_store(server: SQLServer, port: int | None = None, prefix: str = "") -> list[Any]:
    """Return a store for each driver."""

    def at(url: str) -> str:
        return url.replace(str(server.port), str(port or server.port))

    faces = [AsyncSQLStore.from_url(at(url), prefix=prefix) for url in server.async_urls]
    return [SQLStore.from_url(at(server.url), prefix=prefix), *map(Blocking, faces)]
