"""Handlers that cannot be bound: each mistake is a start-up problem with its remedy."""

import functools
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import pytest

from framework import (
    Body,
    Cookie,
    Header,
    Inject,
    Query,
    Session,
    controller,
    cookie,
    get,
    header,
    post,
    query,
    session,
)
from framework.startup import location
from tests.framework.trials import (
    REQUIRED,
    asked,
    client_of,
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
        "Write Body[NewUser] for the JSON of the body, or Inject[NewUser] for a component."
    )


@pytest.mark.parametrize(
    "annotation",
    [dict[str, int], list[NewUser], list, tuple[int, ...], int | str, bytes, object, Any],
)
def test_an_unmarked_type_that_is_no_scalar_is_a_problem(annotation: Any) -> None:
    """Only the listed scalars, optional or in a list, are query values without a marker."""
    assert "nothing says where it comes from" in only_problem_of(echo_of(annotation)).what


def test_a_parameter_without_an_annotation_is_a_problem() -> None:
    """Without an annotation and outside of the path, nothing is known about a parameter."""
    problem = only_problem_of(echo_of(REQUIRED))

    assert problem.what == "parameter 'x' has no annotation"
    assert "x: Session" in problem.remedy


def test_f3_a_name_for_type_checkers_only_is_a_problem_beside_the_others() -> None:
    """What is imported under TYPE_CHECKING is missing at run time; all other problems are told."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, price: "Decimal", size: "list[Decimal]", user: NewUser) -> None: ...

        @get("/other")
        def other(self, user: NewUser) -> None: ...

    found = problems_of(Pages)

    assert [each.where for each in found] == [location(Pages.page)] * 3 + [location(Pages.other)]
    assert found[0].what == (
        "the annotation of parameter 'price' is 'Decimal',"
        " but 'Decimal' does not exist when the program runs"
    )
    assert found[0].remedy == (
        "Import Decimal outside of `if TYPE_CHECKING:`, at the top of the module."
    )
    assert "parameter 'size'" in found[1].what


def test_f4_a_return_annotation_may_name_what_does_not_exist() -> None:
    """Nobody needs the return annotation of a handler."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, x: int) -> "Decimal":
            return x  # type: ignore[return-value]

    with client_of(Pages) as client:
        assert client.get("/?x=1").json == 1


@pytest.mark.parametrize("annotation", ["int |", "nothing.there", "1 / 0"])
def test_an_annotation_that_cannot_be_evaluated_is_a_problem(annotation: str) -> None:
    """Whatever evaluating an annotation raises is told, not raised."""
    problem = only_problem_of(echo_of(annotation))

    assert f"parameter 'x' is {annotation!r}" in problem.what


def test_f7_a_member_that_hides_the_imported_name_is_a_problem() -> None:
    """An earlier method called `session` is what `session: session` then means."""

    @controller("/")
    class Pages:
        @get("/session")
        def session(self) -> str:
            return ""

        @get("/")
        def page(self, session: session) -> None: ...  # type: ignore[valid-type]

    problem = only_problem_of(Pages)

    assert problem.where == location(Pages.page)
    assert problem.what == (
        f"the annotation of parameter 'session' is {location(Pages.session)}, which is no type:"
        " an earlier member of the class hides the imported name"
    )
    assert "Session for session" in problem.remedy


def test_f7_a_property_hides_a_name_as_well() -> None:
    """Any kind of member that is no type is recognised."""

    @controller("/")
    class Pages:
        @property
        def session(self) -> str:
            return ""

        @get("/")
        def page(self, session: session) -> None: ...  # type: ignore[valid-type]

    assert "Pages.session" in only_problem_of(Pages).what


