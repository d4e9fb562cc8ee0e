"""The connections that a Redis store lends to its calls."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from sessions.errors import StoreUnavailable, UnreadableValue  # noqa: E402
from sessions.record import Outcome, Record  # noqa: E402
from sessions.stores.base import wall_clock  # noqa: E402
from sessions.stores.redis import RedisStore  # noqa: E402
from sessions.stores.redis_connections import POOL_SIZE  # noqa: E402
from sessions.testing import a_record, some_changes, values_of  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    RedisServer,
    redis_server,
    server_binary,
)

pytestmark = pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Give one server to all tests of the module."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def observer(server: RedisServer) -> Iterator[Any]:
    """Give a client that looks at the empty server."""
    with redis.Redis(port=server.port) as client:
        client.flushall()
        yield client


@pytest.fixture
def store(server: RedisServer, observer: Any) -> Iterator[RedisStore]:
    """Give a store with one record."""
    store = RedisStore.from_url(server.url)
    store.create("key", a_record(wall_clock, {"a": b"1"}))
    yield store
    store.close()


def clients_of(observer: Any) -> int:
    """Return how many connections the server has, besides the one that asks."""
    return len(observer.client_list()) - 1


def test_calls_in_a_row_share_a_connection(store: RedisStore, observer: Any) -> None:
    """`close` then closes all connections."""
    for _ in range(50):
        values_of(store, "key")
    # One of the store's, and the one that looked at the settings of the server.
    assert clients_of(observer) <= 2

    store.close()
    deadline = time.monotonic() + 5
    while clients_of(observer) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert clients_of(observer) == 0


def test_many_threads_have_a_bounded_number_of_connections(
    store: RedisStore, observer: Any
) -> None:
    """Each thread gets the answer to its own call."""
    many = 3 * POOL_SIZE
    for number in range(many):
        store.create(f"key {number}", a_record(wall_clock, {"number": b"%d" % number}))
    start = threading.Barrier(many)

    def reads(number: int) -> bool:
        start.wait()
        return all(
            values_of(store, f"key {number}") == {"number": b"%d" % number} for _ in range(10)
        )

    with ThreadPoolExecutor(many) as threads:
        assert all(threads.map(reads, range(many)))
    assert clients_of(observer) <= POOL_SIZE + 1


@pytest.mark.usefixtures("punctual")
def test_a_call_waits_for_a_connection_and_not_for_ever(
    server: RedisServer, store: RedisStore
) -> None:
    """If all connections stay in use, the call raises StoreUnavailable; later calls work."""
    server.freeze()
    try:
        with ThreadPoolExecutor(POOL_SIZE + 1) as threads:
            began = time.monotonic()
            calls = [threads.submit(store.load, "key") for _ in range(POOL_SIZE + 1)]
            errors = [call.exception() for call in calls]
            took = time.monotonic() - began
    finally:
        server.thaw()

    assert all(isinstance(error, StoreUnavailable) for error in errors)
    assert any(f"all {POOL_SIZE} connections are in use" in str(error) for error in errors)
    assert took < 5
    assert values_of(store, "key") == {"a": b"1"}


@pytest.mark.usefixtures("punctual")
def test_a_late_reply_is_not_given_to_another_call(server: RedisServer, store: RedisStore) -> None:
    """The connection of a call that was given up is closed."""
    store.create("other", a_record(wall_clock, {"b": b"2"}))
    for _ in range(3):
        server.freeze()
        with pytest.raises(StoreUnavailable):
            store.load("key")
        server.thaw()
        assert values_of(store, "other") == {"b": b"2"}


def test_a_connection_that_was_closed_is_not_used(store: RedisStore, observer: Any) -> None:
    """A call that must not be sent twice is not lost either."""
    for number in range(10):
        observer.client_kill_filter(_type="normal", skipme=True)
        changes = some_changes(
            wall_clock, set={"a": b"%d" % (number + 2)}, expected={"a": b"%d" % (number + 1)}
        )
        assert store.commit("key", changes) is Outcome.APPLIED


def test_an_error_of_the_server_costs_no_connection(store: RedisStore, observer: Any) -> None:
    """The connection stays open, because the reply was complete."""
    observer.set("sessions:text", "text")
    for _ in range(20):
        with pytest.raises(UnreadableValue):
            store.load("text")
        assert values_of(store, "key") == {"a": b"1"}

    opened = _opened(observer)
    for _ in range(20):
        with pytest.raises(UnreadableValue):
            store.load("text")
    assert _opened(observer) == opened


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_uses_no_connection_of_its_parent(store: RedisStore, observer: Any) -> None:
    """After a fork, parent and child have separate connections."""
    values_of(store, "key")
    opened = _opened(observer)
    child = os.fork()
    if child == 0:
        found = store.load("key")
        os._exit(0 if isinstance(found, Record) and found.values == {"a": b"1"} else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert _opened(observer) == opened + 1
    assert values_of(store, "key") == {"a": b"1"}
    assert _opened(observer) == opened + 1


def _opened(observer: Any) -> int:
    return int(observer.info("stats")["total_connections_received"])
