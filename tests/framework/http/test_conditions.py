"""Conditions and ranges of static files and of other responses (RFC 9110, 13 and 14)."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, RequestedRangeNotSatisfiable
from werkzeug.test import EnvironBuilder

from framework import Application, Request, Response, controller, get
from framework.http.conditions import answer_conditions
from framework.static import StaticFiles, conditional
from framework.testing import Client
from tests.support.thoroughness import examples

TEXT = b"0123456789"
CHANGED = "Thu, 01 Jan 2026 00:00:00 GMT"
BEFORE, AFTER = "Wed, 31 Dec 2025 23:59:59 GMT", "Thu, 01 Jan 2026 00:00:01 GMT"

Ask = Callable[..., Any]


@pytest.fixture(params=["file", "handler", "stream"])
def ask(request: pytest.FixtureRequest, tmp_path: Path) -> Ask:
    """Return a function that requests the same text with given headers."""
    (tmp_path / "a.txt").write_bytes(TEXT)
    os.utime(tmp_path / "a.txt", (1767225600, 1767225600))

    @controller("/file")
    class Files(StaticFiles):
        folder = tmp_path

    @controller("/")
    class Texts:
        @get("/handler/a.txt")
        def text(self, request: Request) -> Response:
            return self._answered(Response(TEXT), request)

        @get("/stream/a.txt")
        def stream(self, request: Request) -> Response:
            response = Response(TEXT[at : at + 3] for at in range(0, 10, 3))
            response.content_length = len(TEXT)
            return self._answered(response, request)

        def _answered(self, response: Response, request: Request) -> Response:
            response.set_etag("tag")
            response.headers["Last-Modified"] = CHANGED
            return conditional(response, request)

    client = Client(Application(Files, Texts))

    def asked(method: str = "GET", **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.open(f"/{request.param}/a.txt", method=method, headers=named)

    return asked


def environ_with(headers: dict[str, str], method: str = "GET") -> Any:
    return EnvironBuilder(method=method, headers=Headers(headers)).get_environ()


def _noted(at: int, made: list[int]) -> int:
    made.append(at)
    return at


def tag_of(ask: Ask) -> str:
    tag: str = ask().headers["ETag"]
    return tag


@pytest.mark.parametrize(
    ("asked_for", "status", "body"),
    [
        ("bytes=0-3", 206, b"0123"),
        ("bytes=4-", 206, b"456789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-500", 206, TEXT),
        ("bytes=8-500", 206, b"89"),
        ("bytes=0-0", 206, b"0"),
        ("Bytes=0-3", 206, b"0123"),
        ("bytes= 0-3 ,", 206, b"0123"),
        ("bytes=0-3,400-500", 206, b"0123"),
        ("bytes=10-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=10-11,500-", 416, None),
        ("bytes=" + "9" * 20 + "-", 416, None),
        ("bytes=0-1,4-5", 200, TEXT),
        ("bytes=0-1,-2", 200, TEXT),
        ("items=0-3", 200, TEXT),
        ("bytes=3-1", 200, TEXT),
        ("bytes=", 200, TEXT),
        ("bytes=a-b", 200, TEXT),
        ("bytes=-", 200, TEXT),
        ("bytes=--3", 200, TEXT),
        ("bytes=" + "9" * 5000 + "-", 200, TEXT),
        ("bytes=" + ",".join(["0-1"] * 500), 200, TEXT),
        ("bytes=0-1,x", 200, TEXT),
        ("", 200, TEXT),
    ],
)
def test_a_range(ask: Ask, asked_for: str, status: int, body: bytes | None) -> None:
    """One range is sent alone; an invalid range or several ranges give the whole body."""
    answer = ask(Range=asked_for)

    assert answer.status_code == status
    if body is not None:
        assert answer.data == body
        assert answer.headers["Content-Length"] == str(len(body))
    if status == 416:
        assert answer.headers["Content-Range"] == "bytes */10"
        assert answer.mimetype == "application/problem+json"
    if status == 206:
        assert answer.headers["Content-Range"].startswith("bytes ")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_None_Match": "{}"}, 304),
        ({"If_None_Match": "W/{}"}, 304),
        ({"If_None_Match": '"other", {}'}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"other"'}, 200),
        ({"If_None_Match": '"other"', "If_Modified_Since": AFTER}, 200),
        ({"If_None_Match": "{}", "If_Modified_Since": BEFORE}, 304),
        ({"If_None_Match": "{}", "Range": "bytes=0-3"}, 304),
        ({"If_Modified_Since": CHANGED}, 304),
        ({"If_Modified_Since": AFTER}, 304),
        ({"If_Modified_Since": BEFORE}, 200),
        ({"If_Modified_Since": "yesterday"}, 200),
        ({"If_Modified_Since": CHANGED, "Range": "bytes=0-3"}, 304),
        ({"If_Match": "{}"}, 200),
        ({"If_Match": "*"}, 200),
        ({"If_Match": '"other"'}, 412),
        ({"If_Match": "W/{}"}, 412),
        ({"If_Match": '"other"', "If_None_Match": "{}"}, 412),
        ({"If_Match": "{}", "If_None_Match": "{}"}, 304),
        ({"If_Match": '"other"', "Range": "bytes=0-3"}, 412),
        ({"If_Match": "{}", "If_Unmodified_Since": BEFORE}, 200),
        ({"If_Unmodified_Since": BEFORE}, 412),
        ({"If_Unmodified_Since": CHANGED}, 200),
        ({"If_Unmodified_Since": "yesterday"}, 200),
        ({"If_Range": "{}", "Range": "bytes=0-3"}, 206),
        ({"If_Range": "W/{}", "Range": "bytes=0-3"}, 200),
        ({"If_Range": '"other"', "Range": "bytes=0-3"}, 200),
        ({"If_Range": '"other"', "Range": "bytes=50-"}, 200),
        ({"If_Range": CHANGED, "Range": "bytes=0-3"}, 206),
        ({"If_Range": AFTER, "Range": "bytes=0-3"}, 200),
        ({"If_Range": "yesterday", "Range": "bytes=0-3"}, 200),
        ({"If_Range": '"other"'}, 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_condition(ask: Ask, headers: dict[str, str], status: int, method: str) -> None:
    """Conditions are checked in the order of RFC 9110, 13.2.2; ranges are for GET only."""
    tag = tag_of(ask)
    answer = ask(method, **{name: value.format(tag) for name, value in headers.items()})
    wanted = 200 if method == "HEAD" and status == 206 else status

    assert answer.status_code == wanted
    if wanted == 412:
        assert answer.data == b"" if method == "HEAD" else TEXT not in answer.data
    if wanted == 304:
        assert (answer.data, answer.headers["ETag"]) == (b"", tag)
    if wanted == 200 and method == "GET":
        assert answer.data == TEXT


def test_a_head_has_no_range(ask: Ask) -> None:
    """The answer to HEAD says that ranges are possible, and has the whole length."""
    answer = ask("HEAD", Range="bytes=0-3")

    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == "10"
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_a_refused_response_is_closed() -> None:
    """The file of the response is not needed any more."""
    closed: list[bool] = []
    for headers in ({"If-Match": '"other"'}, {"Range": "bytes=50-"}):
        response = Response(TEXT)
        response.call_on_close(lambda: closed.append(True))
        environ = environ_with(headers)
        with pytest.raises(HTTPException, match=r"4\d\d"):
            answer_conditions(response, environ)

    assert closed == [True, True]


@pytest.mark.parametrize(("method", "status"), [("POST", 200), ("GET", 404), ("GET", 303)])
def test_other_answers_stay_as_they_are(method: str, status: int) -> None:
    """Conditions are only for successful answers to GET and HEAD."""
    environ = environ_with({"If-Match": '"other"', "Range": "bytes=0-3"}, method)
    response = answer_conditions(Response(TEXT, status), environ)

    assert (response.status_code, response.data) == (status, TEXT)


@pytest.mark.parametrize("status", [201, 203])
def test_a_range_is_of_a_200(status: int) -> None:
    """Any other success is sent as a whole."""
    environ = environ_with({"Range": "bytes=0-3"})
    response = answer_conditions(Response(TEXT, status), environ)

    assert (response.status_code, response.data) == (status, TEXT)


def test_an_empty_body_has_no_range() -> None:
    """A 206 cannot name a range of an empty body."""
    environ = environ_with({"Range": "bytes=-5"})

    assert answer_conditions(Response(b""), environ).status_code == 200


def test_a_stream_of_unknown_length_is_not_read() -> None:
    """Such a stream has no range, and its first byte is sent at once."""
    made: list[int] = []
    chunks = (bytes([_noted(at, made)]) for at in range(10))
    answer = answer_conditions(Response(chunks), environ_with({"Range": "bytes=0-3"}))

    assert (answer.status_code, made) == (200, [])


@settings(max_examples=examples(400), deadline=None)
@given(
    st.text("0123456789-,= \tbytes*", max_size=12)
    | st.from_regex(r"[0-9]{0,3}-[0-9]{0,3}", fullmatch=True),
    st.integers(0, 12),
)
@example("0-", 1)
@example("-0", 5)
def test_a_range_is_a_part_of_the_body(asked_for: str, length: int) -> None:
    """The answer is the whole body, exactly the bytes of Content-Range, or 416."""
    environ = environ_with({"Range": f"bytes={asked_for}".strip()})
    body = TEXT[:length] + b"ab"[: max(length - 10, 0)]
    try:
        answer = answer_conditions(Response(body), environ)
    except RequestedRangeNotSatisfiable as error:
        answer = Response(status=error.get_response().status_code)

    if answer.status_code == 206:
        first, last = map(int, answer.headers["Content-Range"][6:].split("/")[0].split("-"))
        assert answer.data == body[first : last + 1]
    elif answer.status_code == 200:
        assert answer.data == body


@pytest.mark.parametrize(
    ("name", "kind", "encoding"),
    [
        ("a.tar.gz", "application/gzip", None),
        ("a.tgz", "application/gzip", None),
        ("a.css.gz", "application/gzip", None),
        ("a.tar.bz2", "application/x-bzip2", None),
        ("a.tar.xz", "application/x-xz", None),
        ("a.svgz", "image/svg+xml", "gzip"),
        ("a.css", "text/css", None),
    ],
)
def test_a_compressed_file_is_sent_as_it_is(
    name: str, kind: str, encoding: str | None, tmp_path: Path
) -> None:
    """A browser saves the archive, and does not unpack it."""
    content = gzip.compress(b"x")
    (tmp_path / name).write_bytes(content)

    @controller("/")
    class Files(StaticFiles):
        folder = tmp_path

    answer = Client(Application(Files)).get(f"/{name}")

    assert (answer.mimetype, answer.headers.get("Content-Encoding")) == (kind, encoding)
    assert answer.data == content
