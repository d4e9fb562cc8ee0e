"""JSON and HTML: results with their own headers or status."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from pydantic import BaseModel, Field
from werkzeug.exceptions import ServiceUnavailable

from framework import (
    Application,
    Next,
    Request,
    Response,
    catch,
    component,
    configuration,
    controller,
    delete,
    get,
    post,
)
from framework.middleware import Middleware
from framework.results import HTML, JSON
from tests.support.small_applications import client_of, only_problem_of


@dataclass
class Order:
    number: int
    name: str = "tea"


class Parcel(msgspec.Struct, rename="camel"):
    sent_by: str


class Note(BaseModel):
    own_title: str = Field(default="milk", serialization_alias="ownTitle")


def returning(result: Any) -> type:
    """Return a controller whose only handler returns the result."""

    @controller("/")
    class Returning:
        @get("/")
        def show(self) -> Any:
            return result

    return Returning


VALUES = [
    {"a": [1, None]},
    [1, 2],
    "text",
    None,
    5,
    True,
    Decimal("1.50"),
    UUID(int=1),
    Order(1),
    Parcel("ada"),
    Note(),
    [Note()],
    (1, 2),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_json_writes_a_value_as_a_handler_would(value: Any) -> None:
    """A text and None are also written as JSON."""
    with client_of(returning(JSON(value))) as client, client_of(returning([value])) as other:
        answer, listed = client.get("/"), other.get("/")

    assert answer.status == "200 OK"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert b"[" + answer.data + b"]" == listed.data


@controller("/orders")
class Orders:
    @post("/", status=201)
    def create(self) -> JSON[Order]:
        return JSON(Order(7), headers={"Location": "/orders/7"})

    @post("/accepted", status=201)
    def accept(self) -> JSON[Order]:
        return JSON(Order(7), 202)

    @post("/later", status=201)
    def later(self) -> JSON[Order]:
        result = JSON(Order(7))
        result.status_code = 203
        return result

    @get("/page", status=203)
    def page(self) -> HTML:
        return HTML("<h1>ż</h1>", headers=[("X-One", "1"), ("X-Two", "2")])

    @get("/gone")
    def gone(self) -> HTML:
        return HTML("gone", status=410)

    @get("/missing")
    def missing(self) -> Order:
        raise LookupError("no order")

    @catch(LookupError, status=404)
    def unknown(self, error: LookupError) -> JSON[dict[str, str]]:
        return JSON({"error": str(error)}, headers={"X-Kind": "lookup"})


@pytest.mark.parametrize(
    ("method", "path", "status", "body", "headers"),
    [
        ("POST", "/orders", 201, b'{"number":7,"name":"tea"}', {"Location": "/orders/7"}),
        ("POST", "/orders/accepted", 202, b'{"number":7,"name":"tea"}', {}),
        ("POST", "/orders/later", 203, b'{"number":7,"name":"tea"}', {}),
        ("GET", "/orders/page", 203, "<h1>ż</h1>".encode(), {"X-One": "1", "X-Two": "2"}),
        ("GET", "/orders/gone", 410, b"gone", {"Content-Type": "text/html; charset=utf-8"}),
        ("GET", "/orders/missing", 404, b'{"error":"no order"}', {"X-Kind": "lookup"}),
    ],
)
def test_a_result_without_a_status_has_that_of_its_decorator(
    method: str, path: str, status: int, body: bytes, headers: dict[str, str]
) -> None:
    """The result's own status comes first, and its headers are sent."""
    with Application(Orders).test() as client:
        answer = client.open(path, method=method)

    assert (answer.status_code, answer.data) == (status, body)
    assert headers.items() <= dict(answer.headers).items()


def test_middleware_sees_the_result_as_a_response() -> None:
    """Middleware may add headers, or return another result."""

    def around(request: Request, next: Next) -> Response:
        if request.args:
            return JSON({"refused": True}, 400)
        answer = next(request)
        answer.headers["X-Seen"] = str(answer.status_code)
        return answer

    @configuration
    class Web:
        @component
        def middleware(self) -> list[Middleware]:
            return [around]

    with Application(Orders, Web).test() as client:
        created, refused = client.post("/orders"), client.post("/orders?no=1")

    assert created.headers["X-Seen"] == "201"
    assert (refused.status_code, refused.json) == (400, {"refused": True})


