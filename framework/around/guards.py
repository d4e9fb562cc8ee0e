"""Guards: which guards a handler has, in which order, and how they refuse with 403."""

import logging
import reprlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import NoneType
from typing import Any, get_origin

from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from framework.binding.binder import Supply, bind, read_function
from framework.binding.plan import Plan, compile_call
from framework.decorators import guards_on
from framework.http.context import Context
from framework.injection.graph import Graph
from framework.report import Mistake, Place, location
from framework.types.forgotten_returns import forgotten_verdict
from framework.types.members import method_of
from framework.types.returns import promised
from framework.types.signatures import EMPTY, Unresolved, describe

Call = Callable[[Context], object]

logger = logging.getLogger("framework")


@dataclass(frozen=True)
class Guard:
    """The facts that start-up has read about one guard of one handler."""

    listed: "Listed"
    plan: Plan
    check: Callable[..., object]

    @property
    def name(self) -> str:
        """Return the name of the guard's class, or the repr of an instance."""
        guard = self.listed.guard
        if isinstance(guard, type):
            return describe(guard)
        is_silent = type(guard).__repr__ is object.__repr__
        return f"{describe(type(guard))}(…)" if is_silent else reprlib.repr(guard)


@dataclass(frozen=True)
class Listed:
    """A guard, and the class with this `@guard`: a configuration, controller or base class."""

    guard: object
    brought_by: type
    # Whether the guard is for the whole application, whose handlers have paths of all kinds.
    everywhere: bool = False

    @property
    def checked_by(self) -> type:
        """Return the class that defines the check; guards with the same class share the check."""
        kind = self.guard if isinstance(self.guard, type) else type(self.guard)
        return next((base for base in kind.__mro__ if "check" in vars(base)), kind)


def read_guards(controller: type, name: str, configurations: Iterable[type]) -> list[Listed]:
    """List the guards of a handler, the outermost first."""
    found = [
        *(
            replace(listed, everywhere=True)
            for configuration in configurations
            for listed in _of_class(configuration)
        ),
        *_of_class(controller),
        *_of_method(controller, name),
    ]
    # If a base and its subclass name the same guard, the guard checks only once.
    return [listed for at, listed in enumerate(found) if not _is_among(listed, found[:at])]


def bind_guard(listed: Listed, graph: Graph, supply: Supply) -> Guard:
    """Return a guard with its method `check` and the sources of the method's arguments.

    Raises `Mistake` if the guard has no such method, and Reported for a mistake in the method.
    """
    instance = graph.stand_in(listed.guard)
    function = method_of(instance, "check")
    if function is None:
        kind = describe(type(instance))
        raise Mistake(
            f"the guard is an object of {kind}, which has no method check",
            f"Write def check(self) -> bool in {kind}.",
        )
    where = location(function)
    here = supply.report.at(where)
    declared = read_function(function, "method", here)
    _note_wrong_verdict(function, here)
    plan = bind(declared, where=where, supply=supply)
    here.require_clean()
    return Guard(listed, plan, instance.check)


def _note_wrong_verdict(function: Callable[..., object], here: Place) -> None:
    """Report a check that can never return True, because its return type is not bool."""
    kinds = promised(function)
    if all(map(_is_never_true, kinds)):
        shown = " | ".join("None" if kind in (None, NoneType) else describe(kind) for kind in kinds)
        here.note(
            f"the check of the guard is annotated to return {shown}, but only True lets a"
            " request pass",
            "Write -> bool, and return True to let the request pass. A check may also raise"
            " Unauthorized or Forbidden of werkzeug.exceptions.",
        )
        return
    forgotten = forgotten_verdict(function)
    if forgotten is not None:
        here.note(forgotten.what, forgotten.remedy)


def _is_never_true(kind: Any) -> bool:
    base = get_origin(kind) or kind
    is_known = isinstance(base, type) and base not in (EMPTY, Unresolved, Any)
    return kind is None or (is_known and not issubclass(bool, base))


def guarded(guards: Sequence[Guard], call: Call) -> Call:
    """Return a function that runs `call` if every guard returns True, or else raises Forbidden."""
    if not guards:
        return call
    checks = [(compile_call(guard.plan, guard.check), guard) for guard in guards]
    told: list[Guard] = []

    def checked(context: Context) -> object:
        for check, guard in checks:
            verdict = check(context)
            if verdict is not True:
                if verdict is not False and not any(guard is other for other in told):
                    told.append(guard)
                    _warn(guard, verdict)
                raise Forbidden
        return call(context)

    return checked


def _warn(guard: Guard, verdict: object) -> None:
    """Log a check whose result is not True or False, because the author possibly meant True."""
    remedy = "return a bool"
    if verdict is None:
        remedy = "write `return True` at the end of the check, to let the request pass"
    if isinstance(verdict, Response):
        remedy = "write abort(response), and import it: from werkzeug.exceptions import abort"
    logger.warning(
        "%s returned %s, but only True lets a request pass. Fix: %s",
        location(guard.check),
        "None" if verdict is None else f"an object of type {describe(type(verdict))}",
        remedy,
    )


def _of_class(target: type) -> Iterator[Listed]:
    """Yield the guards of a class, the guards of its bases first."""
    for base in reversed(target.__mro__):
        yield from (Listed(guard, base) for guard in guards_on(base))


def _of_method(target: type, name: str) -> Iterator[Listed]:
    """Yield the guards of a method, the guards of the overridden methods first."""
    for base in reversed(target.__mro__):
        if name in vars(base):
            yield from (Listed(guard, base) for guard in guards_on(vars(base)[name]))


def _is_among(listed: Listed, others: Sequence[Listed]) -> bool:
    return any(listed.guard is other.guard for other in others)
