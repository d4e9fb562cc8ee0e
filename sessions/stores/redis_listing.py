"""Count and list the records of the Redis stores, by SCAN on each master of a cluster.

SCAN looks at all keys of a server, also at the keys of other applications, but each call is short.
The pattern matches exactly the keys of this store's sessions: the prefix, and 64 hexadecimal
digits. So another application may have a longer prefix that begins with this one.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, NamedTuple, TypeVar

from redis.exceptions import ResponseError

from sessions.errors import StoreUnavailable, UnreadableValue
from sessions.record import Record
from sessions.stores.listing import Page
from sessions.stores.redis_calls import ABOUT, record_in

T = TypeVar("T")

_KEY_LENGTH = 64
_COUNTED = 1000
"""The number of keys that one call looks at when records are counted."""


class _Place(NamedTuple):
    """The place of a listing: the master (None without a cluster), and the cursor of SCAN."""

    node: Any
    cursor: int


class RedisListing(ABC):
    """Count and list the records of a Redis store."""

    _prefix: str

    @property
    @abstractmethod
    def _client(self) -> Any:
        """Return the client."""

    @abstractmethod
    def _ask(self, ask: Callable[[], T], *, is_repeatable: bool = True) -> T:
        """Call the server; raise the errors of the store contract."""

    def count(self) -> int:
        """Return the number of live records: see `Countable`."""
        count, after = 0, None
        while True:
            look = partial(self._scan, after, _COUNTED, "hexists", ABOUT)
            replies, after = self._ask(look)
            count += sum(reply is True for _, reply in replies)
            if after is None:
                return count

    def page(self, after: str | None, limit: int) -> Page:
        """Return the next live records in the order of SCAN: see `Listable`."""
        replies, after = self._ask(lambda: self._scan(after, limit, "hgetall"))
        return Page(_records_in(replies), after)

    def _scan(self, after: str | None, limit: int, verb: str, *arguments: bytes) -> Any:
        client = self._client
        place = _place(client, after)
        cursor, names = client.scan(**_scan(place, self._prefix, limit))
        with client.pipeline(transaction=False) as pipeline:
            for name in names:
                getattr(pipeline, verb)(name, *arguments)
            replies = pipeline.execute(raise_on_error=False)
        return _pairs(names, replies), _next(client, place, cursor)


class AsyncRedisListing(ABC):
    """Count and list the records of an asynchronous Redis store."""

    _prefix: str

    @property
    @abstractmethod
    def _client(self) -> Any:
        """Return the client."""

    @abstractmethod
    async def _ask(self, ask: Callable[[], Awaitable[T]], *, is_repeatable: bool = True) -> T:
        """Call the server; raise the errors of the store contract."""

    async def count(self) -> int:
        """Return the number of live records: see `Countable`."""
        count, after = 0, None
        while True:
            look = partial(self._scan, after, _COUNTED, "hexists", ABOUT)
            replies, after = await self._ask(look)
            count += sum(reply is True for _, reply in replies)
            if after is None:
                return count

    async def page(self, after: str | None, limit: int) -> Page:
        """Return the next live records in the order of SCAN: see `Listable`."""
        replies, after = await self._ask(lambda: self._scan(after, limit, "hgetall"))
        return Page(_records_in(replies), after)

    async def _scan(self, after: str | None, limit: int, verb: str, *arguments: bytes) -> Any:
        client = self._client
        if hasattr(client, "get_primaries"):
            # Without this line, the client knows no masters before its first call.
            await client.initialize()
        place = _place(client, after)
        cursor, names = await client.scan(**_scan(place, self._prefix, limit))
        async with client.pipeline(transaction=False) as pipeline:
            for name in names:
                getattr(pipeline, verb)(name, *arguments)
            replies = await pipeline.execute(raise_on_error=False)
        return _pairs(names, replies), _next(client, place, cursor)


def _masters(client: Any) -> list[Any]:
    """Return the masters of a cluster, in an order that does not change."""
    return sorted(client.get_primaries(), key=lambda node: node.name)


def _place(client: Any, after: str | None) -> _Place:
    name, _, cursor = (after or " 0").rpartition(" ")
    if not hasattr(client, "get_primaries"):
        return _Place(None, int(cursor))
    masters = _masters(client)
    found = [node for node in masters if after is None or node.name == name]
    if not found:
        raise StoreUnavailable(
            f"the master {name} of the cluster is no longer there. Fix: begin the listing again"
        )
    return _Place(found[0], int(cursor))


def _scan(place: _Place, prefix: str, limit: int) -> dict[str, Any]:
    """Return the arguments of SCAN."""
    # Escape the characters that have a meaning in a pattern.
    begins = re.sub(r"([*?\[\]\\])", r"\\\1", prefix)
    found = {"cursor": place.cursor, "match": begins + "[0-9a-f]" * _KEY_LENGTH, "count": limit}
    return found if place.node is None else {**found, "target_nodes": place.node}


def _next(client: Any, place: _Place, cursor: Any) -> str | None:
    if place.node is None:
        return f" {cursor}" if cursor else None
    name, at = place.node.name, cursor[place.node.name]
    if at:
        return f"{name} {at}"
    later = [node.name for node in _masters(client) if node.name > name]
    return f"{later[0]} 0" if later else None


def _pairs(names: list[bytes], replies: Iterable[Any]) -> list[tuple[str, Any]]:
    """Return the keys with their replies, without keys that are not hashes."""
    pairs = []
    for name, reply in zip(names, replies, strict=True):
        if isinstance(reply, ResponseError):
            continue
        if isinstance(reply, Exception):
            raise reply
        pairs.append((name[-_KEY_LENGTH:].decode(), reply))
    return pairs


def _records_in(replies: list[tuple[str, Any]]) -> list[tuple[str, Record]]:
    records = []
    for key, reply in replies:
        try:
            found = record_in(reply)
        except UnreadableValue:
            continue
        if isinstance(found, Record):
            records.append((key, found))
    return records
