"""Mistakes in the URL of a store: what the message names, and what no message ever shows."""

import importlib
import random
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from sessions import (
    ConfigurationError,
    SQLiteStore,
    StoreUnavailable,
    async_store_from_url,
    store_from_url,
)
from sessions.stores.url_checks import may_cut_password

# What makes each kind of URL: the module it needs, and the text before and after the password.
PLACES = {
    "redis": ("redis", "redis://ada:", "@127.0.0.1:1/0"),
    "rediss": ("redis", "rediss://:", "@127.0.0.1:1"),
    "sentinel": ("redis", "redis+sentinel://ada:", "@127.0.0.1:1/main"),
    "cluster": ("redis", "redis+cluster://ada:", "@127.0.0.1:1"),
    "postgresql": ("psycopg", "postgresql://ada:", "@127.0.0.1:1/shop"),
    "asyncpg": ("asyncpg", "postgresql+asyncpg://ada:", "@127.0.0.1:1/shop"),
    "mariadb": ("pymysql", "mariadb+pymysql://ada:", "@127.0.0.1:1/shop"),
    "asyncmy": ("asyncmy", "mysql+asyncmy://ada:", "@127.0.0.1:1/shop"),
    "mongodb": ("pymongo", "mongodb://ada:", "@127.0.0.1:1/shop"),
    "unknown": ("sessions", "oracle://ada:", "@127.0.0.1:1/shop"),
    "sqlite": ("sessions", "sqlite://ada:", "@127.0.0.1/shop.db"),
    "memory": ("sessions", "memory://ada:", "@127.0.0.1"),
    "asynchronous": ("sessions", "postgresql+psycopg2://ada:", "@127.0.0.1:1/shop"),
}
SECRETS = ("qqxx", "vvzz", "kkyy")
"""Parts of a password that no message may have."""


def passwords() -> list[str]:
    """Return passwords with characters that are not escaped, the same ones in each run."""
    chosen = random.Random(7)  # noqa: S311
    found = ["".join(SECRETS)]
    for _ in range(60):
        between = ["".join(chosen.choices("@/?#:%[]&=,; ", k=chosen.randint(1, 2))) for _ in "ab"]
        found.append(f"{SECRETS[0]}{between[0]}{SECRETS[1]}{between[1]}{SECRETS[2]}")
    return found


def told(url: str) -> list[str]:
    """Return all that is said of a URL: by the errors, by the stores, and by a call of a store."""
    said = []
    for make in (store_from_url, async_store_from_url):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                store: Any = make(url)
            except ConfigurationError as error:
                said += [str(error), repr(error.__cause__)]
            else:
                said.append(repr(store))
        said += [str(one.message) for one in caught]
    return said


@pytest.mark.parametrize("place", PLACES)
def test_no_message_shows_a_part_of_a_password(place: str) -> None:
    """Whatever characters of the password are not escaped, and wherever they cut the URL."""
    module, before, after = PLACES[place]
    pytest.importorskip(module)

    for password in passwords():
        shown = "\n".join(told(f"{before}{password}{after}"))
        assert not [part for part in SECRETS if part in shown], (password, shown)


@pytest.mark.usefixtures("punctual")
@pytest.mark.parametrize("place", ["sentinel", "postgresql", "mariadb"])
def test_a_call_does_not_take_a_part_of_a_password_for_a_host(place: str) -> None:
    """What start-up accepts has its host after the last @, so no driver tells another one."""
    module, before, after = PLACES[place]
    pytest.importorskip(module)
    refused = 0
    for password in passwords()[:25]:
        try:
            store = store_from_url(f"{before}{password}{after}")
        except ConfigurationError:
            refused += 1
            continue
        with pytest.raises(Exception, match="cannot be used") as caught:
            store.load("key")
        assert not [part for part in SECRETS if part in str(caught.value)], password

    assert refused > 5


@pytest.mark.parametrize(
    ("url", "cuts"),
    [
        ("redis://:p@h/0", False),
        ("redis://:p%40%2F@h/0?client_name=a@b", False),
        ("redis://:p@ss@h/0", False),
        ("redis://:p@ss/w@h/0", True),
        ("redis://:p/w@h/0", True),
        ("redis://:p#w@h/0", True),
        ("redis://:p?w@h/0", True),
        ("redis://:p@x?w=1@h/0", True),
        ("redis://h/0", False),
        ("", False),
    ],
)
def test_a_cut_password_is_recognized(url: str, cuts: bool) -> None:
    """The value of an option may have a @."""
    assert may_cut_password(url) is cuts


