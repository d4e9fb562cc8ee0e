"""Lists and counts of sessions in a Redis server that other programs use, too."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from sessions.core.ids import hash_of  # noqa: E402
from sessions.errors import StoreUnavailable  # noqa: E402
from sessions.stores.base import wall_clock  # noqa: E402
from sessions.stores.redis import AsyncRedisStore, RedisStore  # noqa: E402
from sessions.testing import a_record  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    RedisServer,
    redis_cluster,
    redis_server,
    server_binary,
)

pytestmark = pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)

KEY, OTHER = hash_of("a lineage"), hash_of("another lineage")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Give one server to all tests of the module."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    """Give an empty server."""
    with redis.Redis(port=running.port) as client:
        client.flushall()
    return running


@pytest.mark.parametrize("prefix", ["", "shop:", "a*b?", "[x]:", "\\", "^-é:"])
def test_a_prefix_is_taken_as_it_is(server: RedisServer, prefix: str) -> None:
    """Pattern characters in a prefix match only themselves, and no longer prefix matches."""
    store = RedisStore.from_url(server.url, prefix=prefix)
    store.create(KEY, a_record(wall_clock))
    for other in (f"{prefix}eu:", f"{prefix}0", "axbc", "x:"):
        RedisStore.from_url(server.url, prefix=other).create(OTHER, a_record(wall_clock))

    assert [key for key, _ in store.page(None, 100).records] == [KEY]
    assert store.count() == 1


def test_a_listing_leaves_out_keys_that_are_not_records(server: RedisServer) -> None:
    """A damaged hash or a value of another type does not hide the sessions."""
    store = RedisStore.from_url(server.url)
    store.create(KEY, a_record(wall_clock))
    with redis.Redis(port=server.port) as client:
        client.set(f"sessions:{hash_of('text')}", "text")
        client.hset(f"sessions:{hash_of('hash')}", "about", b"damaged")

    assert [key for key, _ in store.page(None, 100).records] == [KEY]


def test_many_keys_of_others_are_passed_over(server: RedisServer) -> None:
    """Some pages may be empty, and the listing goes on."""
    store = RedisStore.from_url(server.url)
    store.create(KEY, a_record(wall_clock))
    with redis.Redis(port=server.port) as client:
        client.mset({f"other {number}": number for number in range(5000)})

    assert [key for page in _pages(store, 10) for key, _ in page.records] == [KEY]
    assert store.count() == 1


def test_a_listing_of_a_cluster_says_if_a_master_is_gone(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The listing asks every master in turn, and raises an error if one is missing."""
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as servers:
        url = f"redis+cluster://127.0.0.1:{servers[0].port}"
        store = RedisStore.from_url(url)
        places = {page.after.rpartition(" ")[0] for page in _pages(store, 10) if page.after}

        with pytest.raises(StoreUnavailable, match="begin the listing again"):
            store.page("127.0.0.1:1 0", 10)
        with pytest.raises(StoreUnavailable, match="begin the listing again"):
            asyncio.run(AsyncRedisStore.from_url(url).page("127.0.0.1:1 0", 10))
        store.close()

    # The listing begins on the first of three.
    assert len(places) == 2


def _pages(store: Any, limit: int) -> Iterator[Any]:
    page = store.page(None, limit)
    while page.after is not None:
        yield page
        page = store.page(page.after, limit)
    yield page
