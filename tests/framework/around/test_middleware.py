"""Middleware: how it is listed, when it runs, and how it uses the session."""

from collections.abc import Iterator, Sequence

import pytest

from framework import (
    Application,
    Middleware,
    Next,
    Request,
    Response,
    Session,
    component,
    configuration,
    controller,
    get,
    replace,
)
from framework.middleware import session_of
from framework.testing import Client
from sessions import SessionContainer
from tests.support.middleware import Log, Logging, Pages, Tagging, around, of_a_query
from tests.support.session_pages import KEYS, Spy
from tests.support.small_applications import client_of, only_problem_of


@pytest.fixture
def client() -> Iterator[Client]:
    with client_of(Pages, Log, around(Logging, of_a_query)) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "text"),
    [("/", "shown"), ("/7", "7"), ("/nothing", ""), ("/stream", "ab"), ("/response", "own")],
)
def test_middleware_goes_around_every_kind_of_answer(client: Client, path: str, text: str) -> None:
    """It always sees a response, and its changes are sent."""
    response = client.get(path)

    assert response.text == text
    assert response.headers["X-Logged"] == "yes"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/missing", 404), ("POST", "/", 405), ("OPTIONS", "/", 204), ("GET", "/raise", 500)],
)
def test_middleware_goes_around_answers_without_a_handler(
    client: Client, method: str, path: str, status: int
) -> None:
    """Refusals, automatic answers and errors pass through it as well."""
    response = client.open(path, method=method)

    assert response.status_code == status
    assert response.headers["X-Logged"] == "yes"


def test_head_passes_through_middleware(client: Client) -> None:
    """HEAD has the headers of GET, also those that middleware adds."""
    got, headed = client.get("/"), client.head("/")

    assert headed.data == b""
    assert list(headed.headers) == list(got.headers)


def test_an_injected_class_is_built_once() -> None:
    """The constructor of a listed class is injected, at start-up."""
    log = Log()
    with Application(Pages, Log, around(Logging)).test(replace(Log).to(log)) as client:
        client.get("/7")
        client.get("/missing")

    assert log.lines == ["GET /7", "200 OK", "GET /missing", "404 NOT FOUND"]


def test_middleware_may_answer_itself(client: Client) -> None:
    """In this case, the handler does not run."""
    assert client.get("/raise?do=answer").text == "its own"


@pytest.mark.parametrize(("do", "status"), [("refuse", 403), ("fail", 500), ("return", 500)])
def test_an_exception_in_middleware_is_answered(client: Client, do: str, status: int) -> None:
    """It is rendered like the handler's, and the middleware around it sees the response."""
    response = client.get(f"/?do={do}")

    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    assert "secret" not in response.text
    assert response.headers["X-Logged"] == "yes"


