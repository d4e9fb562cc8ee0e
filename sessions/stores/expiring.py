"""An optional feature of a store: to give out (remove and return) its expired records."""

from typing import Protocol, runtime_checkable

from sessions.record import Record

__all__ = ["AsyncExpiring", "Expiring"]

Expired = tuple[str, Record]
"""A key, and the expired record that was removed under this key."""


@runtime_checkable
class Expiring(Protocol):
    """A store that returns each expired record exactly once, so that each end is reported once.

    If the store has an attribute `purge_reads_all` that is true, a purge looks at every record.
    This is slow, so the creation of a session never calls a purge.
    """

    collects_expired: bool
    """With True, the store removes expired records only in these two methods, and in a `create`
    that finds an expired record under its key. A session manager sets this attribute if its
    container has listeners."""

    def take_expired(self, key: str) -> Record | None:
        """If the record has expired, remove and return the record in one step; else return None."""
        ...

    def purge_expired(self, limit: int) -> list[Expired]:
        """Do what `purge` does, and return the removed records, each with its key.

        A damaged record is not returned, whether it is removed or left. The key of a session has 64
        hexadecimal digits; the store does not have to remove records with other keys.
        """
        ...


@runtime_checkable
class AsyncExpiring(Protocol):
    """An asynchronous store that returns each expired record once: see `Expiring`."""

    collects_expired: bool
    """See `Expiring`."""

    async def take_expired(self, key: str) -> Record | None:
        """Remove the record if it has expired, and return it: see `Expiring`."""
        ...

    async def purge_expired(self, limit: int) -> list[Expired]:
        """Purge, and return the removed records: see `Expiring`."""
        ...
