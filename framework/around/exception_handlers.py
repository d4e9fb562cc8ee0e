"""Exception handlers (`@catch`): which of them answers an error, and how."""

import inspect
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, get_args

from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response

from framework.binding.binder import Path, Supply, bind
from framework.binding.path import AbsentPathMarker
from framework.binding.plan import Plan, compile_call
from framework.binding.query import QueryMarker
from framework.binding.source import Marker
from framework.decorators import CATCHES, catches_in, is_status
from framework.http.context import Context
from framework.http.errors import answerable, as_http_error, own_headers
from framework.http.responses import Recover, Rendered, Renderers
from framework.http.routes import Variables, common_variables
from framework.injection.graph import Graph
from framework.report import Place, Report, location
from framework.results import Result
from framework.types.forgotten_returns import note_forgotten_return
from framework.types.members import Member, tagged_members
from framework.types.returns import Promise, note_returns, promise_of
from framework.types.signatures import EMPTY, Declared, bare, describe, note_module, read_parameters
from sessions.errors import SessionError

_ABSENT = AbsentPathMarker("the exception handler also answers for paths without this variable")


@dataclass(frozen=True)
class Catcher:
    """The facts that start-up has read about one exception handler."""

    types: tuple[type[Exception], ...]
    where: str
    status: int | None
    promise: Promise
    plan: Plan
    method: Callable[..., object]
    # The names of the handlers for which the method answers; empty for all handlers.
    of: tuple[str, ...]
    # The parameter that takes the error, with its index; None if no parameter takes the error.
    error: tuple[int, Declared] | None


def read_catchers(
    owners: Iterable[type], rules: Iterable[tuple[str, str]], graph: Graph, report: Report
) -> list[Catcher]:
    """Read the exception handlers of one layer: of a controller, or of the configurations.

    `rules` are the URL rules of the handlers whose errors these exception handlers can get. Each
    item is the name of a handler and its rule.
    """
    members = [(owner, member) for owner in owners for member in tagged_members(owner, CATCHES)]
    known = list(rules) if members else []
    # A resolver of one exception handler may also serve the others of the layer.
    of_resolvers = _absent(common_variables([rule for _, rule in known]))
    catchers: list[Catcher] = []
    for owner, member in members:
        with report.at(member.function):
            _note_unknown_handlers(member, {name for name, _ in known}, report)
            variables = common_variables(_rules_of(member, known))
            supply = Supply(
                report=report,
                provide=graph.provide,
                variables=variables.common,
                path=Path.SOME,
                others=_absent(variables),
                others_of_resolvers=of_resolvers,
            )
            plan = _plan(member, supply, variables.others)
            catchers += _catchers(member, plan, getattr(graph.get(owner), member.name))
    _note_duplicates([member for _, member in members], report)
    return catchers


def nearest_of(name: str, catchers: Sequence[Catcher]) -> list[Catcher]:
    """List a controller's exception handlers for one handler.

    The exception handlers that name the handler in `@catch(of=...)` come first.
    """
    own = [catcher for catcher in catchers if name in catcher.of]
    return [*own, *(catcher for catcher in catchers if not catcher.of)]


def catcher_of(catchers: Sequence[Catcher], error: type) -> tuple[Catcher, type] | None:
    """Return the exception handler for an error, and the type in its `@catch` that fits the error.

    The exception handler with the most specific type comes first. If several have this type, the
    first of them in `catchers` answers the error.
    """
    for kind in error.__mro__:
        for catcher in catchers:
            if kind in catcher.types:
                return catcher, kind
    return None


def usual_status(kind: type) -> int | None:
    """Return the status for a type of error; None if the exception handler's result sets it."""
    if issubclass(kind, HTTPException):
        return kind.code
    if issubclass(kind, SessionError):
        return kind.status
    # `@catch(Exception)` also catches bugs, so its answer is not a success.
    return InternalServerError.code if kind is Exception else None


def catching(catchers: Sequence[Catcher], recover: Recover) -> Recover:
    """Return the function that answers an error with an exception handler, or with `recover`.

    The exception handler with the most specific type answers the error.
    """
    if not catchers:
        return recover
    answers: dict[type, Callable[[Exception, Context], Rendered]] = {}
    for kind in dict.fromkeys(kind for catcher in catchers for kind in catcher.types):
        found = catcher_of(catchers, kind)
        if found is not None:
            answers[kind] = _compile(found[0], kind)

    def caught(error: Exception, context: Context) -> Rendered:
        error = answerable(error)
        for kind in () if _is_answer(error) else type(error).__mro__:
            if kind in answers:
                try:
                    return answers[kind](error, context)
                # The exception handler may fail, too; no other exception handler catches its error.
                except Exception as another:  # noqa: BLE001
                    return recover(another, context)
        return recover(error, context)

    return caught


