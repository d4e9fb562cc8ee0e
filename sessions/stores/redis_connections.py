"""The connections of a Redis store to one server, each for one call at a time.

A pool of redis-py makes the connections. But no call goes through the pool or the client of
redis-py, because their own work for a call takes about as long as the call itself.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import inf
from queue import Empty, SimpleQueue
from threading import local
from typing import Any, TypeVar
from weakref import ref

from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from sessions.stores.base import CALL_DEADLINE
from sessions.stores.deadlines import deadlines
from sessions.stores.redis_exchange import Exchange

T = TypeVar("T")

POOL_SIZE = 50
POOL_TIMEOUT = 0.1
"""Seconds for which a call waits for a connection that another thread has."""
REPLY_DEADLINE = 0.3
"""Seconds for which a call waits for a whole reply."""
GREETING_DEADLINE = 0.3
"""Seconds for which a new connection waits until the server has accepted its settings."""


class _Call(local):
    """The deadline of this thread's call, for all replies and connections together."""

    until = inf


_call = _Call()


@contextmanager
def within(connection: Any, seconds: float) -> Iterator[None]:
    """Limit the time of the block; if it takes longer, raise the timeout error of redis-py.

    It must be this error, because redis-py closes a connection only after its own errors.
    """
    try:
        with deadlines.within(connection, min(seconds, _call.until - time.monotonic())):
            yield
    except TimeoutError as error:
        raise RedisTimeoutError(str(error)) from error


def greet(connection: Any) -> None:
    """Send the first commands over a new connection, all within one deadline."""
    with within(connection, GREETING_DEADLINE):
        connection.on_connect()


def greet_and_limit(connection: Any) -> None:
    """Send the first commands over a new connection, and limit the time of each later reply."""
    greet(connection)
    limit(connection)


def limit(connection: Any) -> None:
    """Limit the time that redis-py itself waits for each reply on a connection."""
    connection.read_response = partial(_read_in_time, ref(connection))


def in_one_deadline(method: Callable[..., T], *arguments: Any) -> T:
    """Call a method of a redis-py client, with one deadline for all its connections and replies."""
    _call.until = time.monotonic() + CALL_DEADLINE
    try:
        return method(*arguments)
    finally:
        _call.until = inf


class TimedClient:
    """Send the commands for single sessions with a client of a cluster or of Sentinels."""

    def __init__(self, client: Any) -> None:
        self.hgetall = partial(in_one_deadline, client.hgetall)
        self.evalsha = partial(in_one_deadline, client.evalsha)
        self.eval = partial(in_one_deadline, client.eval)
        self.info = partial(in_one_deadline, client.info)

    def close(self) -> None:
        """Do nothing: the store closes the client, and the client closes the connections."""


class Connections:
    """Keep connections to one server, and send commands over them.

    A pool of redis-py makes the connections.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._begin()

    def _begin(self) -> None:
        self._idle: list[Exchange] = []
        # A queue is faster than a semaphore of Python.
        self._slots: SimpleQueue[None] = SimpleQueue()
        for _ in range(POOL_SIZE):
            self._slots.put(None)
        # Set this last: a thread of a child process must not take a connection of the parent.
        self._process = os.getpid()

    def hgetall(self, name: str) -> dict[bytes, bytes]:
        """Return the fields of a hash."""
        parts = iter(self._ask("HGETALL", name))
        return dict(zip(parts, parts, strict=True))

    def evalsha(self, *arguments: Any) -> Any:
        """Run a script that the server knows."""
        return self._ask("EVALSHA", *arguments)

    def eval(self, *arguments: Any) -> Any:
        """Run a script."""
        return self._ask("EVAL", *arguments)

    def info(self, section: str) -> dict[str, str]:
        """Return a section of what the server says about itself."""
        lines = self._ask("INFO", section).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def close(self) -> None:
        """Close the connections that no call is using."""
        while self._idle and self._process == os.getpid():
            self._idle.pop().disconnect()

    def _ask(self, *command: Any) -> Any:
        if self._process != os.getpid():
            # After a fork, the connections belong to the parent.
            self._begin()
        slots = self._slots
        try:
            slots.get(timeout=POOL_TIMEOUT)
        except Empty:
            raise RedisTimeoutError(f"all {POOL_SIZE} connections are in use") from None
        try:
            return self._ask_over(self._take(), command)
        finally:
            slots.put(None)

    def _ask_over(self, exchange: Exchange, command: tuple[Any, ...]) -> Any:
        call = deadlines.begin(exchange.connection, REPLY_DEADLINE)
        is_clean = False
        try:
            reply = exchange.ask(command)
            is_clean = True
            return reply
        except ResponseError:
            is_clean = True
            raise
        finally:
            in_time = deadlines.end(call)
            if not (in_time and is_clean):
                # The next call must not read the late reply to this call.
                exchange.disconnect()
            self._idle.append(exchange)
            if not in_time:
                raise RedisTimeoutError(f"there was no complete reply within {REPLY_DEADLINE} s")

    def _take(self) -> Exchange:
        """Return a connection; a closed connection opens itself when it sends a command."""
        try:
            exchange = self._idle.pop()
        except IndexError:
            connection = self._pool.make_connection()
            # The deadline of each call covers its replies, so `greet` sets no limit for them.
            connection.redis_connect_func = greet
            return Exchange(connection)
        if not exchange.is_usable():
            # The server has closed the connection, or has sent data that no call asked for.
            exchange.disconnect()
        return exchange


def _read_in_time(connection: "ref[Any]", *arguments: Any, **options: Any) -> Any:
    used: Any = connection()
    with within(used, REPLY_DEADLINE):
        return type(used).read_response(used, *arguments, **options)
