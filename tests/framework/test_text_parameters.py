"""Parameters that arrive as text: query, headers and cookies."""

from typing import Annotated, Any

import pytest
import werkzeug.test
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
from tests.framework.trials import asked, client_of, echo_of


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
            {"query:x": "expected array of length <= 1"},
        ),
    ],
)
def test_limits_are_checked(annotation: Any, url: str, answer: Any) -> None:
    """A value outside its limits is refused in words that name the limit."""
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
        "expected array of length >= 2",
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
    """Browsers send the cookie with the longest path first: it is the one that was meant."""
    assert asked(echo_of(Cookie[str]), "/", headers={"Cookie": "x=near; x=far"}) == "near"


def test_content_type_is_a_header_like_others() -> None:
    """WSGI keeps two headers under names of their own, which a handler does not notice."""
    answer = asked(echo_of(Annotated[str, header("Content-Type")]), "/", content_type="text/csv")

    assert answer == "text/csv"


def test_a_cookie_header_that_is_no_utf8_breaks_nothing() -> None:
    """Octets that are no UTF-8 in one cookie leave the others readable."""
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
    assert asked(echo_of(int), "/?x=1&x=1") == {"query:x": "is there 2 times, expected once"}
    assert asked(echo_of(list[int]), "/?x=1&x=1") == [1, 1]


def test_query_text_is_unquoted() -> None:
    """Plus is a space, percent sequences are UTF-8, and an empty value is a text."""
    assert asked(echo_of(str), "/?x=a+b%20c%C5%BC&y=%26") == "a b cż"
    assert asked(echo_of(str), "/?x=") == ""
    assert asked(echo_of(str), "/?&&x") == ""


def test_query_text_that_is_no_utf8_is_refused() -> None:
    """Bytes that are no UTF-8 are an error of the parameter that asks for them, and of no other."""
    assert asked(echo_of(str), "/?x=%FF") == {"query:x": "expected UTF-8"}
    assert asked(echo_of(int), "/?y=%FF&x=1") == 1
