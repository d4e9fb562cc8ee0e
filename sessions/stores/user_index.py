"""An optional feature of a store: an index of the sessions of each user.

An entry of a user has the key of a session, and the latest time at which the session can end. An
entry says only that the session *possibly* belongs to the user; the record of the session says to
whom it belongs. So an entry does not change if the session gets another expiry or another user. It
does not change with a new id either, because the key of the session stays the same.
"""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sessions.public_names import refusing
from sessions.record import Changes, Outcome, Record

__all__ = ["AsyncStoresSignIns", "AsyncUserIndex", "StoresSignIns", "UserIndex", "hash_of_user"]


@runtime_checkable
class UserIndex(Protocol):
    """Keep, for each user, the keys of the sessions that possibly belong to the user.

    An entry whose time is over is removed, at the latest by the next `purge`. Two stores with
    different prefixes have different indexes. A broken store raises StoreUnavailable.
    """

    def add_to_user(self, user_id: str, key: str, until: float) -> None:
        """Add the key to the user, whether its record exists already or not.

        The entry stays at least until the time `until` (epoch seconds), unless `remove_from_user`
        removes it. If the user has the key already, the later of the two times counts.
        """

    def keys_of_user(self, user_id: str) -> Mapping[str, float]:
        """Return the keys of the user, each with its time; empty for an unknown user."""
        ...

    def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        """Remove these entries, as `keys_of_user` returned them, and leave all others.

        An entry stays if its time has become later, because a sign-in has added the key again.
        """


@runtime_checkable
class AsyncUserIndex(Protocol):
    """Keep the keys of the sessions of each user, without blocking: see `UserIndex`."""

    async def add_to_user(self, user_id: str, key: str, until: float) -> None:
        """Add the key to the user: see `UserIndex.add_to_user`."""

    async def keys_of_user(self, user_id: str) -> Mapping[str, float]:
        """Return the keys of the user: see `UserIndex.keys_of_user`."""
        ...

    async def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        """Remove these entries: see `UserIndex.remove_from_user`."""


@runtime_checkable
class StoresSignIns(UserIndex, Protocol):
    """An index with two optional methods, which add a sign-in to the index and also store it.

    Without these methods, a sign-in needs two calls: `add_to_user`, and then `create` or `commit`.
    """

    def create_sign_in(self, user_id: str, key: str, record: Record, until: float) -> bool:
        """Add the key as `add_to_user` does, and then create the record.

        Return what `create` returns. If the key cannot be added, no record is created.
        """
        ...

    def commit_sign_in(self, user_id: str, key: str, changes: Changes, until: float) -> Outcome:
        """Add the key as `add_to_user` does, and then commit the changes.

        Return what `commit` returns. If the key cannot be added, nothing is committed.
        """
        ...


@runtime_checkable
class AsyncStoresSignIns(AsyncUserIndex, Protocol):
    """Add a sign-in and store it in one call, without blocking: see `StoresSignIns`."""

    async def create_sign_in(self, user_id: str, key: str, record: Record, until: float) -> bool:
        """Add the key, and create the record: see `StoresSignIns.create_sign_in`."""
        ...

    async def commit_sign_in(
        self, user_id: str, key: str, changes: Changes, until: float
    ) -> Outcome:
        """Add the key, and commit the changes: see `StoresSignIns.commit_sign_in`."""
        ...


def hash_of_user(user_id: str) -> str:
    """Return the name of a user in the index: the hash of the user id, as 64 hexadecimal digits."""
    return hashlib.sha256(user_id.encode(errors="surrogatepass")).hexdigest()


# Type checkers do not see this function, because they would then accept every name.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
