"""Bodies of JSON become the annotated type, or an answer that lists all errors."""

from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Annotated, Any, NotRequired, TypedDict
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework import Body, controller, post
from tests.support.small_applications import client_of, echo_of, marked, posted

UUID_TEXT = "12345678-1234-5678-1234-567812345678"


@dataclass
class Item:
    price: float
    count: Annotated[int, msgspec.Meta(ge=1)] = 1


class Address(TypedDict):
    street: str
    door: NotRequired[int]


class Order(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    order_id: UUID
    items: Annotated[list[Item], msgspec.Meta(max_length=3)]
    to: Address | None = None
    notes: dict[str, list[int]] = {}


@dataclass
class Range:
    low: int
    high: int
    steps: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low is above high")


class Tree(msgspec.Struct):
    name: str
    branches: list["Tree"] = []


def test_a_type_may_contain_itself() -> None:
    """A tree is read, and errors deep inside it are found."""
    good = {"name": "a", "branches": [{"name": "b", "branches": []}]}

    assert posted(echo_of(Body[Tree]), msgspec.json.encode(good)) == good
    assert posted(echo_of(Body[Tree]), b'{"name":"a","branches":[{"branches":[{}]}]}') == {
        "body:/branches/0/name": "is required",
        "body:/branches/0/branches/0/name": "is required",
    }


def test_json_becomes_the_annotated_type() -> None:
    """Dataclasses, structs and typed dictionaries are read, one inside the other."""
    body = f'{{"orderId":"{UUID_TEXT}","items":[{{"price":1}}],"to":{{"street":"Long"}}}}'

    assert posted(echo_of(Body[Order]), body.encode()) == {
        "orderId": UUID_TEXT,
        "items": [{"price": 1.0, "count": 1}],
        "to": {"street": "Long"},
        "notes": {},
    }


@dataclass(frozen=True)
class Menu:
    items: tuple[Item, ...] = ()
    title: str = "today"
    tags: list[str] = field(default_factory=list)


def test_defaults_of_dataclasses_come_back_in_json() -> None:
    """A handler that returns what it was sent returns the default values too."""
    assert posted(echo_of(Body[dict[str, Menu]]), b'{"a":{"items":[{"price":2}]}}') == {
        "a": {"items": [{"price": 2.0, "count": 1}], "title": "today", "tags": []}
    }


def test_every_error_of_a_body_is_reported_with_its_place() -> None:
    """One answer lists all errors, each with a JSON pointer."""
    body = b"""{
        "orderId": 1, "items": [{"price": "1"}, {}, 3, {"price": 1, "count": 0}],
        "to": {"door": "a"}, "notes": {"a/b": [1, null]}, "more": 1
    }"""

    assert posted(echo_of(Body[Order]), body) == {
        "body:/orderId": "expected uuid, got int",
        "body:/items": "expected array of length <= 3, got 4 items",
        "body:/items/0/price": "expected float, got str",
        "body:/items/1/price": "is required",
        "body:/items/2": "expected object, got int",
        "body:/items/3/count": "expected int >= 1, got 0",
        "body:/to/street": "is required",
        "body:/to/door": "expected int, got str",
        "body:/notes/a~1b/1": "expected int, got null",
        "body:/more": "is not known",
    }


@pytest.mark.parametrize(("kind", "text"), [(datetime, "2026-11-22T10:30"), (time, "10:30")])
def test_a_time_of_json_has_seconds(kind: type, text: str) -> None:
    """RFC 3339 requires seconds; only texts such as form fields may leave them out."""
    errors = posted(echo_of(marked(Body, kind)), f'"{text}"'.encode())

    assert errors["body"].startswith(f"expected {kind.__name__} such as '")


@pytest.mark.parametrize(
    ("annotation", "body", "errors"),
    [
        (int, b'"1"', {"body": "expected int, got str"}),
        (int, b"1.5", {"body": "expected int, got float"}),
        (bool, b"1", {"body": "expected bool, got int"}),
        (Range, b"[]", {"body": "expected object, got array"}),
        (Range, b'{"low":2,"high":1}', {"body": "low is above high"}),
        (list[Range], b'[{"low":2,"high":1}]', {"body:/0": "low is above high"}),
        (int | dict[str, tuple[int, str]], b'{"a":[1,2]}', {"body:/*/1": "expected str, got int"}),
    ],
)
def test_json_is_strict(annotation: Any, body: bytes, errors: dict[str, str]) -> None:
    """A JSON value is not converted to another type: a text is not a number."""
    assert posted(echo_of(marked(Body, annotation)), body) == errors


def test_the_number_of_errors_is_bounded() -> None:
    """A large body of wrong values is answered with its first hundred errors."""
    assert len(posted(echo_of(Body[list[int]]), b"[" + b"null," * 999 + b"null]")) == 100


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{}{}",
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1,"a":1}',
        b'[{"b":{"a":1,"\\u0061":2}}]',
        b'"\xff"',
        b"\xef\xbb\xbf{}",
        b" ",
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
    ],
    ids=lambda body: repr(body[:20]),
)
@pytest.mark.parametrize("annotation", [Any, dict[str, int], list[Range]])
def test_malformed_json_is_a_bad_request(annotation: Any, body: bytes) -> None:
    """NaN, a repeated key or a million levels is a 400 for every type, without a crash."""
    assert posted(echo_of(marked(Body, annotation)), body) == 400


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_a_body_of_anything_is_never_a_server_error(value: object) -> None:
    """Any JSON becomes a value of the type, or an error of the client."""
    answer = posted(echo_of(Body[Order]), msgspec.json.encode(value))

    assert set(answer) == {"body"}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        "application/merge-patch+json",
        "application/problem+json; profile=x",
    ],
)
def test_json_has_several_media_types(content_type: str) -> None:
    """application/json and application/*+json are JSON, in UTF-8."""
    assert posted(echo_of(Body[int]), b"1", content_type) == 1


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"],
)
def test_another_media_type_is_unsupported(content_type: str) -> None:
    """A body that does not say that it is JSON is not read as JSON."""
    assert posted(echo_of(Body[int]), b"1", content_type) == 415


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json"])
def test_an_empty_body_is_an_absent_value(content_type: str) -> None:
    """An empty body is a 422 for a required parameter, and otherwise the default."""
    assert posted(echo_of(Body[int]), b"", content_type) == {"body": "is required"}
    assert posted(echo_of(marked(Body, int | None), None), b"", content_type) is None


def test_a_body_without_a_content_type_is_refused() -> None:
    """The message says that the Content-Type is missing."""

    @controller("/")
    class Notes:
        @post("/")
        def add(self, note: Body[dict[str, Any]]) -> None: ...

    with client_of(Notes) as client:
        detail = client.post("/", data=b"{}").json["detail"]

    assert (
        detail
        == "The body has no Content-Type. Send JSON in UTF-8, with Content-Type: application/json."
    )
