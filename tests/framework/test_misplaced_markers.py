"""Markers as defaults, as whole annotations or with parentheses, as other frameworks have them."""

from typing import Annotated, Any

import pytest

from framework import (
    Body,
    Cookie,
    Form,
    Header,
    Inject,
    Query,
    form,
    query,
    session,
    session_value,
)
from framework.markers import Extract, Field, Marker
from tests.framework.trials import REQUIRED, asked, echo_of, only_problem_of


class Agent(Marker):
    source = "header"

    def extractor(self, field: Field) -> Extract:
        return lambda exchange: ""


@pytest.mark.parametrize(
    ("annotation", "default", "shown", "right"),
    [
        (int, query(ge=1), "query(ge=1)", "Annotated[int, query(ge=1)]"),
        (str, query("page"), 'query("page")', 'Annotated[str, query("page")]'),
        (
            list[str],
            form("tag", min_length=1, max_length=9),
            'form("tag", min_length=1, max_length=9)',
            'Annotated[list[str], form("tag", min_length=1, max_length=9)]',
        ),
        (REQUIRED, query(), "query()", "Annotated[T, query()]"),
        (Query[int], query(ge=1), "query(ge=1)", "Annotated[int, query(ge=1)]"),
        (dict, session_value("cart"), 'session_value("cart")', None),
        (int, session_value, "session_value", 'Annotated[int, session_value("x")]'),
        (int, query, "query", "Annotated[int, query()]"),
        (dict, Body, "Body", "Body[dict]"),
        (int, Query[int], "Query[int]", "Query[int]"),
        (str, Agent(), "Agent()", "Annotated[str, Agent()]"),
    ],
)
def test_a_marker_as_a_default_is_a_problem(
    annotation: Any, default: Any, shown: str, right: str | None
) -> None:
    """The handler would get it as its value."""
    right = right or f"Annotated[dict, {shown}]"

    problem = only_problem_of(echo_of(annotation, default))

    assert problem.what == f"the default of parameter 'x' is {shown}, which marks nothing there"
    assert problem.remedy == f"Write x: {right}, or x: {right} = … with a default value."


@pytest.mark.parametrize(
    ("annotation", "shown", "right"),
    [
        (session_value("cart"), 'session_value("cart")', 'Annotated[T, session_value("cart")]'),
        (query("size", le=9), 'query("size", le=9)', 'Annotated[T, query("size", le=9)]'),
        (query, "query", "Annotated[T, query()]"),
    ],
)
def test_a_marker_as_a_whole_annotation_is_a_problem(
    annotation: Any, shown: str, right: str
) -> None:
    """It does not say the type."""
    problem = only_problem_of(echo_of(annotation))

    assert problem.what == (
        f"the annotation of parameter 'x' is {shown}, which is a marker and no type"
    )
    assert problem.remedy == f"Write x: {right} with the type of the value as T."


@pytest.mark.parametrize(
    ("marker", "told"),
    [
        (Query, "x: Query[int] = 1, or with limits x: Annotated[int, query(ge=1)] = 1"),
        (Header, "x: Header[int] = 1, or with limits x: Annotated[int, header(ge=1)] = 1"),
        (Cookie, "x: Cookie[int] = 1, or with limits x: Annotated[int, cookie(ge=1)] = 1"),
        (Form, "x: Form[int] = 1, or with limits x: Annotated[int, form(ge=1)] = 1"),
        (Body, "x: Body[Note]"),
        (Inject, "x: Inject[Notes]"),
    ],
)
def test_a_marker_with_parentheses_tells_of_its_brackets(marker: Any, told: str) -> None:
    """As a default, and inside `Annotated`."""
    with pytest.raises(TypeError) as caught:
        marker(1, ge=1)

    assert str(caught.value) == f"{marker} takes a type in brackets: write {told}"


def test_a_marker_without_brackets_may_be_optional() -> None:
    """It lacks its type all the same."""
    optional: Any = Body | None  # pyright: ignore[reportOperatorIssue]

    problem = only_problem_of(echo_of(optional))

    assert problem.what == "parameter 'x' does not say its type"
    assert problem.remedy == "Write the type in brackets, as in Body[Note]."


def test_a_marker_in_its_place_is_no_problem() -> None:
    """Beside a type, with a default of the type behind it."""
    assert asked(echo_of(Annotated[int, query("size", ge=1)], 7), "/") == 7
    assert only_problem_of(echo_of(int, session)).what == (
        "the default of parameter 'x' is Session[Session], which marks nothing there"
    )
