"""The documents of the MongoDB store, the filters that find them, and their updates.

A session is one document. Its `_id` is the key. Each value is a field of its own inside `values`.
`expires_at` is the exact expiry in epoch seconds. `purge_at` says when the server removes the
document. It is a date, because a TTL index reads only dates. An ended session is a document with
the field `ended`.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sessions.errors import UnreadableValue
from sessions.record import CLOCK_TOLERANCE, Changes, Ended, Grace, Record, Unchanged
from sessions.stores.base import PURGE_DELAY, REMEMBERED_FOR

Document = dict[str, Any]

KEPT_FOR = 24 * 3600.0
"""Seconds for which an expired document stays for listeners, if no purge removes it earlier."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A time near the end of the year 9999, the last year of Python's dates.
_LAST_DATE = 253_402_300_000

# The BSON types of the fields of a live document, for a filter.
_TYPES: Mapping[str, Any] = {
    "version": "number",
    "values": "object",
    "secret": "string",
    "secret_since": "number",
    "created_at": "number",
    "accessed_at": "number",
    "updated_at": "number",
    "grace": ["object", "null"],
    "timeout": ["number", "null"],
    "user_id": ["string", "null"],
}

# A name is a part of a path, in which these four characters have a special meaning.
_WRITTEN = str.maketrans({"%": "%25", ".": "%2E", "$": "%24", "\0": "%00"})


class _Earlier(msgspec.Struct):
    secret: str
    until: float


class _Stored(msgspec.Struct):
    """The fields of a document that `record_in` reads; other fields are ignored."""

    version: int
    values: dict[str, bytes]
    secret: str
    secret_since: float
    created_at: float
    accessed_at: float
    updated_at: float
    expires_at: float
    grace: _Earlier | None
    timeout: float | None
    user_id: str | None


def field(name: str) -> str:
    """Return the name of a value's field in a document: `v`, and then the name of the value.

    Because of the `v`, the name of a field is never empty and never a number.
    """
    return "v" + name.translate(_WRITTEN)


def name_of(field: str) -> str:
    """Return the name of the value that a field of a document stores."""
    if not field.startswith("v"):
        raise ValueError(f"{field!r} is not the field of a value")
    name = field[1:].replace("%00", "\0").replace("%24", "$").replace("%2E", ".")
    return name.replace("%25", "%")


def document_of(record: Record, kept: float) -> Document:
    """Return the document of a record, without `_id`.

    The server removes the document `kept` seconds after the record has expired.
    """
    grace = record.grace
    return {
        "version": record.version,
        "values": {field(name): value for name, value in record.values.items()},
        "secret": record.secret,
        "secret_since": float(record.secret_since),
        "created_at": float(record.created_at),
        "accessed_at": float(record.accessed_at),
        "updated_at": float(record.updated_at),
        "expires_at": float(record.expires_at),
        "grace": None if grace is None else {"secret": grace.secret, "until": float(grace.until)},
        "timeout": None if record.timeout is None else float(record.timeout),
        "user_id": record.user_id,
        "purge_at": date(record.expires_at + kept),
    }


def ended_at(now: float) -> Document:
    """Return the document of an ended session, without its `_id`."""
    return {"ended": now, "purge_at": date(now + REMEMBERED_FOR + PURGE_DELAY)}


def record_in(document: Mapping[str, Any] | None, now: float) -> Record | Ended | None:
    """Return the record or `Ended` in a document, or None; raise UnreadableValue for damage."""
    if document is None:
        return None
    try:
        if "ended" in document:
            ended = Ended(msgspec.convert(document["ended"], float))
            return ended if now - ended.at < REMEMBERED_FOR else None
        record = _record(document)
    except (msgspec.MsgspecError, ValueError) as error:
        raise UnreadableValue("the stored session is damaged, so a new session begins") from error
    return record if record.expires_at > now else None


def expired_in(document: Mapping[str, Any]) -> Record | None:
    """Return the record in the document of an expired session; None if it is damaged."""
    try:
        return _record(document)
    except (msgspec.MsgspecError, ValueError):
        return None


def live_in(document: Mapping[str, Any] | None, now: float) -> Record | None:
    """Return the record in a document; None if the record is missing, expired, ended or damaged."""
    try:
        found = record_in(document, now)
    except UnreadableValue:
        return None
    return found if isinstance(found, Record) else None


def live(now: float) -> Document:
    """Return the filter conditions for a live record."""
    types = {name: {"$type": kind} for name, kind in _TYPES.items()}
    return {**types, "expires_at": {"$gt": now}}


def expired(key: str, now: float) -> Document:
    """Return the filter for an expired document that no purge has taken."""
    return {"_id": key, "expires_at": {"$lte": now}, "taken": {"$exists": False}}


def exactly(document: Mapping[str, Any]) -> Document:
    """Return the filter that finds this document only if it has not changed.

    With this filter, `create` finds the damaged document that it replaces.
    """
    names = ("_id", "ended", *_TYPES, "expires_at", "purge_at")
    return {name: {"$eq": document.get(name)} for name in names}


