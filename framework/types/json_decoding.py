"""Decode JSON into typed values for `Body[T]`, or refuse the request with 400 or 422.

The status is 422, with all errors, if values do not fit the type. It is 400 for any other wrong
body.
"""

from collections.abc import Callable, Iterable, Iterator
from json import JSONDecoder
from typing import Any

import msgspec
from werkzeug.exceptions import BadRequest

from framework.types.hash_floods import HashFloodError, flood_check
from framework.types.json_checks import Check, check_of
from framework.types.mismatches import (
    ForeignModelError,
    Hook,
    Mismatch,
    bounded,
    first_mismatches,
    mismatches,
)
from framework.types.models import (
    is_read_by_pydantic,
    json_hook,
    json_validator,
)
from framework.types.msgspec_types import fill_defaults, leaves_defaults_out
from framework.types.unreadable import refuse_unreadable
from framework.validation import FieldError, InvalidRequest, plain, shortened

Decode = Callable[[bytes], object]

# With each error, pydantic keeps a copy of the keys above the wrong value. A megabyte with a long
# key above many wrong values would fill the memory.
_LONGEST_KEY = 500


def json_decoder(annotation: Any, where: str) -> Decode:
    """Return the function that decodes strict JSON, or raises an HTTP error.

    The error is 422, with all errors, if values do not fit the type. It is 400 for any other wrong
    body. `json_decoder` raises `UnreadableType`, a TypeError, at once if JSON cannot hold the type.
    """
    kind = _model_decoder if is_read_by_pydantic(annotation) else _decoder
    decode, refuse_flood = kind(annotation, where), flood_check(annotation)
    return decode if refuse_flood is None else _guarded(refuse_flood, decode)


def field_errors(where: str, found: Iterable[Mismatch]) -> list[FieldError]:
    """Return an error for each value that does not fit; `where` is the source, such as "form"."""
    return [
        FieldError(f"{where}:{mismatch.pointer}".rstrip(":"), mismatch.what) for mismatch in found
    ]


def _guarded(refuse_flood: Callable[[object], None], decode: Decode) -> Decode:
    def guarded(body: bytes) -> object:
        try:
            refuse_flood(msgspec.json.decode(body))
        except HashFloodError as error:
            raise BadRequest(f"The body is refused: {error}.") from error
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise _malformed(error) from error
        return decode(body)

    return guarded


def _decoder(annotation: Any, where: str) -> Decode:
    refuse_unreadable(annotation, "JSON")
    hook = json_hook(annotation)
    decoder = msgspec.json.Decoder(annotation, dec_hook=hook)
    fills, check = leaves_defaults_out(annotation), check_of(annotation)

    def decode(body: bytes) -> object:
        try:
            value = decoder.decode(body)
            parsed = _refuse_duplicate_keys(body.decode())
            found = [] if check is None else [*bounded(check(parsed))]
        except msgspec.ValidationError as error:
            found = [*bounded(_mismatches(body, annotation, hook, check))]
            found = found or [*first_mismatches(error)]
            raise InvalidRequest(field_errors(where, found)) from error
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise _malformed(error) from error
        if found:
            raise InvalidRequest(field_errors(where, found))
        if fills:
            fill_defaults(value)
        return value

    return decode


def _model_decoder(annotation: Any, where: str) -> Decode:
    validate = json_validator(annotation)

    def decode(body: bytes) -> object:
        try:
            msgspec.json.decode(body)
            _refuse_unfit_keys(body.decode())
            return validate(body)
        except ForeignModelError as error:
            raise InvalidRequest(field_errors(where, error.mismatches)) from error
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise _malformed(error) from error

    return decode


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    parsed = dict(pairs)
    if len(parsed) == len(pairs):
        return parsed
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise ValueError(f"the key {shortened(name)!r} appears twice")
        seen.add(name)
    return parsed


def _refuse_duplicates_and_long_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    for name, _ in pairs:
        if len(name) > _LONGEST_KEY:
            raise ValueError(
                f"the key {shortened(name)!r} is longer than {_LONGEST_KEY} characters"
            )
    return _refuse_duplicates(pairs)


def _key_reader(
    hook: Callable[[list[tuple[str, object]]], dict[str, object]],
) -> Callable[[str], Any]:
    # Numbers stay texts, which is faster, and the text of a decimal can be checked.
    return JSONDecoder(object_pairs_hook=hook, parse_int=str, parse_float=str).decode


# msgspec keeps the last of two equal keys without an error, so these read the keys again.
_refuse_duplicate_keys = _key_reader(_refuse_duplicates)
_refuse_unfit_keys = _key_reader(_refuse_duplicates_and_long_keys)


def _mismatches(
    body: bytes, annotation: Any, hook: Hook, check: Check | None
) -> Iterator[Mismatch]:
    """Yield each mismatch in a body.

    The result is empty if every value fits its type, but `__post_init__` refuses the whole object.
    The result is also empty if the wrong value comes after the values that `mismatches` searches.
    """
    try:
        value = msgspec.json.decode(body)
        parsed = _refuse_duplicate_keys(body.decode())
        yield from mismatches(value, annotation, hook)
        yield from check(parsed) if check else ()
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise _malformed(error) from error


def _malformed(error: Exception) -> BadRequest:
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else plain(error)
    return BadRequest(f"The body is not valid JSON: {reason}.")
