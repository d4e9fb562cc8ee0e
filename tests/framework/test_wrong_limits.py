"""Limits that are none, that nothing meets, or that do not fit their type."""

from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import msgspec
import pytest

from framework import Body, cookie, form, header, query
from tests.framework.trials import echo_of, marked, only_problem_of, problems_of


class Colour(Enum):
    RED = "red"


LIMITS: dict[str, tuple[dict[str, Any], str]] = {
    "a pattern": (
        {"pattern": "("},
        "pattern='(', which is no regular expression: missing ), unterminated subpattern",
    ),
    "a pattern of bytes": ({"pattern": b"a"}, "pattern=b'a', which is no text"),
    "a text": ({"ge": "2"}, "ge='2', which is no number"),
    "a bool": ({"lt": True}, "lt=True, which is no number"),
    "no finite number": ({"le": float("nan")}, "le=nan, which limits nothing"),
    "a number beyond all": ({"gt": -(10**400)}, f"gt=-1{'0' * 400}, which limits nothing"),
    "a pattern without an end": (
        {"pattern": "a{99999999999}"},
        "pattern='a{99999999999}', which is no regular expression: the repetition number",
    ),
    "a negative length": ({"min_length": -1}, "min_length=-1, which is no length"),
    "half a length": ({"max_length": 1.5}, "max_length=1.5, which is no length"),
    "a list": ({"ge": []}, "ge=[], which is no number"),
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
def test_a_limit_that_is_none_is_a_problem(marker: Any, limits: dict[str, Any], what: str) -> None:
    """It is told at start-up, with its value."""
    problem = only_problem_of(echo_of(Annotated[str, marker(**limits)]))

    assert problem.where.startswith("Echo.echo (")
    assert problem.what.startswith(f"{marker.__name__}() of parameter 'x' has {what}")


def test_unknown_limits_are_a_problem() -> None:
    """The known ones are told."""
    limits: Any = {"gte": 1}
    problem = only_problem_of(echo_of(Annotated[int, query(**limits)]))

    assert problem.what == "query() of parameter 'x' has no limit 'gte'"
    assert problem.remedy == ("The limits are ge, gt, le, lt, min_length, max_length and pattern.")


@pytest.mark.parametrize("alias", [3, int])
def test_a_name_that_is_no_text_is_a_problem(alias: Any) -> None:
    """The first argument is the name in the request."""
    problem = only_problem_of(echo_of(Annotated[int, header(alias)]))

    assert problem.what == f"header() of parameter 'x' has the name {alias!r}, which is no text"


def test_all_that_is_wrong_with_limits_is_told_at_once() -> None:
    """Nobody mends one of them to hear of the next."""
    limits: Any = {"ge": "1", "le": "2", "pattern": "["}

    assert len(problems_of(echo_of(Annotated[int, query(3, **limits)]))) == 4  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("annotation", "what"),
    [
        (Annotated[str, query(ge=1)], "ge=1 is no limit of str"),
        (Annotated[int, query(pattern="a")], "pattern='a' is no limit of int"),
        (Annotated[int | None, query(min_length=1)], "min_length=1 is no limit of int"),
        (Annotated[bool, query(le=1)], "le=1 is no limit of bool"),
        (Annotated[list[int], query(ge=1)], "ge=1 is no limit of list"),
        (Annotated[Colour, query(max_length=1)], "max_length=1 is no limit of Colour"),
    ],
)
def test_a_limit_of_another_type_is_a_problem(annotation: Any, what: str) -> None:
    """The remedy tells which limits fit which types."""
    problem = only_problem_of(echo_of(annotation))

    assert problem.what == f"parameter 'x' cannot be read from the query: {what}"
    assert problem.remedy == (
        "ge, gt, le and lt are for int and float, and for a Decimal that is read from a text;"
        " pattern is for str, min_length and max_length are for str and lists. The items of a list"
        " have their own, as in list[Annotated[int, msgspec.Meta(ge=1)]]."
    )


@pytest.mark.parametrize("limit", [1.5, 2**70, -(2**70)])
def test_an_int_has_limits_of_its_size(limit: float) -> None:
    """What the conversion cannot compare with is told at start-up."""
    problem = only_problem_of(echo_of(Annotated[int, query(ge=limit)]))

    assert problem.what.endswith(f"ge={limit!r} is no integer of 64 bits, and so no limit of int")


def test_json_knows_no_limits_of_a_decimal() -> None:
    """The remedy tells where they hold."""
    limited = Annotated[Decimal, msgspec.Meta(gt=0)]

    problem = only_problem_of(echo_of(marked(Body, limited)))

    assert problem.what.startswith(
        "parameter 'x' cannot be read from the body: Can only set `gt` on a numeric type"
    )
    assert problem.remedy.startswith(
        "ge, gt, le and lt are for int and float, and for a Decimal that is read from a text;"
    )
