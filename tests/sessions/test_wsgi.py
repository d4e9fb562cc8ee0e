"""The WSGI middleware follows PEP 3333, for every kind of response."""

import gc
import weakref
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest

from sessions import MemoryStore, SessionContainer, StoreUnavailable
from sessions.wsgi import SessionMiddleware
from tests.support.applications import TEXT, WITH_BODY, WITHOUT_BODY, Body, a_file, a_list, count
from tests.support.apps import KEY, session_of
from tests.support.gateway import Gateway, Headers, close, environment, serve
from tests.support.watched import WatchedStore

Protect = Callable[[WSGIApplication], SessionMiddleware]

each_app = pytest.mark.parametrize("app", WITH_BODY + WITHOUT_BODY)


class NoticedError(Exception):
    """Be an error that an application may raise."""


@pytest.fixture
def watched() -> WatchedStore:
    """Return an empty store, with its calls counted."""
    return WatchedStore(MemoryStore())


@pytest.fixture
def protect(watched: WatchedStore) -> Protect:
    """Return what gives an application sessions in the store."""
    container = SessionContainer(keys=[KEY], store=watched)
    return lambda app: SessionMiddleware(app, container)


def answering(body: Iterable[bytes], status: str = "200 OK") -> WSGIApplication:
    """Make an application that writes to the session and returns the body."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        count(environ)
        start_response(status, TEXT)
        return body

    return app


@each_app
def test_a_response_passes_and_its_session_is_saved(protect: Protect, app: WSGIApplication) -> None:
    """The response is the application's, with the cookie in addition."""
    middleware = protect(app)

    first = serve(middleware, wsgi__file_wrapper=FileWrapper)
    second = serve(middleware, HTTP_COOKIE=first.cookie, wsgi__file_wrapper=FileWrapper)

    assert first.body == second.body == (b"body" if app in WITH_BODY else b"")
    assert first.all("Content-Type") == (["text/plain"] if app in WITH_BODY else [])
    assert first.all("X-Dropped") == []
    assert session_of(middleware.manager, first.cookie)["visits"] == 2
    assert second.all("Set-Cookie") == []


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("method", ["GET", "POST"])
@each_app
def test_the_validator_has_no_complaint(
    protect: Protect, app: WSGIApplication, method: str
) -> None:
    """wsgiref.validate accepts the middleware on both sides."""
    door = validator(protect(validator(app)))
    errors = StringIO()

    serve(door, REQUEST_METHOD=method, wsgi__file_wrapper=FileWrapper, wsgi__errors=errors)

    assert errors.getvalue() == ""


@each_app
def test_the_session_is_saved_before_the_headers_leave(
    protect: Protect, watched: WatchedStore, app: WSGIApplication
) -> None:
    """When the server is given the headers, the store has the record."""
    saved_by_then: list[list[str]] = []
    gateway = Gateway()

    def start_response(status: str, headers: Headers, *more: object) -> Callable[..., object]:
        saved_by_then.append(watched.writes)
        return gateway.start_response(status, headers, *more)

    body = protect(app)(environment(wsgi__file_wrapper=FileWrapper), start_response)
    gateway.sent.extend(body)
    close(body)

    assert saved_by_then == [["create"]]


@each_app
def test_no_header_leaves_after_a_failed_commit(
    protect: Protect, watched: WatchedStore, app: WSGIApplication
) -> None:
    """A 503 with Retry-After replaces the whole response."""
    watched.broken = {"create"}

    reply = serve(validator(protect(app)), wsgi__file_wrapper=FileWrapper)

    assert reply.status == "503 Service Unavailable"
    assert reply.body == b"Service Unavailable\n"
    assert reply.all("Retry-After") == ["1"]
    assert reply.all("Content-Length") == [f"{len(reply.body)}"]
    assert reply.all("Set-Cookie") == []


