"""Results: the response for each kind of a handler's result."""

import enum
import inspect
from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pytest
from markupsafe import Markup
from werkzeug.test import create_environ
from werkzeug.utils import send_file
from werkzeug.wsgi import FileWrapper

from framework import Application, Response, Session, controller, get
from framework.http.responses import Renderers, render_response
from framework.report import Mistake, location
from tests.support.small_applications import client_of, only_problem_of, problems_of


class Colour(enum.Enum):
    RED = "red"


class Shade(enum.StrEnum):
    DARK = "dark"


@dataclass
class Position:
    x: int
    y: int


class Note(msgspec.Struct):
    text: str


UUID_TEXT = "12345678-1234-5678-1234-567812345678"
RESULTS: list[tuple[Any, str, bytes]] = [
    ("zażółć", "text/plain; charset=utf-8", "zażółć".encode()),
    ("", "text/plain; charset=utf-8", b""),
    (b"\x00\xff", "application/octet-stream", b"\x00\xff"),
    ({"a": [1, 2.5, None, True]}, "application/json", b'{"a":[1,2.5,null,true]}'),
    ([], "application/json", b"[]"),
    (0, "application/json", b"0"),
    (False, "application/json", b"false"),
    (Colour.RED, "application/json", b'"red"'),
    (Shade.DARK, "application/json", b'"dark"'),
    (Position(1, 2), "application/json", b'{"x":1,"y":2}'),
    (Note("hi"), "application/json", b'{"text":"hi"}'),
    (UUID(UUID_TEXT), "application/json", f'"{UUID_TEXT}"'.encode()),
    (datetime(2026, 1, 2, tzinfo=UTC), "application/json", b'"2026-01-02T00:00:00Z"'),
]


def answer_of(result: object, status: int | None = None) -> Any:
    """Return the response of a handler that returns the result."""

    @controller("/")
    class Pages:
        @get("/", status=status)
        def show(self) -> object:
            return result

    with Application(Pages).test() as client:
        return client.get("/")


@pytest.mark.parametrize(("result", "content_type", "body"), RESULTS)
def test_a_result_becomes_a_body(result: object, content_type: str, body: bytes) -> None:
    """Text and bytes are sent as they are, everything else as compact JSON."""
    response = answer_of(result)

    assert response.status == "200 OK"
    assert response.headers["Content-Type"] == content_type
    assert response.headers["Content-Length"] == str(len(body))
    assert response.data == body


def test_none_is_answered_with_204() -> None:
    """None is 204 without body and Content-Type."""
    response = answer_of(None)

    assert response.status == "204 NO CONTENT"
    assert list(response.headers) == []
    assert response.data == b""


def test_the_decorator_sets_the_status() -> None:
    """`status=` is the status for every result of the handler."""
    assert answer_of({"a": 1}, 201).status == "201 CREATED"
    assert answer_of(None, 202).status == "202 ACCEPTED"
    assert answer_of(None, 299).status == "299 UNKNOWN"


def test_a_204_with_a_body_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """A 204 cannot have a body; the log says so."""
    response = answer_of({"a": 1}, 204)

    assert response.status_code == 500
    assert "its status '204 NO CONTENT' has no body" in caplog.text


def test_a_response_is_sent_as_it_is() -> None:
    """A Response keeps its status, headers and body, also if the decorator has a status."""
    response = answer_of(Response("<p>", 202, {"X-Own": "1"}, mimetype="text/html"), 201)

    assert response.status_code == 202
    assert response.headers["X-Own"] == "1"
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.text == "<p>"


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_content_has_no_content_type(status: int) -> None:
    """Werkzeug's default type would describe nothing."""
    response = answer_of(Response(status=status))

    assert response.status_code == status
    assert "Content-Type" not in response.headers
    assert response.data == b""


def test_a_file_is_left_to_the_servers_own_wrapper(tmp_path: Path) -> None:
    """The framework does not read a file that the server can send by itself."""
    file = tmp_path / "page.txt"
    file.write_bytes(b"x" * 100_000)
    environ = create_environ()
    _, headers, body = render_response(send_file(file, environ), environ, "Files.show")

    assert ("Content-Length", "100000") in headers
    assert isinstance(body, FileWrapper)
    body.close()


def test_a_result_that_json_cannot_hold_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """A result that JSON cannot hold is a 500; the log shows the remedy."""
    response = answer_of(object())

    assert response.status_code == 500
    assert "Pages.show" in caplog.text
    assert "which cannot be sent" in caplog.text


def test_classes_made_by_a_handler_are_not_kept() -> None:
    """A handler may return a new class each time; only a few are remembered."""
    renderers = Renderers("Pages.show")
    for _ in range(100):
        made = msgspec.defstruct("Made", [("n", int)])
        assert renderers[made](made(1), {})[2] == [b'{"n":1}']

    assert len(renderers) < 100


