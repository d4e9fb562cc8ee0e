"""Text and JSON → typed values: which types the query, headers and forms can hold, and how.

SCALARS and TEXTS list the types that a text can become, such as those of the query.
"""

import enum
import functools
import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from json import JSONDecoder
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import msgspec
from werkzeug.exceptions import BadRequest

from framework.types.limits import beyond, refuse_unfit
from framework.types.mismatches import Mismatch, bounded, first_mismatch, mismatches
from framework.types.models import (
    ForeignModelError,
    fill_defaults,
    holds_models,
    json_validator,
    leaves_defaults_out,
    unsupported,
)
from framework.types.signatures import annotated, bare, describe
from framework.validation import (
    FieldError,
    InvalidRequest,
    UnshownTextError,
    limit_told,
    plain,
    shortened,
)

# The types of a parameter without a marker; any other type needs a marker or a component.
SCALARS = frozenset({str, int, float, bool, UUID, date, datetime})
# The types of a text with a marker.
TEXTS = SCALARS | {Decimal, time, timedelta}

# The errors of a text converter; in older versions of msgspec, its error is not a ValueError.
CONVERSION_ERRORS = (ValueError, msgspec.ValidationError)

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_SURROGATE = re.compile("[\ud800-\udfff]")
# A time without seconds: inputs of the types `datetime-local` and `time` leave out zero seconds.
_WITHOUT_SECONDS = re.compile(r"^((?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d)(Z|[+-]\d\d:\d\d)?$", re.ASCII)


def is_scalar(annotation: Any, types: frozenset[type] = SCALARS) -> bool:
    """Return whether one text can hold a value of the type, apart from None."""
    base, _ = bare(annotation)
    if get_origin(base) is Literal:
        return True
    return isinstance(base, type) and (base in types or issubclass(base, enum.Enum))


def list_item(annotation: Any) -> Any:
    """Return `T` of `list[T]` or `list[T] | None`; None for any other type."""
    base, _ = bare(annotation)
    return get_args(base)[0] if get_origin(base) is list else None


def text_converter(annotation: Any) -> Callable[[str], object]:
    """Return the function that converts a text or raises one of `CONVERSION_ERRORS`.

    Raises TypeError at once if no text can hold the type, or if its limits do not fit the type.
    """
    if not is_scalar(annotation, TEXTS):
        raise TypeError(f"no text holds a value of type {describe(annotation)}")
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
        return _limited_string(limited) if limits else _string
    convert = functools.partial(msgspec.convert, type=limited, strict=False)
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


def json_decoder(annotation: Any, where: str) -> Callable[[bytes], object]:
    """Return the function that decodes strict JSON, or raises 400, or 422 with all errors.

    Raises TypeError at once if JSON cannot hold the type.
    """
    if holds_models(annotation):
        return _model_decoder(annotation, where)
    foreign = unsupported(annotation)
    if foreign is not None:
        raise TypeError(f"JSON cannot be converted to {describe(foreign)}")
    decoder = msgspec.json.Decoder(annotation)
    fills = leaves_defaults_out(annotation)

    def decode(body: bytes) -> object:
        try:
            value = decoder.decode(body)
            _refuse_duplicate_keys(body.decode())
        except msgspec.ValidationError as error:
            raise InvalidRequest(_errors(body, annotation, where, error)) from error
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise _malformed(error) from error
        if fills:
            fill_defaults(value)
        return value

    return decode


def field_errors(where: str, found: Iterable[Mismatch]) -> list[FieldError]:
    """Return the field errors of the mismatches in one source."""
    return [
        FieldError(f"{where}:{mismatch.pointer}".rstrip(":"), mismatch.what) for mismatch in found
    ]


def _model_decoder(annotation: Any, where: str) -> Callable[[bytes], object]:
    validate = json_validator(annotation)

    def decode(body: bytes) -> object:
        try:
            msgspec.json.decode(body)
            _refuse_duplicate_keys(body.decode())
            return validate(body)
        except ForeignModelError as error:
            raise InvalidRequest(field_errors(where, error.mismatches)) from error
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise _malformed(error) from error

    return decode


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
    # Surrogates stand for bytes that are not UTF-8.
    if not text.isascii() and _SURROGATE.search(text):
        raise UnshownTextError("expected UTF-8")
    return text


def _limited_string(limited: Any) -> Callable[[str], object]:
    def convert(text: str) -> object:
        try:
            return msgspec.convert(_string(text), limited)
        except msgspec.ValidationError as error:
            raise UnshownTextError(limit_told(plain(error), text)) from error

    return convert


def _timed(convert: Callable[[str], object]) -> Callable[[str], object]:
    """Accept a time without seconds, as forms send (HTML, "valid time string"), unlike JSON."""

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
        number = msgspec.convert(text, Decimal, strict=False)
        if not number.is_finite():
            raise ValueError("expected a finite number")
        missed = beyond(number, limits)
        if missed is not None:
            raise ValueError(f"expected Decimal {missed}")
        return number

    return convert


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) == len(pairs):
        return
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise ValueError(f"the key {shortened(name)!r} appears twice")
        seen.add(name)


# msgspec keeps the last of two equal keys without an error, so this reads the keys again.
_refuse_duplicate_keys = JSONDecoder(
    object_pairs_hook=_refuse_duplicates, parse_int=str, parse_float=str
).decode


def _errors(
    body: bytes, annotation: Any, where: str, first: msgspec.ValidationError
) -> list[FieldError]:
    try:
        value = msgspec.json.decode(body)
        _refuse_duplicate_keys(body.decode())
        found = list(bounded(mismatches(value, annotation)))
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise _malformed(error) from error
    # The whole type may be stricter than its parts, for example with a `__post_init__`, and the
    # search may end before the value that msgspec found.
    found = found or [first_mismatch(first)]
    return field_errors(where, found)


def _malformed(error: Exception) -> BadRequest:
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else plain(error)
    return BadRequest(f"The body is not valid JSON: {reason}.")
