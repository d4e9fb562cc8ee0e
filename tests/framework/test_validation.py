"""Text and JSON become the annotated type, or all that is wrong with them."""

import enum
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType, NotRequired, TypedDict
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework import Body, Query
from framework.validation import text_converter
from tests.framework.trials import asked, echo_of, marked, posted


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Ratio(enum.Enum):
    HALF = 0.5


UserId = NewType("UserId", int)

UUID_TEXT = "12345678-1234-5678-1234-567812345678"


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (str, "", ""),
        (str, "null", "null"),
        (int, "-12", -12),
        (int, "99999999999999999999", 99999999999999999999),
        (float, "1e3", 1000.0),
        (bool, "true", True),
        (bool, "FALSE", False),
        (bool, "1", True),
        (bool, "0", False),
        (UUID, UUID_TEXT, UUID(UUID_TEXT)),
        (date, "2026-02-28", date(2026, 2, 28)),
        (datetime, "2026-02-28T12:00:00Z", datetime(2026, 2, 28, 12, tzinfo=UTC)),
        (Decimal, "1.10", Decimal("1.10")),
        (timedelta, "PT1H", timedelta(hours=1)),
        (Colour, "red", Colour.RED),
        (Size, "2", Size.LARGE),
        (Ratio, "0.5", Ratio.HALF),
        (Literal["a", 2, True, Colour.RED], "a", "a"),
        (Literal["a", 2, True, Colour.RED], "2", 2),
        (Literal["a", 2, True, Colour.RED], "true", True),
        (Literal["a", 2, True, Colour.RED], "red", Colour.RED),
        (UserId, "7", UserId(7)),
        (int | None, "7", 7),
        (Annotated[int, msgspec.Meta(ge=7)] | None, "7", 7),
    ],
)
def test_a_text_becomes_the_annotated_type(annotation: Any, text: str, value: object) -> None:
    """A text that stands for a value of the type is that value, of exactly that type."""
    converted = text_converter(annotation)(text)

    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("annotation", "text", "what"),
    [
        (int, "", "expected int, got ''"),
        (int, "1.5", "expected int, got '1.5'"),
        (int, "1_000", "expected int, got '1_000'"),
        (int, " 1", "expected int, got ' 1'"),
        (int | None, "null", "expected int, got 'null'"),
        (int | None, "", "expected int, got ''"),
        (float, "nan", "expected a finite number, got 'nan'"),
        (Annotated[float, msgspec.Meta(ge=0)], "inf", "expected a finite number, got 'inf'"),
        (UUID, "1", "invalid UUID, got '1'"),
        (date, "28.2.2026", "invalid RFC3339 encoded date, got '28.2.2026'"),
        (Literal["a", 2], "b", "expected one of 'a', '2', got 'b'"),
        (int, "x" * 100, "expected int, got '" + "x" * 40 + "…'"),
    ],
)
def test_a_text_that_does_not_fit_is_refused(annotation: Any, text: str, what: str) -> None:
    """The error says what was expected and what came, shortened if it is long."""
    assert asked(echo_of(marked(Query, annotation)), "/", query_string={"x": text}) == {
        "query:x": what
    }


def test_f25_an_unknown_enum_value_is_refused_with_the_known_ones() -> None:
    """An Enum parameter is given by value; the error lists the values."""
    assert asked(echo_of(Colour), "/?x=green") == "green"
    assert asked(echo_of(Colour), "/?x=RED") == {
        "query:x": "expected one of 'red', 'green', got 'RED'"
    }


@pytest.mark.parametrize("query", ["x=", "x", "x=yes", "x=2", "x=%20true"])
def test_f26_a_boolean_is_true_false_1_or_0(query: str) -> None:
    """Only four words are booleans, in any case; nothing is neither of them."""
    assert asked(echo_of(bool), "/?x=false") is False
    assert list(asked(echo_of(bool), f"/?{query}")) == ["query:x"]


def test_f27_a_bad_element_of_a_list_is_named_by_its_index() -> None:
    """Every element that does not fit is told, each with its place."""
    assert asked(echo_of(list[int]), "/?x=1&x=a&x=2&x=b") == {
        "query:x/1": "expected int, got 'a'",
        "query:x/3": "expected int, got 'b'",
    }


@given(st.text())
def test_no_text_makes_a_converter_fail_otherwise(text: str) -> None:
    """Whatever the text, a converter returns a value of its type or raises what is expected."""
    for kind in (str, int, float, bool, UUID, date, datetime, Colour):
        try:
            converted = text_converter(kind)(text)
        except (ValueError, msgspec.ValidationError):
            continue
        assert isinstance(converted, kind)


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


def test_every_error_of_a_body_is_told_with_its_place() -> None:
    """One answer names all that is wrong, each by a JSON pointer."""
    body = b"""{
        "orderId": 1, "items": [{"price": "1"}, {}, 3, {"price": 1, "count": 0}],
        "to": {"door": "a"}, "notes": {"a/b": [1, null]}, "more": 1
    }"""

    assert posted(echo_of(Body[Order]), body) == {
        "body:/orderId": "expected uuid, got int",
        "body:/items": "expected array of length <= 3",
        "body:/items/0/price": "expected float, got str",
        "body:/items/1/price": "is required",
        "body:/items/2": "expected object, got int",
        "body:/items/3/count": "expected int >= 1",
        "body:/to/street": "is required",
        "body:/to/door": "expected int, got str",
        "body:/notes/a~1b/1": "expected int, got null",
        "body:/more": "is not known",
    }


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
    """A JSON value is not converted to another type: a text is no number."""
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
def test_f106_malformed_json_is_a_bad_request(annotation: Any, body: bytes) -> None:
    """NaN, a repeated key, a million levels: 400, whatever type was asked for, and no crash."""
    assert posted(echo_of(marked(Body, annotation)), body) == 400


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_a_body_of_anything_is_never_a_server_error(value: object) -> None:
    """Whatever JSON comes, a body is a value of the type or an error of the client."""
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
def test_f105_json_has_several_media_types(content_type: str) -> None:
    """application/json and application/*+json are JSON, in UTF-8."""
    assert posted(echo_of(Body[int]), b"1", content_type) == 1


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"],
)
def test_f107_another_media_type_is_unsupported(content_type: str) -> None:
    """A body that does not say that it is JSON is not read as JSON."""
    assert posted(echo_of(Body[int]), b"1", content_type) == 415


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json"])
def test_f107_an_empty_body_is_an_absent_value(content_type: str) -> None:
    """No body is a 422 where one is required, and else the default, whatever its type."""
    assert posted(echo_of(Body[int]), b"", content_type) == {"body": "is required"}
    assert posted(echo_of(marked(Body, int | None), None), b"", content_type) is None
