"""The store contract: the methods that a new store implements, and their laws."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from math import isfinite

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
    "wall_clock",
]

CALL_DEADLINE = 0.4
"""Seconds that one call may wait for its server, retries included."""

REMEMBERED_FOR = 60.0
"""Seconds for which a store remembers that a session was ended."""

PURGE_DELAY = 60.0
"""Seconds for which an expired record stays, so that two clocks need not agree to the second."""

PURGE_BATCH = 200
"""Records that one transaction of a purge removes at most."""


def wall_clock() -> float:
    """Return the present in UTC epoch seconds; tests that freeze `time.time` freeze it too."""
    return time.time()


def check_clock(clock: object, owner: str) -> None:
    """Refuse what does not tell the time; raise ConfigurationError."""
    now = clock() if callable(clock) else None
    if isinstance(now, bool) or not isinstance(now, int | float) or not isfinite(now):
        raise ConfigurationError(
            f"{owner}(clock={clock!r}) does not tell the time; give a function that returns"
            " epoch seconds, such as time.time"
        )


class Store(ABC):
    """Keep records under keys.

    A key is the hash of a session's lineage, never an id; a secret is the hash of an id; values are
    encoded bytes, never objects. A record is there from its `create` until its `delete` or until
    `expires_at`: at that very moment it is absent, for every method, whether or not its bytes have
    been removed.

    Absence is a value. An exception means that the store is broken: raise StoreUnavailable from
    whatever the driver raised, within CALL_DEADLINE seconds, and leave the records as they were.
    All methods are called from many threads at once, and each is atomic against every other one.
    Nobody changes a record in place: neither the store nor its caller.
    """

    clock: Callable[[], float] = staticmethod(wall_clock)
    """The present in UTC epoch seconds; a container with a clock of its own sets it here."""

    in_place: bool = False
    """Whether every call returns at once, so that an event loop need not wait in a thread."""

    @abstractmethod
    def load(self, key: str) -> Record | Ended | None:
        """Return the record, None if there is none, or Ended if it was deleted a short time ago.

        A short time is REMEMBERED_FOR seconds. Raise UnreadableValue for a record that is there and
        damaged; for every other method a damaged record is none.
        """

    @abstractmethod
    def create(self, key: str, record: Record) -> bool:
        """Keep a new record; return False, and change nothing, if a live record has the key.

        Return True if the record that is there has this very secret: the reply to an earlier call
        was lost. An `Ended` is no obstacle.
        """

    @abstractmethod
    def commit(self, key: str, changes: Changes) -> Outcome:
        """Apply the changes to the record that is there now, all of them or none.

        GONE if there is no record: never create one. SUPERSEDED if its secret is not
        `changes.secret`, nor, for a change of values alone, its live grace secret. CONFLICT if a
        value named in `changes.expected` is no longer what it says (None: absent). Else APPLIED:
        `Record.changed_by` says what is left behind. A record that has `changes.new_secret` already
        is APPLIED, and nothing is applied twice: the reply to an earlier call was lost.

        Values that the changes do not name stay as they are, whoever wrote them, unless
        `changes.clear` drops them all; names keep the order in which they were first set.
        """

    @abstractmethod
    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        """Note a use: times only, as `Record.touched` says.

        Return False if there is no record, or if its secret is another.
        """

    @abstractmethod
    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        """End the record; return whether a live one was ended.

        With `user_id` only if that is its user, in the same step. An `Ended` stays for
        REMEMBERED_FOR seconds, and no data. Idempotent.
        """

    @abstractmethod
    def purge(self, limit: int) -> int:
        """Remove at most `limit` records that expired more than PURGE_DELAY seconds ago.

        Return how many. Do it in transactions of PURGE_BATCH records, and repeat the condition
        where they are deleted: a record may come to life again in between. Do nothing where the
        server removes them itself.
        """

    # Most stores hold nothing open.
    def close(self) -> None:  # noqa: B027
        """Let go of connections; a later call opens them again."""


class AsyncStore(ABC):
    """Keep records under keys, without blocking an event loop.

    The same contract as `Store`, word for word; its methods are coroutines. A call that is
    cancelled may have been carried out or not.
    """

    clock: Callable[[], float] = staticmethod(wall_clock)
    """The present in UTC epoch seconds; a container with a clock of its own sets it here."""

    @abstractmethod
    async def load(self, key: str) -> Record | Ended | None:
        """Return the record, None, or Ended: see `Store.load`."""

    @abstractmethod
    async def create(self, key: str, record: Record) -> bool:
        """Keep a new record: see `Store.create`."""

    @abstractmethod
    async def commit(self, key: str, changes: Changes) -> Outcome:
        """Apply the changes to the record that is there now: see `Store.commit`."""

    @abstractmethod
    async def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        """Note a use: see `Store.touch`."""

    @abstractmethod
    async def delete(self, key: str, *, user_id: str | None = None) -> bool:
        """End the record: see `Store.delete`."""

    @abstractmethod
    async def purge(self, limit: int) -> int:
        """Remove records that expired: see `Store.purge`."""

    # Most stores hold nothing open.
    async def close(self) -> None:  # noqa: B027
        """Let go of connections; a later call opens them again."""
