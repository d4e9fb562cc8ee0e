"""The contract between sessions and the places where their records live."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum

from sessions.record import Changes, Record

CALL_DEADLINE = 0.4
"""Seconds that one call may wait for its server, retries included."""


class Outcome(Enum):
    """Tell what a commit did."""

    APPLIED = "applied"
    GONE = "gone"
    CONFLICT = "conflict"


class Store(ABC):
    """Keep records under keys.

    A key is `storage_key(id)`, never an id; values are encoded bytes, never objects. A record is
    there from its `create` until its `delete` or until `expires_at`: at that very moment it is
    absent, for every method, whether or not its bytes have been removed.

    Absence is a value. An exception means that the store is broken: raise StoreUnavailable from
    whatever the driver raised, within CALL_DEADLINE seconds, and leave the records as they were.
    All methods are called from many threads at once.
    """

    clock: Callable[[], float] = staticmethod(time.time)
    """The present in UTC epoch seconds; a container with a clock of its own sets it here."""

    @abstractmethod
    def load(self, key: str) -> Record | None:
        """Return the record, or None if there is none.

        What the caller does to the returned record changes nothing in the store.
        """

    @abstractmethod
    def create(self, key: str, record: Record) -> bool:
        """Keep a new record; return False, and change nothing, if the key is taken.

        Atomic: of many parallel calls for one key, one returns True.
        """

    @abstractmethod
    def commit(self, key: str, changes: Changes) -> Outcome:
        """Apply the changes to the record that is there now, all of them or none.

        Values that the changes do not name stay as they are, whoever wrote them; the `expires_at`
        of a record with a timeout of its own stays if it is later, unless the changes name a
        `timeout`. GONE if there is no record: never
        create one. CONFLICT if a value in `changes.expected` is no longer what it says (None:
        absent). Atomic against every other method.
        """

    @abstractmethod
    def touch(self, key: str, expires_at: float, accessed_at: float) -> bool:
        """Set the two times and nothing else; return False if there is no record.

        The `expires_at` of a record with a timeout of its own stays if it is later: a slow reader,
        who has not seen that timeout, must not end the session early.
        """

    @abstractmethod
    def delete(self, key: str) -> bool:
        """Remove the record; return whether there was one."""

    @abstractmethod
    def rename(self, key: str, new_key: str) -> bool:
        """Move the record as it is now; return False if there is none or the new key is taken.

        Of two parallel calls for one key, one returns True. Where the server cannot do it
        atomically the old key dies first: never two live keys.
        """

    @abstractmethod
    def purge(self, limit: int) -> int:
        """Remove at most `limit` expired records and return how many.

        Do nothing where the server removes them itself.
        """
