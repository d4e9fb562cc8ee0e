"""Headers and statuses that a server cannot send: an error of the code that sets them."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import HTTPException, NotFound, Unauthorized
from werkzeug.test import create_environ
from werkzeug.utils import send_file

from framework import (
    Application,
    Middleware,
    Next,
    Request,
    Response,
    Session,
    catch,
    component,
    configuration,
    controller,
    get,
)
from framework.http.responses import render_response
from framework.testing import Client
from tests.support.thoroughness import examples

NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
CONTENT = r"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?"

Answer = Callable[[Request], Any]
Set = Callable[[Response], object]


class OwnError(HTTPException):
    """An error with headers of its own."""

    code = 409

    def __init__(self, header: tuple[str, str]) -> None:
        super().__init__("In conflict.")
        self._header = header

    def get_headers(self, *_: Any, **__: Any) -> list[tuple[str, str]]:
        return [self._header]


class CaughtError(Exception):
    """An error that an exception handler answers."""


def own_client(answer: Answer, *, around: Set | None = None) -> Client:
    """Give a client of a handler that writes to its session, with or without middleware."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, request: Request, session: Session) -> Any:
            session["seen"] = True
            session.regenerate()
            return answer(request)

        @get("/seen")
        def seen(self, session: Session) -> list[str]:
            return list(session)

        @catch(CaughtError)
        def caught(self, error: CaughtError, request: Request) -> Response:
            return Response("caught", headers=[("X-V", str(error))])

    @configuration
    class Around:
        @component
        def middleware(self) -> list[Middleware]:
            def layer(request: Request, next: Next) -> Response:
                response = next(request)
                if around is not None and request.path == "/":
                    around(response)
                return response

            return [layer]

    parts = (Pages,) if around is None else (Pages, Around)
    return Client(Application(*parts))


def raised(error: Exception) -> Any:
    raise error


def stream(value: str) -> Response:
    def chunks() -> Iterator[str]:
        yield "a"

    return Response(chunks(), headers=[("X-V", value)])


# Each way on which a value of a header can leave a handler.
WAYS: dict[str, Callable[[Request, str], Any]] = {
    "a response": lambda request, value: Response("x", headers=[("X-V", value)]),
    "a stream": lambda request, value: stream(value),
    "no content": lambda request, value: Response(status=204, headers=[("X-V", value)]),
    "a file": lambda request, value: with_header(
        send_file(__file__, request.environ), "X-V", value
    ),
    "a content type": lambda request, value: Response("x", content_type=f"text/plain; a={value}"),
    "a cookie": lambda request, value: with_header(Response(), "Set-Cookie", f"a={value}"),
    "a raised response": lambda request, value: raised(
        HTTPException(response=Response("x", 403, headers=[("X-V", value)]))
    ),
    "an error": lambda request, value: raised(OwnError(("X-V", value))),
    "a challenge": lambda request, value: raised(
        Unauthorized(www_authenticate=WWWAuthenticate("basic", {"realm": value}))
    ),
    "a caught error": lambda request, value: raised(CaughtError(value)),
}
CONTROLS = [chr(code) for code in (*range(0x20), 0x7F) if chr(code) not in "\t\r\n"]


