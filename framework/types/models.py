"""Which types JSON can hold, as msgspec knows it, and the models of pydantic.

Pydantic models validate themselves, and their errors are reported like all other errors.
"""

import dataclasses
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Annotated, Any, cast, get_origin

import msgspec
from msgspec.inspect import CustomType, DataclassType

from framework.types.fields import attributes_of, is_attrs_class, is_pydantic_model
from framework.types.mismatches import Mismatch, bounded
from framework.types.pydantic_errors import mismatches_of
from framework.types.signatures import describe
from sessions.session import AsyncSession, Session

NOT_ENCODED = "a session belongs to its request, so it is not encoded"
COPY_OF_SESSION = "use the values that you need, or session.copy(), which is a plain dict"


class ForeignModelError(ValueError):
    """Hold the places where a model refuses a value."""

    def __init__(self, mismatches: Iterator[Mismatch]) -> None:
        super().__init__("a model refuses the value")
        self.mismatches = list(bounded(mismatches))


def json_validator(annotation: Any) -> Callable[[bytes], object]:
    """Return the function that reads strict JSON into a type with models inside.

    The function raises `ForeignModelError`. Raises TypeError at once if pydantic cannot hold the
    type.
    """
    validate = _adapter(annotation).validate_json
    return lambda body: _checked(lambda: validate(body, strict=True), of_texts=False)


def python_validator(annotation: Any) -> Callable[[object], object]:
    """Return the function that reads a Python value into such a type, and converts texts."""
    validate = _adapter(annotation).validate_python
    return lambda value: _checked(lambda: validate(value), of_texts=True)


def reads_text(annotation: Any, text: str) -> bool:
    """Return whether pydantic converts a text to a type; yes if the program has no pydantic."""
    if "pydantic" not in sys.modules:
        return True
    try:
        python_validator(annotation)(text)
    # A validator of the user's own may raise any error, and pydantic may not know the type.
    except Exception as error:  # noqa: BLE001
        return not isinstance(error, ForeignModelError)
    return True


def encodable(value: object) -> object:
    """Return a JSON value in place of a model; raise TypeError for any other object."""
    if isinstance(value, Session | AsyncSession):
        raise TypeError(f"{NOT_ENCODED}. Fix: {COPY_OF_SESSION}")
    if get_origin(value) is Annotated:
        name = describe(value)
        raise TypeError(
            f"{name} is the annotation of a parameter, and not a value. Fix: give the handler the"
            f" parameter `x: {name}`, and return x or a part of it"
        )
    if not is_pydantic_model(type(value)):
        raise TypeError(f"Encoding objects of type {type(value).__name__} is unsupported")
    return cast(Any, value).model_dump(mode="json", by_alias=True)


def type_info(annotation: Any) -> msgspec.inspect.Type:
    """Return msgspec's description of a type; raise msgspec's TypeError or NameError."""
    try:
        return _type_info(annotation)
    # The cache refuses an annotation whose metadata is not hashable.
    except TypeError:
        return msgspec.inspect.type_info(annotation)


def unsupported(annotation: Any) -> Any:
    """Return the first class that JSON cannot be converted to; None if there is no such class."""
    return next(iter(_custom_types(annotation)), None)


def holds_models(annotation: Any) -> bool:
    """Return whether the type contains pydantic models, and no other class unknown to msgspec."""
    strange = list(_custom_types(annotation))
    return bool(strange) and all(map(is_pydantic_model, strange))


def leaves_defaults_out(annotation: Any) -> bool:
    """Return whether a decoded value may lack the attributes of default values.

    For a default value, msgspec relies on the attribute of the class and sets none on the object.
    Then `vars()` and JSON do not show the attribute.
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


def _adapter(annotation: Any) -> Any:
    try:
        return _pydantic().TypeAdapter(annotation)
    # pydantic raises a RuntimeError or a NameError for a type; the first line says what is wrong.
    except (RuntimeError, NameError) as error:
        raise TypeError(str(error).partition("\n")[0]) from error


def _checked(validate: Callable[[], object], *, of_texts: bool) -> object:
    try:
        return validate()
    except ValueError as error:
        if not isinstance(error, _pydantic().ValidationError):
            raise
        raise ForeignModelError(mismatches_of(error, of_texts=of_texts)) from error


def _pydantic() -> Any:
    return cast(Any, sys.modules["pydantic"])


def _custom_types(annotation: Any) -> Iterator[Any]:
    return (node.cls for node in _nodes(annotation) if isinstance(node, CustomType))


# To read a class takes longer than the rest of a handler, and the fields of a class do not change.
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
