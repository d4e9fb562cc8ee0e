"""Remedies for values of the wrong type: what to write in place of a class, a text, a number."""

import os
from collections.abc import Iterator, Mapping

from sessions.stores.base import without_password

Kinds = tuple[type, ...]

# The call that makes an object of each class. Other classes need no arguments.
_CALLS = {
    "SQLiteStore": 'SQLiteStore("sessions.db")',
    "RedisStore": 'RedisStore.from_url("redis://localhost:6379/0")',
    "AsyncRedisStore": 'AsyncRedisStore.from_url("redis://localhost:6379/0")',
    "SQLStore": 'SQLStore.from_url("postgresql+psycopg://localhost/shop")',
    "AsyncSQLStore": 'AsyncSQLStore.from_url("postgresql+asyncpg://localhost/shop")',
    "MongoStore": 'MongoStore.from_url("mongodb://localhost:27017/shop")',
    "AsyncMongoStore": 'AsyncMongoStore.from_url("mongodb://localhost:27017/shop")',
    "JWTToken": 'JWTToken(issuer="https://shop.example", audience="shop")',
}
# The names of stores in other libraries, and the class to use here.
_NAMES = {
    "redis valkey": "RedisStore",
    "memory simple cache null locmem": "MemoryStore",
    "file filesystem sqlite sqlite3": "SQLiteStore",
    "sql sqlalchemy db database postgres postgresql mysql mariadb": "SQLStore",
    "mongo mongodb": "MongoStore",
    "cookie cookies signed": "SignedToken",
    "jwt": "JWTToken",
}
# The packages of the clients, and the stores that take these clients.
_CLIENTS = {
    "redis": "RedisStore(client), from sessions.stores.redis",
    "valkey": "RedisStore(client) with a client of the package redis",
    "sqlalchemy": "SQLStore(engine) with an Engine, from sessions.stores.sql",
    "pymongo": 'MongoStore(client["database"]["sessions"]), from sessions.stores.mongo',
    "motor": "AsyncMongoStore with a collection of pymongo's AsyncMongoClient",
    "sqlite3": 'SQLiteStore("sessions.db"), which opens its own connections',
}


def store_problems(store: object, wanted: Kinds) -> Iterator[str]:
    """Yield the mistake if `SessionContainer(store=...)` is no store and no token format."""
    if not isinstance(store, wanted):
        shown = repr(without_password(store) if isinstance(store, str) else store)
        yield f"store={shown} is not a Store. Fix: {_store_instead(store, wanted)}"


def call_of(kind: type) -> str:
    """Return how to make an object of a class, as source code."""
    return _CALLS.get(kind.__name__, f"{kind.__name__}()")


def instance_instead(given: object, wanted: type | Kinds, otherwise: str) -> str:
    """Return the remedy if a class was given instead of an object of it, else `otherwise`."""
    if isinstance(given, type) and issubclass(given, wanted):
        return f"write {call_of(given)}: an object, not the class"
    return otherwise


def timedelta_instead(given: object, otherwise: str = "write timedelta(minutes=30)") -> str:
    """Return the remedy for a wrong span of time.

    For a number of seconds, the remedy has the right timedelta. For any other value, the remedy is
    `otherwise`.
    """
    if isinstance(given, int | float) and not isinstance(given, bool):
        return f"write timedelta(seconds={given!r}), and import it: from datetime import timedelta"
    if isinstance(given, str) and given.isdecimal():
        return (
            f"write timedelta(seconds={int(given)}), and import it: from datetime import timedelta"
        )
    return otherwise


def cookie_instead(given: object) -> str:
    """Return the remedy for a value that is not a CookieSettings."""
    if isinstance(given, Mapping) and given and all(isinstance(name, str) for name in given):
        return f"write CookieSettings({', '.join(f'{name}=...' for name in given)})"
    if isinstance(given, str):
        return f"write session_prefix={given!r} for the name, and give cookie=CookieSettings()"
    return "give one such as CookieSettings()"


def single_instead(name: str, given: object, wanted: type | Kinds) -> str:
    """Return the remedy if a single object, or only its class, was given in place of a list."""
    if isinstance(given, wanted):
        return f"write {name}=[{given!r}], a list"
    if isinstance(given, type) and issubclass(given, wanted):
        return f"write {name}=[{call_of(given)}], a list of objects"
    return "give a list, even for a single item"


def _store_instead(given: object, wanted: Kinds) -> str:
    if isinstance(given, type):
        return instance_instead(given, wanted, _any_store())
    if isinstance(given, str):
        return _of_text(given)
    if isinstance(given, os.PathLike):
        return "write SQLiteStore(path)"
    if isinstance(given, dict):
        return "write MemoryStore()"
    package = type(given).__module__.partition(".")[0]
    return f"write {_CLIENTS[package]}" if package in _CLIENTS else _any_store()


def _of_text(given: str) -> str:
    if "://" in given or given.startswith("memory:"):
        return (
            "write store=store_from_url(...) with this URL, and import it: from sessions import"
            " store_from_url"
        )
    for names, store in _NAMES.items():
        if given.lower() in names.split():
            return f"write {_CALLS.get(store, f'{store}()')}"
    return f"write SQLiteStore({given!r})" if "." in given or "/" in given else _any_store()


def _any_store() -> str:
    return "give one such as SQLiteStore('sessions.db')"
