"""Read the URL of a Redis store, and refuse a URL that the store cannot use."""

from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import redis
from redis.exceptions import RedisError

from sessions.errors import ConfigurationError
from sessions.stores.base import split_url, without_password
from sessions.stores.url_checks import (
    IS_CUT,
    may_cut_password,
    refused_options,
    remedy_of,
)

_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "redis+cluster")
_SENTINEL_PORT = 26379
_OPTIONS_OF_STORE = (
    *("socket_timeout", "socket_connect_timeout", "retry_on_timeout", "retry_on_error"),
    *("protocol", "decode_responses", "encoding", "encoding_errors"),
    *("max_connections", "timeout", "read_from_replicas"),
)
"""Options of redis-py that would break a promise of the store, so a URL cannot have them."""


def check_url(url: object, owner: str) -> SplitResult:
    """Return the parts of a URL; raise ConfigurationError if the store cannot use it."""
    parts = split_url(url)
    named = parts.path if parts.scheme == "unix" else parts.netloc
    if parts.scheme not in _SCHEMES or not named:
        raise ConfigurationError(
            f"{owner}.from_url({without_password(url)!r}) has no Redis server. Fix: write"
            " redis://host:6379/0, rediss://... for TLS, unix:///path/to/socket,"
            " redis+sentinel://host:26379/service or redis+cluster://host:6379"
        )
    if parts.scheme == "redis+sentinel" and not parts.path.strip("/"):
        raise ConfigurationError(
            f"{owner}.from_url({without_password(url)!r}) has no service. Fix: write"
            " redis+sentinel://host:26379/mymaster"
        )
    if parts.scheme != "unix" and may_cut_password(str(url)):
        problem: str | None = IS_CUT
    else:
        problem = _problem_of_options(parts) or _problem_of_place(parts, owner)
    if problem is not None:
        raise ConfigurationError(f"{owner}.from_url({without_password(url)!r}) {problem}")
    return parts


def url_of(parts: SplitResult) -> str:
    """Return the URL for redis-py; `urlunsplit` would drop the slashes of `unix:///`."""
    scheme = "redis" if parts.scheme == "redis+cluster" else parts.scheme
    return f"{scheme}://{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def sentinels_of(parts: SplitResult) -> list[tuple[str, int]]:
    """Return the hosts and ports; raise ValueError for a wrong host or port."""
    hosts = [urlsplit(f"//{host}") for host in parts.netloc.rpartition("@")[2].split(",")]
    if not all(host.hostname for host in hosts):
        raise ValueError("a sentinel has no host")
    return [(host.hostname or "", host.port or _SENTINEL_PORT) for host in hosts]


def service_of(parts: SplitResult) -> tuple[str, int]:
    """Return the Sentinel service and the database; raise ValueError for a wrong database."""
    service, _, database = parts.path.strip("/").partition("/")
    return unquote(service), int(database or 0)


def _problem_of_options(parts: SplitResult) -> str | None:
    """Return what is wrong with the options of a URL, or None.

    The result shows names of options, but never a value, because a value can be a secret.
    """
    options = [*parse_qs(parts.query, keep_blank_values=True)]
    if parts.fragment:
        return "has a #. Fix: write %23 for a # in the password"
    if options and parts.scheme == "redis+sentinel":
        return (
            "has options, which a URL of Sentinels cannot have. Fix: remove the ? and the options"
        )
    own = [name for name in options if name in _OPTIONS_OF_STORE]
    if own:
        return f"has options {own}, which the store sets itself. Fix: remove them"
    return None


def _problem_of_place(parts: SplitResult, owner: str) -> str | None:
    """Return what is wrong with the options, host, port or database of a URL, or None."""
    if _makes_connection(parts):
        return None
    names = refused_options(
        parts.query, lambda options: _makes_connection(parts._replace(query=options))
    )
    if names:
        shown = ", ".join(map(repr, names))
        return f"has options that redis-py refuses: {shown}. Fix: {remedy_of(names, owner)}"
    return (
        "has a wrong host, port, database or option. Fix: write a URL such as"
        " redis://:password@host:6379/0, and write %40 for a @ in the password, %2F for a /"
    )


def _makes_connection(parts: SplitResult) -> bool:
    # The text of an error may have a part of the password, so it is not shown.
    try:
        if parts.scheme == "redis+sentinel":
            sentinels_of(parts)
            service_of(parts)
            return True
        if parts.scheme != "unix":
            _check_server(parts)
        pool = redis.ConnectionPool.from_url(url_of(parts))
        # This opens no connection, but it checks the options.
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError, RedisError):
        return False
    return True


def _check_server(parts: SplitResult) -> None:
    """Raise ValueError if redis-py would use another host or database than the URL says."""
    database = parts.path.strip("/")
    if not parts.hostname or (parts.port is not None and not parts.port):
        raise ValueError("no host or port")
    if database and (int(database) < 0 or (parts.scheme == "redis+cluster" and int(database))):
        raise ValueError("no database")
