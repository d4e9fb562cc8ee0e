"""Build the calls of the Redis stores, and read the replies.

A session is one hash. The field `about` has everything except the values: an array in MessagePack
with the fields of `_About`. Each value has its own field. The name of the field is `v:` plus the
name of the value. The first four bytes in this field are the number of the value, in the order in
which the values were first set. The hash of an ended session has one field, `ended`.

Each call is one command on one key, so it works in a cluster too. Only a sign-in has two keys,
because it also changes the index of the user. In a cluster, a sign-in takes two calls. The scripts
use the clock of the server. The server itself removes each session at its end, or some time later.
"""

import struct
from collections.abc import Mapping
from typing import Any

import msgspec

from sessions.errors import UnreadableValue
from sessions.record import Changes, Ended, Grace, Outcome, Record, Unchanged
from sessions.stores.redis_scripts import Call, Script

_VALUE = b"v:"
ABOUT = b"about"
"""A field that the hash of every live record has."""
_ENDED = b"ended"
_NUMBER = struct.Struct(">I")
_DAMAGE = (msgspec.MsgspecError, ValueError, TypeError, struct.error)

_encode = msgspec.msgpack.Encoder().encode


class _About(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A record without its values; `next` is the number that the next new value gets.

    False stands for a missing field, because an array in Lua cannot contain null.
    """

    version: int
    secret: str
    secret_since: float
    created_at: float
    accessed_at: float
    updated_at: float
    expires_at: float
    timeout: float | bool
    user_id: str | bool
    grace_secret: str | bool
    grace_until: float | bool
    next: int


_about_in = msgspec.msgpack.Decoder(_About).decode

_OUTCOMES = (Outcome.APPLIED, Outcome.GONE, Outcome.SUPERSEDED, Outcome.CONFLICT)


def create_call(record: Record, script: Script, *last: bytes) -> Call:
    """Return the call that stores a new record; its reply is 1, or 0 if the key is taken.

    `last` has the last arguments of the script.
    """
    grace_secret, grace_until = record.grace or (False, False)
    about = _About(
        version=record.version,
        secret=record.secret,
        secret_since=record.secret_since,
        created_at=record.created_at,
        accessed_at=record.accessed_at,
        updated_at=record.updated_at,
        expires_at=record.expires_at,
        timeout=False if record.timeout is None else record.timeout,
        user_id=False if record.user_id is None else record.user_id,
        grace_secret=grace_secret,
        grace_until=grace_until,
        next=len(record.values),
    )
    expires = b"%d" % (int(record.expires_at * 1000) + script.kept)
    fields = [
        part
        for number, (name, value) in enumerate(record.values.items())
        for part in (_field(name), _NUMBER.pack(number) + value)
    ]
    return script.call(_encode(about), record.secret.encode(), expires, *fields, *last)


def commit_call(changes: Changes, script: Script, *last: bytes) -> Call:
    """Return the call that applies changes; `last` has the last arguments of the script."""
    # A name that is both set and removed is removed.
    sets = {name: value for name, value in changes.set.items() if name not in changes.removed}
    arguments = [_encode(_what(changes, len(sets)))]
    for name, value in changes.expected.items():
        arguments += (_field(name), b"0" if value is None else b"1", value or b"")
    for name, value in sets.items():
        arguments += (_field(name), value)
    arguments += map(_field, changes.removed)
    return script.call(*arguments, *last)


def touch_call(secret: str, expires_at: float, accessed_at: float, script: Script) -> Call:
    """Return the call of a touch; its reply is 1, or 0 if no live record has this secret."""
    return script.call(secret.encode(), repr(accessed_at).encode(), repr(expires_at).encode())


def delete_call(user_id: str | None, script: Script, *, keeps: bool = False) -> Call:
    """Return the call that ends a session; its reply is 1, or 0 if there is no live session.

    If the store `keeps` expired records, the call does not remove an expired record.
    """
    which = (b"0" if user_id is None else b"1", (user_id or "").encode())
    return script.call(*which, b"1") if keeps else script.call(*which)


def outcome_in(reply: int) -> Outcome:
    """Return the outcome for the reply to a commit."""
    return _OUTCOMES[reply]


def record_in(fields: Mapping[bytes, bytes]) -> Record | Ended | None:
    """Return what the reply to HGETALL contains; raise UnreadableValue if the record is damaged."""
    if not fields:
        return None
    try:
        ended = fields.get(_ENDED)
        if ended is not None:
            return Ended(float(ended))
        return _record(_about_in(fields[ABOUT]), fields)
    except (*_DAMAGE, KeyError) as error:
        raise unreadable() from error


def fields_in(reply: list[bytes]) -> dict[bytes, bytes]:
    """Return the fields in the reply to a script that returns a Redis hash."""
    return dict(zip(reply[::2], reply[1::2], strict=True))


def end_in(about: bytes) -> float:
    """Return when a record expires; raise UnreadableValue if it is damaged."""
    try:
        return _about_in(about).expires_at
    except _DAMAGE as error:
        raise unreadable() from error


def unreadable() -> UnreadableValue:
    """Return the error for a damaged record."""
    return UnreadableValue("the stored session is damaged, so a new session begins")


def _what(changes: Changes, sets: int) -> tuple[object, ...]:
    """Return the changes for the first argument of the script, with numbers in place of names.

    The numbers say how many names are set, removed and expected. The names themselves are other
    arguments of the script. `sets` is the number of set names.
    """
    keeps_timeout = isinstance(changes.timeout, Unchanged)
    keeps_user = isinstance(changes.user_id, Unchanged)
    return (
        changes.secret,
        changes.accessed_at,
        changes.updated_at,
        changes.expires_at,
        changes.only_values,
        # True keeps the timeout or user, and False removes it.
        keeps_timeout or _or_false(changes.timeout),
        keeps_user or _or_false(changes.user_id),
        changes.clear,
        _or_false(changes.new_secret),
        _or_false(changes.grace),
        _or_false(changes.created_at),
        sets,
        len(changes.removed),
        len(changes.expected),
    )


def _record(about: _About, fields: Mapping[bytes, bytes]) -> Record:
    numbered = [
        (_NUMBER.unpack_from(value)[0], field[2:].decode(), value[4:])
        for field, value in fields.items()
        if field[:2] == _VALUE
    ]
    numbered.sort()
    grace = None
    if isinstance(about.grace_secret, str):
        if isinstance(about.grace_until, bool):
            raise TypeError("a grace has an end")
        grace = Grace(about.grace_secret, float(about.grace_until))
    return Record(
        values={name: value for _, name, value in numbered},
        secret=about.secret,
        secret_since=about.secret_since,
        created_at=about.created_at,
        accessed_at=about.accessed_at,
        updated_at=about.updated_at,
        expires_at=about.expires_at,
        grace=grace,
        timeout=None if isinstance(about.timeout, bool) else about.timeout,
        user_id=None if isinstance(about.user_id, bool) else about.user_id,
        version=about.version,
    )


def _field(name: str) -> bytes:
    return _VALUE + name.encode()


def _or_false(value: Any) -> Any:
    return False if value is None else value