def test_a_refusal_of_head_has_no_body(protect: Protect, watched: WatchedStore) -> None:
    """The headers of the 503 are those of GET."""
    watched.broken = {"create"}

    head = serve(protect(answering([])), REQUEST_METHOD="HEAD")
    get = serve(protect(answering([])))

    assert (head.status, head.headers, head.body) == (get.status, get.headers, b"")


def test_a_store_failure_after_the_headers_is_raised_to_the_server(protect: Protect) -> None:
    """The server gets the error, because the response has already begun."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)(b"first")
        raise StoreUnavailable("too late")

    with pytest.raises(StoreUnavailable, match="too late"):
        serve(protect(app))


def test_a_commit_that_failed_in_write_is_not_forgotten(
    protect: Protect, watched: WatchedStore
) -> None:
    """An application that ignores the error does not get a 200."""
    watched.broken = {"create"}

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", TEXT)
        count(environ)
        with pytest.raises(StoreUnavailable):
            write(b"body")
        return []

    assert serve(protect(app)).status == "503 Service Unavailable"


class TestClosing:
    """The body's close() is called exactly once in each case."""

    def test_at_the_end(self, protect: Protect) -> None:
        """close() is called after the last chunk."""
        body = Body(b"body")
        serve(protect(answering(body)))

        assert body.closed == 1

    def test_when_the_body_fails_before_its_first_byte(self, protect: Protect) -> None:
        """The middleware closes the body, because the server never gets it."""
        body = Body(b"", b"body", fails_at=1)

        with pytest.raises(ValueError, match="the body failed"):
            serve(protect(answering(body)))

        assert body.closed == 1

    def test_when_the_body_fails_later(self, protect: Protect) -> None:
        """The server closes the body."""
        body = Body(b"bo", b"dy", fails_at=1)

        with pytest.raises(ValueError, match="the body failed"):
            serve(protect(answering(body)))

        assert body.closed == 1

    def test_when_the_client_goes_away(self, protect: Protect) -> None:
        """The server closes the body that it did not read."""
        body = Body(b"bo", b"dy")
        response = protect(answering(body))(environment(), Gateway().start_response)
        close(response)

        assert body.closed == 1

    @pytest.mark.parametrize("body", [Body(b"body"), Body(b"", b"body"), Body()])
    def test_when_the_session_cannot_be_saved(
        self, protect: Protect, watched: WatchedStore, body: Body
    ) -> None:
        """The middleware closes the body, and answers 503."""
        watched.broken = {"create"}
        serve(protect(answering(body)))

        assert body.closed == 1

    def test_when_the_server_refuses_the_headers(self, protect: Protect) -> None:
        """The body is closed if start_response raises an error."""
        body = Body(b"body")

        def refuse(*_: object) -> Callable[[bytes], object]:
            raise NoticedError

        with pytest.raises(NoticedError):
            protect(answering(body))(environment(), refuse)

        assert body.closed == 1

    def test_when_there_are_no_headers(self, protect: Protect) -> None:
        """The body is closed if the application never calls start_response."""
        body = Body(b"body")

        with pytest.raises(TypeError, match="without calling start_response"):
            serve(protect(lambda *_: body))

        assert body.closed == 1


@pytest.mark.parametrize("body", [[], [b"body"], (), Body(b"body"), Body()])
def test_no_start_response_is_an_error(protect: Protect, body: Iterable[bytes]) -> None:
    """The error says that the application did not call start_response."""
    with pytest.raises(TypeError, match="without calling start_response"):
        serve(protect(lambda *_: body))


def test_a_second_start_response_needs_exc_info(protect: Protect) -> None:
    """The middleware follows the rule of servers."""

    def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        start_response("404 Not Found", TEXT)
        return []

    with pytest.raises(TypeError, match="start_response was called twice without exc_info"):
        serve(protect(app))


