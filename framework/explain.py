"""What the application would do with a request, told without doing it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from werkzeug.exceptions import MethodNotAllowed, NotFound

from framework.answers import Answer, answers_of
from framework.application import Application
from framework.handlers import Handler
from framework.injection import Graph
from framework.middleware import uses_session
from framework.near_misses import NearMiss, near_misses
from framework.plans import Parameter
from framework.routing import Entry, Router, path_key
from framework.signatures import bare, describe
from framework.startup import location


@dataclass(frozen=True)
class Argument:
    """Say where an argument of the handler comes from and what makes it."""

    name: str
    type: str
    # "query:page"
    where: str
    # The default as it is written; None if the parameter is required.
    default: str | None
    conversion: str
    # What a resolver makes it of.
    parts: "list[Argument]"


@dataclass(frozen=True)
class Guarded:
    """Name a guard and the class that brought it."""

    guard: str
    brought_by: str


@dataclass(frozen=True)
class Caught:
    """Name the exceptions that an exception handler answers."""

    exceptions: list[str]
    handler: str


@dataclass(frozen=True)
class Match:
    """Tell what the handler of a request gets, and what comes of it."""

    method: str
    rule: str
    handler: str
    path_values: dict[str, str]
    arguments: list[Argument]
    # The outermost first, as are the guards.
    middleware: list[str]
    guards: list[Guarded]
    session: str
    # The nearest first.
    catches: list[Caught]
    answers: list[Answer]


@dataclass(frozen=True)
class Explanation:
    """Tell what would become of a request: its match, or else what it nearly matched."""

    method: str
    path: str
    outcome: str
    match: Match | None
    # The other methods that the path has.
    other_methods: list[str]
    near_misses: list[NearMiss]


def explain(application: Application, method: str, path: str) -> Explanation:
    """Explain a request by its method and its path, as it is in a URL."""
    method, path = method.upper(), unquote(path.partition("?")[0])
    router = Router(_entries(application.handlers))
    try:
        handler, values = router.find(method, path)
    except MethodNotAllowed as refusal:
        allowed = sorted(refusal.valid_methods or ())
        others = [each for each in allowed if each != method]
        return Explanation(method, path, _without_handler(method, allowed), None, others, [])
    except NotFound:
        near = near_misses(path, application.routes)
        return Explanation(method, path, "404: no rule matches the path", None, [], near)
    match = _match(application, handler, values)
    others = _other_methods(router, method, path)
    return Explanation(method, path, f"answered by {match.handler}", match, others, [])


def _entries(handlers: tuple[Handler, ...]) -> Iterator[Entry[Handler]]:
    """Yield the handlers by method and rule; GET's answers HEAD where HEAD has none of its own."""
    heads = {path_key(each.route.rule) for each in handlers if each.route.method == "HEAD"}
    for each in handlers:
        yield Entry(each.route.method, each.route.rule, each.endpoint, each)
        if each.route.method == "GET" and path_key(each.route.rule) not in heads:
            yield Entry("HEAD", each.route.rule, each.endpoint, each)


def _without_handler(method: str, allowed: list[str]) -> str:
    methods = ", ".join(allowed)
    if method == "OPTIONS":
        return f"204: answered by the framework, with Allow: {methods}"
    return f"405: the path has {methods}, and not {method}"


def _other_methods(router: Router[Handler], method: str, path: str) -> list[str]:
    try:
        router.find("", path)
    except MethodNotAllowed as refusal:
        return [each for each in sorted(refusal.valid_methods or ()) if each != method]
    return []


def _match(application: Application, handler: Handler, values: dict[str, Any]) -> Match:
    route = handler.route
    session = _session(application, handler)
    return Match(
        method=route.method,
        rule=route.rule,
        handler=route.where,
        path_values={name: str(value) for name, value in values.items()},
        arguments=[_argument(application.graph, each) for each in handler.plan.parameters],
        middleware=[_called(each) for each in application.middleware],
        guards=[Guarded(each.name, describe(each.listed.brought_by)) for each in handler.guards],
        session=session or "not asked for: no store call, no cookie",
        catches=[
            Caught([kind.__name__ for kind in each.types], each.where) for each in handler.catchers
        ],
        answers=answers_of(handler, uses_session=session is not None),
    )


def _argument(graph: Graph, parameter: Parameter) -> Argument:
    return Argument(
        name=parameter.name,
        type=describe(parameter.annotation),
        where=parameter.where,
        default=None if parameter.required else repr(parameter.default),
        conversion=_conversion(graph, parameter),
        parts=[_argument(graph, part) for part in parameter.parts],
    )


def _conversion(graph: Graph, parameter: Parameter) -> str:
    made = describe(bare(parameter.annotation)[0])
    match parameter.source:
        case "inject":
            return f"provided by {graph.provider_of(parameter.annotation)}"
        case "session" | "request" if parameter.where == parameter.source:
            return "the one of the request"
        case "resolver":
            return "resolved of what follows" if parameter.parts else "resolved"
        case "body":
            return f"JSON → {made}"
        case "session" | "form" as source:
            return f"{source} → {made}"
        case _:
            return f"text → {', '.join([made, *_limits(parameter)])}"


def _limits(parameter: Parameter) -> Iterator[str]:
    for name in ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern"):
        limit = getattr(parameter.limits, name, None)
        if limit is not None:
            yield f"{name}={limit!r}"


def _called(middleware: object) -> str:
    return location(middleware if hasattr(middleware, "__qualname__") else type(middleware))


def _session(application: Application, handler: Handler) -> str | None:
    """Tell who asks for the session, and what comes of it; None if nothing does."""
    asking = [
        *["the handler"] * handler.plan.uses_session,
        *(each.name for each in handler.guards if each.plan.uses_session),
        *(each.where for each in handler.catchers if each.plan.uses_session),
        *(_called(each) for each in application.middleware if uses_session(each)),
    ]
    if asking:
        who = " and ".join(asking)
        return f"asked for by {who}: loaded when it is first touched, saved if it changed"
    if application.sessions is not None and application.sessions.opens_every_request:
        return "opened by every request, since rolling or save_uninitialized is on"
    return None
