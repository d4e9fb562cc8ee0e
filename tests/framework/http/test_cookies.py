"""The header `Cookie`: its values, and the time to read it."""

import itertools
import time

import pytest
import werkzeug.test
from werkzeug.sansio.http import parse_cookie
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request

from framework import Cookie, controller, get
from framework.http.cookies import read_cookies
from framework.testing import Client
from tests.support.small_applications import client_of

MOST_SECONDS = 1.0
# What the grammar treats differently from other characters, and one other character.
SYMBOLS = (" ", "=", '"', ";", "\\", "1", "a")
GAPS = {
    "spaces after a value": "a= {gap}1 {gap}b",
    "spaces after an equals sign": "a={gap}b c",
    "spaces around an equals sign": "a{gap}={gap}b c",
    "spaces before a name": "{gap}a b",
    "spaces of both kinds": "a=\t{gap}\t1\t{gap}b",
    "spaces in many pairs": "a= {gap}1 b;" * 3,
}
REPEATED = {
    "quotes": '"',
    "open quotes": ';a="',
    "escapes": "\\",
    "escaped quotes": '\\"',
    "open quotes with escapes": '="\\;a',
    "equals signs": "=",
    "semicolons": ";",
    "pairs": "a=1; ",
    "pairs of one space": "a= b c;",
}


@pytest.mark.parametrize("what", GAPS)
def test_spaces_are_read_once(what: str) -> None:
    """A header of 64 KB is read quickly, with spaces at any place."""
    assert _seconds(GAPS[what].format(gap=" " * 30_000)) < MOST_SECONDS


@pytest.mark.parametrize("what", REPEATED)
def test_a_header_is_read_once(what: str) -> None:
    """A header of 100 KB is read quickly, with any repeated text."""
    for begin, end in itertools.product(("", "a=", 'a="'), ("", "a b", '"')):
        header = begin + REPEATED[what] * (100_000 // len(REPEATED[what])) + end

        assert _seconds(header) < MOST_SECONDS


def test_every_short_header_is_read_as_werkzeug_reads_it() -> None:
    """Applications that come from Werkzeug find the same cookies."""
    for length in range(7):
        for symbols in itertools.product(SYMBOLS, repeat=length):
            header = "".join(symbols)

            assert read_cookies(header) == parse_cookie(header).to_dict(flat=False), header


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ('"a\\054b"', "a,b"),
        ('"\\303\\251"', "é"),
        ("caf\xc3\xa9", "café"),
        ("\xff", "\ufffd"),
        ('"a;b"', "a;b"),
    ],
)
def test_a_value_may_be_quoted(value: str, read: str) -> None:
    """Escapes are octal bytes of UTF-8, as Python and Werkzeug write them."""
    assert read_cookies(f"a={value}") == {"a": [read]}


def test_parameters_and_the_request_object_read_the_same_cookies() -> None:
    """There is one reader of the header."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, request: Request, a: Cookie[list[str]]) -> list[list[str]]:
            return [a, request.cookies.getlist("a"), [request.cookies["a"]]]

    with client_of(Pages) as client:
        answer = _get(client, 'a=1; b=2; a="x;y"; c d; a')

    assert answer.get_json() == [["1", "x;y", ""], ["1", "x;y", ""], ["1"]]


def test_the_request_object_reads_a_header_of_spaces_once() -> None:
    """The cookies of the request object cost as little as those of a parameter."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, request: Request) -> int:
            return len(request.cookies)

    with client_of(Pages) as client:
        start = time.process_time()
        answer = _get(client, "a=" + " " * 60_000 + "1 b")
        seconds = time.process_time() - start

    assert (answer.get_json(), seconds < MOST_SECONDS) == (0, True)


def _get(client: Client, header: str) -> TestResponse:
    # This client sends a Cookie header as it is given.
    verbatim = werkzeug.test.Client(client.application, use_cookies=False)
    return verbatim.get("/", headers={"Cookie": header}, buffered=True)


def _seconds(header: str) -> float:
    start = time.process_time()
    read_cookies(header)
    return time.process_time() - start
