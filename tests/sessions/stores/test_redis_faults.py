"""What a request sees while a real Valkey server is broken, and afterwards."""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from redis.backoff import NoBackoff  # noqa: E402
from redis.retry import Retry  # noqa: E402

from sessions.errors import StoreUnavailable, UnreadableValue  # noqa: E402
from sessions.record import Ended, Outcome, Record  # noqa: E402
from sessions.stores.redis import AsyncRedisStore, RedisStore  # noqa: E402
from sessions.testing import a_record, some_changes  # noqa: E402
from tests.support.blocking import Blocking  # noqa: E402
from tests.support.broken_servers import (  # noqa: E402
    KEY,
    a_live_record,
    assert_unavailable,
    calls_of,
    has_failed,
)
from tests.support.patience import soon  # noqa: E402
from tests.support.processes import free_port, open_descriptors, wait_until  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    KEEPS_ALL,
    WHY_NOT,
    RedisServer,
    redis_cluster,
    redis_server,
    redis_with_sentinel,
    server_binary,
)
from tests.support.tcp_proxy import cut_after, garbled, passing, proxy_to  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """Give a server that the test may break."""
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture
def store(server: RedisServer) -> Iterator[RedisStore]:
    """Give a store in the server."""
    store = RedisStore.from_url(server.url)
    yield store
    store.close()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """The store can be made before its server is started."""
    store = RedisStore.from_url(f"redis://127.0.0.1:{free_port()}")

    assert_unavailable(calls_of(store, a_live_record()))


@pytest.mark.usefixtures("punctual")
def test_a_frozen_server_is_unavailable_until_it_continues(
    server: RedisServer, store: RedisStore
) -> None:
    """Connections stay open, and the server does not answer."""
    record = a_live_record(a=b"1")
    assert soon(lambda: store.create(KEY, record))
    server.freeze()
    assert_unavailable(calls_of(store, record)[:3])
    server.thaw()

    found = soon(lambda: store.load(KEY))
    assert isinstance(found, Record)
    # The commit was sent and may have been applied: its outcome was unknown.
    assert found.values["a"] in (b"1", b"2")


def test_a_server_that_starts_again_is_used_at_once(server: RedisServer, store: RedisStore) -> None:
    """The store's connections are dead, but no request fails."""
    record = a_live_record(a=b"1")
    store.create(KEY, record)
    server.stop()
    assert_unavailable([lambda: store.load(KEY)])
    server.start()

    assert store.load(KEY) is None
    assert store.create(KEY, record)
    assert store.commit(KEY, some_changes(time.time)) is Outcome.APPLIED


@pytest.mark.parametrize("verb", ["load", "commit", "delete"])
@pytest.mark.parametrize("resets", [False, True], ids=["end", "reset"])
@pytest.mark.parametrize("kind", [RedisStore, AsyncRedisStore])
def test_a_reply_that_is_cut_off_never_gives_a_wrong_answer(
    server: RedisServer, kind: Any, verb: str, resets: bool
) -> None:
    """A reply is cut after each byte: the call is right or raises StoreUnavailable."""
    with proxy_to(server.port) as proxy:
        proxy.resets = resets
        through = kind.from_url(f"redis://127.0.0.1:{proxy.port}")
        store = through if kind is RedisStore else Blocking(through)
        # The connection is kept for the first call that is cut.
        store.load(KEY)
        direct = RedisStore.from_url(server.url)
        for count in range(400):
            direct.delete(KEY)
            record = a_live_record(a=b"1", b=b"x" * 40)
            assert direct.create(KEY, record)
            proxy.change = cut_after(count)
            is_cut = has_failed(store, record, verb)
            proxy.change = passing
            found = store.load(KEY)
            if verb == "delete":
                assert found is None or isinstance(found, Ended)
            else:
                assert isinstance(found, Record)
                assert found.values["b"] == b"x" * 40
            if not is_cut and count > 0:
                break
        else:
            pytest.fail("no reply passed")
        store.close()
        direct.close()


