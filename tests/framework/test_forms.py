"""Parameters that come from a form, urlencoded or multipart."""

from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, TypedDict

import msgspec
import pytest

from framework import Form, Query, controller, form, post
from tests.framework.trials import client_of, echo_of, marked, posted

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class Colour(Enum):
    RED = "red"


@dataclass
class Note:
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
    """Return what an echo makes of an urlencoded form."""
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
        (Form[int], "x=1&x=1", {"form:x": "is there 2 times, expected once"}),
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
    """A field that is missing, repeated or of another type is told by its name in the form."""
    assert sent(echo_of(annotation), body) == errors


@pytest.mark.parametrize(
    ("limit", "what"),
    [
        ({"min_length": 8}, "expected str of length >= 8, got 7 characters"),
        ({"max_length": 1}, "expected str of length <= 1, got 7 characters"),
        ({"pattern": "[0-9]$"}, "expected str matching regex '[0-9]$'"),
    ],
)
def test_a_text_is_not_told_again(limit: Any, what: str) -> None:
    """It may be a password, and the answer may be kept in a log."""
    annotation = Annotated[str, form("password", **limit)]

    assert sent(echo_of(annotation), "password=hunter%2B") == {"form:password": what}


def test_an_empty_field_is_absent_unless_it_is_a_text() -> None:
    """Browsers send every input, so an empty number is one that nobody filled in."""
    assert sent(echo_of(Form[int], 7), "x=") == 7
    assert sent(echo_of(marked(Form, time | None), None), "x=") is None
    assert sent(echo_of(Form[Decimal], Decimal(7)), "x=") == "7"
    assert sent(echo_of(Form[int]), "x=") == {"form:x": "is required"}
    assert sent(echo_of(Form[list[int]]), "x=1&x=&x=2") == [1, 2]


def test_a_whole_form_becomes_an_object() -> None:
    """Each field of a class is read from the form, defaults and lists included."""
    assert sent(echo_of(Form[Note]), "title=milk&tags=1&tags=2&done=on&priority=") == {
        "title": "milk",
        "priority": 3,
        "tags": [1, 2],
        "done": True,
    }


def test_every_field_of_an_object_that_does_not_fit_is_told() -> None:
    """One 422 names all fields, by their names in the form."""
    assert sent(echo_of(Form[Note]), "title=&tags=1&tags=b&done=maybe&priority=0") == {
        "form:title": "expected str of length >= 1, got 0 characters",
        "form:priority": "expected int >= 1, got '0'",
        "form:tags/1": "expected int, got 'b'",
        "form:done": "expected true, false, 1 or 0, got 'maybe'",
    }


def test_the_class_of_an_object_may_refuse_it() -> None:
    """What a `__post_init__` refuses is an error of the whole form."""
    assert sent(echo_of(Form[Note]), "title=wrong") == {"form": "the title is wrong"}


def test_structs_and_typed_dictionaries_are_objects_as_well() -> None:
    """A struct's fields have the names that it gives them outside."""
    assert sent(echo_of(Form[Person]), "firstName=Ann") == {"firstName": "Ann", "age": None}
    assert sent(echo_of(marked(Form, Search)), "text=a&other=b") == {"text": "a"}


def test_an_absent_form_is_the_default() -> None:
    """Where none of its fields is sent, an optional object is its default."""
    echo = echo_of(marked(Form, Person | None), None)

    assert sent(echo, "other=1") is None
    assert sent(echo, "age=1") == {"form:firstName": "is required"}


def test_a_multipart_form_is_read_like_an_urlencoded_one() -> None:
    """The encoding of a form makes no difference to its fields."""
    with client_of(echo_of(Form[Note])) as client:
        answer = client.post(
            "/", data={"title": "milk", "tags": ["1", "2"]}, content_type=MULTIPART
        )

    assert answer.get_json()["x"]["tags"] == [1, 2]


def test_the_errors_of_a_form_come_with_those_of_other_sources() -> None:
    """A query that does not fit hides no error of the form."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, page: Query[int], note: Form[Note], size: Form[int]) -> None: ...

    with client_of(Pages) as client:
        errors = client.post("/?page=a", data={"title": "", "size": "b"}).get_json()["errors"]

    assert [each["where"] for each in errors] == ["query:page", "form:title", "form:size"]
