"""A client that tests an application, and replacements for what the application is made of."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import werkzeug.test
from werkzeug.test import TestResponse

from framework.application import Application
from framework.defaults import SessionDefaults
from framework.session_parts import SessionClock
from sessions.manager import SessionManager
from sessions.session import Session
from sessions.stores.base import Store
from sessions.stores.memory import MemoryStore
from sessions.wsgi import EnvironHead

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Client", "SessionClock", "replace"]

T = TypeVar("T")


@dataclass(frozen=True)
class Replacement:
    """Name a component and what stands in for it."""

    key: object
    value: object


class Replacing(Generic[T]):
    """Wait for the stand-in."""

    def __init__(self, key: object) -> None:
        self._key = key

    def to(self, value: T) -> Replacement:
        """Give the object that stands in."""
        return Replacement(self._key, value)


def replace(key: Callable[..., T]) -> Replacing[T]:
    """Replace a component of an application under test: `replace(Users).to(FakeUsers())`.

    The key is the type that asks for the component; a class, an abstract one or a protocol.
    """
    # type[T] would not do: type checkers refuse abstract classes and protocols there.
    return Replacing(key)


class Client(werkzeug.test.Client):
    """Send requests to an application, with cookies and without a server."""

    def __init__(self, application: Application) -> None:
        super().__init__(application)
        self.app = application

    def open(self, *args: Any, buffered: bool = True, **kwargs: Any) -> TestResponse:
        """Send a request and, unless told otherwise, read the response to its end."""
        return super().open(*args, buffered=buffered, **kwargs)

    @contextmanager
    def session(self, base_url: str = "http://localhost") -> Iterator[Session]:
        """Open the session of the client's cookie, or a new one, and save it at the end.

        https requests have another session than http ones: `base_url` says whose is meant.
        """
        manager = self.app.sessions
        if manager is None:
            raise RuntimeError("no handler of the application takes a session: there is none")
        visit = _Visit(manager)
        path = manager.container.cookie.path
        self._send(visit.arrive, path, base_url)
        yield visit.session
        self._send(visit.leave, path, base_url)

    def _send(self, application: "WSGIApplication", path: str, base_url: str) -> None:
        """Send a request, with the client's cookies, to something else than the application."""
        self.application, own = application, self.application
        try:
            self.get(path, base_url=base_url)
        finally:
            self.application = own


class _Visit:
    """Open a session in one request and save it in another, so that a test can come between."""

    session: Session

    def __init__(self, manager: SessionManager) -> None:
        self._manager = manager

    def arrive(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Open the session of the request's cookie."""
        self.session = self._manager.open(EnvironHead(environ))
        start_response("204 NO CONTENT", [])
        return []

    def leave(self, _: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Save the session and send its cookie."""
        start_response("204 NO CONTENT", self._manager.close(self.session))
        return []


class _InMemory(SessionDefaults):
    """Leave nothing behind where the application configures no sessions of its own."""

    def keys(self) -> Sequence[str]:
        return [secrets.token_urlsafe(32)]

    def store(self) -> Store:
        return MemoryStore()


@contextmanager
def open_client(
    parts: Sequence[type | ModuleType], replacements: Sequence[Replacement], *, debug: bool = False
) -> Iterator[Client]:
    """Build an application of the parts with the replacements, and give a client of it."""
    chosen: dict[object, object] = {}
    for each in replacements:
        if each.key in chosen:
            raise ValueError(f"{each.key!r} is replaced twice: leave one of the two out")
        chosen[each.key] = each.value
    application = Application(*parts, debug=debug, replacements=chosen, defaults=_InMemory())
    application.start()
    try:
        yield Client(application)
    finally:
        application.stop()
