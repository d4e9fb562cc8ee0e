"""Guards may refuse a request before its handler's parameters are read."""

import logging
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from werkzeug.exceptions import Forbidden

from framework.annotations.methods import method_of
from framework.annotations.signatures import describe
from framework.binding import bind_part, bind_shared
from framework.components import tag, tag_of
from framework.exchange import Exchange
from framework.injection import Graph
from framework.mistakes.guard_problems import require_guards
from framework.plans import Plan, compile_call
from framework.startup import AlreadyReported, Problem, location

GUARDS = "__guards__"

Target = TypeVar("Target")
Call = Callable[[Exchange], object]

logger = logging.getLogger("framework")


@dataclass(frozen=True)
class Guard:
    """Hold what start-up knows about one guard of one handler."""

    listed: "Listed"
    plan: Plan
    check: Callable[..., object]

    @property
    def name(self) -> str:
        """Return the name of a class, or what an instance shows of itself."""
        guard = self.listed.guard
        if isinstance(guard, type):
            return describe(guard)
        is_silent = type(guard).__repr__ is object.__repr__
        return f"{describe(type(guard))}(…)" if is_silent else reprlib.repr(guard)


def guard(*guards: object) -> Callable[[Target], Target]:
    """Let a request pass to a handler only if `check` of each guard returns True.

    A guard is a class, whose constructor is injected, or an instance. On a controller it guards
    all handlers, on a configuration those of the whole application; subclasses inherit it.
    """
    require_guards(guards)

    def decorate(target: Target) -> Target:
        # Decorators apply from below, readers read from above.
        tag(target, GUARDS, (*guards, *_own(target)))
        return target

    return decorate


@dataclass(frozen=True)
class Listed:
    """Say which class brought a guard: a configuration or a controller, or the base of one."""

    guard: object
    brought_by: type
    # Whether it is for the whole application, whose handlers have paths of all kinds.
    everywhere: bool = False


def read_guards(controller: type, name: str, configurations: Iterable[type]) -> list[Listed]:
    """List the guards of a handler, the outermost first."""
    found = [
        *(
            replace(each, everywhere=True)
            for configuration in configurations
            for each in _of_class(configuration)
        ),
        *_of_class(controller),
        *_of_method(controller, name),
    ]
    # A guard that both a base and its subclass name needs to check once.
    return [each for at, each in enumerate(found) if not _is_among(each, found[:at])]


def bind_guard(
    listed: Listed,
    *,
    path_variables: Mapping[str, type | None],
    graph: Graph,
    problems: list[Problem],
) -> Guard | None:
    """Find what a guard is, and plan its parameters; None if there is a problem."""
    try:
        instance = graph.stand_in(listed.guard, listed.brought_by)
    except AlreadyReported:
        return None
    function = method_of(instance, "check")
    if function is None:
        problems.append(_unchecked(listed, instance))
        return None
    bind = bind_shared if listed.everywhere else bind_part
    plan = bind(
        function,
        where=location(function),
        path_variables=path_variables,
        provide=graph.provide,
        problems=problems,
    )
    return None if plan is None else Guard(listed, plan, instance.check)


def guarded(guards: Sequence[Guard], call: Call) -> Call:
    """Put guards before a call; only True passes."""
    if not guards:
        return call
    checks = [(compile_call(each.plan, each.check), each) for each in guards]
    told: list[Guard] = []

    def checked(exchange: Exchange) -> object:
        for check, guard in checks:
            verdict = check(exchange)
            if verdict is not True:
                if verdict is not False and not any(guard is each for each in told):
                    told.append(guard)
                    _warn(guard, verdict)
                raise Forbidden
        return call(exchange)

    return checked


def _unchecked(listed: "Listed", instance: object) -> Problem:
    kind = describe(type(instance))
    return Problem(
        location(listed.brought_by),
        f"the guard is an object of {kind}, which has no method check",
        f"Write def check(self) -> bool in {kind}.",
    )


def _warn(guard: Guard, verdict: object) -> None:
    """Tell of a check that returns neither True nor False, which may be meant to pass."""
    logger.warning(
        "%s returned an object of type %s, and only True lets a request pass: return a bool",
        location(guard.check),
        describe(type(verdict)),
    )


def _own(target: object) -> tuple[object, ...]:
    tagged: Any = tag_of(target, GUARDS)
    return tagged or ()


def _of_class(target: type) -> Iterator[Listed]:
    """Yield the guards of a class, those of its bases first."""
    for base in reversed(target.__mro__):
        yield from (Listed(each, base) for each in _own(base))


def _of_method(target: type, name: str) -> Iterator[Listed]:
    """Yield the guards of a method, those of what it overrides first."""
    for base in reversed(target.__mro__):
        yield from (Listed(each, base) for each in _own(vars(base).get(name)))


def _is_among(listed: Listed, others: Sequence[Listed]) -> bool:
    return any(listed.guard is other.guard for other in others)
