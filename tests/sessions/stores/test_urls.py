"""Stores by their URLs, in code and in the environment."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from framework.defaults import SessionDefaults
from sessions import ConfigurationError, async_store_from_url, store_from_url
from sessions.stores.base import without_password
from sessions.stores.memory import MemoryStore
from sessions.stores.sqlite import SQLiteStore

ROOT = Path(__file__).parents[3]


def test_the_memory_is_a_store() -> None:
    """The URL `memory:` needs no installation and no server."""
    assert isinstance(store_from_url("memory:"), MemoryStore)


def test_a_file_is_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three slashes begin a relative path, and four slashes an absolute path."""
    monkeypatch.chdir(tmp_path)
    here, full = store_from_url("sqlite:///a%20b.db"), store_from_url(f"sqlite:///{tmp_path}/c.db")

    assert isinstance(here, SQLiteStore)
    assert isinstance(full, SQLiteStore)
    assert (here.path, full.path) == (tmp_path / "a b.db", tmp_path / "c.db")
    assert here.path.exists()
    assert full.path.exists()


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("", "begin the URL with memory:, sqlite:, redis:"),
        ("sessions.db", "begin the URL with"),
        ("oracle://secret:word@host", "begin the URL with"),
        ("redis://:word@[::1/0", "begin the URL with"),
        ("postgresql://ada:word@[::1/x", "begin the URL with"),
        ("word@host", "begin the URL with"),
        (None, "set the environment variable"),
        ("memory://host", "write 'memory:'"),
        ("sqlite://sessions.db", "write sqlite:///sessions.db"),
        ("sqlite:", "write sqlite:///sessions.db"),
        ("redis://:word@host/0\n", "Fix: remove it, for example with url.strip()"),
        (" sqlite:///sessions.db", "Fix: remove it, for example with url.strip()"),
        ("postgresql+psycopg://ada:word@host:port/x", "write a number as the port"),
        ("sqlite:///a.db?mode=ro", "write sqlite:///sessions.db"),
    ],
)
def test_a_url_that_names_no_store_says_what_to_write(url: str, remedy: str) -> None:
    """The error does not show a password in the URL."""
    with pytest.raises(ConfigurationError) as caught:
        store_from_url(url)

    assert remedy in str(caught.value)
    assert "word" not in str(caught.value)


def test_a_blocking_store_is_not_asynchronous() -> None:
    """The error says what to use instead."""
    with pytest.raises(ConfigurationError, match="use store_from_url"):
        async_store_from_url("memory:")


@pytest.mark.parametrize("make", ["store_from_url", "async_store_from_url"])
def test_a_driver_that_is_not_installed_is_named_with_its_extra(make: str) -> None:
    """The rest of the package works without it."""
    code = (
        "import sys; sys.modules['redis'] = None\n"
        f"from sessions import {make}\n"
        f"try: {make}('redis://127.0.0.1')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert answer.stdout.startswith("ConfigurationError RedisStore needs the package redis")
    assert "pip install 'satsuma[redis]'" in answer.stdout


def test_the_environment_names_the_default_store(tmp_path: Path) -> None:
    """A deployment needs no configuration class, and no folder is made."""
    folder, file = tmp_path / "folder", tmp_path / "deployed.db"
    environment = {"SESSION_STORE": f"sqlite:///{file}", "SESSION_KEYS": secrets.token_urlsafe(32)}

    container = SessionDefaults(folder, environment).container()

    assert isinstance(container.store, SQLiteStore)
    assert container.store.path == file
    assert not folder.exists()


def test_a_wrong_url_in_the_environment_names_the_variable(tmp_path: Path) -> None:
    """The error names SESSION_STORE, because the reader looks there first."""
    environment = {**os.environ, "SESSION_STORE": "sqlite:"}

    with pytest.raises(ConfigurationError, match="the environment variable SESSION_STORE: the URL"):
        SessionDefaults(tmp_path, environment).store()


@pytest.mark.parametrize(
    "url",
    ["postgresql://a@127.0.0.1:1/x", "postgresql+psycopg://127.0.0.1:1/x", "mariadb+pymysql://h/x"],
)
def test_a_database_is_a_store(url: str) -> None:
    """The server may start later, because the store connects at the first request."""
    pytest.importorskip("sqlalchemy")

    assert type(store_from_url(url)).__name__ == "SQLStore"
    assert "word" not in repr(store_from_url("postgresql://ada:word@127.0.0.1:1/x"))


_DATABASES = [
    *("postgresql+psycopg://ada:s3cret@127.0.0.1:1/x", "postgresql+asyncpg://127.0.0.1:1/x"),
    *("mariadb+pymysql://127.0.0.1:1/x", "mysql+asyncmy://127.0.0.1:1/x"),
]


def _made(url: str) -> object:
    """Return the store of a URL, blocking or asynchronous."""
    is_blocking = "+psycopg" in url or "+pymysql" in url
    return store_from_url(url) if is_blocking else async_store_from_url(url)


@pytest.mark.parametrize("url", _DATABASES)
def test_an_option_that_a_driver_refuses_is_reported_at_start_up(url: str) -> None:
    """No request meets it, and the message shows no value of an option."""
    pytest.importorskip("sqlalchemy")

    for options in ("unknown=s3cret", "sslpasswort=s3cret"):
        with pytest.raises(ConfigurationError, match="option that the driver refuses") as caught:
            _made(f"{url}?{options}")
        assert "s3cret" not in str(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("url", _DATABASES)
def test_no_message_of_a_database_has_a_password(url: str) -> None:
    """It may also stand among the options."""
    sqlalchemy = pytest.importorskip("sqlalchemy")
    from sessions.stores.sql import SQLStore

    with_password = f"{url}?password=s3cret"
    assert "s3cret" not in repr(_made(with_password))
    if "+psycopg" in url:
        assert "s3cret" not in repr(SQLStore(sqlalchemy.create_engine(with_password)))
    with pytest.raises(ConfigurationError) as caught:
        SQLStore(sqlalchemy.create_engine("sqlite:///a.db?uri=true&password=s3cret"))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:1/0", "redis://h:1/0"),
        ("redis://ada:secret@h:1/0", "redis://***@h:1/0"),
        ("redis://ada:secret@x@h:1/0", "redis://***@h:1/0"),
        ("redis://h:1/0?password=secret", "redis://h:1/0?..."),
        ("unix:///run/redis.sock?password=secret", "unix:///run/redis.sock?..."),
        ("mongodb://ada:secret@h,i/db?w=1", "mongodb://***@h,i/db?..."),
        ("redis://:sec?ret@h:1/0", "redis://***"),
        ("redis://:sec/ret@h:1/0", "redis://***"),
        ("redis://:sec#ret@h:1/0", "redis://***"),
        ("redis://:se@c/ret@h:1/0", "redis://***"),
        ("ada:secret@h", "***"),
        (None, "None"),
    ],
)
def test_messages_show_a_url_without_its_secrets(url: str | None, shown: str) -> None:
    """A password can be before the host, or among the options."""
    assert without_password(url) == shown
