"""An incomplete, large or encoded body is refused by every way to read it."""

import gzip
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import EnvironBuilder, run_wsgi_app

from framework import (
    Application,
    Body,
    Form,
    Middleware,
    Next,
    Request,
    Response,
    component,
    configuration,
    controller,
    guard,
    post,
)
from framework.http.context import Context
from framework.testing import open_client
from tests.support.small_applications import client_of

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
LIMIT = Context.settings.body_limit

FORM = b"amount=1"
FILE = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n12345678\r\n--b--\r\n'
)


def passing(request: Request, next: Next) -> Response:
    return next(request)


def reading_data(request: Request, next: Next) -> Response:
    request.get_data()
    return next(request)


def reading_form(request: Request, next: Next) -> Response:
    _ = request.form
    return next(request)


@controller("/")
class Pages:
    @post("/json")
    def json(self, amount: Body[int]) -> int:
        return amount

    @post("/optional")
    def optional(self, amount: Body[int | None] = None) -> int | None:
        return amount

    @post("/field")
    def field(self, amount: Form[int]) -> int:
        return amount

    @post("/file")
    def file(self, file: FileStorage) -> int:
        return len(file.read())

    @post("/data")
    def data(self, request: Request) -> int:
        return len(request.get_data())

    @post("/stream")
    def stream(self, request: Request) -> int:
        return sum(map(len, request.stream))

    @post("/form")
    def form(self, request: Request) -> str:
        return request.form["amount"]

    @post("/get-json")
    def get_json(self, request: Request) -> Any:
        return request.get_json()


# The body that each reader reads, and its type.
READERS = {
    "/json": (b"1", "application/json"),
    "/optional": (b"1", "application/json"),
    "/field": (FORM, URLENCODED),
    "/file": (FILE, MULTIPART),
    "/data": (b"any bytes", "text/plain"),
    "/stream": (b"any bytes", "text/plain"),
    "/form": (FORM, URLENCODED),
    "/get-json": (b"1", "application/json"),
}
PARSERS = [path for path in READERS if path not in ("/data", "/stream")]
AROUND = [None, passing, reading_data, reading_form]


@cache
def _application(around: Any) -> Application:
    @configuration
    class Configuration:
        @component
        def middleware(self) -> list[Middleware]:
            return [around]

    return Application(Pages) if around is None else Application(Pages, Configuration)


def answer(path: str, body: bytes, around: Any = None, /, **environ: object) -> tuple[int, Any]:
    """Return the status and the headers for a body, with middleware around the handler."""

    builder = EnvironBuilder(
        path, method="POST", input_stream=BytesIO(body), content_type=READERS[path][1]
    )
    request = {**builder.get_environ(), "CONTENT_LENGTH": "", **environ}
    _, status, headers = run_wsgi_app(_application(around), request, buffered=True)
    return int(status[:3]), headers


@pytest.mark.parametrize("path", READERS)
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("terminated", [False, True])
def test_a_whole_body_is_read(path: str, around: Any, terminated: bool) -> None:
    """Each reader reads a body of known length, or of a stream that the server ends."""
    body, _ = READERS[path]
    environ = {"wsgi.input_terminated": terminated, "CONTENT_LENGTH": str(len(body))}

    assert answer(path, body, around, **environ)[0] == 200
    if terminated:
        assert answer(path, body, around, **{"wsgi.input_terminated": True})[0] == 200


@pytest.mark.parametrize("path", READERS)
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("terminated", [False, True])
@pytest.mark.parametrize("missing", [1, 2, 1000])
def test_a_body_cut_short_is_refused(
    path: str, around: Any, terminated: bool, missing: int
) -> None:
    """A client that loses its connection within `amount=100` does not pay 1."""
    body, _ = READERS[path]
    environ = {"wsgi.input_terminated": terminated, "CONTENT_LENGTH": str(len(body) + missing)}

    assert answer(path, body, around, **environ)[0] == 400


@pytest.mark.parametrize("path", READERS)
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("length", ["abc", "-1", "+7", "7, 7", "1.0", "0x1", "1_0", "²"])
def test_a_length_that_is_not_a_number_is_refused(path: str, around: Any, length: str) -> None:
    """Such a body does not count as empty."""
    assert answer(path, READERS[path][0], around, CONTENT_LENGTH=length)[0] == 400