def test_headers_replaced_at_the_last_moment_keep_the_session(protect: Protect) -> None:
    """The session is already saved, so the new headers have its cookie, too."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        count(environ)
        start_response("200 OK", [*TEXT, ("X-Dropped", "1")])
        yield b"body"

    gateway = Gateway()
    inner: list[StartResponse] = []

    def outer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        inner.append(start_response)
        return app(environ, start_response)

    protect(outer)(environment(), gateway.start_response)
    error = NoticedError("an error page after all")
    inner[0]("404 Not Found", TEXT, (NoticedError, error, error.__traceback__))  # type: ignore[arg-type]
    reply = gateway.reply()

    assert reply.status == "404 Not Found"
    assert reply.all("X-Dropped") == []
    assert reply.cookie.startswith("session=")
    assert reply.all("Cache-Control") == ["no-store"]


def test_headers_that_have_left_cannot_be_replaced(protect: Protect) -> None:
    """The server raises the application's own error again."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        yield b"bo"
        error = NoticedError("too late")
        start_response("500 Oh", TEXT, (NoticedError, error, None))  # type: ignore[arg-type]
        yield b"dy"

    with pytest.raises(NoticedError, match="too late"):
        serve(protect(app))


def test_a_file_reaches_the_server_in_its_own_wrapper(protect: Protect) -> None:
    """The server can send the file without copying it."""
    environ = environment(wsgi__file_wrapper=FileWrapper)

    body = protect(a_file)(environ, Gateway().start_response)

    assert type(body) is FileWrapper


def test_a_list_reaches_the_server_as_it_is(protect: Protect) -> None:
    """The server can compute the length of the body."""
    assert protect(a_list)(environment(), Gateway().start_response) == [b"bo", b"dy"]


def test_a_request_leaves_nothing_to_the_garbage_collector(protect: Protect) -> None:
    """The objects in the environ are freed at once when the request ends."""

    class Marker(str):
        pass

    def work() -> object:
        marker = Marker()
        seen = weakref.ref(marker)
        serve(protect(a_list), **{"tests.marker": marker})
        del marker
        return seen()

    gc.disable()
    try:
        left = work()
    finally:
        gc.enable()

    assert left is None


def test_a_second_middleware_does_nothing(protect: Protect, watched: WatchedStore) -> None:
    """There is one session, one record and one cookie, of the outer middleware."""
    middleware = protect(protect(a_list))

    first = serve(middleware)
    serve(middleware, HTTP_COOKIE=first.cookie)

    assert len(first.all("Set-Cookie")) == 1
    assert watched.calls == ["create", "load", "commit"]


def test_a_middleware_of_another_container_serves_its_own_session(
    protect: Protect, watched: WatchedStore
) -> None:
    """The application sees the inner session, and the outer middleware keeps its own."""
    other = WatchedStore(MemoryStore())
    container = SessionContainer(keys=[KEY[::-1]], store=other, session_prefix="inner")
    inner = SessionMiddleware(a_list, container)

    def between(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = inner(environ, start_response)
        environ["sessions.session"]["outer"] = 1
        return body

    middleware = protect(between)
    first = serve(middleware)
    cookies = "; ".join(cookie.partition(";")[0] for cookie in first.all("Set-Cookie"))
    serve(middleware, HTTP_COOKIE=cookies)

    assert [cookie.partition("=")[0] for cookie in first.all("Set-Cookie")] == ["inner", "session"]
    assert dict(session_of(inner.manager, cookies)) == {"visits": 2}
    assert dict(session_of(middleware.manager, cookies)) == {"outer": 1}
    assert first.all("Vary") == ["Cookie"]


def test_a_third_middleware_of_the_first_container_does_nothing(
    protect: Protect, watched: WatchedStore
) -> None:
    """This holds also with a middleware of another container between the two."""
    container = SessionContainer(keys=[KEY[::-1]], session_prefix="between")
    middleware = protect(SessionMiddleware(protect(a_list), container))

    answer = serve(middleware)

    assert [cookie.partition("=")[0] for cookie in answer.all("Set-Cookie")] == ["between"]
    assert watched.calls == []
