"""An application inside a SessionMiddleware: with one container, both share a session."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from werkzeug.exceptions import Conflict, ServiceUnavailable
from werkzeug.test import Client

from framework import Application, component, configuration, controller, get, session, session_value
from sessions import MemoryStore, SessionContainer
from sessions.wsgi import SessionMiddleware
from tests.support.apps import KEY, session_of
from tests.support.watched import WatchedStore

OTHER = "another key of the tests, 32 bytes and more"


@controller("/")
class Pages:
    @get("/count")
    def count(self, session: session) -> int:
        session["inner"] = session.get("inner", 0) + 1
        return int(session["inner"])

    @get("/cart")
    def cart(self, cart: Annotated[list[int], session_value("cart")] = []) -> list[int]:  # noqa: B006
        cart.append(len(cart))
        return cart

    @get("/stream")
    def stream(self, session: session) -> Iterator[str]:
        session["inner"] = "streamed"
        yield "a"
        yield session["inner"]

    @get("/untouched")
    def untouched(self) -> str:
        return "page"

    @get("/conflict")
    def conflict(self, session: session) -> None:
        session["inner"] = "kept"
        raise Conflict

    @get("/failure")
    def failure(self, session: session) -> None:
        session["inner"] = "lost"
        raise ServiceUnavailable


def counting(app: WSGIApplication) -> WSGIApplication:
    """Count requests in the outer session, before and after the application."""

    def counted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        session = environ["sessions.session"]
        session["before"] = session.get("before", 0) + 1
        body = app(environ, start_response)
        session["after"] = session.get("after", 0) + 1
        return body

    return counted


class Stack:
    """Serve an application inside a middleware, with the same container or another."""

    def __init__(
        self, outer: SessionContainer, inner: SessionContainer, *between: SessionContainer
    ) -> None:
        @configuration
        class Sessions:
            @component
            def session_container(self) -> SessionContainer:
                return inner

        app: WSGIApplication = Application(Pages, Sessions)
        for container in between:
            app = SessionMiddleware(app, container)
        self.middleware = SessionMiddleware(counting(app), outer)
        self.client = Client(self.middleware)

    def get(self, path: str) -> Any:
        """Send a request with the cookies of the requests before."""
        return self.client.get(path, buffered=True)

    def held(self) -> dict[str, Any]:
        """Return what the session around the application holds."""
        cookie = self.client.get_cookie("session")
        header = "" if cookie is None else f"session={cookie.value}"
        return session_of(self.middleware.manager, header).copy()


@pytest.fixture
def store() -> WatchedStore:
    """Return a store that counts its calls."""
    return WatchedStore(MemoryStore())


@pytest.fixture(params=[{}, {"rolling": True}, {"save_uninitialized": True}], ids=str)
def stack(store: WatchedStore, request: pytest.FixtureRequest) -> Stack:
    """Return an application and a middleware of one container."""
    container = SessionContainer(keys=[KEY], store=store, **request.param)
    return Stack(container, container)


def test_an_inner_and_an_outer_middleware_share_the_session(
    stack: Stack, store: WatchedStore
) -> None:
    """There is one record, one cookie, one load and one commit; no change is lost."""
    answers = [stack.get("/count") for _ in range(2)]

    assert [answer.text for answer in answers] == ["1", "2"]
    assert len(answers[0].headers.getlist("Set-Cookie")) == 1
    assert store.calls[:3] == ["create", "load", "commit"]
    assert stack.held() == {"before": 2, "after": 2, "inner": 2}


def test_values_that_a_handler_changes_in_place_are_saved(stack: Stack) -> None:
    """They are put back before the middleware saves the session."""
    assert [stack.get("/cart").json for _ in range(2)] == [[0], [0, 1]]
    assert stack.held()["cart"] == [0, 1]


def test_a_stream_is_saved_with_its_first_byte(stack: Stack) -> None:
    """The stream can still read the session."""
    assert stack.get("/stream").text == "astreamed"
    assert stack.held()["inner"] == "streamed"


@pytest.mark.parametrize(("path", "inner"), [("/conflict", "kept"), ("/failure", 1)])
def test_a_failure_discards_the_changes_of_both(stack: Stack, path: str, inner: object) -> None:
    """A 4xx that the handler chose keeps them."""
    stack.get("/count")
    stack.get(path)

    assert stack.held()["inner"] == inner


def test_a_broken_store_is_a_503(stack: Stack, store: WatchedStore) -> None:
    """This holds for the application and for the middleware."""
    stack.get("/count")
    store.broken = {"load"}

    assert stack.get("/count").status_code == 503
    assert stack.get("/untouched").status_code == 503


def test_another_container_has_a_session_of_its_own(store: WatchedStore) -> None:
    """The session has its own cookie."""
    outer = SessionContainer(keys=[KEY], store=store)
    stack = Stack(outer, SessionContainer(keys=[OTHER], session_prefix="inner"))

    answers = [stack.get("/count") for _ in range(2)]

    assert [answer.text for answer in answers] == ["1", "2"]
    assert len(answers[0].headers.getlist("Set-Cookie")) == 2
    assert stack.held() == {"before": 2, "after": 2}


@pytest.mark.parametrize("settings", [{}, {"rolling": True}, {"save_uninitialized": True}])
def test_another_container_may_stand_between_the_two(
    store: WatchedStore, settings: dict[str, Any]
) -> None:
    """The application uses the session of its own container, wherever it was opened."""
    container = SessionContainer(keys=[KEY], store=store, **settings)
    between = SessionContainer(keys=[OTHER], session_prefix="between", **settings)
    stack = Stack(container, container, between)

    answers = [stack.get(path) for path in ("/count", "/count", "/failure", "/cart", "/stream")]

    assert [answer.text for answer in answers[:2]] == ["1", "2"]
    assert [len(_cookies(answer, "session")) for answer in answers[:2]] == [
        1,
        int("rolling" in settings),
    ]
    assert stack.held()["inner"] == "streamed"
    assert stack.held()["cart"] == [0]


def _cookies(answer: Any, name: str) -> list[str]:
    return [
        cookie for cookie in answer.headers.getlist("Set-Cookie") if cookie.startswith(f"{name}=")
    ]