def test_an_exception_in_middleware_is_logged_once(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the traceback of an unexpected exception."""
    client.get("/?do=fail")

    (record,) = caplog.records
    assert record.exc_info is not None


def test_middleware_that_returns_no_response_is_named(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """The error names the middleware without a `return`, and its place."""
    client.get("/?do=return")

    assert "the middleware of_a_query (" in caplog.text
    assert "returned None, which is not a Response" in caplog.text


def _pass_on(request: Request, next: Next) -> Response:
    return next(request)


class _PassesOn:
    def __call__(self, request: Request, next: Next) -> Response:
        return next(request)


@controller("/")
class _Mistaken:
    @get("/")
    def shown(self) -> str:
        return "shown"

    @get("/saved")
    def saved(self, session: Session) -> str:
        session["shop"] = object()
        return "saved"

    @get("/nested")
    def nested(self, session: Session) -> list[object]:
        return [session]

    @get("/attribute")
    def attribute(self, session: Session) -> str:
        return str(session.flush())  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/?do=return", "/saved", "/nested", "/attribute"])
@pytest.mark.parametrize("others", [(), (_pass_on,), (_pass_on, _PassesOn(), _PassesOn)])
def test_a_debugger_shows_each_note_of_an_error_once(path: str, others: tuple[object, ...]) -> None:
    """The error passes each middleware, which adds nothing that the error says already."""
    with client_of(_Mistaken, around(*others, of_a_query)) as client:
        client.app.debug = True
        with pytest.raises(Exception) as caught:
            client.get(path)

    notes = getattr(caught.value, "__notes__", [])
    assert len(notes) == len(set(notes))
    assert len([note for note in notes if note.startswith("Fix: ")]) <= 1
    assert notes or "Fix: " in str(caught.value)


def test_a_broken_stream_is_logged_once(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """Middleware around a stream does not watch it a second time."""
    with pytest.raises(LookupError):
        client.get("/broken-stream")

    assert len(caplog.records) == 1


def test_call_on_close_of_middleware_runs_after_a_stream() -> None:
    """A function of `call_on_close` in middleware runs once."""
    ended: list[str] = []

    def closing(request: Request, next: Next) -> Response:
        response = next(request)
        response.call_on_close(lambda: ended.append(request.path))
        return response

    with client_of(Pages, around(closing)) as client:
        client.get("/stream")
        client.get("/")

    assert ended == ["/stream", "/"]


def test_the_first_of_the_list_is_the_outermost() -> None:
    """Responses come back through the list from its end."""
    with client_of(Pages, around(Tagging("outer"), Tagging("inner"))) as client:
        assert client.get("/").headers.getlist("X-Tag") == ["inner", "outer"]


@pytest.mark.parametrize("path", ["/", "/missing"])
def test_a_session_that_only_middleware_touches_is_committed(path: str) -> None:
    """The changes of middleware are saved, although no handler takes a session."""
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
    """Middleware that does not use the session causes no cookie and no store call."""
    response = client.get("/")

    assert "Set-Cookie" not in response.headers
    assert "Vary" not in response.headers


def test_middleware_can_promise_to_use_no_session() -> None:
    """With `uses_session = False`, middleware alone does not set sessions up."""
    with client_of(Pages, around(Tagging("a"))) as client:
        assert client.app.sessions is None


def test_a_promise_to_use_no_session_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    """The error names the promise that the middleware breaks."""

    class Counting:
        uses_session = False

        def __call__(self, request: Request, next: Next) -> Response:
            session_of(request)["visited"] = True
            return next(request)

    with client_of(Pages, around(Counting)) as client:
        assert client.get("/").status_code == 500

    assert "remove `uses_session = False` from the middleware that uses the session" in caplog.text


@pytest.mark.parametrize("listed", ["csrf", 7, None])
def test_an_object_that_is_not_middleware_is_a_problem(listed: object) -> None:
    """The report shows the object in the list."""
    problem = only_problem_of(Pages, around(listed))

    assert problem.what == f"{listed!r} is listed as middleware, but does not take (request, next)"
    assert "Around.middleware (" in problem.where


@pytest.mark.parametrize("kind", [tuple[Middleware, ...], Sequence[Middleware]])
def test_a_list_that_nothing_would_read_is_a_problem(kind: object) -> None:
    """Otherwise protection would be silently left out."""

    @configuration
    class Around:
        def middleware(self) -> object:
            return (of_a_query,)

        middleware.__annotations__["return"] = kind
        middleware = component(middleware)

    problem = only_problem_of(Pages, Around)

    assert "has no effect as middleware" in problem.what
    assert "list[Middleware]" in problem.remedy


def test_a_list_may_be_typed_to_hold_classes() -> None:
    """For a type checker, a class is not middleware."""

    @configuration
    class Around:
        @component
        def middleware(self) -> list[Middleware | type[Middleware]]:
            return [Logging, of_a_query]

    with client_of(Pages, Log, Around) as client:
        assert client.get("/").headers["X-Logged"] == "yes"


def test_middleware_is_listed_once() -> None:
    """With two lists, the order of the middleware would be unknown."""

    @configuration
    class Another:
        @component
        def middleware(self) -> list[Middleware | type[Middleware]]:
            return [of_a_query]

    problem = only_problem_of(Pages, around(of_a_query), Another)

    assert "is a second list" in problem.what


def test_a_class_that_cannot_be_built_is_a_problem() -> None:
    """A missing component of its constructor is reported as for any component."""
    problem = only_problem_of(Pages, around(Tagging))

    assert problem.what == "parameter 'tag': nothing provides str"