def test_a_server_that_starts_again_with_its_data_has_all_sessions(tmp_path: Path) -> None:
    """Nobody is logged out, and an ended session stays ended."""
    record = a_live_record(a=b"1")
    with redis_server(tmp_path, *KEEPS_ALL) as server:
        store = RedisStore.from_url(server.url)
        store.create(KEY, record)
        store.create("ended", record)
        store.delete("ended")
        server.stop()
        assert_unavailable([lambda: store.load(KEY)])
        server.start()

        wait_until(lambda: _loads(store))
        assert store.load(KEY) == record
        assert isinstance(store.load("ended"), Ended)
        assert store.commit("ended", some_changes(time.time)) is Outcome.GONE
        store.close()


def _loads(store: RedisStore) -> bool:
    """Return whether the server has read its data again."""
    try:
        store.load(KEY)
    except StoreUnavailable:
        return False
    return True


def test_garbage_is_unavailable(server: RedisServer) -> None:
    """Something that speaks another protocol has taken the port."""
    with proxy_to(server.port) as proxy:
        store = RedisStore.from_url(f"redis://127.0.0.1:{proxy.port}")
        proxy.change = garbled
        assert_unavailable(calls_of(store, a_live_record()))
        proxy.change = passing

        assert store.load(KEY) is None
        store.close()


@pytest.mark.usefixtures("punctual")
@pytest.mark.parametrize("is_new", [False, True])
def test_a_reply_in_small_parts_costs_no_more_than_its_time(
    server: RedisServer, is_new: bool
) -> None:
    """Each part comes in time, but the whole reply would take many seconds."""
    with proxy_to(server.port) as proxy:
        store = RedisStore.from_url(f"redis://127.0.0.1:{proxy.port}")
        assert store.create(KEY, a_live_record(a=b"x" * 100))
        if is_new:
            store.close()

        proxy.pause = 0.2
        assert_unavailable(calls_of(store, a_live_record()))
        proxy.pause = 0

        assert isinstance(store.load(KEY), Record)
        store.close()


@pytest.mark.usefixtures("punctual")
def test_a_sentinel_that_replies_in_small_parts_costs_no_more_than_its_time(tmp_path: Path) -> None:
    """The client that asks it is one of redis-py."""
    with redis_with_sentinel(tmp_path) as (_, _, sentinel), proxy_to(sentinel.port) as proxy:
        proxy.pause = 0.2
        store = RedisStore.from_url(f"redis+sentinel://127.0.0.1:{proxy.port}/sessions")
        assert_unavailable([lambda: store.load(KEY)])
        proxy.pause = 0

        assert store.load(KEY) is None
        store.close()


@pytest.mark.slow
@pytest.mark.usefixtures("punctual")
def test_a_node_that_replies_in_small_parts_costs_no_more_than_its_time(tmp_path: Path) -> None:
    """The client of a cluster is one of redis-py, too."""
    with redis_cluster(tmp_path) as nodes, proxy_to(nodes[0].port) as proxy:
        proxy.pause = 0.2
        store = RedisStore.from_url(f"redis+cluster://127.0.0.1:{proxy.port}")
        assert_unavailable([lambda: store.load(KEY)])
        proxy.pause = 0

        assert store.load(KEY) is None
        store.close()


def test_a_full_server_refuses_and_lets_users_out(server: RedisServer, store: RedisStore) -> None:
    """The server drops nothing to make room, and a logout still works."""
    record = a_live_record(a=b"1")
    store.create(KEY, record)
    client = redis.Redis(port=server.port)
    client.config_set("maxmemory", 1)

    assert_unavailable(calls_of(store, record)[1:4])
    assert store.load(KEY) == record
    assert store.delete(KEY)
    assert isinstance(store.load(KEY), Ended)
    client.close()


@pytest.mark.slow
def test_a_replica_is_read_and_not_written(
    tmp_path: Path, server: RedisServer, store: RedisStore
) -> None:
    """The address may be wrong, or a failover may have made the server a replica."""
    record = a_live_record(a=b"1")
    store.create(KEY, record)
    with redis_server(tmp_path, "--replicaof", f"127.0.0.1 {server.port}") as other:
        replica = RedisStore.from_url(other.url)
        wait_until(lambda: replica.load(KEY) == record)

        assert_unavailable(calls_of(replica, record)[2:4])
        replica.close()


