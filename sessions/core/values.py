"""Check the keys of a session, and encode its values."""

from sessions.core import codec
from sessions.errors import UnencodableValue

USER_DATA = "\0user_data"
"""The key of the user data from `set_user()`; code that uses the session does not see it."""

DEVICE = "\0device"
"""The key of the device of the sign-in; code that uses the session does not see it."""

OTHER_SIGN_IN = "\0other_sign_in"
"""The key of the time of a sign-in in another system, in seconds or None; code does not see it."""

MOVED = "\0moved"
"""The key of a mark: the session came from another system, where it possibly still lives."""

MOVED_BY = "\0moved_by"
"""The key of a random text, which shows which request moved the session here."""

OF_USER = frozenset({USER_DATA, DEVICE, OTHER_SIGN_IN})
"""The keys of the values that belong to the user."""

RESERVED = OF_USER | {MOVED, MOVED_BY}
"""The keys that code does not see."""

WAITING = "\0waiting"
"""The only value name in a record that belongs to no session.

In the queue of a user, the value has the sign-ins that are not complete. In a record that remembers
the end of a session from another system, the value is empty.
"""

SEALED = "\0sealed."
"""The prefix of reserved names in a record: its data keys and its encrypted user id."""

_KEPT = {
    USER_DATA: "set_user() keeps its data",
    DEVICE: "set_user() keeps the device",
    OTHER_SIGN_IN: "a session of another system keeps the time of its sign-in",
    MOVED: "a session remembers from which system it came",
    MOVED_BY: "a session remembers from which system it came",
    WAITING: "the limit of sessions per user keeps its queue",
}

SEALED_BYTE = b"\xc1"
"""The first byte of an encrypted value: no plain value begins so, as MessagePack never uses it."""

FIRST_PLAIN = "\1"
"""Every reserved name sorts before this text."""


def encode_value(key: str, value: object) -> bytes:
    """Return the encoded value; if that is impossible, raise UnencodableValue with the key."""
    try:
        if not key.isascii():
            codec.encode(key)
        return codec.encode(value)
    except UnencodableValue as error:
        what = "the user data of set_user()" if key == USER_DATA else f"session[{key!r}]"
        raise UnencodableValue(f"{what} cannot be saved: {error}") from error


def plain_key(key: object) -> str:
    """Return the key as a plain str; raise UnencodableValue if it is not a str, or is reserved."""
    if not isinstance(key, str):
        raise UnencodableValue(
            f"the key of session[{key!r}] is of type {type(key).__name__}. Fix: use a str"
        )
    if key.startswith("\0"):
        _check_reserved(key)
    return str.__str__(key)


def _check_reserved(key: str) -> None:
    kept = "encrypted sessions keep their data keys" if key.startswith(SEALED) else _KEPT.get(key)
    if kept is not None:
        more = ", or set_user(user_id, name=...)" if key == USER_DATA else ""
        raise UnencodableValue(
            f"the key {key!r} is reserved: under this key, {kept}. Fix: use another key{more}"
        )
