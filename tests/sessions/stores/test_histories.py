"""Processes use shared sessions at random, and no store loses an acknowledged change."""

from functools import partial
from pathlib import Path

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from sessions.stores.memory import MemoryStore  # noqa: E402
from sessions.stores.redis import RedisStore  # noqa: E402
from sessions.stores.sqlite import SQLiteStore  # noqa: E402
from tests.support.history_workers import assert_nothing_lost, workers  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    KEEPS_ALL,
    WHY_NOT,
    redis_cluster,
    redis_server,
    server_binary,
)

needs_server = pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)
# How many actions are acknowledged before a fault, and after it.
ACTIONS = 300


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder for the notes of the workers."""
    folder = tmp_path / "history"
    folder.mkdir()
    return folder


def test_threads_on_a_store_in_memory(folder: Path) -> None:
    """All threads are in one process."""
    store = MemoryStore()
    with workers(folder, lambda: store, as_threads=True) as history:
        history.wait_for_more(4 * ACTIONS)

    assert_nothing_lost(history)


def test_processes_on_one_file(folder: Path, tmp_path: Path) -> None:
    """Several processes use one SQLite file."""
    opening = partial(SQLiteStore, tmp_path / "sessions.db")
    with workers(folder, opening) as history:
        history.wait_for_more(2 * ACTIONS)

    assert_nothing_lost(history)


@needs_server
def test_processes_on_a_server(folder: Path, tmp_path: Path) -> None:
    """Several processes use one Valkey server without disturbance."""
    with redis_server(tmp_path) as server:
        opening = partial(RedisStore.from_url, server.url)
        with workers(folder, opening) as history:
            history.wait_for_more(2 * ACTIONS)

    assert_nothing_lost(history)


@needs_server
@pytest.mark.slow
def test_a_server_that_is_killed_and_comes_back(folder: Path, tmp_path: Path) -> None:
    """The server comes back with all changes that it has acknowledged."""
    with redis_server(tmp_path, *KEEPS_ALL) as server:
        opening = partial(RedisStore.from_url, server.url)
        with workers(folder, opening) as history:
            for _ in range(3):
                history.wait_for_more(ACTIONS // 3)
                server.stop()
                server.start()
            history.wait_for_more(ACTIONS)

    assert_nothing_lost(history)


@needs_server
@pytest.mark.slow
def test_a_server_that_is_frozen_for_a_while(folder: Path, tmp_path: Path) -> None:
    """The server may do the waiting calls later, so their outcome counts as unknown."""
    with redis_server(tmp_path) as server:
        opening = partial(RedisStore.from_url, server.url)
        with workers(folder, opening) as history:
            for _ in range(3):
                history.wait_for_more(ACTIONS // 3)
                server.freeze()
                history.wait_for_a_failure()
                server.thaw()
            history.wait_for_more(ACTIONS)

    assert_nothing_lost(history)


@needs_server
@pytest.mark.slow
def test_a_node_of_a_cluster_that_is_killed_and_comes_back(folder: Path, tmp_path: Path) -> None:
    """Each node is killed in turn, so that every session is affected once."""
    with redis_cluster(tmp_path, *KEEPS_ALL) as nodes:
        opening = partial(RedisStore.from_url, f"redis+cluster://127.0.0.1:{nodes[0].port}")
        with workers(folder, opening) as history:
            for node in nodes:
                history.wait_for_more(ACTIONS // 3)
                node.stop()
                node.start()
            history.wait_for_more(ACTIONS)

    assert_nothing_lost(history)