def test_another_value_at_the_key_counts_as_a_damaged_session(
    server: RedisServer, store: RedisStore
) -> None:
    """A value of another program, or of another version, counts as a damaged session."""
    client = redis.Redis(port=server.port)
    record = a_live_record(a=b"1")
    name = f"sessions:{KEY}"
    for damage in (
        ("SET", name, "text"),
        ("RPUSH", name, "list"),
        ("HSET", name, "other", "field"),
        ("HSET", name, "about", b"\xc1"),
        ("HSET", name, "about", b"\x91\x01"),
        *(("HSET", name, "about", damaged) for damaged in _damaged_fields(record)),
    ):
        client.delete(name)
        client.execute_command(*damage)
        with pytest.raises(UnreadableValue):
            store.load(KEY)
        assert store.commit(KEY, some_changes(time.time)) is Outcome.GONE
        assert not store.touch(KEY, record.secret, time.time() + 60, time.time())
        assert not store.delete(KEY)
        assert store.load(KEY) is None
        client.execute_command(*damage)
        assert store.create(KEY, record)
        assert store.load(KEY) == record
    client.close()


def _damaged_fields(record: Record) -> Iterator[bytes]:
    """Yield descriptions of the record, each with a field that is not of its type."""
    sound = [
        *(record.version, record.secret, record.secret_since, record.created_at),
        *(record.accessed_at, record.updated_at, record.expires_at, False, False, False, False, 1),
    ]
    for place, damaged in enumerate((1.5, 7, "", "", "", "", "", "x", 7, 7, "x", "x")):
        yield msgspec.msgpack.encode([*sound[:place], damaged, *sound[place + 1 :]])
    yield msgspec.msgpack.encode([*sound[:9], "earlier", *sound[10:]])


def test_the_scripts_are_sent_again_when_the_server_has_lost_them(
    server: RedisServer, store: RedisStore
) -> None:
    """A restart, a failover and SCRIPT FLUSH empty the cache of scripts."""
    record = a_live_record()
    with redis.Redis(port=server.port) as client:
        store.create(KEY, record)
        client.script_flush()

    assert store.commit(KEY, some_changes(time.time)) is Outcome.APPLIED


def test_an_eviction_policy_that_drops_sessions_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that drops keys when it is full would log users out."""
    with redis_server(tmp_path, "--maxmemory-policy", "allkeys-lru") as server:
        RedisStore.from_url(server.url).close()

    assert "maxmemory-policy allkeys-lru" in caplog.text


def test_a_client_with_risky_settings_is_reported(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The default client waits long, and repeats calls."""
    careful = redis.Redis(port=server.port, socket_timeout=0.3, retry=Retry(NoBackoff(), 0))
    RedisStore(careful).close()
    assert caplog.records == []

    RedisStore(redis.Redis(port=server.port)).close()
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 2
    assert "socket_timeout=5" in told[0]
    assert "repeats a failed call" in told[1]


def test_broken_calls_leave_nothing_behind(server: RedisServer) -> None:
    """No file descriptor and no thread stays, however often the server fails."""
    with proxy_to(server.port) as proxy:
        store = RedisStore.from_url(f"redis://127.0.0.1:{proxy.port}")
        store.load(KEY)

        def fail() -> None:
            proxy.change = cut_after(2)
            with pytest.raises(StoreUnavailable):
                store.load(KEY)
            proxy.change = passing
            store.load(KEY)

        fail()
        before = open_descriptors(), threading.active_count()
        for _ in range(50):
            fail()
        wait_until(
            lambda: open_descriptors() <= before[0] and threading.active_count() <= before[1]
        )
        store.close()


def test_more_values_than_lua_takes_at_once(store: RedisStore) -> None:
    """A script can get more arguments than `unpack` can return at once."""
    names = [f"name {number}" for number in range(9000)]
    record = a_live_record()
    changes = some_changes(time.time, set=dict.fromkeys(names, b"v"))

    assert store.create(KEY, a_record(time.time, dict.fromkeys(names, b"v")))
    assert store.delete(KEY)
    assert store.create(KEY, record)
    assert store.commit(KEY, changes) is Outcome.APPLIED
    found = store.load(KEY)
    assert isinstance(found, Record)
    assert list(found.values) == names