def with_header(response: Response, name: str, value: str) -> Response:
    response.headers.add(name, value)
    return response


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", ["a\0b", "a\x1fb", "\x0b", "a\x7f", "\u017c"])
def test_an_unsendable_value_is_a_500_that_saves_nothing(
    way: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The session keeps its id and its data, and the log names the header and the value."""
    if value == "\u017c" and way == "a challenge":
        pytest.skip("Werkzeug writes a challenge in ASCII")
    client = own_client(lambda request: WAYS[way](request, value))

    response = client.get("/")

    assert response.status_code == 500
    assert "Set-Cookie" not in response.headers
    assert client.get("/seen").json == []
    assert "ValueError" in caplog.text
    assert repr(value)[1:-1] in caplog.text
    assert "Fix: percent-encode the value, or leave the header out." in caplog.text


@pytest.mark.parametrize("control", CONTROLS)
def test_every_control_character_is_refused(control: str) -> None:
    """A tab counts as a space; Werkzeug refuses the two line ends itself."""
    client = own_client(lambda request: Response(headers=[("X-V", f"a{control}b")]))

    assert client.get("/").status_code == 500


@pytest.mark.parametrize("name", ["", "X V", "X-V ", " X", "X:", "X\0", "\u017c", "\xe9", "(x)"])
@pytest.mark.parametrize("way", ["a handler", "middleware", "an error"])
def test_an_unfit_name_is_a_500_that_saves_nothing(
    name: str, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The log shows the name, for a handler and for middleware."""

    def put(response: Response) -> None:
        response.headers.add(name, "v")

    def answer(request: Request) -> Response:
        if way == "an error":
            raise OwnError((name, "v"))
        return Response(headers=[(name, "v")] if way == "a handler" else [])

    client = own_client(answer, around=put if way == "middleware" else None)

    response = client.get("/")

    assert response.status_code == 500
    assert "Set-Cookie" not in response.headers
    assert f"sets a header named {name!r}, which is not a valid name" in caplog.text


@pytest.mark.parametrize(
    "put",
    [
        lambda response: response.headers.set("X-V", "a\x01"),
        lambda response: response.set_cookie("a\0", "b"),
        lambda response: response.set_cookie("a", "b", domain="a\x01.example"),
        lambda response: setattr(response, "status", "200 O\x00K"),
        lambda response: response.headers.set("Content-Disposition", "attachment; filename=a\0"),
    ],
)
def test_middleware_saves_nothing_with_an_unsendable_header(put: Set) -> None:
    """The session of the handler is discarded, although its own answer was valid."""
    client = own_client(lambda request: "fit", around=put)

    response = client.get("/")

    assert response.status_code == 500
    assert "Set-Cookie" not in response.headers
    assert client.get("/seen").json == []


@pytest.mark.parametrize(
    "status",
    [
        "200 O\0K",
        "200 OK\r\nX: y",
        "200 \u017b",
        "42",
        "1000",
        "0",
        "Teapot",
        "100 Continue",
        "199",
    ],
)
def test_an_unsendable_status_is_a_500(status: str, caplog: pytest.LogCaptureFixture) -> None:
    """A reason is text on one line after a number of three digits: RFC 9112, 4."""
    client = own_client(lambda request: Response(status=status))

    response = client.get("/")

    assert response.status_code == 500
    assert "Set-Cookie" not in response.headers
    assert "which no server can send. Fix: give a number of three digits" in caplog.text


@pytest.mark.parametrize("status", ["200 ", "404 Nowhere", "299 \xe9t\xe9", "418 I'm a teapot"])
def test_a_custom_reason_phrase_is_sent(status: str) -> None:
    """A reason may be any Latin-1 text, or empty."""
    response = own_client(lambda request: Response(status=status)).get("/")

    assert response.status_code == int(status[:3])


def test_an_error_with_an_impossible_code_is_a_500() -> None:
    """The code of an error becomes the status, so it has three digits."""

    class Odd(NotFound):
        code = 4040

    response = own_client(lambda request: raised(Odd())).get("/")

    assert response.status_code == 500


@settings(max_examples=examples(300), deadline=None)
@given(
    st.sampled_from(["X-V", "Set-Cookie", "ETag"]) | st.text(max_size=3),
    st.text(max_size=6) | st.text(st.characters(max_codepoint=0x100), max_size=6),
)
@example("X-V", " \t a \t b \t ")
@example("X-V", "")
@example("X-V", "a\x80\xff")
def test_only_what_the_grammar_allows_is_sent(name: str, value: str) -> None:
    """A valid value is sent without outer spaces; an invalid one is a ValueError."""
    sent = value.replace("\t", " ").strip(" ")
    response = Response("x", headers=[(name, "")])
    # Werkzeug refuses the two line ends when a header is set.
    response.headers._list[-1] = (name, value)

    try:
        _, headers, _ = render_response(response, create_environ(), "Pages.page")
    except ValueError:
        assert not (re.fullmatch(NAME, name) and re.fullmatch(CONTENT, sent))
    else:
        assert (name, sent) in headers
        for sent_name, sent_value in headers:
            assert re.fullmatch(NAME, sent_name)
            assert re.fullmatch(CONTENT, sent_value)
