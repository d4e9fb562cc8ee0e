"""Components of one request: made once in it, ended with it, kept by nothing that lives longer."""

import threading
from collections.abc import Callable, Iterator
from typing import Annotated

import pytest
from werkzeug.exceptions import NotFound
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
    guard,
    query,
    replace,
    repository,
    service,
)
from framework.middleware import component_of
from tests.framework.trials import client_of, only_problem_of, problems_of


@service
class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []


@component(scope="request")
class Cart:
    def __init__(self, log: Log) -> None:
        log.lines.append("made")
        self.items: list[str] = []


class Connection:
    def __init__(self, log: Log) -> None:
        self.log = log


@configuration
class Database:
    @component(scope="request")
    def connection(self, log: Log) -> Iterator[Connection]:
        log.lines.append("begin")
        try:
            yield Connection(log)
        except Exception as error:
            log.lines.append(f"failed with {error!r}")
            raise
        finally:
            log.lines.append("end")


class Filling:
    def check(self, cart: Inject[Cart]) -> bool:
        cart.items.append("guard")
        return True


def filling(request: Request, next: Next) -> Response:
    component_of(request, Cart).items.append("middleware")
    return next(request)


@configuration
class Around:
    @component
    def middleware(self) -> list[Middleware]:
        return [filling]


@controller("/")
class Pages:
    @get("/cart")
    @guard(Filling)
    def cart(self, cart: Inject[Cart], again: Inject[Cart]) -> list[str]:
        again.items.append("handler")
        return cart.items

    @get("/show")
    def show(self, connection: Inject[Connection]) -> str:
        connection.log.lines.append("show")
        return "shown"

    @get("/raise")
    def fail(self, connection: Inject[Connection]) -> str:
        raise LookupError("lost")

    @get("/missing")
    def missing(self, connection: Inject[Connection]) -> str:
        raise NotFound

    @get("/stream")
    def stream(self, connection: Inject[Connection]) -> Iterator[str]:
        yield "a"
        connection.log.lines.append("between")
        yield "b"

    @get("/broken")
    def broken(self, connection: Inject[Connection]) -> Iterator[str]:
        yield "a"
        raise LookupError("too late")

    @get("/passed")
    def passed(self, connection: Inject[Connection]) -> Response:
        return Response(iter([b"a", b"b"]), direct_passthrough=True)

    @get("/untouched")
    def untouched(self) -> str:
        return "untouched"


def lines_of(visit: Callable[[Application], object]) -> list[str]:
    """Return what components log while an application is visited."""
    log = Log()
    visit(Application(Pages, Database, Log, replacements={Log: log}))
    return log.lines


def begin(
    application: Application, path: str, method: str = "GET", log: list[str] | None = None
) -> Iterator[bytes]:
    """Send a request, note when its headers leave, and return its body unread."""

    def start_response(*_: object) -> Callable[[bytes], object]:
        if log is not None:
            log.append("headers")
        return print

    return iter(application(create_environ(path, method=method), start_response))


def end(body: Iterator[bytes]) -> None:
    """Close a body, as a server does at its end or when the client has left."""
    getattr(body, "close", lambda: None)()


def call(application: Application, path: str, method: str = "GET") -> None:
    """Send a request, and read the response to its end."""
    body = begin(application, path, method)
    b"".join(body)
    end(body)


def test_f47_a_request_has_one_instance() -> None:
    """Middleware, guard and handler share it; the next request has another."""
    with client_of(Pages, Database, Around, Log) as client:
        answers = [client.get("/cart").get_json() for _ in range(2)]

    assert answers == [["middleware", "guard", "handler"]] * 2


def test_f48_two_threads_have_two_instances_and_f49_wait_for_nobody() -> None:
    """Both constructors are at work at the same time: none holds a lock."""
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


def test_what_no_request_asks_for_is_not_made() -> None:
    """Start-up makes none either."""
    assert lines_of(lambda application: call(application, "/untouched")) == []


def test_f50_a_generator_ends_before_the_headers_leave() -> None:
    """So that what goes wrong there can still be answered."""
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


def test_f50_what_the_handler_raises_is_raised_in_the_generator() -> None:
    """So that a transaction can be rolled back; the answer is the handler's."""
    lines = lines_of(lambda application: call(application, "/raise"))

    assert lines == ["begin", "failed with LookupError('lost')", "end"]


def test_f50_an_http_error_ends_components_too() -> None:
    """It is an exception as any other."""

    def visit(application: Application) -> None:
        _, status, _ = run_wsgi_app(application, create_environ("/missing"), buffered=True)
        assert status.startswith("404")

    assert lines_of(visit)[-1] == "end"


def test_f50_a_caught_error_is_raised_in_the_generator() -> None:
    """A method with @catch answers, and the components still learn what happened."""

    @controller("/own")
    class Catching(Pages):
        @catch(LookupError)
        def caught(self) -> str:
            return "caught"

    log = Log()
    application = Application(Catching, Database, Log, replacements={Log: log})
    call(application, "/own/raise")

    assert log.lines == ["begin", "failed with LookupError('lost')", "end"]


def test_f50_debug_ends_components_as_well() -> None:
    """The exception is on its way to the debugger."""
    log = Log()
    application = Application(Pages, Database, Log, debug=True, replacements={Log: log})
    with pytest.raises(LookupError):
        call(application, "/raise")

    assert log.lines == ["begin", "failed with LookupError('lost')", "end"]


def test_f52_a_stream_keeps_its_components_until_its_last_byte() -> None:
    """They end with the body, once."""
    lines = lines_of(lambda application: call(application, "/stream"))

    assert lines == ["begin", "between", "end"]


