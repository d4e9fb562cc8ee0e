"""The models of pydantic: they validate themselves, and their errors are reported like all others.

msgspec reads the types around a model. If msgspec cannot read these types, pydantic reads the
whole type.
"""

import sys
from collections.abc import Callable, Iterator
from types import NoneType, UnionType
from typing import Any, Union, cast, get_origin

import msgspec

from framework.types.fields import as_plain, is_attrs_class, is_pydantic_model
from framework.types.json_checks import check_of
from framework.types.mismatches import ForeignModelError, Hook, bounded
from framework.types.parts import Part, parts_of
from framework.types.pydantic_errors import mismatches_of

# The types around models that pydantic reads as msgspec does.
_AROUND = (list, dict, tuple, set, frozenset, Union, UnionType, str, NoneType, ...)


def is_read_by_pydantic(annotation: Any) -> bool:
    """Return whether pydantic reads the whole type, and msgspec reads no part.

    Only msgspec reads its own limits, its own classes, and bytes in base64.
    """
    # A program that has a model has imported pydantic.
    if "pydantic" not in sys.modules:
        return False
    parts = list(parts_of(annotation))
    if not any(is_pydantic_model(part.kind) for part in parts):
        return False
    outside = [part for part in parts if not part.in_model and not is_pydantic_model(part.kind)]
    if any(map(_is_read_by_msgspec_only, outside)):
        return False
    if all((get_origin(part.kind) or part.kind) in _AROUND for part in outside):
        return True
    try:
        msgspec.json.Decoder(annotation)
    except TypeError:
        return True
    return False


def json_validator(annotation: Any) -> Callable[[bytes], object]:
    """Return the function that reads strict JSON into a type that contains pydantic models.

    The returned function raises `ForeignModelError` for a value that does not fit the type.
    `json_validator` raises TypeError at once if pydantic does not support the type.
    """
    validate, ends = _adapter(annotation).validate_json, _ends(annotation)
    return lambda body: _checked(lambda: ends(validate(body, strict=True)), of_texts=False)


def python_validator(annotation: Any) -> Callable[[object], object]:
    """Return the function that converts a value, such as a text, to a type with pydantic models."""
    validate, ends = _adapter(annotation).validate_python, _ends(annotation)
    return lambda value: _checked(lambda: ends(validate(value)), of_texts=True)


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


def json_hook(annotation: Any) -> Hook:
    """Return the hook that msgspec calls to make a pydantic model from JSON.

    The hook receives a model class of the annotation, and a value of strict JSON. It returns the
    model. Raises TypeError at once if pydantic cannot make a model.
    """
    validators = {kind: json_validator(kind) for kind in _models_in(annotation)}
    return lambda kind, value: validators[kind](msgspec.json.encode(value))


def python_hook(annotation: Any) -> Hook:
    """Return the hook that msgspec calls to make a pydantic model from a Python value.

    The hook receives a model class of the annotation, and a Python value. It returns the model.
    """
    validators = {kind: python_validator(kind) for kind in _models_in(annotation)}
    return lambda kind, value: validators[kind](value)


def _models_in(annotation: Any) -> Iterator[type]:
    """Yield each pydantic model inside a type, but not the models that are inside another model."""
    parts = (part for part in parts_of(annotation) if not part.in_model)
    return (part.kind for part in parts if is_pydantic_model(part.kind))


def _is_read_by_msgspec_only(part: Part) -> bool:
    kind = get_origin(part.kind) or part.kind
    is_struct = isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    return bool(part.limits) or kind is bytes or is_struct or is_attrs_class(kind)


def _ends(annotation: Any) -> Callable[[Any], object]:
    """Return a function that refuses a text if the `$` of its pattern matched before a line feed.

    The function returns any other value unchanged.
    """
    check = check_of(annotation, in_models=True)
    if check is None:
        return lambda value: value

    def ends(value: object) -> object:
        found = list(bounded(check(as_plain(value))))
        if found:
            raise ForeignModelError(found)
        return value

    return ends


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
