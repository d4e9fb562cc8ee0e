"""Handlers that cannot be bound: each mistake is a start-up problem with its remedy."""

import datetime
import decimal
import json
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional, TypeVar, Union

import pytest

import sessions.session
from framework import (
    Body,
    Form,
    Inject,
    Query,
    Session,
    component,
    controller,
    cookie,
    get,
    guard,
    header,
    post,
    query,
    service,
)
from framework.report import Mistake, location
from sessions import AsyncSession
from tests.support.small_applications import (
    REQUIRED,
    echo_of,
    marked,
    only_problem_of,
    problems_of,
)

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")


@dataclass
class NewUser:
    name: str


class Mailer: ...


def untidy(function: Callable[..., object]) -> Callable[..., object]:
    def wrapper(*args: object, **kwargs: object) -> object:
        return function(*args, **kwargs)

    return wrapper


NO_TYPES: list[tuple[Any, str, str]] = [
    (datetime, "the module 'datetime'", "Write datetime.datetime, the class"),
    (decimal, "the module 'decimal'", "Write decimal.Decimal, the class"),
    (uuid, "the module 'uuid'", "Write uuid.UUID, the class"),
    (sessions.session, "the module 'sessions.session'", "let the handler take session: session."),
    (
        json,
        "the module 'json'",
        "Name the class or function that you mean, as in `from json import",
    ),
    (any, "the function any(), which is not a type", "Write Any, with `from typing import Any`."),
    (callable, "the function callable()", "Write Callable, with"),
    (len, "the function len()", "Write a class, such as str."),
    (Optional, "does not say its type", "as in Optional[int]."),
    (Union, "does not say its type", "as in Union[int, None]."),
    (Literal, "does not say its type", 'as in Literal["new", "old"].'),
    (bytes, "is bytes", "Write FileStorage for an uploaded file, or request: Request"),
    (int | str, "is int | str", "Write one simple type, such as str, and convert the text"),
    (float | int | None, "is float | int | None", "Write one simple type"),
    (Form[Mailer], "a text cannot hold a value of type Mailer", "Make Mailer a dataclass"),
    (Query[Mailer], "a text cannot hold a value of type Mailer", "Make Mailer a dataclass"),
    (Form[list[Mailer]], "a text cannot hold a value of type Mailer", "Make Mailer a dataclass"),
]


@pytest.mark.parametrize(("annotation", "what", "remedy"), NO_TYPES, ids=repr)
def test_an_annotation_that_cannot_be_meant_has_a_remedy_that_works(
    annotation: Any, what: str, remedy: str
) -> None:
    """No remedy repeats a wrong type, as in Body[<built-in function any>]."""
    problem = only_problem_of(echo_of(annotation))

    assert what in problem.what
    assert remedy in problem.remedy
    assert "built-in" not in problem.what + problem.remedy


def test_an_unmarked_model_is_a_problem_with_the_possible_spellings() -> None:
    """A parameter of a type that may come from anywhere has to say from where."""

    @controller("/users")
    class Users:
        @post("/")
        def create(self, user: NewUser) -> None: ...

    problem = only_problem_of(Users)

    assert problem.where == location(Users.create)
    assert problem.what == "parameter 'user' is NewUser, but nothing says where it comes from"
    assert problem.remedy == (
        "Write Body[NewUser] for the JSON of the body, Form[NewUser] for a form,"
        " or Inject[NewUser] for a component."
    )


@pytest.mark.parametrize(
    "annotation",
    [dict[str, int], list[NewUser], list, tuple[int, ...], int | str, bytes, object, Any],
)
def test_an_unmarked_type_that_is_not_a_scalar_is_a_problem(annotation: Any) -> None:
    """Only the listed scalars, optional or in a list, are query values without a marker."""
    assert "nothing says where it comes from" in only_problem_of(echo_of(annotation)).what


