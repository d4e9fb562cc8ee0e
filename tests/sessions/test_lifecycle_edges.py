"""`resume` and `suspend` under the framework and over ASGI: around the whole response."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from framework import Application, component, configuration, controller, get, session
from framework.testing import Client
from sessions import AsyncSession, MemoryStore, Session, SessionContainer
from sessions.asgi import Message, Receive, Scope, Send, SessionMiddleware
from sessions.edges import RequestHead
from tests.support.apps import KEY

CALLS: list[str] = []


@pytest.fixture(autouse=True)
def calls() -> list[str]:
    """Return the calls, empty before each test."""
    CALLS.clear()
    return CALLS


class Noted(Session):
    """A session that notes the calls of its methods."""

    def resume(self, request: RequestHead) -> bool:
        CALLS.append("resume")
        return True

    def suspend(self) -> None:
        CALLS.append("suspend")


class AsyncNoted(AsyncSession):
    """The same for an event loop."""

    async def resume(self, request: RequestHead) -> bool:
        await asyncio.sleep(0)
        CALLS.append("resume")
        return True

    async def suspend(self) -> None:
        await asyncio.sleep(0)
        CALLS.append("suspend")


def container() -> SessionContainer:
    """Return settings with both classes."""
    return SessionContainer(
        keys=[KEY], store=MemoryStore(), session_class=Noted, async_session_class=AsyncNoted
    )


@configuration
class Settings:
    @component
    def session_container(self) -> SessionContainer:
        return container()


@controller("/")
class Pages:
    @get("/")
    def write(self, session: session) -> str:
        session["n"] = 1
        CALLS.append("handler")
        return "ok"

    @get("/stream")
    def stream(self, session: session) -> Iterator[str]:
        _ = session["n"]
        yield "a"
        CALLS.append("streamed")
        yield "b"

    @get("/fails")
    def fails(self, session: session) -> str:
        _ = session["n"]
        raise LookupError("a bug of the handler")


@pytest.fixture
def client() -> Iterator[Client]:
    """Return a client with a session."""
    with Application(Pages, Settings).test() as client:
        client.get("/")
        CALLS.clear()
        yield client


@pytest.mark.parametrize(
    ("path", "calls"),
    [
        ("/", ["resume", "handler", "suspend"]),
        ("/stream", ["resume", "streamed", "suspend"]),
        ("/fails", ["resume", "suspend"]),
    ],
)
def test_under_the_framework(client: Client, path: str, calls: list[str]) -> None:
    """After the last byte, also of a stream, and after an error."""
    response = client.get(path)

    assert response.data or response.status_code == 500
    assert calls == CALLS


def test_over_asgi() -> None:
    """After the application has returned; a request without a use of the session calls nothing."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/":
            scope["session"]["n"] = 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
        CALLS.append("background")

    async def request(middleware: Any, cookie: bytes) -> bytes:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "scheme": "http",
            "headers": [(b"cookie", cookie)] if cookie else [],
        }
        await middleware(scope, None, send)
        found = [value for name, value in sent[0]["headers"] if name.lower() == b"set-cookie"]
        return found[0].partition(b";")[0] if found else cookie

    async def requests() -> None:
        middleware = SessionMiddleware(app, container())
        cookie = await request(middleware, b"")
        await request(middleware, cookie)

    asyncio.run(requests())

    assert CALLS == ["background", "suspend", "resume", "background", "suspend"]
