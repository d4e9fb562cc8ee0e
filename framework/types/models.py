"""Which types JSON can hold, as msgspec knows it, and the models of pydantic.

Those models validate themselves, and their errors are told like all others.
"""

import dataclasses
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, cast

import msgspec
from msgspec.inspect import CustomType, DataclassType

from framework.types.fields import attributes_of, is_attrs_class, is_pydantic_model
from framework.types.mismatches import Mismatch, step

# The errors of pydantic that have other words here.
_OUR_WORDS = {"missing": "is required", "extra_forbidden": "is not known"}
# The texts that pydantic puts before the words of a validator, and before its own.
_VALIDATOR = ("Value error, ", "Assertion failed, ")
_OWN = "Input should be "


class ForeignModelError(ValueError):
    """Say every place where a model refuses a value."""

    def __init__(self, mismatches: Iterator[Mismatch]) -> None:
        super().__init__("a model refuses the value")
        self.mismatches = list(mismatches)


def json_validator(annotation: Any) -> Callable[[bytes], object]:
    """Return the function that reads strict JSON into a type with models inside.

    It raises `ForeignModelError`. Raise TypeError, here and now, if pydantic cannot hold the type.
    """
    validate = _adapter(annotation).validate_json
    return lambda body: _checked(lambda: validate(body, strict=True))


def python_validator(annotation: Any) -> Callable[[object], object]:
    """Return the same function for Python values; texts in them are converted."""
    validate = _adapter(annotation).validate_python
    return lambda value: _checked(lambda: validate(value))


def encodable(value: object) -> object:
    """Return the JSON form of a model; raise TypeError for any other object."""
    if not is_pydantic_model(type(value)):
        raise TypeError(f"Encoding objects of type {type(value).__name__} is unsupported")
    return cast(Any, value).model_dump(mode="json")


def type_info(annotation: Any) -> msgspec.inspect.Type:
    """Return what msgspec knows about a type; raise TypeError or NameError as it does."""
    try:
        return _type_info(annotation)
    # The metadata of `Annotated` need not be hashable.
    except TypeError:
        return msgspec.inspect.type_info(annotation)


def unsupported(annotation: Any) -> Any:
    """Return a class inside the type that JSON cannot become, or None."""
    return next(iter(_custom_types(annotation)), None)


def holds_models(annotation: Any) -> bool:
    """Return whether the only unknown classes inside the type are models of pydantic."""
    strange = list(_custom_types(annotation))
    return bool(strange) and all(map(is_pydantic_model, strange))


def leaves_defaults_out(annotation: Any) -> bool:
    """Return whether a decoded value may lack the attributes of default values.

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
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list | tuple | set | frozenset):
            waiting += value
        elif isinstance(value, msgspec.Struct):
            waiting += [getattr(value, name) for name in value.__struct_fields__]
        elif is_attrs_class(type(value)):
            waiting += [getattr(value, name) for name in attributes_of(type(value))]
        elif dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                if field.default is not dataclasses.MISSING:
                    # This works for frozen dataclasses, too: their construction has not ended.
                    object.__setattr__(value, field.name, getattr(value, field.name))
                waiting.append(getattr(value, field.name, None))


def _adapter(annotation: Any) -> Any:
    try:
        return _pydantic().TypeAdapter(annotation)
    # What pydantic raises for types is a RuntimeError or a NameError, whose first line says it all.
    except (RuntimeError, NameError) as error:
        raise TypeError(str(error).partition("\n")[0]) from error


def _checked(validate: Callable[[], object]) -> object:
    try:
        return validate()
    except ValueError as error:
        if not isinstance(error, _pydantic().ValidationError):
            raise
        raise ForeignModelError(_mismatches(error)) from error


def _mismatches(error: Any) -> Iterator[Mismatch]:
    for failure in error.errors(include_url=False, include_context=False):
        pointer = "".join(step(str(part)) for part in failure["loc"])
        yield Mismatch(pointer, _OUR_WORDS.get(failure["type"]) or _words(failure["msg"]))


def _words(message: str) -> str:
    for prefix in _VALIDATOR:
        if message.startswith(prefix):
            return message.removeprefix(prefix)
    if message.startswith(_OWN):
        return f"expected {message.removeprefix(_OWN)}"
    return message[:1].lower() + message[1:]


def _pydantic() -> Any:
    return cast(Any, sys.modules["pydantic"])


def _custom_types(annotation: Any) -> Iterator[Any]:
    return (node.cls for node in _nodes(annotation) if isinstance(node, CustomType))


# Reading a class takes longer than all the rest of a handler, and its fields do not change.
@lru_cache(maxsize=2048)
def _type_info(annotation: Any) -> msgspec.inspect.Type:
    return msgspec.inspect.type_info(annotation)


def _nodes(annotation: Any) -> Iterator[object]:
    """Yield the type and every type inside it; a type may contain itself."""
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
