"""Sessions in tokens on an event loop, in a WebSocket and in the framework."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from framework import Application, Session, component, configuration, controller, get, post, session
from framework.testing import Client
from sessions import (
    AsyncSession,
    AsyncSessionManager,
    SessionClosed,
    SessionContainer,
    SessionError,
)
from sessions.asgi import SessionMiddleware
from sessions.stateless import TokenFormat
from tests.support.apps import KEY
from tests.support.loops import a_head, cookie_of

Message = MutableMapping[str, Any]
Handler = Callable[[AsyncSession], Awaitable[object]]


@pytest.fixture
def container(kind: TokenFormat) -> SessionContainer:
    """Return a container whose sessions live in tokens."""
    return SessionContainer(keys=[KEY], store=kind)


def visit(container: SessionContainer, handler: Handler, cookie: str = "") -> tuple[Any, str]:
    """Send one request to an ASGI application; return the handler's result and the cookie."""
    result: list[object] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        result.append(await handler(scope["session"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(b"cookie", cookie.encode())] if cookie else [],
    }
    asyncio.run(SessionMiddleware(app, container)(scope, receive_nothing, send))
    set_cookies = [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]
    return result[0], set_cookies[0].partition(";")[0] if set_cookies else ""


async def receive_nothing() -> Message:
    """Say that the request has no body."""
    return {"type": "http.request", "body": b""}


async def signs_in(session: AsyncSession) -> None:
    """Sign a user in and write a value."""
    session["a"] = [1]
    session.set_user("ada")
    await session.save()


async def everything(session: AsyncSession) -> object:
    """Return what the session holds."""
    return dict(session), session.user_id, session.revocable


def test_an_event_loop(container: SessionContainer) -> None:
    """The session is loaded before the application, and saved before the answer."""
    _, cookie = visit(container, signs_in)

    value, renewed = visit(container, everything, cookie)

    assert value == ({"a": [1]}, "ada", False)
    assert not renewed


@pytest.mark.parametrize(
    "verb",
    [
        lambda session: session.increment("n"),
        lambda session: session.take("n"),
        lambda session: session.update_with("n", lambda value: value),
    ],
    ids=["increment", "take", "update_with"],
)
def test_atomic_verbs_are_refused_on_an_event_loop(
    container: SessionContainer, verb: Handler
) -> None:
    """The error says what to do, as it does in a thread."""

    async def refuses(session: AsyncSession) -> None:
        with pytest.raises(SessionError, match="Fix: give the container a store"):
            await verb(session)

    visit(container, refuses)


def test_a_websocket_reads_what_its_handshake_had(container: SessionContainer) -> None:
    """A write works until the handshake, and raises an error after it."""
    _, cookie = visit(container, signs_in)

    async def connection() -> str:
        manager = AsyncSessionManager(container)
        session = manager.open(a_head(cookie))
        await session.load()
        session["b"] = 2
        headers = await manager.handshake(session)
        with pytest.raises(SessionClosed):
            session["c"] = 3
        assert session["a"] == [1]
        await manager.close_unanswered(session)
        await manager.aclose()
        return cookie_of(headers)

    after = asyncio.run(connection())

    value, _ = visit(container, everything, after)
    assert value == ({"a": [1], "b": 2}, "ada", False)


def test_an_asynchronous_manager_makes_and_reads_tokens(container: SessionContainer) -> None:
    """It works as a blocking manager does; get() finds no id, because the server has none."""

    async def program() -> None:
        manager = AsyncSessionManager(container)
        session = await manager.create({"a": 1})
        found = await manager.from_token(manager.token(session))
        assert found is not None
        assert dict(found) == {"a": 1}
        assert await manager.from_token("rubbish") is None
        assert await manager.purge() == 0
        with pytest.raises(SessionError, match="stored in their tokens, not on a server"):
            await manager.get(session.id)
        with pytest.raises(SessionError, match="stored in their tokens, not on a server"):
            await manager.delete(session.id)
        await manager.aclose()

    asyncio.run(program())


def application(container: SessionContainer) -> Application:
    """Return an application of the framework with the container."""

    @configuration
    class Web:
        @component
        def sessions(self) -> SessionContainer:
            return container

    @controller("/")
    class Visits:
        @get("/")
        def show(self, session: session) -> dict[str, Any]:
            return {"visits": session.get("visits", 0), "user": session.user_id}

        @post("/")
        def add(self, session: session) -> dict[str, int]:
            session["visits"] = session.get("visits", 0) + 1
            session.set_user("ada")
            return {"visits": session["visits"]}

        @post("/large")
        def fill(self, session: session) -> str:
            session["text"] = "x" * 5000
            return "never sent"

    return Application(Visits, Web)


def test_the_framework(container: SessionContainer) -> None:
    """A handler works without changes, and a session that is too large is a 500."""
    with application(container).test() as client:
        client.post("/")
        client.post("/")

        assert client.get("/").json == {"visits": 2, "user": "ada"}
        assert client.post("/large").status_code == 500
        assert client.get("/").json == {"visits": 2, "user": "ada"}
        prepare(client)
        assert client.get("/").json == {"visits": 41, "user": "ada"}


def prepare(client: Client) -> None:
    """Change the session from a test."""
    with client.session() as session:
        assert isinstance(session, Session)
        session["visits"] = 41
