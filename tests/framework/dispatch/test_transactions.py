"""Components of one request: what they undo, and the order in which everything is saved."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.exceptions import Conflict, Unauthorized
from werkzeug.test import TestResponse

from framework import (
    Application,
    Inject,
    Middleware,
    Next,
    Request,
    Response,
    Session,
    catch,
    component,
    configuration,
    controller,
    get,
)
from framework.testing import Client, replace
from sessions import SessionContainer, Store
from tests.support.session_pages import KEYS, Spy


class Connection:
    """Note the end of a transaction."""

    def __init__(self) -> None:
        self.log: list[str] = []


@configuration
class Database:
    """Give each request a transaction, as users usually write it."""

    def __init__(self) -> None:
        self.connection = Connection()

    @component(scope="request")
    def transaction(self) -> Iterator[Connection]:
        connection = self.connection
        try:
            yield connection
            connection.log.append("commit")
        except Exception as error:
            connection.log.append(f"rollback: {error}")
            raise
        finally:
            connection.log.append("close")


@controller("/")
class Pages:
    def __init__(self, database: Database) -> None:
        self.log = database.connection.log

    @get("/status/<int:status>")
    def answer(self, status: int, connection: Inject[Connection]) -> Response:
        return Response("an answer", status)

    @get("/stream/<int:status>")
    def stream(self, status: int, connection: Inject[Connection]) -> Response:
        return Response(self._chunks(), status)

    @get("/session")
    def write(self, session: Session, connection: Inject[Connection]) -> str:
        session["key"] = "value"
        return "written"

    @get("/session/unsaveable/<kind>")
    def spoil(self, kind: str, session: Session, connection: Inject[Connection]) -> str:
        session["key"] = object() if kind == "object" else "x" * 100_000
        return "written"

    @get("/session/stream")
    def write_and_stream(self, session: Session, connection: Inject[Connection]) -> Response:
        session["key"] = "value"
        return Response(self._chunks())

    @get("/second-try")
    def refuse_once(self, connection: Inject[Connection]) -> str:
        if not self.log:
            self.log.append("refused")
            raise Unauthorized
        return "done"

    @get("/end-of-iteration")
    def exhaust(self, connection: Inject[Connection]) -> str:
        return str(next(iter([])))

    def _chunks(self) -> Iterator[str]:
        yield "a"
        self.log.append("sent")
        yield "b"


def log_of(visit: Callable[[Client], object], *around: Middleware, store: Spy | None = None) -> Any:
    """Return the notes of a visit's transaction."""

    @configuration
    class Around:
        @component
        def middleware(self) -> list[Middleware]:
            return list(around)

    container = SessionContainer(keys=KEYS, store=store or Spy())
    application = Application(Pages, Database, Around)
    with application.test(replace(SessionContainer).to(container)) as client:
        visit(client)
        return client.app.graph.get(Database).connection.log


@pytest.mark.parametrize("status", [200, 302, 404, 499])
def test_an_answer_below_500_commits(status: int) -> None:
    """The handler chose the 4xx, so the transaction is committed."""
    assert log_of(lambda client: client.get(f"/status/{status}")) == ["commit", "close"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, "500 Internal Server Error: The response has the status 500 INTERNAL SERVER ERROR."),
        (503, "503 Service Unavailable: The response has the status 503 SERVICE UNAVAILABLE."),
        (599, "500 Internal Server Error: The response has the status 599 UNKNOWN."),
    ],
)
def test_a_returned_5xx_is_raised_in_the_generator(status: int, error: str) -> None:
    """A returned 5xx has the same effects as a raised one."""
    assert log_of(lambda client: client.get(f"/status/{status}")) == [
        f"rollback: {error}",
        "close",
    ]


def test_a_streamed_5xx_is_raised_when_the_stream_ends() -> None:
    """Until then the chunks may need the component."""
    log = log_of(lambda client: client.get("/stream/503"))

    assert [each.partition(":")[0] for each in log] == ["sent", "rollback", "close"]


def test_a_5xx_of_middleware_is_raised_in_the_generator() -> None:
    """The client sees a failure."""

    def unavailable(request: Request, next: Next) -> Response:
        next(request)
        return Response("later", 503)

    log = log_of(lambda client: client.get("/status/200"), unavailable)

    assert [each.partition(":")[0] for each in log] == ["rollback", "close"]


def test_a_5xx_that_middleware_hides_is_raised_in_the_generator() -> None:
    """The handler has failed, although the client sees another answer."""

    def hiding(request: Request, next: Next) -> Response:
        next(request)
        return Response("all is well")

    log = log_of(lambda client: client.get("/status/503"), hiding)

    assert [each.partition(":")[0] for each in log] == ["rollback", "close"]


