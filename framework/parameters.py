"""What a handler writes to say where a parameter comes from."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, TypeVar, Unpack

import msgspec

from framework.annotations.limits import wrong_limits
from framework.markers import BodyMarker, InjectMarker, SessionMarker
from framework.sources.brackets import Brackets
from framework.sources.forms import FormMarker
from framework.sources.session_values import SessionValueMarker
from framework.sources.text_markers import CookieMarker, HeaderMarker, QueryMarker, TextMarker
from sessions.session import Session

T = TypeVar("T")
M = TypeVar("M", bound=TextMarker)


def _of_text(name: str, marker: TextMarker) -> Brackets:
    limited = f"x: Annotated[int, {marker.source}(ge=1)] = 1"
    return Brackets(name, marker, "int", f" = 1, or with limits {limited}")


if TYPE_CHECKING:
    Query = Annotated[T, QueryMarker()]
    Header = Annotated[T, HeaderMarker()]
    Cookie = Annotated[T, CookieMarker()]
    Form = Annotated[T, FormMarker()]
    Body = Annotated[T, BodyMarker()]
    Inject = Annotated[T, InjectMarker()]
else:
    # The same, and in words what is wrong with `page: int = Query(1)`.
    Query = _of_text("Query", QueryMarker())
    Header = _of_text("Header", HeaderMarker())
    Cookie = _of_text("Cookie", CookieMarker())
    Form = _of_text("Form", FormMarker())
    Body = Brackets("Body", BodyMarker(), "Note")
    Inject = Brackets("Inject", InjectMarker(), "Notes")
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
    return _limited(QueryMarker, alias, limits)


def header(alias: str | None = None, **limits: Unpack[Limits]) -> HeaderMarker:
    """Mark a parameter as read from a header, under another name or within limits."""
    return _limited(HeaderMarker, alias, limits)


def cookie(alias: str | None = None, **limits: Unpack[Limits]) -> CookieMarker:
    """Mark a parameter as read from a cookie, under another name or within limits."""
    return _limited(CookieMarker, alias, limits)


def form(alias: str | None = None, **limits: Unpack[Limits]) -> FormMarker:
    """Mark a parameter as read from a form's field, under another name or within limits."""
    return _limited(FormMarker, alias, limits)


def session_value(key: str) -> SessionValueMarker:
    """Mark a parameter as the session's value of a key, stored again if the handler changes it."""
    if not isinstance(key, str):
        raise TypeError(f'session_value takes a key, not {key!r}: write session_value("cart")')
    return SessionValueMarker(key)


# A type checker has checked what is given; for others start-up tells what is wrong with it.
def _limited(kind: type[M], alias: Any, limits: Any) -> M:
    wrong = [*_wrong_alias(alias), *wrong_limits(limits)]
    if wrong or not limits:
        return kind(None if wrong else alias, wrong=tuple(wrong))
    return kind(alias, msgspec.Meta(**limits))


def _wrong_alias(alias: object) -> Iterator[tuple[str, str]]:
    if alias is not None and not isinstance(alias, str):
        yield f"has the name {alias!r}, which is no text", 'Write a text, as in query("page_size").'
