"""Middleware goes around everything that answers, and its own errors are answered too."""

from collections.abc import Iterator

import pytest

from framework import (
    Application,
    Next,
    Request,
    Response,
    replace,
)
from framework.testing import Client
from tests.framework.surrounding import Log, Logging, Pages, around, of_a_query
from tests.framework.trials import client_of


@pytest.fixture
def client() -> Iterator[Client]:
    with client_of(Pages, Log, around(Logging, of_a_query)) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "text"),
    [("/", "shown"), ("/7", "7"), ("/nothing", ""), ("/stream", "ab"), ("/response", "own")],
)
def test_middleware_goes_around_every_kind_of_answer(client: Client, path: str, text: str) -> None:
    """It sees a response, whatever the handler returned, and what it changes is sent."""
    response = client.get(path)

    assert response.text == text
    assert response.headers["X-Logged"] == "yes"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/missing", 404), ("POST", "/", 405), ("OPTIONS", "/", 204), ("GET", "/raise", 500)],
)
def test_middleware_goes_around_answers_without_a_handler(
    client: Client, method: str, path: str, status: int
) -> None:
    """Refusals, automatic answers and errors pass through it as well."""
    response = client.open(path, method=method)

    assert response.status_code == status
    assert response.headers["X-Logged"] == "yes"


def test_head_passes_through_middleware(client: Client) -> None:
    """HEAD has the headers of GET, also those that middleware adds."""
    got, headed = client.get("/"), client.head("/")

    assert headed.data == b""
    assert list(headed.headers) == list(got.headers)


def test_an_injected_class_is_built_once() -> None:
    """The constructor of a listed class is injected, at start-up."""
    log = Log()
    with Application(Pages, Log, around(Logging)).test(replace(Log).to(log)) as client:
        client.get("/7")
        client.get("/missing")

    assert log.lines == ["GET /7", "200 OK", "GET /missing", "404 NOT FOUND"]


def test_middleware_may_answer_itself(client: Client) -> None:
    """Then the handler does not run."""
    assert client.get("/raise?do=answer").text == "its own"


@pytest.mark.parametrize(("do", "status"), [("refuse", 403), ("fail", 500), ("return", 500)])
def test_an_exception_in_middleware_is_answered(client: Client, do: str, status: int) -> None:
    """It is rendered like the handler's, and the middleware around it sees the response."""
    response = client.get(f"/?do={do}")

    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    assert "secret" not in response.text
    assert response.headers["X-Logged"] == "yes"


def test_it_is_logged_once(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """The log has the traceback of an exception that nobody chose to raise."""
    client.get("/?do=fail")

    (record,) = caplog.records
    assert record.exc_info is not None


def test_what_is_no_response_is_named(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """The error says which middleware forgot to return, and where it is."""
    client.get("/?do=return")

    assert "the middleware of_a_query (" in caplog.text
    assert "returned None, which is no Response" in caplog.text


def test_a_broken_stream_is_logged_once(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """Middleware around a stream does not watch it a second time."""
    with pytest.raises(LookupError):
        client.get("/broken-stream")

    assert len(caplog.records) == 1


def test_what_is_to_follow_the_response_follows_a_stream() -> None:
    """`call_on_close` of middleware is kept, and runs once."""
    ended: list[str] = []

    def closing(request: Request, next: Next) -> Response:
        response = next(request)
        response.call_on_close(lambda: ended.append(request.path))
        return response

    with client_of(Pages, around(closing)) as client:
        client.get("/stream")
        client.get("/")

    assert ended == ["/stream", "/"]