def test_a_header_that_cannot_be_sent_fails_before_anything_is_saved(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The answer is a 500 before the commit."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, session: Session) -> Response:
            session["seen"] = True
            return Response(headers={"X-Name": "żółć"})

    with Application(Pages).test() as client:
        response = client.get("/")

    assert response.status_code == 500
    assert "Set-Cookie" not in response.headers
    assert "sets the header X-Name: 'żółć', which is not Latin-1" in caplog.text


def test_a_coroutine_as_the_result_is_explained(caplog: pytest.LogCaptureFixture) -> None:
    """A decorator may hide from start-up that a function is async."""

    async def show() -> str:
        return "never"

    coroutine = show()
    response = answer_of(coroutine)

    assert response.status_code == 500
    # Python complains of one that is neither awaited nor closed.
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
    assert "Pages.show" in caplog.text
    assert "returned <coroutine ob" in caplog.text
    assert "which WSGI cannot await. Fix: write `def` in place of `async def`" in caplog.text


class Point(NamedTuple):
    x: int
    y: int


class Raw(bytes): ...


class Rows(list[int]): ...


class Plain:
    """A class that JSON cannot hold."""


def returning(value: object, annotation: Any = Any) -> type:
    """Make a controller whose handler returns a value."""

    @controller("/")
    class Page:
        @get("/")
        def page(self) -> Any:
            return value

        page.__annotations__ = {"return": annotation}

    return Page


def test_a_body_with_a_status_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """As JSON, the tuple would be a list with the status 200."""
    page = returning(("made", 201))

    with client_of(page) as client:
        status = client.get("/").status_code

    assert status == 500
    assert str(caplog.records[0].exc_info[1]) == (  # type: ignore[index]
        f"{location(vars(page)['page'])} returned ('made', 201), but a tuple cannot set the"
        " status. Fix: return the body alone and give the decorator status=201, or return"
        " Response(body, status=201)."
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            ("x", 404, {"X-Tea": "y"}),
            "but a tuple cannot set a status and headers."
            " Fix: return Response(body, status=404, headers={'X-Tea': 'y'}).",
        ),
        (
            ({"a": 1}, 201, {}),
            "but a tuple cannot set a status and headers. Fix: return framework.results.JSON(body,"
            " status=201, headers={}).",
        ),
        (
            ([1], 201),
            "but a tuple cannot set the status. Fix: return the body alone and give the decorator"
            " status=201, or return framework.results.JSON(body, status=201).",
        ),
        (
            ("x", {"Location": "/"}),
            "but a tuple cannot set headers. Fix: return Response(body,"
            " headers={'Location': '/'}).",
        ),
    ],
)
def test_a_body_with_a_status_or_headers_is_refused(
    value: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The remedy depends on the parts of the tuple."""
    with client_of(returning(value)) as client:
        status = client.get("/").status_code

    assert status == 500
    assert str(caplog.records[0].exc_info[1]).endswith(f" returned {value!r}, {told}")  # type: ignore[index]


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        ((), Any),
        ((1,), Any),
        (("x", {"name": "y"}), Any),
        (("x", {}), Any),
        (("x", "404", {"X": "y"}), Any),
        (("x", 404, ["y"]), Any),
        (("x", 404, {"X": "y"}, 1), Any),
        ((1, 2), Any),
        ((1, 200, 3), Any),
        ((1, True), Any),
        (Point(1, 200), Any),
        ((100, 200), tuple[int, int]),
        ((100, 200), tuple),
        ((100, 200), tuple[int, ...] | None),
        (("x", 404, 1), tuple[str, int, int]),
    ],
)
def test_other_tuples_are_data(value: Any, annotation: Any) -> None:
    """A tuple that the return annotation names is always data."""
    with client_of(returning(value, annotation)) as client:
        assert client.get("/").json == list(value)


@pytest.mark.parametrize(
    ("annotation", "result"),
    [
        (tuple[str, int], "Response"),
        (tuple[dict[str, Any], int] | None, "framework.results.JSON"),
        (tuple[str, int, dict[str, str]], "Response"),
    ],
)
def test_a_promised_body_with_a_status_is_a_problem(annotation: Any, result: str) -> None:
    """Start-up finds it before the first request."""
    problem = only_problem_of(returning("", annotation))

    assert problem.what.startswith("the handler returns tuple[")
    assert problem.what.endswith("], but a tuple cannot set the status")
    assert problem.remedy == (
        "Return the body alone and write @get(…, status=201), or return"
        f" {result}(body, status=201)."
    )


def test_a_promised_plain_object_is_a_problem() -> None:
    """JSON cannot hold such an object."""
    page = returning(Plain(), Plain)

    assert only_problem_of(page) == Mistake(
        "the handler returns Plain, which JSON cannot hold",
        "Make Plain a dataclass or a msgspec.Struct, or return a dict, a text or a Response.",
        where=location(vars(page)["page"]),
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Markup("<b>"), "<b>"),
        (Raw(b"raw"), "raw"),
        (OrderedDict(a=1), '{"a":1}'),
        (Counter("a"), '{"a":1}'),
        (defaultdict(int, a=1), '{"a":1}'),
        (Rows([1]), "[1]"),
    ],
)
def test_a_promised_subclass_of_a_plain_type_is_a_result(value: Any, text: str) -> None:
    """The value is sent like a value of the base type."""
    with client_of(returning(value, type(value))) as client:
        assert client.get("/").text == text


@pytest.mark.parametrize("annotation", [Point, list[Plain], object, type, "Missing", None, str])
def test_an_annotation_that_may_be_a_result_is_accepted(annotation: Any) -> None:
    """Start-up accepts an annotation that may fit, or that cannot be evaluated."""
    assert problems_of(returning("", annotation)) == ()
