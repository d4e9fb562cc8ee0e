"""FastAPI on the ASGI middleware: blocking and asynchronous dependencies, and error handlers."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

from sessions import AsyncSession, Session, SessionContainer, SessionError, StoreUnavailable
from sessions.asgi import ASGIApp, SessionMiddleware, session_of
from sessions.testing import ManualClock
from tests.sessions.asgi.server import attempt, serve
from tests.sessions.asgi.site import KINDS, Place, open_place
from tests.support.apps import KEY

fastapi = pytest.importorskip("fastapi", reason="FastAPI is not installed")

from fastapi import Depends, FastAPI, HTTPException  # noqa: E402
from fastapi.requests import HTTPConnection  # noqa: E402
from fastapi.responses import PlainTextResponse  # noqa: E402


async def loaded(connection: HTTPConnection) -> AsyncSession:
    """Return the session, loaded."""
    session = session_of(connection)
    await session.load()
    return session


async def blocking(connection: HTTPConnection) -> Session:
    """Return the blocking session, for a function in a thread."""
    face: Session = connection.scope["sessions.manager"].face(session_of(connection), Session)
    return face


Loaded = Annotated[AsyncSession, Depends(loaded)]
Blocking = Annotated[Session, Depends(blocking)]


async def late(session: Loaded) -> AsyncIterator[None]:
    """Write to the session after the response has left."""
    yield
    session["late"] = 1


async def caught(request: Any, error: Exception) -> PlainTextResponse:
    """Return the page of an error."""
    return PlainTextResponse("caught", 500)


def make_app() -> FastAPI:
    """Return an application with handlers for every error."""
    app = FastAPI(exception_handlers={Exception: caught, StoreUnavailable: caught})

    @app.get("/")
    async def visit(session: Loaded) -> dict[str, int]:
        session["visits"] = session.get("visits", 0) + 1
        return {"visits": session["visits"]}

    @app.get("/thread")
    def thread(session: Blocking, other: Loaded) -> dict[str, Any]:
        session["visits"] = session["visits"] + 1
        return {**session, "same": other["visits"] == session["visits"]}

    @app.get("/refused")
    async def refused(session: Loaded) -> None:
        session["tries"] = 1
        raise HTTPException(403)

    @app.get("/late", dependencies=[Depends(late)])
    async def leaves() -> str:
        return "fine"

    return app


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Iterator[Place]:
    """Return each kind of store in turn."""
    with open_place(request.param, clock, tmp_path) as opened:
        yield opened


@pytest.fixture
def app(place: Place, clock: ManualClock) -> ASGIApp:
    """Return the application behind the middleware, with sessions that load on demand."""
    container = SessionContainer(keys=[KEY], store=place.store, clock=clock)
    return SessionMiddleware(make_app(), container, load="on_demand")


def test_dependencies_of_both_faces_share_one_session(app: ASGIApp, place: Place) -> None:
    """One load for a `def` endpoint in a thread and an asynchronous dependency."""
    cookie = asyncio.run(serve(app)).cookie
    place.watched.calls.clear()

    answer = asyncio.run(serve(app, cookie, path="/thread"))

    assert answer.body == b'{"visits":2,"same":true}'
    assert place.watched.calls == ["load", "commit"]


def test_a_4xx_keeps_the_changes(app: ASGIApp, place: Place) -> None:
    """A login throttle can count its answers of 403."""
    cookie = asyncio.run(serve(app)).cookie
    place.watched.calls.clear()

    answer = asyncio.run(serve(app, cookie, path="/refused"))

    assert answer.status == 403
    assert place.watched.calls == ["load", "commit"]


@pytest.mark.parametrize("broken", ["load", "commit"])
def test_a_broken_store_is_a_503(app: ASGIApp, place: Place, broken: str) -> None:
    """The application's handlers do not change the 503."""
    cookie = asyncio.run(serve(app)).cookie
    place.watched.broken = {broken}

    answer, logged = asyncio.run(attempt(app, cookie))

    assert (answer.status, answer.all("Retry-After")) == (503, ["1"])
    assert (answer.set_cookies, logged) == ([], None)


def test_a_write_in_the_exit_of_a_dependency_is_reported(app: ASGIApp) -> None:
    """The response has left by then; the error says what to do."""
    answer, logged = asyncio.run(attempt(app, path="/late"))

    assert answer.status == 200
    assert isinstance(logged, SessionError)
    assert 'Depends(..., scope="function")' in str(logged)
