"""Annotations that are nearly right are answered with the right ones."""

import collections
from datetime import time
from decimal import Decimal
from typing import Annotated, Any

import pytest

from framework import Body, Form, Query, Response, Session, get, query, session_value
from framework.parameters import Header
from tests.framework.trials import echo_of, marked, only_problem_of, problems_of


class Cart: ...


class Resolving:
    def resolve(self) -> int:
        return 1


def resolve() -> int:
    return 1


SPELLINGS = {
    "an optional session": (
        Session | None,
        "parameter 'x' is Session | None, which no request holds",
        "Write x: Session. There always is one, new or not.",
    ),
    "a response": (
        Response,
        "parameter 'x' is Response, which no request holds",
        "Make a Response in the handler, and return it.",
    ),
    "a module": (
        collections,
        "parameter 'x' is annotated with the module 'collections', which is no type",
        "Write Session for the session, or else the class that the module holds.",
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
        "the Annotated type of parameter 'x' holds session_value, which marks nothing there",
        'Write Annotated[Cart, session_value("x")].',
    ),
    "a query that is not called": (
        Annotated[int, query],
        "the Annotated type of parameter 'x' holds query, which marks nothing there",
        "Write Annotated[int, query()].",
    ),
    "a resolver that is an object": (
        Annotated[int, Resolving()],
        "the Annotated type of parameter 'x' holds an object of Resolving, not the class",
        "Write Annotated[int, Resolving].",
    ),
    "a number that only a marker reads": (
        Decimal,
        "parameter 'x' is Decimal, but nothing says where it comes from",
        "Write Query[Decimal] for a value of the query, or Form[Decimal] for one of a form.",
    ),
    "a list of what only a marker reads": (
        list[time],
        "parameter 'x' is list[time], but nothing says where it comes from",
        "Write Query[list[time]] for a value of the query, or Form[list[time]] for one of a form.",
    ),
    "bytes of a form": (
        Form[bytes],
        "parameter 'x' cannot be read from the form: no text holds a value of type bytes",
        "Use str for a text, or FileStorage for an uploaded file.",
    ),
    "a name that is not imported": (
        marked(Body, "Missing"),
        "the annotation of parameter 'x' is 'Body[Missing]', but 'Missing' does not exist when the"
        " program runs",
        "Import Missing at the top of the module, not only under `if TYPE_CHECKING:`. If it is"
        " local to a function, move it to the top of the module: an annotation that is a text"
        " finds only what is there.",
    ),
}


@pytest.mark.parametrize(("annotation", "what", "remedy"), SPELLINGS.values(), ids=SPELLINGS)
def test_the_right_spelling_is_told(annotation: Any, what: str, remedy: str) -> None:
    """In the words of the one who wrote the wrong one."""
    problem = only_problem_of(echo_of(annotation))

    assert (problem.what, problem.remedy) == (what, remedy)


@pytest.mark.parametrize("annotation", [int, Cart])
@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        (Cart, "Cart (tests/framework/test_wrong_annotations.py:"),
        (resolve, "the function resolve (tests/framework/test_wrong_annotations.py:"),
    ],
)
def test_what_resolves_nothing_is_told(annotation: Any, metadata: Any, told: str) -> None:
    """A resolver with a misspelt method would leave the value to the query."""
    problem = only_problem_of(echo_of(Annotated[annotation, metadata]))

    assert problem.what.startswith(f"the Annotated type of parameter 'x' holds {told}")


def test_what_other_libraries_put_beside_a_type_is_left_alone() -> None:
    """Texts, objects, and classes that a marker stands beside."""

    class Validating:
        __get_pydantic_core_schema__ = None

    for metadata in ("a text", object(), Validating):
        assert problems_of(echo_of(Annotated[int, metadata])) == ()
    assert problems_of(echo_of(Annotated[int, Cart, query()])) == ()


@pytest.mark.parametrize("annotation", [dict, dict[str, Any]])
def test_a_session_is_annotated_as_such(annotation: Any) -> None:
    """A dict of that name would have to come from the body."""
    echo = echo_of(annotation)
    echo.echo = _renamed(annotation)  # type: ignore[attr-defined]

    assert only_problem_of(echo).remedy == "Write session: Session."


def _renamed(annotation: Any) -> Any:
    def echo(self: object, session: Any) -> None: ...

    echo.__annotations__ = {"session": annotation}
    return get("/")(echo)
