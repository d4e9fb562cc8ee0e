"""An ASGI application whose every request brings its own handler, over each kind of store."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    MemoryStore,
    SessionContainer,
    SessionEvent,
    SQLiteStore,
)
from sessions.asgi import Message, Receive, Scope, Send, SessionMiddleware
from sessions.stores.base import AsyncStore, Store
from tests.sessions.asgi.server import Exchange, request_scope
from tests.support.apps import KEY, Answer, told_of
from tests.support.suspending_store import SuspendingStore
from tests.support.watched import WatchedStore

AsgiHandler = Callable[[AsyncSession], object]
"""A plain function or a coroutine function; what it returns is the answer's `value`."""

KINDS = ("memory", "threads", "suspending")
"""The stores: one that answers in place, one in worker threads, one that is asynchronous."""


@dataclass
class Place:
    """Hold a store, and the blocking store inside of it that counts and fails."""

    store: Store | AsyncStore
    watched: WatchedStore


@contextmanager
def open_place(kind: str, clock: Callable[[], float], folder: Path) -> Iterator[Place]:
    """Give a store of that kind; no request runs out of time on a busy machine."""
    # One file for all tests: each has sessions of its own, and to make a database takes long.
    inner: Store = MemoryStore(clock=clock)
    if kind == "threads":
        inner = SQLiteStore(folder.parent / "asgi.db", clock=clock)
    watched = WatchedStore(inner)
    watched.in_place = kind == "memory"
    with pytest.MonkeyPatch.context() as patch:
        be_patient(patch)
        yield Place(SuspendingStore(watched) if kind == "suspending" else watched, watched)
    inner.close()


def be_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each request a minute for its store, for tests that are not about time."""
    monkeypatch.setattr("sessions.core.async_driving.DEADLINE", 60.0)
    monkeypatch.setattr("sessions.core.budget.LATEST_ASK", 60.0)


class AsgiSite:
    """Serve requests behind a SessionMiddleware on one event loop; keep the events."""

    def __init__(self, place: Place, clock: Callable[[], float], **settings: Any) -> None:
        self.place, self.store = place, place.watched
        self.events: list[SessionEvent] = []
        load = settings.pop("load", "eager")
        settings = {"keys": [KEY], "listeners": [self.events.append], **settings}
        self.container = SessionContainer(store=place.store, clock=clock, **settings)
        self.middleware = SessionMiddleware(self._app, self.container, load=load)
        self.manager: AsyncSessionManager = self.middleware.manager
        self._runner = asyncio.Runner()

    @property
    def told(self) -> list[str]:
        """Return the kinds of the events so far, but those of everyday loads."""
        return told_of(self.events)

    def run(self, work: Any) -> Any:
        """Await something on the site's event loop."""
        return self._runner.run(work)

    def close(self) -> None:
        """End the site and its event loop."""
        self._runner.run(self.manager.aclose())
        self._runner.close()

    def visit(self, handler: AsgiHandler, cookie: str = "", **options: Any) -> Answer:
        """Send one request; an unhandled exception is raised here, as at a server."""
        answer: Answer = self.run(self.serve(handler, cookie, **options))
        return answer

    async def serve(self, handler: AsgiHandler, cookie: str = "", **options: Any) -> Answer:
        """Send one request with these headers; the answer has `status` and `reply_headers`."""
        exchange = Exchange()
        request = {
            "handler": handler,
            "status": options.pop("status", 200),
            "headers": options.pop("reply_headers", []),
        }
        scope = request_scope(cookie, **options, **{"tests.request": request})
        await self.middleware(scope, exchange.receive, exchange.send)
        return exchange.answer(request.get("value"))

    def browser(self) -> "AsgiBrowser":
        """Return a new visitor."""
        return AsgiBrowser(self)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = scope["tests.request"]
        value = request["handler"](scope["session"])
        request["value"] = await value if isawaitable(value) else value
        headers = [(b"content-type", b"text/plain"), *request["headers"]]
        start: Message = {"type": "http.response.start", "headers": headers}
        await send({**start, "status": request["status"]})
        is_empty = scope["method"] == "HEAD" or request["status"] in (204, 304)
        await send({"type": "http.response.body", "body": b"" if is_empty else b"answered"})


class AsgiBrowser:
    """Keep the session cookie between requests, as a browser does."""

    def __init__(self, site: AsgiSite, cookie: str = "") -> None:
        self.site = site
        self.cookie = cookie

    def visit(self, handler: AsgiHandler, **options: Any) -> Answer:
        """Send a request with the cookie, and keep the cookie that comes back."""
        answer: Answer = self.site.run(self.serve(handler, **options))
        return answer

    async def serve(self, handler: AsgiHandler, **options: Any) -> Answer:
        """Send a request with the cookie among others, and keep the cookie that comes back."""
        answer = await self.site.serve(handler, self.cookie, **options)
        if answer.set_cookies:
            self.cookie = "" if answer.clears else answer.cookie
        return answer

    def holds(self) -> dict[str, Any]:
        """Return all that the browser's session holds."""
        values: dict[str, Any] = self.visit(load_everything).value
        return values

    def copy(self) -> "AsgiBrowser":
        """Return another browser with the same cookie."""
        return AsgiBrowser(self.site, self.cookie)


async def load_everything(session: AsyncSession) -> dict[str, Any]:
    """Load the session and return all that it holds."""
    await session.load()
    return session.copy()


def leaves_alone(session: AsyncSession) -> None:
    """Touch nothing."""


def sets(**values: object) -> AsgiHandler:
    """Make a handler that sets the values."""

    async def handler(session: AsyncSession) -> None:
        await session.load()
        session.update(values)

    return handler


async def reads(session: AsyncSession) -> Any:
    """Return one value."""
    await session.load()
    return session.get("a")


async def load_handle(session: AsyncSession) -> str:
    """Return the key of the session in the store."""
    await session.load()
    return session.handle


async def destroys(session: AsyncSession) -> None:
    """End the session."""
    session.destroy()


async def renews(session: AsyncSession) -> str:
    """Give the session a new id."""
    await session.load()
    session.regenerate()
    return session.id


async def signs_in(session: AsyncSession) -> None:
    """Sign Ada in."""
    await session.load()
    session.set_user("ada")


SiteMaker = Callable[..., AsgiSite]
"""Makes a site of the settings that it is given."""


@contextmanager
def site_maker(kind: str, clock: Callable[[], float], folder: Path) -> Iterator[SiteMaker]:
    """Yield a maker of sites on one store of that kind, and close the sites at the end."""
    made: list[AsgiSite] = []
    with open_place(kind, clock, folder) as place:

        def make(**settings: Any) -> AsgiSite:
            made.append(AsgiSite(place, clock, **settings))
            return made[-1]

        yield make
        for site in made:
            site.close()
