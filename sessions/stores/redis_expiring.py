"""Keep the expired records of the Redis stores for some time, and return each of them once.

Redis removes an expired key without telling anybody. So a store with `keep_expired` sets a later
expiry: the end of the session plus `keep_expired`. Each script, even the script of a load, compares
the real end with the clock of the server.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from sessions.errors import ConfigurationError, StoreUnavailable, UnreadableValue
from sessions.record import Record
from sessions.stores.base import PURGE_DELAY
from sessions.stores.expiring import Expired
from sessions.stores.redis_calls import fields_in, record_in
from sessions.stores.redis_scripts import Call, Scripts

_LONGEST = timedelta(days=30)
_LOOKED_AT = 1000
"""The number of keys that one call of a purge looks at."""
_SCRIPTS = Scripts()


class RedisExpiring(ABC):
    """Return the expired records of a Redis store, if the store keeps them."""

    purge_reads_all = True

    # Only a store that keeps expired records has these methods, so no other is an `Expiring`.
    collects_expired: bool
    has_expired: Callable[[str], bool]
    take_expired: Callable[[str], Record | None]
    purge_expired: Callable[[int], list[Expired]]

    _scripts: Scripts
    _kept: bool

    @abstractmethod
    def _reply(self, keys: tuple[str, ...], call: Call, *, is_repeatable: bool = True) -> Any:
        """Run a script on these keys, and return its reply."""

    @abstractmethod
    def _times_left(
        self, after: str | None, limit: int
    ) -> tuple[list[tuple[str, int]], str | None]:
        """Return some keys with their time to live in milliseconds, and where to continue."""

    def purge(self, limit: int) -> int:
        """Return 0: the server removes expired records itself."""
        return 0

    def _keep(self, keep_expired: object) -> None:
        self._scripts = _scripts_for(keep_expired, type(self).__name__)
        self._kept = self._scripts is not _SCRIPTS
        if self._kept:
            self.collects_expired = False
            self.has_expired, self.take_expired = self._has_expired, self._take_expired
            self.purge_expired = self._purge_expired

    def _unexpired(self, key: str) -> dict[bytes, bytes]:
        return fields_in(self._reply((key,), self._scripts.load.call()))

    def _has_expired(self, key: str) -> bool:
        """Return whether the store still has the expired record: see `KeepsExpired`."""
        return int(self._reply((key,), self._scripts.has_expired.call())) == 1

    def _take_expired(self, key: str) -> Record | None:
        """Remove and return the record if it has expired: see `Expiring`."""
        return self._take(key, 0.0)

    def _purge_expired(self, limit: int) -> list[Expired]:
        """Purge, and return the removed records: see `Expiring`."""
        taken: list[Expired] = []
        try:
            self._take_all(taken, limit)
        except StoreUnavailable:
            # The records that were removed before the failure must be returned.
            if not taken:
                raise
        return taken

    def _take_all(self, taken: list[Expired], limit: int) -> None:
        after, is_last = None, False
        while not is_last:
            left, after = self._times_left(after, _LOOKED_AT)
            for key in (key for key, time in left if time <= self._scripts.kept):
                if len(taken) >= limit:
                    return
                record = self._take(key, PURGE_DELAY)
                if record is not None:
                    taken.append((key, record))
            is_last = after is None

    def _take(self, key: str, delay: float) -> Record | None:
        call = self._scripts.take.call(repr(delay).encode())
        return _taken_in(self._reply((key,), call))


class AsyncRedisExpiring(ABC):
    """Return the expired records of an asynchronous Redis store, if the store keeps them."""

    purge_reads_all = True

    # Only a store that keeps expired records has these methods, so no other is an `Expiring`.
    collects_expired: bool
    has_expired: Callable[[str], Awaitable[bool]]
    take_expired: Callable[[str], Awaitable[Record | None]]
    purge_expired: Callable[[int], Awaitable[list[Expired]]]

    _scripts: Scripts
    _kept: bool

    @abstractmethod
    async def _reply(self, keys: tuple[str, ...], call: Call, *, is_repeatable: bool = True) -> Any:
        """Run a script on these keys, and return its reply."""

    @abstractmethod
    async def _times_left(
        self, after: str | None, limit: int
    ) -> tuple[list[tuple[str, int]], str | None]:
        """Return some keys with their time to live in milliseconds, and where to continue."""

    async def purge(self, limit: int) -> int:
        """Return 0: the server removes expired records itself."""
        return 0

    def _keep(self, keep_expired: object) -> None:
        self._scripts = _scripts_for(keep_expired, type(self).__name__)
        self._kept = self._scripts is not _SCRIPTS
        if self._kept:
            self.collects_expired = False
            self.has_expired, self.take_expired = self._has_expired, self._take_expired
            self.purge_expired = self._purge_expired

    async def _unexpired(self, key: str) -> dict[bytes, bytes]:
        return fields_in(await self._reply((key,), self._scripts.load.call()))

    async def _has_expired(self, key: str) -> bool:
        """Return whether the store still has the expired record: see `KeepsExpired`."""
        return int(await self._reply((key,), self._scripts.has_expired.call())) == 1

    async def _take_expired(self, key: str) -> Record | None:
        """Remove and return the record if it has expired: see `Expiring`."""
        return await self._take(key, 0.0)

    async def _purge_expired(self, limit: int) -> list[Expired]:
        """Purge, and return the removed records: see `Expiring`."""
        taken: list[Expired] = []
        try:
            await self._take_all(taken, limit)
        except StoreUnavailable:
            # The records that were removed before the failure must be returned.
            if not taken:
                raise
        return taken

    async def _take_all(self, taken: list[Expired], limit: int) -> None:
        after, is_last = None, False
        while not is_last:
            left, after = await self._times_left(after, _LOOKED_AT)
            for key in (key for key, time in left if time <= self._scripts.kept):
                if len(taken) >= limit:
                    return
                record = await self._take(key, PURGE_DELAY)
                if record is not None:
                    taken.append((key, record))
            is_last = after is None

    async def _take(self, key: str, delay: float) -> Record | None:
        call = self._scripts.take.call(repr(delay).encode())
        return _taken_in(await self._reply((key,), call))


def _scripts_for(keep_expired: object, owner: str) -> Scripts:
    if keep_expired is None:
        return _SCRIPTS
    if not isinstance(keep_expired, timedelta) or not timedelta(0) < keep_expired <= _LONGEST:
        raise ConfigurationError(
            f"{owner}(keep_expired={keep_expired!r}) is not a time of at most {_LONGEST.days} days."
            " Fix: give a timedelta such as timedelta(hours=2), or leave keep_expired out"
        )
    return Scripts(max(int(keep_expired / timedelta(milliseconds=1)), 1))


def _taken_in(reply: list[bytes]) -> Record | None:
    try:
        found = record_in(fields_in(reply))
    except UnreadableValue:
        return None
    return found if isinstance(found, Record) else None
