"""The fields of dataclasses, structs, typed dictionaries, attrs classes and pydantic models.

This module recognises pydantic models and attrs classes without importing these libraries.
"""

import dataclasses
import enum
import functools
import sys
from collections.abc import Iterator
from typing import (
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

from framework.types.members import substituted, types_of
from framework.types.signatures import annotated, annotated_names


class ObjectField(NamedTuple):
    """A field: its name in JSON or a form, its type, and the name of its constructor argument."""

    name: str
    annotation: Any
    required: bool
    argument: str


def fields_of(kind: Any) -> tuple[ObjectField, ...]:
    """List the fields of a class whose JSON is an object; any other type has an empty list.

    A generic class may have arguments, such as `Page[int]`.
    """
    origin = get_origin(kind) or kind
    if not isinstance(origin, type):
        return ()
    try:
        return _read_fields(kind)
    # The arguments of a generic class may have metadata that cannot be hashed.
    except TypeError:
        return _read_fields.__wrapped__(kind)


def members_of(kind: Any) -> list[tuple[str, Any]]:
    """Return the names and types of the fields of a class, even if its JSON is an array."""
    origin = get_origin(kind) or kind
    if not isinstance(origin, type):
        return []
    if issubclass(origin, msgspec.Struct):
        return [(field.name, field.annotation) for field in _of_struct(kind)]
    if issubclass(origin, tuple):
        hints, names = _hints(kind), getattr(origin, "_fields", ())
        return [(name, hints.get(name, Any)) for name in names]
    return [(field.name, field.annotation) for field in fields_of(kind)]


@functools.cache
def _read_fields(kind: Any) -> tuple[ObjectField, ...]:
    origin: Any = get_origin(kind) or kind
    if issubclass(origin, msgspec.Struct):
        return () if origin.__struct_config__.array_like else tuple(_of_struct(kind))
    if is_pydantic_model(origin):
        return tuple(_of_model(origin))
    if is_attrs_class(origin):
        return tuple(_of_attrs_class(kind))
    if dataclasses.is_dataclass(origin):
        return tuple(_of_dataclass(kind))
    return tuple(_of_typed_dict(kind)) if is_typeddict(origin) else ()


def is_pydantic_model(kind: object) -> bool:
    """Return whether a type is a pydantic model."""
    # A program that has a model has imported pydantic.
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def is_pydantic_field(value: object) -> bool:
    """Return whether a value is what pydantic's `Field(...)` returns."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(value, pydantic.fields.FieldInfo)


def is_attrs_class(kind: object) -> bool:
    """Return whether a type is an attrs class."""
    return isinstance(kind, type) and hasattr(kind, "__attrs_attrs__")


def attributes_of(kind: Any) -> Iterator[str]:
    """Yield the names of the attributes of an attrs class."""
    return (attribute.name for attribute in kind.__attrs_attrs__)


def as_plain(value: Any) -> object:
    """Return a copy with dicts in place of objects; other values keep their exact types."""
    kind = type(value)
    if kind is dict:
        return {as_plain(key): as_plain(item) for key, item in value.items()}
    if kind in (list, tuple, set, frozenset):
        return kind(map(as_plain, value))
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, msgspec.Struct):
        return _plain_struct(value)
    if is_pydantic_model(kind):
        return _plain_model(value)
    if is_attrs_class(kind):
        return {name: as_plain(getattr(value, name)) for name in attributes_of(kind)}
    if dataclasses.is_dataclass(kind):
        names = (field.name for field in dataclasses.fields(kind))
        return {name: as_plain(getattr(value, name)) for name in names}
    return value


def _plain_model(value: Any) -> dict[str, object]:
    """Return the fields of a model, under the names that its validation reads."""
    fields = type(value).model_fields.items()
    values = {_outer_name(name, field): getattr(value, name) for name, field in fields}
    values |= value.model_extra or {}
    return {name: as_plain(item) for name, item in values.items()}


def _outer_name(name: str, field: Any) -> str:
    alias = field.validation_alias
    return alias if isinstance(alias, str) else name


def _plain_struct(value: msgspec.Struct) -> object:
    """Return a struct as the dict or list that msgspec reads, with the tag and the JSON names."""
    config = value.__struct_config__
    values = [as_plain(getattr(value, name)) for name in value.__struct_fields__]
    if config.array_like:
        return values if config.tag is None else [config.tag, *values]
    named = zip(value.__struct_encode_fields__, values, strict=True)
    tag = {} if config.tag_field is None else {config.tag_field: config.tag}
    return {**tag, **{name: item for name, item in named if item is not msgspec.UNSET}}


def _of_struct(kind: type[msgspec.Struct]) -> Iterator[ObjectField]:
    for field in msgspec.structs.fields(kind):
        yield ObjectField(field.encode_name, field.type, field.required, field.name)


def _of_model(kind: Any) -> Iterator[ObjectField]:
    for name, field in kind.model_fields.items():
        outside = _outer_name(name, field)
        annotation = annotated(field.annotation, tuple(field.metadata))
        yield ObjectField(outside, annotation, field.is_required(), outside)


def _of_attrs_class(kind: Any) -> Iterator[ObjectField]:
    hints = _hints(kind)
    nothing = sys.modules["attr"].NOTHING
    for field in (get_origin(kind) or kind).__attrs_attrs__:
        if field.init:
            annotation = hints.get(field.name, Any)
            yield ObjectField(field.name, annotation, field.default is nothing, field.alias)


def _of_dataclass(kind: Any) -> Iterator[ObjectField]:
    hints = _hints(kind)
    missing = dataclasses.MISSING
    for field in dataclasses.fields(get_origin(kind) or kind):
        if field.init:
            required = field.default is missing and field.default_factory is missing
            yield ObjectField(field.name, hints[field.name], required, field.name)


def _of_typed_dict(kind: Any) -> Iterator[ObjectField]:
    required: frozenset[str] = (get_origin(kind) or kind).__required_keys__
    for name, hint in _hints(kind).items():
        marked = get_origin(hint) in (Required, NotRequired)
        annotation = get_args(hint)[0] if marked else hint
        yield ObjectField(name, annotation, name in required, name)


def _hints(kind: Any) -> dict[str, Any]:
    """Return the types of a class's attributes, with real types in place of type variables."""
    origin: Any = get_origin(kind) or kind
    hints = get_type_hints(origin, include_extras=True)
    types = types_of(kind)
    if not types:
        return hints
    # The nearest class that annotates an attribute decides its type.
    owners = {name: owner for owner in reversed(origin.__mro__) for name in annotated_names(owner)}
    return {
        name: substituted(hint, types.get(owners.get(name, origin), {}))
        for name, hint in hints.items()
    }
