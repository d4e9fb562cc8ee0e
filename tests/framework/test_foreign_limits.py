"""Limits of pydantic and annotated_types, which nothing reads outside of pydantic's models."""

from dataclasses import dataclass
from typing import Annotated, Any

import annotated_types
import msgspec
import pydantic
import pytest
from pydantic.dataclasses import dataclass as checked_dataclass

from framework import Body, Form, Header, Query, cookie, query, session_value
from tests.framework.trials import client_of, echo_of, only_problem_of, problems_of


@dataclass
class Order:
    amount: Annotated[int, pydantic.Field(ge=1)]


class Line(msgspec.Struct):
    orders: list[Order]
    above: "Line | None" = None


class Model(pydantic.BaseModel):
    amount: pydantic.PositiveInt


@checked_dataclass
class Checked:
    amount: pydantic.PositiveInt


@pytest.mark.parametrize(
    ("annotation", "instead"),
    [
        (Annotated[int, pydantic.Field(ge=1, lt=9)], "ge=1, lt=9"),
        (pydantic.PositiveInt, "gt=0"),
        (pydantic.PositiveInt | None, "gt=0"),
        (pydantic.conint(ge=3), "ge=3"),
        (list[Annotated[int, annotated_types.Ge(1)]], "ge=1"),
        (Annotated[list[int], annotated_types.Len(1, 3)], "min_length=1, max_length=3"),
        (Annotated[str, pydantic.StringConstraints(pattern="^a$")], "pattern='^a$'"),
        (Annotated[int, pydantic.Field(ge=1), query("n")], "ge=1"),
        (Annotated[int, annotated_types.Le(5), cookie("n")], "le=5"),
        (Header[pydantic.PositiveInt], "gt=0"),
        (Query[list[Annotated[int, pydantic.Field(ge=1)]]], "ge=1"),
        (Form[list[Annotated[int, pydantic.Field(ge=1)]]], "ge=1"),
        (Body[list[Annotated[int, pydantic.Field(ge=1)]]], "ge=1"),
        (Form[pydantic.PositiveInt], "gt=0"),
        (Form[Order], "ge=1"),
        (Body[list[pydantic.PositiveInt]], "gt=0"),
        (Body[dict[str, Line]], "ge=1"),
        (Body[Checked], "gt=0"),
        (Annotated[pydantic.PositiveInt, session_value("n")], "gt=0"),
    ],
)
def test_a_foreign_limit_is_a_problem(annotation: Any, instead: str) -> None:
    """What it should refuse would pass without a word."""
    problem = only_problem_of(echo_of(annotation))

    assert problem.what.startswith("the type of parameter 'x' has ")
    assert problem.what.endswith(", which limits nothing outside of pydantic's models")
    assert problem.remedy == (
        f"Write msgspec.Meta({instead}) in its place, or query({instead}) and the like."
    )


def test_a_foreign_limit_of_a_path_value_is_a_problem() -> None:
    """Also where the rule's converter makes the very type."""
    problem = only_problem_of(echo_of(pydantic.PositiveInt, path="/<int:x>"))

    assert problem.what.startswith("the type of parameter 'x' has Gt(gt=0), which")


@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[int, pydantic.AfterValidator(abs)],
        Annotated[int, pydantic.Field(alias="n")],
        Annotated[str, annotated_types.LowerCase],
    ],
)
def test_what_nothing_stands_for_is_left_to_the_handler(annotation: Any) -> None:
    """Neither validators nor aliases of pydantic have another name here."""
    assert only_problem_of(echo_of(annotation)).remedy == (
        "Leave it out, and check the value in the handler; or use a model of pydantic."
    )


@pytest.mark.parametrize(
    "annotation",
    [
        Body[Model],
        Body[Annotated[list[Model], annotated_types.Len(1)]],
        Form[Model],
        Form[Checked],
        Query[Annotated[int, msgspec.Meta(ge=1)]],
    ],
)
def test_what_pydantic_reads_is_no_problem(annotation: Any) -> None:
    """Models, and all that holds them, are validated by pydantic."""
    assert problems_of(echo_of(annotation)) == ()


def test_a_limit_around_models_is_one() -> None:
    """The list of models is pydantic's affair, too."""
    with client_of(echo_of(Body[Annotated[list[Model], annotated_types.Len(1)]])) as client:
        assert client.post("/", json=[]).status_code == 422
