"""Components of one request: made once, shared in the request, ended with the request."""

import threading
from collections.abc import Iterator
from typing import Annotated

import pytest
from werkzeug.test import create_environ, run_wsgi_app

from framework import (
    Application,
    Header,
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
    query,
    replace,
    repository,
)
from framework.middleware import component_of
from tests.support.request_components import (
    Around,
    Connection,
    Database,
    Log,
    Pages,
    begin,
    call,
    end,
    lines_of,
)
from tests.support.small_applications import client_of


def test_a_request_has_one_instance() -> None:
    """Middleware, guard and handler share it; the next request has another."""
    with client_of(Pages, Database, Around, Log) as client:
        answers = [client.get("/cart").get_json() for _ in range(2)]

    assert answers == [["middleware", "guard", "handler"]] * 2


def test_two_threads_have_two_instances_and_wait_for_nobody() -> None:
    """Both constructors run at the same time, because there is no lock."""
    both = threading.Barrier(2, timeout=10)
    made = []

    @component(scope="request")
    class Slow:
        def __init__(self) -> None:
            made.append(self)
            both.wait()

    @controller("/")
    class Page:
        @get("/")
        def show(self, slow: Inject[Slow]) -> str:
            return "shown"

    application = Application(Page, Slow)
    threads = [threading.Thread(target=call, args=(application, "/")) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len({id(each) for each in made}) == 2
    assert not both.broken


def test_an_unused_request_component_is_not_made() -> None:
    """Start-up does not make the component either."""
    assert lines_of(lambda application: call(application, "/untouched")) == []


def test_a_request_component_may_take_values_of_the_request() -> None:
    """It may take the session, the request, and any marked value."""

    @repository(scope="request")
    class Visitor:
        def __init__(
            self,
            log: Log,
            session: Session,
            request: Request,
            user_agent: Header[str],
            page: Annotated[int, query(ge=1)] = 1,
        ) -> None:
            session["seen"] = True
            self.text = f"{request.path} {user_agent} {page} {log.lines}"

    @controller("/")
    class Page:
        @get("/")
        def show(self, visitor: Inject[Visitor]) -> str:
            return visitor.text

    with client_of(Page, Visitor, Log) as client:
        assert client.get("/", headers={"User-Agent": "test"}).text == "/ test 1 []"
        assert client.get("/?page=0").status_code == 422
        with client.session() as session:
            assert session["seen"] is True


def test_a_replacement_needs_no_scope() -> None:
    """A test gives one object for all requests."""
    fake = Connection(Log())
    application = Application(Pages, Database, Log)
    with application.test(replace(Connection).to(fake)) as client:
        client.get("/show")

    assert fake.log.lines == ["show"]


def test_middleware_asks_for_components_of_a_request_only() -> None:
    """Middleware takes other components in its constructor."""

    def asking(request: Request, next: Next) -> Response:
        with pytest.raises(LookupError, match="no component Log has scope"):
            component_of(request, Log)
        return next(request)

    @configuration
    class Asking:
        @component
        def middleware(self) -> list[Middleware]:
            return [asking]

    with client_of(Pages, Database, Asking, Log) as client:
        assert client.get("/untouched").status_code == 200


def test_a_generator_ends_before_the_headers_leave() -> None:
    """So an error of its end can still become the answer."""
    log: list[str] = []

    @configuration
    class Own:
        @component(scope="request")
        def connection(self) -> Iterator[Connection]:
            yield Connection(Log())
            log.append("end")

    body = begin(Application(Pages, Own, Log), "/show", log=log)
    b"".join(body)
    end(body)

    assert log == ["end", "headers"]


def test_an_error_of_the_handler_is_raised_in_the_generator() -> None:
    """So a transaction can be rolled back; the answer does not change."""
    lines = lines_of(lambda application: call(application, "/raise"))

    assert lines == ["begin", "failed with LookupError('lost')", "end"]


def test_an_http_error_ends_components_too() -> None:
    """An HTTP error is an exception like any other."""

    def visit(application: Application) -> None:
        _, status, _ = run_wsgi_app(application, create_environ("/missing"), buffered=True)
        assert status.startswith("404")

    assert lines_of(visit)[-1] == "end"


def test_a_caught_error_is_raised_in_the_generator() -> None:
    """A method with @catch answers, and the components still see the error."""

    @controller("/own")
    class Catching(Pages):
        @catch(LookupError)
        def caught(self) -> str:
            return "caught"

    log = Log()
    application = Application(Catching, Database, Log, replacements={Log: log})
    call(application, "/own/raise")

    assert log.lines == ["begin", "failed with LookupError('lost')", "end"]


def test_debug_ends_components_as_well() -> None:
    """The exception then goes to the debugger."""
    log = Log()
    application = Application(Pages, Database, Log, debug=True, replacements={Log: log})
    with pytest.raises(LookupError):
        call(application, "/raise")

    assert log.lines == ["begin", "failed with LookupError('lost')", "end"]


def test_a_stream_keeps_its_components_until_its_last_byte() -> None:
    """The components end once, with the body."""
    lines = lines_of(lambda application: call(application, "/stream"))

    assert lines == ["begin", "between", "end"]


def test_components_end_when_the_client_leaves(caplog: pytest.LogCaptureFixture) -> None:
    """The log has no error."""

    def leave(application: Application) -> None:
        body = begin(application, "/stream")
        next(body)
        end(body)

    assert lines_of(leave) == ["begin", "end"]
    assert caplog.records == []


def test_a_body_that_is_passed_through_keeps_its_components() -> None:
    """An example is a file that the server sends by itself."""
    log = Log()
    application = Application(Pages, Database, Log, replacements={Log: log})
    body = begin(application, "/passed")

    assert log.lines == ["begin"]
    assert b"".join(body) == b"ab"
    end(body)
    assert log.lines == ["begin", "end"]


def test_a_stream_that_fails_ends_its_components_with_the_error() -> None:
    """The effect is the same as for a handler that raises."""

    def visit(application: Application) -> None:
        body = begin(application, "/broken")
        with pytest.raises(LookupError):
            b"".join(body)
        end(body)

    assert lines_of(visit) == ["begin", "failed with LookupError('too late')", "end"]


@pytest.mark.parametrize("path", ["/show", "/stream", "/passed"])
def test_head_ends_components_once(path: str) -> None:
    """No body is sent, so the components end before the call returns."""
    lines = lines_of(lambda application: call(application, path, "HEAD"))

    assert lines.count("end") == 1


def test_an_ending_that_fails_is_the_answer() -> None:
    """Otherwise the response would report a commit that did not happen."""

    @configuration
    class Failing:
        @component(scope="request")
        def connection(self) -> Iterator[Connection]:
            yield Connection(Log())
            raise RuntimeError("commit failed")

    with client_of(Pages, Failing, Log) as client:
        assert client.get("/show").status_code == 500
        assert client.get("/stream").text == "ab"


def test_a_late_ending_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The response was already sent, so only the log has the error."""

    @configuration
    class Failing:
        @component(scope="request")
        def connection(self) -> Iterator[Connection]:
            yield Connection(Log())
            raise RuntimeError("commit failed")

    with client_of(Pages, Failing, Log) as client:
        client.get("/stream")

    assert "a component of a request raised an exception when it ended" in caplog.text


@pytest.mark.parametrize(("times", "words"), [(0, "yields nothing"), (2, "yields a second time")])
def test_a_generator_that_does_not_yield_once_is_named(
    times: int, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the component and its place."""

    @configuration
    class Wrong:
        @component(scope="request")
        def connection(self) -> Iterator[Connection]:
            for _ in range(times):
                yield Connection(Log())

    with client_of(Pages, Wrong, Log) as client:
        assert client.get("/show").status_code == 500

    assert f") {words}: a component method yields once" in caplog.text
    assert "Wrong.connection (tests/framework/injection/test_request_scope.py:" in caplog.text


def test_components_end_in_reverse_order() -> None:
    """A component ends before the components that it needs."""
    log = Log()

    class Rows: ...

    @configuration
    class More:
        @component(scope="request")
        def rows(self, connection: Connection) -> Iterator[Rows]:
            log.lines.append("begin rows")
            yield Rows()
            log.lines.append("end rows")

    @controller("/")
    class Page:
        @get("/")
        def show(self, rows: Inject[Rows]) -> str:
            return "shown"

    call(Application(Page, Database, More, Log, replacements={Log: log}), "/")

    assert log.lines == ["begin", "begin rows", "end rows", "end"]


def test_middleware_that_fails_ends_components_with_its_error() -> None:
    """The answer is an error, although the handler succeeded."""

    def failing(request: Request, next: Next) -> Response:
        next(request)
        raise LookupError("behind the handler")

    @configuration
    class Failing:
        @component
        def middleware(self) -> list[Middleware]:
            return [failing]

    log = Log()
    call(Application(Pages, Database, Failing, Log, replacements={Log: log}), "/show")

    assert log.lines == ["begin", "show", "failed with LookupError('behind the handler')", "end"]


def test_each_component_learns_of_the_failure() -> None:
    """This holds even if one component catches the error."""
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
            try:
                yield Inner()
            except LookupError:
                log.append("inner undoes")

    @controller("/")
    class Page:
        @get("/")
        def fail(self, inner: Inject[Inner]) -> str:
            raise LookupError

    call(Application(Page, Own), "/")

    assert log == ["inner undoes", "outer undoes"]
