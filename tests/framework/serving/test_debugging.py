"""The debugger and the 404 of the development server."""

import re
from pathlib import Path

import pytest
from werkzeug.test import Client

import framework
from framework import (
    Application,
    Middleware,
    Next,
    Request,
    Response,
    component,
    configuration,
    controller,
    get,
)
from framework.serving.debugging import debugged

PACKAGE = Path(framework.__file__).parent
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Shelf:
    def find(self) -> str:
        try:
            raise LookupError("no such book")
        except LookupError as error:
            raise RuntimeError("the shelf fell") from error


@controller("/books")
class Books:
    @get("/broken")
    def fail(self) -> str:
        return Shelf().find()

    @get("/unknown")
    def unsuited(self) -> object:
        return object()

    @get("/<int:book_id>")
    def show(self, book_id: int) -> str:
        return f"book {book_id}"


def around(request: Request, next: Next) -> Response:
    return next(request)


@configuration
class Web:
    @component
    def middleware(self) -> list[Middleware]:
        return [around]


def page_of(path: str, *parts: type, **headers: str) -> str:
    served, _ = debugged(Application(Books, *parts), "127.0.0.1")
    return Client(served).get(path, headers=headers).text


@pytest.mark.parametrize("parts", [(), (Web,)], ids=["plain", "with middleware"])
def test_the_debugger_shows_only_frames_of_the_user(parts: tuple[type, ...]) -> None:
    """The failed frame is the last, and no frame of the framework comes before it."""
    page = page_of("/books/broken", *parts)
    frames = re.findall(r'<cite class="filename">"(.*?)"</cite>', page)
    functions = re.findall(r'<code class="function">(.*?)</code>', page)

    # The checkers of these tests have frames, too.
    assert [frame for frame in frames if frame.startswith(str(PACKAGE))] == []
    assert functions[-2:] == ["fail", "find"]
    assert functions.count("around") == len(parts)


def test_an_error_in_the_framework_keeps_its_frames() -> None:
    """A result that cannot be sent fails after the handler has returned."""
    assert "Return a Response" in page_of("/books/unknown")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/books/first", "GET /books/<int:book_id>: 'first' does not fit '<int:book_id>'"),
        ("/boks/broken", "GET /books/broken: 'boks' is not 'books'"),
    ],
)
@pytest.mark.parametrize("headers", [{}, BROWSER], ids=["json", "html"])
def test_an_unknown_path_names_similar_routes(
    path: str, line: str, headers: dict[str, str]
) -> None:
    """The list is that of `framework explain`."""
    page = page_of(path, **headers)

    assert line in page.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'")


def test_a_path_like_no_route_names_the_command() -> None:
    """There is no similar route."""
    page = page_of("/<b>" + "x" * 100_000)

    assert "`framework routes` lists all routes" in page


@pytest.mark.parametrize(("path", "status"), [("/books/%FF", 400), ("/books%2F1", 404)])
def test_a_malformed_path_is_a_bad_request_in_the_debugger(path: str, status: int) -> None:
    """Such a path has no similar route."""
    served, _ = debugged(Application(Books), "127.0.0.1")

    assert Client(served).get(path, environ_overrides={"RAW_URI": path}).status_code == status
