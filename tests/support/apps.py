"""An application that runs another handler for each request, and a browser for it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIEnvironment
from wsgiref.validate import validator

from werkzeug.test import create_environ, run_wsgi_app

from sessions import Session, SessionContainer, SessionEvent, SessionManager
from sessions.core.face import state_of
from sessions.stateless import TokenFormat
from sessions.transports.cookie import CookieHead
from sessions.wsgi import SessionMiddleware
from tests.support.watched import WatchedStore

KEY = "a key of the tests, 32 bytes and more"

Handler = Callable[[Session], object]


def told_of(events: Iterable[SessionEvent]) -> list[str]:
    """Return the kinds of the events, without the loads and the rejections of old ids."""
    return [
        event.kind
        for event in events
        if event.kind != "loaded" and event.reason not in ("unknown", "expired")
    ]


def untouched(session: Session) -> None:
    """Leave the session alone."""


def everything(session: Session) -> dict[str, Any]:
    """Return all values of the session."""
    return dict(session)


def writes(**values: object) -> Handler:
    """Make a handler that sets the values."""
    return lambda session: session.update(values)


def in_turn(*handlers: Handler) -> Handler:
    """Make a handler that runs handlers, and returns the last result."""

    def handler(session: Session) -> object:
        return [handle(session) for handle in handlers][-1]

    return handler


def session_of(manager: SessionManager, cookie: str = "") -> Session:
    """Return the session of a request with the cookie; it may be new, and has all the time."""
    scheme = "https" if cookie.startswith("__Host-") else "http"
    session = manager.open(CookieHead(cookie, "/", scheme, None))
    state_of(session).is_bounded = False
    return session


@dataclass(frozen=True)
class Answer:
    """The answer to one request; `value` is the result of its handler."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    value: Any

    def all(self, name: str) -> list[str]:
        """Return every header of that name."""
        return [value for given, value in self.headers if given.lower() == name.lower()]

    @property
    def set_cookies(self) -> list[str]:
        """Return the Set-Cookie headers."""
        return self.all("Set-Cookie")

    @property
    def cookie(self) -> str:
        """Return the one cookie that was set, as a browser sends it back."""
        (text,) = self.set_cookies
        return text.partition(";")[0]

    @property
    def attributes(self) -> dict[str, str]:
        """Return the attributes of the one cookie that was set, their names in lower case."""
        (morsel,) = SimpleCookie(*self.set_cookies).values()
        return {name: f"{value}" for name, value in morsel.items() if value}

    @property
    def clears(self) -> bool:
        """Return whether the response deletes the browser's cookie."""
        return any("=; Max-Age=0" in cookie for cookie in self.set_cookies)


@dataclass(kw_only=True)
class Request:
    """The parts of a browser's request, and its handler."""

    handler: Handler
    cookie: str = ""
    method: str = "GET"
    scheme: str = "http"
    host: str = "shop.example"
    path: str = "/"
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    value: Any = None


class Site:
    """Serve requests behind a SessionMiddleware, and keep its events."""

    def __init__(
        self, store: WatchedStore | TokenFormat, clock: Callable[[], float], **settings: Any
    ) -> None:
        self.events: list[SessionEvent] = []
        settings = {"keys": [KEY], "listeners": [self.events.append], **settings}
        self.container = SessionContainer(store=store, clock=clock, **settings)
        self.middleware = SessionMiddleware(self._app, self.container)
        self.manager: SessionManager = self.middleware.manager
        # A site without a store has nobody who would look at it.
        self.store = cast(WatchedStore, store)
        self._door = validator(self.middleware)

    @property
    def told(self) -> list[str]:
        """Return the kinds of all events but those of everyday loads."""
        return told_of(self.events)

    def store_calls(self) -> list[str]:
        """Return the calls of the store."""
        return self.store.calls if isinstance(self.store, WatchedStore) else []

    def visit(self, handler: Handler, cookie: str = "", **options: Any) -> Answer:
        """Send one request; an unhandled exception comes out of here, as at a server."""
        request = Request(handler=handler, cookie=cookie, **options)
        environ = create_environ(
            request.path,
            f"{request.scheme}://{request.host}",
            method=request.method,
            query_string="q=1",
        )
        environ["tests.request"] = request
        if cookie:
            environ["HTTP_COOKIE"] = cookie
        body, status, headers = run_wsgi_app(self._door, environ, buffered=True)
        return Answer(int(status.split()[0]), list(headers), b"".join(body), request.value)

    def browser(self) -> "Browser":
        """Return a new browser."""
        return Browser(self)

    def _app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request: Request = environ["tests.request"]
        request.value = request.handler(environ["sessions.session"])
        if request.status in (204, 304):
            start_response(f"{request.status} Empty", request.headers)
            return []
        start_response(
            f"{request.status} Answered", [("Content-Type", "text/plain"), *request.headers]
        )
        return [] if request.method == "HEAD" else [b"answered"]


class Browser:
    """Keep the session cookie between requests, as a browser does."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cookie = ""

    def visit(self, handler: Handler, **options: Any) -> Answer:
        """Send a request with the cookie, and keep the cookie that comes back."""
        answer = self.site.visit(handler, self.cookie, **options)
        if answer.set_cookies:
            self.cookie = "" if answer.clears else answer.cookie
        return answer

    def holds(self) -> dict[str, Any]:
        """Return all values of the browser's session."""
        values: dict[str, Any] = self.visit(everything).value
        return values
