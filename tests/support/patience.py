"""Stores that wait longer for their servers, for tests that are not about time.

A store gives up within a second. On a machine that does other work, too, a server that is well may
need longer.
"""

import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

from sessions.errors import StoreUnavailable
from sessions.stores.base import Store

SECONDS = 10.0
# The times of each module, and the package without which it cannot be imported.
_TIMES = {
    "sessions.stores.redis_clients": ("redis", ("_TIMEOUT", "POOL_TIMEOUT")),
    "sessions.stores.redis": ("redis", ("CALL_DEADLINE", "_NO_MORE_TRIES")),
    "sessions.stores.redis_connections": (
        "redis",
        ("CALL_DEADLINE", "POOL_TIMEOUT", "REPLY_DEADLINE", "GREETING_DEADLINE"),
    ),
    "sessions.stores.sql_connections": ("sqlalchemy", ("REPLY_TIMEOUT", "_POOL_TIMEOUT")),
    "sessions.stores.sql_async_drivers": ("sqlalchemy", ("REPLY_TIMEOUT",)),
    "sessions.stores.mongo": ("pymongo", ("CALL_DEADLINE",)),
}

T = TypeVar("T")
Open = Callable[[], Store]


@contextmanager
def patience() -> Iterator[None]:
    """Let the stores that this process makes wait a long time for their servers."""
    before = [(name, at, _set(name, at, SECONDS)) for name, at in _places()]
    try:
        yield
    finally:
        for name, at, seconds in before:
            _set(name, at, seconds)


def soon(call: Callable[[], T]) -> T:
    """Call a function until it does not fail, and return its result."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return call()
        except StoreUnavailable:
            if time.monotonic() > deadline:
                raise


async def soon_async(call: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Await a coroutine function until it does not fail, and return its result."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return await call()
        except StoreUnavailable:
            if time.monotonic() > deadline:
                raise


def patiently(opening: Open) -> Open:
    """Return a function that opens a store in another process and lets it wait long there."""
    return partial(_open, opening)


def _open(opening: Open) -> Store:
    for name, at in _places():
        _set(name, at, SECONDS)
    return opening()


def _places() -> Iterator[tuple[str, str]]:
    for name, (package, times) in _TIMES.items():
        if find_spec(package) is not None:
            yield from ((name, at) for at in times)


def _set(name: str, at: str, seconds: float) -> float:
    module = import_module(name)
    before: float = getattr(module, at)
    setattr(module, at, seconds)
    return before
