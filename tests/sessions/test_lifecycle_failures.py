"""`resume`, `suspend` and `finish` where a request fails, or uses no session itself."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client as WsgiClient

from framework import Application, component, configuration, controller, get, session
from sessions import (
    AsyncSession,
    AsyncSessionManager,
    EndReason,
    MemoryStore,
    Session,
    SessionClosed,
    SessionContainer,
    SessionManager,
    Store,
)
from sessions.asgi import Message, Receive, Scope, Send
from sessions.asgi import SessionMiddleware as AsgiMiddleware
from sessions.edges import RequestHead
from sessions.testing import ManualClock
from sessions.transports.cookie import CookieHead
from sessions.wsgi import SessionMiddleware
from tests.support.apps import KEY, Site, everything, untouched, writes
from tests.support.encrypting import NEW

CALLS: list[Any] = []


@pytest.fixture(autouse=True)
def calls() -> list[Any]:
    """Return the calls of the methods, empty before each test."""
    CALLS.clear()
    return CALLS


class Noted(Session):
    """A session that notes the calls of its methods, and that a value can lock."""

    def resume(self, request: RequestHead) -> bool:
        CALLS.append("resume")
        return not self.get("locked", False)

    def suspend(self) -> None:
        CALLS.append("suspend")

    def finish(self, reason: EndReason) -> None:
        CALLS.append(("finish", reason, self.copy()))


class AsyncNoted(AsyncSession):
    """The same for an event loop."""

    async def resume(self, request: RequestHead) -> bool:
        CALLS.append("resume")
        return not self.get("locked", False)

    async def suspend(self) -> None:
        CALLS.append("suspend")

    async def finish(self, reason: EndReason) -> None:
        CALLS.append(("finish", reason, threading.current_thread() is threading.main_thread()))


def container(**settings: Any) -> SessionContainer:
    """Return settings with both classes."""
    kinds: Any = {"session_class": Noted, "async_session_class": AsyncNoted}
    return SessionContainer(**{"keys": [KEY], "store": MemoryStore(), **kinds, **settings})


@controller("/")
class Fails:
    @get("/")
    def show(self, session: session) -> str:
        session["n"] = session.get("n", 0) + 1
        if session["n"] > 1:
            raise LookupError("a bug of the handler")
        return "ok"


@configuration
class Settings:
    @component
    def session_container(self) -> SessionContainer:
        return container()


def failing_application(environ: Any, start_response: Any) -> list[bytes]:
    """Count in the session; the second request fails."""
    session = environ["sessions.session"]
    session["n"] = session.get("n", 0) + 1
    if session["n"] > 1:
        raise LookupError("a bug of the application")
    start_response("200 OK", [])
    return [b"ok"]


PLACES: dict[str, Callable[[], Any]] = {
    "middleware": lambda: SessionMiddleware(failing_application, container()),
    "framework": lambda: Application(Fails, Settings, debug=True),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_failed_request_is_suspended_once(place: str) -> None:
    """The server gets the error, and no body that it could close."""
    client = WsgiClient(PLACES[place]())
    client.get("/")
    CALLS.clear()

    with pytest.raises(LookupError):
        client.get("/")
    assert CALLS == ["resume", "suspend"]


def test_a_failed_request_over_asgi_is_suspended_once() -> None:
    """The error comes out of the middleware."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await scope["session"].load()
        raise LookupError("a bug of the application")

    async def send(message: Message) -> None:
        """Do nothing."""

    async def lives() -> None:
        middleware = AsgiMiddleware(app, container())
        created = await middleware.manager.create({"a": 1})
        cookie = f"session={middleware.manager.token(created)}".encode()
        headers = [(b"cookie", cookie)]
        scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": headers}
        with pytest.raises(LookupError):
            await middleware(scope, None, send)

    asyncio.run(lives())

    assert CALLS == ["resume", "suspend"]


