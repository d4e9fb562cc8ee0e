"""Which types msgspec knows, and the attributes that msgspec leaves out of a dataclass."""

import dataclasses
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.inspect import CustomType, DataclassType

from framework.types.fields import attributes_of, is_attrs_class, is_pydantic_model


def type_info(annotation: Any) -> msgspec.inspect.Type:
    """Return msgspec's description of a type; raise msgspec's TypeError or NameError."""
    try:
        return _type_info(annotation)
    # The cache refuses an annotation whose metadata is not hashable.
    except TypeError:
        return msgspec.inspect.type_info(annotation)


def unknown_classes(annotation: Any) -> Iterator[Any]:
    """Search a type for classes that msgspec and pydantic cannot read or write."""
    kinds = (node.cls for node in _nodes(annotation) if isinstance(node, CustomType))
    return (kind for kind in kinds if not is_pydantic_model(kind))


def leaves_defaults_out(annotation: Any) -> bool:
    """Return whether msgspec can leave attributes out of a decoded dataclass.

    If the data do not contain a field with a default value, msgspec sets no attribute on the
    object, because the class has this attribute. Then `vars()` and JSON do not show the field.
    """
    return any(
        isinstance(node, DataclassType)
        and any(field.default is not msgspec.NODEFAULT for field in node.fields)
        for node in _nodes(annotation)
    )


def fill_defaults(value: object) -> None:
    """In each dataclass inside a decoded value, set missing attributes to their default values."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list | tuple | set | frozenset):
            waiting += item
        elif isinstance(item, msgspec.Struct):
            waiting += [getattr(item, name) for name in item.__struct_fields__]
        elif is_attrs_class(type(item)):
            waiting += [getattr(item, name) for name in attributes_of(type(item))]
        elif dataclasses.is_dataclass(item):
            for field in dataclasses.fields(item):
                if field.default is not dataclasses.MISSING:
                    # A frozen dataclass may be changed here, because it is still being built.
                    object.__setattr__(item, field.name, getattr(item, field.name))
                waiting.append(getattr(item, field.name, None))


# To read a class takes longer than the rest of a handler, and the fields of a class do not change.
@lru_cache(maxsize=2048)
def _type_info(annotation: Any) -> msgspec.inspect.Type:
    return msgspec.inspect.type_info(annotation)


def _nodes(annotation: Any) -> Iterator[object]:
    """Yield msgspec's description of the type and of every type inside it, each once."""
    seen: set[int] = set()
    waiting: list[object] = [type_info(annotation)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting += node
        elif isinstance(node, msgspec.Struct) and id(node) not in seen:
            seen.add(id(node))
            yield node
            waiting += [getattr(node, name) for name in node.__struct_fields__]
