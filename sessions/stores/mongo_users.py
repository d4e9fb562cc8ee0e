"""The index of users of the MongoDB stores: a document for each entry, beside the sessions.

The `_id` of an entry is `user:`, the hash of the user, and the key of the session. The TTL index of
the sessions removes entries whose time is over. A purge removes the entries of ended
sessions.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import islice
from typing import Any, TypeVar

from sessions.errors import StoreUnavailable
from sessions.stores import mongo_documents as documents
from sessions.stores.base import REMEMBERED_FOR
from sessions.stores.mongo_plans import Ask, Clock, Keeping, Plan
from sessions.stores.user_index import hash_of_user

T = TypeVar("T")

_ATTEMPTS = 5
_AGAIN = 3600.0
"""Seconds after which a purge looks again at an entry whose session still exists."""
_ENTRIES = 200
"""The largest number of entries that one operation removes."""
_ALL: Mapping[str, Any] = {"$gte": "user:", "$lt": "user;"}


class MongoUsers(ABC):
    """Keep the index of users in MongoDB."""

    @property
    @abstractmethod
    def _keeping(self) -> Keeping:
        """Return how the store keeps its documents."""

    @abstractmethod
    def _run(self, plan: Plan[T], *, deadline: float | None = None) -> T:
        """Run the operations of a plan, and return its result: see `mongo_plans`."""

    def add_to_user(self, user_id: str, key: str, until: float) -> None:
        """Add an entry: see `UserIndex.add_to_user`."""
        self._run(_add(user_id, key, until, self._keeping))

    def keys_of_user(self, user_id: str) -> dict[str, float]:
        """Return the keys of the user: see `UserIndex.keys_of_user`."""
        return self._run(_keys(user_id))

    def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        """Remove entries: see `UserIndex.remove_from_user`."""
        self._run(_remove(user_id, entries))


class AsyncMongoUsers(ABC):
    """Keep the index of users in MongoDB, on an event loop."""

    @property
    @abstractmethod
    def _keeping(self) -> Keeping:
        """Return how the store keeps its documents."""

    @abstractmethod
    async def _run(self, plan: Plan[T], *, deadline: float | None = None) -> T:
        """Run the operations of a plan, and return its result: see `mongo_plans`."""

    async def add_to_user(self, user_id: str, key: str, until: float) -> None:
        """Add an entry: see `UserIndex.add_to_user`."""
        await self._run(_add(user_id, key, until, self._keeping))

    async def keys_of_user(self, user_id: str) -> dict[str, float]:
        """Return the keys of the user: see `UserIndex.keys_of_user`."""
        return await self._run(_keys(user_id))

    async def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        """Remove entries: see `UserIndex.remove_from_user`."""
        await self._run(_remove(user_id, entries))


def remove_dead_entries(limit: int, clock: Clock) -> Plan[int]:
    """Check some entries, and remove those without a session; return how many were checked.

    An entry is checked only after its time `check_at`.
    """
    now = clock()
    due = {"_id": _ALL, "check_at": {"$lt": now}}
    found = yield Ask("find", (due,), {"limit": limit})
    if not found:
        return 0
    sessions = [_key_in(entry) for entry in found]
    there = yield Ask("find", ({"_id": {"$in": sessions}}, {"_id": True}))
    known = {session["_id"] for session in there}
    dead = [e["_id"] for e in found if _key_in(e) not in known or e["until"] < now]
    live = [entry["_id"] for entry in found if entry["_id"] not in set(dead)]
    if dead:
        # An entry that a sign-in has made again must stay.
        yield Ask("delete_many", ({"_id": {"$in": dead}, "check_at": {"$lt": now}},))
    if live:
        later = {"$max": {"check_at": now + _AGAIN}}
        yield Ask("update_many", ({"_id": {"$in": live}}, later))
    return len(found)


def _add(user_id: str, key: str, until: float, keeping: Keeping) -> Plan[None]:
    times = {
        "until": float(until),
        "check_at": keeping.clock() + 2 * REMEMBERED_FOR,
        "purge_at": documents.date(until + keeping.kept),
    }
    for _ in range(_ATTEMPTS):
        which = {"_id": _prefix(user_id) + key}
        # None means that another call has made the entry at the same moment.
        if (yield Ask("update_one", (which, {"$max": times}), {"upsert": True})) is not None:
            return
    raise StoreUnavailable(
        "the index of users could not be changed, because other requests changed the same entry"
        f" {_ATTEMPTS} times during the call"
    )


def _keys(user_id: str) -> Plan[dict[str, float]]:
    prefix = _prefix(user_id)
    which = {"_id": {"$gte": prefix, "$lt": f"{prefix[:-1]};"}}
    found = yield Ask("find", (which, {"until": True}))
    return {_key_in(entry): float(entry["until"]) for entry in found}


def _remove(user_id: str, entries: Mapping[str, float]) -> Plan[None]:
    prefix, left = _prefix(user_id), iter(entries.items())
    while some := list(islice(left, _ENTRIES)):
        which = [{"_id": prefix + key, "until": {"$lte": until}} for key, until in some]
        yield Ask("delete_many", ({"$or": which},))


def _prefix(user_id: str) -> str:
    return f"user:{hash_of_user(user_id)}:"


def _key_in(entry: Mapping[str, Any]) -> str:
    key: str = entry["_id"].split(":", 2)[2]
    return key
