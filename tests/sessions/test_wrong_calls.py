"""Calls that cannot work say what to write in their place."""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from sessions import SessionClosed, SessionContainer, SessionManager
from sessions.wsgi import SessionMiddleware
from tests.support.apps import KEY


@pytest.fixture
def manager() -> SessionManager:
    """Return a manager of sessions in memory."""
    return SessionManager(SessionContainer(keys=[KEY]))


def test_from_cookie_takes_the_absence_of_the_header(manager: SessionManager) -> None:
    """Where the gateway's headers have no Cookie, there is a new session."""
    assert manager.from_cookie(None).is_new


def test_a_session_closed_by_hand_says_so(manager: SessionManager) -> None:
    """There need not be a response; the message fits both."""
    session = manager.create({"a": 1})
    manager.close(session)

    with pytest.raises(SessionClosed) as caught:
        session["a"] = 2

    assert str(caught.value) == (
        "the session is closed: its response's headers have left, or it was closed by hand;"
        " use it before that, in a response before the first byte of the body. After the response,"
        " in a background task or a thread, get the session from the manager: manager.get(id). In"
        ' the exit of a dependency with `yield`, write Depends(..., scope="function")'
    )


def _no_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return []


WRONG = [
    ((SessionContainer(keys=[KEY]), _no_app), "SessionContainer and function"),
    ((_no_app, {"keys": [KEY]}), "function and dict"),
    ((None, SessionContainer(keys=[KEY])), "NoneType and SessionContainer"),
]


@pytest.mark.parametrize(("arguments", "types"), WRONG)
def test_what_the_middleware_takes_is_checked_at_once(
    arguments: tuple[Any, Any], types: str
) -> None:
    """The two in the wrong order, or something else; no key is shown."""
    with pytest.raises(TypeError) as caught:
        SessionMiddleware(*arguments)

    assert str(caught.value) == (
        "SessionMiddleware takes the application first, then a SessionContainer, not values of the"
        f" types {types}: write SessionMiddleware(app, SessionContainer(keys=[...]))"
    )
