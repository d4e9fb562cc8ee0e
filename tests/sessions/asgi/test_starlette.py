"""Starlette with the ASGI middleware, in one process, as its users write it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from sessions import SessionContainer, SessionError
from sessions.asgi import Receive, Scope, Send, SessionMiddleware, session_of
from sessions.testing import ManualClock
from tests.sessions.asgi.server import attempt, serve
from tests.sessions.asgi.site import KINDS, Place, open_place
from tests.support.apps import KEY


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Iterator[Place]:
    """Return each kind of store in turn."""
    with open_place(request.param, clock, tmp_path) as opened:
        yield opened


@pytest.fixture
def container(place: Place, clock: ManualClock) -> SessionContainer:
    """Return a container on the store."""
    return SessionContainer(keys=[KEY], store=place.store, clock=clock)


async def visits(request: Request) -> Response:
    """Count the visits of a session."""
    session = session_of(request)
    session["visits"] = session.get("visits", 0) + 1
    return PlainTextResponse(f"{session['visits']}")


async def crashes(request: Request) -> Response:
    """End the session, and fail."""
    session_of(request).destroy()
    raise LookupError("of the application")


def starlette_app(container: SessionContainer, **settings: Any) -> Starlette:
    """Return a Starlette application with the middleware added as its docs say."""
    app = Starlette(
        routes=[
            Route("/", visits),
            Route("/crash", crashes),
            Mount("/shop", routes=[Route("/", visits)]),
        ],
        **settings,
    )
    app.add_middleware(SessionMiddleware, container=container)
    return app


# Starlette


def test_a_test_client_works_without_a_lifespan(container: SessionContainer) -> None:
    """It makes an event loop for each request, and never says that the application begins."""
    client = TestClient(starlette_app(container))

    assert [client.get("/").text for _ in range(3)] == ["1", "2", "3"]


def test_a_test_client_works_with_a_lifespan(container: SessionContainer) -> None:
    """A second client also works, after the first one has closed the store."""
    app = starlette_app(container)
    cookie = {}
    with TestClient(app) as client:
        assert client.get("/").text == "1"
        cookie["session"] = client.cookies["session"]
    with TestClient(app, cookies=cookie) as client:
        assert client.get("/").text == "2"


def test_a_mounted_application_has_the_same_session(container: SessionContainer) -> None:
    """The application that is mounted sees the session of the outer one."""
    client = TestClient(starlette_app(container))

    assert [client.get(path).text for path in ("/", "/shop/", "/")] == ["1", "2", "3"]


def test_the_middleware_can_be_given_to_the_constructor(container: SessionContainer) -> None:
    """`Middleware(SessionMiddleware, ...)` works in the list of the constructor."""
    middleware = [Middleware(SessionMiddleware, container=container, load="on_demand")]

    async def endpoint(request: Request) -> Response:
        await session_of(request).load()
        return await visits(request)

    client = TestClient(Starlette(routes=[Route("/", endpoint)], middleware=middleware))

    assert [client.get("/").text for _ in range(2)] == ["1", "2"]


def test_a_logout_that_crashes_is_done(container: SessionContainer) -> None:
    """Only a middleware around the whole application can also clear the cookie."""
    added = TestClient(starlette_app(container), raise_server_exceptions=False)
    added.get("/")
    old = dict(added.cookies)
    around = SessionMiddleware(Starlette(routes=[Route("/crash", crashes)]), container)

    answer = added.get("/crash")
    first = asyncio.run(serve(SessionMiddleware(_writes, container)))
    page, logged = asyncio.run(attempt(around, first.cookie, path="/crash"))

    assert (answer.status_code, "set-cookie" in answer.headers) == (500, False)
    assert TestClient(starlette_app(container), cookies=old).get("/").text == "1"
    assert (page.status, page.clears) == (500, True)
    assert isinstance(logged, LookupError)


async def _writes(scope: Scope, receive: Receive, send: Send) -> None:
    scope["session"]["a"] = 1
    await PlainTextResponse("fine")(scope, receive, send)


def test_a_write_in_a_background_task_is_reported(container: SessionContainer) -> None:
    """The response has left by then; the error says what to do instead."""

    async def endpoint(request: Request) -> Response:
        session = session_of(request)
        session["a"] = 1
        return PlainTextResponse("fine", background=BackgroundTask(session.update, b=2))

    app = SessionMiddleware(Starlette(routes=[Route("/", endpoint)]), container)
    answer, logged = asyncio.run(attempt(app))

    assert answer.status == 200
    assert isinstance(logged, SessionError)
    assert "manager.get(id)" in str(logged)


def test_a_plain_copy_is_json(container: SessionContainer) -> None:
    """`session.copy()` is a dict that JSONResponse accepts, as the docs say."""

    async def endpoint(request: Request) -> Response:
        session_of(request)["a"] = [1]
        return JSONResponse(session_of(request).copy())

    app = SessionMiddleware(Starlette(routes=[Route("/", endpoint)]), container)

    assert asyncio.run(serve(app)).body == b'{"a":[1]}'
