"""The steps of a request, in order: dispatch runs them, `explain` and OpenAPI describe them.

The first step is the outermost one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from framework.around.exception_handlers import Catcher, usual_status
from framework.around.guards import Guard
from framework.binding.plan import Plan
from framework.binding.source import Needs
from framework.dispatch.handlers import Handler
from framework.http.context import Context
from framework.http.routes import Route
from framework.http.routing import allowed_methods, is_automatic_options
from framework.middleware import SAFE_METHODS, ExplainedMiddleware, Middleware
from framework.results import is_free
from framework.settings import HTTPSettings
from framework.types.signatures import bare, describe, read_return
from sessions.errors import SessionError
from sessions.manager import SessionManager

S = TypeVar("S", bound="Step")
# Werkzeug's own text, which says nothing about the path.
_UNKNOWN = NotFound.description
# The needs of a step that may open the session, or take files.
_MAY_OPEN = Needs.SESSION | Needs.REQUEST
_MAY_HAVE_FILES = Needs.FILES | Needs.REQUEST
# The name of the function or guard that asks for arguments, and the plan of the arguments.
Asking = tuple[str, Plan]


@dataclass(frozen=True)
class Outcome:
    """A status with which a step can answer, and the reason; None means any status."""

    status: int | None
    why: str


class Step(ABC):
    """A step on the way from a request to its response."""

    @property
    def plans(self) -> Sequence[Asking]:
        """Return each function whose arguments the step reads, with the plan of the arguments."""
        return ()

    @abstractmethod
    def outcomes(self, method: str) -> Iterator[Outcome]:
        """Yield the answers that the step can give to a request of this method."""


@dataclass(frozen=True)
class SaveSession(Step):
    """Save the session before the headers are sent, if something has opened the session."""

    manager: SessionManager

    def outcomes(self, method: str) -> Iterator[Outcome]:
        """Yield the answer for a store that fails."""
        yield Outcome(503, "the store of the session does not answer in time")


@dataclass(frozen=True)
class EndComponents(Step):
    """End the components of the request, and close its uploaded files."""

    def outcomes(self, method: str) -> Iterator[Outcome]:
        """Yield no answer: an error of a component is answered like an error of the handler."""
        yield from ()


@dataclass(frozen=True)
class PassMiddleware(Step):
    """Pass the request through one middleware, and the response back."""

    middleware: Middleware

    def outcomes(self, method: str) -> Iterator[Outcome]:
        """Yield the refusals of this middleware, and the errors that any middleware can cause."""
        if isinstance(self.middleware, ExplainedMiddleware):
            for status, why in self.middleware.refusals(method):
                yield Outcome(status, why)
        if method not in SAFE_METHODS:
            yield Outcome(413, "the body is too large")
        yield Outcome(500, "middleware raises")


@dataclass(frozen=True)
class CatchErrors(Step):
    """Answer an error by its exception handler; the nearest exception handler comes first."""

    catchers: Sequence[Catcher]

    @property
    def plans(self) -> Sequence[Asking]:
        """Return a pair for each exception handler: its place, and the `Plan` for its arguments."""
        return [(catcher.where, catcher.plan) for catcher in self.catchers]

    def outcomes(self, method: str) -> Iterator[Outcome]:
        """Yield the answer to each type of error."""
        for catcher in self.catchers:
            yield from (caught_as(catcher, kind) for kind in catcher.types)


@dataclass(frozen=True)
class CheckGuard(Step):
    """Run the check of one guard."""

    guard: Guard

    @property
    def plans(self) -> Sequence[Asking]:
        """Return one pair: the guard's name, and the `Plan` for the arguments of its check."""
        return [(self.guard.name, self.guard.plan)]

    def outcomes(self, method: str) -> Iterator[Outcome]:
        """Yield the answer of a guard that refuses."""
        yield Outcome(403, "a guard refuses")


@dataclass(frozen=True)
class ReadArguments(Step):
    """Read the arguments of the handler."""

    plan: Plan

    @property
    def plans(self) -> Sequence[Asking]:
        """Return one pair: the text "the handler", and the `Plan` for its arguments."""
        return [("the handler", self.plan)]

    def outcomes(self, method: str) -> Iterator[Outcome]:
        """Yield no answer: `refusals_of` yields the answers to arguments that are refused."""
        yield from ()


@dataclass(frozen=True)
class CallHandler(Step):
    """Call the handler, and make a response from its result."""

    handler: Handler

    def outcomes(self, method: str) -> Iterator[Outcome]:
        """Yield two answers: one of a handler that succeeds, and one of a handler that raises."""
        yield success_of(self.handler.route)
        yield Outcome(500, "the handler raises")


@dataclass(frozen=True)
class AnswerWithoutHandler(Step):
    """Answer a request without a handler: 404, 405, or the methods for OPTIONS."""

    refusal: HTTPException

    @property
    def allowed(self) -> list[str]:
        """Return the HTTP methods that handlers of the path answer."""
        return allowed_methods(self.refusal)

    def outcomes(self, method: str) -> Iterator[Outcome]:
        """Yield one answer: 204 to OPTIONS, or the status of the refusal, such as 404 or 405."""
        shown = ", ".join(self.allowed)
        if is_automatic_options(method, self.refusal):
            yield Outcome(204, f"answered by the framework, with Allow: {shown}")
        elif isinstance(self.refusal, MethodNotAllowed):
            yield Outcome(405, f"the path answers {shown}, not {method}")
        elif isinstance(self.refusal, NotFound) and self.refusal.description == _UNKNOWN:
            yield Outcome(404, "no route matches the path")
        else:
            yield Outcome(self.refusal.code, self.refusal.description or "the path is refused")


