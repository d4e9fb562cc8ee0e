"""What the WSGI middleware answers and leaves when the application or the store fails."""

import contextlib
import gc
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from sessions import MemoryStore, SessionContainer, StoreUnavailable
from sessions.wsgi import SessionMiddleware
from tests.support.applications import TEXT, a_list
from tests.support.apps import KEY
from tests.support.gateway import serve
from tests.support.watched import WatchedStore

REQUESTS = 50


@pytest.fixture
def watched() -> WatchedStore:
    """Return an empty store, with its calls counted."""
    return WatchedStore(MemoryStore())


@pytest.fixture
def container(watched: WatchedStore) -> SessionContainer:
    """Return a container with that store."""
    return SessionContainer(keys=[KEY], store=watched)


def catches(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Turn an error into an answer of the application, as Flask does."""
    try:
        environ["sessions.session"].get("a")
    except StoreUnavailable:
        start_response("500 Oops", TEXT)
        return [b"oops"]
    start_response("200 OK", TEXT)
    return [b"fine"]


def lives_without(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Serve the page without the session."""
    with pytest.raises(StoreUnavailable):
        environ["sessions.session"].get("a")
    start_response("200 OK", TEXT)
    return [b"fine"]


def fails(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Use the session, and fail."""
    environ["sessions.session"].get("a")
    raise LookupError("a bug of the application")


def test_an_application_that_answers_500_for_a_broken_store_is_refused(
    container: SessionContainer, watched: WatchedStore
) -> None:
    """The client gets a 503 with Retry-After, whatever catches the error first."""
    cookie = serve(SessionMiddleware(a_list, container)).cookie
    watched.broken = {"load"}

    reply = serve(SessionMiddleware(catches, container), HTTP_COOKIE=cookie)

    assert reply.status == "503 Service Unavailable"
    assert (reply.body, reply.all("Retry-After")) == (b"Service Unavailable\n", ["1"])


def test_an_application_that_lives_without_a_broken_store_is_served(
    container: SessionContainer, watched: WatchedStore
) -> None:
    """The application may decide to answer without a session."""
    cookie = serve(SessionMiddleware(a_list, container)).cookie
    watched.broken = {"load"}

    reply = serve(SessionMiddleware(lives_without, container), HTTP_COOKIE=cookie)

    assert (reply.status, reply.body) == ("200 OK", b"fine")


@pytest.mark.parametrize("broken", [set(), {"load"}], ids=["a bug", "a broken store"])
def test_a_request_that_fails_leaves_nothing_to_the_garbage_collector(
    container: SessionContainer, watched: WatchedStore, broken: set[str]
) -> None:
    """The objects in the environ are freed at once."""
    cookie = serve(SessionMiddleware(a_list, container)).cookie
    middleware = SessionMiddleware(fails, container)
    watched.broken = broken
    send(middleware, cookie)
    gc.collect()
    gc.disable()
    try:
        for _ in range(REQUESTS):
            send(middleware, cookie)
        left = gc.collect()
    finally:
        gc.enable()

    assert left < REQUESTS


def send(middleware: SessionMiddleware, cookie: str) -> None:
    """Send a request that fails, or is refused."""
    with contextlib.suppress(LookupError):
        serve(middleware, HTTP_COOKIE=cookie)
