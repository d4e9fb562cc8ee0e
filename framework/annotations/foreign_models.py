"""Models of pydantic: they validate themselves, and every error of theirs is told as others are."""

import sys
from collections.abc import Callable, Iterator
from typing import Any, cast

from framework.annotations.mismatches import Mismatch, step
from framework.annotations.object_fields import is_pydantic_model

# What pydantic calls an error that has a word of ours.
_OUR_WORDS = {"missing": "is required", "extra_forbidden": "is not known"}
# What it puts before the words of a validator, and before its own.
_VALIDATOR = ("Value error, ", "Assertion failed, ")
_OWN = "Input should be "


class ForeignModelError(ValueError):
    """Tell every place where a model refuses a value."""

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
    """Return the same for a value that is no JSON; texts in it are converted."""
    validate = _adapter(annotation).validate_python
    return lambda value: _checked(lambda: validate(value))


def encodable(value: object) -> object:
    """Return what JSON can hold in place of a model; raise TypeError for what is none."""
    if not is_pydantic_model(type(value)):
        raise TypeError(f"Encoding objects of type {type(value).__name__} is unsupported")
    return cast(Any, value).model_dump(mode="json")


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
    for each in error.errors(include_url=False, include_context=False):
        pointer = "".join(step(str(part)) for part in each["loc"])
        yield Mismatch(pointer, _OUR_WORDS.get(each["type"]) or _words(each["msg"]))


def _words(message: str) -> str:
    for prefix in _VALIDATOR:
        if message.startswith(prefix):
            return message.removeprefix(prefix)
    if message.startswith(_OWN):
        return f"expected {message.removeprefix(_OWN)}"
    return message[:1].lower() + message[1:]


def _pydantic() -> Any:
    return cast(Any, sys.modules["pydantic"])
