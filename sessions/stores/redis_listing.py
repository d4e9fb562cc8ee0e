"""Count and list the records of the Redis stores, by SCAN on each master of a cluster.

SCAN looks at all keys of a server, even at the keys of other applications. Each call is short.
The pattern matches exactly the keys of this store's sessions: the prefix, and 64 hexadecimal
digits. So it never matches a key of another application, even if the prefix of that application
begins with the prefix of this store.
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
from sessions.stores.redis_calls import ABOUT, end_in, record_in

T = TypeVar("T")

_KEY_LENGTH = 64
_COUNTED = 1000
"""The number of keys that one call looks at when records are counted."""


class _Place(NamedTuple):
    """Where a SCAN begins: the master (None without a cluster), and the cursor."""

    node: Any
    cursor: int


class RedisListing(ABC):
    """Count and list the records of a Redis store."""

    _prefix: str
    _kept: bool

    @property
    @abstractmethod
    def _client(self) -> Any:
        """Return the client."""

    @abstractmethod
    def _ask(self, ask: Callable[[], T], *, is_repeatable: bool = True) -> T:
        """Call the server; raise StoreUnavailable or UnreadableValue if the call fails."""

    def count(self) -> int:
        """Return the number of live records: see `Countable`."""
        count, after, verb = 0, None, "hget" if self._kept else "hexists"
        while True:
            now = self._present(after)
            look = partial(self._scan, after, _COUNTED, verb, ABOUT)
            replies, after = self._ask(look)
            count += sum(_is_live(reply, now) for _, reply in replies)
            if after is None:
                return count

    def page(self, after: str | None, limit: int) -> Page:
        """Return the next live records in the order of SCAN: see `Listable`."""
        now = self._present(after)
        replies, after = self._ask(lambda: self._scan(after, limit, "hgetall"))
        return Page(_records_in(replies, now), after)

    def _times_left(
        self, after: str | None, limit: int
    ) -> tuple[list[tuple[str, int]], str | None]:
        """Return some keys with their time to live in milliseconds, and where to continue."""
        left: tuple[list[tuple[str, int]], str | None]
        left = self._ask(lambda: self._scan(after, limit, "pttl"))
        return left

    def _present(self, after: str | None) -> float:
        """Return the time of the server, or 0 if the store keeps no expired records.

        With 0 as the present time, no record has expired.
        """
        return _seconds(self._ask(lambda: self._time(after))) if self._kept else 0.0

    def _time(self, after: str | None) -> Any:
        place = _place(self._client, after)
        return self._client.time(**_at(place))

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
    _kept: bool

    @property
    @abstractmethod
    def _client(self) -> Any:
        """Return the client."""

    @abstractmethod
    async def _ask(self, ask: Callable[[], Awaitable[T]], *, is_repeatable: bool = True) -> T:
        """Call the server; raise StoreUnavailable or UnreadableValue if the call fails."""

    async def count(self) -> int:
        """Return the number of live records: see `Countable`."""
        count, after, verb = 0, None, "hget" if self._kept else "hexists"
        while True:
            now = await self._present(after)
            look = partial(self._scan, after, _COUNTED, verb, ABOUT)
            replies, after = await self._ask(look)
            count += sum(_is_live(reply, now) for _, reply in replies)
            if after is None:
                return count

    async def page(self, after: str | None, limit: int) -> Page:
        """Return the next live records in the order of SCAN: see `Listable`."""
        now = await self._present(after)
        replies, after = await self._ask(lambda: self._scan(after, limit, "hgetall"))
        return Page(_records_in(replies, now), after)

    async def _times_left(
        self, after: str | None, limit: int
    ) -> tuple[list[tuple[str, int]], str | None]:
        """Return some keys with their time to live in milliseconds, and where to continue."""
        left: tuple[list[tuple[str, int]], str | None]
        left = await self._ask(lambda: self._scan(after, limit, "pttl"))
        return left

    async def _present(self, after: str | None) -> float:
        """Return the time of the server, or 0 if the store keeps no expired records.

        With 0 as the present time, no record has expired.
        """
        return _seconds(await self._ask(lambda: self._time(after))) if self._kept else 0.0

    async def _time(self, after: str | None) -> Any:
        if hasattr(self._client, "get_primaries"):
            await self._client.initialize()
        place = _place(self._client, after)
        return await self._client.time(**_at(place))

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
    # Escape the characters that have a special meaning in a pattern.
    begins = re.sub(r"([*?\[\]\\])", r"\\\1", prefix)
    found = {"cursor": place.cursor, "match": begins + "[0-9a-f]" * _KEY_LENGTH, "count": limit}
    return {**found, **_at(place)}


def _at(place: _Place) -> dict[str, Any]:
    return {} if place.node is None else {"target_nodes": place.node}


def _seconds(reply: Any) -> float:
    """Return the time in a reply to the command TIME.

    The reply of a cluster is a dict with a node as the key and its time as the value.
    """
    seconds, microseconds = next(iter(reply.values())) if isinstance(reply, dict) else reply
    return float(seconds) + float(microseconds) / 1_000_000


def _is_live(reply: Any, now: float) -> bool:
    """Return whether a record is live; `reply` is the server's reply to HGET or HEXISTS.

    A store that keeps expired records reads the field `about`, because this field contains the
    expiry. Other stores only ask whether this field exists.
    """
    if not isinstance(reply, bytes):
        return reply is True
    try:
        return end_in(reply) > now
    except UnreadableValue:
        return False


def _next(client: Any, place: _Place, cursor: Any) -> str | None:
    if place.node is None:
        return f" {cursor}" if cursor else None
    name, at = place.node.name, cursor[place.node.name]
    if at:
        return f"{name} {at}"
    later = [node.name for node in _masters(client) if node.name > name]
    return f"{later[0]} 0" if later else None


def _pairs(names: list[bytes], replies: Iterable[Any]) -> list[tuple[str, Any]]:
    """Return each key with its reply; leave out a key that is not a hash."""
    pairs = []
    for name, reply in zip(names, replies, strict=True):
        if isinstance(reply, ResponseError):
            continue
        if isinstance(reply, Exception):
            raise reply
        pairs.append((name[-_KEY_LENGTH:].decode(), reply))
    return pairs


def _records_in(replies: list[tuple[str, Any]], now: float) -> list[tuple[str, Record]]:
    records = []
    for key, reply in replies:
        try:
            found = record_in(reply)
        except UnreadableValue:
            continue
        if isinstance(found, Record) and found.expires_at > now:
            records.append((key, found))
    return records
