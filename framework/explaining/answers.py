"""Which statuses a request can be answered with, and why."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from framework.annotations.signatures import bare, read_return
from framework.application import Application
from framework.catching import Catcher
from framework.csrf import CSRF, SAFE_METHODS
from framework.handlers import Handler
from framework.plans import Plan
from framework.settings import HTTPSettings


@dataclass(frozen=True)
class Answer:
    """Say why a status is answered; None stands for one that is chosen in the request."""

    status: int | None
    why: str


def answers_of(handler: Handler, method: str) -> list[Answer]:
    """List what can come of a handler and what belongs to it, its own answer first."""
    caught = (caught_as(catcher, kind) for catcher in handler.catchers for kind in catcher.types)
    return [_success(handler), *_refusals(handler, method), *caught]


def answers_around(
    application: Application, method: str, *, uses_session: bool
) -> Iterator[Answer]:
    """Yield what can come of a request whichever handler it has, or none."""
    if application.graph.get(HTTPSettings).trusted_hosts:
        yield Answer(400, "the host is none of trusted_hosts")
    if method not in SAFE_METHODS:
        if any(isinstance(each, CSRF) for each in application.middleware):
            yield Answer(403, "CSRF: another site made the request, or the token is not its own")
        if application.middleware:
            yield Answer(413, "the body is too large")
    if uses_session:
        yield Answer(503, "the store of the session does not answer in time")
    if application.middleware:
        yield Answer(500, "middleware raises")


def in_order(answers: Iterable[Answer]) -> list[Answer]:
    """Leave the first one first, and sort the others, those of any status last."""
    first, *others = dict.fromkeys(answers)
    return [first, *sorted(others, key=lambda each: (each.status is None, each.status))]


def caught_as(catcher: Catcher, kind: type[Exception]) -> Answer:
    """Tell what an exception handler answers to a type of error."""
    returns = _returned(catcher.method)
    why = f"{kind.__name__} is caught"
    # Of what is caught as just anything, each error has a status of its own.
    if _is_response(returns) or (catcher.status is None and kind is Exception):
        return Answer(None, why)
    if catcher.status is None and issubclass(kind, HTTPException):
        return Answer(kind.code, why)
    return Answer(catcher.status or (204 if returns is None else 200), why)


def _success(handler: Handler) -> Answer:
    returns = _returned(handler.route.function)
    if _is_response(returns):
        return Answer(None, "the handler's Response")
    if handler.route.status is not None:
        return Answer(handler.route.status, "what the handler returns")
    if returns is None:
        return Answer(204, "the handler returns None")
    return Answer(200, "what the handler returns")


def _returned(function: Callable[..., object]) -> object:
    returned: object = bare(read_return(function))[0]
    return None if returned is type(None) else returned


def _is_response(returned: object) -> bool:
    return isinstance(returned, type) and issubclass(returned, Response)


def _refusals(handler: Handler, method: str) -> Iterator[Answer]:
    # The plans whose arguments are read before the handler runs.
    plans: list[Plan] = [*(each.plan for each in handler.guards), handler.plan]
    parameters = [part for plan in plans for each in plan.parameters for part in each.flattened()]
    sources = {each.source for each in parameters}
    converted = dict.fromkeys(name for plan in plans for name in plan.path_converters)
    if handler.guards:
        yield Answer(403, "a guard refuses")
    if converted:
        yield Answer(404, f"the path's {_alternatives(converted)} does not fit")
    # Through the request, a body may be read where there usually is one.
    if sources & {"body", "form"} or ("request" in sources and method not in SAFE_METHODS):
        yield Answer(400, "the body is malformed")
        yield Answer(413, "the body is too large")
    if sources & {"body", "form"}:
        yield Answer(415, "the body has another type")
    unfit = [each.where for each in parameters if each.may_be_unfit]
    if unfit:
        yield Answer(422, f"{_alternatives(dict.fromkeys(unfit))} does not fit")
    yield Answer(500, "the handler raises")


def _alternatives(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