def _absent(variables: Variables) -> dict[str, Marker]:
    """Return the markers of the variables that only some paths have."""
    return dict.fromkeys(variables.others, _ABSENT)


def _plan(member: Member, supply: Supply, only_of_some: AbstractSet[str]) -> Plan:
    """Return how an exception handler gets its parameters, except the parameter for the error."""
    function = member.function
    here = supply.report.at(location(function))
    declared = read_parameters(function, here)
    errors = [parameter for parameter in declared if _takes_error(parameter)]
    errors = errors or _unannotated(declared, supply.variables)
    others = [parameter for parameter in declared if parameter not in errors]
    _note_wrong_decorator(function, member, here)
    for catch in catches_in(member.tag):
        _note_wrong_errors(catch.types, errors, here)
    plan = bind(others, where=location(function), supply=supply)
    _note_foreign_variables(plan, only_of_some, here)
    here.require_clean()
    return plan


def _note_wrong_decorator(function: Callable[..., object], member: Member, here: Place) -> None:
    inner = getattr(function, "__func__", function)
    if inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner):
        here.note(
            "the exception handler is an async function, which WSGI cannot run",
            "Write `def` in place of `async def`.",
        )
    for catch in catches_in(member.tag):
        if not is_status(catch.status):
            here.note(
                f"the status {catch.status!r} of @catch is not a final HTTP status",
                "Write a number from 200 to 599, or leave the status out.",
            )
    note_module(function, here)
    note_returns(function, "catch", 404, here)
    note_forgotten_return(function, here)


def _note_foreign_variables(plan: Plan, only_of_some: AbstractSet[str], here: Place) -> None:
    """Report parameters that would be read from the query, but seem to be variables of the path."""
    for parameter in plan.parameters:
        is_implied = isinstance(parameter.marker, QueryMarker) and not parameter.marked
        # A parameter with a default receives its default.
        if is_implied and parameter.name in only_of_some:
            of_query = f"{parameter.name}: Query[{describe(parameter.field.annotation)}]"
            here.note(
                f"parameter {parameter.name!r} is a path variable, but the exception handler also"
                " answers requests whose path does not have this variable",
                "Store the value in the exception. If you mean a value of the query, write"
                f" {of_query}.",
            )


# An unannotated parameter of such a name does not take the error.
_OTHERS = ("request", "req", "session")


def _annotation_for(name: str, union: str) -> str:
    if name in _OTHERS:
        return f"Write {name}: {'session' if name == 'session' else 'Request'}."
    return f"Write {name}: {union}."


def _note_wrong_errors(
    types: tuple[type[Exception], ...], errors: Sequence[Declared], here: Place
) -> None:
    """Report the mistakes of the parameter that takes the error."""
    union = " | ".join(kind.__name__ for kind in types)
    for declared in errors:
        name = declared.name
        kind: Any = bare(declared.annotation)[0]
        if declared.annotation is EMPTY:
            here.note(f"parameter {name!r} has no annotation", _annotation_for(name, union))
            continue
        missed = [caught for caught in types if not issubclass(caught, get_args(kind) or (kind,))]
        if missed:
            here.note(
                f"parameter {name!r} takes {describe(kind)}, but the method also catches"
                f" {' and '.join(caught.__name__ for caught in missed)}",
                f"Write {name}: {union}.",
            )
    if len(errors) > 1:
        here.note(
            f"parameters {' and '.join(repr(parameter.name) for parameter in errors)} all receive"
            " the exception",
            "Keep one of these parameters. Annotate it with a union of the caught types.",
        )


def _catchers(member: Member, plan: Plan, method: Callable[..., object]) -> Iterator[Catcher]:
    """Yield one exception handler for each @catch of a method."""
    where, promise = location(member.function), promise_of(member.function)
    error = next(iter(_errors(member.function)), None)
    for catch in catches_in(member.tag):
        yield Catcher(catch.types, where, catch.status, promise, plan, method, catch.of, error)


