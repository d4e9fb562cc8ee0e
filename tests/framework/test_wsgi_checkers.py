"""Two checkers of WSGI watch every application of these tests."""

from collections.abc import Iterator

import pytest
from werkzeug.middleware.lint import HTTPWarning
from werkzeug.test import Client as WSGIClient

from framework import Application, Response, controller, get, post, session
from sessions import SessionContainer
from tests.support.session_pages import KEYS


@controller("/")
class Answers:
    """Handlers with every kind of answer."""

    @get("/text")
    def text(self) -> str:
        """Answer with text."""
        return "text"

    @get("/json")
    def json(self, session: session) -> dict[str, int]:
        """Answer with JSON and a cookie."""
        session["visits"] = 1
        return {"visits": 1}

    @get("/nothing")
    def nothing(self) -> None:
        """Answer without a body."""

    @get("/stream")
    def stream(self) -> Iterator[bytes]:
        """Answer chunk by chunk."""
        yield b"a"
        yield b"b"

    @post("/bug")
    def bug(self) -> str:
        """Fail."""
        raise LookupError("lost")

    @get("/broken-wsgi")
    def broken_wsgi(self) -> Response:
        """Answer with a header whose name WSGI forbids."""
        return Response("text", headers={"X-Own-": "1"})

    @get("/broken-http")
    def broken_http(self) -> Response:
        """Answer with a tag that HTTP wants in quotes."""
        return Response("text", headers={"ETag": "1"})


@pytest.fixture
def application() -> Application:
    """Return an application with sessions."""
    container = SessionContainer(keys=KEYS)
    return Application(Answers, replacements={SessionContainer: container})


@pytest.mark.parametrize(
    ("path", "complaint"), [("/broken-wsgi", AssertionError), ("/broken-http", HTTPWarning)]
)
def test_the_checkers_of_wsgi_watch_every_request(
    application: Application, path: str, complaint: type[Exception]
) -> None:
    """An answer that breaks WSGI or HTTP fails its test."""
    with pytest.raises(complaint):
        WSGIClient(application).get(path)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/text", 200),
        ("GET", "/json", 200),
        ("GET", "/nothing", 204),
        ("GET", "/stream", 200),
        ("POST", "/bug", 500),
        ("GET", "/missing", 404),
        ("PUT", "/bug", 405),
        ("OPTIONS", "/text", 204),
    ],
)
def test_every_kind_of_answer_passes_the_checkers_of_wsgi(
    application: Application, method: str, path: str, status: int
) -> None:
    """Both checkers accept all answers."""
    client = WSGIClient(application)

    response = client.open(path, method=method, buffered=True)

    assert response.status_code == status
