"""The WSGI middleware around Flask, Django and Bottle keeps all promises."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest
from werkzeug.test import Client, TestResponse

from sessions import SessionContainer, SQLiteStore
from sessions.wsgi import SessionMiddleware
from tests.sessions.wsgi_frameworks.applications import APPLICATIONS
from tests.support.apps import KEY
from tests.support.watched import WatchedStore


class Place:
    """A framework's application behind the middleware, and a browser for it."""

    def __init__(self, application: WSGIApplication, store: WatchedStore) -> None:
        self.store = store
        self.container = SessionContainer(keys=[KEY], store=store)
        self.app = SessionMiddleware(application, self.container)
        self.browser = Client(self.app)

    def get(self, path: str) -> TestResponse:
        """Send a request of the browser, and read the answer to its end."""
        return self.browser.get(path, buffered=True)


@pytest.fixture(params=APPLICATIONS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return each framework in turn."""
    store = WatchedStore(SQLiteStore(tmp_path / "sessions.db"))
    return Place(APPLICATIONS[request.param](), store)


def cookies(answer: TestResponse) -> list[str]:
    """Return the Set-Cookie headers."""
    return answer.headers.getlist("Set-Cookie")


def test_a_session_lasts(place: Place) -> None:
    """There is one cookie and one record; an untouched page costs nothing."""
    assert [place.get("/visit").text for _ in range(3)] == ["1", "2", "3"]
    place.store.calls.clear()

    answer = place.get("/untouched")

    assert (cookies(answer), answer.headers.get("Vary")) == ([], None)
    assert place.store.calls == []


def test_a_login_changes_the_id(place: Place) -> None:
    """The login is one commit, and the earlier cookie has no session."""
    (before,) = cookies(place.get("/visit"))
    place.store.calls.clear()

    answer = place.get("/login")

    (after,) = cookies(answer)
    assert answer.status_code == 200
    assert [call for call in place.store.calls if call in ("load", "commit")] == ["load", "commit"]
    assert place.get("/show").text == "ada [('visits', 1)]"
    assert before.partition(";")[0] != after.partition(";")[0]
    thief = Client(place.app, use_cookies=False)
    stolen = {"Cookie": before.partition(";")[0]}
    assert thief.get("/show", headers=stolen).text == "None []"


def test_a_logout_ends_the_session(place: Place) -> None:
    """The record is removed, and the cookie is cleared."""
    place.get("/login")

    (cleared,) = cookies(place.get("/logout"))

    assert cleared.startswith("session=; Max-Age=0")
    assert place.get("/show").text == "None []"


def test_a_logout_holds_when_the_handler_fails(place: Place) -> None:
    """The framework answers 500, the session has ended, and later writes are not stored."""
    place.get("/login")

    assert place.get("/fail").status_code == 500
    assert place.get("/show").text == "None []"


def test_parallel_writes_both_survive(place: Place) -> None:
    """Two threads load the session before either commits."""
    (cookie,) = cookies(place.get("/visit"))
    headers = {"Cookie": cookie.partition(";")[0]}

    def send(path: str) -> str:
        client = Client(place.app, use_cookies=False)
        return client.get(path, headers=headers, buffered=True).text

    with ThreadPoolExecutor(2) as threads:
        assert [*threads.map(send, ["/left", "/right"])] == ["left", "right"]

    assert place.get("/show").text == "None [('left', True), ('right', True), ('visits', 1)]"


@pytest.mark.parametrize("broken", ["load", "commit"])
def test_a_broken_store_is_unavailable(place: Place, broken: str) -> None:
    """The answer is 503, and the session is there when the store works again."""
    place.get("/visit")
    place.store.broken = {broken}

    answer = place.get("/visit")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert cookies(answer) == []
    assert place.get("/untouched").status_code == 200
    place.store.broken = set()
    assert place.get("/visit").text == "2"


def test_a_stream_is_saved_before_its_first_byte(place: Place) -> None:
    """A later write raises an error."""
    answer = place.get("/stream")

    assert len(cookies(answer)) == 1
    assert answer.text == "first closed"
    assert place.get("/show").text == "None [('streamed', True)]"