def _rules_of(member: Member, rules: Sequence[tuple[str, str]]) -> list[str]:
    """List the URL rules of the handlers whose errors an exception handler answers."""
    catches = catches_in(member.tag)
    names = {name for catch in catches for name in catch.of}
    is_for_all = not all(catch.of for catch in catches)
    return [rule for name, rule in rules if is_for_all or name in names]


def _note_unknown_handlers(member: Member, names: AbstractSet[str], report: Report) -> None:
    for name in (name for catch in catches_in(member.tag) for name in catch.of):
        if name not in names:
            report.at(member.function).note(
                f"@catch(..., of={name}) names a method that is not a handler of this controller",
                "Name a method that has @get, @post or another verb in the same controller.",
            )


def _errors(function: Callable[..., object]) -> list[tuple[int, Declared]]:
    """List the parameters that take the error, with their indexes."""
    declared = read_parameters(function)
    return [(at, parameter) for at, parameter in enumerate(declared) if _takes_error(parameter)]


def _unannotated(declared: Sequence[Declared], others: Container[str]) -> list[Declared]:
    """Return a list with the unannotated parameter that probably takes the error, or an empty list.

    `others` are the names of parameters that take other values.
    """
    found = [
        parameter
        for parameter in declared
        if parameter.annotation is EMPTY and not parameter.variadic
        if parameter.name not in others and parameter.default is EMPTY
    ]
    # In some frameworks, such a method takes the request and then the error.
    return [one for one in found if one.name not in _OTHERS][:1] or found[:1]


def _takes_error(declared: Declared) -> bool:
    kind = bare(declared.annotation)[0]
    kinds = get_args(kind) or (kind,)
    return all(isinstance(member, type) and issubclass(member, BaseException) for member in kinds)


def _note_duplicates(members: Iterable[Member], report: Report) -> None:
    """Report types that two exception handlers of one layer catch."""
    first: dict[tuple[type, tuple[str, ...]], str] = {}
    for member in members:
        where = location(member.function)
        found = [(kind, catch.of) for catch in catches_in(member.tag) for kind in catch.types]
        for kind, of in found:
            other = first.setdefault((kind, of), where)
            if other != where:
                report.note(
                    where,
                    f"{kind.__name__} is also caught by {other}",
                    "Remove one of the two exception handlers, or let one of them catch a more"
                    " specific type.",
                )


def _is_answer(error: Exception) -> bool:
    """Return whether a handler has raised an answer, such as a redirect, and not an error."""
    if not isinstance(error, HTTPException):
        return False
    return error.response is not None if error.code is None else error.code < 400


def _compile(catcher: Catcher, kind: type) -> Callable[[Exception, Context], Rendered]:
    """Return the function that answers an error that is caught as the given type."""
    renderers_of = lru_cache(partial(Renderers, catcher.where, promise=catcher.promise))
    gather = compile_call(catcher.plan, lambda *args, **kwargs: (args, kwargs))
    pass_on = _passing(catcher)

    def answer(error: Exception, context: Context) -> Rendered:
        arguments: Any = gather(context)
        result = pass_on(error, *arguments)
        status = catcher.status or _status_of(error, kind)
        takes_status = not isinstance(result, Response)
        if isinstance(result, Result):
            takes_status = result.takes_status
        line, headers, body = renderers_of(status)[type(result)](result, context.environ)
        http_error = as_http_error(error)
        if http_error and http_error.code == status and takes_status:
            given = {name.lower() for name, _ in headers}
            own = own_headers(http_error, context.environ)
            headers = [*headers, *(header for header in own if header[0].lower() not in given)]
        return line, headers, body

    return answer


def _status_of(error: Exception, kind: type) -> int | None:
    """Return the status of an error; None if the exception handler's result decides."""
    if isinstance(error, HTTPException):
        return error.code or InternalServerError.code
    return error.status if isinstance(error, SessionError) else usual_status(kind)


def _passing(
    catcher: Catcher,
) -> Callable[[Exception, tuple[object, ...], Mapping[str, object]], object]:
    """Return a function that calls the method of an exception handler.

    If a parameter of the method takes the error, the function passes the error.
    """
    method = catcher.method
    if catcher.error is None:
        return lambda error, args, kwargs: method(*args, **kwargs)
    at, declared = catcher.error
    if declared.keyword_only:
        return lambda error, args, kwargs: method(*args, **kwargs, **{declared.name: error})
    return lambda error, args, kwargs: method(*args[:at], error, *args[at:], **kwargs)
