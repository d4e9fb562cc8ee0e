"""The sources of a handler's parameters, and their defaults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, NewType, Protocol, TypedDict
from uuid import UUID

import attrs
import msgspec
import pydantic
import pytest

from framework import (
    Application,
    Body,
    Form,
    Header,
    Inject,
    Query,
    Request,
    Session,
    controller,
    get,
    guard,
    post,
    query,
    service,
    session,
    session_value,
)
from tests.support.small_applications import (
    REQUIRED,
    asked,
    client_of,
    echo_of,
    marked,
    only_problem_of,
    posted,
    problems_of,
)


def test_an_unmarked_scalar_is_read_from_the_query() -> None:
    """A number without a marker is the query value of its name."""
    assert asked(echo_of(int), "/?x=3") == 3


def test_a_name_in_the_path_is_the_path_value() -> None:
    """A parameter named in the path gets the value there, not the query's."""
    assert asked(echo_of(int, path="/<int:x>"), "/3?x=4") == 3


def test_a_path_value_needs_no_annotation() -> None:
    """Without an annotation, a path value has the type of the rule's converter."""
    assert asked(echo_of(REQUIRED, path="/<float:x>"), "/1.5") == 1.5


def test_a_path_text_is_converted_to_the_annotation() -> None:
    """A variable without a converter becomes the type that the handler asks for."""
    assert asked(echo_of(int, path="/<x>"), "/12") == 12


@pytest.mark.parametrize(
    ("annotation", "path", "url"),
    [
        (int, "/<x>", "/twelve"),
        (int, "/<int(max=9):x>", "/10"),
        (Annotated[int, msgspec.Meta(le=9)], "/<int:x>", "/10"),
        (Literal["up", "down"], "/<x>", "/left"),
        (UUID, "/<x>", "/1"),
    ],
)
def test_a_path_value_that_does_not_fit_is_a_404(annotation: Any, path: str, url: str) -> None:
    """If the rule or the annotation refuses a path value, the answer is 404."""
    assert asked(echo_of(annotation, path=path), url) == 404


def test_the_body_is_read_as_json() -> None:
    """Body[T] is the JSON of the body, converted to T."""
    assert posted(echo_of(Body[list[int]]), b"[1, 2]") == [1, 2]


def test_the_session_is_given_to_either_spelling() -> None:
    """`session` and `Session` ask for the same object."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, one: session, two: Session) -> bool:
            return one is two

    with client_of(Pages) as client:
        assert client.get("/").json is True


def test_the_request_is_given() -> None:
    """`Request` asks for Werkzeug's request object, whose body is still readable."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, request: Request, data: Body[list[int]]) -> str:
            return f"{request.method} {request.get_data(as_text=True)} {data}"

    with client_of(Pages) as client:
        assert client.post("/", json=[1]).text == "POST [1] [1]"


def test_a_component_is_injected() -> None:
    """Inject[T] is the component of that type."""

    @service
    class Greeter:
        def greet(self) -> str:
            return "hello"

    @controller("/")
    class Pages:
        @get("/")
        def page(self, greeter: Inject[Greeter]) -> str:
            return greeter.greet()

    with client_of(Pages, Greeter) as client:
        assert client.get("/").text == "hello"


def test_a_component_that_is_only_injected_into_a_handler_is_found() -> None:
    """A decorated class need not be given to the Application if something asks for it."""

    @service
    class Greeter: ...

    @controller("/")
    class Pages:
        @get("/")
        def page(self, greeter: Inject[Greeter]) -> str:
            return type(greeter).__name__

    with client_of(Pages) as client:
        assert client.get("/").text == "Greeter"


def test_an_optional_component_that_is_missing_is_the_default() -> None:
    """An injected parameter with a default keeps it where nothing provides its type."""

    class Mailer: ...

    @controller("/")
    class Pages:
        @get("/")
        def page(self, mailer: Inject[Mailer | None] = None) -> bool:
            return mailer is None

    with client_of(Pages) as client:
        assert client.get("/").json is True


def test_a_component_of_the_framework_is_injected() -> None:
    """What the framework provides is injected like the user's own components."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, app: Inject[Application]) -> str:
            return type(app).__name__

    with client_of(Pages) as client:
        assert client.get("/").text == "Application"


def test_a_mutable_default_is_copied_for_each_request() -> None:
    """A change of a default does not reach another request."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, tags: list[str] = []) -> int:  # noqa: B006
            tags.append("new")
            return len(tags)

    with client_of(Pages) as client:
        assert [client.get("/").json, client.get("/").json] == [1, 1]


