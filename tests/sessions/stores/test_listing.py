"""Which stores count and list their sessions, and how a damaged row affects a listing."""

import sqlite3
from pathlib import Path

import pytest

from sessions.core.ids import hash_of
from sessions.stores.base import wall_clock
from sessions.stores.listing import AsyncCountable, AsyncListable, Countable, Listable
from sessions.stores.memory import MemoryStore
from sessions.stores.sqlite import SQLiteStore
from sessions.testing import a_record
from tests.support.dictionary_store import DictionaryStore


def test_the_stores_of_this_machine_count_and_list(tmp_path: Path) -> None:
    """The stores that need no server can count and list."""
    for store in (MemoryStore(), SQLiteStore(tmp_path / "sessions.db"), DictionaryStore(lambda: 0)):
        assert isinstance(store, Countable)
        assert isinstance(store, Listable)


@pytest.mark.parametrize("module", ["redis", "sql", "mongo"])
def test_the_stores_of_servers_count_and_list(module: str) -> None:
    """The blocking and the asynchronous store of each server can count and list."""
    pytest.importorskip({"sql": "sqlalchemy", "mongo": "pymongo"}.get(module, module))
    found = vars(__import__(f"sessions.stores.{module}", fromlist=["*"]))
    blocking = {"redis": "RedisStore", "sql": "SQLStore", "mongo": "MongoStore"}[module]
    both, asynchronous = (Countable, Listable), (AsyncCountable, AsyncListable)

    assert all(issubclass(found[blocking], power) for power in both)
    assert all(issubclass(found[f"Async{blocking}"], power) for power in asynchronous)


@pytest.mark.parametrize(
    "damage",
    [
        "data = 'text'",
        "data = x'ff'",
        "secret = CAST(x'ff' AS TEXT)",
        "user_id = CAST(x'ff' AS TEXT)",
        "expires_at = 'never'",
        "key = CAST(x'ff' AS TEXT)",
    ],
)
def test_a_damaged_row_hides_no_other(tmp_path: Path, damage: str) -> None:
    """A listing leaves a damaged row out, and has all others."""
    store, sound = SQLiteStore(tmp_path / "sessions.db"), [hash_of("a"), hash_of("b")]
    damaged = hash_of("damaged")
    for key in (*sound, damaged):
        store.create(key, a_record(wall_clock))
    with sqlite3.connect(store.path) as connection:
        # The test is the only one that says what is set.
        connection.execute(f"UPDATE sessions SET {damage} WHERE key = ?", (damaged,))  # noqa: S608

    assert [key for key, _ in store.page(None, 10).records] == sorted(sound)
