"""Encrypted sessions over each kind of store, on its real server, blocking and asynchronous."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from sessions import AsyncStore, MemoryStore, SQLiteStore, Store
from tests.support.encrypted_lives import live, live_on_a_loop
from tests.support.suspending_store import SuspendingStore

Stores = AbstractContextManager[tuple[Callable[[], Store], Callable[[], Store | AsyncStore]]]
"""What makes a store for blocking sessions, and one for asynchronous sessions."""


@contextmanager
def memory(folder: Path) -> Iterator[Any]:
    """Give stores in memory."""
    yield MemoryStore, lambda: SuspendingStore(MemoryStore())


@contextmanager
def sqlite(folder: Path) -> Iterator[Any]:
    """Give stores in a file."""
    yield (lambda: SQLiteStore(folder / "a.db")), (lambda: SQLiteStore(folder / "b.db"))


@contextmanager
def redis(folder: Path) -> Iterator[Any]:
    """Give stores in a Valkey server."""
    pytest.importorskip("redis", reason="redis-py is not installed")
    servers, stores = import_module("tests.support.redis_servers"), _stores("redis")
    if servers.server_binary() is None:
        pytest.skip(servers.WHY_NOT)
    with servers.redis_server(folder) as server:
        yield _both(stores.RedisStore, stores.AsyncRedisStore, server.url)


@contextmanager
def postgresql(folder: Path) -> Iterator[Any]:
    """Give stores in PostgreSQL."""
    with _sql("postgresql", "postgresql_folder", "NO_POSTGRESQL") as found:
        yield found


@contextmanager
def mariadb(folder: Path) -> Iterator[Any]:
    """Give stores in MariaDB."""
    with _sql("mariadb", "mariadb_binary", "NO_MARIADB") as found:
        yield found


@contextmanager
def mongo(folder: Path) -> Iterator[Any]:
    """Give stores in a server that speaks MongoDB's protocol."""
    pytest.importorskip("pymongo", reason="pymongo is not installed")
    servers, stores = import_module("tests.support.mongo_servers"), _stores("mongo")
    if not servers.has_server():
        pytest.skip(servers.WHY_NOT)
    with servers.mongo_server(folder) as server:
        yield _both(stores.MongoStore, stores.AsyncMongoStore, server.url)


@contextmanager
def _sql(kind: str, binary: str, why_not: str) -> Iterator[Any]:
    pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
    servers, stores = import_module("tests.support.sql_servers"), _stores("sql")
    if getattr(servers, binary)() is None:
        pytest.skip(getattr(servers, why_not))
    with getattr(servers, kind)() as server:
        stores.SQLStore.from_url(server.url).create_schema()
        yield (
            lambda: stores.SQLStore.from_url(server.url),
            lambda: stores.AsyncSQLStore.from_url(server.async_urls[-1]),
        )


def _stores(name: str) -> Any:
    return import_module(f"sessions.stores.{name}")


def _both(blocking: Any, asynchronous: Any, url: str) -> Any:
    return (lambda: blocking.from_url(url)), (lambda: asynchronous.from_url(url))


on_servers = pytest.mark.skipif(
    not os.environ.get("TEST_SERVERS"), reason="starts database servers: set TEST_SERVERS=1"
)
KINDS = [
    memory,
    sqlite,
    redis,
    pytest.param(postgresql, marks=on_servers),
    pytest.param(mariadb, marks=on_servers),
    pytest.param(mongo, marks=on_servers),
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_verb_works_with_encryption(
    kind: Callable[[Path], Stores], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test uses all types, renewals, grace times, users, newer keys and parallel counters."""
    # The machine may be busy.
    monkeypatch.setattr("sessions.core.budget.LATEST_ASK", 10.0)
    with kind(tmp_path) as (blocking, asynchronous):
        store = blocking()
        live(store)
        store.close()
        asyncio.run(live_on_a_loop(asynchronous()))