@pytest.mark.parametrize(
    ("url", "module", "told_of"),
    [
        ("redis://h/0?foo=s3cret&db=1", "redis", "redis-py refuses: 'foo'. Fix: correct or"),
        ("redis://h/0?prefix=s3cret", "redis", "'prefix'. Fix: give the prefix beside the URL"),
        ("redis://h/0?db=s3cret", "redis", "redis-py refuses: 'db'"),
        ("postgresql://h/x?foo=s3cret", "psycopg", "that the driver refuses: 'foo' ("),
        ("mysql+pymysql://h/x?prefix=s3cret", "pymysql", "'prefix' (TypeError). Fix: give the"),
        ("mongodb://h/x?foo=s3cret", "pymongo", "pymongo refuses the options 'foo'"),
        ("mongodb://h/x?prefix=s3cret", "pymongo", 'from_url(url, collection="shop_sessions")'),
        ("mongodb://h/x?tls=s3cret", "pymongo", "pymongo refuses the options 'tls'"),
        ("sqlite:///shop.db?prefix=s3cret", "sessions", "which a SQLite URL cannot have: 'prefix'"),
    ],
)
def test_an_option_that_is_refused_is_named(url: str, module: str, told_of: str) -> None:
    """Its name is, and its value is not."""
    pytest.importorskip(module)
    with pytest.raises(ConfigurationError) as caught:
        store_from_url(url)

    assert told_of in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "url", "remedy"),
    [
        (store_from_url, "postgresql+asyncpg://h/x", "call async_store_from_url, or begin the URL"),
        (store_from_url, "mysql+asyncmy://h/x", "or begin the URL with 'mysql+pymysql:'"),
        (async_store_from_url, "mariadb+pymysql://h/x", "call store_from_url, or begin"),
    ],
)
def test_a_url_of_the_other_kind_of_store_names_its_function(
    make: Any, url: str, remedy: str
) -> None:
    """The scheme of a driver decides which kind of store it makes."""
    with pytest.raises(ConfigurationError, match=re.escape(remedy)):
        make(url)


@pytest.mark.parametrize("name", ["SQLStore", "AsyncSQLStore"])
def test_a_database_url_of_the_other_kind_names_its_class(name: str) -> None:
    """Also if a class is called."""
    pytest.importorskip("sqlalchemy")
    other = {"SQLStore": "AsyncSQLStore", "AsyncSQLStore": "SQLStore"}[name]
    url = {"SQLStore": "mariadb+asyncmy://h/x", "AsyncSQLStore": "mariadb+pymysql://h/x"}[name]
    found: Any = importlib.import_module("sessions.stores.sql")

    with pytest.raises(ConfigurationError, match=rf"Fix: write {other}.from_url\(...\), or begin"):
        getattr(found, name).from_url(url)


@pytest.mark.parametrize(
    ("make", "other"), [(store_from_url, "asyncpg"), (async_store_from_url, "pymysql")]
)
def test_a_list_of_schemes_has_those_of_this_function(make: Any, other: str) -> None:
    """What it would refuse is not in its list."""
    with pytest.raises(ConfigurationError, match=r"begin the URL with .*redis:") as caught:
        make("oracle://h")

    assert other not in str(caught.value)
    assert ("sqlite:" in str(caught.value)) is (make is store_from_url)


def test_a_redis_server_of_another_kind_says_which_url_to_write(tmp_path: Path) -> None:
    """A database that is not there, and one server that is taken for a cluster or a Sentinel."""
    pytest.importorskip("redis")
    from tests.support.redis_servers import WHY_NOT, redis_server, server_binary

    if server_binary() is None:
        pytest.skip(WHY_NOT)
    remedies = {
        "redis://{}/99": "correct the number of the database",
        "redis+cluster://{}": "with redis: in place of redis+cluster:",
        "redis+sentinel://{}/main": "give the address of a Sentinel, or begin",
    }
    with redis_server(tmp_path) as server:
        for url, remedy in remedies.items():
            store = store_from_url(url.format(f"127.0.0.1:{server.port}"))
            with pytest.raises(StoreUnavailable, match=rf"Fix: .*{re.escape(remedy)}"):
                store.load("key")
            store.close()


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("url", ["redis://:s3cret@h/0", "postgresql+psycopg://a:s3cret@h/x"])
def test_a_url_in_place_of_a_path_makes_no_file(
    kind: Any, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Path makes one slash of two, and would show the password as the name of a file."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"not a path. Fix: write store_from_url") as told:
        SQLiteStore(kind(url))

    assert "s3cret" not in str(told.value)
    assert [*tmp_path.iterdir()] == []
