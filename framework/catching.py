"""Exception handlers: methods that answer in the place of a handler that raised."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial, wraps
from typing import Any, TypeVar, get_args

from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response

from framework.annotations.returns import promises_tuple
from framework.annotations.signatures import EMPTY, Declared, bare, read_parameters, signature_of
from framework.binding import bind_part
from framework.components import Member, tag, tag_of, tagged_members
from framework.exchange import Exchange
from framework.injection import Graph
from framework.mistakes.catching_problems import catch_problems, path_problems, require_types
from framework.plans import Plan, compile_call
from framework.problems import as_http_error, own_headers
from framework.responses import Recover, Rendered, Renderers
from framework.routing import Variables, common_variables
from framework.startup import Problem, location
from sessions.errors import SessionError

CATCHES = "__catches__"

Method = TypeVar("Method", bound=Callable[..., object])


@dataclass(frozen=True)
class Catcher:
    """Hold what start-up knows about one exception handler."""

    types: tuple[type[Exception], ...]
    where: str
    status: int | None
    tuples_are_data: bool
    plan: Plan
    method: Callable[..., object]
    # The parameter that takes the error, and where it stands; None if there is none.
    error: tuple[int, Declared] | None


@dataclass(frozen=True)
class _Tag:
    """Keep what the decorator said."""

    types: tuple[type[Exception], ...]
    status: int | None


def catch(*types: type[Exception], status: int | None = None) -> Callable[[Method], Method]:
    """Let a method answer when a handler raises one of the types.

    In a controller it is for that controller's handlers, in a configuration for all. The most
    specific type decides, then the nearest layer. Its parameters are bound like a handler's, but
    for the one annotated with an exception, which takes the error; what it returns is the answer.
    An HTTP error keeps its own status unless one is given here, or by a Response.
    """
    require_types(types)

    def decorate(method: Method) -> Method:
        # Decorators apply from below, readers read from above.
        tag(method, CATCHES, (_Tag(types, status), *_tags(tag_of(method, CATCHES))))
        return method

    return decorate


def catches_errors(owner: type) -> bool:
    """Tell whether a class has exception handlers."""
    return any(True for _ in tagged_members(owner, CATCHES))


def read_catchers(
    owners: Iterable[type], rules: Iterable[str], graph: Graph, problems: list[Problem]
) -> list[Catcher]:
    """Bind the exception handlers of one layer: of a controller, or of the configurations.

    The rules are those of the requests that they may have to answer.
    """
    members = [(owner, member) for owner in owners for member in tagged_members(owner, CATCHES)]
    variables = common_variables(rules if members else ())
    catchers: list[Catcher] = []
    for owner, member in members:
        plan = _plan(member, variables, graph, problems)
        try:
            method = getattr(graph.get(owner), member.name)
        # The graph has reported why there is none.
        except KeyError:
            continue
        if plan is not None:
            for catcher in _catchers(member, plan, method):
                problems += _duplicates(catcher, catchers)
                catchers.append(catcher)
    return catchers


def catching(catchers: Sequence[Catcher], recover: Recover) -> Recover:
    """Put exception handlers, the nearest first, before the usual answer to an error."""
    if not catchers:
        return recover
    answers: dict[type, Callable[[Exception, Exchange], Rendered]] = {}
    for each in catchers:
        for kind in each.types:
            if kind not in answers:
                answers[kind] = _compile(each, kind)

    def caught(error: Exception, exchange: Exchange) -> Rendered:
        for kind in () if _is_answer(error) else type(error).__mro__:
            if kind in answers:
                try:
                    return answers[kind](error, exchange)
                # The exception handler may fail, too; nothing catches that a second time.
                except Exception as another:  # noqa: BLE001
                    return recover(another, exchange)
        return recover(error, exchange)

    return caught


def _tags(tagged: object) -> tuple[_Tag, ...]:
    return tagged if isinstance(tagged, tuple) else ()


def _plan(
    member: Member, variables: Variables, graph: Graph, problems: list[Problem]
) -> Plan | None:
    """Plan the parameters of an exception handler, but for the error."""
    function, where = member.function, location(member.function)
    errors = [each for _, each in _errors(function)] or _unannotated(function, variables.common)
    plan = bind_part(
        _without(function, [each.name for each in errors]),
        where=where,
        path_variables=variables.common,
        provide=graph.provide,
        problems=problems,
    )
    for each in _tags(member.tag):
        problems += catch_problems(function, each.types, each.status, errors)
    problems += () if plan is None else path_problems(function, plan, variables)
    return plan


def _catchers(member: Member, plan: Plan, method: Callable[..., object]) -> Iterator[Catcher]:
    """Yield an exception handler for each decorator of a method."""
    where, tuples = location(member.function), promises_tuple(member.function)
    error = next(iter(_errors(member.function)), None)
    for each in _tags(member.tag):
        yield Catcher(each.types, where, each.status, tuples, plan, method, error)


def _errors(function: Callable[..., object]) -> list[tuple[int, Declared]]:
    """List the parameters that take the error, with their places."""
    declared = read_parameters(function)
    return [(at, each) for at, each in enumerate(declared) if _takes_error(each)]


def _unannotated(function: Callable[..., object], others: Container[str]) -> list[Declared]:
    """Find the parameter that is probably meant to take the error."""
    declared = read_parameters(function)
    found = (each for each in declared if each.annotation is EMPTY and not each.variadic)
    return [each for each in found if each.name not in others and each.default is EMPTY][:1]


def _takes_error(declared: Declared) -> bool:
    kind = bare(declared.annotation)[0]
    kinds = get_args(kind) or (kind,)
    return all(isinstance(each, type) and issubclass(each, BaseException) for each in kinds)


def _without(function: Callable[..., object], names: list[str]) -> Callable[..., object]:
    """Return a function whose signature lacks the parameters of these names."""
    inner: Any = function.__func__ if isinstance(function, staticmethod) else function
    signature = signature_of(inner)
    kept = [each for name, each in signature.parameters.items() if name not in names]

    @wraps(inner)
    def bindable() -> None: ...

    bindable.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    return staticmethod(bindable) if isinstance(function, staticmethod) else bindable


def _duplicates(catcher: Catcher, others: Iterable[Catcher]) -> Iterator[Problem]:
    for other in others:
        for kind in set(catcher.types) & set(other.types):
            yield Problem(
                catcher.where,
                f"{kind.__name__} is also caught by {other.where}",
                "Remove one of the two, or let it catch a more specific type.",
            )


def _is_answer(error: Exception) -> bool:
    """Tell whether a handler has raised an answer of its own, such as a redirect, and no error."""
    if not isinstance(error, HTTPException):
        return False
    return error.response is not None if error.code is None else error.code < 400


def _compile(catcher: Catcher, kind: type) -> Callable[[Exception, Exchange], Rendered]:
    """Return what answers an error that is caught as one of a catcher's types."""
    renderers_of = lru_cache(
        partial(Renderers, catcher.where, tuples_are_data=catcher.tuples_are_data)
    )
    gather = compile_call(catcher.plan, lambda *args, **kwargs: (args, kwargs))
    pass_on = _passing(catcher)

    def answer(error: Exception, exchange: Exchange) -> Rendered:
        arguments: Any = gather(exchange)
        result = pass_on(error, *arguments)
        status = catcher.status or _status_of(error, kind)
        line, headers, body = renderers_of(status)[type(result)](result, exchange.environ)
        http_error = as_http_error(error)
        if http_error and http_error.code == status and not isinstance(result, Response):
            headers = [*headers, *own_headers(http_error, exchange.environ)]
        return line, headers, body

    return answer


def _status_of(error: Exception, kind: type) -> int | None:
    """Return the status that an error has by itself; None leaves it to the result."""
    if isinstance(error, HTTPException):
        return error.code or InternalServerError.code
    if isinstance(error, SessionError):
        return error.status
    # Who catches just anything has not thought of this error, so it is no success.
    return InternalServerError.code if kind is Exception else None


def _passing(
    catcher: Catcher,
) -> Callable[[Exception, tuple[object, ...], Mapping[str, object]], object]:
    """Return the function that passes the error on where the method wants it."""
    method = catcher.method
    if catcher.error is None:
        return lambda error, args, kwargs: method(*args, **kwargs)
    at, declared = catcher.error
    if declared.keyword_only:
        return lambda error, args, kwargs: method(*args, **kwargs, **{declared.name: error})
    return lambda error, args, kwargs: method(*args[:at], error, *args[at:], **kwargs)