def test_f10_nested_annotated_types_are_flattened() -> None:
    """Limits and markers count wherever they are in the nesting."""
    positive: Any = Annotated[int, msgspec.Meta(ge=1)]
    inner = marked(Header, Annotated[positive, "any"])
    annotation: Any = marked(Annotated, (inner, msgspec.Meta(le=9)))

    assert asked(echo_of(annotation), "/", headers={"x": "9"}) == 9
    assert list(asked(echo_of(annotation), "/", headers={"x": "0"})) == ["header:x"]
    assert list(asked(echo_of(annotation), "/", headers={"x": "10"})) == ["header:x"]


@pytest.mark.parametrize(
    ("annotation", "path", "sources"),
    [
        (Annotated[marked(Query, int), header()], "/", "query and header"),
        (marked(Body, marked(Cookie, int)), "/", "cookie and body"),
        (marked(Query, int), "/<int:x>", "query and path"),
        (session, "/<x>", "session and path"),
    ],
)
def test_f10_two_sources_on_one_parameter_are_a_problem(
    annotation: Any, path: str, sources: str
) -> None:
    """A parameter comes from one place; the path is one as well."""
    found = problems_of(echo_of(annotation, path=path))

    assert {each.what for each in found} == {f"parameter 'x' has two sources: {sources}"}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement is new in Python 3.12")
def test_f10_type_aliases_are_expanded() -> None:
    """An alias of the type statement, generic ones too, means what it stands for."""
    names: dict[str, Any] = {"Annotated": Annotated, "header": header, "query": query}
    exec(  # noqa: S102
        "type Page = Annotated[int, query('p', ge=1)]\n"
        "type Head[T] = Annotated[T, header('h')]\n"
        "type Maybe[A, B] = Head[B] | None\n",
        names,
    )

    assert asked(echo_of(names["Page"]), "/?p=3") == 3
    assert asked(echo_of(names["Maybe"][str, int], None), "/", headers={"h": "3"}) == 3
    assert asked(echo_of(marked(list, names["Page"])), "/?x=3") == [3]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are lazy from Python 3.14 on")
def test_f6_lazy_annotations_are_read_without_what_does_not_exist() -> None:
    """An annotation of Python 3.14 that names nothing is a problem, not an exception."""
    names: dict[str, Any] = {"controller": controller, "get": get, "NewUser": NewUser}
    exec(  # noqa: S102
        "@controller('/')\n"
        "class Pages:\n"
        "    @get('/')\n"
        "    def page(self, x: list[Missing], user: NewUser) -> Nothing: ...\n",
        names,
    )

    what = [each.what for each in problems_of(names["Pages"])]

    assert len(what) == 2
    assert "'Missing' does not exist" in what[0]
    assert "'user' is NewUser" in what[1]


def test_f14_a_handler_of_anything_is_a_problem_that_mentions_wraps() -> None:
    """A decorator that forgets functools.wraps leaves *args and **kwargs behind."""

    @controller("/")
    class Pages:
        @get("/<name>")
        @untidy
        def page(self, name: str) -> str:
            return name

    problem = only_problem_of(Pages)

    assert problem.what == "the handler takes *args and **kwargs, which no request can fill"
    assert "functools.wraps" in problem.remedy


def test_a_handler_without_self_is_a_problem() -> None:
    """A method that forgot self could only ever raise a TypeError."""

    @controller("/")
    class Pages:
        @get("/")
        def page() -> None: ...  # type: ignore[misc]

    assert "not even self" in only_problem_of(Pages).what


def test_f21_async_handlers_are_a_problem() -> None:
    """WSGI has nobody to await a coroutine or an asynchronous generator."""

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


def test_f38_a_path_variable_that_nobody_takes_is_a_problem() -> None:
    """A misspelt variable is told with the parameter that was probably meant."""

    @controller("/users")
    class Users:
        @get("/<int:userid>/<slug>")
        def show(self, user_id: int) -> None: ...

    guess, plain = problems_of(Users)

    assert guess.what == (
        "the path has the variable 'userid', which no parameter takes; did you mean 'user_id'?"
    )
    assert guess.remedy == "Name a parameter userid, or change the path."
    assert plain.what == "the path has the variable 'slug', which no parameter takes"


