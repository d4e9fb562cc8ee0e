"""The operations of the MongoDB stores as generators, for the blocking and the asynchronous store.

A plan yields the next operation, is sent its answer, and returns the result of the store's method.
Each change is one operation on one document, whose filter says when it applies. If it did not
apply, the document is read to find out why. If the document has changed in the meantime, the
operation is tried again.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple, TypeVar

from sessions.errors import StoreUnavailable, UnreadableValue
from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores import mongo_documents as documents
from sessions.stores.base import PURGE_DELAY, REMEMBERED_FOR
from sessions.stores.listing import Page

T = TypeVar("T")
Clock = Callable[[], float]

_ATTEMPTS = 5
_COUNTED = 10_000
"""The largest number of documents that one operation counts, so that it ends in time."""


class Ask(NamedTuple):
    """One operation on the collection: a method of pymongo and its arguments.

    The answer is the result of the method, a list for `find` and `aggregate`, and None for an
    insert if a document has the key already. If `is_repeatable`, the operation is tried again after
    a lost reply.
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


def create(key: str, record: Record, clock: Clock) -> Plan[bool]:
    """Insert a document, unless a live document has the key."""
    document = documents.document_of(record)
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


def commit(key: str, changes: Changes, clock: Clock) -> Plan[Outcome]:
    """Change the live document."""
    for _ in range(_ATTEMPTS):
        now = clock()
        which, stages = documents.committable(key, changes, now), documents.changed_by(changes, now)
        reply = yield Ask("update_one", (which, stages), is_repeatable=not changes.expected)
        # This reads matched_count, because a commit may apply without a modification.
        if reply.matched_count:
            return Outcome.APPLIED
        found = documents.live_in((yield _find(key)), clock())
        if found is None:
            return Outcome.GONE
        outcome = found.outcome_of(changes, clock())
        if outcome is not Outcome.APPLIED or found.secret == changes.new_secret:
            return outcome
    raise _too_busy(key)


def touch(key: str, secret: str, expires_at: float, accessed_at: float, clock: Clock) -> Plan[bool]:
    """Change the times of the live document."""
    now = clock()
    which = {"_id": key, **documents.live(now), "secret": secret}
    stages = documents.touched(expires_at, accessed_at, now)
    reply = yield Ask("update_one", (which, stages))
    return bool(reply.matched_count)


def delete(key: str, user_id: str | None, clock: Clock) -> Plan[bool]:
    """Replace the live document by a document that says when it ended."""
    now = clock()
    which = {"_id": key, **documents.live(now)}
    if user_id is not None:
        which["user_id"] = user_id
    reply = yield Ask("replace_one", (which, documents.ended_at(now)))
    if reply.matched_count:
        return True
    if user_id is None:
        # Remove an expired or damaged document too, because it has the user's data.
        dead = {"_id": key, "ended": {"$exists": False}, "$nor": [documents.live(now)]}
        yield Ask("delete_one", (dead,))
    return False


def remove_expired(limit: int, clock: Clock) -> Plan[int]:
    """Remove some documents of expired sessions; return how many."""
    before = clock() - PURGE_DELAY
    return _remove({"expires_at": {"$lt": before}}, limit, before + PURGE_DELAY)


def remove_ended(limit: int, clock: Clock) -> Plan[int]:
    """Remove some documents of sessions that ended long ago; return how many."""
    before = clock() - REMEMBERED_FOR - PURGE_DELAY
    return _remove({"ended": {"$lt": before}}, limit, clock())


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
    """Create the index with which the server removes documents."""
    yield Ask("create_index", ("purge_at",), {"expireAfterSeconds": 0})


def _remove(over: Mapping[str, Any], limit: int, now: float) -> Plan[int]:
    # The condition on the date is there to use the index.
    which = {"purge_at": {"$lte": documents.date(now)}, **over}
    found = yield Ask("find", (which, {"_id": True}), {"limit": limit})
    if not found:
        return 0
    which["_id"] = {"$in": [document["_id"] for document in found]}
    reply = yield Ask("delete_many", (which,))
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
