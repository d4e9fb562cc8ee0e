"""Legacy cookies in the framework and in an ASGI application."""

from typing import Any, Literal

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from werkzeug.test import Client

from framework import Application, component, configuration, controller, get, session
from sessions import SessionContainer
from sessions.asgi import SessionMiddleware, session_of
from tests.sessions.migration.cookies import HEADERS, OldSystem
from tests.support.apps import KEY


def a_container(old: OldSystem) -> SessionContainer:
    """Return a container that reads the cookies of the other system."""
    return SessionContainer(keys=[KEY], legacy_cookies=old.cookies(end=old.end))


@controller("/")
class Pages:
    """Show the session, and end it."""

    @get("/")
    def show(self, session: session) -> str:
        """Show the user and a value."""
        return f"{session.user_id} {session.get('items')}"

    @get("/logout")
    def logout(self, session: session) -> str:
        """End the session."""
        session.destroy()
        return "goodbye"


@pytest.mark.parametrize("kind", HEADERS)
def test_the_framework_logs_nobody_out(old: OldSystem, kind: str) -> None:
    """A browser first has the old cookies and then the new one; a logout ends both."""

    @configuration
    class Settings:
        """The settings of the application."""

        @component
        def container(self) -> SessionContainer:
            """Read the old cookies."""
            return a_container(old)

    browser = Client(Application(Pages, Settings))
    for pair in HEADERS[kind].split("; "):
        browser.set_cookie(*pair.split("=", 1))

    first, second = browser.get("/").text, browser.get("/").text

    assert first == second
    assert first.startswith("ada Dog")
    assert browser.get("/logout").text == "goodbye"
    assert browser.get("/").text == "None None"


@pytest.mark.parametrize("load", ["eager", "on_demand"])
def test_an_asgi_application_logs_nobody_out(
    old: OldSystem, load: Literal["eager", "on_demand"]
) -> None:
    """The session is loaded before the application, or when the application asks."""

    async def show(request: Request) -> Response:
        session = session_of(request)
        await session.load()
        return PlainTextResponse(f"{session.user_id} {session['items']}")

    app: Any = SessionMiddleware(Starlette(routes=[Route("/", show)]), a_container(old), load=load)
    with TestClient(app) as browser:
        answer = browser.get("/", headers={"Cookie": HEADERS["hex"]})

        assert answer.text == browser.get("/").text == "ada Dog"
        assert len(answer.headers.get_list("set-cookie")) == 3
    assert old.ended == ["abc123"]
