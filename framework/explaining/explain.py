"""What the application would do with a request, told without doing it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from werkzeug.exceptions import MethodNotAllowed, NotFound

from framework.annotations.signatures import describe
from framework.application import Application
from framework.catching import Catcher
from framework.explaining.answers import Answer, answers_around, answers_of, caught_as, in_order
from framework.explaining.conversions import Argument, arguments_of
from framework.explaining.near_misses import NearMiss, near_misses
from framework.explaining.session_uses import SessionUse, named, session_uses
from framework.handlers import Handler
from framework.plans import Plan
from framework.routing import Entry, Router, path_key

_HOST = re.compile("^https?://[^/?#]*")


@dataclass(frozen=True)
class Guarded:
    """Name a guard and the class that brought it, and tell what its check takes."""

    guard: str
    brought_by: str
    arguments: list[Argument]


@dataclass(frozen=True)
class Caught:
    """Name the exceptions that an exception handler answers, and tell what it takes besides."""

    exceptions: list[str]
    handler: str
    arguments: list[Argument]


@dataclass(frozen=True)
class Match:
    """Tell which handler answers, and what it gets."""

    method: str
    rule: str
    handler: str
    path_values: dict[str, str]
    arguments: list[Argument]
    # The outermost first.
    guards: list[Guarded]


@dataclass(frozen=True)
class Explanation:
    """Tell what would become of a request: its match, or else what it nearly matched."""

    method: str
    path: str
    outcome: str
    match: Match | None
    # The outermost first.
    middleware: list[str]
    # Nothing if nobody may use it.
    session: list[SessionUse]
    # The nearest first.
    catches: list[Caught]
    answers: list[Answer]
    # The other methods that the path has.
    other_methods: list[str]
    near_misses: list[NearMiss]


def explain(application: Application, method: str, path: str) -> Explanation:
    """Explain a request by its method and its path, as it is in a URL."""
    method, path = method.upper(), _path(path)
    router = Router(_entries(application.handlers))
    try:
        handler, values = router.find(method, path)
    except (MethodNotAllowed, NotFound) as refusal:
        return _refused(application, method, path, refusal)
    session = session_uses(application, method, _plans(handler))
    around = answers_around(application, method, uses_session=bool(session))
    return Explanation(
        method=method,
        path=path,
        outcome=f"answered by {handler.route.where}",
        match=_match(application, handler, values),
        middleware=[named(each) for each in application.middleware],
        session=session,
        catches=_caught(application, handler.catchers),
        answers=in_order([*answers_of(handler, method), *around]),
        other_methods=_other_methods(router, method, path),
        near_misses=[],
    )


def _path(text: str) -> str:
    """Return the path of a URL, which may be whole, or lack its first slash."""
    path = re.split("[?#]", _HOST.sub("", text))[0]
    return "/" + unquote(path).removeprefix("/")


def _refused(
    application: Application, method: str, path: str, refusal: MethodNotAllowed | NotFound
) -> Explanation:
    """Explain a request without a handler: what stands around all handlers sees it as well."""
    answer, allowed = _without_handler(method, refusal)
    catchers = _catchers_of(application, method, refusal)
    plans = [(each.where, each.plan) for each in catchers]
    session = session_uses(application, method, plans)
    around = answers_around(application, method, uses_session=bool(session))
    own = [caught_as(each, type(refusal)) for each in catchers] or [answer]
    return Explanation(
        method=method,
        path=path,
        outcome=f"{answer.status}: {answer.why}",
        match=None,
        middleware=[named(each) for each in application.middleware],
        session=session,
        catches=_caught(application, catchers),
        answers=in_order([*own, *around]),
        other_methods=[each for each in allowed if each != method],
        near_misses=[] if allowed else near_misses(path, application.routes),
    )


def _entries(handlers: tuple[Handler, ...]) -> Iterator[Entry[Handler]]:
    """Yield the handlers by method and rule; GET's answers HEAD where HEAD has none of its own."""
    heads = {path_key(each.route.rule) for each in handlers if each.route.method == "HEAD"}
    for each in handlers:
        yield Entry(each.route.method, each.route.rule, each.endpoint, each)
        if each.route.method == "GET" and path_key(each.route.rule) not in heads:
            yield Entry("HEAD", each.route.rule, each.endpoint, each)


def _without_handler(method: str, refusal: MethodNotAllowed | NotFound) -> tuple[Answer, list[str]]:
    """Return the framework's own answer, and the methods that the path has."""
    if isinstance(refusal, NotFound):
        return Answer(404, "no rule matches the path"), []
    allowed = sorted(refusal.valid_methods or ())
    methods = ", ".join(allowed)
    if method == "OPTIONS":
        return Answer(204, f"answered by the framework, with Allow: {methods}"), allowed
    return Answer(405, f"the path has {methods}, and not {method}"), allowed


def _catchers_of(
    application: Application, method: str, refusal: MethodNotAllowed | NotFound
) -> list[Catcher]:
    """List the exception handler that answers where no handler does, if there is one."""
    # An automatic answer to OPTIONS is no error.
    is_error = method != "OPTIONS" or isinstance(refusal, NotFound)
    kinds = type(refusal).__mro__ if is_error else ()
    return [each for kind in kinds for each in application.catchers if kind in each.types][:1]


def _other_methods(router: Router[Handler], method: str, path: str) -> list[str]:
    try:
        # A method that nothing has: the refusal names those that the path has.
        router.find("*", path)
    except MethodNotAllowed as refusal:
        return [each for each in sorted(refusal.valid_methods or ()) if each != method]
    return []


def _match(application: Application, handler: Handler, values: dict[str, Any]) -> Match:
    route, graph = handler.route, application.graph
    return Match(
        method=route.method,
        rule=route.rule,
        handler=route.where,
        path_values={name: str(value) for name, value in values.items()},
        arguments=arguments_of(graph, handler.plan),
        guards=[
            Guarded(each.name, describe(each.listed.brought_by), arguments_of(graph, each.plan))
            for each in handler.guards
        ],
    )


def _plans(handler: Handler) -> Iterator[tuple[str, Plan]]:
    """Yield the plans of all that may run for a request, with the names of what they are for."""
    yield "the handler", handler.plan
    yield from ((each.name, each.plan) for each in handler.guards)
    yield from ((each.where, each.plan) for each in handler.catchers)


def _caught(application: Application, catchers: Iterable[Catcher]) -> list[Caught]:
    return [
        Caught(
            [kind.__name__ for kind in each.types],
            each.where,
            arguments_of(application.graph, each.plan),
        )
        for each in catchers
    ]
