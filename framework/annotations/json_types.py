"""What msgspec knows about a type before any JSON comes, and where it needs help."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.inspect import CustomType, DataclassType

from framework.annotations.object_fields import attributes_of, is_attrs_class, is_pydantic_model


def unsupported(annotation: Any) -> Any:
    """Return a class inside the type that JSON cannot be converted to, None if there is none."""
    return next(iter(_custom_types(annotation)), None)


def holds_models(annotation: Any) -> bool:
    """Tell whether a model of pydantic is inside the type, and no other stranger."""
    strange = list(_custom_types(annotation))
    return bool(strange) and all(map(is_pydantic_model, strange))


def leaves_defaults_out(annotation: Any) -> bool:
    """Tell whether a decoded value may lack the attributes of default values.

    msgspec relies on the class for them. Then `vars()` does not show them, nor does JSON.
    """
    return any(
        isinstance(node, DataclassType)
        and any(field.default is not msgspec.NODEFAULT for field in node.fields)
        for node in _nodes(annotation)
    )


def fill_defaults(value: object) -> None:
    """Give each dataclass inside a decoded value the attributes of its default values."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list | tuple | set | frozenset):
            waiting += each
        elif isinstance(each, msgspec.Struct):
            waiting += [getattr(each, name) for name in each.__struct_fields__]
        elif is_attrs_class(type(each)):
            waiting += [getattr(each, name) for name in attributes_of(type(each))]
        elif dataclasses.is_dataclass(each):
            for field in dataclasses.fields(each):
                if field.default is not dataclasses.MISSING:
                    # Also where the dataclass is frozen: this is still its construction.
                    object.__setattr__(each, field.name, getattr(each, field.name))
                waiting.append(getattr(each, field.name, None))


def _custom_types(annotation: Any) -> Iterator[Any]:
    return (node.cls for node in _nodes(annotation) if isinstance(node, CustomType))


def _nodes(annotation: Any) -> Iterator[object]:
    """Yield the type and every type inside it; a type may contain itself."""
    seen: set[int] = set()
    waiting: list[object] = [msgspec.inspect.type_info(annotation)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting += node
        elif isinstance(node, msgspec.Struct) and id(node) not in seen:
            seen.add(id(node))
            yield node
            waiting += [getattr(node, name) for name in node.__struct_fields__]
