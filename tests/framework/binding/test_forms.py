"""Parameters that come from a form, urlencoded or multipart."""

from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from enum import Enum
from io import BytesIO
from typing import Annotated, Any, TypedDict

import msgspec
import pytest

from framework import Body, Form, Query, Request, controller, form, post
from tests.support.small_applications import client_of, echo_of, marked, only_problem_of, posted

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class Colour(Enum):
    RED = "red"


@dataclass
class Task:
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=9)]
    priority: Annotated[int, msgspec.Meta(ge=1)] = 3
    tags: list[int] = field(default_factory=list)
    done: bool = False

    def __post_init__(self) -> None:
        if self.title == "wrong":
            raise ValueError("the title is wrong")


class Person(msgspec.Struct, rename="camel"):
    first_name: str
    age: int | None = None


class Search(TypedDict, total=False):
    text: str


def sent(echo: type, body: str) -> Any:
    """Return what an echo handler makes of an urlencoded form."""
    return posted(echo, body.encode(), URLENCODED)


@pytest.mark.parametrize(
    ("annotation", "body", "value"),
    [
        (Form[int], "x=4", 4),
        (Form[str], "x=a+b%C5%BC", "a bż"),
        (Form[str], "x=", ""),
        (Form[list[int]], "x=1&x=2", [1, 2]),
        (Form[Colour], "x=red", "red"),
        (Annotated[int, form("size", ge=1)], "size=2", 2),
        (Form[bool], "x=on", True),
        (Form[datetime], "x=2026-11-22T10:30", "2026-11-22T10:30:00"),
        (Form[time], "x=10:30", "10:30:00"),
    ],
)
def test_a_field_is_read_and_converted(annotation: Any, body: str, value: Any) -> None:
    """A field of a form becomes the type of its parameter."""
    assert sent(echo_of(annotation), body) == value


@pytest.mark.parametrize(
    ("annotation", "body", "errors"),
    [
        (Form[int], "x=a", {"form:x": "expected int, got 'a'"}),
        (Form[int], "", {"form:x": "is required"}),
        (Form[int], "x=1&x=1", {"form:x": "has 2 values, expected one"}),
        (Form[list[int]], "x=1&x=b", {"form:x/1": "expected int, got 'b'"}),
        (Form[Colour], "x=blue", {"form:x": "expected one of 'red', got 'blue'"}),
        (Form[str], "x=%FF", {"form:x": "expected UTF-8"}),
        (
            Annotated[int, form("size", ge=1)],
            "size=0",
            {"form:size": "expected int >= 1, got '0'"},
        ),
    ],
)
def test_a_field_that_does_not_fit_is_an_error(annotation: Any, body: str, errors: Any) -> None:
    """An error names a missing, repeated or wrong field by its name in the form."""
    assert sent(echo_of(annotation), body) == errors


@pytest.mark.parametrize(
    ("limit", "what"),
    [
        ({"min_length": 8}, "expected str of length >= 8, got 7 characters"),
        ({"max_length": 1}, "expected str of length <= 1, got 7 characters"),
        ({"pattern": "[0-9]$"}, "expected str matching regex '[0-9]$'"),
    ],
)
def test_a_refused_text_is_not_in_the_answer(limit: Any, what: str) -> None:
    """The text may be a password, and the answer may be kept in a log."""
    annotation = Annotated[str, form("password", **limit)]

    assert sent(echo_of(annotation), "password=hunter%2B") == {"form:password": what}


def test_an_empty_field_is_absent_unless_it_is_a_text() -> None:
    """Browsers send every input, so an empty number is a field that the user left empty."""
    assert sent(echo_of(Form[int], 7), "x=") == 7
    assert sent(echo_of(marked(Form, time | None), None), "x=") is None
    assert sent(echo_of(Form[Decimal], Decimal(7)), "x=") == "7"
    assert sent(echo_of(Form[int]), "x=") == {"form:x": "is required"}
    assert sent(echo_of(Form[list[int]]), "x=1&x=&x=2") == [1, 2]


def test_a_whole_form_becomes_an_object() -> None:
    """Each field of a class is read from the form, defaults and lists included."""
    assert sent(echo_of(Form[Task]), "title=milk&tags=1&tags=2&done=on&priority=") == {
        "title": "milk",
        "priority": 3,
        "tags": [1, 2],
        "done": True,
    }


def test_every_wrong_field_of_an_object_is_reported() -> None:
    """One 422 names all wrong fields, by their names in the form."""
    assert sent(echo_of(Form[Task]), "title=&tags=1&tags=b&done=maybe&priority=0") == {
        "form:title": "expected str of length >= 1, got 0 characters",
        "form:priority": "expected int >= 1, got '0'",
        "form:tags/1": "expected int, got 'b'",
        "form:done": "expected true, false, 1 or 0, got 'maybe'",
    }


def test_the_class_of_an_object_may_refuse_it() -> None:
    """An error of `__post_init__` is an error of the whole form."""
    assert sent(echo_of(Form[Task]), "title=wrong") == {"form": "the title is wrong"}


