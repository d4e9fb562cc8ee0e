"""Explains how an application would answer a request: its handler, arguments and answers.

The module reads the steps that dispatch runs, and decides nothing itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from framework.application import Application
from framework.around.exception_handlers import Catcher, catcher_of
from framework.binding.inject import InjectMarker
from framework.binding.plan import Plan
from framework.binding.source import Parameter
from framework.dispatch.handlers import Handler
from framework.dispatch.steps import (
    AnswerWithoutHandler,
    CallHandler,
    CatchErrors,
    CheckGuard,
    Outcome,
    PassMiddleware,
    SaveSession,
    Step,
    caught_as,
    only,
    refusals_of,
    steps_of,
    steps_without_handler,
)
from framework.explaining.near_misses import NearMiss, near_misses
from framework.explaining.session_uses import SessionUse, named, session_uses
from framework.explaining.written_urls import environ_of, refused_host, written_path
from framework.http.routing import is_automatic_options, request_path
from framework.injection.graph import Graph
from framework.openapi.raised import errors_raised
from framework.types.signatures import describe

# The text for a default that only the class knows.
_OWN_DEFAULT = "…"


@dataclass(frozen=True)
class Argument:
    """An argument: where it comes from, and how it is made."""

    name: str
    type: str
    # "query:page"
    where: str
    # The default as the user wrote it; None if the parameter is required.
    default: str | None
    conversion: str
    # The arguments of the resolver or the component that makes it, or the fields of a form.
    parts: "list[Argument]"


@dataclass(frozen=True)
class Guarded:
    """A guard, the class with this `@guard`, and the arguments of the guard's check."""

    guard: str
    brought_by: str
    arguments: list[Argument]


@dataclass(frozen=True)
class Caught:
    """An exception handler: the types of its exceptions, its place, and its arguments.

    The exception is not one of the `arguments`.
    """

    exceptions: list[str]
    handler: str
    arguments: list[Argument]


@dataclass(frozen=True)
class Match:
    """The handler that answers a request, with its guards and its arguments."""

    method: str
    rule: str
    handler: str
    path_values: dict[str, str]
    arguments: list[Argument]
    # The outermost guard comes first.
    guards: list[Guarded]


@dataclass(frozen=True)
class Explanation:
    """How a request would be answered, or which rules nearly match if no handler answers."""

    method: str
    path: str
    outcome: str
    match: Match | None
    # The outermost middleware comes first.
    middleware: list[str]
    # Empty if nothing may use the session.
    session: list[SessionUse]
    # The nearest exception handler comes first.
    catches: list[Caught]
    answers: list[Outcome]
    # The other methods that the path has.
    other_methods: list[str]
    near_misses: list[NearMiss]


def explain(application: Application, method: str, path: str) -> Explanation:
    """Return how the application would answer a request; `path` is written as in a URL."""
    method, written = method.upper(), written_path(path)
    stranger = refused_host(path, application.everywhere.settings)
    if stranger is not None:
        return _before_everything(method, written, stranger)
    try:
        path = request_path(environ_of(written))
    except HTTPException as refusal:
        return _refused(application, method, written, refusal)
    try:
        handler, values = application.dispatcher.find(method, path)
    except (MethodNotAllowed, NotFound) as refusal:
        return _refused(application, method, path, refusal)
    return _answered(application, method, path, (handler, values))


def _answered(
    application: Application, method: str, path: str, found: tuple[Handler, dict[str, Any]]
) -> Explanation:
    """Return the explanation of a request that a handler answers."""
    handler, values = found
    steps = steps_of(handler, application.everywhere)
    session = session_uses(steps, method)
    around = _around(application, steps, method, uses_session=bool(session))
    methods = application.dispatcher.router.methods_of(path)
    return Explanation(
        method=method,
        path=path,
        outcome=f"answered by {handler.route.where}",
        match=_match(application, handler, values),
        middleware=_middleware(steps),
        session=session,
        catches=_caught(application, handler.catchers),
        answers=_in_order(_of_handler(steps, method), around),
        other_methods=[other for other in methods if other != method],
        near_misses=[],
    )


def arguments_of(graph: Graph, plan: Plan) -> list[Argument]:
    """List the arguments of a handler, a guard or an exception handler."""
    return [_argument(graph, parameter) for parameter in plan.parameters]


def _before_everything(method: str, path: str, host: str) -> Explanation:
    """Return the explanation of a request that is refused before any step of the application."""
    why = f"the host {host!r} is not one of trusted_hosts"
    return Explanation(
        method=method,
        path=path,
        outcome=f"400: {why}",
        match=None,
        middleware=[],
        session=[],
        catches=[],
        answers=[Outcome(400, why)],
        other_methods=[],
        near_misses=[],
    )


