"""Convert records to rows of the SQLite store, and rows to records."""

from itertools import product
from typing import Any, Final

import msgspec

from sessions.errors import UnreadableValue
from sessions.record import CLOCK_TOLERANCE, Changes, Ended, Grace, Record, Unchanged
from sessions.stores.base import PURGE_DELAY, REMEMBERED_FOR

Row = tuple[Any, ...]

_encode = msgspec.msgpack.Encoder().encode
_values_in = msgspec.msgpack.Decoder(dict[str, bytes]).decode
_patch_in = msgspec.msgpack.Decoder(dict[str, bytes | None]).decode
_DAMAGE = (msgspec.MsgspecError, ValueError, RecursionError)

_NONE: Final = type(None)
_TIMES = (float, float, float, float)
_SHAPES = frozenset(
    (int, *_TIMES, timeout, user, str, float, *grace, bytes, _NONE)
    for timeout, user, grace in product(
        (float, _NONE), (str, _NONE), ((str, float), (_NONE, _NONE))
    )
)
"""The types of the columns of a record that is not damaged."""


def found_in(row: Row, now: float) -> Record | Ended | None:
    """Return the record or `Ended` in a row, or None; raise UnreadableValue for a damaged row."""
    expires_at, ended_at = row[4], row[12]
    if type(ended_at) is float:
        return Ended(ended_at) if now < ended_at + REMEMBERED_FOR else None
    if type(expires_at) is float and expires_at <= now:
        return None
    if tuple(map(type, row)) not in _SHAPES:
        raise unreadable()
    try:
        return _record(row)
    except _DAMAGE as error:
        raise unreadable() from error


def record_in(row: Row) -> Record | None:
    """Return the record in a removed row, even if it has expired; None if the row is damaged."""
    if tuple(map(type, row)) not in _SHAPES:
        return None
    try:
        return _record(row)
    except _DAMAGE:
        return None


def _record(row: Row) -> Record:
    (version, created, accessed, updated, expires, timeout, user, secret, since, *rest) = row
    grace_secret, grace_until, data, _ = rest
    return Record(
        values=_values_in(data),
        secret=secret,
        secret_since=since,
        created_at=created,
        accessed_at=accessed,
        updated_at=updated,
        expires_at=expires,
        grace=None if grace_secret is None else Grace(grace_secret, grace_until),
        timeout=timeout,
        user_id=user,
        version=version,
    )


def unreadable() -> UnreadableValue:
    """Return the error for a damaged record."""
    return UnreadableValue("the stored session is damaged, so a new session begins")


def columns_of(record: Record) -> dict[str, object]:
    """Return the parameters of the statement that creates a record."""
    grace_secret, grace_until = record.grace or (None, None)
    return {
        "version": record.version,
        "created_at": record.created_at,
        "accessed_at": record.accessed_at,
        "updated_at": record.updated_at,
        "expires_at": record.expires_at,
        "timeout": record.timeout,
        "user_id": record.user_id,
        "secret": record.secret,
        "secret_since": record.secret_since,
        "grace_secret": grace_secret,
        "grace_until": grace_until,
        "data": _encode(dict(record.values)),
        "purge_at": record.expires_at + PURGE_DELAY,
    }


def use_parameters(
    key: str, now: float, accessed_at: float, expires_at: float
) -> dict[str, object]:
    """Return the parameters of the SQL statement for a touch."""
    return {
        "key": key,
        "now": now,
        "ahead": now + CLOCK_TOLERANCE,
        "accessed_at": accessed_at,
        "expires_at": expires_at,
        "keeps_later": True,
    }


def commit_parameters(key: str, changes: Changes, now: float) -> dict[str, object]:
    """Return the parameters of the statement that commits changes."""
    values = use_parameters(key, now, changes.accessed_at, changes.expires_at)
    values["secret"] = changes.secret
    values["updated_at"] = changes.updated_at
    # If a name is both set and removed, it is removed.
    values["patch"] = _encode({**changes.set, **dict.fromkeys(changes.removed)})
    values["expected"] = _encode(dict(changes.expected)) if changes.expected else None
    if changes.only_values:
        return values
    keeps_timeout = isinstance(changes.timeout, Unchanged)
    keeps_user = isinstance(changes.user_id, Unchanged)
    values["keeps_later"] = keeps_timeout
    values["timeout"] = None if keeps_timeout else changes.timeout
    values["sets_user"] = not keeps_user
    values["user_id"] = None if keeps_user else changes.user_id
    values["clear"] = changes.clear
    values["new_secret"] = changes.new_secret
    values["grace"] = changes.grace
    values["created_at"] = changes.created_at
    return values


def merged(data: bytes, patch: bytes) -> bytes:
    """Return the values with the changes of a patch; None in the patch removes a value."""
    values: dict[str, bytes | None] = {**_values_in(data)}
    changes = _patch_in(patch)
    values.update(changes)
    if None in changes.values():
        values = {name: value for name, value in values.items() if value is not None}
    return _encode(values)


def agrees(data: bytes, expected: bytes) -> bool:
    """Return whether the record still has the values that a commit expects."""
    values = _values_in(data)
    return all(values.get(name) == value for name, value in _patch_in(expected).items())


def is_readable(data: Any) -> bool:
    """Return whether the data in a column can be decoded to values of a session."""
    try:
        _values_in(data)
    except (*_DAMAGE, TypeError):
        return False
    return True