def test_f38_a_parameter_close_to_a_path_variable_is_told_so() -> None:
    """A parameter without a source that almost names a variable probably meant it."""

    @controller("/users")
    class Users:
        @get("/<user_id>")
        def show(self, userid: NewUser, usr_id) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001

    what = [each.what for each in problems_of(Users)]

    assert what[:2] == [
        "parameter 'userid' is NewUser, but nothing says where it comes from;"
        " did you mean 'user_id'?",
        "parameter 'usr_id' has no annotation; did you mean 'user_id'?",
    ]


def test_a_path_value_of_another_type_is_a_problem() -> None:
    """What the rule's converter makes has to fit the annotation."""
    problem = only_problem_of(echo_of(int, path="/<uuid:x>"))

    assert problem.what == "the path gives 'x' as UUID, but the parameter is int"
    assert problem.remedy == "Write x: UUID, or change the converter of the rule."


@pytest.mark.parametrize(
    ("annotation", "name"),
    [(NewUser, "NewUser"), (dict[str, int], "dict[str, int]"), (int | str, "int | str")],
)
def test_what_no_text_can_hold_is_a_problem(annotation: Any, name: str) -> None:
    """A whole object has no place in the query."""
    problem = only_problem_of(echo_of(marked(Query, annotation)))

    assert problem.what == (
        f"parameter 'x' cannot be read from the query: no text holds a value of type {name}"
    )
    assert "Body[...]" in problem.remedy


def test_what_json_cannot_hold_is_a_problem() -> None:
    """A class that msgspec does not know cannot be read from a body, however deep it is."""

    @dataclass
    class Letter:
        senders: list[Mailer]

    problem = only_problem_of(echo_of(marked(Body, Letter | None)))

    assert problem.what == (
        "parameter 'x' cannot be read from the body: JSON cannot be converted to Mailer"
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
        (header, "Write Header[int] or Annotated[int, header()]."),
        (cookie, "Write Cookie[int] or Annotated[int, cookie()]."),
        (Inject, "Write Inject[int]."),
    ],
)
def test_a_marker_that_is_not_made_is_a_problem(metadata: Any, remedy: str) -> None:
    """`Annotated[int, header]` lacks the brackets; silently it would be the query."""
    assert only_problem_of(echo_of(Annotated[int, metadata])).remedy == remedy


def test_a_marker_without_its_type_is_a_problem() -> None:
    """`x: Query` does not say what to convert to."""
    assert only_problem_of(echo_of(Query)).what == "parameter 'x' does not say its type"


def test_a_default_that_cannot_be_copied_is_a_problem() -> None:
    """A default is copied for each request, so it must let itself be copied."""
    problem = only_problem_of(echo_of(int | None, (each for each in "a")))

    assert "cannot be copied for a request" in problem.what


def test_a_subclass_of_session_asks_for_the_session() -> None:
    """An application may have a session class of its own."""

    class ShopSession(Session): ...

    @controller("/")
    class Pages:
        @get("/")
        def page(self, cart: ShopSession) -> bool:
            return isinstance(cart, Session)

    with client_of(Pages) as client:
        assert client.get("/").json is True


def test_an_injected_component_that_is_missing_is_a_problem() -> None:
    """A handler may only ask for what something provides."""
    problem = only_problem_of(echo_of(marked(Inject, Mailer)))

    assert problem.what == "nothing provides Mailer, which parameter 'x' asks for"
    assert "Decorate Mailer with @component" in problem.remedy


def test_a_wrapped_handler_is_located_and_bound_by_what_it_wraps() -> None:
    """functools.wraps keeps annotations that are evaluated in another module."""

    def wrapping(function: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(function)
        def wrapper(*args: object, **kwargs: object) -> object:
            return function(*args, **kwargs)

        return wrapper

    @controller("/")
    class Pages:
        @get("/")
        @wrapping
        def page(self, x: "int") -> object:
            return x

    with client_of(Pages) as client:
        assert client.get("/?x=1").json == 1