def test_an_error_of_resume_asks_again_at_the_next_use(store: Store, clock: ManualClock) -> None:
    """A handler that goes on after the error does not get a session that nobody has allowed."""
    errors: list[Exception | None] = [LookupError("a bug of resume"), None]

    class Unsure(Session):
        def resume(self, request: RequestHead) -> bool:
            CALLS.append("resume")
            if (error := errors.pop(0)) is not None:
                raise error
            return False

    def goes_on(session: Session) -> dict[str, Any]:
        with pytest.raises(LookupError):
            session.get("a")
        return session.copy()

    site = Site(store, clock, session_class=Unsure)  # type: ignore[arg-type]
    cookie = site.visit(writes(a=1)).cookie

    assert site.visit(goes_on, cookie).value == {}
    assert CALLS == ["resume", "resume"]
    assert site.events[-1].reason is EndReason.RESUME_REFUSED


def test_a_setting_that_opens_sessions_asks_resume_too(store: Store, clock: ManualClock) -> None:
    """`rolling` keeps no session alive that may not be used, and the response clears its cookie."""
    site = Site(store, clock, session_class=Noted, rolling=True)  # type: ignore[arg-type]
    cookie = site.visit(writes(locked=True)).cookie
    CALLS.clear()

    answer = site.visit(untouched, cookie)

    assert CALLS[:2] == ["resume", ("finish", EndReason.RESUME_REFUSED, {"locked": True})]
    assert answer.clears
    assert site.visit(everything, cookie).value == {}


def test_a_setting_that_opens_sessions_asks_resume_on_a_loop(clock: ManualClock) -> None:
    """The same, with a coroutine."""

    async def lives() -> list[str]:
        manager = AsyncSessionManager(container(rolling=True, clock=clock))
        created = await manager.create({"locked": True})
        session = manager.open(CookieHead(f"session={manager.token(created)}", "/", "http", None))
        assert manager.close_now(session) is None
        headers = await manager.close(session)
        await manager.aclose()
        return [value for name, value in headers if name == "Set-Cookie"]

    (cleared,) = asyncio.run(lives())

    assert cleared.startswith("session=; Max-Age=0")
    assert CALLS == ["resume", ("finish", EndReason.RESUME_REFUSED, True)]


def test_a_finished_session_is_closed(store: Store, clock: ManualClock) -> None:
    """What `finish` writes could be stored nowhere, so it is an error."""
    errors: list[type[Exception]] = []

    class Writes(Session):
        def finish(self, reason: EndReason) -> None:
            try:
                self["a"] = 2
            except SessionClosed as error:
                errors.append(type(error))

    site = Site(store, clock, session_class=Writes)  # type: ignore[arg-type]
    site.visit(Session.destroy, site.visit(writes(a=1)).cookie)

    assert errors == [SessionClosed]


@pytest.mark.parametrize("by", ["request", "program", "purge"])
def test_a_program_reads_no_value_of_an_encrypted_session(clock: ManualClock, by: str) -> None:
    """Only the id of a session opens its values, and a program does not have it."""
    pytest.importorskip("cryptography")
    settings: dict[str, Any] = {"store": MemoryStore(clock=clock), "clock": clock}
    manager = SessionManager(container(encryption_keys=[NEW], **settings))
    session = manager.create({"a": 1})
    if by == "request":
        session.destroy()
        manager.close(session)
    elif by == "program":
        session.set_user("ada")
        manager.close(session)
        manager.end_sessions_of("ada")
    else:
        clock.advance(24 * 3600 + 120)
        manager.purge()

    reasons = {"request": "LOGOUT", "program": "ENDED_BY_USER", "purge": "TIMEOUT"}
    values = {"a": 1} if by == "request" else {}
    assert [("finish", EndReason[reasons[by]], values)] == CALLS


def test_a_thread_ends_a_session_of_a_request_on_a_loop(clock: ManualClock) -> None:
    """All methods run on the loop, and the events are told at once."""
    told: list[str] = []

    async def lives() -> None:
        listeners = [lambda event: told.append(event.kind)]
        manager = AsyncSessionManager(container(clock=clock, listeners=listeners))
        created = await manager.create({"a": 1})
        head = CookieHead(f"session={manager.token(created)}", "/", "http", None)
        session = manager.open(head)
        blocking = manager.face(session, Session)

        def ends() -> None:
            assert blocking["a"] == 1
            blocking.destroy()
            blocking.save()

        await asyncio.to_thread(ends)
        assert told == ["created", "loaded", "destroyed"]
        await manager.close(session)
        await manager.aclose()

    asyncio.run(lives())

    assert told == ["created", "loaded", "destroyed"]
    assert CALLS == ["resume", ("finish", EndReason.LOGOUT, True)]