def test_a_parameter_without_an_annotation_is_a_problem() -> None:
    """A parameter without an annotation has no source unless it is in the path."""
    problem = only_problem_of(echo_of(REQUIRED))

    assert problem.what == "parameter 'x' has no annotation"
    assert "x: session" in problem.remedy


def test_a_handler_of_anything_is_a_problem_that_mentions_wraps() -> None:
    """A decorator that forgets functools.wraps leaves *args and **kwargs behind."""

    @controller("/")
    class Pages:
        @get("/<name>")
        @untidy
        def page(self, name: str) -> str:
            return name

    problem = only_problem_of(Pages)

    assert problem.what == (
        "the handler takes *args and **kwargs, but a request has no values for these"
    )
    assert "functools.wraps" in problem.remedy


def test_a_handler_without_self_is_a_problem() -> None:
    """A method that forgot self could only ever raise a TypeError."""

    @controller("/")
    class Pages:
        @get("/")
        def page() -> None: ...  # type: ignore[misc]

    assert "not even self" in only_problem_of(Pages).what


def test_async_handlers_are_a_problem() -> None:
    """WSGI cannot await a coroutine or an asynchronous generator."""

    @controller("/")
    class Pages:
        @get("/a")
        async def plain(self) -> None: ...

        @get("/b")
        @staticmethod
        async def static() -> None: ...

        @get("/c")
        async def stream(self) -> AsyncIterator[str]:
            yield ""

    found = problems_of(Pages)

    assert [each.what for each in found] == [
        "the handler is an async function, which WSGI cannot run"
    ] * 3
    assert found[0].remedy == "Write `def` in place of `async def`."


def test_a_path_value_of_another_type_is_a_problem() -> None:
    """The type of the rule's converter has to fit the annotation."""
    problem = only_problem_of(echo_of(int, path="/<uuid:x>"))

    assert problem.what == "the path gives 'x' as UUID, but the parameter is int"
    assert problem.remedy == "Write x: UUID, or change the converter of the rule."


@pytest.mark.parametrize(
    ("annotation", "name"),
    [(NewUser, "NewUser"), (dict[str, int], "dict[str, int]"), (int | str, "int | str")],
)
def test_a_type_that_a_text_cannot_hold_is_a_problem(annotation: Any, name: str) -> None:
    """A whole object has no place in the query."""
    problem = only_problem_of(echo_of(marked(Query, annotation)))

    assert problem.what == (
        f"parameter 'x' cannot be read from the query: a text cannot hold a value of type {name}"
    )
    assert "Body[...]" in problem.remedy


def test_a_type_that_json_cannot_hold_is_a_problem() -> None:
    """A class that msgspec does not know cannot be read from a body, however deep it is."""

    @dataclass
    class Letter:
        senders: list[Mailer]

    problem = only_problem_of(echo_of(marked(Body, Letter | None)))

    assert problem.what == (
        "parameter 'x' cannot be read from the body: JSON cannot be converted to Mailer; it is the"
        " type of Letter.senders"
    )


def test_a_body_whose_fields_name_nothing_is_a_problem() -> None:
    """The annotations inside a body's class have to exist as well."""

    @dataclass
    class Letter:
        price: "Decimal"

    assert "'Decimal' is not defined" in only_problem_of(echo_of(marked(Body, Letter))).what


@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[int, query(min_length=1)],
        Annotated[bool, query(ge=1)],
        Annotated[list[int], query(ge=1)],
    ],
)
def test_limits_that_do_not_fit_the_type_are_a_problem(annotation: Any) -> None:
    """A limit is checked against the type at start-up, not against a value in a request."""
    assert "cannot be read from the query" in only_problem_of(echo_of(annotation)).what