def test_f52_they_end_when_the_client_leaves(caplog: pytest.LogCaptureFixture) -> None:
    """F83: without an error in the log."""

    def leave(application: Application) -> None:
        body = begin(application, "/stream")
        next(body)
        end(body)

    assert lines_of(leave) == ["begin", "end"]
    assert caplog.records == []


def test_f52_a_body_that_is_passed_through_keeps_them_too() -> None:
    """Such as a file that the server sends by itself."""
    log = Log()
    application = Application(Pages, Database, Log, replacements={Log: log})
    body = begin(application, "/passed")

    assert log.lines == ["begin"]
    assert b"".join(body) == b"ab"
    end(body)
    assert log.lines == ["begin", "end"]


def test_f82_a_stream_that_breaks_ends_them_with_its_error() -> None:
    """As a handler that raises would."""

    def visit(application: Application) -> None:
        body = begin(application, "/broken")
        with pytest.raises(LookupError):
            b"".join(body)
        end(body)

    assert lines_of(visit) == ["begin", "failed with LookupError('too late')", "end"]


@pytest.mark.parametrize("path", ["/show", "/stream", "/passed"])
def test_f53_head_ends_them_once(path: str) -> None:
    """No body is sent, and everything is over when the call returns."""
    lines = lines_of(lambda application: call(application, path, "HEAD"))

    assert lines.count("end") == 1


def test_an_ending_that_fails_is_the_answer() -> None:
    """The response would say that a transaction was committed that was not."""

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
    """The response has been sent; the log has the rest."""

    @configuration
    class Failing:
        @component(scope="request")
        def connection(self) -> Iterator[Connection]:
            yield Connection(Log())
            raise RuntimeError("commit failed")

    with client_of(Pages, Failing, Log) as client:
        client.get("/stream")

    assert "the components of a request failed to end" in caplog.text


def test_components_end_in_reverse_order() -> None:
    """The one that needs another ends before it."""
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


def test_a_component_of_a_request_takes_what_belongs_to_it() -> None:
    """The session, the request, and whatever a marker reads."""

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


def test_f42_a_scalar_is_never_read_from_the_request_unasked() -> None:
    """A constructor's unmarked `str` is a component, also here."""

    @service(scope="request")
    class Greeter:
        def __init__(self, name: str) -> None: ...

    assert "nothing provides str" in only_problem_of(Pages, Database, Greeter).what


@service
class Keeper:
    def __init__(self, cart: Cart) -> None: ...


@service
class Manager:
    def __init__(self, keeper: Keeper) -> None: ...


def test_f46_a_captive_is_a_problem_with_its_path() -> None:
    """What is built once would keep the component of one request for ever."""
    problem = only_problem_of(Pages, Manager, Keeper, Cart, Database)

    assert problem.what.startswith("Keeper is built once, but Cart anew for each request:")
    assert "Keeper (" in problem.what
    assert "→ Cart (" in problem.what
    assert 'scope="request"' in problem.remedy


def test_f46_the_path_begins_where_the_need_begins() -> None:
    """A controller that needs the manager that needs the keeper."""

    @controller("/captive")
    class Page:
        def __init__(self, manager: Manager) -> None: ...

        @get("/")
        def show(self) -> str:
            return "shown"

    problem = only_problem_of(Page)

    assert [line.partition(" (")[0] for line in problem.what.splitlines()[1:]] == [
        "Page",
        "→ Manager",
        "→ Keeper",
        "→ Cart",
    ]


def test_f45_a_cycle_of_components_of_a_request_is_drawn() -> None:
    """It would never end."""

    class First: ...

    class Second: ...

    @configuration
    class Circle:
        @component(scope="request")
        def first(self, second: Second) -> First:
            return First()

        @component(scope="request")
        def second(self, first: First) -> Second:
            return Second()

    assert any(
        "need each other" in problem.what for problem in problems_of(Pages, Circle, Database)
    )


@pytest.mark.parametrize("kind", ["controller", "guard"])
def test_what_handles_requests_lives_longer_than_one(kind: str) -> None:
    """A controller or a guard with the scope of a request is a problem."""

    @component(scope="request")
    class Nobody:
        def check(self) -> bool:
            return False

    class Page:
        @get("/")
        @guard(*[Nobody] if kind == "guard" else [Filling])
        def show(self) -> str:
            return "shown"

    page = controller("/")(Page)
    if kind == "controller":
        page = component(scope="request")(page)

    assert any('has scope="request"' in each.what for each in problems_of(page, Log))


def test_a_generator_says_what_it_yields() -> None:
    """Its annotation is that of a generator."""

    @configuration
    class Wrong:
        @component(scope="request")
        def connection(self) -> Connection:  # type: ignore[misc]
            yield Connection(Log())

    (problem, *_) = problems_of(Wrong)

    assert problem.what == "the component method yields, but is annotated to return Connection"
    assert problem.remedy == "Write -> Iterator[Connection]."


def test_a_replacement_needs_no_scope() -> None:
    """A test gives one object for all requests."""
    fake = Connection(Log())
    application = Application(Pages, Database, Log)
    with application.test(replace(Connection).to(fake)) as client:
        client.get("/show")

    assert fake.log.lines == ["show"]


def test_middleware_asks_for_components_of_a_request_only() -> None:
    """Others are parameters of its constructor."""

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


def test_f50_middleware_that_fails_ends_components_with_its_error() -> None:
    """The answer is an error, although the handler had none."""

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


def test_an_unknown_scope_is_refused_at_once() -> None:
    """The decorator itself says which there are."""
    with pytest.raises(TypeError, match="the scope 'session' does not exist"):
        component(scope="session")  # type: ignore[call-overload]