def committable(key: str, changes: Changes, now: float) -> Document:
    """Return the filter for the document to which changes apply: see `Record.outcome_of`."""
    found = {"_id": key, **live(now)}
    secret: Document = {"secret": {"$eq": changes.secret, "$ne": changes.new_secret}}
    if changes.only_values:
        has_grace = {"grace.secret": changes.secret, "grace.until": {"$gt": now}}
        found["$or"] = [secret, has_grace]
    else:
        found["$and"] = [secret]
    for name, value in changes.expected.items():
        found[f"values.{field(name)}"] = {"$exists": False} if value is None else {"$eq": value}
    return found


def changed_by(changes: Changes, now: float, kept: float) -> list[Document]:
    """Return the stages that change a document as `Record.changed_by` does.

    All expressions of one stage read the document as it was before the stage. Texts and values are
    written as `$literal`. Without it, MongoDB would read a text that begins with a dollar sign as
    the name of a field.
    """
    return [{"$set": {**_use(changes, now, kept), **_owner(changes, now)}}, *_values(changes)]


def touched(expires_at: float, accessed_at: float, now: float, kept: float) -> list[Document]:
    """Return the stages that change a document as `Record.touched` does."""
    return [{"$set": _times(accessed_at, expires_at, now, kept, keeps_later=True)}]


def date(time: float) -> datetime:
    """Return a date for the TTL index, rounded up to milliseconds."""
    seconds = min(time, _LAST_DATE) if time > 0 else 0
    return _EPOCH + timedelta(milliseconds=math.ceil(seconds * 1000))


def _record(document: Mapping[str, Any]) -> Record:
    # Without builtin_types, msgspec would read a text as base64, as in JSON.
    stored = msgspec.convert(document, _Stored, builtin_types=(bytes,))
    values = {name_of(field): value for field, value in stored.values.items()}
    grace = None if stored.grace is None else Grace(stored.grace.secret, stored.grace.until)
    return Record(**{**msgspec.structs.asdict(stored), "values": values, "grace": grace})


def _use(changes: Changes, now: float, kept: float) -> Document:
    """Return the fields with the times and the timeout of a session after a commit."""
    names_timeout = not isinstance(changes.timeout, Unchanged)
    accessed, expires = changes.accessed_at, changes.expires_at
    new = _times(accessed, expires, now, kept, keeps_later=not names_timeout)
    is_late = _is_late(changes.accessed_at, now)
    new["updated_at"] = _if(is_late, new["updated_at"], changes.updated_at)
    if names_timeout:
        new["timeout"] = changes.timeout
    if changes.created_at is not None:
        new["created_at"] = changes.created_at
    return new


def _owner(changes: Changes, now: float) -> Document:
    """Return the fields with the user and the secret of a session after a commit."""
    new: Document = {}
    if not isinstance(changes.user_id, Unchanged):
        new["user_id"] = {"$literal": changes.user_id}
    if changes.new_secret is not None:
        until = changes.grace
        new["grace"] = None if until is None else {"secret": "$secret", "until": until}
        new["secret"] = {"$literal": changes.new_secret}
        new["secret_since"] = now
    return new


def _values(changes: Changes) -> list[Document]:
    """Return the stages of an update that change the values."""
    removed = changes.removed
    sets = {field(name): value for name, value in changes.set.items() if name not in removed}
    if changes.clear:
        return [{"$set": {"values": {"$literal": sets}}}]
    stages: list[Document] = []
    if sets:
        # A known name keeps its place, and a new name comes last.
        stages.append({"$set": {"values": {"$mergeObjects": ["$values", {"$literal": sets}]}}})
    if removed:
        stages.append({"$unset": [f"values.{field(name)}" for name in removed]})
    return stages


def _times(
    accessed: float, expires: float, now: float, kept: float, *, keeps_later: bool
) -> Document:
    """Return the fields for the times after a request, as `Record.times_after` computes them."""
    latest = now + CLOCK_TOLERANCE
    is_late = _is_late(accessed, now)
    stays: Document = is_late
    if keeps_later:
        has_later = [
            # In the order of BSON, a missing value is less than every number.
            {"$gt": ["$timeout", None]},
            {"$lte": ["$accessed_at", latest]},
            {"$gt": ["$expires_at", expires]},
        ]
        stays = {"$or": [is_late, {"$and": has_later}]}
    return {
        "created_at": _if({"$gt": ["$created_at", latest]}, now, "$created_at"),
        "updated_at": _if({"$gt": ["$updated_at", latest]}, now, "$updated_at"),
        "accessed_at": _if(is_late, "$accessed_at", accessed),
        "expires_at": _if(stays, "$expires_at", expires),
        "purge_at": _if(stays, "$purge_at", date(expires + kept)),
    }


def _is_late(accessed: float, now: float) -> Document:
    """Return the condition that the stored `accessed_at` is later than `accessed`.

    A stored time far in the future does not count, because a wrong clock has set it.
    """
    latest = now + CLOCK_TOLERANCE
    return {"$and": [{"$lte": ["$accessed_at", latest]}, {"$gt": ["$accessed_at", accessed]}]}


def _if(condition: Document, then: Any, otherwise: Any) -> Document:
    return {"$cond": [condition, then, otherwise]}
