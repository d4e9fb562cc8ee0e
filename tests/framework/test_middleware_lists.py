"""How middleware is listed, and what it does with the session."""

from collections.abc import Iterator, Sequence

import pytest

from framework import (
    Application,
    Middleware,
    Next,
    Request,
    Response,
    component,
    configuration,
    replace,
)
from framework.middleware import session_of
from framework.testing import Client
from sessions import SessionContainer
from tests.framework.surrounding import Log, Logging, Pages, Tagging, around, of_a_query
from tests.framework.trials import client_of, only_problem_of
from tests.framework.visits import KEYS, Spy


@pytest.fixture
def client() -> Iterator[Client]:
    with client_of(Pages, Log, around(Logging, of_a_query)) as client:
        yield client


def test_the_first_of_the_list_is_the_outermost() -> None:
    """Responses come back through the list from its end."""
    with client_of(Pages, around(Tagging("outer"), Tagging("inner"))) as client:
        assert client.get("/").headers.getlist("X-Tag") == ["inner", "outer"]


@pytest.mark.parametrize("path", ["/", "/missing"])
def test_a_session_that_only_middleware_touches_is_committed(path: str) -> None:
    """No handler takes a session; what middleware writes is saved all the same."""
    store = Spy()
    container = SessionContainer(keys=KEYS, store=store)
    application = Application(Pages, around(of_a_query))
    with application.test(replace(SessionContainer).to(container)) as client:
        response = client.get(f"{path}?do=visit")
        with client.session() as session:
            saved = session.get("visited")

    assert "Set-Cookie" in response.headers
    assert saved is True


def test_untouched_sessions_cost_nothing_under_middleware(client: Client) -> None:
    """Middleware that may use the session, but does not, leaves no trace of one."""
    response = client.get("/")

    assert "Set-Cookie" not in response.headers
    assert "Vary" not in response.headers


def test_middleware_can_promise_to_use_no_session() -> None:
    """With `uses_session = False`, an application needs no sessions for its sake."""
    with client_of(Pages, around(Tagging("a"))) as client:
        assert client.app.sessions is None


def test_a_promise_to_use_no_session_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    """Who breaks it is told what was promised."""

    class Counting:
        uses_session = False

        def __call__(self, request: Request, next: Next) -> Response:
            session_of(request)["visited"] = True
            return next(request)

    with client_of(Pages, around(Counting)) as client:
        assert client.get("/").status_code == 500

    assert "or remove `uses_session = False` from the middleware that uses it" in caplog.text


@pytest.mark.parametrize("listed", ["csrf", 7, None])
def test_what_cannot_go_around_is_a_problem(listed: object) -> None:
    """The report says what is in the list."""
    problem = only_problem_of(Pages, around(listed))

    assert problem.what == f"{listed!r} is listed as middleware, but cannot go around a request"
    assert "Around.middleware (" in problem.where


@pytest.mark.parametrize("kind", [tuple[Middleware, ...], Sequence[Middleware]])
def test_a_list_that_nothing_would_read_is_a_problem(kind: object) -> None:
    """Middleware that is silently left out would protect nobody."""

    @configuration
    class Around:
        def middleware(self) -> object:
            return (of_a_query,)

        middleware.__annotations__["return"] = kind
        middleware = component(middleware)

    problem = only_problem_of(Pages, Around)

    assert "is not the type under which the application's middleware is looked up" in problem.what
    assert "list[Middleware]" in problem.remedy


def test_a_list_may_be_typed_to_hold_classes() -> None:
    """For a type checker, a class is no middleware."""

    @configuration
    class Around:
        @component
        def middleware(self) -> list[Middleware | type[Middleware]]:
            return [Logging, of_a_query]

    with client_of(Pages, Log, Around) as client:
        assert client.get("/").headers["X-Logged"] == "yes"


def test_middleware_is_listed_once() -> None:
    """Of two lists, nobody could say which is the outer one."""

    @configuration
    class Another:
        @component
        def middleware(self) -> list[Middleware | type[Middleware]]:
            return [of_a_query]

    problem = only_problem_of(Pages, around(of_a_query), Another)

    assert "is a second type" in problem.what


def test_a_class_that_cannot_be_built_is_a_problem() -> None:
    """What its constructor misses is reported as for any component."""
    problem = only_problem_of(Pages, around(Tagging))

    assert problem.what == "parameter 'tag': nothing provides str"