def test_two_bodies_are_a_problem() -> None:
    """A request has one body."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, one: Body[int], two: Body[int]) -> None: ...

    assert only_problem_of(Pages).what == "parameters 'one' and 'two' each read the whole body"


@pytest.mark.parametrize(
    ("metadata", "remedy"),
    [
        (header, "Write Annotated[int, header()]."),
        (cookie, "Write Annotated[int, cookie()]."),
        (Inject, "Write Inject[int]."),
    ],
)
def test_a_marker_that_is_not_made_is_a_problem(metadata: Any, remedy: str) -> None:
    """`Annotated[int, header]` lacks parentheses; without the check it would read the query."""
    assert only_problem_of(echo_of(Annotated[int, metadata])).remedy == remedy


def test_a_marker_without_its_type_is_a_problem() -> None:
    """`x: Query` does not say what to convert to."""
    assert only_problem_of(echo_of(Query)).what == "parameter 'x' does not say its type"


def test_a_default_that_cannot_be_copied_is_a_problem() -> None:
    """A default is copied for each request, so copying has to work."""

    class Stubborn(int):
        def __deepcopy__(self, memo: object) -> None:
            raise TypeError

    problem = only_problem_of(echo_of(int, Stubborn()))

    assert "cannot be copied for a request" in problem.what


def test_an_injected_component_that_is_missing_is_a_problem() -> None:
    """A handler may only ask for what something provides."""
    problem = only_problem_of(echo_of(marked(Inject, Mailer)))

    assert problem.what == "parameter 'x': nothing provides Mailer"
    assert "Decorate Mailer with @component" in problem.remedy


WHAT = "parameter 'session' is {}, which needs an event loop, but this handler runs without one"
REMEDY = "Write session: session, and call its methods without await."


class OwnSession(AsyncSession):
    """Be a session of the application's own."""


@pytest.mark.parametrize(
    ("annotation", "written"),
    [
        (AsyncSession, "AsyncSession"),
        (AsyncSession | None, "AsyncSession | None"),
        (OwnSession, "OwnSession"),
    ],
)
def test_a_handler_takes_the_blocking_session(annotation: object, written: str) -> None:
    """A plain function cannot load an asynchronous session."""

    @controller("/")
    class Page:
        @get("/")
        def show(self, session: object) -> None: ...

        show.__annotations__["session"] = annotation

    assert only_problem_of(Page) == Mistake(WHAT.format(written), REMEDY, where=location(Page.show))


def test_an_asynchronous_handler_has_two_mistakes() -> None:
    """Start-up reports both at once."""

    @controller("/")
    class Page:
        @get("/")
        async def show(self, session: AsyncSession) -> None:
            await session.save()

    assert [(problem.where, problem.remedy) for problem in problems_of(Page)] == [
        (location(Page.show), "Write `def` in place of `async def`."),
        (location(Page.show), REMEDY),
    ]


def test_guards_and_resolvers_take_the_blocking_session() -> None:
    """The parameters of both are bound like a handler's."""

    class SignedIn:
        def check(self, session: AsyncSession) -> bool:
            return session.user_id is not None

    class User:
        def resolve(self, session: AsyncSession) -> str:
            return session.user_id or "nobody"

    @controller("/")
    class Page:
        @get("/")
        @guard(SignedIn)
        def show(self, user: Annotated[str, User]) -> None: ...

    assert {problem.where for problem in problems_of(Page)} == {
        location(SignedIn.check),
        location(User.resolve),
    }
    assert {problem.remedy for problem in problems_of(Page)} == {REMEDY}


def test_a_component_of_a_request_takes_the_blocking_session() -> None:
    """The mistake is the same as for a handler."""

    @component(scope="request")
    class Basket:
        def __init__(self, session: AsyncSession) -> None: ...

    @controller("/")
    class Page:
        @get("/")
        def show(self, basket: Inject[Basket], session: Session) -> None: ...

    assert only_problem_of(Page, Basket).remedy == REMEDY


def test_a_component_cannot_keep_it() -> None:
    """An asynchronous session belongs to one request, like a blocking one."""

    @service
    class Baskets:
        def __init__(self, session: AsyncSession) -> None: ...

    assert only_problem_of(Baskets).what == (
        "parameter 'session': AsyncSession belongs to one request, but components live longer"
    )
