"""Parameters that arrive as text in query, headers and cookies, and their conversion."""

import enum
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import msgspec
import pytest
import werkzeug.test
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from framework import (
    Cookie,
    Header,
    Query,
    controller,
    cookie,
    form,
    get,
    header,
    post,
    query,
)
from framework.testing import Client
from framework.types.conversion import text_converter
from tests.support.small_applications import asked, client_of, echo_of, marked


def test_every_text_source_is_read_by_its_marker() -> None:
    """Query, Header and Cookie say where a text is; a header has hyphens for underscores."""

    @controller("/")
    class Pages:
        @get("/")
        def page(
            self, page: Query[int], x_token: Header[str], theme: Cookie[str]
        ) -> list[int | str]:
            return [page, x_token, theme]

    with client_of(Pages) as client:
        client.set_cookie("theme", "dark")
        answer = client.get("/?page=2", headers={"X-Token": "abc"}).json

    assert answer == [2, "abc", "dark"]


def test_an_alias_is_the_name_in_the_request() -> None:
    """query(), header() and cookie() take the name that the request uses, and errors tell it."""

    @controller("/")
    class Pages:
        @get("/")
        def page(
            self,
            size: Annotated[int, query("page_size")],
            agent: Annotated[int, header("X-Agent")],
            theme: Annotated[int, cookie("t")],
        ) -> None: ...

    with client_of(Pages) as client:
        errors = client.get("/").get_json()["errors"]

    assert [each["where"] for each in errors] == [
        "query:page_size",
        "header:X-Agent",
        "cookie:t",
    ]


