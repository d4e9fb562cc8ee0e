"""Text becomes the annotated type, or what is wrong with it."""

import enum
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework import Query
from framework.validation import text_converter
from tests.framework.trials import asked, echo_of, marked


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
        (datetime, "2026-02-28T12:00", datetime(2026, 2, 28, 12)),
        (datetime, "2026-02-28 12:00Z", datetime(2026, 2, 28, 12, tzinfo=UTC)),
        (time, "12:30", time(12, 30)),
        (Decimal, "1.10", Decimal("1.10")),
        (Annotated[Decimal, msgspec.Meta(ge=0.1, lt=5)], "0.1", Decimal("0.1")),
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
        (Decimal, "1,10", "expected Decimal such as '1.10', got '1,10'"),
        (Decimal, "NaN", "expected a finite number, got 'NaN'"),
        (Decimal, "-Infinity", "expected a finite number, got '-Infinity'"),
        (Decimal, "sNaN", "expected a finite number, got 'sNaN'"),
        (Annotated[Decimal, msgspec.Meta(gt=0)], "0.00", "expected Decimal > 0, got '0.00'"),
        (Annotated[Decimal, msgspec.Meta(ge=0.1)], "0.09", "expected Decimal >= 0.1, got '0.09'"),
        (Annotated[Decimal, msgspec.Meta(le=5)], "5.01", "expected Decimal <= 5, got '5.01'"),
        (Annotated[Decimal, msgspec.Meta(lt=5)], "1e9", "expected Decimal < 5, got '1e9'"),
        (UUID, "1", "invalid UUID, got '1'"),
        (date, "28.2.2026", "expected date such as '2026-11-22', got '28.2.2026'"),
        (datetime, "10:30", "expected datetime such as '2026-11-22T10:30:00', got '10:30'"),
        (time, "24:00", "expected time such as '10:30:00', got '24:00'"),
        (timedelta, "1h", "expected timedelta such as 'PT1H30M', got '1h'"),
        (Literal["a", 2], "b", "expected one of 'a', '2', got 'b'"),
        (int, "x" * 100, "expected int, got '" + "x" * 40 + "…'"),
    ],
)
def test_a_text_that_does_not_fit_is_refused(annotation: Any, text: str, what: str) -> None:
    """The error says what was expected and what came, shortened if it is long."""
    assert asked(echo_of(marked(Query, annotation)), "/", query_string={"x": text}) == {
        "query:x": what
    }


def test_an_unknown_enum_value_is_refused_with_the_known_ones() -> None:
    """An Enum parameter is given by value; the error lists the values."""
    assert asked(echo_of(Colour), "/?x=green") == "green"
    assert asked(echo_of(Colour), "/?x=RED") == {
        "query:x": "expected one of 'red', 'green', got 'RED'"
    }


@pytest.mark.parametrize("query", ["x=", "x", "x=yes", "x=2", "x=%20true"])
def test_a_boolean_is_true_false_1_or_0(query: str) -> None:
    """Only four words are booleans, in any case; nothing is neither of them."""
    assert asked(echo_of(bool), "/?x=false") is False
    assert list(asked(echo_of(bool), f"/?{query}")) == ["query:x"]


def test_a_bad_element_of_a_list_is_named_by_its_index() -> None:
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
