"""Every place where a JSON value does not fit its type; msgspec tells only the first."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple, get_args, get_origin

import msgspec

from framework.types.fields import ObjectField, fields_of
from framework.types.signatures import bare
from framework.validation import PLACE, REQUIRED, plain

_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<item>[^\]]+)\]")


class Mismatch(NamedTuple):
    """Hold an error and its place in a value, written as a JSON pointer (RFC 6901)."""

    pointer: str
    what: str


def mismatches(value: object, annotation: Any, pointer: str = "") -> Iterator[Mismatch]:
    """Yield each place of a JSON value that does not fit the type."""
    base, metadata = bare(annotation)
    kind = get_origin(base) or base
    if isinstance(value, list) and kind is list:
        yield from _by_msgspec(value, Annotated[list, "", *metadata], pointer)
        yield from _in_list(value, base, pointer)
    elif isinstance(value, dict) and kind is dict:
        yield from _by_msgspec(value, Annotated[dict, "", *metadata], pointer)
        yield from _in_dict(value, base, pointer)
    elif isinstance(value, dict) and (fields := fields_of(kind)):
        yield from _in_object(value, fields, pointer)
        yield from _unknown(value, fields, kind, pointer)
    else:
        yield from _by_msgspec(value, annotation, pointer)


def first_mismatch(error: msgspec.ValidationError) -> Mismatch:
    """Return the place and the error that msgspec names."""
    match = PLACE.search(str(error))
    steps = _STEP.finditer(match["path"]) if match else ()
    pointer = "".join(step(found["name"] or found["item"].replace("...", "*")) for found in steps)
    return Mismatch(pointer, plain(error))


def step(key: str) -> str:
    """Write one step of a JSON pointer (RFC 6901)."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _in_list(value: list[Any], base: Any, pointer: str) -> Iterator[Mismatch]:
    (item_type,) = get_args(base) or (Any,)
    for index, item in enumerate(value):
        yield from mismatches(item, item_type, f"{pointer}/{index}")


def _in_dict(value: dict[str, Any], base: Any, pointer: str) -> Iterator[Mismatch]:
    _, item_type = get_args(base) or (str, Any)
    for key, item in value.items():
        yield from mismatches(item, item_type, pointer + step(key))


def _in_object(
    value: dict[str, Any], fields: tuple[ObjectField, ...], pointer: str
) -> Iterator[Mismatch]:
    for field in fields:
        place = pointer + step(field.name)
        if field.name in value:
            yield from mismatches(value[field.name], field.annotation, place)
        elif field.required:
            yield Mismatch(place, REQUIRED)


def _unknown(
    value: dict[str, Any], fields: tuple[ObjectField, ...], kind: Any, pointer: str
) -> Iterator[Mismatch]:
    config = getattr(kind, "__struct_config__", None)
    if config is not None and config.forbid_unknown_fields:
        known = {config.tag_field, *(field.name for field in fields)}
        for key in value:
            if key not in known:
                yield Mismatch(pointer + step(key), "is not known")


def _by_msgspec(value: object, annotation: Any, pointer: str) -> Iterator[Mismatch]:
    try:
        msgspec.convert(value, annotation, str_keys=True)
    except msgspec.ValidationError as error:
        inner = first_mismatch(error)
        yield Mismatch(pointer + inner.pointer, inner.what)
