"""Litestar on the ASGI middleware: it replaces the session in the scope, and catches all errors."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sessions import SessionContainer
from sessions.asgi import ASGIApp, SessionMiddleware, session_of
from sessions.testing import ManualClock
from tests.sessions.asgi.server import attempt, serve
from tests.sessions.asgi.site import KINDS, Place, open_place
from tests.support.apps import KEY

litestar = pytest.importorskip("litestar", reason="Litestar is not installed")

from litestar import Litestar, Request, get  # noqa: E402


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Iterator[Place]:
    """Return each kind of store in turn."""
    with open_place(request.param, clock, tmp_path) as opened:
        yield opened


@pytest.fixture
def app(place: Place, clock: ManualClock) -> ASGIApp:
    """Return a Litestar application behind the middleware."""
    container = SessionContainer(keys=[KEY], store=place.store, clock=clock)
    return SessionMiddleware(Litestar(route_handlers=[visit, replace, end, look]), container)


@get("/")
async def visit(request: Request[Any, Any, Any]) -> dict[str, int]:
    """Count the visits of a session."""
    session = session_of(request)
    session["visits"] = session.get("visits", 0) + 1
    return {"visits": session["visits"]}


@get("/replace")
async def replace(request: Request[Any, Any, Any]) -> None:
    """Put new values in the place of all values."""
    request.set_session({"other": 1})


@get("/end")
async def end(request: Request[Any, Any, Any]) -> None:
    """Log out with Litestar's own method."""
    request.clear_session()


@get("/look")
async def look(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Return what the session holds."""
    return dict(request.session)


def test_visits_are_counted(app: ASGIApp) -> None:
    """The session is loaded before Litestar runs."""
    first = asyncio.run(serve(app))
    second = asyncio.run(serve(app, first.cookie))

    assert (first.body, second.body) == (b'{"visits":1}', b'{"visits":2}')


def test_set_session_replaces_the_values(app: ASGIApp) -> None:
    """set_session() saves exactly the given values."""
    cookie = asyncio.run(serve(app)).cookie

    asyncio.run(serve(app, cookie, path="/replace", raw_path=b"/replace"))

    answer = asyncio.run(serve(app, cookie, path="/look", raw_path=b"/look"))
    assert answer.body == b'{"other":1}'


def test_clear_session_logs_out(app: ASGIApp) -> None:
    """clear_session() ends the session and clears the cookie."""
    cookie = asyncio.run(serve(app)).cookie

    answer = asyncio.run(serve(app, cookie, path="/end", raw_path=b"/end"))

    assert answer.clears
    look = asyncio.run(serve(app, cookie, path="/look", raw_path=b"/look"))
    assert look.body == b"{}"


@pytest.mark.parametrize("broken", ["load", "commit"])
def test_a_broken_store_is_a_503(app: ASGIApp, place: Place, broken: str) -> None:
    """Litestar would make it a 500."""
    cookie = asyncio.run(serve(app)).cookie
    place.watched.broken = {broken}

    answer, logged = asyncio.run(attempt(app, cookie))

    assert (answer.status, answer.all("Retry-After")) == (503, ["1"])
    assert (answer.set_cookies, logged) == ([], None)
