"""Servers that cannot be reached: one line says which, why, and what to do."""

import asyncio
import importlib
import re
from collections.abc import Callable
from typing import Any

import pytest

from sessions import StoreUnavailable
from sessions.stores.failures import unavailable

URLS = [
    ("redis", "redis", "RedisStore", "redis://:secret@localhost:1/0"),
    ("redis", "redis", "RedisStore", "unix:///nowhere/redis.sock"),
    ("redis", "redis", "RedisStore", "redis+sentinel://:secret@localhost:1/main"),
    ("redis", "redis", "RedisStore", "redis+cluster://:secret@localhost:1"),
    ("redis", "redis", "AsyncRedisStore", "redis://:secret@localhost:1/0"),
    ("redis", "redis", "AsyncRedisStore", "unix:///nowhere/redis.sock"),
    ("redis", "redis", "AsyncRedisStore", "redis+sentinel://:secret@localhost:1/main"),
    ("redis", "redis", "AsyncRedisStore", "redis+cluster://:secret@localhost:1"),
    ("sql", "psycopg", "SQLStore", "postgresql+psycopg://user:secret@localhost:1/shop"),
    ("sql", "pymysql", "SQLStore", "mariadb+pymysql://user:secret@localhost:1/shop"),
    ("sql", "psycopg", "AsyncSQLStore", "postgresql+psycopg://user:secret@localhost:1/shop"),
    ("sql", "asyncpg", "AsyncSQLStore", "postgresql+asyncpg://user:secret@localhost:1/shop"),
    ("sql", "asyncmy", "AsyncSQLStore", "mariadb+asyncmy://user:secret@localhost:1/shop"),
    ("mongo", "pymongo", "MongoStore", "mongodb://user:secret@localhost:1/shop"),
    ("mongo", "pymongo", "AsyncMongoStore", "mongodb://user:secret@localhost:1/shop"),
]


@pytest.mark.usefixtures("punctual")
@pytest.mark.parametrize(("module", "driver", "name", "url"), URLS)
def test_a_server_that_does_not_run_is_named(module: str, driver: str, name: str, url: str) -> None:
    """The error has one line with the URL, the cause and the remedy, and no password."""
    pytest.importorskip(driver)
    found: Any = importlib.import_module(f"sessions.stores.{module}")
    store = getattr(found, name).from_url(url)

    async def ask() -> Any:
        return await store.load("key")

    with pytest.raises(StoreUnavailable) as caught:
        asyncio.run(ask()) if name.startswith("Async") else store.load("key")

    told = str(caught.value)
    place = "/nowhere/redis.sock" if url.startswith("unix") else "localhost:1"
    assert re.fullmatch(rf"<{name} '.*{place}.*'> cannot be used: .+\. Fix: .+", told)
    assert "Fix: start the server, or correct its address in the URL of the store" in told
    assert "secret" not in told
    assert len(told) < 500


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("NOAUTH Authentication required.", "user and the password"),
        ("WRONGPASS invalid username-password pair", "user and the password"),
        ('FATAL:  password authentication failed for user "shop"', "user and the password"),
        ("(1045, \"Access denied for user 'shop'@'localhost'\")", "user and the password"),
        ('FATAL:  database "shop" does not exist', "create the database"),
        ("(1049, \"Unknown database 'shop'\")", "create the database"),
        ('FATAL:  role "ap" does not exist', "create the user on the server"),
        ("MOVED 3999 127.0.0.1:6381", "begin the URL of the store with redis+cluster:"),
        ("ERR DB index is out of range", "correct the number of the database"),
        ("Cluster mode is not enabled on this node", "with redis: in place of redis+cluster:"),
        ("unknown command 'SENTINEL', with args", "give the address of a Sentinel"),
        (
            "not authorized on shop to execute command { createIndexes: 1 }",
            "framework sessions migrate --url URL",
        ),
        ("permission denied for table sessions", "rights to read, write and delete"),
        ("SSL: WRONG_VERSION_NUMBER", "settings of TLS"),
        ("FATAL:  sorry, too many clients already", "allow more connections"),
        ("READONLY You can't write against a read only replica.", "primary server"),
        ("Timeout reading from socket", "runs, is not overloaded"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "more room"),
        ("database is locked", "another program that keeps a transaction open"),
        ("attempt to write a readonly database", "let the process write"),
        ("unable to open database file", "make the folder"),
        ("database disk image is malformed", "restore the file"),
        ("file is not a database", "restore the file"),
        ("database or disk is full", "more room"),
        ("something else", "look in the log of the server"),
    ],
)
def test_each_failure_of_a_server_has_its_remedy(error: str, remedy: str) -> None:
    """What drivers say of a wrong password, a missing database and the like is told apart."""
    told = str(unavailable("the store", Exception(error)))

    assert told.startswith("the store cannot be used: ")
    assert remedy in told.partition("Fix: ")[2]


@pytest.mark.parametrize("make", [lambda: ValueError(), lambda: ValueError("\n".join("abc"))])
def test_an_error_is_described_in_one_line(make: Callable[[], Exception]) -> None:
    """An error without a text has the name of its class, and line breaks become spaces."""
    told = str(unavailable("the store", make()))

    assert "\n" not in told
    assert "used: ValueError. Fix" in told or "used: a b c. Fix" in told


def test_a_timeout_without_a_text_is_described() -> None:
    """The error of an event loop's timer has no text."""
    told = str(unavailable("the store", TimeoutError()))

    assert told.startswith("the store cannot be used: there was no complete reply in time. Fix: ")
    assert "runs, is not overloaded" in told
