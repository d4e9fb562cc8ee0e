"""Parameters for the session, with the marker of another source."""

from typing import Any

import pytest

from framework import (
    Application,
    Body,
    Form,
    Inject,
    Query,
    component,
    configuration,
    controller,
    get,
    post,
)
from framework.report import StartupError
from sessions import Session, SessionContainer, SessionManager
from tests.support.apps import KEY
from tests.support.small_applications import client_of


class Own(Session):
    """A session of the user's own."""


@pytest.mark.parametrize("kind", [Session, Own])
@pytest.mark.parametrize("source", [Inject, Query, Form, Body])
def test_a_session_has_no_other_source(source: Any, kind: type[Session]) -> None:
    """The message says how a handler gets the session."""

    @controller("/")
    class Page:
        @post("/")
        def show(self, visitor: source[kind]) -> str:
            return "shown"

    with pytest.raises(StartupError, match=r"parameter 'visitor' is a session with the source"):
        Application(Page)


@pytest.mark.parametrize("kind", [SessionManager, SessionContainer])
def test_a_component_of_the_framework_is_injected(kind: type) -> None:
    """Nobody wants it from the body of a request."""

    @controller("/")
    class Page:
        @get("/")
        def show(self, manager: kind) -> str:  # type: ignore[valid-type]
            return "shown"

    with pytest.raises(StartupError) as raised:
        Application(Page)
    assert f"Fix: Write Inject[{kind.__name__}] for the component." in str(raised.value)


def test_a_subclass_of_session_asks_for_the_session() -> None:
    """An application may have a session class of its own."""

    class ShopSession(Session): ...

    @controller("/")
    class Pages:
        @get("/")
        def page(self, cart: ShopSession) -> bool:
            return isinstance(cart, ShopSession)

    @configuration
    class Sessions:
        @component
        def session_container(self) -> SessionContainer:
            return SessionContainer(keys=[KEY], session_class=ShopSession)

    with client_of(Pages, Sessions) as client:
        assert client.get("/").json is True
