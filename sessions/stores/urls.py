"""Make a store from a URL, such as one in an environment variable."""

from collections.abc import Callable
from importlib import import_module
from urllib.parse import parse_qsl, unquote, urlsplit

from sessions.errors import ConfigurationError
from sessions.stores.base import AsyncStore, Store, split_url, without_password
from sessions.stores.memory import MemoryStore
from sessions.stores.sqlite import SQLiteStore

_REDIS = ("redis", "rediss", "unix", "redis+sentinel", "redis+cluster")
_MONGO = ("mongodb", "mongodb+srv")
_SQL = (
    *("postgresql", "postgresql+psycopg", "postgresql+asyncpg"),
    *("mariadb+pymysql", "mariadb+asyncmy", "mysql+pymysql", "mysql+asyncmy"),
)
# For each scheme: the module, the blocking class and the asynchronous class.
_SERVERS = {
    **dict.fromkeys(_REDIS, ("sessions.stores.redis", "RedisStore", "AsyncRedisStore")),
    **dict.fromkeys(_MONGO, ("sessions.stores.mongo", "MongoStore", "AsyncMongoStore")),
    **dict.fromkeys(_SQL, ("sessions.stores.sql", "SQLStore", "AsyncSQLStore")),
}
# Schemes whose driver is of the other kind, with the scheme to use instead.
_ONLY_ASYNCHRONOUS = {
    "postgresql+asyncpg": "postgresql+psycopg",
    "mariadb+asyncmy": "mariadb+pymysql",
    "mysql+asyncmy": "mysql+pymysql",
}
_ONLY_BLOCKING = {
    "mariadb+pymysql": "mariadb+asyncmy",
    "mysql+pymysql": "mysql+asyncmy",
}
# What other libraries call the schemes.
_MEANT = {
    "postgres": "postgresql",
    "postgresql+psycopg2": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "mysql+mysqldb": "mysql+pymysql",
    "mysql+aiomysql": "mysql+asyncmy",
    "sqlite+aiosqlite": "sqlite",
    "sqlite3": "sqlite",
    "mongo": "mongodb",
    "valkey": "redis",
    "valkeys": "rediss",
    "redis+socket": "unix",
    "mem": "memory",
}


def store_from_url(url: str) -> Store:
    """Return the store for a URL.

    `memory:` is the memory of this process. `sqlite:///sessions.db` is a file in the current
    folder, and `sqlite:////srv/sessions.db` is a file with its full path. Servers are `redis://`,
    `rediss://`, `unix://`, `redis+sentinel://`, `redis+cluster://`, `mongodb://`, `mongodb+srv://`,
    `postgresql://`, and URLs of SQLAlchemy such as `postgresql+asyncpg://` and
    `mariadb+pymysql://`. Raises ConfigurationError for another URL, and for a driver that is not
    installed.
    """
    scheme = _scheme(url)
    here: dict[str, Callable[[str], Store]] = {"memory": _memory, "sqlite": _sqlite}
    if scheme in here:
        return here[scheme](url)
    module, name, _ = _server(scheme, url)
    store: Store = getattr(import_module(module), name).from_url(url)
    return store


def async_store_from_url(url: str) -> AsyncStore:
    """Return the asynchronous store for the URL of a server: see `store_from_url`."""
    scheme = _scheme(url)
    if scheme in ("memory", "sqlite"):
        raise ConfigurationError(
            f"async_store_from_url({without_password(url)!r}) is the URL of a store that is not"
            " asynchronous. Fix: use store_from_url; an AsyncSessionManager can use a blocking"
            " store, too"
        )
    module, _, name = _server(scheme, url, asynchronous=True)
    store: AsyncStore = getattr(import_module(module), name).from_url(url)
    return store


def _scheme(url: object) -> str:
    if isinstance(url, str) and url != url.strip():
        raise ConfigurationError(
            f"the URL {without_password(url)!r} has white space around it. Fix: remove it, for"
            " example with url.strip()"
        )
    return split_url(url).scheme


def _server(scheme: str, url: object, *, asynchronous: bool = False) -> tuple[str, str, str]:
    others = _ONLY_BLOCKING if asynchronous else _ONLY_ASYNCHRONOUS
    if scheme in others:
        raise _of_the_other_kind(scheme, others[scheme], asynchronous=asynchronous)
    if scheme not in _SERVERS:
        if url is None:
            raise ConfigurationError(
                "the URL of the store is None. Fix: set the environment variable that has the URL,"
                ' or give a default, as in os.environ.get("SESSION_STORE", "memory:")'
            )
        if scheme in _MEANT:
            raise ConfigurationError(
                f"the URL {scheme}:... is not the URL of a store. Fix: begin the URL"
                f" with '{_MEANT[scheme]}:' in place of '{scheme}:'"
            )
        here = () if asynchronous else ("memory", "sqlite")
        known = [f"{name}:" for name in (*here, *_SERVERS) if name not in others]
        shown = f"{scheme}:..." if scheme else repr(without_password(url))
        raise ConfigurationError(
            f"the URL {shown} is not the URL of a store. Fix: begin the URL with {', '.join(known)}"
        )
    return _SERVERS[scheme]


def _of_the_other_kind(scheme: str, suited: str, *, asynchronous: bool) -> ConfigurationError:
    is_for = "a blocking store" if asynchronous else "an asynchronous store"
    call = "store_from_url" if asynchronous else "async_store_from_url"
    return ConfigurationError(
        f"the URL {scheme}:... is for {is_for}. Fix: call {call}, or begin the URL with '{suited}:'"
    )


def _memory(url: str) -> Store:
    if url not in ("memory:", "memory://"):
        raise ConfigurationError(
            f"the URL {without_password(url)!r} has more parts than a MemoryStore needs. Fix: write"
            " 'memory:'"
        )
    return MemoryStore()


def _sqlite(url: str) -> Store:
    parts = urlsplit(url)
    path = unquote(parts.path.removeprefix("/"))
    # A file may have a @ in its path.
    shown = without_password(url) if parts.netloc or parts.query else url
    if parts.netloc or not path or parts.fragment:
        raise ConfigurationError(
            f"the URL {shown!r} has no path of a file. Fix: write sqlite:///sessions.db for a file"
            " in the current folder, or sqlite:////srv/sessions.db for a file with its full path"
        )
    if parts.query:
        names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
        options = ", ".join(map(repr, names))
        raise ConfigurationError(
            f"the URL {shown!r} has options, which a SQLite URL cannot have: {options}. Fix: write"
            " sqlite:///sessions.db without them; settings are arguments, as in"
            ' SQLiteStore("sessions.db", prefix="shop")'
        )
    return SQLiteStore(path)
