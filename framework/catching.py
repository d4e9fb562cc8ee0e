"""Exception handlers: methods that answer in the place of a handler that raised."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, get_args

from framework.binding import bind_part
from framework.catching_problems import catch_problems
from framework.components import Member, tag, tagged_members
from framework.exchange import Exchange
from framework.injection import Graph
from framework.plans import Plan, compile_call
from framework.responses import Recover, Rendered, Renderers
from framework.signatures import Declared, bare, read_parameters
from framework.startup import Problem, location

CATCHES = "__catches__"

Method = TypeVar("Method", bound=Callable[..., object])


@dataclass(frozen=True)
class Catcher:
    """Hold what start-up knows about one exception handler."""

    types: tuple[type[Exception], ...]
    owner: type
    where: str
    status: int | None
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
    """
    _require_types(types)

    def decorate(method: Method) -> Method:
        tag(method, CATCHES, _Tag(types, status))
        return method

    return decorate


def catches_errors(owner: type) -> bool:
    """Tell whether a class has exception handlers."""
    return any(True for _ in tagged_members(owner, CATCHES))


def read_catchers(owners: Iterable[type], graph: Graph, problems: list[Problem]) -> list[Catcher]:
    """Bind the exception handlers of one layer: of a controller, or of the configurations."""
    catchers: list[Catcher] = []
    for owner in owners:
        for member in tagged_members(owner, CATCHES):
            catcher = _bind(member, owner, graph, problems)
            if catcher is not None:
                problems += _duplicates(catcher, catchers)
                catchers.append(catcher)
    return catchers


def catching(catchers: Sequence[Catcher], recover: Recover) -> Recover:
    """Put exception handlers, the nearest first, before the usual answer to an error."""
    if not catchers:
        return recover
    answers: dict[type, Callable[[Exception, Exchange], Rendered]] = {}
    for each in catchers:
        answer = _compile(each)
        for kind in each.types:
            answers.setdefault(kind, answer)

    def caught(error: Exception, exchange: Exchange) -> Rendered:
        for kind in type(error).__mro__:
            if kind in answers:
                try:
                    return answers[kind](error, exchange)
                # The exception handler may fail, too; nothing catches that a second time.
                except Exception as another:  # noqa: BLE001
                    return recover(another, exchange)
        return recover(error, exchange)

    return caught


def _require_types(types: Sequence[object]) -> None:
    if not types:
        raise TypeError("@catch takes at least one exception: write @catch(LookupError)")
    for each in types:
        if not (isinstance(each, type) and issubclass(each, Exception)):
            raise TypeError(
                f"@catch takes subclasses of Exception, not {each!r}: write @catch(LookupError)"
            )


def _bind(member: Member, owner: type, graph: Graph, problems: list[Problem]) -> Catcher | None:
    where = location(member.function)
    declared = read_parameters(member.function, lambda what, remedy: None)
    errors = [(at, each) for at, each in enumerate(declared) if _takes_error(each)]
    plan = bind_part(
        _without(member.function, [each.name for _, each in errors]),
        where=where,
        path_variables={},
        provide=graph.provide,
        problems=problems,
    )
    if isinstance(member.tag, _Tag):
        found = [each for _, each in errors]
        problems += catch_problems(member.function, member.tag.types, member.tag.status, found)
    if len(errors) > 1:
        problems.append(_two_errors(where, [each.name for _, each in errors]))
    try:
        method = getattr(graph.get(owner), member.name)
    # The graph has reported why there is none.
    except KeyError:
        return None
    if plan is None or not isinstance(member.tag, _Tag):
        return None
    types, status = member.tag.types, member.tag.status
    return Catcher(types, owner, where, status, plan, method, errors[0] if errors else None)


def _takes_error(declared: Declared) -> bool:
    kind = bare(declared.annotation)[0]
    kinds = get_args(kind) or (kind,)
    return all(isinstance(each, type) and issubclass(each, BaseException) for each in kinds)


def _without(function: Callable[..., object], names: list[str]) -> Callable[..., object]:
    """Return a function whose signature lacks the parameters of these names."""
    inner: Any = function.__func__ if isinstance(function, staticmethod) else function
    signature = inspect.signature(inner)
    kept = [each for name, each in signature.parameters.items() if name not in names]

    @wraps(inner)
    def bindable() -> None: ...

    bindable.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    return staticmethod(bindable) if isinstance(function, staticmethod) else bindable


def _compile(catcher: Catcher) -> Callable[[Exception, Exchange], Rendered]:
    renderers = Renderers(catcher.where, catcher.status)
    gather = compile_call(catcher.plan, lambda *args, **kwargs: (args, kwargs))
    pass_on = _passing(catcher)

    def answer(error: Exception, exchange: Exchange) -> Rendered:
        arguments: Any = gather(exchange)
        result = pass_on(error, *arguments)
        return renderers[type(result)](result, exchange.environ)

    return answer


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


def _duplicates(catcher: Catcher, others: Iterable[Catcher]) -> Iterator[Problem]:
    for other in others:
        for kind in set(catcher.types) & set(other.types):
            yield Problem(
                catcher.where,
                f"{kind.__name__} is also caught by {other.where}",
                "Remove one of the two, or let it catch a more specific type.",
            )


def _two_errors(where: str, names: Sequence[str]) -> Problem:
    return Problem(
        where,
        f"parameters {' and '.join(map(repr, names))} each take the error",
        "Keep one of them; give it a union if the method catches several types.",
    )
