"""Quart on the ASGI middleware: it catches all errors, and also has sessions of its own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from sessions import SessionContainer
from sessions.asgi import ASGIApp, SessionMiddleware, session_of
from sessions.testing import ManualClock
from tests.sessions.asgi.server import attempt, serve
from tests.sessions.asgi.site import KINDS, Place, open_place
from tests.support.apps import KEY

quart = pytest.importorskip("quart", reason="Quart is not installed")


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Iterator[Place]:
    """Return each kind of store in turn."""
    with open_place(request.param, clock, tmp_path) as opened:
        yield opened


@pytest.fixture
def app(place: Place, clock: ManualClock) -> ASGIApp:
    """Return a Quart application behind the middleware."""
    site = quart.Quart("site")

    @site.get("/")  # type: ignore[untyped-decorator]
    async def visit() -> str:
        session = session_of(quart.request.scope)
        session["visits"] = session.get("visits", 0) + 1
        return f"{session['visits']}"

    container = SessionContainer(keys=[KEY], store=place.store, clock=clock)
    return SessionMiddleware(site, container)


def test_visits_are_counted(app: ASGIApp) -> None:
    """The session is loaded before Quart runs."""
    first = asyncio.run(serve(app))
    second = asyncio.run(serve(app, first.cookie))

    assert (first.body, second.body) == (b"1", b"2")


@pytest.mark.parametrize("broken", ["load", "commit"])
def test_a_broken_store_is_a_503(app: ASGIApp, place: Place, broken: str) -> None:
    """Quart would make it a 500."""
    cookie = asyncio.run(serve(app)).cookie
    place.watched.broken = {broken}

    answer, logged = asyncio.run(attempt(app, cookie))

    assert (answer.status, answer.all("Retry-After")) == (503, ["1"])
    assert (answer.set_cookies, logged) == ([], None)
