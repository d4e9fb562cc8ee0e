"""Sessions in Redis or Valkey: one server, servers with Sentinels, or a cluster."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from sessions.errors import ConfigurationError, StoreUnavailable
from sessions.names import OF_SERVERS, explains_settings
from sessions.public_names import refusing
from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores.base import CALL_DEADLINE, AsyncStore, Store, without_password

try:
    from redis.exceptions import ConnectionError as RedisConnectionError
    from redis.exceptions import (
        NoScriptError,
        RedisClusterException,
        RedisError,
        ResponseError,
    )

    from sessions.stores import redis_clients as clients
    from sessions.stores.redis_listing import AsyncRedisListing, RedisListing
    from sessions.stores.redis_urls import check_url
except ImportError as error:
    raise ConfigurationError(
        "RedisStore needs the package redis, which is not installed. Fix: run"
        " pip install 'satsuma[redis]'"
    ) from error

from sessions.stores import redis_calls as calls
from sessions.stores.failures import unavailable
from sessions.stores.redis_expiring import AsyncRedisExpiring, RedisExpiring
from sessions.stores.redis_scripts import Call
from sessions.stores.redis_users import AsyncRedisUsers, RedisUsers

T = TypeVar("T")

_BROKEN = (RedisError, RedisClusterException, OSError, asyncio.TimeoutError)
_PREFIX = "sessions:"
_NO_MORE_TRIES = 0.1
"""A failed call is tried again only if it took less than this number of seconds."""


@explains_settings(OF_SERVERS)
class RedisStore(RedisListing, RedisExpiring, RedisUsers, Store):
    """Keep records in Redis 7 or Valkey, one hash for each session.

    `client` is a client of redis-py: `Redis` or `RedisCluster`. `from_url` makes a client whose
    calls end within a second, even if the server hangs. All keys begin with `prefix`: applications
    with different prefixes can share a server, but not sessions. The server removes expired
    sessions itself, by its own clock. With `keep_expired`, the server keeps each expired session
    for this time. Then listeners, and the method `finish` of a session class, are called for
    expired sessions, too.
    """

    def __init__(
        self, client: Any, *, prefix: str = _PREFIX, keep_expired: timedelta | None = None
    ) -> None:
        clients.check_client(client, "RedisStore")
        self._begin((lambda: client, clients.named(client)), prefix, keep_expired, is_own=False)

    @classmethod
    def from_url(
        cls, url: str, *, prefix: str = _PREFIX, keep_expired: timedelta | None = None
    ) -> "RedisStore":
        """Return a store for the URL of a server: `redis://`, `rediss://`, `unix://`, and others.

        The others are `redis+sentinel://host:port/service` and `redis+cluster://host:port`. Raises
        ConfigurationError for a URL without a Redis server.
        """
        parts = check_url(url, cls.__name__)
        store = cls.__new__(cls)
        make = partial(clients.client_for, parts, clients.BLOCKING)
        store._begin((make, without_password(url)), prefix, keep_expired, is_own=True)
        return store

    def _begin(
        self,
        server: tuple[Callable[[], Any], str],
        prefix: str,
        keep_expired: timedelta | None,
        *,
        is_own: bool,
    ) -> None:
        self._make, self._name = server
        self._keep(keep_expired)
        self._prefix = _checked(prefix)
        self._is_own = is_own
        self._opened: tuple[Any, Any] | None = None
        self._opening = Lock()
        self._has_looked = False
        # The server may start later. Then the first call checks its settings.
        with suppress(StoreUnavailable):
            self._ask(lambda: None)

    def __repr__(self) -> str:
        return f"<RedisStore {self._name!r}>"

    def load(self, key: str) -> Record | Ended | None:
        if self._kept:
            return calls.record_in(self._unexpired(key))
        name = self._prefix + key
        return calls.record_in(self._ask(lambda: self._open()[1].hgetall(name)))

    def create(self, key: str, record: Record) -> bool:
        return self._call(key, calls.create_call(record, self._scripts.create)) == 1

    def commit(self, key: str, changes: Changes) -> Outcome:
        call = calls.commit_call(changes, self._scripts.commit)
        return calls.outcome_in(self._call(key, call, is_repeatable=not changes.expected))

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        call = calls.touch_call(secret, expires_at, accessed_at, self._scripts.touch)
        return self._call(key, call) == 1

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        keeps = self._kept and self.collects_expired
        call = calls.delete_call(user_id, self._scripts.delete, keeps=keeps)
        return self._call(key, call) == 1

    def close(self) -> None:
        """Close the connections; a later call opens them again. Your own client stays open."""
        with self._opening:
            opened, self._opened = self._opened, None
        if opened is not None and self._is_own:
            client, caller = opened
            if caller is not client:
                caller.close()
            pools = clients.pools_of(client)
            client.close()
            for pool in pools:
                pool.disconnect()

    @property
    def _client(self) -> Any:
        return self._open()[0]

    def _open(self) -> tuple[Any, Any]:
        """Return the client, and the object that sends the commands for single sessions."""
        opened = self._opened
        if opened is None:
            with self._opening:
                opened = self._opened
                if opened is None:
                    client = self._make()
                    caller = clients.caller_of(client) if self._is_own else client
                    opened = self._opened = (client, caller)
        return opened

    def _call(self, key: str, call: Call, *, is_repeatable: bool = True) -> int:
        return int(self._reply((key,), call, is_repeatable=is_repeatable))

    def _reply(self, keys: tuple[str, ...], call: Call, *, is_repeatable: bool = True) -> Any:
        names = [self._prefix + key for key in keys]
        # A signal while hiredis turns an int into text could crash the process.
        count = str(len(names))

        def run() -> Any:
            caller = self._open()[1]
            try:
                reply = caller.evalsha(call.sha, count, *names, *call.arguments)
            except NoScriptError:
                reply = caller.eval(call.script, count, *names, *call.arguments)
            return reply

        return self._ask(run, is_repeatable=is_repeatable)

    def _ask(self, ask: Callable[[], T], *, is_repeatable: bool = True) -> T:
        began = time.monotonic()
        try:
            if not self._has_looked:
                self._look()
                _check_time(began)
            try:
                return ask()
            except RedisConnectionError:
                # The server may have restarted, so try again with another connection.
                if not is_repeatable or time.monotonic() - began > _NO_MORE_TRIES:
                    raise
                return ask()
        except _BROKEN as error:
            raise _meaning(error, self) from error

    def _look(self) -> None:
        """Check once, not in every call, what the server does when its memory is full."""
        # The server possibly refuses this command to the user of the connection.
        with suppress(ResponseError):
            clients.warn_of_eviction(self._open()[1].info("memory"))
        self._has_looked = True


@explains_settings(OF_SERVERS)
class AsyncRedisStore(AsyncRedisListing, AsyncRedisExpiring, AsyncRedisUsers, AsyncStore):
    """Keep records in Redis 7 or Valkey without blocking an event loop: see `RedisStore`.

    `client` is a client of `redis.asyncio`, which belongs to one event loop. `from_url` makes a
    client for each event loop that uses the store.
    """

    def __init__(
        self, client: Any, *, prefix: str = _PREFIX, keep_expired: timedelta | None = None
    ) -> None:
        clients.check_client(client, "AsyncRedisStore")
        self._begin((lambda: client, clients.named(client)), prefix, keep_expired, is_own=False)

    @classmethod
    def from_url(
        cls, url: str, *, prefix: str = _PREFIX, keep_expired: timedelta | None = None
    ) -> "AsyncRedisStore":
        """Return a store for the URL of a server: see `RedisStore.from_url`."""
        parts = check_url(url, cls.__name__)
        store = cls.__new__(cls)
        make = partial(clients.client_for, parts, clients.ASYNCHRONOUS)
        store._begin((make, without_password(url)), prefix, keep_expired, is_own=True)
        return store

    def _begin(
        self,
        server: tuple[Callable[[], Any], str],
        prefix: str,
        keep_expired: timedelta | None,
        *,
        is_own: bool,
    ) -> None:
        self._make, self._name = server
        self._keep(keep_expired)
        self._prefix = _checked(prefix)
        self._is_own = is_own
        self._deadline = CALL_DEADLINE if is_own else None
        self._opened: dict[asyncio.AbstractEventLoop, Any] = {}
        self._has_looked = False

    def __repr__(self) -> str:
        return f"<AsyncRedisStore {self._name!r}>"

    async def load(self, key: str) -> Record | Ended | None:
        if self._kept:
            return calls.record_in(await self._unexpired(key))
        return calls.record_in(await self._ask(lambda: self._client.hgetall(self._prefix + key)))

    async def create(self, key: str, record: Record) -> bool:
        return await self._call(key, calls.create_call(record, self._scripts.create)) == 1

    async def commit(self, key: str, changes: Changes) -> Outcome:
        call = calls.commit_call(changes, self._scripts.commit)
        return calls.outcome_in(await self._call(key, call, is_repeatable=not changes.expected))

    async def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        call = calls.touch_call(secret, expires_at, accessed_at, self._scripts.touch)
        return await self._call(key, call) == 1

    async def delete(self, key: str, *, user_id: str | None = None) -> bool:
        keeps = self._kept and self.collects_expired
        call = calls.delete_call(user_id, self._scripts.delete, keeps=keeps)
        return await self._call(key, call) == 1

    async def close(self) -> None:
        """Close the connections of this event loop: see `RedisStore.close`."""
        client = self._opened.pop(asyncio.get_running_loop(), None)
        if client is not None and self._is_own:
            # A call that is still running keeps its connection.
            for pool in clients.pools_of(client):
                await pool.disconnect(inuse_connections=False)
            await client.aclose()

    @property
    def _client(self) -> Any:
        """Return the client of the running event loop; a connection belongs to one loop."""
        loop = asyncio.get_running_loop()
        client = self._opened.get(loop)
        if client is None:
            for other in [other for other in self._opened if other.is_closed()]:
                del self._opened[other]
            client = self._opened[loop] = self._make()
        return client

    async def _call(self, key: str, call: Call, *, is_repeatable: bool = True) -> int:
        return int(await self._reply((key,), call, is_repeatable=is_repeatable))

    async def _reply(self, keys: tuple[str, ...], call: Call, *, is_repeatable: bool = True) -> Any:
        names = [self._prefix + key for key in keys]
        count = str(len(names))

        async def run() -> Any:
            client = self._client
            try:
                reply = await client.evalsha(call.sha, count, *names, *call.arguments)
            except NoScriptError:
                reply = await client.eval(call.script, count, *names, *call.arguments)
            return reply

        return await self._ask(run, is_repeatable=is_repeatable)

    async def _ask(self, ask: Callable[[], Awaitable[T]], *, is_repeatable: bool = True) -> T:
        began = time.monotonic()
        try:
            # The driver limits the time of each reply, and a call may need several replies.
            async with asyncio.timeout(self._deadline):
                if not self._has_looked:
                    await self._look()
                try:
                    return await ask()
                except RedisConnectionError:
                    if not is_repeatable or time.monotonic() - began > _NO_MORE_TRIES:
                        raise
                    return await ask()
        except _BROKEN as error:
            raise _meaning(error, self) from error

    async def _look(self) -> None:
        """Check once what the server does when its memory is full: see `RedisStore`."""
        with suppress(ResponseError):
            clients.warn_of_eviction(await self._client.info("memory"))
        self._has_looked = True


def _check_time(began: float) -> None:
    """Raise TimeoutError if opening the connection has used up the whole time of the call."""
    if time.monotonic() - began > CALL_DEADLINE:
        raise TimeoutError(f"the connection was not ready within {CALL_DEADLINE} s")


def _meaning(error: Exception, store: object) -> Exception:
    """Return the error that the store raises in place of an error of the driver."""
    if isinstance(error, ResponseError) and str(error).startswith("WRONGTYPE"):
        return calls.unreadable()
    return unavailable(store, error)


def _checked(prefix: object) -> str:
    if not isinstance(prefix, str) or not prefix.isprintable():
        raise ConfigurationError(
            f"RedisStore(prefix={prefix!r}) is not a prefix of keys. Fix: give a text such as"
            " 'shop:'"
        )
    return prefix


# Type checkers do not see this function, because they would then accept every name.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
