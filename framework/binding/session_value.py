"""One typed value of the session: validated when it is read, stored when the handler changed it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from framework.binding.source import (
    Extract,
    Field,
    Marker,
    Needs,
    conversion,
    default_or_refusal,
)
from framework.http.context import Context
from framework.report import Mistake
from framework.types.fields import as_plain
from framework.types.limits import limits_alone
from framework.types.models import (
    fill_defaults,
    holds_models,
    leaves_defaults_out,
    python_validator,
    unsupported,
)
from framework.types.signatures import bare, describe
from sessions.edges import decode, encode
from sessions.errors import SessionClosed, UnencodableValue
from sessions.session import Session

logger = logging.getLogger("framework")

# Sessions keep the types of these values, so a stored text is never one of them.
_KEPT = (bytes, datetime, date, time, timedelta, UUID, Decimal)

# The value of a key that is not stored.
_ABSENT = object()

# Makes a value from its plain form, or raises one of _MISFITS.
Convert = Callable[[object], object]
_MISFITS = (ValueError, TypeError, msgspec.ValidationError)


@dataclass(frozen=True, repr=False)
class SessionValueMarker(Marker):
    """Give the session's value of one key, and put it back if the handler changes it."""

    source = "session"
    needs = Needs.SESSION

    key: str

    def __repr__(self) -> str:
        """Write the marker the way its author does."""
        return f'session_value("{self.key}")'

    def where(self, field: Field) -> str:
        """Return the source and the key."""
        return f"{self.source}:{self.key}"

    def extractor(self, field: Field) -> Extract:
        """Return the function that reads the value and asks for its return."""
        convert = _converter(field)
        absent = default_or_refusal(field.default, self.where(field))
        if field.default is not None:
            _check_default(field, field.default())

        # A guard, a resolver and the handler that ask for the same get the same object.
        holder_key = (self.key, _hashable(kept_type(field.annotation)))
        takes_none, default_changes = _takes_none(convert), _changes(field)

        def extract(context: Context) -> object:
            session = context.session
            holder = context.hold(holder_key, lambda: _SessionValue(session, self.key, convert))
            return holder.take(absent, takes_none=takes_none, keep=default_changes)

        return extract

    def explained(self, field: Field) -> str:
        """Say which type the value becomes."""
        return conversion("session", field.annotation)

    def session_use(self, field: Field) -> str:
        """Say that the session is loaded before the handler runs."""
        return f"{self.where(field)} is loaded at once, saved if it changed"

    def may_refuse(self, field: Field) -> bool:
        """Return whether there is no default, which takes the place of an unfit value."""
        return field.default is None


def session_value(key: str) -> SessionValueMarker:
    """Mark a parameter as the session's value of a key, stored again if the handler changes it."""
    if not isinstance(key, str):
        raise TypeError(f'session_value takes a key, not {key!r}: write session_value("cart")')
    return SessionValueMarker(key)


def kept_type(annotation: Any) -> tuple[Any, tuple[msgspec.Meta, ...]]:
    """Return the type and the limits of a value; an optional type means the same value."""
    base, metadata = bare(annotation)
    limits = (limits_alone(beside) for beside in metadata if isinstance(beside, msgspec.Meta))
    return base, tuple(limit for limit in limits if limit is not None)


