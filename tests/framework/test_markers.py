"""Markers and annotations that are nearly right: each message shows the right one."""

import collections
from datetime import time
from decimal import Decimal
from typing import Annotated, Any

import pytest

from framework import (
    Body,
    Cookie,
    Form,
    Header,
    Inject,
    Query,
    Response,
    Session,
    form,
    get,
    query,
    session,
    session_value,
)
from framework.binding.source import Extract, Field, Marker
from tests.support.small_applications import (
    REQUIRED,
    asked,
    echo_of,
    marked,
    only_problem_of,
    problems_of,
)


class Agent(Marker):
    source = "header"

    def extractor(self, field: Field) -> Extract:
        return lambda context: ""


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
    """The handler would receive the marker as its value."""
    right = right or f"Annotated[dict, {shown}]"

    problem = only_problem_of(echo_of(annotation, default))

    assert problem.what == f"the default of parameter 'x' is {shown}, which has no effect there"
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
    """The marker alone does not say the type."""
    problem = only_problem_of(echo_of(annotation))

    assert problem.what == (
        f"the annotation of parameter 'x' is {shown}, which is a marker, not a type"
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
def test_a_marker_with_parentheses_is_explained(marker: Any, told: str) -> None:
    """This concerns defaults and elements of `Annotated`."""
    with pytest.raises(TypeError) as caught:
        marker(1, ge=1)

    assert str(caught.value) == f"{marker} takes a type in square brackets. Fix: write {told}"


def test_a_marker_without_brackets_may_be_optional() -> None:
    """The type is still missing."""
    optional: Any = Body | None  # pyright: ignore[reportOperatorIssue]

    problem = only_problem_of(echo_of(optional))

    assert problem.what == "parameter 'x' does not say its type"
    assert problem.remedy == "Write the type in brackets, as in Body[Note]."


def test_a_marker_beside_a_type_is_accepted() -> None:
    """The marker is beside a type, and the default has this type."""
    assert asked(echo_of(Annotated[int, query("size", ge=1)], 7), "/") == 7
    problem = only_problem_of(echo_of(int, session))
    assert problem.what == "the default of parameter 'x' is session, which has no effect there"
    assert problem.remedy == "Write x: session."


class Cart: ...


class Resolving:
    def resolve(self) -> int:
        return 1


def resolve() -> int:
    return 1


SPELLINGS = {
    "an optional session": (
        Session | None,
        "parameter 'x' is Session | None, which no request contains",
        "Write x: session. Every request has a session, new or stored.",
    ),
    "a response": (
        Response,
        "parameter 'x' is Response, which no request contains",
        "Create a Response in the handler, and return the Response.",
    ),
    "a module": (
        collections,
        "the annotation of parameter 'x' is the module 'collections', which is not a type",
        "Name the class or function that you mean, as in `from collections import ...`.",
    ),
    "a body without a type": (
        Body,
        "parameter 'x' does not say its type",
        "Write the type in brackets, as in Body[Note].",
    ),
    "a query without a type": (
        Query,
        "parameter 'x' does not say its type",
        "Write the type in brackets, as in Query[int].",
    ),
    "a header without a type": (
        Header,
        "parameter 'x' does not say its type",
        "Write the type in brackets, as in Header[int].",
    ),
    "a value of the session without its key": (
        Annotated[Cart, session_value],
        "the Annotated[...] of parameter 'x' contains session_value, which has no effect there",
        'Write Annotated[Cart, session_value("x")].',
    ),
    "a query that is not called": (
        Annotated[int, query],
        "the Annotated[...] of parameter 'x' contains query, which has no effect there",
        "Write Annotated[int, query()].",
    ),
    "a resolver that is an object": (
        Annotated[int, Resolving()],
        "the Annotated[...] of parameter 'x' contains an object of Resolving, not the class",
        "Write Annotated[int, Resolving].",
    ),
    "a number that only a marker reads": (
        Decimal,
        "parameter 'x' is Decimal, but nothing says where it comes from",
        "Write Query[Decimal] for a value of the query, or Form[Decimal] for a field of a form.",
    ),
    "a list of what only a marker reads": (
        list[time],
        "parameter 'x' is list[time], but nothing says where it comes from",
        "Write Query[list[time]] for a value of the query, or Form[list[time]] for a field of a"
        " form.",
    ),
    "bytes of a form": (
        Form[bytes],
        "parameter 'x' cannot be read from the form: a text cannot hold a value of type bytes",
        "Use str for a text, or FileStorage for an uploaded file.",
    ),
    "a name that is not imported": (
        marked(Body, "Missing"),
        "the annotation of parameter 'x' is 'Body[Missing]', but 'Missing' does not exist when the"
        " program runs",
        "Import Missing at the top of the module, not only under `if TYPE_CHECKING:`. If Missing"
        " is local to a function, move it to the top of the module: an annotation that is a text"
        " finds only names of the module.",
    ),
}


@pytest.mark.parametrize(("annotation", "what", "remedy"), SPELLINGS.values(), ids=SPELLINGS)
def test_the_remedy_shows_the_right_spelling(annotation: Any, what: str, remedy: str) -> None:
    """The remedy uses the names of the user's code."""
    problem = only_problem_of(echo_of(annotation))

    assert (problem.what, problem.remedy) == (what, remedy)


@pytest.mark.parametrize("annotation", [int, Cart])
@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        (Cart, "Cart (tests/framework/test_markers.py:"),
        (resolve, "the function resolve (tests/framework/test_markers.py:"),
    ],
)
def test_a_class_without_resolve_in_annotated_is_reported(
    annotation: Any, metadata: Any, told: str
) -> None:
    """Without `resolve`, the value would be read from the query."""
    problem = only_problem_of(echo_of(Annotated[annotation, metadata]))

    assert problem.what.startswith(f"the Annotated[...] of parameter 'x' contains {told}")


def test_annotated_metadata_of_other_libraries_is_ignored() -> None:
    """These are texts, objects, and classes beside a marker."""

    class Validating:
        __get_pydantic_core_schema__ = None

    for metadata in ("a text", object(), Validating):
        assert problems_of(echo_of(Annotated[int, metadata])) == ()
    assert problems_of(echo_of(Annotated[int, Cart, query()])) == ()


@pytest.mark.parametrize("annotation", [dict, dict[str, Any]])
def test_a_session_is_annotated_as_such(annotation: Any) -> None:
    """A dict named session would have to come from the body."""
    echo = echo_of(annotation)
    echo.echo = _renamed(annotation)  # type: ignore[attr-defined]

    assert only_problem_of(echo).remedy == (
        "Write session: session, with `from framework import session`."
    )


def _renamed(annotation: Any) -> Any:
    def echo(self: object, session: Any) -> None: ...

    echo.__annotations__ = {"session": annotation}
    return get("/")(echo)
