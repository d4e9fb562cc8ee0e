"""The exchange of commands and replies with a real Valkey server over one connection."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

redis = pytest.importorskip("redis", reason="redis-py is not installed")

from sessions.errors import StoreUnavailable, UnreadableValue  # noqa: E402
from sessions.record import Outcome  # noqa: E402
from sessions.stores import redis_exchange  # noqa: E402
from sessions.stores.base import wall_clock  # noqa: E402
from sessions.stores.deadlines import Deadlines  # noqa: E402
from sessions.stores.redis import RedisStore  # noqa: E402
from sessions.stores.redis_exchange import Exchange  # noqa: E402
from sessions.testing import a_record, some_changes, values_of  # noqa: E402
from tests.support.redis_servers import (  # noqa: E402
    WHY_NOT,
    RedisServer,
    redis_server,
    server_binary,
)
from tests.support.tcp_proxy import cut_after, doubled, passing, proxy_to  # noqa: E402

pytestmark = pytest.mark.skipif(server_binary() is None, reason=WHY_NOT)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Give one server to all tests of the module."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["with hiredis", "without hiredis"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test once with the parser of hiredis, and once with redis-py alone."""
    if request.param == "without hiredis":
        monkeypatch.setattr(redis_exchange, "hiredis", None)


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


def test_a_long_command_and_a_long_reply_are_complete(store: RedisStore) -> None:
    """The parser gets a long reply in several parts."""
    values = {f"value {number}": bytes([number]) * 6_000 for number in range(10)}
    store.create("long", a_record(wall_clock, values))

    for _ in range(3):
        assert values_of(store, "long") == values
        assert values_of(store, "key") == {"a": b"1"}


def test_an_error_of_the_server_is_raised_once(store: RedisStore, observer: Any) -> None:
    """The next reply over the same connection is that of the next command."""
    observer.set("sessions:text", "text")
    for _ in range(3):
        with pytest.raises(UnreadableValue):
            store.load("text")
        assert values_of(store, "key") == {"a": b"1"}


def test_a_surplus_reply_is_not_given_to_the_next_call(server: RedisServer, observer: Any) -> None:
    """A connection over which more came than one reply is closed before the next call."""
    with proxy_to(server.port) as proxy:
        store = RedisStore.from_url(f"redis://127.0.0.1:{proxy.port}")
        records = {name: a_record(wall_clock, {"a": name.encode()}) for name in ("one", "two")}
        for name, record in records.items():
            assert store.create(name, record)
        for name in ("one", "two", "one"):
            proxy.change = doubled
            values_of(store, name)
            proxy.change = passing
            assert values_of(store, "two") == {"a": b"two"}
        store.close()


def test_a_connection_that_ends_in_a_reply_opens_again(server: RedisServer, observer: Any) -> None:
    """The call itself, or the one after it, succeeds over a new connection."""
    with proxy_to(server.port) as proxy:
        store = RedisStore.from_url(f"redis://127.0.0.1:{proxy.port}")
        store.create("key", a_record(wall_clock, {"a": b"1"}))
        for count in (0, 1, 5, 20):
            proxy.change = cut_after(count)
            with pytest.raises(StoreUnavailable):
                store.load("key")
            proxy.change = passing
            assert values_of(store, "key") == {"a": b"1"}
        store.close()


def test_a_closed_store_opens_again(store: RedisStore) -> None:
    """A connection that was closed in the meantime gets a new reader."""
    for _ in range(3):
        assert values_of(store, "key") == {"a": b"1"}
        store.close()


def test_a_connection_that_redis_py_closed_is_used_again(server: RedisServer) -> None:
    """The first bytes over the new connection do not go to the reader of the old connection."""
    exchange = Exchange(redis.Connection(port=server.port, protocol=2))
    for _ in range(3):
        assert exchange.ask(("PING",)) == b"PONG"
        exchange.connection.disconnect()
        assert exchange.is_usable()


def test_a_reply_over_an_old_connection_is_forgotten(server: RedisServer) -> None:
    """A reply that nobody has read is not the reply to a command over the next connection."""
    exchange = Exchange(redis.Connection(port=server.port, protocol=2))
    exchange.ask(("PING",))
    for _ in range(3):
        exchange.connection.send_command("PING")
    time.sleep(0.05)
    exchange.ask(("PING",))
    exchange.connection.disconnect()

    assert exchange.ask(("ECHO", "new")) == b"new"


