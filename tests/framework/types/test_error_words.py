"""One kind of error has one sentence, for every source and every library."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pydantic
import pytest

from framework import Body, Form, form, query
from tests.support.small_applications import asked, echo_of, marked, posted

URLENCODED = "application/x-www-form-urlencoded"


@dataclass
class Plain:
    x: Any


@dataclass
class Texts:
    x: Annotated[str, msgspec.Meta(min_length=3, max_length=4, pattern="^[a-z]")]


class Struct(msgspec.Struct):
    x: Annotated[str, msgspec.Meta(min_length=3, max_length=4, pattern="^[a-z]")]


class Model(pydantic.BaseModel):
    x: str = pydantic.Field(min_length=3, max_length=4, pattern="^[a-z]")


LIMITS: Any = {"min_length": 3, "max_length": 4, "pattern": "^[a-z]"}

# Each sends the text `x`, and returns the words of its error.
SOURCES: dict[str, Callable[[str], Any]] = {
    "query": lambda text: asked(echo_of(Annotated[str, query(**LIMITS)]), f"/?x={text}"),
    "form field": lambda text: _in_form(Annotated[str, form(**LIMITS)], text),
    "form of a dataclass": lambda text: _in_form(marked(Form, Texts), text),
    "form of a model": lambda text: _in_form(marked(Form, Model), text),
    "JSON of a dataclass": lambda text: _in_json(Texts, text),
    "JSON of a struct": lambda text: _in_json(Struct, text),
    "JSON of a model": lambda text: _in_json(Model, text),
}


def _in_form(annotation: Any, text: str) -> Any:
    return posted(echo_of(annotation), f"x={text}".encode(), URLENCODED)


def _in_json(kind: type, value: object) -> Any:
    return posted(echo_of(marked(Body, kind)), msgspec.json.encode({"x": value}))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a", "expected str of length >= 3, got 1 character"),
        ("ab", "expected str of length >= 3, got 2 characters"),
        ("abcde", "expected str of length <= 4, got 5 characters"),
        ("123", "expected str matching regex '^[a-z]'"),
    ],
)
def test_a_text_that_breaks_a_limit_has_one_sentence(source: str, text: str, words: str) -> None:
    """The sentence names the limit and the length, and does not show the text."""
    assert list(SOURCES[source](text).values()) == [words]


class Ages(pydantic.BaseModel):
    x: int = pydantic.Field(ge=1, lt=9)


class Prices(pydantic.BaseModel):
    x: float = pydantic.Field(gt=0.5, le=2.5)


class Names(pydantic.BaseModel):
    x: list[str] = pydantic.Field(min_length=1, max_length=2)


class Notes(pydantic.BaseModel):
    x: dict[str, str] = pydantic.Field(min_length=1, max_length=2)


@pytest.mark.parametrize(
    ("limited", "model", "value"),
    [
        (Annotated[int, msgspec.Meta(ge=1, lt=9)], Ages, 0),
        (Annotated[int, msgspec.Meta(ge=1, lt=9)], Ages, "1"),
        (Annotated[int, msgspec.Meta(ge=1, lt=9)], Ages, None),
        (Annotated[int, msgspec.Meta(ge=1, lt=9)], Ages, 1.5),
        (Annotated[float, msgspec.Meta(gt=0.5, le=2.5)], Prices, 0.5),
        (Annotated[float, msgspec.Meta(gt=0.5, le=2.5)], Prices, 3),
        (Annotated[float, msgspec.Meta(gt=0.5, le=2.5)], Prices, []),
        (Annotated[list[str], msgspec.Meta(min_length=1, max_length=2)], Names, []),
        (Annotated[list[str], msgspec.Meta(min_length=1, max_length=2)], Names, ["a"] * 3),
        (Annotated[list[str], msgspec.Meta(min_length=1, max_length=2)], Names, {}),
        (Annotated[dict[str, str], msgspec.Meta(min_length=1, max_length=2)], Notes, {}),
        (Annotated[dict[str, str], msgspec.Meta(min_length=1, max_length=2)], Notes, [1]),
    ],
)
def test_json_errors_of_models_and_dataclasses_have_the_same_words(
    limited: Any, model: type, value: object
) -> None:
    """A dataclass and a pydantic model with the same limits refuse a value in the same words."""
    beside = msgspec.defstruct("Beside", [("x", limited)])

    assert _in_json(model, value) == _in_json(beside, value)
    assert list(_in_json(model, value)) == ["body:/x"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "expected array of length >= 1, got 0 items"),
        (["a"] * 3, "expected array of length <= 2, got 3 items"),
    ],
)
def test_a_list_of_a_wrong_length_has_one_sentence(value: list[str], words: str) -> None:
    """The sentence names the limit and the number of items."""
    assert _in_json(Names, value) == {"body:/x": words}


@pytest.mark.parametrize("text", ["a", "0", "9", "1.5"])
def test_form_errors_of_models_and_dataclasses_have_the_same_words(text: str) -> None:
    """A wrong number in a form has one sentence, too."""
    beside = msgspec.defstruct("Beside", [("x", Annotated[int, msgspec.Meta(ge=1, le=8)])])

    class Model(pydantic.BaseModel):
        x: int = pydantic.Field(ge=1, le=8)

    assert _in_form(marked(Form, Model), text) == _in_form(marked(Form, beside), text)


def test_a_long_text_has_a_short_error() -> None:
    """An error never repeats a whole body."""
    numbers = marked(Body, Annotated[int, msgspec.Meta(ge=1)])
    words = [
        posted(echo_of(numbers), b"-" + b"1" * 18),
        posted(echo_of(marked(Form, int)), b"x=" + b"a" * 5000, URLENCODED),
        _in_json(msgspec.defstruct("Choice", [("x", Any)], forbid_unknown_fields=True), "a"),
    ]

    assert words[0] == {"body": f"expected int >= 1, got -{'1' * 18}"}
    assert words[1] == {"form:x": f"expected int, got '{'a' * 40}…'"}
