"""The list of steps around a handler, in order, for dispatch and for explain."""

from typing import Annotated

from werkzeug.exceptions import NotFound

from framework import (
    Application,
    Middleware,
    Next,
    Request,
    Response,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
    post,
    query,
    session,
)
from framework.dispatch.steps import Step, steps_of, steps_without_handler
from framework.explaining.explain import explain

LOG: list[str] = []


class Member:
    """A guard that logs its run."""

    def check(self, session: session) -> bool:
        """Let everybody in."""
        LOG.append("guard")
        return True


class Logged:
    """Middleware that logs the way in and the way out."""

    def __call__(self, request: Request, next: Next) -> Response:
        """Go around the handler."""
        LOG.append("middleware")
        response = next(request)
        LOG.append("middleware again")
        return response


@controller("/")
class Pages:
    """A handler with everything around it, and a handler with nothing."""

    @get("/all")
    @guard(Member)
    def all(self, page: Annotated[int, query(ge=1)] = 1) -> str:
        """Raise an error that an exception handler catches."""
        LOG.append(f"handler of page {page}")
        raise LookupError

    @get("/bare/<name>")
    def bare(self, name: str) -> str:
        """Answer with the name."""
        return name

    @post("/bare/<name>")
    def change(self, name: str) -> None:
        """Do nothing."""

    @catch(LookupError)
    def missing(self, error: LookupError) -> str:
        """Answer in place of the handler."""
        LOG.append("exception handler")
        return "caught"


@controller("/small")
class Small:
    """A handler with nothing around it."""

    @get("/<name>")
    def show(self, name: str) -> str:
        """Answer with the name."""
        return name


@configuration
class Web:
    """List the middleware."""

    @component
    def middleware(self) -> list[Middleware]:
        """Return the one there is."""
        return [Logged()]


def names_of(steps: tuple[Step, ...]) -> list[str]:
    return [type(step).__name__ for step in steps]


def test_the_steps_stand_in_the_order_in_which_they_happen() -> None:
    """The session is the outermost step, and the handler is the innermost."""
    application = Application(Pages, Web)
    handler, _ = application.dispatcher.find("GET", "/all")

    assert names_of(steps_of(handler, application.everywhere)) == [
        "SaveSession",
        "EndComponents",
        "PassMiddleware",
        "CatchErrors",
        "CheckGuard",
        "ReadArguments",
        "CallHandler",
    ]


def test_a_request_does_the_steps_in_that_order() -> None:
    """Dispatch runs the steps of the list."""
    LOG.clear()
    with Application(Pages, Web).test() as client:
        client.get("/all?page=2")

    assert LOG == [
        "middleware",
        "guard",
        "handler of page 2",
        "exception handler",
        "middleware again",
    ]


def test_a_handler_that_needs_nothing_has_two_steps() -> None:
    """A feature that the application does not use has no step."""
    application = Application(Small)
    handler, _ = application.dispatcher.find("GET", "/small/tea")

    assert names_of(steps_of(handler, application.everywhere)) == ["ReadArguments", "CallHandler"]


def test_a_request_without_a_handler_has_its_steps() -> None:
    """Middleware sees such a request, and the answer is the last step."""
    application = Application(Pages, Web)

    assert names_of(steps_without_handler(NotFound(), application.everywhere)) == [
        "SaveSession",
        "EndComponents",
        "PassMiddleware",
        "AnswerWithoutHandler",
    ]


def test_explain_and_dispatch_agree_about_requests_without_a_handler() -> None:
    """404, 405, OPTIONS and HEAD are decided in one place, for both."""
    with Application(Pages).test() as client:
        for method, path in (
            ("GET", "/nowhere"),
            ("PUT", "/bare/tea"),
            ("OPTIONS", "/bare/tea"),
            ("HEAD", "/bare/tea"),
            ("GET", "/bare/tea"),
        ):
            told = explain(client.app, method, path).answers[0].status

            assert client.open(path, method=method).status_code == told, (method, path)