class _SessionValue:
    """Remember a value as it was read: its changes are seen, and no other change is undone."""

    def __init__(self, session: Session, key: str, convert: Convert) -> None:
        self._session = session
        self._key = key
        self._convert = convert
        self._value: object = _ABSENT
        self._read()
        session.on_reload(self._reloaded)

    def take(self, absent: Callable[[], object], *, takes_none: bool, keep: bool) -> object:
        """Return the value, or the default; a default that can change becomes the value."""
        if self._value is not _ABSENT and (takes_none or self._value is not None):
            return self._value
        default = absent()
        if keep:
            self._value, self._before = default, _encoded(as_plain(default))
        return default

    def put_back(self) -> None:
        """Store the value if it changed, unless the handler changed the session itself."""
        if self._value is _ABSENT:
            return
        plain = as_plain(self._value)
        after = _encoded(plain)
        if after is not None and after == self._before:
            return
        # A session that has ended must not come back, not even as a new one.
        ended = self._session.is_new and not self._was_new
        if ended or self._is_over or self._is_replaced():
            return
        if self._is_stale:
            logger.warning(
                "session[%r] was reloaded, and what was changed after that in the older object"
                " is lost; write it through the session",
                self._key,
            )
            return
        try:
            self._session[self._key] = plain
        except SessionClosed:
            logger.error(
                "session[%r] changed after the response's headers left, and is lost", self._key
            )
        self._stored = self._before = after

    def _read(self) -> None:
        self._stored = _stored(self._session, self._key)
        self._value = _converted(self._key, self._stored, self._convert)
        self._before = _encoded(as_plain(self._value))
        self._was_new: bool = self._session.is_new
        self._is_stale: bool = False
        self._is_over: bool = False

    def _reloaded(self) -> None:
        """Drop the changes; a later change of the outdated object is logged."""
        if self._value is _ABSENT:
            self._read()
            return
        stored, plain = _stored(self._session, self._key), _encoded(as_plain(self._value))
        # None means that the value cannot be encoded, so it is not the stored value.
        if stored != self._stored or plain is None or plain != self._before:
            self._is_stale = True
            self._is_over = self._session.is_new
        self._stored, self._before = stored, plain

    def _is_replaced(self) -> bool:
        """Return whether the handler has set or removed the session's own value."""
        try:
            return _stored(self._session, self._key) != self._stored
        # A value that cannot be encoded is not the stored one; the session will name it.
        except UnencodableValue:
            return True


def _converted(key: str, stored: bytes | None, convert: Convert) -> object:
    """Return the stored value; `_ABSENT` if no value of this shape is stored."""
    if stored is None:
        return _ABSENT
    try:
        # The handler gets a copy: the session does not change until the copy is put back.
        return convert(decode(stored))
    except _MISFITS as error:
        logger.warning("session[%r] has another shape, the default takes its place: %s", key, error)
        return _ABSENT


def _stored(session: Session, key: str) -> bytes | None:
    return encode(session[key]) if key in session else None


def _hashable(kind: object) -> object:
    """Return a hashable key for a type: the metadata of `Annotated` need not be hashable."""
    try:
        hash(kind)
    except TypeError:
        return repr(kind)
    return kind


def _takes_none(convert: Convert) -> bool:
    try:
        convert(None)
    except _MISFITS:
        return False
    return True


def _changes(field: Field) -> bool:
    """Return whether the default can be changed, so that each request has one of its own."""
    return field.default is not None and field.default() is not field.default()


def _encoded(plain: object) -> bytes | None:
    """Encode a value to compare it; None if it cannot be encoded, which the session will report."""
    try:
        return encode(plain)
    except UnencodableValue:
        return None


def _converter(field: Field) -> Convert:
    """Return the function that validates a stored value; it converts no text to another type."""
    try:
        if holds_models(field.annotation):
            return python_validator(field.annotation)
        stranger = unsupported(field.annotation)
        if stranger is not None:
            raise TypeError(f"no stored value becomes {describe(stranger)}")
    except (TypeError, NameError) as error:
        raise Mistake(
            f"parameter {field.name!r} cannot be a value of the session: {error}",
            "Use a dataclass, a msgspec.Struct, a TypedDict, or lists and dicts of plain values.",
        ) from error

    fills = leaves_defaults_out(field.annotation)

    def convert(stored: object) -> object:
        value = msgspec.convert(stored, field.annotation, builtin_types=_KEPT)
        if fills:
            fill_defaults(value)
        return value

    return convert


def _check_default(field: Field, default: object) -> None:
    """Report a default that could not be stored once it changed."""
    try:
        encode(as_plain(default))
    except UnencodableValue as error:
        raise Mistake(
            f"the default of parameter {field.name!r} cannot be a value of a session: {error}",
            "Use a default of plain values, or None.",
        ) from error