@pytest.mark.parametrize("path", READERS)
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("known", [False, True])
def test_a_body_over_the_limit_is_refused(path: str, around: Any, known: bool) -> None:
    """This holds with a length, and without one if the server ends the stream."""
    body = READERS[path][0] + b" " * LIMIT
    length = str(len(body)) if known else ""

    status, _ = answer(path, body, around, CONTENT_LENGTH=length, **{"wsgi.input_terminated": True})

    assert status == 413


@pytest.mark.parametrize("path", PARSERS)
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "identity, gzip", "gzip,", "x"])
def test_an_encoded_body_is_refused(path: str, around: Any, coding: str) -> None:
    """The answer is 415 and names what is accepted (RFC 9110, 15.5.16)."""
    body, _ = READERS[path]
    for sent in (gzip.compress(body), body):
        environ = {"CONTENT_LENGTH": str(len(sent)), "HTTP_CONTENT_ENCODING": coding}
        status, headers = answer(path, sent, around, **environ)

        assert (status, headers.getlist("Accept-Encoding")) == (415, ["identity"])


@pytest.mark.parametrize("path", READERS)
@pytest.mark.parametrize("coding", ["", "identity", "Identity", " identity ,"])
def test_a_body_that_is_not_encoded_may_say_so(path: str, coding: str) -> None:
    """`identity` means no encoding."""
    body, _ = READERS[path]
    environ = {"CONTENT_LENGTH": str(len(body)), "HTTP_CONTENT_ENCODING": coding}

    assert answer(path, body, **environ)[0] == 200


def test_a_handler_may_decompress_its_body() -> None:
    """A handler can read the bytes of an encoded body."""
    body = gzip.compress(b"any bytes")
    environ = {"CONTENT_LENGTH": str(len(body)), "HTTP_CONTENT_ENCODING": "gzip"}

    assert answer("/data", body, **environ)[0] == 200


def test_a_request_without_a_body_has_no_encoding() -> None:
    """Without a body, the header does not count."""
    environ = {"CONTENT_LENGTH": "0", "HTTP_CONTENT_ENCODING": "gzip"}

    assert answer("/optional", b"", **environ)[0] == 204


def test_a_refusal_says_how_much_of_the_body_came() -> None:
    """The detail names the bytes that came and the bytes that were announced."""
    with open_client((Pages,), ()) as client:
        refused = client.post(
            "/field",
            data=FORM,
            content_type=URLENCODED,
            environ_overrides={"CONTENT_LENGTH": "10"},
        )

    assert refused.get_json()["detail"] == "The body ended after 8 of 10 bytes."


def test_a_body_over_the_limit_is_not_reported_as_a_field() -> None:
    """For a large form without a length, the message names the limit and no field."""
    with open_client((Pages,), ()) as client:
        refused = client.post(
            "/file",
            input_stream=BytesIO(FILE[:-9] + b"x" * LIMIT + FILE[-9:]),
            content_type=MULTIPART,
            environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
        )

    assert refused.status_code == 413
    assert refused.get_json()["detail"] == f"The body is over the limit of {LIMIT} bytes."


@pytest.mark.parametrize("text", ["a%FF", "%ED%A0%80", "%C3", "caf%C3%A9%FF", "%FF%FF+x"])
def test_the_request_object_reads_bytes_of_a_form_as_it_reads_those_of_a_query(text: str) -> None:
    """Bytes that are not UTF-8 stay escaped, in names and values."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, request: Request) -> list[bool]:
            return [request.form == request.args, "".join(request.form.values()).isprintable()]

    with client_of(Pages) as client:
        answer = client.post(
            f"/?n{text}={text}",
            data=f"n{text}={text}",
            content_type="application/x-www-form-urlencoded",
        )

    assert answer.get_json() == [True, True]


def test_a_parameter_and_the_request_object_may_both_read_a_form() -> None:
    """In any order, the parameter refuses text that is not UTF-8."""

    class Reads:
        def check(self, request: Request) -> bool:
            return request.form["x"] == "%FF"

    @controller("/")
    class Pages:
        @post("/")
        @guard(Reads)
        def page(self, x: Form[str], request: Request) -> str:
            return request.form["x"]

    with client_of(Pages) as client:
        answer = client.post("/", data="x=%FF", content_type="application/x-www-form-urlencoded")

    assert answer.get_json()["errors"] == [{"where": "form:x", "what": "expected UTF-8"}]
