"""Sessions in a Valkey cluster, and in servers that Sentinel watches."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from sessions.errors import StoreUnavailable  # noqa: E402
from sessions.record import Outcome, Record  # noqa: E402
from sessions.stores.base import AsyncStore, Store  # noqa: E402
from sessions.stores.redis import AsyncRedisStore, RedisStore  # noqa: E402
from sessions.testing import (  # noqa: E402
    AsyncStoreContract,
    AsyncUserIndexContract,
    CountableContract,
    ListableContract,
    StoreContract,
    UserIndexContract,
    a_record,
    some_changes,
    values_of,
)
from tests.support.patience import patiently, soon  # noqa: E402
from tests.support.processes import wait_until  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    RedisServer,
    redis_cluster,
    redis_with_sentinel,
    server_binary,
)

NOBODY = "redis+cluster://127.0.0.1:1"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RedisServer]]:
    """Give one cluster to all tests of the module."""
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


class _OnACluster:
    url: str

    @pytest.fixture(autouse=True)
    def _empty(self, cluster: list[RedisServer]) -> None:
        self.url = f"redis+cluster://127.0.0.1:{cluster[0].port}"
        for server in cluster:
            with redis.Redis(port=server.port) as client:
                client.flushall()

    def damage(self, key: str) -> None:
        """Write a value that is not a session under the key."""
        with redis.RedisCluster.from_url(self.url.replace("+cluster", "")) as client:
            client.hset(f"sessions:{key}", "about", b"\x91\x01")


class TestRedisCluster(
    _OnACluster, CountableContract, ListableContract, StoreContract, UserIndexContract
):
    """RedisStore keeps the contract on a cluster."""

    server_expires = True

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return a store in the empty cluster."""
        return RedisStore.from_url(self.url)

    def open_in_another_process(self, store: Store) -> Callable[[], Store]:
        """Return what opens the same cluster."""
        return patiently(partial(RedisStore.from_url, self.url))

    def break_store(self, store: Store) -> None:
        """Change the port of the store to one without a server."""
        assert isinstance(store, RedisStore)
        store.close()
        store._make = RedisStore.from_url(NOBODY)._make

    def damage_record(self, store: Store, key: str) -> None:
        """Write a hash that is not a session under the key."""
        self.damage(key)


class TestAsyncRedisCluster(
    _OnACluster, CountableContract, ListableContract, AsyncStoreContract, AsyncUserIndexContract
):
    """AsyncRedisStore keeps the contract on a cluster."""

    server_expires = True

    def make_store(self, clock: Callable[[], float]) -> AsyncStore:
        """Return a store in the empty cluster."""
        return AsyncRedisStore.from_url(self.url)

    async def break_store(self, store: Any) -> None:
        """Change the port of the store to one without a server."""
        await store.close()
        store._make = AsyncRedisStore.from_url(NOBODY)._make

    async def damage_record(self, store: AsyncStore, key: str) -> None:
        """Write a hash that is not a session under the key."""
        self.damage(key)


def test_sessions_are_spread_over_the_nodes(cluster: list[RedisServer]) -> None:
    """Each call goes to the node that has the session."""
    store = RedisStore.from_url(f"redis+cluster://127.0.0.1:{cluster[2].port}")
    keys = [secrets.token_hex(16) for _ in range(60)]
    for key in keys:
        assert store.create(key, a_record(time.time, {"a": b"1"}))
        assert store.commit(key, some_changes(time.time, set={"b": b"2"})) is Outcome.APPLIED
        assert values_of(store, key) == {"a": b"1", "b": b"2"}
        assert store.delete(key)
    store.close()


