"""Types that JSON cannot be converted to: the message names the part and a remedy."""

from collections.abc import Iterator
from dataclasses import InitVar, dataclass, field, make_dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypedDict, TypeVar

import attrs
import pydantic
import pytest
from msgspec import Struct
from werkzeug.datastructures import FileStorage

from framework import Body, controller, post, session_value
from tests.support.small_applications import echo_of, marked, only_problem_of, posted

T = TypeVar("T")


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]


@dataclass
class Car:
    kind: Literal["car"]


@dataclass
class Bus:
    kind: Literal["bus"]


class CarStruct(Struct):
    seats: int


class BusStruct(Struct):
    seats: int


@attrs.define
class CarAttrs:
    seats: int


@attrs.define
class BusAttrs:
    seats: int


class CarDict(TypedDict):
    seats: int


class BusDict(TypedDict):
    doors: int


class CatLine(TypedDict):
    pet: Cat


@dataclass
class Keeper:
    pet: Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]
    since: int = 0


@pytest.mark.parametrize(
    ("annotation", "body", "answer"),
    [
        (Cat | Dog, '{"kind": "cat"}', {"kind": "cat", "lives": 9}),
        (
            Annotated[Cat | Dog, pydantic.Field(discriminator="kind")],
            '{"kind": "dog"}',
            {"kind": "dog"},
        ),
        (Cat | Dog | None, "null", None),
        (list[Cat | Dog], '[{"kind": "dog"}]', [{"kind": "dog"}]),
        (dict[str, Cat | Dog], '{"a": {"kind": "dog"}}', {"a": {"kind": "dog"}}),
        (tuple[Cat | Dog, ...], '[{"kind": "dog"}]', [{"kind": "dog"}]),
        (Cat | int, "5", 5),
        (Cat | Car, '{"kind": "car"}', {"kind": "car"}),
        (Keeper, '{"pet": {"kind": "dog"}}', {"pet": {"kind": "dog"}, "since": 0}),
    ],
)
def test_a_union_of_models_is_read(annotation: Any, body: str, answer: Any) -> None:
    """Pydantic chooses the model."""
    assert posted(echo_of(marked(Body, annotation)), body.encode()) == answer


def test_the_errors_of_a_union_of_models_have_their_place() -> None:
    """The error names the field that distinguishes the models."""
    annotation = list[Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]]

    errors = posted(echo_of(marked(Body, annotation)), b'[{"kind": "cow"}, {"kind": "cat"}]')

    assert list(errors) == ["body:/0"]


@pytest.mark.parametrize(
    ("union", "names"),
    [
        (Car | Bus, "Car and Bus"),
        (list[Car | Bus], "Car and Bus"),
        (Car | Bus | None, "Car and Bus"),
        (CarStruct | BusStruct, "CarStruct and BusStruct"),
        (CarAttrs | BusAttrs, "CarAttrs and BusAttrs"),
        (CarDict | BusDict, "CarDict and BusDict"),
        (make_dataclass("Trip", [("by", Car | Bus)]), "Car and Bus"),
    ],
)
def test_a_union_of_classes_is_refused_with_a_remedy(union: Any, names: str) -> None:
    """The remedy is a struct with a tag."""
    problem = only_problem_of(echo_of(marked(Body, union)))

    assert "because nothing tells the classes apart" in problem.what
    assert problem.remedy.startswith(f"Make {names} structs with tags, as in `class ")


def test_the_remedy_for_a_union_works() -> None:
    """Structs with tags are read."""

    class First(Struct, tag=True):
        a: int

    class Second(Struct, tag=True):
        a: int

    assert posted(echo_of(marked(Body, First | Second)), b'{"type": "Second", "a": 1}')["a"] == 1


def test_a_union_of_models_in_a_struct_is_refused() -> None:
    """Pydantic cannot read the struct, and msgspec cannot choose the model."""

    class Line(Struct):
        pet: Cat | Dog

    problem = only_problem_of(echo_of(marked(Body, Line)))

    assert problem.what.endswith(
        "JSON cannot be converted to Cat | Dog, because nothing tells the classes apart; it is the"
        " type of Line.pet"
    )
    assert problem.remedy == (
        "Make Cat and Dog pydantic models, and the class that holds the union, too."
    )