def test_positional_only_and_keyword_only_parameters_bind() -> None:
    """Each kind of parameter gets its own value."""

    @controller("/")
    class Pages:
        @get("/<name>")
        def page(self, name: str, size: int, /, page: int, *, q: str, sort: str = "up") -> str:
            return f"{name} {size} {page} {q} {sort}"

        @get("/path/<one>/<int:two>")
        def path(self, one: str, /, *, two: int) -> str:
            return f"{one} {two}"

    with client_of(Pages) as client:
        answers = [client.get("/ann?size=1&page=2&q=x").text, client.get("/path/a/2").text]

    assert answers == ["ann 1 2 x up", "a 2"]


@pytest.mark.parametrize("count", range(6))
def test_any_number_of_parameters_is_passed_in_order(count: int) -> None:
    """A handler gets its path values in the order of its parameters, not of the path."""
    names = [f"p{number}" for number in range(count)]

    def page(self: object, *values: str) -> str:
        return " ".join(values)

    code = f"lambda self, {', '.join(reversed(names))}: page(self, {', '.join(names)})"
    rule = "/" + "/".join(f"<{name}>" for name in names)
    handler = get(rule)(eval(code, {"page": page}))  # noqa: S307
    pages = controller("/")(type("Pages", (), {"handler": handler}))

    with client_of(pages) as client:
        assert client.get("/" + "/".join("abcde"[:count])).text == " ".join("abcde"[:count])


def test_the_errors_of_all_parameters_come_together() -> None:
    """One 422 names every invalid value from all sources."""

    @controller("/")
    class Pages:
        @post("/")
        def page(
            self,
            page: int,
            token: Header[int],
            data: Body[list[int]],
            ok: str = "",
            *,
            q: int,
        ) -> None: ...

    with client_of(Pages) as client:
        errors = client.post("/?page=b&q=c", json=["d"], headers={"token": "e"}).get_json()

    assert {each["where"] for each in errors["errors"]} == {
        "query:page",
        "header:token",
        "body:/0",
        "query:q",
    }


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
    """Turn an annotation into a value of the session."""
    return Annotated[annotation, session_value("x")]


@pytest.mark.parametrize(
    ("annotation", "default", "told"),
    [
        (int, "1", "'1', which is not of type int"),
        (Form[int], "x", "'x', which is not of type int"),
        (Query[int], 1.5, "1.5, which is not of type int"),
        (bool, 0, "0, which is not of type bool"),
        (str, ..., "Ellipsis, which is not of type str"),
        (Header[str], b"", "b'', which is not of type str"),
        (list[str], (), "(), which is not of type list[str]"),
        (list[int], ["1"], "['1'], which is not of type list[int]"),
        (Colour, "red", "'red', which is not of type Colour"),
        (Literal["a", "b"], "c", "'c', which is not of type Literal['a', 'b']"),
        (Literal[1, 2], True, "True, which is not of type Literal[1, 2]"),
        (datetime, date(2026, 1, 2), "datetime.date(2026, 1, 2), which is not of type datetime"),
        (int | None, "1", "'1', which is not of type int | None"),
        (UserId, "1", "'1', which is not of type UserId"),
        (marked(Body, Cart), {}, "{}, which is not of type Cart"),
        (marked(Body, Cart), Cart, ", which is not of type Cart"),
        (at(Model), {}, "{}, which is not of type Model"),
        (at(Shape), [], "[], which is not of type Shape"),
    ],
)
def test_a_default_of_another_type_is_a_problem(annotation: Any, default: Any, told: str) -> None:
    """Start-up shows the default and its type."""
    problem = only_problem_of(echo_of(annotation, default))

    assert problem.what.startswith("the default of parameter 'x' is ")
    assert problem.what.endswith(told)
    assert problem.remedy.startswith("Write a default of type ")


def test_only_an_optional_type_may_have_the_default_none() -> None:
    """The remedy is to write the optional type."""
    problem = only_problem_of(echo_of(int, None))

    assert problem.what == "the default of parameter 'x' is None, which is not of type int"
    assert problem.remedy == "Write int | None, or leave the default out to require a value."


def test_the_default_of_a_guard_is_looked_at() -> None:
    """The parameters of a guard are bound like a handler's."""

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
def test_a_default_of_the_annotated_type_is_accepted(annotation: Any, default: Any) -> None:
    """Subclasses fit the type, too; limits concern only values from clients."""
    assert problems_of(echo_of(annotation, default)) == ()


def test_a_default_of_a_protocol_is_taken_as_it_is() -> None:
    """Only a type checker can check such a default."""
    from framework.types.fitting import fits

    assert fits(Cart(), Sized)
