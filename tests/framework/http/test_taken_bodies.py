"""A body that other code has read: it never counts as an empty body."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from framework import (
    Body,
    Form,
    Middleware,
    Request,
    Response,
    component,
    configuration,
    controller,
    guard,
    post,
)
from framework.middleware import Next
from framework.results import JSON
from tests.support.small_applications import client_of

JSON_TYPE, URLENCODED = "application/json", "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
BODIES = {
    JSON_TYPE: b'{"a":"1"}',
    URLENCODED: b"a=1",
    MULTIPART: b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n',
}
RIGHT: dict[str, dict[str, tuple[int, object]]] = {
    "/body": {JSON_TYPE: (200, {"a": "1"}), URLENCODED: (415, None), MULTIPART: (415, None)},
    "/form": {JSON_TYPE: (415, None), URLENCODED: (200, "1"), MULTIPART: (200, "1")},
}
# Each way to read leaves the body for others.
KEEPING: dict[str, Callable[[Request], object]] = {
    "nothing": lambda request: None,
    "data": lambda request: request.get_data(),
    "data and form": lambda request: request.get_data(parse_form_data=True),
    "form": lambda request: request.form,
    "files": lambda request: request.files,
    "values": lambda request: request.values,
    "json": lambda request: request.get_json(silent=True),
    "the stream, unread": lambda request: request.stream,
    "form and data": lambda request: (request.form, request.get_data()),
}
TAKING: dict[str, Callable[[Request], object]] = {
    "the stream": lambda request: request.stream.read(),
    "a part of the stream": lambda request: request.stream.read(1),
    "data, not kept": lambda request: request.get_data(cache=False),
}


@controller("/")
class Pages:
    @post("/body")
    def body(self, x: Body[dict[str, str] | None] = None) -> JSON[Any]:
        return JSON(x)

    @post("/form")
    def form(self, a: Form[str] = "absent") -> JSON[Any]:
        return JSON(a)


def _behind(read: Callable[[Request], object]) -> type:
    @configuration
    class Settings:
        @component
        def middleware(self) -> list[Middleware]:
            def reading(request: Request, next: Next) -> Response:
                read(request)
                return next(request)

            return [reading]

    return Settings


def _sent(parts: tuple[type, ...], path: str, kind: str, **environ: Any) -> TestResponse:
    with client_of(*parts) as client:
        return client.post(path, data=BODIES[kind], content_type=kind, environ_overrides=environ)


@pytest.mark.parametrize("terminated", [False, True])
@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("path", RIGHT)
@pytest.mark.parametrize("what", KEEPING)
def test_middleware_that_reads_a_body_changes_no_answer(
    what: str, path: str, kind: str, terminated: bool
) -> None:
    """Behind any middleware, parameters read and refuse the same."""
    status, value = RIGHT[path][kind]

    answer = _sent(
        (Pages, _behind(KEEPING[what])), path, kind, **{"wsgi.input_terminated": terminated}
    )

    assert answer.status_code == status
    assert status != 200 or answer.get_json() == value


@pytest.mark.parametrize(("path", "kind"), [("/body", JSON_TYPE), ("/form", URLENCODED)])
@pytest.mark.parametrize("what", TAKING)
def test_a_body_that_was_not_kept_is_an_error_of_the_code(
    what: str, path: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the error, a default would silently replace the client's data."""
    with caplog.at_level(logging.ERROR):
        answer = _sent((Pages, _behind(TAKING[what])), path, kind)

    assert answer.status_code == 500
    assert "Fix: read it with request.get_data()" in caplog.text


@pytest.mark.parametrize("what", TAKING)
def test_a_request_without_a_body_has_nothing_to_lose(what: str) -> None:
    """Without a body, the parameter gets its default."""
    with client_of(Pages, _behind(TAKING[what])) as client:
        answers = [client.post(path) for path in RIGHT]

    assert [answer.get_json() for answer in answers] == [None, "absent"]


def test_a_guard_that_reads_the_form_leaves_no_empty_body() -> None:
    """The body has the wrong type for the handler, in any order of reading."""

    class Reads:
        def check(self, request: Request) -> bool:
            return "a" in request.form

    @controller("/guarded")
    class Guarded:
        @post("/")
        @guard(Reads)
        def body(self, x: Body[dict[str, str] | None] = None) -> JSON[Any]:
            return JSON(x)

    answer = _sent((Guarded,), "/guarded", URLENCODED)

    assert answer.status_code == 415