def _refused(
    application: Application, method: str, path: str, refusal: HTTPException
) -> Explanation:
    """Explain a request without a handler; such a request still passes through the middleware."""
    steps = steps_without_handler(refusal, application.everywhere)
    (last,) = only(steps, AnswerWithoutHandler)
    (answer,) = last.outcomes(method)
    catchers = _catchers_of(application, method, refusal)
    steps = tuple(
        CatchErrors(catchers) if isinstance(step, CatchErrors) else step for step in steps
    )
    session = session_uses(steps, method)
    around = _around(application, steps, method, uses_session=bool(session))
    own = [caught_as(catcher, type(refusal)) for catcher in catchers] or [answer]
    return Explanation(
        method=method,
        path=path,
        outcome=f"{answer.status}: {answer.why}",
        match=None,
        middleware=_middleware(steps),
        session=session,
        catches=_caught(application, catchers),
        answers=_in_order(own, around),
        other_methods=[other for other in last.allowed if other != method],
        near_misses=_near_misses(path, refusal, application),
    )


def _near_misses(path: str, refusal: HTTPException, application: Application) -> list[NearMiss]:
    # A path that is refused for its escapes is not compared with the rules.
    is_unknown = refusal.description == NotFound.description
    return near_misses(path, application.routes) if is_unknown else []


def _around(
    application: Application, steps: Sequence[Step], method: str, *, uses_session: bool
) -> Iterator[Outcome]:
    """Yield the answers that are possible for every request, with or without a handler."""
    settings = application.everywhere.settings
    if settings.trusted_hosts:
        yield Outcome(400, "the host is not one of trusted_hosts")
    if any(settings.proxies.values()):
        yield Outcome(400, "a header of a proxy has a value that is not valid")
    for step in steps:
        if isinstance(step, PassMiddleware) or (isinstance(step, SaveSession) and uses_session):
            yield from step.outcomes(method)


def _of_handler(steps: Sequence[Step], method: str) -> Iterator[Outcome]:
    """Yield the answers of a handler, its guards and its exception handlers, the success first."""
    (call,) = only(steps, CallHandler)
    success, *failures = call.outcomes(method)
    yield success
    for guard in only(steps, CheckGuard):
        yield from guard.outcomes(method)
        for error in errors_raised(guard.guard.check):
            yield Outcome(error.code, f"a guard raises {error.__name__}")
    yield from refusals_of(steps, method)
    yield from failures
    for catching in only(steps, CatchErrors):
        yield from catching.outcomes(method)


def _catchers_of(
    application: Application, method: str, refusal: HTTPException
) -> Sequence[Catcher]:
    """Return the exception handler for a refused request: a list of one, or an empty list."""
    found = catcher_of(application.catchers, type(refusal))
    # An automatic answer to OPTIONS is not an error.
    return [found[0]] if found and not is_automatic_options(method, refusal) else []


def _in_order(own: Iterable[Outcome], around: Iterable[Outcome]) -> list[Outcome]:
    """Return each answer once: the first answer of `own`, and then the others, sorted by status.

    Answers without a status come last.
    """
    first, *others = dict.fromkeys([*own, *around])
    return [first, *sorted(others, key=lambda outcome: (outcome.status is None, outcome.status))]


def _middleware(steps: Sequence[Step]) -> list[str]:
    return [named(step.middleware) for step in only(steps, PassMiddleware)]


def _match(application: Application, handler: Handler, values: dict[str, Any]) -> Match:
    route, graph = handler.route, application.graph
    return Match(
        method=route.method,
        rule=route.rule,
        handler=route.where,
        path_values={name: str(value) for name, value in values.items()},
        arguments=arguments_of(graph, handler.plan),
        guards=[
            Guarded(guard.name, describe(guard.listed.brought_by), arguments_of(graph, guard.plan))
            for guard in handler.guards
        ],
    )


def _caught(application: Application, catchers: Iterable[Catcher]) -> list[Caught]:
    return [
        Caught(
            [kind.__name__ for kind in catcher.types],
            catcher.where,
            arguments_of(application.graph, catcher.plan),
        )
        for catcher in catchers
    ]


def _argument(graph: Graph, parameter: Parameter) -> Argument:
    marker, field = parameter.marker, parameter.field
    explained = marker.explained(field)
    # Only the graph knows the provider of a component.
    if isinstance(marker, InjectMarker):
        explained = f"provided by {graph.provider_of(field.annotation)}"
    parts = [
        Argument(
            name=part.name,
            type=part.type,
            where=part.where,
            default=None if part.required else _OWN_DEFAULT,
            conversion=part.conversion,
            parts=[],
        )
        for part in marker.explained_parts(field)
    ]
    return Argument(
        name=parameter.name,
        type=describe(field.annotation),
        where=parameter.where,
        default=None if parameter.required else repr(parameter.default),
        conversion=explained,
        parts=[*parts, *(_argument(graph, part) for part in parameter.parts)],
    )
