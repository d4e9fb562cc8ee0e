"""The store contract: the methods that a new store implements, and the rules for them."""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from math import isfinite
from urllib.parse import SplitResult, urlsplit

from sessions.errors import ConfigurationError
from sessions.record import Changes, Ended, Outcome, Record

__all__ = [
    "CALL_DEADLINE",
    "PURGE_BATCH",
    "PURGE_DELAY",
    "REMEMBERED_FOR",
    "AsyncStore",
    "Outcome",
    "Store",
    "check_clock",
    "split_url",
    "wall_clock",
    "without_password",
]

CALL_DEADLINE = 0.4
"""Seconds for which one call may wait for its server, with all retries."""

REMEMBERED_FOR = 60.0
"""Seconds for which a store remembers that a session was ended."""

PURGE_DELAY = 60.0
"""Seconds for which an expired record stays, because the clocks of two machines may differ."""

PURGE_BATCH = 200
"""The largest number of records that one transaction of a purge removes."""


def wall_clock() -> float:
    """Return the present time in UTC epoch seconds; a test may replace `time.time`."""
    return time.time()


def check_clock(clock: object, owner: str) -> None:
    """Raise ConfigurationError if the clock does not return a number of seconds."""
    now = clock() if callable(clock) else None
    if isinstance(now, bool) or not isinstance(now, int | float) or not isfinite(now):
        raise ConfigurationError(
            f"{owner}(clock={clock!r}) does not return a time. Fix: give a function that returns"
            " epoch seconds, such as time.time"
        )


def split_url(url: object) -> SplitResult:
    """Return the parts of a URL, or empty parts if it is no URL."""
    try:
        return urlsplit(url) if isinstance(url, str) else urlsplit("")
    except ValueError:
        return urlsplit("")


def without_password(url: object) -> str:
    """Return the URL of a server as messages show it: without user, password and options."""
    scheme, found, rest = str(url).partition("://")
    if not found:
        return "***" if "@" in scheme else scheme
    place = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in rest.removeprefix(place):
        # An unescaped character hides where the password ends, so nothing more is shown.
        return f"{scheme}://***"
    shown, options, _ = rest.partition("?")
    if "@" in place:
        shown = f"***@{shown.rpartition('@')[2]}"
    return f"{scheme}://{shown}?..." if options else f"{scheme}://{shown}"


class Store(ABC):
    """Keep records under keys.

    A key is the hash of a session's lineage (the part of its id that never changes), and never an
    id. A secret is the hash of an id. Values are encoded bytes, never objects. A record exists from
    its `create` until its `delete`, or until the time `expires_at`. From that time on, every method
    acts as if there were no record, even if its bytes are still stored.

    If there is no record, a method returns a value that says so. An exception means that the store
    is broken. Raise StoreUnavailable from the exception of the driver, within CALL_DEADLINE
    seconds, and leave the records unchanged. Many threads call the methods at the same time, and
    each call is atomic. Neither the store nor its caller changes a record in place.
    """

    clock: Callable[[], float] = staticmethod(wall_clock)
    """A function that returns UTC epoch seconds; a SessionContainer with its own clock sets it."""

    in_place: bool = False
    """Whether every call returns at once, so that an event loop can call it without a thread."""

    @abstractmethod
    def load(self, key: str) -> Record | Ended | None:
        """Return the record, None if there is no record, or Ended if it was deleted a short time
        ago.

        A short time is REMEMBERED_FOR seconds. If a record exists but is damaged, raise
        UnreadableValue. All other methods act as if a damaged record did not exist, and `delete`
        without a user removes it. Only `load` decodes the values, so the other methods do not have
        to find damage inside of a value.
        """

    @abstractmethod
    def create(self, key: str, record: Record) -> bool:
        """Store a new record; return False, and change nothing, if a live record has the key.

        But return True if the live record has the same secret as the new record, because then an
        earlier call has stored the record, and only the reply was lost. The record is also created
        if `load` returns `Ended` for the key.
        """

    @abstractmethod
    def commit(self, key: str, changes: Changes) -> Outcome:
        """Apply all changes to the present record, or none of them.

        Check these cases in this order. Return GONE if there is no record: a commit never creates
        one. If the record already has `changes.new_secret`, return APPLIED and change nothing: an
        earlier call has applied the changes, and only the reply was lost. Return SUPERSEDED if
        `changes.secret` is not the secret of the record. If only values change, `changes.secret`
        may also be the earlier secret in `Record.grace`, as long as the grace lasts. Return
        CONFLICT if a value in the record differs from its value in `changes.expected`, where None
        means that there is no value. In all other cases, store the record that `Record.changed_by`
        returns, and return APPLIED.

        Keep every value that the changes neither set nor remove, even if another request has
        written the value. Only `changes.clear` drops all values. The names keep the order in which
        they were first set.
        """

    @abstractmethod
    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        """Store the times of a use, as `Record.touched` computes them, and nothing else.

        Return False if there is no record, or if the record has another secret.
        """

    @abstractmethod
    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        """End the record; return whether there was a live record.

        With `user_id`, end the record only if it has this user, and check this in the same atomic
        step. Remove all data of the record, but keep an `Ended` for REMEMBERED_FOR seconds. A
        second call changes nothing.
        """

    @abstractmethod
    def purge(self, limit: int) -> int:
        """Remove at most `limit` records that expired more than PURGE_DELAY seconds ago.

        Return the number of removed records. Use transactions of at most PURGE_BATCH records. Check
        `expires_at` again in the statement that deletes, because a request possibly extended the
        record in the meantime. Do nothing if the server removes expired records itself.
        """

    # Most stores have nothing to close.
    def close(self) -> None:  # noqa: B027
        """Close the connections; a later call opens them again."""


class AsyncStore(ABC):
    """Keep records under keys, without blocking an event loop.

    The contract is the same as for `Store`, but the methods are coroutines. If a call is cancelled,
    its work is done completely, or not at all.
    """

    clock: Callable[[], float] = staticmethod(wall_clock)
    """A function that returns UTC epoch seconds; a SessionContainer with its own clock sets it."""

    @abstractmethod
    async def load(self, key: str) -> Record | Ended | None:
        """Return the record, None, or Ended: see `Store.load`."""

    @abstractmethod
    async def create(self, key: str, record: Record) -> bool:
        """Store a new record: see `Store.create`."""

    @abstractmethod
    async def commit(self, key: str, changes: Changes) -> Outcome:
        """Apply all changes to the present record, or none: see `Store.commit`."""

    @abstractmethod
    async def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        """Store the times of a use: see `Store.touch`."""

    @abstractmethod
    async def delete(self, key: str, *, user_id: str | None = None) -> bool:
        """End the record: see `Store.delete`."""

    @abstractmethod
    async def purge(self, limit: int) -> int:
        """Remove records that expired: see `Store.purge`."""

    # Most stores have nothing to close.
    async def close(self) -> None:  # noqa: B027
        """Close the connections; a later call opens them again."""
