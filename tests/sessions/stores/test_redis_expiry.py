"""The expiry of sessions in Redis, by the clock of a real server."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from sessions.record import Ended, Grace, Outcome, Record  # noqa: E402
from sessions.stores.base import REMEMBERED_FOR  # noqa: E402
from sessions.stores.redis import RedisStore  # noqa: E402
from sessions.testing import NEW_SECRET, SECRET, a_record, loaded_from, some_changes  # noqa: E402
from tests.support.processes import wait_until  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    RedisServer,
    redis_server,
    server_binary,
)
from tests.support.thoroughness import examples  # noqa: E402

pytestmark = pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)
KEY, NAME = "a-key", "sessions:a-key"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Give one server to all tests of the module."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: RedisServer) -> Iterator[Any]:
    """Give a client that looks at what the store keeps."""
    with redis.Redis(port=server.port) as client:
        yield client


@pytest.fixture
def store(server: RedisServer, client: Any) -> Iterator[RedisStore]:
    """Give a store in the empty server."""
    client.flushall()
    store = RedisStore.from_url(server.url)
    yield store
    store.close()


def _lives(client: Any) -> float:
    """Return the seconds until the server removes the key: -0.001 if never."""
    return float(client.pttl(NAME)) / 1000


def test_the_server_removes_an_expired_session(store: RedisStore, client: Any) -> None:
    """No key of the session is left, and no call finds it."""
    record = a_record(time.time, {"a": b"1"}, lives=0.2)
    assert store.create(KEY, record)
    wait_until(lambda: store.load(KEY) is None)

    assert client.keys() == []
    assert store.commit(KEY, some_changes(time.time)) is Outcome.GONE
    assert not store.touch(KEY, SECRET, time.time() + 60, time.time())
    assert not store.delete(KEY)
    assert store.create(KEY, a_record(time.time))


def test_an_expired_record_is_absent_before_the_server_has_removed_it(
    store: RedisStore, client: Any
) -> None:
    """The scripts compare the times, because here the key has no expiry."""
    store.create(KEY, a_record(time.time, lives=0.1))
    client.persist(NAME)
    time.sleep(0.15)

    assert store.commit(KEY, some_changes(time.time)) is Outcome.GONE
    assert not store.touch(KEY, SECRET, time.time() + 60, time.time())
    assert not store.delete(KEY)
    assert client.keys() == []


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["commit", "touch", "renew", "timeout", "clear"]),
            st.floats(5, 5000),
        ),
        max_size=6,
    )
)
def test_no_call_lets_a_session_live_for_ever(
    store: RedisStore, client: Any, calls: list[tuple[str, float]]
) -> None:
    """After every call, the key expires with its record."""
    client.flushall()
    secret = SECRET
    store.create(KEY, a_record(time.time, {"a": b"1"}, lives=1000))
    for number, (verb, lives) in enumerate(calls):
        match verb:
            case "touch":
                store.touch(KEY, secret, time.time() + lives, time.time())
            case "renew":
                new = f"secret {number}"
                store.commit(KEY, some_changes(time.time, secret=secret, new_secret=new))
                secret = new
            case "timeout":
                store.commit(KEY, some_changes(time.time, secret=secret, timeout=lives))
            case _:
                changes = some_changes(time.time, secret=secret, lives=lives, clear=verb == "clear")
                store.commit(KEY, changes)
        expected = loaded_from(store, KEY).expires_at - time.time()
        assert abs(_lives(client) - expected) < 1


def test_the_end_of_a_session_is_forgotten(store: RedisStore, client: Any) -> None:
    """A key without data stays for a minute."""
    store.create(KEY, a_record(time.time, {"a": b"secret of a user"}, user_id="ada"))
    assert store.delete(KEY)

    found = store.load(KEY)
    assert isinstance(found, Ended)
    assert abs(found.at - time.time()) < 5
    assert client.hkeys(NAME) == [b"ended"]
    assert REMEMBERED_FOR - 5 < _lives(client) <= REMEMBERED_FOR
    assert not store.delete(KEY)
    assert isinstance(store.load(KEY), Ended)


def test_a_grace_ends_by_the_clock_of_the_server(store: RedisStore) -> None:
    """Until then, the earlier id can change values."""
    store.create(KEY, a_record(time.time))
    until = time.time() + 0.3
    store.commit(KEY, some_changes(time.time, new_secret=NEW_SECRET, grace=until))
    record = loaded_from(store, KEY)
    assert isinstance(record, Record)
    assert record.grace == Grace(SECRET, until)
    assert store.commit(KEY, some_changes(time.time, set={"a": b"1"})) is Outcome.APPLIED
    time.sleep(0.35)

    assert store.commit(KEY, some_changes(time.time, set={"a": b"2"})) is Outcome.SUPERSEDED
    assert loaded_from(store, KEY).values == {"a": b"1"}


def test_times_of_a_clock_far_ahead_count_as_now(store: RedisStore) -> None:
    """A session that was made by a wrong clock does not live longer than its timeouts."""
    ahead = time.time() + 1e8
    store.create(KEY, a_record(lambda: ahead, lives=100))
    assert store.commit(KEY, some_changes(time.time, lives=50)) is Outcome.APPLIED

    record = loaded_from(store, KEY)
    assert abs(record.created_at - time.time()) < 5
    assert abs(record.accessed_at - time.time()) < 5
    assert 40 < record.expires_at - time.time() <= 50