@dataclass(frozen=True, kw_only=True)
class Everywhere:
    """The settings, middleware and other objects that all requests of an application share."""

    settings: HTTPSettings = field(default_factory=HTTPSettings)
    # The manager is None if nothing uses sessions.
    manager: SessionManager | None = None
    # The outermost middleware comes first.
    middleware: tuple[Middleware, ...] = ()
    # The exception handlers of configurations.
    catchers: tuple[Catcher, ...] = ()
    # The functions that give each request its own components.
    per_request: Mapping[object, Callable[[Context], object]] = field(default_factory=dict)


def steps_of(handler: Handler, everywhere: Everywhere) -> tuple[Step, ...]:
    """List the steps of the requests that a handler answers."""
    inner: list[Step] = [CatchErrors(handler.catchers)] if handler.catchers else []
    inner += [CheckGuard(guard) for guard in handler.guards]
    inner += [ReadArguments(handler.plan), CallHandler(handler)]
    needs = needs_of(inner)
    return _surrounded(inner, everywhere, needs, uses_session=bool(needs & _MAY_OPEN))


def steps_without_handler(refusal: HTTPException, everywhere: Everywhere) -> tuple[Step, ...]:
    """List the steps of a request that no handler serves, such as a 404.

    The steps include no handler and no guard. So only middleware and exception handlers can use the
    session.
    """
    catchers = everywhere.catchers
    inner: list[Step] = [CatchErrors(catchers)] if catchers else []
    inner.append(AnswerWithoutHandler(refusal))
    return _surrounded(inner, everywhere, needs_of(inner), uses_session=bool(catchers))


def only(steps: Iterable[Step], kind: type[S]) -> list[S]:
    """List the steps of one kind."""
    return [step for step in steps if isinstance(step, kind)]


def needs_of(steps: Iterable[Step]) -> Needs:
    """Return the parts of a request that the steps can use."""
    needs = Needs.NOTHING
    for step in steps:
        for _, plan in step.plans:
            # To join two sets of needs takes long, and most steps need nothing.
            if plan.needs is not Needs.NOTHING:
                needs |= plan.needs
    return needs


def refusals_of(steps: Iterable[Step], method: str) -> Iterator[Outcome]:
    """Yield the refusals for arguments of the guards and the handler, each refusal once."""
    plans = [
        plan
        for step in steps
        if isinstance(step, CheckGuard | ReadArguments)
        for _, plan in step.plans
    ]
    needs = Needs.NOTHING
    for plan in plans:
        needs |= plan.needs
    converted = dict.fromkeys(name for plan in plans for name in plan.path_converters)
    if converted:
        yield Outcome(404, f"the path's {_alternatives(converted)} does not fit")
    # The request object gives access to the body, which requests of other methods usually have.
    if Needs.BODY in needs or (Needs.REQUEST in needs and method not in SAFE_METHODS):
        yield Outcome(400, "the body is malformed")
        yield Outcome(413, "the body is too large")
    if Needs.BODY in needs:
        yield Outcome(415, "the body has a type that is not expected")
    unfit = [part.where for plan in plans for part in plan.flattened() if part.may_refuse]
    if unfit:
        yield Outcome(422, f"{_alternatives(dict.fromkeys(unfit))} does not fit")


def success_of(route: Route) -> Outcome:
    """Return the answer of a handler that succeeds."""
    returns = _returned(route.function)
    if is_free(returns):
        return Outcome(None, "the handler returns a Response of any status")
    if route.status is not None:
        return Outcome(route.status, "what the handler returns")
    if returns is None:
        return Outcome(204, "the handler returns None")
    return Outcome(200, "what the handler returns")


def caught_as(catcher: Catcher, kind: type[Exception]) -> Outcome:
    """Return the answer of an exception handler to a type of error."""
    returns = _returned(catcher.method)
    why = f"{describe(kind)} is caught"
    if is_free(returns):
        return Outcome(None, f"{why}, and answered with a Response of any status")
    # A handler of every Exception answers each error with the error's own status.
    if catcher.status is None and kind is Exception:
        return Outcome(None, f"{why}, and keeps its own status")
    if catcher.status is None and issubclass(kind, HTTPException | SessionError):
        return Outcome(usual_status(kind), why)
    return Outcome(catcher.status or (204 if returns is None else 200), why)


def _surrounded(
    inner: Sequence[Step], everywhere: Everywhere, needs: Needs, *, uses_session: bool
) -> tuple[Step, ...]:
    """Return the outer steps, such as middleware, and then the inner steps."""
    manager, middleware = everywhere.manager, everywhere.middleware
    outer: list[Step] = []
    # Every response renews a rolling session, so a 404 renews it, too.
    always = manager is not None and manager.opens_every_request
    if manager is not None and (uses_session or always or middleware):
        outer.append(SaveSession(manager))
    has_files = bool(needs & _MAY_HAVE_FILES)
    # Plans that read only the path ask for no component.
    has_components = bool(everywhere.per_request) and not all(
        plan.path_only for step in inner for _, plan in step.plans
    )
    if has_components or middleware or has_files:
        outer.append(EndComponents())
    outer += [PassMiddleware(layer) for layer in middleware]
    return (*outer, *inner)


def _returned(function: Callable[..., object]) -> object:
    returned: object = bare(read_return(function))[0]
    return None if returned is type(None) else returned


def _alternatives(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