def test_kept_records_are_found_on_all_nodes(cluster: list[RedisServer]) -> None:
    """A purge, a count and a list look at each node, by its clock."""
    url, kept = f"redis+cluster://127.0.0.1:{cluster[1].port}", timedelta(hours=1)
    store = RedisStore.from_url(url, prefix="kept:", keep_expired=kept)
    over, live = ([secrets.token_hex(32) for _ in range(20)] for _ in range(2))
    for key in over:
        store.create(key, a_record(time.time, expires_at=time.time() - 100))
    for key in live:
        store.create(key, a_record(time.time))

    async def look() -> tuple[int, list[str], list[str]]:
        other = AsyncRedisStore.from_url(url, prefix="kept:", keep_expired=kept)
        listed, after = await other.page(None, 100)
        while after is not None:
            some, after = await other.page(after, 100)
            listed += some
        purged = await other.purge_expired(10)
        found = await other.count(), [key for key, _ in listed], [key for key, _ in purged]
        await other.close()
        return found

    count, listed, purged = asyncio.run(look())
    purged += [key for key, _ in store.purge_expired(100)]
    counts = [count, store.count()]
    store.close()

    assert counts == [20, 20]
    assert sorted(listed) == sorted(live)
    assert sorted(purged) == sorted(over)


@pytest.mark.usefixtures("punctual")
def test_a_node_that_is_down_costs_a_second_at_most(cluster: list[RedisServer]) -> None:
    """Sessions on other nodes still work; those of the node come back with it."""
    store = RedisStore.from_url(f"redis+cluster://127.0.0.1:{cluster[0].port}")
    keys = [secrets.token_hex(16) for _ in range(12)]
    for key in keys:
        soon(partial(store.create, key, a_record(time.time, {"a": b"1"})))
    cluster[1].freeze()
    try:
        for key in keys:
            began = time.monotonic()
            with suppress(StoreUnavailable):
                assert isinstance(store.load(key), Record)
            assert time.monotonic() - began < 2
    finally:
        cluster[1].thaw()
    wait_until(lambda: all(_is_there(store, key) for key in keys))
    store.close()


@pytest.mark.slow
@pytest.mark.usefixtures("punctual")
def test_a_failover_is_followed(tmp_path: Path) -> None:
    """After the master is killed, the store uses the replica that the sentinel names."""
    with redis_with_sentinel(tmp_path) as (master, replica, sentinel):
        store = RedisStore.from_url(f"redis+sentinel://127.0.0.1:{sentinel.port}/sessions")
        key = secrets.token_hex(16)
        assert soon(lambda: store.create(key, a_record(time.time, {"a": b"1"})))
        copied = RedisStore.from_url(replica.url)
        wait_until(lambda: _is_there(copied, key))
        copied.close()
        master.stop()

        wait_until(lambda: _is_written(store, key))
        assert soon(lambda: values_of(store, key)) == {"a": b"1", "b": b"2"}
        store.close()


def _is_there(store: RedisStore, key: str) -> bool:
    try:
        return isinstance(store.load(key), Record)
    except StoreUnavailable:
        return False


def _is_written(store: RedisStore, key: str) -> bool:
    began = time.monotonic()
    try:
        outcome = store.commit(key, some_changes(time.time, set={"b": b"2"}))
    except StoreUnavailable:
        assert time.monotonic() - began < 2
        return False
    return outcome is Outcome.APPLIED


def test_a_sign_in_in_a_cluster(cluster: list[RedisServer]) -> None:
    """The index and the session are in different slots, so these are two calls."""
    store = RedisStore.from_url(f"redis+cluster://127.0.0.1:{cluster[0].port}")
    until = time.time() + 3600
    keys = [f"{number} {secrets.token_hex(8)}" for number in range(8)]
    for key in keys:
        record = a_record(time.time, lives=3600, user_id="ada")
        assert store.create_sign_in("ada", key, record, until)
        changes = some_changes(time.time, lives=3600, user_id="bob")
        assert store.commit_sign_in("bob", key, changes, until) is Outcome.APPLIED

    assert store.keys_of_user("ada").keys() >= set(keys)
    assert store.keys_of_user("bob").keys() >= set(keys)
    store.close()
