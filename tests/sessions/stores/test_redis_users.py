"""The index of users in a real Valkey server: its expiry, and what cannot break it."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from sessions import SessionContainer, SessionManager  # noqa: E402
from sessions.stores.redis import RedisStore  # noqa: E402
from tests.support.apps import KEY  # noqa: E402
from tests.support.processes import wait_until  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    RedisServer,
    redis_server,
    server_binary,
)

pytestmark = pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)

DAY = 24 * 3600


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Give one server to all tests of the module."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator[Any]:
    """Return a client of the emptied server."""
    with redis.Redis(port=server.port) as client:
        client.flushall()
        yield client


@pytest.fixture
def store(server: RedisServer, client: Any) -> Iterator[RedisStore]:
    """Return a store in the empty server."""
    store = RedisStore.from_url(server.url)
    yield store
    store.close()


def sets_in(client: Any) -> list[bytes]:
    """Return the keys of the index in the server."""
    keys: list[bytes] = client.keys("sessions:user:*")
    return keys


def test_the_set_of_a_user_expires_with_its_latest_entry(store: RedisStore, client: Any) -> None:
    """This holds also if a later sign-in ends earlier."""
    now = time.time()
    for number, days in enumerate((3, 14, 1)):
        store.add_to_user("ada", f"key {number}", now + days * DAY)

    (name,) = sets_in(client)
    assert client.pexpiretime(name) == pytest.approx((now + 14 * DAY) * 1000, abs=1)


def test_nothing_is_left_when_all_sessions_have_expired(store: RedisStore, client: Any) -> None:
    """The server removes the index without a purge."""
    second = timedelta(seconds=1)
    container = SessionContainer(
        keys=[KEY], store=store, absolute_timeout=second, idle_timeout=second
    )
    manager = SessionManager(container)
    with manager.create() as session:
        session.set_user("ada")
    (name,) = sets_in(client)
    # The entry outlives its session by the time by which two clocks may differ.
    assert client.pttl(name) == pytest.approx(61_000, abs=900)
    for entry in client.zrange(name, 0, -1):
        store.add_to_user("bob", entry.decode(), time.time() + 0.2)

    wait_until(
        lambda: len(sets_in(client)) == 1 and not client.exists("sessions:" + session.handle)
    )


def test_entries_whose_time_is_over_go_with_the_next_sign_in(
    store: RedisStore, client: Any
) -> None:
    """So the set of a user who signs in every day does not grow without end."""
    store.add_to_user("ada", "old", time.time() + 0.1)
    store.add_to_user("ada", "present", time.time() + 100)
    wait_until(lambda: time.time() > store.keys_of_user("ada")["old"] + 1)
    store.add_to_user("ada", "next", time.time() + 100)

    assert sorted(store.keys_of_user("ada")) == ["next", "present"]


def test_another_type_under_the_key_is_replaced(store: RedisStore, client: Any) -> None:
    """The sign-in works, and a new index begins."""
    store.add_to_user("ada", "key", time.time() + 100)
    (name,) = sets_in(client)
    client.delete(name)
    client.set(name, "not a set")
    store.remove_from_user("ada", {"key": time.time() + 100})

    assert store.keys_of_user("ada") == {}
    store.add_to_user("ada", "key", time.time() + 100)
    assert [*store.keys_of_user("ada")] == ["key"]


def test_the_user_index_is_not_listed_as_a_session(store: RedisStore) -> None:
    """The lists and counts of the store leave the index out."""
    store.add_to_user("ada", "key", time.time() + 100)

    assert (store.count(), store.page(None, 10).records) == (0, [])


def test_two_prefixes_share_no_index(server: RedisServer, store: RedisStore) -> None:
    """No user id leads to the index of another application."""
    store.add_to_user("ada", "key", time.time() + 100)
    other = RedisStore.from_url(server.url, prefix="sessions:user:")

    assert (other.keys_of_user("ada"), other.count()) == ({}, 0)
    other.close()
