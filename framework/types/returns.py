"""Checks of the return type of a handler, because some types cannot become a response."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from werkzeug.wrappers import Response

from framework.report import Place
from framework.results import value_of
from framework.types.encoding import COPY_OF_SESSION, NOT_ENCODED, is_encodable
from framework.types.signatures import (
    EMPTY,
    Unresolved,
    describe,
    read_return,
    split,
)
from sessions.session import AsyncSession, Session

_BODILESS = (204, 304)
_NUMBERS = (int, float)
# The annotations that promise nothing that can be checked.
_UNSAID = (EMPTY, Unresolved, object)
ERROR_REMEDY = "Raise the error, as in raise NotFound(...), and leave it out of the annotation."
FILE_REMEDY = "Write `return werkzeug.utils.send_file(path, request.environ)`, or return str(path)."


def promised(function: Callable[..., object]) -> tuple[Any, ...]:
    """Return the types that a function can return: the members of a union, or else one type."""
    # An annotation that cannot be evaluated is not a mistake here, because the return type of a
    # handler injects nothing.
    returned = read_return(function)
    if type(returned) is type:
        return (returned,)
    annotation, _ = split(returned)
    is_union = get_origin(annotation) in (Union, UnionType)
    return get_args(annotation) if is_union else (annotation,)


@dataclass(frozen=True)
class Promise:
    """What the return annotation of a method says about its results."""

    # Whether a returned tuple is data, and not a body with a status.
    tuples_are_data: bool = True
    # The text of an annotation that excludes None; None if the method may return None.
    value: str | None = None


def promise_of(function: Callable[..., object]) -> Promise:
    """Read what the return annotation of a method says about its results."""
    kinds = promised(function)
    value = " | ".join(map(describe, kinds)) if all(map(_is_value, kinds)) else None
    return Promise(any(map(_is_tuple, kinds)), value)


def note_returns(function: Callable[..., object], decorator: str, status: int, here: Place) -> None:
    """Report each return type of a handler that cannot become a response.

    The messages show `status` as an example of a status that the decorator can have.
    """
    for kind in map(value_of, promised(function)):
        _note_return(kind, decorator, status, here)


def _note_return(kind: Any, decorator: str, status: int, here: Place) -> None:
    if _is_body_with_status(kind):
        here.note(
            f"the handler returns {describe(kind)}, but a tuple cannot set the status",
            f"Return the body alone and write @{decorator}(…, status={status}), or return"
            f" {_with_parts(get_args(kind)[0])}status={status}).",
        )
    elif isinstance(kind, type) and issubclass(kind, Session | AsyncSession):
        here.note(
            f"the handler returns {describe(kind)}, but {NOT_ENCODED}",
            f"Return dict[str, object]: {COPY_OF_SESSION}.",
        )
    elif _is_path(kind):
        here.note(f"the handler returns {describe(kind)}, which is a path, not a body", FILE_REMEDY)
    elif isinstance(kind, type) and issubclass(kind, BaseException):
        here.note(f"the handler returns {describe(kind)}, which is an error", ERROR_REMEDY)
    elif _is_unencodable(kind):
        here.note(
            f"the handler returns {describe(kind)}, which JSON cannot hold",
            f"Make {describe(kind)} a dataclass or a msgspec.Struct, or return a dict, a text"
            " or a Response.",
        )


def note_lost_body(function: Callable[..., object], status: int | None, here: Place) -> None:
    """Report a handler that returns a body with a status that allows no body (RFC 9110, 15.3.5)."""
    if status not in _BODILESS:
        return
    kinds = promised(function)
    may_be_empty = any(
        kind in (None, type(None), Any, *_UNSAID)
        or not isinstance(get_origin(kind) or kind, type)
        or issubclass(get_origin(kind) or kind, Response)
        for kind in kinds
    )
    if not may_be_empty:
        shown = " | ".join(map(describe, kinds))
        here.note(
            f"the handler returns {shown}, but its status {status} has no body",
            "Return None, or give another status.",
        )


def advice_on_parts(result: tuple[Any, ...]) -> str | None:
    """Return what to write in place of a tuple such as `(body, status)` or `(body, headers)`.

    Return None for any other tuple.
    """
    body, *others = result or (None,)
    status = next((part for part in others[:1] if _is_status(part)), None)
    headers = next((part for part in others[-1:] if _are_headers(part, alone=status is None)), None)
    found = [part for part in (status, headers) if part is not None]
    if not others or len(found) != len(others):
        return None
    beginning = _with_parts(type(body))
    if headers is None:
        return (
            "but a tuple cannot set the status. Fix: return the body alone and give the decorator"
            f" status={status}, or return {beginning}status={status})."
        )
    what = "headers" if status is None else "a status and headers"
    code = "" if status is None else f"status={status}, "
    return f"but a tuple cannot set {what}. Fix: return {beginning}{code}headers={headers!r})."


def _with_parts(kind: Any) -> str:
    """Return the code that begins a response for this type of body, such as `Response(body, `."""
    base = get_origin(kind) or kind
    is_plain = isinstance(base, type) and issubclass(base, (str, bytes))
    return "Response(body, " if is_plain else "framework.results.JSON(body, "


def _is_status(value: object) -> bool:
    return type(value) is int and 100 <= value <= 599


def _are_headers(value: object, *, alone: bool) -> bool:
    """Return whether a value is a dict of headers.

    With `alone`, the result of the handler has no status, so the dict could be data. Then the
    names in the dict must also begin with a capital letter.
    """
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        return False
    return not alone or (bool(value) and all(name[:1].isupper() for name in value))


def _is_value(kind: Any) -> bool:
    """Return whether a type excludes None."""
    base = get_origin(kind) or kind
    return isinstance(base, type) and base not in (NoneType, Any, *_UNSAID)


def _is_tuple(kind: Any) -> bool:
    base = get_origin(kind) or kind
    return isinstance(base, type) and issubclass(base, tuple)


def _is_body_with_status(kind: Any) -> bool:
    arguments = get_args(kind)
    if get_origin(kind) is not tuple or len(arguments) not in (2, 3):
        return False
    if len(arguments) == 3 and get_origin(arguments[2]) is not dict:
        return False
    # Two numbers are more likely a point or a range.
    return arguments[1] is int and arguments[0] not in _NUMBERS


def _is_path(kind: Any) -> bool:
    """Return whether a type is a path: a handler that returns a path most likely means the file."""
    return isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, PurePath)


def _is_unencodable(kind: Any) -> bool:
    if not isinstance(kind, type) or get_origin(kind) is not None or kind in _UNSAID:
        return False
    try:
        return not issubclass(kind, Response) and not is_encodable(kind)
    # An annotation inside the class may exist only for type checkers.
    except (NameError, TypeError):
        return False
