"""Convert texts to typed values: the types that the query, headers and forms can hold.

SCALARS and TEXTS list the types of the values that are read from a text.
"""

import enum
import functools
import math
import re
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    MutableSequence,
    MutableSet,
    Sequence,
    Set,
)
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import msgspec

from framework.types.json_checks import refuse_no_number
from framework.types.limits import beyond, refuse_unfit
from framework.types.patterns import line_feed_check
from framework.types.signatures import annotated, bare, describe
from framework.validation import UnshownTextError, limit_told, plain

# The types of a parameter without a marker; any other type needs a marker or a component.
SCALARS = frozenset({str, int, float, bool, UUID, date, datetime})
# The types of a text with a marker.
TEXTS = SCALARS | {Decimal, time, timedelta}

# The types of several values, and the class that holds the values.
_COLLECTIONS: dict[Any, Any] = {
    list: list,
    set: set,
    frozenset: frozenset,
    tuple: tuple,
    Collection: list,
    Iterable: list,
    Sequence: list,
    MutableSequence: list,
    Set: set,
    MutableSet: set,
}

# The errors of a text converter; in older versions of msgspec, its error is not a ValueError.
CONVERSION_ERRORS = (ValueError, msgspec.ValidationError)

NOT_UTF8 = "expected UTF-8"

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_SURROGATE = re.compile("[\ud800-\udfff]")
# A time without seconds: inputs of the types `datetime-local` and `time` leave out zero seconds.
_WITHOUT_SECONDS = re.compile(r"^((?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d)(Z|[+-]\d\d:\d\d)?$", re.ASCII)


def has_surrogates(text: str) -> bool:
    """Return whether a text has surrogates, which stand for bytes that are not UTF-8."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def is_scalar(annotation: Any, types: frozenset[type] = SCALARS) -> bool:
    """Return whether one text can be read as the type; `int | None` counts as `int`."""
    base, _ = bare(annotation)
    if get_origin(base) is Literal:
        return True
    return isinstance(base, type) and (base in types or issubclass(base, enum.Enum))


def list_item(annotation: Any) -> Any:
    """Return `T` of `list[T]`, `set[T] | None`, `tuple[T, ...]` and such types; otherwise None."""
    base, _ = bare(annotation)
    item, *others = get_args(base) or (None,)
    is_several = get_origin(base) in _COLLECTIONS and others in ([], [...])
    return item if is_several and (get_origin(base) is not tuple or others) else None


def collection_of(annotation: Any) -> Any:
    """Return the class of collection for a type with items, such as list for `Sequence[int]`."""
    return _COLLECTIONS[get_origin(bare(annotation)[0])]


def text_converter(annotation: Any) -> Callable[[str], object]:
    """Return the function that converts a text or raises one of `CONVERSION_ERRORS`.

    Raises TypeError at once if no text can hold a value of the type, or if the limits in the
    annotation do not fit the type.
    """
    if not is_scalar(annotation, TEXTS):
        raise TypeError(f"a text cannot hold a value of type {describe(annotation)}")
    base, metadata = bare(annotation)
    limits = [item for item in metadata if isinstance(item, msgspec.Meta)]
    if get_origin(base) is Literal or issubclass(base, enum.Enum):
        refuse_unfit(base, limits)
        return _choice(base)
    if base is Decimal:
        return _decimal(limits)
    limited = with_limits(base, *limits)
    if base is bool:
        return _boolean
    if base is str:
        return _limited_string(limited, limits) if limits else _string
    # The types of time are read strictly, because a number in a text is not a time.
    convert = functools.partial(msgspec.convert, type=limited, strict=base not in (int, float))
    if base in (datetime, time):
        return _timed(convert)
    return _finite(convert) if base is float else convert


def with_limits(annotation: Any, *limits: msgspec.Meta) -> Any:
    """Add limits to a type; raise TypeError if the limits do not fit the type."""
    refuse_unfit(annotation, limits)
    limited = annotated(annotation, limits)
    # msgspec checks a type when a decoder is made.
    msgspec.json.Decoder(limited)
    return limited


def _choice(base: Any) -> Callable[[str], object]:
    values = get_args(base) or list(base)
    choices = {_written(value): value for value in values if value is not None}
    allowed = ", ".join(map(repr, choices))

    def convert(text: str) -> object:
        try:
            return choices[text]
        except KeyError:
            raise ValueError(f"expected one of {allowed}") from None

    return convert


def _written(value: object) -> str:
    if isinstance(value, enum.Enum):
        return _written(value.value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError("expected true, false, 1 or 0") from None


def _string(text: str) -> str:
    if has_surrogates(text):
        raise UnshownTextError(NOT_UTF8)
    return text


def _limited_string(limited: Any, limits: Sequence[msgspec.Meta]) -> Callable[[str], object]:
    patterns = [limit.pattern for limit in limits if limit.pattern is not None]
    ends = [(pattern, line_feed_check(pattern)) for pattern in patterns]

    def convert(text: str) -> object:
        try:
            value = msgspec.convert(_string(text), limited)
        except msgspec.ValidationError as error:
            raise UnshownTextError(limit_told(plain(error), text)) from error
        for pattern, is_end in ends:
            if is_end is not None and not is_end(text):
                raise UnshownTextError(f"expected str matching regex {pattern!r}")
        return value

    return convert


def _timed(convert: Callable[[str], object]) -> Callable[[str], object]:
    """Return a function that converts as `convert` does, and also accepts a time without seconds.

    HTML forms send times without seconds.
    """

    def timed(text: str) -> object:
        try:
            return convert(text)
        except msgspec.ValidationError:
            return convert(_WITHOUT_SECONDS.sub(r"\1:00\2", text))

    return timed


def _finite(convert: Callable[[str], Any]) -> Callable[[str], object]:
    def finite(text: str) -> object:
        number = convert(text)
        if not math.isfinite(number):
            raise ValueError("expected a finite number")
        return number

    return finite


def _decimal(limits: Sequence[msgspec.Meta]) -> Callable[[str], object]:
    refuse_unfit(Decimal, limits)

    def convert(text: str) -> object:
        refuse_no_number(text)
        number = msgspec.convert(text, Decimal)
        missed = beyond(number, limits)
        if missed is not None:
            raise ValueError(f"expected Decimal {missed}")
        return number

    return convert
