"""Where a JSON value and a type do not fit: every place, where msgspec tells the first."""

import dataclasses
import functools
import re
from collections.abc import Iterator
from typing import (
    Annotated,
    Any,
    NamedTuple,
    NotRequired,
    Required,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import msgspec

from framework.signatures import bare

_WHERE = re.compile(r" - at (?:`key` in )?`\$(?P<path>.*)`$")
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<item>[^\]]+)\]")


class Mismatch(NamedTuple):
    """Point into a value, as RFC 6901 does, and say what is wrong there."""

    pointer: str
    what: str


class _Field(NamedTuple):
    name: str
    annotation: Any
    required: bool


def mismatches(value: object, annotation: Any, pointer: str = "") -> Iterator[Mismatch]:
    """Yield each place of a JSON value that does not fit the type."""
    base, metadata = bare(annotation)
    kind = get_origin(base) or base
    if isinstance(value, list) and kind is list:
        yield from _told(value, Annotated[list, "", *metadata], pointer)
        yield from _in_list(value, base, pointer)
    elif isinstance(value, dict) and kind is dict:
        yield from _told(value, Annotated[dict, "", *metadata], pointer)
        yield from _in_dict(value, base, pointer)
    elif isinstance(value, dict) and (fields := _fields(kind)):
        yield from _in_object(value, fields, pointer)
        yield from _unknown(value, fields, kind, pointer)
    else:
        yield from _told(value, annotation, pointer)


def first_mismatch(error: msgspec.ValidationError) -> Mismatch:
    """Read the one place that msgspec names."""
    match = _WHERE.search(str(error))
    steps = _STEP.finditer(match["path"]) if match else ()
    pointer = "".join(_step(step["name"] or step["item"].replace("...", "*")) for step in steps)
    return Mismatch(pointer, plain(error))


def plain(error: Exception) -> str:
    """Return the words of an error without msgspec's place and markup."""
    words = _WHERE.sub("", str(error)).replace("`", "").removeprefix("JSON is malformed: ")
    return words[:1].lower() + words[1:]


def _in_list(value: list[Any], base: Any, pointer: str) -> Iterator[Mismatch]:
    (item,) = get_args(base) or (Any,)
    for index, each in enumerate(value):
        yield from mismatches(each, item, f"{pointer}/{index}")


def _in_dict(value: dict[str, Any], base: Any, pointer: str) -> Iterator[Mismatch]:
    _, item = get_args(base) or (str, Any)
    for key, each in value.items():
        yield from mismatches(each, item, pointer + _step(key))


def _in_object(
    value: dict[str, Any], fields: tuple[_Field, ...], pointer: str
) -> Iterator[Mismatch]:
    for field in fields:
        place = pointer + _step(field.name)
        if field.name in value:
            yield from mismatches(value[field.name], field.annotation, place)
        elif field.required:
            yield Mismatch(place, "is required")


def _unknown(
    value: dict[str, Any], fields: tuple[_Field, ...], kind: Any, pointer: str
) -> Iterator[Mismatch]:
    config = getattr(kind, "__struct_config__", None)
    if config is not None and config.forbid_unknown_fields:
        known = {config.tag_field, *(field.name for field in fields)}
        for key in value:
            if key not in known:
                yield Mismatch(pointer + _step(key), "is not known")


def _told(value: object, annotation: Any, pointer: str) -> Iterator[Mismatch]:
    try:
        msgspec.convert(value, annotation, str_keys=True)
    except msgspec.ValidationError as error:
        inner = first_mismatch(error)
        yield Mismatch(pointer + inner.pointer, inner.what)


@functools.cache
def _fields(kind: Any) -> tuple[_Field, ...]:
    """List the fields of a class whose JSON is an object; nothing for any other type."""
    if not isinstance(kind, type):
        return ()
    if issubclass(kind, msgspec.Struct):
        found = () if kind.__struct_config__.array_like else msgspec.structs.fields(kind)
        return tuple(_Field(each.encode_name, each.type, each.required) for each in found)
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind, include_extras=True)
        return tuple(_dataclass_field(each, hints) for each in dataclasses.fields(kind))
    if is_typeddict(kind):
        required: frozenset[str] = getattr(kind, "__required_keys__", frozenset())
        hints = get_type_hints(kind, include_extras=True)
        return tuple(_Field(key, _required(hint), key in required) for key, hint in hints.items())
    return ()


def _dataclass_field(field: "dataclasses.Field[Any]", hints: dict[str, Any]) -> _Field:
    missing = dataclasses.MISSING
    required = field.default is missing and field.default_factory is missing
    return _Field(field.name, hints[field.name], required)


def _required(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) in (Required, NotRequired) else hint


def _step(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")
