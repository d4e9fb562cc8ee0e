"""Sessions for any WSGI application: the middleware. Source: PEP 3333."""

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

from sessions.container import SessionContainer
from sessions.core.taking import TAKEN_KEY
from sessions.edges import Headers, merge_headers, refusal
from sessions.errors import SessionError
from sessions.manager import SessionManager
from sessions.names import note_remedy, takes_container
from sessions.other_gateways import OF_WSGI, refuse_asgi
from sessions.public_names import refusing
from sessions.session import Session

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ENVIRON_KEY = "sessions.session"
MANAGER_KEY = "sessions.manager"
OPENED_KEY = "sessions.opened"
"""The environ key with the manager and session of each SessionMiddleware around the request."""

ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
)


@takes_container(arguments=2)
class SessionMiddleware:
    """Give the application a session in `environ["sessions.session"]`.

    The session is saved before the first byte of the response is sent. Inside another
    SessionMiddleware with the same container, this middleware does nothing. If the outer middleware
    has another container, the application gets the session of this middleware.
    """

    def __init__(self, app: "WSGIApplication", container: SessionContainer) -> None:
        if not callable(app) or not isinstance(container, SessionContainer):
            raise TypeError(
                # The values are not shown, because they may contain keys.
                "SessionMiddleware takes the application first, then a SessionContainer, not values"
                f" of the types {type(app).__name__} and {type(container).__name__}. Fix: write"
                " SessionMiddleware(app, SessionContainer(keys=[...]))"
            )
        self.app = app
        self.manager = SessionManager(container)
        self._suspends = self.manager.suspends
        self._taker = self.manager.tokens.taker

    def __call__(
        self,
        environ: "WSGIEnvironment",
        start_response: "StartResponse | None" = None,
        send: object = None,
    ) -> Iterable[bytes]:
        """Answer one request; refuse an ASGI server, which gives one or three arguments."""
        if start_response is None or send is not None:
            refused: Iterable[bytes] = refuse_asgi(OF_WSGI, environ, start_response, send)
            return refused
        if OPENED_KEY in environ:
            if opened_in(environ, self.manager.container) is not None:
                return self.app(environ, start_response)
            # The environ is copied, so that an outer middleware keeps its own session.
            environ = {**environ}
        if self._taker is not None:
            self._taker.from_environ(environ)
        session = environ[ENVIRON_KEY] = self.manager.open(EnvironHead(environ))
        environ[MANAGER_KEY] = self.manager
        environ[OPENED_KEY] = (*environ.get(OPENED_KEY, ()), (self.manager, session))
        if self._suspends:
            return self._suspending(environ, session, start_response)
        return self._respond(environ, session, start_response)

    def _suspending(
        self, environ: "WSGIEnvironment", session: Session, start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Respond, and call `suspend` of the session's class after the response."""
        try:
            body = self._respond(environ, session, start_response)
        # The server gets no body whose end would call `suspend`, so call it here.
        except BaseException:
            self.manager.suspend(session)
            raise
        return _Rest(b"", iter(body), lambda: self._end(body, session))

    def _end(self, body: Iterable[bytes], session: Session) -> None:
        try:
            _close(body)
        finally:
            self.manager.suspend(session)

    def _respond(
        self, environ: "WSGIEnvironment", session: Session, start_response: "StartResponse"
    ) -> Iterable[bytes]:
        response = _Response(self.manager, session, start_response)
        try:
            return response.run(self.app, environ)
        except SessionError as error:
            if error.status == SessionError.status or response.has_left:
                response.give_up()
                raise
            return response.refuse(error, environ)
        # The server handles the error. The session is only closed here.
        except BaseException as error:
            response.give_up()
            note_remedy(error, ENVIRON_KEY)
            raise


def opened_in(environ: "WSGIEnvironment", container: SessionContainer) -> Session | None:
    """Return the session from an outer SessionMiddleware with the same container, or None."""
    opened: tuple[tuple[SessionManager, Session], ...] = environ.get(OPENED_KEY, ())
    return next((session for manager, session in opened if manager.container is container), None)


class EnvironHead:
    """The head of a request, read from a WSGI environ."""

    __slots__ = ("_environ", "cookies", "scheme")

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self._environ = environ
        self.cookies: str = environ.get("HTTP_COOKIE", "")
        self.scheme: str = environ["wsgi.url_scheme"]

    @property
    def path(self) -> str:
        """Return the path with the mount prefix."""
        return f"{self._environ.get('SCRIPT_NAME', '')}{self._environ.get('PATH_INFO', '')}"

    @property
    def query(self) -> str:
        """Return the raw query."""
        query: str = self._environ.get("QUERY_STRING", "")
        return query

    @property
    def taken(self) -> dict[str, list[str]] | None:
        """Return the values of the parameters that the middleware took out of query and form."""
        return self._environ.get(TAKEN_KEY)

    @property
    def client(self) -> str | None:
        """Return the address of the client."""
        return self._environ.get("REMOTE_ADDR")

    def header(self, name: str) -> str | None:
        """Return the raw value of a request header."""
        key = name.upper().replace("-", "_")
        if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            return self._environ.get(key)
        return self._environ.get(f"HTTP_{key}")


class _Response:
    """The response of the application; its headers are sent only after the session is saved."""

    def __init__(
        self, manager: SessionManager, session: Session, start_response: "StartResponse"
    ) -> None:
        self._manager = manager
        self._session = session
        self._start_response = start_response
        self._head: tuple[str, Headers] | None = None
        self._write: Callable[[bytes], object] | None = None

    @property
    def has_left(self) -> bool:
        """Return whether the headers were given to the server."""
        return self._write is not None

    def run(self, app: "WSGIApplication", environ: "WSGIEnvironment") -> Iterable[bytes]:
        """Call the application, save the session, and return the body."""
        body = app(environ, self._begin)
        try:
            if self._head is not None and _runs_no_code(body, environ):
                self._leave()
                return body
            # The application may use the session until it yields its first bytes.
            chunks = iter(body)
            first = next((chunk for chunk in chunks if chunk), b"")
            self._leave()
        # The server handles the error, but never gets the body, so the body is closed here.
        except BaseException:
            _close(body)
            raise
        return _Rest(first, chunks, lambda: self._end(body))

    def give_up(self) -> None:
        """Abandon the session, unless the response headers were given to the server."""
        if not self.has_left:
            self._manager.abandon(self._session)

    def refuse(self, error: SessionError, environ: "WSGIEnvironment") -> Iterable[bytes]:
        """Return an error response in place of the application's, because the session failed."""
        status, headers, body = refusal(error)
        merge_headers(headers, self._manager.close(self._session, failed=True))
        self._start_response(f"{status.value} {status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _begin(
        self, status: str, headers: Headers, exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        if self._write is not None:
            # The application replaces headers that the server has not sent yet. The headers of the
            # session are added again.
            return self._start_response(status, self._settled(headers), exc_info)
        if self._head is not None and exc_info is None:
            raise TypeError("start_response was called twice without exc_info")
        self._head = (status, headers)
        return self._write_at_once

    def _write_at_once(self, data: bytes) -> object:
        if self._write is None:
            self._leave()
        return self._write(data) if self._write is not None else None

    def _leave(self) -> None:
        """Save the session, and give the headers to the server."""
        if self._write is not None:
            return
        if self._head is None:
            raise TypeError("the application returned without calling start_response")
        status, headers = self._head
        failure = self._manager.failure(self._session) if status.startswith("5") else None
        if failure is not None:
            # The application answered a failure of the store with its own 5xx response.
            raise failure
        headers = self._settled(headers, failed=status.startswith("5"))
        self._write = self._start_response(status, headers)

    def _settled(self, headers: Headers, *, failed: bool = False) -> Headers:
        """Close the session; return the response's headers with the session's headers added."""
        settled = list(headers)
        added = self._manager.close(self._session, failed=failed, headers=headers)
        merge_headers(settled, added)
        return settled

    def _end(self, body: Iterable[bytes]) -> None:
        _close(body)
        self._manager.report_late_changes(self._session)


class _Rest:
    """The body of a response, whose first bytes were read already."""

    def __init__(self, first: bytes, chunks: Iterator[bytes], close: Callable[[], None]) -> None:
        self._first = first
        self._chunks = chunks
        self.close = close

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        return next(self._chunks)


def _runs_no_code(body: Iterable[bytes], environ: "WSGIEnvironment") -> bool:
    """Return whether reading the body runs no code of the application."""
    wrapper = environ.get("wsgi.file_wrapper")
    return type(body) in (list, tuple) or (isinstance(wrapper, type) and isinstance(body, wrapper))


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()


# Type checkers do not see this function, because they would then accept every name.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
