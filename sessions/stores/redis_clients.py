"""Make the client of a Redis store from a URL, or check a client that the application made."""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote

import redis
import redis.asyncio
import redis.asyncio.sentinel
import redis.backoff
import redis.sentinel
from redis.asyncio.retry import Retry as AsyncRetry
from redis.retry import Retry

from sessions.errors import ConfigurationError
from sessions.stores import redis_connections as connections
from sessions.stores.redis_connections import POOL_SIZE, POOL_TIMEOUT, Connections, TimedClient
from sessions.stores.redis_urls import sentinels_of, service_of, url_of

_TIMEOUT = 0.3
"""The seconds that a call waits for the connection, and then for the reply."""

_CLIENTS = (redis.Redis, redis.RedisCluster, redis.asyncio.Redis, redis.asyncio.RedisCluster)
_KEPT_FOREVER = "noeviction"

_logger = logging.getLogger("sessions")


class Kind(NamedTuple):
    """The classes of redis-py, either the blocking ones or the asynchronous ones."""

    client: Any
    cluster: Any
    sentinel: Any
    pool: Any
    retry: Any


class _Cluster(redis.RedisCluster):
    """The client of a cluster, with a time limit for each whole reply."""

    def on_connect(self, connection: Any) -> None:
        """Send the first commands over a new connection."""
        with connections.within(connection, connections.GREETING_DEADLINE):
            cluster: Any = super()
            cluster.on_connect(connection)
        connections.limit(connection)


BLOCKING = Kind(
    redis.Redis,
    _Cluster,
    redis.sentinel.Sentinel,
    redis.BlockingConnectionPool,
    Retry,
)
ASYNCHRONOUS = Kind(
    redis.asyncio.Redis,
    redis.asyncio.RedisCluster,
    redis.asyncio.sentinel.Sentinel,
    redis.asyncio.BlockingConnectionPool,
    AsyncRetry,
)


def client_for(parts: SplitResult, kind: Kind) -> Any:
    """Return a client whose calls end within a second, even if the server hangs."""
    settings: dict[str, Any] = {
        "socket_timeout": _TIMEOUT,
        "socket_connect_timeout": _TIMEOUT,
        "retry": kind.retry(redis.backoff.NoBackoff(), 0),
        "protocol": 2,
    }
    if kind is BLOCKING and parts.scheme != "redis+cluster":
        settings["redis_connect_func"] = connections.greet_and_limit
    match parts.scheme:
        case "redis+cluster":
            return kind.cluster.from_url(url_of(parts), **settings)
        case "redis+sentinel":
            return _client_of_sentinels(parts, kind, settings)
    if kind is ASYNCHRONOUS:
        # The store limits the time of the whole call, so no timer for each reply is needed.
        settings["socket_timeout"] = None
    # Blocking calls of sessions use half of the connections for themselves: see `caller_of`.
    size = POOL_SIZE * 2 if kind is BLOCKING else POOL_SIZE
    pool = {"max_connections": size, "timeout": POOL_TIMEOUT}
    return kind.client(connection_pool=kind.pool.from_url(url_of(parts), **settings, **pool))


def caller_of(client: Any) -> Any:
    """Return the object that sends commands for single sessions; each command has a deadline."""
    pool = getattr(client, "connection_pool", None)
    is_one = type(pool) is redis.BlockingConnectionPool
    return Connections(pool) if is_one else TimedClient(client)


def pools_of(client: Any) -> list[Any]:
    """Return the pools that stay open when the client is closed.

    A client of a single server has one pool. With Sentinels, each Sentinel has a pool, too. A
    blocking client of a cluster has one pool for each node; an asynchronous client of a cluster
    has no pools.
    """
    if isinstance(client, redis.RedisCluster):
        cluster: Any = client
        nodes = cluster.get_nodes()
        clients = [node.redis_connection for node in nodes if node.redis_connection is not None]
    elif isinstance(client, redis.asyncio.RedisCluster):
        clients = []
    else:
        manager = getattr(client.connection_pool, "sentinel_manager", None)
        clients = [client, *getattr(manager, "sentinels", ())]
    return [one.connection_pool for one in clients]


