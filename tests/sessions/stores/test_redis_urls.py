"""The URLs of Redis stores: what is refused at start-up, and what reaches the server."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from sessions import ConfigurationError  # noqa: E402
from sessions.errors import StoreUnavailable  # noqa: E402
from sessions.stores.redis import AsyncRedisStore, RedisStore  # noqa: E402
from sessions.testing import a_record  # noqa: E402
from tests.support.processes import wait_until  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    RedisServer,
    redis_server,
    redis_with_sentinel,
    server_binary,
)

needs_server = pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)
KEY = "b" * 64


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Give a server that also listens on a socket in a folder whose name has a space."""
    folder = tmp_path_factory.mktemp("a folder")
    with redis_server(folder, "--unixsocket", str(folder / "socket")) as server:
        yield server


@pytest.mark.parametrize("kind", [RedisStore, AsyncRedisStore])
@pytest.mark.parametrize(
    "url",
    [
        "redis://:s3cret@host:port/0",
        "redis://:s3cret@host:0/0",
        "redis://:s3cret@host:99999/0",
        "redis://:s3cret@/0",
        "redis://:s3cret@host/notanumber",
        "redis://:s3#cret@host/0",
        "redis://:s3?cret@host/0",
        "redis://:s3/cret@host/0",
        "redis://:s3cret@host/0?db=one",
        "redis://:s3cret@host/0?unknown=1",
        "rediss://:s3cret@host/0?ssl_cert_reqs=s3cret",
        "redis+cluster://:s3cret@host:port",
        "redis+cluster://:s3cret@host/3",
        "redis+sentinel://:s3cret@host:port/service",
        "redis+sentinel://:s3cret@host,,other/service",
        "redis+sentinel://:s3cret@host/service/one",
        "redis+sentinel://:s3cret@host/service?ssl=s3cret",
    ],
)
def test_a_wrong_part_of_a_url_is_reported_at_start_up(kind: Any, url: str) -> None:
    """The error comes before any request, and shows no part of the password."""
    with pytest.raises(ConfigurationError, match="Fix: ") as caught:
        kind.from_url(url)

    assert "s3" not in str(caught.value)
    assert "cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("kind", [RedisStore, AsyncRedisStore])
@pytest.mark.parametrize(
    "option",
    [
        *("decode_responses=true", "protocol=3", "encoding=latin-1", "socket_timeout=60"),
        *("socket_connect_timeout=60", "retry_on_timeout=true", "timeout=60", "max_connections=1"),
    ],
)
def test_an_option_that_breaks_a_promise_is_refused(kind: Any, option: str) -> None:
    """The store sets these options itself."""
    with pytest.raises(ConfigurationError, match=f"{option.partition('=')[0]}.*sets itself"):
        kind.from_url(f"redis://127.0.0.1:1/0?{option}")


@needs_server
@pytest.mark.parametrize("user", ["", ":a%20word@"])
def test_a_socket_of_the_machine_is_a_server(server: RedisServer, user: str) -> None:
    """The path of the socket follows the two slashes, and a space is written as %20."""
    with redis.Redis(port=server.port) as client:
        path = client.config_get("unixsocket")["unixsocket"].replace(" ", "%20")
        client.config_set("requirepass", "a word" if user else "")
        if user:
            client.execute_command("AUTH", "a word")
        url = f"unix://{user}{path}?db=1"
        store, record = RedisStore.from_url(url), a_record(time.time, {"a": b"1"}, lives=60)
        try:
            assert store.create(KEY, record)
            assert asyncio.run(_loaded(url)) == store.load(KEY)
            assert "word" not in repr(store)
        finally:
            store.delete(KEY)
            store.close()
            client.config_set("requirepass", "")


@needs_server
def test_a_user_without_the_right_to_ask_for_settings(server: RedisServer) -> None:
    """The store works, because only the warning about a full server needs this right."""
    rights = ("~sessions:*", "+@read", "+@write", "+@scripting", "+@connection", "+time")
    with redis.Redis(port=server.port) as client:
        client.execute_command("ACL", "SETUSER", "ada", "on", ">word", "-@all", *rights)
    url = f"redis://ada:word@127.0.0.1:{server.port}/0"
    store, record = RedisStore.from_url(url), a_record(time.time, {"a": b"1"}, lives=60)

    assert store.create(KEY, record)
    assert asyncio.run(_loaded(url)) == store.load(KEY) is not None
    store.close()


@needs_server
def test_a_password_behind_sentinels_may_have_any_character(tmp_path: Path) -> None:
    """The password is written with percent escapes, as in every other URL."""
    with redis_with_sentinel(tmp_path) as (master, _, sentinel):
        with redis.Redis(port=master.port) as client, redis.Redis(port=sentinel.port) as guard:
            client.config_set("requirepass", "p@ss/wo%rd")
            guard.execute_command("SENTINEL", "SET", "sessions", "auth-pass", "p@ss/wo%rd")
        address = f"127.0.0.1:{sentinel.port}"
        url = f"redis+sentinel://:p%40ss%2Fwo%25rd@{address},[::1]:{sentinel.port}/sessions"
        store = RedisStore.from_url(url)

        wait_until(lambda: store.load(KEY) is None)
        assert asyncio.run(_loaded(url)) is None
        store.close()


@pytest.mark.usefixtures("punctual")
def test_many_sentinels_that_are_silent_cost_no_more_than_one() -> None:
    """The client asks the sentinels in turn, so each has only a part of the time."""
    silent = [socket.create_server(("127.0.0.1", 0)) for _ in range(8)]
    hosts = ",".join(f"127.0.0.1:{each.getsockname()[1]}" for each in silent)
    url = f"redis+sentinel://{hosts}/service"
    store = RedisStore.from_url(url)
    # Now a connection error would be tried again.
    store._has_looked = True
    took = []
    loads: list[Callable[[], object]] = [
        lambda: store.load(KEY),
        lambda: asyncio.run(_loaded(url)),
    ]

    for load in loads:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            load()
        took.append(time.monotonic() - began)

    assert max(took) < 1
    for each in silent:
        each.close()


async def _loaded(url: str) -> object:
    store = AsyncRedisStore.from_url(url)
    try:
        return await store.load(KEY)
    finally:
        await store.close()