@pytest.mark.parametrize(
    ("make", "body"),
    [
        (lambda: type("Line", (Struct,), {"__annotations__": {"pet": Cat}}), '{"pet": %s}'),
        (lambda: attrs.make_class("Line", {"pet": attrs.field(type=Cat)}), '{"pet": %s}'),
        (lambda: CatLine, '{"pet": %s}'),
        (lambda: make_dataclass("Line", [("pet", Cat | None)]), '{"pet": %s}'),
        (lambda: dict[str, tuple[int, Cat]], '{"pet": [1, %s]}'),
    ],
)
def test_a_model_may_be_in_every_kind_of_class(make: Any, body: str) -> None:
    """The model validates itself inside the class."""
    echo = echo_of(marked(Body, make()))

    good = posted(echo, (body % '{"kind": "cat"}').encode())
    bad = posted(echo, (body % '{"kind": "dog"}').encode())

    assert good["pet"] in ({"kind": "cat", "lives": 9}, [1, {"kind": "cat", "lives": 9}])
    assert [place for place in bad if place.endswith("/kind")]


@dataclass
class Order:
    first: int
    second: str = ""
    third: list[object] = field(default_factory=list)


@dataclass
class WithInit:
    size: int
    unit: InitVar[str] = "m"


@dataclass
class Page(Generic[T]):
    items: list[T]


class Thing: ...


class Table(Struct):
    rows: list[dict[str, Order]]


JSON = None | int | str | list["JSON"] | dict[str, "JSON"]


@dataclass
class Event:
    data: JSON = None


@pytest.mark.parametrize(
    ("annotation", "what", "remedy"),
    [
        (object, "object", "Write Any, which takes every JSON value."),
        (Order, "object; it is the type of Order.third", "Write Any, "),
        (Table, "object; it is the type of Order.third", "Write Any, "),
        (dict[str, Table | None], "object; it is the type of Order.third", "Write Any, "),
        (Page[Thing], "Thing; it is the type of Page[Thing].items", "Write a type that JSON has"),
        (WithInit, "WithInit, a dataclass with the InitVar unit", "Make the InitVar an ordinary"),
        (Page[WithInit], "WithInit, a dataclass with the InitVar unit; it is", "Make the InitVar"),
        (Iterator[int], "Iterator[int]", "Write a type that JSON has, such as str"),
        (list[Path], "Path", "Write a type that JSON has, such as str, and make the Path in the"),
        (list[FileStorage], "FileStorage", "Read uploaded files from a form"),
        (str | bytes, "str | bytes: ", "Write one of the types, or Any."),
    ],
)
def test_the_class_and_the_field_that_cannot_be_read_are_named(
    annotation: Any, what: str, remedy: str
) -> None:
    """The message names the class and the field, at any depth."""
    problem = only_problem_of(echo_of(marked(Body, annotation)))

    assert problem.what.startswith(
        f"parameter 'x' cannot be read from the body: JSON cannot be converted to {what}"
    )
    assert problem.remedy.startswith(remedy)


@controller("/")
class Documents:
    @post("/")
    def add(self, document: Body[list[JSON]]) -> None: ...


@pytest.mark.parametrize(
    ("echo", "place"),
    [(Documents, ""), (echo_of(Body[Event]), "; it is the type of Event.data")],
)
def test_an_alias_that_contains_itself_is_refused_with_any(echo: type, place: str) -> None:
    """The remedy is `Any`, and it works."""
    problem = only_problem_of(echo)

    assert problem.what.endswith(
        f"JSON cannot be converted to JSON, an alias that contains itself{place}"
    )
    assert problem.remedy.startswith("Write Any in its place inside the alias")
    assert posted(echo_of(marked(Body, list[Any] | dict[str, Any])), b'{"a": [1]}') == {"a": [1]}


def test_a_session_value_names_the_class_and_the_field_that_cannot_be_read() -> None:
    """A value of the session has the same message."""
    problem = only_problem_of(echo_of(Annotated[Order, session_value("x")]))

    assert problem.what == (
        "parameter 'x' cannot be a value of the session: a stored value cannot be converted to"
        " object; it is the type of Order.third"
    )
