"""What the application would do with a request, told without doing it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.wrappers import Response

from framework.application import Application
from framework.handlers import Handler
from framework.near_misses import NearMiss, near_misses
from framework.plans import Parameter
from framework.routing import Entry, Router, path_key
from framework.signatures import bare, describe, read_return


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


@dataclass(frozen=True)
class Answer:
    """Say why a status is answered; None stands for one that the handler chooses."""

    status: int | None
    why: str


@dataclass(frozen=True)
class Match:
    """Tell what the handler of a request gets, and what comes of it."""

    method: str
    rule: str
    handler: str
    path_values: dict[str, str]
    arguments: list[Argument]
    session: str
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
    return Match(
        method=route.method,
        rule=route.rule,
        handler=route.where,
        path_values={name: str(value) for name, value in values.items()},
        arguments=[_argument(application, each) for each in handler.plan.parameters],
        session=_session(handler),
        answers=list(_answers(handler)),
    )


def _argument(application: Application, parameter: Parameter) -> Argument:
    bound = parameter.annotation
    return Argument(
        name=parameter.name,
        type=describe(bound),
        where=parameter.where,
        default=None if parameter.required else repr(parameter.default),
        conversion=_conversion(application, parameter, describe(bare(bound)[0])),
    )


def _conversion(application: Application, parameter: Parameter, made: str) -> str:
    match parameter.source:
        case "body":
            return f"JSON → {made}"
        case "inject":
            return f"provided by {application.graph.provider_of(parameter.annotation)}"
        case "session" | "request":
            return "the one of the request"
        case _:
            return f"text → {made}"


def _session(handler: Handler) -> str:
    if handler.plan.uses_session:
        return "asked for: loaded when it is first touched, saved if it changed"
    return "not asked for: no store call, no cookie"


def _answers(handler: Handler) -> Iterator[Answer]:
    """Yield each status that can come of a request, the handler's own first."""
    plan = handler.plan
    sources = {each.source for each in plan.parameters}
    yield _success(handler)
    if "body" in sources:
        yield Answer(400, "the body is no JSON")
    if plan.path_converters:
        yield Answer(404, f"the path's {_names(plan.path_converters)} does not fit")
    if "body" in sources:
        yield Answer(413, "the body is too large")
        yield Answer(415, "the body has another type than JSON")
    fallible = [each.where for each in plan.parameters if each.fallible]
    if fallible:
        yield Answer(422, f"{_names(fallible)} does not fit")
    if plan.uses_session:
        yield Answer(431, "the Cookie header is too large")
    yield Answer(500, "the handler raises")
    if plan.uses_session:
        yield Answer(503, "the store of the session does not answer in time")


def _success(handler: Handler) -> Answer:
    returns = bare(read_return(handler.route.function, lambda what, remedy: None))[0]
    if isinstance(returns, type) and issubclass(returns, Response):
        return Answer(None, "the handler's Response")
    if handler.route.status is not None:
        return Answer(handler.route.status, "what the handler returns")
    if returns in (None, type(None)):
        return Answer(204, "the handler returns None")
    return Answer(200, "what the handler returns")


def _names(names: Iterable[str]) -> str:
    return " or ".join(names)