def test_a_connection_that_the_server_closed_is_not_used(store: RedisStore, observer: Any) -> None:
    """A call that must not be sent twice is not lost either."""
    for number in range(1, 10):
        observer.client_kill_filter(_type="normal", skipme=True)
        changes = some_changes(
            wall_clock, set={"a": b"%d" % (number + 1)}, expected={"a": b"%d" % number}
        )
        assert store.commit("key", changes) is Outcome.APPLIED


def test_a_server_that_sends_too_much_at_the_beginning_is_not_used() -> None:
    """Its further replies could belong to any command."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            count = 0
            with client:
                while data := client.recv(65536):
                    # redis-py first sends its name and its version.
                    count += (commands := data.count(b"SETINFO"))
                    surplus = b"+PONG\r\n" if count == 2 else b""
                    client.sendall(b"+OK\r\n" * commands + surplus)

        thread = threading.Thread(target=serve)
        thread.start()
        exchange = Exchange(redis.Connection(port=listener.getsockname()[1], protocol=2))
        with pytest.raises(redis.ConnectionError, match="more than its replies"):
            exchange.ask(("PING",))
        exchange.disconnect()
        thread.join(5)


def test_a_connection_that_closes_while_it_opens_is_an_error_of_the_connection(
    server: RedisServer,
) -> None:
    """Another thread has closed the store in the meantime."""

    class Closing(redis.Connection):  # type: ignore[misc,name-defined]
        def can_read(self, timeout: float = 0) -> bool:
            result: bool = super().can_read(timeout)
            self.disconnect()
            return result

    exchange = Exchange(Closing(port=server.port, protocol=2))

    # redis-py itself opens a closed connection again.
    with suppress(redis.ConnectionError):
        assert exchange.ask(("PING",)) == b"PONG"


def test_no_argument_is_a_number(server: RedisServer, store: RedisStore) -> None:
    """A signal while hiredis turns a number into text could crash the process."""
    seen: list[tuple[Any, ...]] = []

    class Recording(redis.Redis):  # type: ignore[misc,name-defined]
        def execute_command(self, *arguments: Any, **options: Any) -> Any:
            seen.append(arguments)
            return super().execute_command(*arguments, **options)

    client = Recording(port=server.port, protocol=2)
    recorded = RedisStore(client)
    recorded.create("other", a_record(wall_clock, {"a": b"1"}))
    recorded.commit_sign_in("ada", "other", some_changes(wall_clock, user_id="ada"), 4e9)
    client.close()

    calls = [call for call in seen if call[0] in ("EVALSHA", "EVAL")]
    assert len(calls) >= 2
    assert all(isinstance(part, str | bytes) for call in calls for part in call)


def test_data_that_nobody_asked_for_makes_a_connection_unusable(server: RedisServer) -> None:
    """The same is true after the end of the connection."""
    exchange = Exchange(redis.Connection(port=server.port, protocol=2))
    exchange.ask(("PING",))
    assert exchange.is_usable()

    exchange.connection.send_command("PING")
    time.sleep(0.05)
    assert not exchange.is_usable()

    exchange.disconnect()
    assert exchange.is_usable()


def test_a_wait_ends_without_the_thread_of_the_deadlines(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the interpreter shuts down, no thread can start, so the system ends the wait."""
    monkeypatch.setattr(Deadlines, "_watch", lambda self: None)
    exchange = Exchange(redis.Connection(port=server.port, protocol=2, socket_timeout=0.3))
    exchange.ask(("PING",))
    errors: list[BaseException] = []

    def ask() -> None:
        with pytest.raises(redis.TimeoutError) as caught:
            exchange.ask(("PING",))
        errors.append(caught.value)

    server.freeze()
    waiting = threading.Thread(target=ask, daemon=True)
    waiting.start()
    waiting.join(5)
    server.thaw()

    assert len(errors) == 1


def test_a_command_is_applied_once(store: RedisStore) -> None:
    """A commit with `expected` would conflict with itself."""
    for number in range(1, 30):
        changes = some_changes(
            wall_clock, set={"a": b"%d" % (number + 1)}, expected={"a": b"%d" % number}
        )
        assert store.commit("key", changes) is Outcome.APPLIED


def test_threads_get_their_own_replies(store: RedisStore) -> None:
    """Each call has a connection for itself."""
    names = [f"key {number}" for number in range(8)]
    for name in names:
        store.create(name, a_record(wall_clock, {"a": name.encode()}))
    wrong: list[str] = []

    def read(name: str) -> None:
        if any(values_of(store, name) != {"a": name.encode()} for _ in range(100)):
            wrong.append(name)

    threads = [threading.Thread(target=read, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
