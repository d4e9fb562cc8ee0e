"""Limits that are invalid, that no value can meet, or that do not fit their type."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import annotated_types
import msgspec
import pydantic
import pytest
from pydantic.dataclasses import dataclass as checked_dataclass

from framework import Body, Form, Header, Query, cookie, form, header, query, session_value
from tests.support.small_applications import (
    client_of,
    echo_of,
    marked,
    only_problem_of,
    problems_of,
)


class Colour(Enum):
    RED = "red"


LIMITS: dict[str, tuple[dict[str, Any], str]] = {
    "a pattern": (
        {"pattern": "("},
        "pattern='(', which is not a regular expression: missing ), unterminated subpattern",
    ),
    "a pattern of bytes": ({"pattern": b"a"}, "pattern=b'a', which is not a text"),
    "a text": ({"ge": "2"}, "ge='2', which is not a number"),
    "a bool": ({"lt": True}, "lt=True, which is not a number"),
    "no finite number": ({"le": float("nan")}, "le=nan, which limits nothing"),
    "a number beyond all": ({"gt": -(10**400)}, f"gt=-1{'0' * 400}, which limits nothing"),
    "a pattern without an end": (
        {"pattern": "a{99999999999}"},
        "pattern='a{99999999999}', which is not a regular expression: the repetition number",
    ),
    "a negative length": ({"min_length": -1}, "min_length=-1, which is not a length"),
    "half a length": ({"max_length": 1.5}, "max_length=1.5, which is not a length"),
    "a list": ({"ge": []}, "ge=[], which is not a number"),
    "two of one side": ({"ge": 1, "gt": 2}, "both ge and gt"),
    "an empty range": ({"ge": 5, "le": 2}, "ge=5 and le=2, which no value meets"),
    "an open range": ({"gt": 5, "le": 5}, "gt=5 and le=5, which no value meets"),
    "a range that is open above": ({"ge": 5, "lt": 5}, "ge=5 and lt=5, which no value meets"),
    "an empty range of lengths": (
        {"min_length": 3, "max_length": 2},
        "min_length=3 and max_length=2, which no value meets",
    ),
}


@pytest.mark.parametrize("marker", [query, header, cookie, form])
@pytest.mark.parametrize(("limits", "what"), LIMITS.values(), ids=LIMITS)
def test_an_invalid_limit_is_a_problem(marker: Any, limits: dict[str, Any], what: str) -> None:
    """Start-up shows the value that is not a limit."""
    problem = only_problem_of(echo_of(Annotated[str, marker(**limits)]))

    assert problem.where.startswith("Echo.echo (")
    assert problem.what.startswith(f"{marker.__name__}() of parameter 'x' has {what}")


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("gte", "Did you mean 'ge'? "),
        ("min", "Did you mean 'ge'? "),
        ("maximum", "Did you mean 'le'? "),
        ("minlength", "Did you mean 'min_length'? "),
        ("regex", "Did you mean 'pattern'? "),
        ("max_lenght", "Did you mean 'max_length'? "),
        ("default", "Write the default after the annotation, as in x: int = 1. "),
        ("name", 'The name is the first argument, as in query("page_size"). '),
        ("xylophone", ""),
    ],
)
def test_unknown_limits_are_a_problem(name: str, guess: str) -> None:
    """The problem lists the limits, and suggests the one that another library calls so."""
    limits: Any = {name: 1}
    problem = only_problem_of(echo_of(Annotated[int, query(**limits)]))

    assert problem.what == f"query() of parameter 'x' has no limit {name!r}"
    limits_are = "The limits are ge, gt, le, lt, min_length, max_length and pattern."
    assert problem.remedy == f"{guess}{limits_are}"


@pytest.mark.parametrize("alias", [3, int])
def test_a_name_that_is_not_a_text_is_a_problem(alias: Any) -> None:
    """The first argument is the name in the request."""
    problem = only_problem_of(echo_of(Annotated[int, header(alias)]))

    assert problem.what == f"header() of parameter 'x' has the name {alias!r}, which is not a text"


def test_all_mistakes_in_limits_are_reported_at_once() -> None:
    """One start reports all mistakes in limits."""
    limits: Any = {"ge": "1", "le": "2", "pattern": "["}

    assert len(problems_of(echo_of(Annotated[int, query(3, **limits)]))) == 4  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("annotation", "what"),
    [
        (Annotated[str, query(ge=1)], "ge=1 does not apply to str"),
        (Annotated[int, query(pattern="a")], "pattern='a' does not apply to int"),
        (Annotated[int | None, query(min_length=1)], "min_length=1 does not apply to int"),
        (Annotated[bool, query(le=1)], "le=1 does not apply to bool"),
        (Annotated[list[int], query(ge=1)], "ge=1 does not apply to list"),
        (Annotated[Colour, query(max_length=1)], "max_length=1 does not apply to Colour"),
    ],
)
def test_a_limit_of_another_type_is_a_problem(annotation: Any, what: str) -> None:
    """The remedy says which limits fit which types."""
    problem = only_problem_of(echo_of(annotation))

    assert problem.what == f"parameter 'x' cannot be read from the query: {what}"
    assert problem.remedy == (
        "ge, gt, le and lt are for int and float, and for a Decimal that is read from a text;"
        " pattern is for str, min_length and max_length are for str and lists. The items of a list"
        " have limits of their own, as in list[Annotated[int, msgspec.Meta(ge=1)]]."
    )


@pytest.mark.parametrize("limit", [1.5, 2**70, -(2**70)])
def test_an_int_has_limits_of_its_size(limit: float) -> None:
    """Start-up refuses a limit that msgspec cannot compare."""
    problem = only_problem_of(echo_of(Annotated[int, query(ge=limit)]))

    assert problem.what.endswith(
        f"ge={limit!r} is not an integer of 64 bits, so it is no limit of int"
    )


def test_json_knows_no_limits_of_a_decimal() -> None:
    """The remedy says where such limits work."""
    limited = Annotated[Decimal, msgspec.Meta(gt=0)]

    problem = only_problem_of(echo_of(marked(Body, limited)))

    assert problem.what.startswith(
        "parameter 'x' cannot be read from the body: Can only set `gt` on a numeric type"
    )
    assert problem.remedy.startswith(
        "ge, gt, le and lt are for int and float, and for a Decimal that is read from a text;"
    )


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
    """Without the problem, the limit would silently have no effect."""
    problem = only_problem_of(echo_of(annotation))

    assert problem.what.startswith("the type of parameter 'x' has ")
    assert problem.what.endswith(", which has no effect outside of a pydantic model")
    assert problem.remedy == (
        f"Write msgspec.Meta({instead}) in its place, or query({instead}) and the like."
    )


def test_a_foreign_limit_of_a_path_value_is_a_problem() -> None:
    """This also holds if the rule's converter makes the same type."""
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
def test_pydantic_metadata_without_a_counterpart_is_ignored(annotation: Any) -> None:
    """Validators and aliases of pydantic have no counterpart here."""
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
def test_limits_that_pydantic_reads_are_accepted(annotation: Any) -> None:
    """Pydantic validates models, and the types around them."""
    assert problems_of(echo_of(annotation)) == ()


def test_a_limit_of_a_list_of_models_is_checked() -> None:
    """Pydantic also reads the limit of a list of models."""
    with client_of(echo_of(Body[Annotated[list[Model], annotated_types.Len(1)]])) as client:
        assert client.post("/", json=[]).status_code == 422
