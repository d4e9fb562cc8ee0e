"""The WSGI edge: sessions for any WSGI application. Source: PEP 3333."""

import logging
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

from sessions.container import SessionContainer
from sessions.errors import SessionError, StoreUnavailable
from sessions.events import logger
from sessions.manager import SessionManager
from sessions.session import Session
from sessions.transports.base import Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ENVIRON_KEY = "sessions.session"

ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
)


class SessionMiddleware:
    """Give the application a session in `environ["sessions.session"]`.

    It is saved before the first byte of the response leaves. Inside another SessionMiddleware this
    one does nothing.
    """

    def __init__(self, app: "WSGIApplication", container: SessionContainer) -> None:
        if not callable(app) or not isinstance(container, SessionContainer):
            raise TypeError(
                # The values themselves may hold keys.
                "SessionMiddleware takes the application first, then a SessionContainer, not values"
                f" of the types {type(app).__name__} and {type(container).__name__}: write"
                " SessionMiddleware(app, SessionContainer(keys=[...]))"
            )
        self.app = app
        self.manager = SessionManager(container)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if ENVIRON_KEY in environ:
            return self.app(environ, start_response)
        session = environ[ENVIRON_KEY] = self.manager.open(EnvironHead(environ))
        response = _Response(self.manager, session, start_response)
        try:
            return response.run(self.app, environ)
        except SessionError as error:
            if error.status == SessionError.status or response.has_left:
                response.give_up()
                raise
            return response.refuse(error, environ)
        # Whatever it was, it is the server's; the session only learns that no answer leaves.
        except BaseException:
            response.give_up()
            raise


class EnvironHead:
    """Be the head of a request, as WSGI tells it."""

    __slots__ = ("_environ",)

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self._environ = environ

    @property
    def cookies(self) -> str:
        """Return the raw Cookie header."""
        cookies: str = self._environ.get("HTTP_COOKIE", "")
        return cookies

    @property
    def secure(self) -> bool:
        """Tell whether the scheme is https."""
        scheme: str = self._environ["wsgi.url_scheme"]
        return scheme == "https"

    @property
    def path(self) -> str:
        """Return the path, the mount prefix included."""
        return f"{self._environ.get('SCRIPT_NAME', '')}{self._environ.get('PATH_INFO', '')}"

    def header(self, name: str) -> str | None:
        """Return the raw value of a request header."""
        return self._environ.get("HTTP_" + name.upper().replace("-", "_"))


def merge_headers(headers: Headers, added: Headers) -> None:
    """Put the session's headers among the response's, in place.

    Vary is merged. Cache-Control becomes `no-store`, unless the response says so already.
    """
    for name, value in added:
        if name == "Vary":
            _merge_vary(headers, value)
        elif name == "Cache-Control":
            _forbid_storing(headers, value)
        else:
            headers.append((name, value))


def _merge_vary(headers: Headers, value: str) -> None:
    for name, _ in headers:
        if len(name) == 4 and name.lower() == "vary":
            break
    else:
        headers.append(("Vary", value))
        return
    present = [line for name, line in headers if name.lower() == "vary"]
    listed = [part.strip() for line in present for part in line.split(",") if part.strip()]
    if "*" in listed or value.lower() in map(str.lower, listed):
        return
    headers[:] = [header for header in headers if header[0].lower() != "vary"]
    headers.append(("Vary", ", ".join([*listed, value])))


def _forbid_storing(headers: Headers, value: str) -> None:
    present = [listed for name, listed in headers if name.lower() == "cache-control"]
    directives = {part.strip().lower() for line in present for part in line.split(",")}
    if value not in directives:
        headers[:] = [header for header in headers if header[0].lower() != "cache-control"]
        headers.append(("Cache-Control", value))


class _Response:
    """Hold the application's headers back until the session is saved."""

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
        """Tell whether the headers are with the server."""
        return self._write is not None

    def run(self, app: "WSGIApplication", environ: "WSGIEnvironment") -> Iterable[bytes]:
        """Call the application and return its body, with the session saved."""
        body = app(environ, self._begin)
        try:
            if self._head is not None and _runs_no_code(body, environ):
                self._leave()
                return body
            # The application may go on using the session until it yields its first bytes.
            chunks = iter(body)
            first = next((chunk for chunk in chunks if chunk), b"")
            self._leave()
        # Whatever it was, it is the server's; the body that it will not get ends here.
        except BaseException:
            _close(body)
            raise
        return _Rest(first, chunks, lambda: self._end(body))

    def give_up(self) -> None:
        """Tell the session that no answer leaves, unless one has."""
        if not self.has_left:
            self._manager.abandon(self._session)

    def refuse(self, error: SessionError, environ: "WSGIEnvironment") -> Iterable[bytes]:
        """Answer for the application that the session could not be had."""
        text = f"{HTTPStatus(error.status).phrase}\n".encode()
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", f"{len(text)}"),
        ]
        if isinstance(error, StoreUnavailable):
            headers.append(("Retry-After", f"{error.retry_after}"))
        merge_headers(headers, self._manager.close(self._session, failed=True))
        # A request that is too large is the client's doing, a store that fails is ours.
        level = logging.ERROR if error.status >= 500 else logging.WARNING
        logger.log(level, "answered %d: %s", error.status, error)
        self._start_response(f"{error.status} {HTTPStatus(error.status).phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [text]

    def _begin(
        self, status: str, headers: Headers, exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        if self._write is not None:
            # Headers that the server has not sent yet are replaced, but for the session's.
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
        """Save the session and let the headers go."""
        if self._write is not None:
            return
        if self._head is None:
            raise TypeError("the application returned without calling start_response")
        status, headers = self._head
        headers = self._settled(headers, failed=status.startswith("5"))
        self._write = self._start_response(status, headers)

    def _settled(self, headers: Headers, *, failed: bool = False) -> Headers:
        """Close the session; return the headers with those that it needs."""
        settled = list(headers)
        merge_headers(settled, self._manager.close(self._session, failed=failed))
        return settled

    def _end(self, body: Iterable[bytes]) -> None:
        _close(body)
        self._manager.report_late_changes(self._session)


class _Rest:
    """Be the body of which the first bytes were taken already."""

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
    """Tell whether taking the body's chunks runs no code of the application."""
    wrapper = environ.get("wsgi.file_wrapper")
    return type(body) in (list, tuple) or (isinstance(wrapper, type) and isinstance(body, wrapper))


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()
