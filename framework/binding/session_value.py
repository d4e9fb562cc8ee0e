"""One typed value of the session: validated when it is read, stored if the handler changes it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from framework.advice.arguments import OF_VALUES, explains_arguments
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
from framework.types.models import is_read_by_pydantic, python_hook, python_validator
from framework.types.msgspec_types import fill_defaults, leaves_defaults_out
from framework.types.signatures import bare
from framework.types.unreadable import refuse_unreadable, remedy_of
from sessions.edges import decode, encode
from sessions.errors import SessionClosed, UnencodableValue
from sessions.session import Session

logger = logging.getLogger("framework")

# Sessions keep values of these types unchanged, so a text is never converted to one of them.
_KEPT = (bytes, datetime, date, time, timedelta, UUID, Decimal)

# The value of a key that the session does not have.
_ABSENT = object()

_LOST = (
    "session.reload() replaced session[%r]. Then the handler changed the object from before the"
    " reload, so these changes are lost. Fix: after session.reload(), set session[%r] to the new"
    " value"
)

# Makes a value from its plain form, or raises one of _MISFITS.
Convert = Callable[[object], object]
_MISFITS = (ValueError, TypeError, msgspec.ValidationError)


@dataclass(frozen=True, repr=False)
class SessionValueMarker(Marker):
    """The marker of one session value; if the handler changes the value, the session stores it."""

    source = "session"
    needs = Needs.SESSION

    key: str

    def __repr__(self) -> str:
        """Return the marker as it is written in code."""
        return f'session_value("{self.key}")'

    def where(self, field: Field) -> str:
        """Return the source and the key of the value, such as `session:cart`."""
        return f"{self.source}:{self.key}"

    def extractor(self, field: Field) -> Extract:
        """Return the function that reads the value.

        If the handler changes the value, the new value is stored in the session after the handler.
        """
        convert = _converter(field)
        absent = default_or_refusal(field.default, self.where(field))
        if field.default is not None:
            _check_default(field, field.default())

        # A guard, a resolver and the handler that ask for the same value get the same object.
        holder_key = (self.key, _hashable(kept_type(field.annotation)))
        takes_none, default_changes = _takes_none(convert), _changes(field)

        def extract(context: Context) -> object:
            session = context.session
            holder = context.holder_for(
                holder_key, lambda: _SessionValue(session, self.key, convert)
            )
            return holder.take(absent, takes_none=takes_none, keep=default_changes)

        return extract

    def explained(self, field: Field) -> str:
        """Return a text that says to which type the value is converted."""
        return conversion("session", field.annotation)

    def session_use(self, field: Field) -> str:
        """Return a text that says that the session is loaded before the handler runs."""
        return f"{self.where(field)} is loaded at once, saved if it changed"

    def may_refuse(self, field: Field) -> bool:
        """Return whether a missing or wrong value is answered with 422: True without a default."""
        return field.default is None


@explains_arguments("session_value()", 'session_value("cart")', OF_VALUES)
def session_value(key: str) -> SessionValueMarker:
    """Return the marker of the session value with this key; changes of the value are stored."""
    if not isinstance(key, str):
        raise TypeError(f'session_value takes a key, not {key!r}. Fix: write session_value("cart")')
    return SessionValueMarker(key)


def kept_type(annotation: Any) -> tuple[Any, tuple[msgspec.Meta, ...]]:
    """Return the type without None, and its limits."""
    base, metadata = bare(annotation)
    limits = (limits_alone(element) for element in metadata if isinstance(element, msgspec.Meta))
    return base, tuple(limit for limit in limits if limit is not None)


class _SessionValue:
    """A value of the session, which is stored at the end if the handler changed it."""

    def __init__(self, session: Session, key: str, convert: Convert) -> None:
        self._session = session
        self._key = key
        self._convert = convert
        self._value: object = _ABSENT
        self._read()
        session.on_reload(self._reloaded)

    def take(self, absent: Callable[[], object], *, takes_none: bool, keep: bool) -> object:
        """Return the value, or the default; with `keep`, changes of the default are stored."""
        if self._value is not _ABSENT and (takes_none or self._value is not None):
            return self._value
        default = absent()
        if keep:
            self._value, self._before = default, _encoded(as_plain(default))
        return default

    def put_back(self) -> None:
        """Store the value if it changed, unless the handler has set or removed it in the session.

        The value of a session that has ended is not stored.
        """
        if self._value is _ABSENT:
            return
        plain = as_plain(self._value)
        after = _encoded(plain)
        if after is not None and after == self._before:
            return
        # A session that has ended must not come back, not even as a new session.
        ended = self._session.is_new and not self._was_new
        if ended or self._is_over or self._is_replaced():
            return
        if self._is_stale:
            logger.warning(_LOST, self._key, self._key)
            return
        try:
            self._session[self._key] = plain
        except SessionClosed:
            logger.error(
                "session[%r] changed after the headers were sent, so the change is lost", self._key
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
        """Mark the value as outdated if the handler or the reload changed it.

        Later changes of an outdated value are not stored, but logged. If there was no value before
        the reload, the value is read from the reloaded session.
        """
        if self._value is _ABSENT:
            self._read()
            return
        stored, plain = _stored(self._session, self._key), _encoded(as_plain(self._value))
        # None stands for a value that cannot be encoded, so the value was not stored.
        if stored != self._stored or plain is None or plain != self._before:
            self._is_stale = True
            self._is_over = self._session.is_new
        self._stored, self._before = stored, plain

    def _is_replaced(self) -> bool:
        """Return whether the handler has set or removed the value in the session itself."""
        try:
            return _stored(self._session, self._key) != self._stored
        # The value that was read can be encoded, so this is another value; the session reports it.
        except UnencodableValue:
            return True


def _converted(key: str, stored: bytes | None, convert: Convert) -> object:
    """Return the stored value; `_ABSENT` if no value is stored or the value does not fit."""
    if stored is None:
        return _ABSENT
    try:
        # The value is a copy, so that a change of the value is not yet a change of the session.
        return convert(decode(stored))
    except _MISFITS as error:
        logger.warning(
            "session[%r] in the store does not fit the type of the parameter, so the parameter"
            " receives its default: %s",
            key,
            error,
        )
        return _ABSENT


def _stored(session: Session, key: str) -> bytes | None:
    return encode(session[key]) if key in session else None


def _hashable(kind: object) -> object:
    """Return the type, or its repr if the type cannot be hashed: `Annotated` can hold anything."""
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
    """Return whether code can change the default, so that each request needs its own copy."""
    return field.default is not None and field.default() is not field.default()


def _encoded(plain: object) -> bytes | None:
    """Encode a value for a comparison; None if the value cannot be encoded.

    In this case, the session raises an error when the value is stored.
    """
    try:
        return encode(plain)
    except UnencodableValue:
        return None


def _converter(field: Field) -> Convert:
    """Return the function that validates a stored value, but converts no text to another type."""
    try:
        if is_read_by_pydantic(field.annotation):
            return python_validator(field.annotation)
        refuse_unreadable(field.annotation, "a stored value")
        hook = python_hook(field.annotation)
    except (TypeError, NameError) as error:
        raise Mistake(
            f"parameter {field.name!r} cannot be a value of the session: {error}",
            remedy_of(error),
        ) from error

    fills = leaves_defaults_out(field.annotation)

    def convert(stored: object) -> object:
        value = msgspec.convert(stored, field.annotation, builtin_types=_KEPT, dec_hook=hook)
        if fills:
            fill_defaults(value)
        return value

    return convert


def _check_default(field: Field, default: object) -> None:
    """Report a default that cannot be stored as a value of a session."""
    try:
        encode(as_plain(default))
    except UnencodableValue as error:
        raise Mistake(
            f"the default of parameter {field.name!r} cannot be a value of a session: {error}",
            "Use a default of texts, numbers, lists and dicts, or None.",
        ) from error
