"""An optional feature of a store: to say whether a missing record has expired."""

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sessions.public_names import refusing

__all__ = ["AsyncKeepsExpired", "KeepsExpired"]


@runtime_checkable
class KeepsExpired(Protocol):
    """A store that keeps expired records until a purge, and can say that a record has expired."""

    def has_expired(self, key: str) -> bool:
        """Return whether the store still has the record of this key, and the record has expired."""
        ...


@runtime_checkable
class AsyncKeepsExpired(Protocol):
    """An asynchronous store that keeps expired records until a purge: see `KeepsExpired`."""

    async def has_expired(self, key: str) -> bool:
        """Return whether the record has expired: see `KeepsExpired.has_expired`."""
        ...


# Type checkers do not see this function, because they would then accept every name.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
