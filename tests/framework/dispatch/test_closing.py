"""Bodies and generators that are not sent, or not sent unchanged, are closed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from framework import (
    Application,
    Inject,
    Middleware,
    Next,
    Request,
    Response,
    Session,
    component,
    configuration,
    controller,
    get,
)
from framework.testing import Client, replace
from sessions import SessionContainer
from tests.support.session_pages import KEYS, Spy


class Trace:
    """Note the closed objects, and keep them from the garbage collector."""

    def __init__(self) -> None:
        self.closed: list[str] = []
        self._kept: list[object] = []

    def chunks(self, *chunks: object) -> Iterator[Any]:
        def made() -> Iterator[object]:
            try:
                yield from chunks
            finally:
                self.closed.append("generator")

        generator = made()
        self._kept.append(generator)
        return generator

    def response(self, *args: Any, **options: Any) -> Response:
        response = Response(*args, **options)
        response.call_on_close(lambda: self.closed.append("response"))
        self._kept.append(response)
        return response


BOTH = ["generator", "response"]


def passing(request: Request, next: Next) -> Response:
    """Do nothing."""
    return next(request)


def answered(
    make: Callable[[Trace], Any], *around: Middleware, method: str = "GET"
) -> tuple[int, list[str]]:
    """Return the status of a handler's answer, and the closed objects in order."""
    trace = Trace()

    @controller("/")
    class Page:
        @get("/")
        def show(self) -> Any:
            return make(trace)

    @configuration
    class Around:
        @component
        def middleware(self) -> list[Middleware]:
            return list(around)

    with Application(*[Page, Around] if around else [Page]).test() as client:
        return client.open("/", method=method).status_code, trace.closed


def test_a_first_chunk_of_a_wrong_type_ends_its_generator() -> None:
    """The answer is a 500, and the generator is closed."""
    assert answered(lambda trace: trace.chunks(3)) == (500, ["generator"])


def test_a_first_chunk_of_a_wrong_type_ends_its_response() -> None:
    """The functions of `call_on_close` run after the error is sent."""
    assert answered(lambda trace: trace.response(trace.chunks(3))) == (500, BOTH)


@pytest.mark.parametrize("around", [[], [passing]])
def test_a_header_that_cannot_be_sent_ends_its_response(around: list[Middleware]) -> None:
    """An error is sent in place of the response."""

    def make(trace: Trace) -> Response:
        return trace.response("text", headers={"X-Name": "Ż"})

    assert answered(make, *around) == (500, ["response"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("content", ["text", ["a", "b"], "chunks", "passed"])
def test_every_kind_of_response_is_closed_once(method: str, content: Any) -> None:
    """This includes a file that the server sends by itself, also for HEAD."""

    def make(trace: Trace) -> Response:
        if content == "passed":
            return trace.response(iter([b"a"]), direct_passthrough=True)
        return trace.response(iter("ab") if content == "chunks" else content)

    assert answered(make, method=method) == (200, ["response"])
    assert answered(make, passing, method=method) == (
        200,
        ["response"],
    )


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_closes_its_response(status: int) -> None:
    """No chunk is read."""
    assert answered(lambda trace: trace.response(iter("ab"), status)) == (status, ["response"])


def test_middleware_with_its_own_answer_closes_the_handlers_stream() -> None:
    """The handler's stream had already made its first chunk."""

    def instead(request: Request, next: Next) -> Response:
        next(request)
        return Response("another")

    assert answered(lambda trace: trace.response(trace.chunks("a", "b")), instead) == (200, BOTH)
    assert answered(lambda trace: trace.chunks("a", "b"), instead) == (200, ["generator"])


def test_middleware_that_fails_closes_the_handlers_stream() -> None:
    """An error is sent in place of the handler's response."""

    def failing(request: Request, next: Next) -> Response:
        next(request)
        raise LookupError

    assert answered(lambda trace: trace.response(trace.chunks("a", "b")), failing) == (500, BOTH)


def test_middleware_may_put_the_handlers_stream_into_another_response() -> None:
    """The stream ends only after the other response was sent."""
    sent: list[str] = []

    def shouting(request: Request, next: Next) -> Response:
        inner = next(request)
        return Response(each.upper() for each in noted(inner.iter_encoded()))

    def noted(chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            sent.append(chunk.decode())
            yield chunk
        assert trace_of[0].closed == ["generator"]

    trace_of: list[Trace] = []

    def make(trace: Trace) -> Response:
        trace_of.append(trace)
        return trace.response(trace.chunks("a", "b"))

    assert answered(make, shouting) == (200, BOTH)
    assert sent == ["a", "b"]


@pytest.mark.parametrize("status", [204, 304])
def test_middleware_that_takes_the_body_away_ends_it(status: int) -> None:
    """A status without a body sends no chunk."""

    def unchanged(request: Request, next: Next) -> Response:
        response = next(request)
        response.status_code = status
        return response

    assert answered(lambda trace: trace.chunks("a", "b"), unchanged) == (status, ["generator"])


def test_middleware_that_sets_another_body_closes_the_first() -> None:
    """The middleware changes the response that it received."""

    def rewriting(request: Request, next: Next) -> Response:
        response = next(request)
        response.set_data("another")
        return response

    assert answered(lambda trace: trace.response(trace.chunks("a", "b")), rewriting) == (200, BOTH)


def test_a_failed_commit_closes_the_unsent_body() -> None:
    """The answer is 503 in place of the handler's response."""
    trace, store = Trace(), Spy()
    store.broken = {"create"}

    @controller("/")
    class Page:
        @get("/")
        def show(self, session: Session) -> Response:
            session["key"] = "value"
            return trace.response(trace.chunks("a", "b"))

    container = SessionContainer(keys=KEYS, store=store)
    with Application(Page).test(replace(SessionContainer).to(container)) as client:
        assert client.get("/").status_code == 503

    assert trace.closed == BOTH


def test_an_error_while_closing_an_unsent_body_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The error does not change the answer."""

    def fail() -> None:
        raise LookupError("while it was closed")

    @controller("/")
    class Page:
        @get("/")
        def show(self) -> Response:
            response = Response("text", headers={"X-Name": "Ż"})
            response.call_on_close(fail)
            return response

    assert Client(Application(Page)).get("/").status_code == 500
    assert "while it was closed" in caplog.text


class Connection: ...


def test_a_generator_whose_chunks_are_not_sent_ends_before_its_components() -> None:
    """The end of the generator may still need the components."""
    trace = Trace()

    @configuration
    class Around:
        @component(scope="request")
        def connection(self) -> Iterator[Connection]:
            yield Connection()
            trace.closed.append("connection")

        @component
        def middleware(self) -> list[Middleware]:
            return [not_modified]

    @controller("/")
    class Page:
        @get("/")
        def show(self, connection: Inject[Connection]) -> Iterator[Any]:
            return trace.chunks("a", "b")

    def not_modified(request: Request, next: Next) -> Response:
        response = next(request)
        response.status_code = 304
        return response

    with Application(Page, Around).test() as client:
        client.get("/")

    assert trace.closed == ["generator", "connection"]


def test_middleware_may_run_code_after_the_handlers_stream() -> None:
    """`call_on_close` works as for any other response."""
    followed: list[str] = []

    def following(request: Request, next: Next) -> Response:
        response = next(request)
        response.call_on_close(lambda: followed.append("middleware"))
        return response

    assert answered(lambda trace: trace.chunks("a", "b"), following) == (200, ["generator"])
    assert followed == ["middleware"]
