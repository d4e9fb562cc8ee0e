"""Errors become a problem document, or an HTML page."""

import logging
import os
from collections.abc import Iterator
from html import unescape

import pytest
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import (
    BadRequest,
    Conflict,
    Gone,
    HTTPException,
    InternalServerError,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    abort,
)
from werkzeug.routing import RequestRedirect

from framework import Application, Query, Response, controller, get
from framework.testing import Client
from tests.support.small_applications import client_of

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Teapot(HTTPException):
    code = 418
    description = "short & <stout>"


class Nameless(HTTPException):
    """An HTTP error without a description and a status."""


ERRORS: dict[str, Exception] = {
    "bad": BadRequest(),
    "gone": Gone("The shop is closed."),
    "busy": TooManyRequests(retry_after=7),
    "away": ServiceUnavailable(retry_after=8),
    "login": Unauthorized(www_authenticate=WWWAuthenticate("basic", {"realm": "shop"})),
    "teapot": Teapot(),
    "nameless": Nameless(),
    "chosen": InternalServerError("chosen by the handler"),
    "carried": Conflict(response=Response("own", 299, {"X-Own": "1"})),
    "redirect": RequestRedirect("/elsewhere"),
    "bug": LookupError("a secret"),
}


@controller("/")
class Errors:
    """Fail in every way."""

    @get("/raise/<name>")
    def fail(self, name: str) -> str:
        raise ERRORS[name]

    @get("/abort")
    def aborted(self) -> str:
        abort(403)

    @get("/items/<int:item_id>")
    def item(self, item_id: int, page: Query[int], size: Query[int]) -> str:
        raise LookupError("a secret")


@pytest.fixture
def client() -> Iterator[Client]:
    with Application(Errors).test() as client:
        yield client


def test_an_http_error_is_a_problem_document(client: Client) -> None:
    """The document has the type, title, status and detail of RFC 9457."""
    response = client.get("/raise/gone")

    assert response.status == "410 GONE"
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json == {
        "type": "about:blank",
        "title": "Gone",
        "status": 410,
        "detail": "The shop is closed.",
    }


def test_abort_is_an_http_error(client: Client) -> None:
    """Werkzeug's `abort` works in a handler."""
    assert client.get("/abort").status_code == 403


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("busy", "Retry-After", "7"),
        ("away", "Retry-After", "8"),
        ("login", "WWW-Authenticate", "Basic realm=shop"),
    ],
)
def test_an_error_keeps_its_headers(client: Client, name: str, header: str, value: str) -> None:
    """Headers that belong to the error are sent with its document."""
    assert client.get(f"/raise/{name}").headers[header] == value


def test_all_errors_of_a_request_are_listed(client: Client) -> None:
    """Invalid data is a 422 with every error."""
    response = client.get("/items/1?page=x")

    assert response.status_code == 422
    errors = (response.json or {})["errors"]
    assert [error["where"] for error in errors] == ["query:page", "query:size"]


def test_an_error_that_carries_a_response_is_that_response(client: Client) -> None:
    """`HTTPException(response=r)` is answered with r."""
    response = client.get("/raise/carried")

    assert response.status_code == 299
    assert response.headers["X-Own"] == "1"
    assert response.text == "own"


def test_a_redirect_that_is_raised_redirects(client: Client) -> None:
    """An HTTPException with a status below 400 is not an error."""
    response = client.get("/raise/redirect")

    assert response.status_code == 308
    assert response.location == "/elsewhere"


def test_an_error_without_a_status_is_a_500(client: Client) -> None:
    """An HTTPException without a status cannot have another answer."""
    assert client.get("/raise/nameless").status_code == 500


def test_a_500_shows_the_client_no_detail(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """A 500 shows no detail; the log has the route, the handler and the traceback, once."""
    client.set_cookie("session", "hidden")
    response = client.get("/items/1?page=1&size=2")

    assert response.status_code == 500
    assert "secret" not in response.text
    assert "Errors" not in response.text
    assert len(caplog.records) == 1
    assert "GET /items/<int:item_id>" in caplog.text
    assert "Errors.item" in caplog.text
    assert "LookupError: a secret" in caplog.text
    assert "hidden" not in caplog.text


@pytest.mark.parametrize("name", ["gone", "away", "chosen", "nameless"])
def test_an_error_that_was_chosen_is_not_logged(
    client: Client, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """An HTTP error that code raises is an answer, also with a 5xx."""
    client.get(f"/raise/{name}")

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_with_debug_a_bug_reaches_the_debugger() -> None:
    """With debug the exception passes through, for the debugger around the application."""
    app = Application(Errors, debug=True)
    client = Client(app)

    with pytest.raises(LookupError, match="a secret"):
        client.get("/raise/bug")

    assert client.get("/raise/gone").status_code == 410


def test_debug_can_be_switched_on_later() -> None:
    """The development server does that."""
    app = Application(Errors)
    app.debug = True

    with pytest.raises(LookupError):
        Client(app).get("/raise/bug")


@pytest.mark.parametrize(
    "accept", [BROWSER, "text/html", "text/html;q=0.5, application/json;q=0.4"]
)
def test_a_browser_gets_a_page(client: Client, accept: str) -> None:
    """A client that prefers HTML gets a page, with `Vary: Accept` for caches."""
    response = client.get("/raise/teapot", headers={"Accept": accept})

    assert response.status_code == 418
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Vary"] == "Accept"
    assert "<h1>418 I&#39;m a teapot</h1>" in response.text
    assert "short &amp; &lt;stout&gt;" in response.text


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/json",
        "application/json, text/html",
        "text/html;q=0, */*",
        "text/plain",
        "",
    ],
)
def test_others_get_a_document(client: Client, accept: str) -> None:
    """Any other client gets a problem document."""
    response = client.get("/raise/teapot", headers={"Accept": accept})

    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Vary"] == "Accept"


def test_a_page_lists_the_errors(client: Client) -> None:
    """The page of a 422 names every invalid value."""
    response = client.get("/items/1?page=<b>", headers={"Accept": "text/html"})

    assert "<li><code>query:page</code>" in response.text
    assert "<b>" not in response.text


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_an_error_has_the_length_of_its_body(client: Client, accept: str) -> None:
    """Content-Length counts bytes."""
    response = client.get("/missing", headers={"Accept": accept})

    assert response.headers["Content-Length"] == str(len(response.data))


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_name_of_a_file_may_stand_in_an_error(accept: str) -> None:
    """Bytes that are not UTF-8 are shown as escapes, and the status does not change."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self) -> None:
            raise NotFound(f"There is no {os.fsdecode(bytes([97, 255]))}.")

    with client_of(Pages) as client:
        answer = client.get("/", headers={"Accept": accept})

    shown = unescape(answer.text).replace("\\\\", "\\")
    assert (answer.status_code, "There is no a\\udcff." in shown) == (404, True)
