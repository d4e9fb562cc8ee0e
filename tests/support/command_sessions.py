"""An application with sessions for tests of the commands, and a browser that stays signed in."""

from pathlib import Path
from typing import Any

from framework.application import Application
from framework.decorators import component, configuration, controller, get
from framework.markers import session as of_request
from framework.testing import Client
from sessions.container import SessionContainer
from sessions.manager import SessionManager
from sessions.stateless import SignedToken
from sessions.stores.base import Store

KEY = "a key of the tests that is long enough"

PROGRAM = f"""
from datetime import timedelta
from sessions import *
from sessions.stores.urls import *

container = SessionContainer(keys=[{KEY!r}], store=STORE, **SETTINGS)
"""


def write_program(store: str = 'SQLiteStore("sessions.db")', **settings: Any) -> None:
    """Write an app.py whose `container` has this store."""
    program = PROGRAM.replace("STORE", store).replace("SETTINGS", repr(settings))
    Path("app.py").write_text(program, encoding="utf-8")


def manager_of(store: Store, **settings: Any) -> SessionManager:
    """Return the manager of the sessions in a store, with the key of the program."""
    return SessionManager(SessionContainer(keys=[KEY], store=store, **settings))


def make_session(store: Store | SessionManager, user: str | None = None, **values: Any) -> str:
    """Store a session, and return its handle."""
    manager = manager_of(store) if isinstance(store, Store) else store
    with manager.create(values) as session:
        if user is not None:
            session.set_user(user, role="customer")
        return session.handle


@controller("/")
class Shop:
    """Count the visits of somebody who is signed in."""

    @get("/")
    def visit(self, session: of_request) -> list[Any]:
        """Count a visit, and say who it is."""
        session["visits"] = session.get("visits", 0) + 1
        return [session.user_id, session["visits"], session.handle]

    @get("/sign-in")
    def sign_in(self, session: of_request) -> None:
        """Sign in."""
        session.set_user("ada")

    @get("/renew")
    def renew(self, session: of_request) -> None:
        """Give the session another id."""
        session.regenerate()


def shop(store: Store | SignedToken, **settings: Any) -> Application:
    """Return the shop whose sessions are in a store."""

    @configuration
    class Stored:
        @component
        def container(self) -> SessionContainer:
            return SessionContainer(keys=[KEY], store=store, **settings)

    return Application(Shop, Stored)


class Customer:
    """A browser that keeps its cookie when the shop is started again with another store."""

    def __init__(self, store: Store | SignedToken, **settings: Any) -> None:
        self._settings = settings
        self._client = Client(shop(store, **settings))

    def moves_to(self, store: Store) -> None:
        """Use the same cookie with another store."""
        cookie = self._client.get_cookie("session")
        self._client = Client(shop(store, **self._settings))
        if cookie is not None:
            self._client.set_cookie("session", cookie.value)

    def gets(self, path: str) -> Any:
        """Return the text of the page; None for an empty page."""
        response = self._client.get(path)
        assert response.status_code in (200, 204)
        return response.json if response.data else None