def check_client(client: Any, owner: str) -> None:
    """Raise ConfigurationError for a client that cannot be used; warn of risky settings."""
    _check_kind(client, owner)
    settings = _settings_of(client)
    if settings.get("decode_responses"):
        raise ConfigurationError(
            f"{owner} got a client with decode_responses=True, but sessions are bytes. Fix: make"
            " the client without decode_responses"
        )
    if settings.get("cache") is not None or settings.get("cache_config") is not None:
        raise ConfigurationError(
            f"{owner} got a client with a cache, which would return ended sessions. Fix: make the"
            " client without cache and cache_config"
        )
    _warn_of_patience(settings, owner)


def _check_kind(client: Any, owner: str) -> None:
    is_asynchronous = isinstance(client, redis.asyncio.Redis | redis.asyncio.RedisCluster)
    if isinstance(client, str) or not hasattr(client, "evalsha"):
        given = "the text of a URL" if isinstance(client, str) else f"a {type(client).__name__}"
        raise ConfigurationError(
            f"{owner} got {given}, not a client of redis-py. Fix: write"
            f' {owner}.from_url("redis://localhost:6379/0"), or give a client'
        )
    if is_asynchronous is not owner.startswith("Async") and isinstance(client, _CLIENTS):
        other = owner.removeprefix("Async") if owner.startswith("Async") else f"Async{owner}"
        raise ConfigurationError(
            f"{owner} got a client of {type(client).__module__.removesuffix('.client')}, which is"
            f" for the other kind of store. Fix: write {other}(client)"
        )


def _warn_of_patience(settings: dict[str, Any], owner: str) -> None:
    timeout = settings.get("socket_timeout")
    if timeout is None or timeout > 1:
        _logger.warning(
            "%s got a client with socket_timeout=%r. If the server hangs, each request waits for"
            " this time. Fix: make the client with socket_timeout=0.3",
            owner,
            timeout,
        )
    retries = getattr(settings.get("retry"), "_retries", 0)
    if retries:
        _logger.warning(
            "%s got a client that repeats a failed call up to %d times, so a change may be applied"
            " more than once. Fix: make the client with retry=Retry(NoBackoff(), 0)",
            owner,
            retries,
        )


def warn_of_eviction(memory: Mapping[str, Any]) -> None:
    """Log a warning if the reply to INFO says that a full server would drop live sessions."""
    # A cluster answers with one reply for each node.
    nodes: list[Mapping[str, Any]] = [one for one in memory.values() if isinstance(one, dict)]
    policies = {node.get("maxmemory_policy", _KEPT_FOREVER) for node in nodes or [memory]}
    for policy in sorted(policies - {_KEPT_FOREVER}):
        _logger.warning(
            "the Redis server has maxmemory-policy %s. If its memory is full, it drops live"
            " sessions, and their users are logged out. Fix: set maxmemory-policy noeviction, or"
            " use a separate server for the sessions",
            policy,
        )


def named(client: Any) -> str:
    """Return a name for the server of a client, for messages, without a password."""
    settings = _settings_of(client)
    path = settings.get("path")
    host, port = settings.get("host", "?"), settings.get("port", "?")
    return f"unix:{path}" if path else f"{host}:{port}"


def _client_of_sentinels(parts: SplitResult, kind: Kind, settings: dict[str, Any]) -> Any:
    sentinels, (service, database) = sentinels_of(parts), service_of(parts)
    login = {name: unquote(getattr(parts, name) or "") or None for name in ("username", "password")}
    # All sentinels together may take as long as one server, because the client asks them in turn.
    share = _TIMEOUT / len(sentinels)
    asked = {**settings, "socket_timeout": share, "socket_connect_timeout": share}
    found = kind.sentinel(sentinels, sentinel_kwargs=asked, **settings, **login)
    return found.master_for(service, db=database)


def _settings_of(client: Any) -> dict[str, Any]:
    pool = getattr(client, "connection_pool", None)
    if pool is not None:
        return dict(pool.connection_kwargs)
    nodes = getattr(client, "nodes_manager", None)
    found: dict[str, Any] = dict(getattr(nodes, "connection_kwargs", {}))
    found.update(getattr(client, "connection_kwargs", {}))
    return found