def test_a_second_try_is_not_undone_for_the_first_one() -> None:
    """The first error reaches only the components of the first try."""

    def twice(request: Request, next: Next) -> Response:
        next(request)
        return next(request)

    log = log_of(lambda client: client.get("/second-try"), twice)

    assert [each.partition(":")[0] for each in log] == [
        "refused",
        "rollback",
        "close",
        "commit",
        "close",
    ]


def test_components_end_before_the_session_is_saved() -> None:
    """The session never reports a change that was not committed, such as a new user."""
    order: list[list[str]] = []

    class Watching(Spy):
        def create(self, key: str, record: Any) -> bool:
            order.append(client_of[0].app.graph.get(Database).connection.log.copy())
            return super().create(key, record)

    client_of: list[Client] = []

    def visit(client: Client) -> None:
        client_of.append(client)
        client.get("/session")

    log_of(visit, store=Watching())

    assert order == [["commit", "close"]]


@pytest.mark.parametrize("kind", ["object", "size"])
def test_a_value_that_no_session_keeps_is_found_before_components_end(kind: str) -> None:
    """The check needs no store, so nothing is committed for a failed answer."""

    def visit(client: Client) -> None:
        assert client.get(f"/session/unsaveable/{kind}").status_code == 500

    log = log_of(visit)

    assert [each.partition(":")[0] for each in log] == ["rollback", "close"]


def test_a_session_that_the_store_refuses_undoes_no_committed_transaction() -> None:
    """Two stores cannot be saved in one step, and the client gets a 503."""
    store = Spy()
    store.broken = {"create"}

    def visit(client: Client) -> None:
        assert client.get("/session").status_code == 503

    assert log_of(visit, store=store) == ["commit", "close"]


def test_a_session_that_cannot_be_saved_rolls_back_the_components_of_a_stream() -> None:
    """The stream's components have not ended yet, and no chunk is sent."""
    store = Spy()
    store.broken = {"create"}

    def visit(client: Client) -> None:
        assert client.get("/session/stream").status_code == 503

    log = log_of(visit, store=store)

    assert [each.partition(":")[0] for each in log] == ["rollback", "close"]


def test_a_failed_ending_is_raised_in_the_components_that_end_later() -> None:
    """The answer is now an error, so the other components undo their work and end."""
    log: list[str] = []

    class Outer: ...

    class Inner: ...

    @configuration
    class Own:
        @component(scope="request")
        def outer(self) -> Iterator[Outer]:
            try:
                yield Outer()
                log.append("outer commits")
            except LookupError:
                log.append("outer undoes")

        @component(scope="request")
        def inner(self, outer: Outer) -> Iterator[Inner]:
            yield Inner()
            raise LookupError("inner cannot commit")

    @controller("/")
    class Page:
        @get("/")
        def show(self, inner: Inject[Inner]) -> str:
            return "shown"

    assert Client(Application(Page, Own)).get("/").status_code == 500
    assert log == ["outer undoes"]


def test_the_end_of_an_iteration_is_a_failure_as_any_other() -> None:
    """Python turns a StopIteration that leaves a generator into another error."""
    log = log_of(lambda client: client.get("/end-of-iteration"))

    assert log == ["rollback: ", "close"]


class Transaction: ...


ENDED: list[str] = []


def answer_of_a_failing_commit(error: Exception, store: Store) -> TestResponse:
    """Sign in, with a component that cannot commit, and an exception handler for conflicts."""

    @configuration
    class Own:
        @component(scope="request")
        def transaction(self) -> Iterator[Transaction]:
            try:
                yield Transaction()
            finally:
                ENDED.append("ended")
            raise error

    @controller("/")
    class Page:
        @get("/")
        def sign_in(self, session: Session, connection: Inject[Transaction]) -> str:
            session["user"] = 1
            return "signed in"

        @catch(Conflict)
        def again(self, connection: Inject[Transaction]) -> str:
            return "somebody else was first"

    container = SessionContainer(keys=KEYS, store=store)
    with Application(Page, Own).test(replace(SessionContainer).to(container)) as client:
        return client.get("/")


@pytest.mark.parametrize(
    ("error", "status"), [(LookupError("a constraint is violated"), 500), (Conflict(), 409)]
)
def test_a_component_that_cannot_commit_leaves_no_trace_in_the_session(
    error: Exception, status: int
) -> None:
    """The session saves nothing, for any answer."""
    store = Spy()
    response = answer_of_a_failing_commit(error, store)

    assert response.status_code == status
    assert "Set-Cookie" not in response.headers
    assert store.calls == []


def test_a_component_that_cannot_commit_has_an_exception_handler() -> None:
    """The exception handler gets its own component."""
    ENDED.clear()
    response = answer_of_a_failing_commit(Conflict(), Spy())

    assert response.text == "somebody else was first"
    assert ENDED == ["ended", "ended"]
