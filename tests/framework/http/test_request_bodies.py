"""The body of a request: its limit, its length, and its readers."""

from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from framework import Body, Request, controller, post
from framework.http.context import Context
from framework.testing import open_client
from tests.support.small_applications import echo_of, marked


class Counting(BytesIO):
    """A body that counts the bytes that are read."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data

    def readinto(self, buffer: Any, /) -> int:
        count = super().readinto(buffer)
        self.count += count
        return count


def status_of(body: BytesIO, pages: type | None = None, /, **environ: object) -> int:
    """Return the status of the answer to a JSON body with this environment."""
    builder = EnvironBuilder(method="POST", input_stream=body, content_type="application/json")
    request = builder.get_environ()
    # The builder has measured the body; here the server says what it knows of it.
    request["CONTENT_LENGTH"] = ""
    with open_client((pages or echo_of(marked(Body, Any)),), ()) as client:
        _, status, _ = run_wsgi_app(client.app, request | environ, buffered=True)
    return int(status[:3])


def quoted(size: int) -> bytes:
    """Return JSON of a size."""
    return b'"' + b"x" * (size - 2) + b'"'


def test_a_body_over_the_limit_is_not_read() -> None:
    """A length over the limit is refused before a byte is read."""
    body = Counting(quoted(Context.settings.body_limit + 1))

    assert status_of(body, CONTENT_LENGTH=str(Context.settings.body_limit + 1)) == 413
    assert body.count == 0


def test_a_body_without_a_length_is_read_to_the_limit_only() -> None:
    """A stream without a length is refused once it is over the limit."""
    body = Counting(quoted(3 * Context.settings.body_limit))

    assert status_of(body, **{"wsgi.input_terminated": True}) == 413
    assert body.count == Context.settings.body_limit + 1


def test_the_request_object_has_the_limit_as_well() -> None:
    """A handler that reads the body itself is kept to the limit, with and without a length."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, request: Request) -> int:
            return len(request.get_data())

    size = Context.settings.body_limit + 1
    streamed = {"wsgi.input_terminated": True}

    assert status_of(Counting(quoted(size)), Pages, CONTENT_LENGTH=str(size)) == 413
    assert status_of(Counting(quoted(size)), Pages, **streamed) == 413
    assert status_of(Counting(quoted(size - 1)), Pages, **streamed) == 200


@pytest.mark.parametrize(
    "environ", [{"wsgi.input_terminated": True}, {"CONTENT_LENGTH": "1048576"}]
)
def test_a_body_of_just_the_limit_is_read(environ: dict[str, object]) -> None:
    """The limit itself is allowed, with and without a length."""
    assert status_of(Counting(quoted(Context.settings.body_limit)), **environ) == 200


@pytest.mark.parametrize("length", ["abc", "-1", "1.0", "+1", "0x1", "²"])
def test_a_length_that_is_not_a_number_is_a_bad_request(length: str) -> None:
    """A Content-Length has digits only."""
    assert status_of(Counting(b"1"), CONTENT_LENGTH=length) == 400


def test_a_length_of_many_digits_is_too_large() -> None:
    """A very long number is refused like a large one."""
    assert status_of(Counting(b"1"), CONTENT_LENGTH="9" * 4_000) == 413


def test_a_body_that_ends_early_is_a_bad_request() -> None:
    """If a client leaves early, the half body is not used."""
    assert status_of(Counting(b"[1, 2]"), CONTENT_LENGTH="100") == 400


def test_a_body_without_a_length_and_an_end_is_not_read() -> None:
    """If the server does not end the stream, reading would wait for ever."""
    body = Counting(b"1")

    assert status_of(body) == 422
    assert body.count == 0


def test_the_request_reads_the_body_that_was_bound() -> None:
    """The request object can read a body that a parameter has read."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, data: Body[list[int]], request: Request) -> str:
            return f"{data} {request.get_data(as_text=True)} {request.json}"

    with open_client((Pages,), ()) as client:
        assert client.post("/", json=[1]).text == "[1] [1] [1]"


class Unreadable(BytesIO):
    """A body that raises the error of a server for malformed chunks."""

    def readinto(self, buffer: Any, /) -> int:
        raise LookupError("chunk size ZZ")


def test_a_body_that_the_server_cannot_read_is_a_bad_request() -> None:
    """Servers raise errors of their own for a malformed chunked body."""
    assert status_of(Unreadable(b"1"), **{"wsgi.input_terminated": True}) == 400
