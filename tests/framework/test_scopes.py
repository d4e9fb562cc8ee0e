"""Components of one request: made once in it, and shared by all that handles it."""

import threading
from typing import Annotated

import pytest

from framework import (
    Application,
    Header,
    Inject,
    Middleware,
    Next,
    Request,
    Response,
    Session,
    component,
    configuration,
    controller,
    get,
    query,
    replace,
    repository,
)
from framework.middleware import component_of
from tests.framework.request_scope import Around, Connection, Database, Log, Pages, call, lines_of
from tests.framework.trials import client_of


def test_a_request_has_one_instance() -> None:
    """Middleware, guard and handler share it; the next request has another."""
    with client_of(Pages, Database, Around, Log) as client:
        answers = [client.get("/cart").get_json() for _ in range(2)]

    assert answers == [["middleware", "guard", "handler"]] * 2


def test_two_threads_have_two_instances_and_wait_for_nobody() -> None:
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