@pytest.mark.parametrize(
    ("result", "status", "retry"),
    [
        (lambda: {"a": 1}, 503, ["9"]),
        (lambda: JSON({"a": 1}), 503, ["9"]),
        (lambda: HTML("later"), 503, ["9"]),
        (lambda: JSON(1, headers={"retry-after": "60"}), 503, ["60"]),
        (lambda: JSON({"a": 1}, 404), 404, []),
        (lambda: Response("later", 503), 503, []),
    ],
    ids=["plain", "json", "html", "header", "status", "response"],
)
def test_a_result_for_a_caught_error_has_its_status_and_headers(
    result: Any, status: int, retry: list[str]
) -> None:
    """The status and headers of the error are used, unless the result has its own."""

    @controller("/")
    class Busy:
        @get("/")
        def show(self) -> str:
            raise ServiceUnavailable(retry_after=9)

        @catch(ServiceUnavailable)
        def later(self) -> Any:
            return result()

    with client_of(Busy) as client:
        answer = client.get("/")

    assert (answer.status_code, answer.headers.getlist("Retry-After")) == (status, retry)


def test_a_value_that_json_cannot_hold_is_an_error_where_it_is_given() -> None:
    """The message shows the value and what to do."""
    with pytest.raises(TypeError, match=r"JSON\(<object .*cannot be written: .* Fix: give JSON"):
        JSON(object())


def test_a_status_without_a_body_takes_no_result(caplog: pytest.LogCaptureFixture) -> None:
    """Otherwise the body would be lost."""

    @controller("/")
    class Quiet:
        @delete("/", status=204)
        def drop(self) -> JSON[int]:
            return JSON(1)

    with client_of(Quiet) as client:
        assert client.delete("/").status_code == 500
    assert "has no body" in str(caplog.records[0].exc_info[1])  # type: ignore[index]


class Foreign:
    """A class that JSON cannot hold."""


def test_start_up_checks_the_value_of_an_annotation() -> None:
    """The check is the same as for a plain return type."""

    @controller("/")
    class Wrong:
        @get("/")
        def show(self) -> JSON[Foreign]: ...  # type: ignore[empty-body]

    assert only_problem_of(Wrong).what == "the handler returns Foreign, which JSON cannot hold"


BODIES: list[Any] = [
    {"a": 1},
    {},
    {"a"},
    frozenset({b"a"}),
    [1, 2],
    [{"a": 1}],
    ["a", 1],
    (1, 2),
    range(3),
    deque([1]),
    memoryview(b"ab"),
    {"a": 1}.values(),
    5,
    1.5,
    True,
    Order(1),
    Parcel("ada"),
    Note(),
    object(),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_a_response_around_a_value_is_refused(body: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The log has the remedy, and nothing is sent before the error."""
    with client_of(returning(Response(body))) as client:
        answer = client.get("/")

    assert answer.status_code == 500
    told = str(caplog.records[0].exc_info[1])  # type: ignore[index]
    assert "whose body is neither text nor bytes. Fix: return the value itself" in told
    assert "JSON(value, status=…, headers=…), which is in framework.results" in told


def _chunks() -> Iterable[bytes]:
    yield b"a"
    yield b"b"


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ("ab", b"ab"),
        (b"ab", b"ab"),
        (bytearray(b"ab"), b"ab"),
        (None, b""),
        ([], b""),
        (["a", b"b"], b"ab"),
        (("a", "b"), b"ab"),
        (_chunks(), b"ab"),
        (iter(["a", "b"]), b"ab"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_response_of_text_or_bytes_is_sent(body: Any, sent: bytes) -> None:
    """The body may be in one or several pieces."""
    with client_of(returning(Response(body))) as client:
        assert client.get("/").data == sent
