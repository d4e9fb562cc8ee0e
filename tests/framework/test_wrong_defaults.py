"""Defaults of another type than their parameter's: a request without a value would show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, NewType, Protocol, TypedDict

import attrs
import msgspec
import pydantic
import pytest

from framework import Body, Form, Header, Query, guard, query, session_value
from framework.controllers import controller, get
from tests.framework.trials import echo_of, marked, only_problem_of, problems_of


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Word(StrEnum):
    ONE = "one"


@dataclass
class Cart:
    size: int = 0


class BigCart(Cart): ...


class Shape(TypedDict):
    size: int


class Model(pydantic.BaseModel):
    size: int = 0


@attrs.define
class Attrs:
    size: int = 0


class Struct(msgspec.Struct):
    size: int = 0


class Sized(Protocol):
    size: int


UserId = NewType("UserId", int)


def at(annotation: Any) -> Any:
    """Let an annotation be a value of the session."""
    return Annotated[annotation, session_value("x")]


@pytest.mark.parametrize(
    ("annotation", "default", "told"),
    [
        (int, "1", "'1', which is no int"),
        (Form[int], "x", "'x', which is no int"),
        (Query[int], 1.5, "1.5, which is no int"),
        (bool, 0, "0, which is no bool"),
        (str, ..., "Ellipsis, which is no str"),
        (Header[str], b"", "b'', which is no str"),
        (list[str], (), "(), which is no list[str]"),
        (list[int], ["1"], "['1'], which is no list[int]"),
        (Colour, "red", "'red', which is no Colour"),
        (Literal["a", "b"], "c", "'c', which is no Literal['a', 'b']"),
        (Literal[1, 2], True, "True, which is no Literal[1, 2]"),
        (datetime, date(2026, 1, 2), "datetime.date(2026, 1, 2), which is no datetime"),
        (int | None, "1", "'1', which is no int | None"),
        (UserId, "1", "'1', which is no UserId"),
        (marked(Body, Cart), {}, "{}, which is no Cart"),
        (marked(Body, Cart), Cart, ", which is no Cart"),
        (at(Model), {}, "{}, which is no Model"),
        (at(Shape), [], "[], which is no Shape"),
    ],
)
def test_a_default_of_another_type_is_a_problem(annotation: Any, default: Any, told: str) -> None:
    """Start-up shows it."""
    problem = only_problem_of(echo_of(annotation, default))

    assert problem.what.startswith("the default of parameter 'x' is ")
    assert problem.what.endswith(told)
    assert problem.remedy.startswith("Write a default of type ")


def test_none_is_a_default_of_optional_types_only() -> None:
    """The remedy is to say so."""
    problem = only_problem_of(echo_of(int, None))

    assert problem.what == "the default of parameter 'x' is None, which is no int"
    assert problem.remedy == "Write int | None, or leave the default out to require a value."


def test_the_default_of_a_guard_is_looked_at() -> None:
    """Its parameters are bound like a handler's."""

    class Paged:
        def check(self, page: Any) -> bool:
            return True

        check.__annotations__["page"] = int
        check.__defaults__ = ("1",)

    @controller("/")
    class Pages:
        @get("/")
        @guard(Paged)
        def show(self) -> None: ...

    assert only_problem_of(Pages).where.startswith("Paged.check (")


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (float, 1),
        (int, True),
        (int, Level.LOW),
        (str, Word.ONE),
        (date, datetime(2026, 1, 2)),
        (Colour | None, None),
        (Colour, Colour.RED),
        (Literal["a", 1] | None, 1),
        (UserId, 1),
        (list[str] | None, []),
        (list[UserId], [UserId(1)]),
        (Annotated[int, query(ge=1)], 0),
        (marked(Body, Cart), BigCart()),
        (marked(Body, list[int] | Struct), Struct()),
        (marked(Body, Model), Model()),
        (marked(Body, Attrs), Attrs()),
        (marked(Body, dict[str, int]), {}),
        (marked(Body, Any), 1),
        (at(Shape), {"size": 1}),
        (at(Sequence[int]), [1]),
        (at(Mapping[str, int]), {}),
    ],
)
def test_a_default_of_its_type_is_none(annotation: Any, default: Any) -> None:
    """Subclasses are of the type as well; and limits are for what clients send."""
    assert problems_of(echo_of(annotation, default)) == ()


def test_a_default_of_a_protocol_is_taken_as_it_is() -> None:
    """Only a type checker can tell."""
    from framework.annotations.fitting import fits

    assert fits(Cart(), Sized)