def test_an_error_of_a_header_has_the_name_of_the_header() -> None:
    """A client reads the name that it has to send, not the name in the code."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, x_token: Header[str]) -> None: ...

    with client_of(Pages) as client:
        errors = client.get("/").get_json()["errors"]

    assert errors == [{"where": "header:x-token", "what": "is required"}]


@pytest.mark.parametrize(
    ("annotation", "url", "answer"),
    [
        (Annotated[int, query(ge=1, le=100)], "/?x=100", 100),
        (
            Annotated[int, query(ge=1, le=100)],
            "/?x=0",
            {"query:x": "expected int >= 1, got '0'"},
        ),
        (
            Annotated[str, query(min_length=2)],
            "/?x=a",
            {"query:x": "expected str of length >= 2, got 1 character"},
        ),
        (Annotated[str, query(pattern="^a+$")], "/?x=aa", "aa"),
        (Annotated[int | None, query(gt=5)], "/?x=6", 6),
        (Annotated[float, query(lt=1)], "/?x=0.5", 0.5),
        (Annotated[list[int], query(max_length=2)], "/?x=1&x=2", [1, 2]),
        (
            Annotated[list[int], query(max_length=1)],
            "/?x=1&x=2",
            {"query:x": "expected array of length <= 1, got 2 items"},
        ),
    ],
)
def test_limits_are_checked(annotation: Any, url: str, answer: Any) -> None:
    """The error for a value outside its limits names the limit."""
    assert asked(echo_of(annotation), url) == answer


@pytest.mark.parametrize("marker", [query, header, cookie, form])
def test_every_source_has_the_same_limits(marker: Any) -> None:
    """Numbers, texts and lists are held to limits wherever they come from."""

    @controller("/")
    class Pages:
        @post("/")
        def page(
            self,
            n: Annotated[int, marker("n", gt=0, lt=9)],
            t: Annotated[str, marker("t", pattern="^a", max_length=2)],
            many: Annotated[list[int], marker("many", min_length=2)],
        ) -> list[object]:
            return [n, t, many]

    with client_of(Pages) as client:
        good = _send(client, marker.__name__, {"n": ["1"], "t": ["ab"], "many": ["1", "2"]})
        bad = _send(client, marker.__name__, {"n": ["9"], "t": ["b"], "many": ["1"]})

    assert good.json == [1, "ab", [1, 2]]
    assert {each["what"] for each in bad.get_json()["errors"]} == {
        "expected int <= 8, got '9'",
        "expected str matching regex '^a'",
        "expected array of length >= 2, got 1 item",
    }


def _send(client: Client, source: str, values: dict[str, list[str]]) -> TestResponse:
    pairs = [(name, each) for name, some in values.items() for each in some]
    if source == "query":
        return client.post("/", query_string=values)
    if source == "form":
        return client.post("/", data=values)
    if source == "header":
        return client.post("/", headers=[(name, ",".join(some)) for name, some in values.items()])
    # This client sends a Cookie header as it is given.
    verbatim = werkzeug.test.Client(client.app, use_cookies=False)
    text = "; ".join(f"{name}={each}" for name, each in pairs)
    return verbatim.post("/", headers={"Cookie": text}, buffered=True)


def test_a_marker_inside_an_optional_type_marks_it() -> None:
    """`Header[int] | None` means `Header[int | None]`."""
    assert asked(echo_of(Header[int] | None, None), "/", headers={"x": "3"}) == 3


def test_a_list_reads_every_cookie_and_every_item_of_a_header() -> None:
    """A list gets the comma-separated items of a header."""
    assert asked(echo_of(Header[list[int]]), "/", headers={"x": "1, 2,,3"}) == [1, 2, 3]


def test_the_first_of_two_cookies_counts() -> None:
    """Browsers send the cookie with the longest path first, and this one is meant."""
    assert asked(echo_of(Cookie[str]), "/", headers={"Cookie": "x=near; x=far"}) == "near"


def test_content_type_is_a_header_like_others() -> None:
    """WSGI keeps two headers under other names, which makes no difference here."""
    answer = asked(echo_of(Annotated[str, header("Content-Type")]), "/", content_type="text/csv")

    assert answer == "text/csv"


def test_a_cookie_header_that_is_not_utf8_breaks_nothing() -> None:
    """If one cookie is not UTF-8, the others can still be read."""
    answer = asked(echo_of(Cookie[int]), "/", headers={"Cookie": "a=\xff; x=3"})

    assert answer == 3


def test_an_absent_parameter_is_its_default_or_an_error() -> None:
    """Without a value, an optional parameter is None, and a required one is a 422."""
    assert asked(echo_of(int | None, None), "/") is None
    assert asked(echo_of(int | None), "/") == {"query:x": "is required"}
    assert asked(echo_of(list[int]), "/") == {"query:x": "is required"}
    assert asked(echo_of(Header[int]), "/") == {"header:x": "is required"}


def test_a_repeated_key_is_ambiguous_for_one_value() -> None:
    """Two values for a scalar are a 422, even if they are equal; a list takes them all."""
    assert asked(echo_of(int), "/?x=1&x=1") == {"query:x": "has 2 values, expected one"}
    assert asked(echo_of(list[int]), "/?x=1&x=1") == [1, 1]


def test_query_text_is_unquoted() -> None:
    """Plus is a space, percent sequences are UTF-8, and an empty value is a text."""
    assert asked(echo_of(str), "/?x=a+b%20c%C5%BC&y=%26") == "a b cż"
    assert asked(echo_of(str), "/?x=") == ""
    assert asked(echo_of(str), "/?&&x") == ""


def test_query_text_that_is_not_utf8_is_refused() -> None:
    """Bytes that are not UTF-8 are an error only of the parameter that reads them."""
    assert asked(echo_of(str), "/?x=%FF") == {"query:x": "expected UTF-8"}
    assert asked(echo_of(int), "/?y=%FF&x=1") == 1


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
    """The value has exactly the annotated type."""
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
    """The error says what was expected and shows the value, shortened if it is long."""
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
    """Only four words are booleans, in any case; an empty text is not a boolean."""
    assert asked(echo_of(bool), "/?x=false") is False
    assert list(asked(echo_of(bool), f"/?{query}")) == ["query:x"]


def test_a_bad_element_of_a_list_is_named_by_its_index() -> None:
    """The answer lists every wrong element with its index."""
    assert asked(echo_of(list[int]), "/?x=1&x=a&x=2&x=b") == {
        "query:x/1": "expected int, got 'a'",
        "query:x/3": "expected int, got 'b'",
    }


@given(st.text())
def test_no_text_makes_a_converter_fail_otherwise(text: str) -> None:
    """For any text, a converter returns a value of its type or raises a conversion error."""
    for kind in (str, int, float, bool, UUID, date, datetime, Colour):
        try:
            converted = text_converter(kind)(text)
        except (ValueError, msgspec.ValidationError):
            continue
        assert isinstance(converted, kind)
