"""Sessions in every kind of response, and of several applications under one host."""

from collections.abc import Iterator

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client as WSGIClient

from framework import Application
from framework.testing import Client, replace
from sessions import SessionContainer
from tests.framework.visits import KEYS, Spy, Visits, saved


@pytest.fixture
def store() -> Spy:
    return Spy()


@pytest.fixture
def client(store: Spy) -> Iterator[Client]:
    container = SessionContainer(keys=KEYS, store=store)
    with Application(Visits).test(replace(SessionContainer).to(container)) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path"),
    [("HEAD", "/write"), ("GET", "/write/204"), ("GET", "/write/304"), ("GET", "/write/302")],
)
def test_every_kind_of_response_carries_the_cookie(client: Client, method: str, path: str) -> None:
    """HEAD, 204, 304 and redirects follow the cookie rules of a 200."""
    response = client.open(path, method=method)

    assert "Set-Cookie" in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    assert response.data == b""
    assert saved(client) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", "/without"), ("GET", "/untouched"), ("GET", "/missing"), ("DELETE", "/write")),
        *(("OPTIONS", "/write"), ("HEAD", "/missing"), ("GET", "/write-then-raise/400")),
    ],
)
def test_rolling_renews_the_session_with_every_response(method: str, path: str) -> None:
    """Each response of a live session carries its cookie, also where no handler answers."""
    container = SessionContainer(keys=KEYS, rolling=True)
    with Application(Visits).test(replace(SessionContainer).to(container)) as client:
        client.get("/write")
        response = client.open(path, method=method)

    assert "session=" in response.headers["Set-Cookie"]


def test_save_uninitialized_starts_a_session_with_every_response() -> None:
    """A visitor of a 404 has a session then."""
    container = SessionContainer(keys=KEYS, save_uninitialized=True)
    with Application(Visits).test(replace(SessionContainer).to(container)) as client:
        response = client.get("/missing")

    assert response.status_code == 404
    assert "session=" in response.headers["Set-Cookie"]


def test_two_applications_with_one_cookie_name_keep_apart() -> None:
    """Under one host each ignores the other's cookie: they take turns, and share nothing.

    The remedy is a cookie path or a session_prefix of its own for each.
    """
    stores = Spy(), Spy()
    keys = [KEYS, [KEYS[0][::-1]]]
    apps = []
    for number in (0, 1):
        container = SessionContainer(keys=keys[number], store=stores[number])
        apps.append(Application(Visits, replacements={SessionContainer: container}))
    client = WSGIClient(DispatcherMiddleware(apps[0], {"/shop": apps[1]}))
    bodies = [
        client.get(path, buffered=True).text
        for path in ("/write", "/shop/write", "/shop/write", "/write")
    ]

    assert bodies == ["1", "1", "2", "1"]


def test_two_applications_with_two_prefixes_live_side_by_side() -> None:
    """Under one host each keeps its own session."""
    apps = []
    for prefix in ("desk", "shop"):
        container = SessionContainer(keys=KEYS, session_prefix=prefix)
        apps.append(Application(Visits, replacements={SessionContainer: container}))
    client = WSGIClient(DispatcherMiddleware(apps[0], {"/shop": apps[1]}))
    bodies = [
        client.get(path, buffered=True).text
        for path in ("/write", "/shop/write", "/shop/write", "/write")
    ]

    assert bodies == ["1", "1", "2", "2"]
