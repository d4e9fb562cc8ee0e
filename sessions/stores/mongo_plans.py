"""The operations of the MongoDB stores as generators, for the blocking and the asynchronous store.

A plan yields the next operation, receives its answer, and returns the result of the store's method.
Each change is one operation on one document. The filter of the operation says when the change
applies. If the change did not apply, the document is read to find out why. If the document has
changed in the meantime, the operation is tried again.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple, TypeVar

from sessions.errors import StoreUnavailable, UnreadableValue
from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores import mongo_documents as documents
from sessions.stores.base import PURGE_DELAY, REMEMBERED_FOR
from sessions.stores.listing import Page
from sessions.stores.mongo_documents import Document

T = TypeVar("T")
Clock = Callable[[], float]

_ATTEMPTS = 5
_MARKED_FOR = 3600.0
"""For this number of seconds, only the purge that marked a document may remove it."""
_COUNTED = 10_000
"""The largest number of documents that one operation counts, so that it ends in time."""


class Keeping(NamedTuple):
    """How a store keeps its documents.

    The TTL index removes an expired document `kept` seconds after its end. If the store `collects`
    expired documents, only a purge or `take_expired` removes them before this time.
    """

    clock: Clock
    kept: float
    collects: bool


class Ask(NamedTuple):
    """One operation on the collection: a method of pymongo and its arguments.

    The answer is the result of the method. For `find` and `aggregate`, it is a list. For an insert,
    it is None if a document has the key already. If `is_repeatable`, the operation is tried again
    after a lost reply.
    """

    verb: str
    arguments: tuple[Any, ...]
    options: Mapping[str, Any] = {}
    is_repeatable: bool = True


Plan = Generator[Ask, Any, T]


def load(key: str, clock: Clock) -> Plan[Record | Ended | None]:
    """Read one document."""
    document = yield _find(key)
    return documents.record_in(document, clock())


def create(key: str, record: Record, keeping: Keeping) -> Plan[bool]:
    """Insert a document, unless a live document has the key."""
    document, clock = documents.document_of(record, keeping.kept), keeping.clock
    for _ in range(_ATTEMPTS):
        free = {"_id": key, "$nor": [documents.live(clock())]}
        if (yield Ask("replace_one", (free, document), {"upsert": True})) is not None:
            return True
        found = yield _find(key)
        there = documents.live_in(found, clock())
        if there is not None:
            return there.secret == record.secret
        if found is not None and _is_damaged(found, clock()):
            # The damage is inside a value, which a filter cannot see.
            reply = yield Ask("replace_one", (documents.exactly(found), document))
            if reply.matched_count:
                return True
    raise _too_busy(key)


def commit(key: str, changes: Changes, keeping: Keeping) -> Plan[Outcome]:
    """Change the live document; return whether the changes were applied, or why not."""
    clock, kept = keeping.clock, keeping.kept
    for _ in range(_ATTEMPTS):
        now = clock()
        which = documents.committable(key, changes, now)
        stages = documents.changed_by(changes, now, kept)
        reply = yield Ask("update_one", (which, stages), is_repeatable=not changes.expected)
        # This reads matched_count, because a commit can succeed and modify nothing.
        if reply.matched_count:
            return Outcome.APPLIED
        found = documents.live_in((yield _find(key)), clock())
        if found is None:
            return Outcome.GONE
        outcome = found.outcome_of(changes, clock())
        if outcome is not Outcome.APPLIED or found.secret == changes.new_secret:
            return outcome
    raise _too_busy(key)


def touch(
    key: str, secret: str, expires_at: float, accessed_at: float, keeping: Keeping
) -> Plan[bool]:
    """Change the times of the live document."""
    now = keeping.clock()
    which = {"_id": key, **documents.live(now), "secret": secret}
    stages = documents.touched(expires_at, accessed_at, now, keeping.kept)
    reply = yield Ask("update_one", (which, stages))
    return bool(reply.matched_count)


def delete(key: str, user_id: str | None, keeping: Keeping) -> Plan[bool]:
    """Replace the live document by a document that says when it ended."""
    now = keeping.clock()
    which = {"_id": key, **documents.live(now)}
    if user_id is not None:
        which["user_id"] = user_id
    reply = yield Ask("replace_one", (which, documents.ended_at(now)))
    if reply.matched_count:
        return True
    if user_id is None:
        # Remove an expired or damaged document too, because it has the user's data.
        dead = {"_id": key, "ended": {"$exists": False}, "$nor": [documents.live(now)]}
        if keeping.collects:
            dead["expires_at"] = {"$not": {"$lte": now}}
        yield Ask("delete_one", (dead,))
    return False


def remove_expired(limit: int, keeping: Keeping) -> Plan[int]:
    """Remove some documents of expired sessions; return how many."""
    which = _over(keeping)
    found = yield Ask("find", (which, {"_id": True}), {"limit": limit})
    return (yield from _remove(which, found))


def has_expired(key: str, clock: Clock) -> Plan[bool]:
    """Return whether the collection still has an expired document with this key."""
    which = documents.expired(key, clock())
    return (yield Ask("find_one", (which, {"_id": True}))) is not None


def take_expired(key: str, clock: Clock) -> Plan[Record | None]:
    """Remove an expired document; the server returns it to the one call that removed it."""
    document = yield Ask("find_one_and_delete", (documents.expired(key, clock()),))
    return None if document is None else documents.expired_in(document)


def mark_some(mark: str, limit: int, keeping: Keeping) -> Plan[list[Document]]:
    """Mark some documents of expired sessions for this call alone, and return them.

    When the server removes several documents at once, its reply does not name them. So a purge
    marks the documents first. A document has only one mark. If a purge is interrupted, a later
    purge removes the documents that the interrupted purge has marked.
    """
    which = _over(keeping)
    found: list[Document] = yield Ask("find", (which,), {"limit": limit})
    if not found:
        return []
    which["_id"] = {"$in": [document["_id"] for document in found]}
    until = documents.date(keeping.clock() + _MARKED_FOR)
    reply = yield Ask("update_many", (which, {"$set": {"taken": mark, "purge_at": until}}))
    if reply.matched_count != len(found):
        found = yield Ask("find", ({"_id": which["_id"], "taken": mark},))
    return found


def remove_marked(mark: str, marked: list[Document]) -> Plan[None]:
    """Remove the documents that a call has marked."""
    ids = [document["_id"] for document in marked]
    yield Ask("delete_many", ({"_id": {"$in": ids}, "taken": mark},))


def remove_taken(limit: int, clock: Clock) -> Plan[int]:
    """Remove some documents that an interrupted purge has left; return how many."""
    which = {"purge_at": {"$lte": documents.date(clock())}, "taken": {"$exists": True}}
    found = yield Ask("find", (which, {"_id": True}), {"limit": limit})
    return (yield from _remove(which, found))


def remove_ended(limit: int, clock: Clock) -> Plan[int]:
    """Remove some documents of sessions that ended long ago; return how many."""
    now = clock()
    # With the condition on the date, the server can use the index.
    which = {
        "purge_at": {"$lte": documents.date(now)},
        "ended": {"$lt": now - REMEMBERED_FOR - PURGE_DELAY},
    }
    found = yield Ask("find", (which, {"_id": True}), {"limit": limit})
    return (yield from _remove(which, found))


def count(after: str, clock: Clock) -> Plan[tuple[int, str | None]]:
    """Count some live documents; return their number, and the key after which to continue."""
    some = {"_id": {"$gt": after}, **documents.live(clock())}
    group = {"_id": None, "count": {"$sum": 1}, "last": {"$max": "$_id"}}
    stages = [{"$match": some}, {"$sort": {"_id": 1}}, {"$limit": _COUNTED}, {"$group": group}]
    groups = yield Ask("aggregate", (stages,))
    count = int(groups[0]["count"]) if groups else 0
    return count, groups[0]["last"] if count == _COUNTED else None


def page(after: str | None, limit: int, clock: Clock) -> Plan[Page]:
    """Read the next live documents in the order of their keys."""
    now = clock()
    which = {"_id": {"$gt": after or ""}, **documents.live(now)}
    found = yield Ask("find", (which,), {"sort": [("_id", 1)], "limit": limit})
    records = [
        (document["_id"], record)
        for document in found
        if (record := documents.live_in(document, now)) is not None
    ]
    return Page(records, found[-1]["_id"] if len(found) == limit else None)


def create_index() -> Plan[None]:
    """Create the index on `purge_at`: the server removes a document when this time has passed."""
    yield Ask("create_index", ("purge_at",), {"expireAfterSeconds": 0})


def _over(keeping: Keeping) -> dict[str, Any]:
    """Return the filter for documents that a purge removes."""
    before = keeping.clock() - PURGE_DELAY
    return {
        # With the condition on the date, the server can use the index.
        "purge_at": {"$lte": documents.date(before + keeping.kept)},
        "expires_at": {"$lt": before},
        "taken": {"$exists": False},
    }


def _remove(which: Mapping[str, Any], found: list[Document]) -> Plan[int]:
    if not found:
        return 0
    ids = {"_id": {"$in": [document["_id"] for document in found]}}
    reply = yield Ask("delete_many", ({**which, **ids},))
    return int(reply.deleted_count)


def _find(key: str) -> Ask:
    return Ask("find_one", ({"_id": key},))


def _is_damaged(document: Mapping[str, Any], now: float) -> bool:
    try:
        documents.record_in(document, now)
    except UnreadableValue:
        return True
    return False


def _too_busy(key: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"the session with the key {key!r} was changed by other requests {_ATTEMPTS} times during"
        " one call"
    )
