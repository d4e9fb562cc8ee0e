"""What a handler writes to say where a parameter comes from."""

from typing import Annotated, Any, TypedDict, TypeVar, Unpack

import msgspec

from framework.forms import FormMarker
from framework.markers import BodyMarker, InjectMarker, SessionMarker
from framework.session_values import SessionValueMarker
from framework.text_markers import CookieMarker, HeaderMarker, QueryMarker
from sessions.session import Session

T = TypeVar("T")

Query = Annotated[T, QueryMarker()]
Header = Annotated[T, HeaderMarker()]
Cookie = Annotated[T, CookieMarker()]
Form = Annotated[T, FormMarker()]
Body = Annotated[T, BodyMarker()]
Inject = Annotated[T, InjectMarker()]
session = Annotated[Session, SessionMarker()]


class Limits(TypedDict, total=False):
    """List what a value may be held to; the words are those of JSON Schema."""

    ge: float
    gt: float
    le: float
    lt: float
    min_length: int
    max_length: int
    pattern: str


def query(alias: str | None = None, **limits: Unpack[Limits]) -> QueryMarker:
    """Mark a parameter as read from the query, under another name or within limits."""
    return QueryMarker(alias, _meta(limits))


def header(alias: str | None = None, **limits: Unpack[Limits]) -> HeaderMarker:
    """Mark a parameter as read from a header, under another name or within limits."""
    return HeaderMarker(alias, _meta(limits))


def cookie(alias: str | None = None, **limits: Unpack[Limits]) -> CookieMarker:
    """Mark a parameter as read from a cookie, under another name or within limits."""
    return CookieMarker(alias, _meta(limits))


def form(alias: str | None = None, **limits: Unpack[Limits]) -> FormMarker:
    """Mark a parameter as read from a form's field, under another name or within limits."""
    return FormMarker(alias, _meta(limits))


def session_value(key: str) -> SessionValueMarker:
    """Mark a parameter as the session's value of a key, stored again if the handler changes it."""
    if not isinstance(key, str):
        raise TypeError(f'session_value takes a key, not {key!r}: write session_value("cart")')
    return SessionValueMarker(key)


# The callers' types have checked the limits; that some exclude each other is for msgspec to tell.
def _meta(limits: Any) -> msgspec.Meta | None:
    return msgspec.Meta(**limits) if limits else None