def test_structs_and_typed_dictionaries_are_objects_as_well() -> None:
    """The fields of a struct have their outer names in the form."""
    assert sent(echo_of(Form[Person]), "firstName=Ann") == {"firstName": "Ann", "age": None}
    assert sent(echo_of(marked(Form, Search)), "text=a&other=b") == {"text": "a"}


def test_an_absent_form_is_the_default() -> None:
    """An optional object gets its default if the client sends none of its fields."""
    echo = echo_of(marked(Form, Person | None), None)

    assert sent(echo, "other=1") is None
    assert sent(echo, "age=1") == {"form:firstName": "is required"}


def test_a_multipart_form_is_read_like_an_urlencoded_one() -> None:
    """The encoding of a form makes no difference to its fields."""
    with client_of(echo_of(Form[Task])) as client:
        answer = client.post(
            "/", data={"title": "milk", "tags": ["1", "2"]}, content_type=MULTIPART
        )

    assert answer.get_json()["x"]["tags"] == [1, 2]


def test_the_errors_of_a_form_come_with_those_of_other_sources() -> None:
    """A query that does not fit hides no error of the form."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, page: Query[int], note: Form[Task], size: Form[int]) -> None: ...

    with client_of(Pages) as client:
        errors = client.post("/?page=a", data={"title": "", "size": "b"}).get_json()["errors"]

    assert [each["where"] for each in errors] == ["query:page", "form:title", "form:size"]


@dataclass
class Note:
    title: str


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"x", MULTIPART, 400),
        (b"x=\xff", URLENCODED, 400),
        (b"x=1" + b"&x=1" * 1000, URLENCODED, 413),
        (b"", "application/json", 422),
    ],
)
def test_a_body_that_is_not_a_form_is_refused(body: bytes, content_type: str, status: int) -> None:
    """A body of another type, or a malformed one, is refused with the fitting status."""
    with client_of(echo_of(Form[int])) as client:
        assert client.post("/", data=body, content_type=content_type).status_code == status


class Watched(BytesIO):
    """Remember how much has been read."""

    count = 0

    def read(self, size: int | None = -1) -> bytes:
        """Count and read."""
        data = super().read(size)
        self.count += len(data)
        return data


@pytest.mark.parametrize("content_type", [URLENCODED, f"{MULTIPART}; boundary=b"])
def test_a_form_over_the_limit_is_refused_before_it_is_read(content_type: str) -> None:
    """The Content-Length alone decides: no byte of the body is read."""
    body = Watched(b"x=" + b"1" * 2**21)

    with client_of(echo_of(Form[str])) as client:
        answer = client.post(
            "/", input_stream=body, content_type=content_type, content_length=2**21 + 2
        )

    assert (answer.status_code, body.count) == (413, 0)


@pytest.mark.parametrize(
    ("annotation", "what"),
    [
        (
            Form[dict[str, int]],
            "parameter 'x' cannot be read from the form: a text cannot hold a value of type"
            " dict[str, int]",
        ),
        (
            Annotated[Note, form("note")],
            "form() of parameter 'x' has a name or limits, but Note takes the whole form",
        ),
    ],
)
def test_a_type_that_no_form_holds_is_a_problem(annotation: Any, what: str) -> None:
    """Start-up reports a type that a form cannot hold."""
    assert only_problem_of(echo_of(annotation)).what == what


def test_an_object_inside_an_object_is_a_problem() -> None:
    """A form is flat; the report names the field."""

    @dataclass
    class Nested:
        note: Note

    problem = only_problem_of(echo_of(Form[Nested]))

    assert problem.what == (
        "parameter 'x.note' cannot be read from the form: a text cannot hold a value of type Note"
    )


def test_a_class_with_a_field_of_no_type_is_a_problem() -> None:
    """Start-up reports a field whose annotation is an unknown name."""

    @dataclass
    class Lost:
        price: "Missing"  # type: ignore[name-defined]  # noqa: F821

    assert only_problem_of(echo_of(marked(Form, Lost))).what == (
        "parameter 'x' cannot be read from the form: name 'Missing' is not defined"
    )


def test_a_form_of_unknown_length_is_read_where_the_server_ends_it() -> None:
    """A chunked form is read like any other, and has the same limit."""
    with client_of(echo_of(Form[str])) as client:
        answers = [
            client.post(
                "/",
                input_stream=BytesIO(b"x=" + b"a" * size),
                content_type=URLENCODED,
                environ_overrides={"wsgi.input_terminated": True},
            )
            for size in (3, 2**21)
        ]

    assert [each.status_code for each in answers] == [200, 413]
    assert answers[0].get_json()["x"] == "aaa"


def test_a_handler_sees_the_form_in_its_request_too() -> None:
    """The body is parsed once, for the parameters and for the request object."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, request: Request, x: Form[str]) -> str:
            return f"{x} {request.form['x']}"

    with client_of(Pages) as client:
        assert client.post("/", data={"x": "1"}).text == "1 1"


def test_a_body_beside_a_form_is_a_problem() -> None:
    """A request has one body, which is JSON or a form."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, note: Body[Note], size: Form[int]) -> None: ...

    assert only_problem_of(Pages).what == (
        "parameter 'note' reads the body as JSON, and 'size' as a form, but a request has one body"
    )
