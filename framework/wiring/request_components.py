"""How a component that each request has anew is made, planned like the call of a handler."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from werkzeug.wrappers import Request

from framework.annotations.signatures import (
    EMPTY,
    Declared,
    Unresolved,
    annotated,
    read_parameters,
    signature_of,
)
from framework.binding import bind_part
from framework.markers import InjectMarker
from framework.plans import Plan, compile_call
from framework.sources.resolvers import source_of
from framework.startup import Problem
from framework.wiring.makers import Maker
from framework.wiring.providers import Provider
from framework.wiring.scopes import Ending
from sessions.session import AsyncSession, Session

_NOTHING = Plan((), {})


def request_maker(
    provider: Provider,
    make: Callable[..., Any],
    *,
    provide: Callable[[object], object],
    problems: list[Problem],
) -> Maker | None:
    """Return what makes the component in a request; None if there is a problem."""
    plan: Plan | None = _NOTHING
    if provider.signature is not None:
        plan = bind_part(
            _injected(provider.signature),
            where=provider.place,
            path_variables={},
            provide=provide,
            problems=problems,
        )
    if plan is None:
        return None
    made = _ending(provider, make) if provider.ends else make
    return Maker(compile_call(plan, made), plan.parameters, ends=provider.ends)


def _ending(provider: Provider, make: Callable[..., Any]) -> Callable[..., Any]:
    where = provider.where
    return lambda *values, **named: Ending(make(*values, **named), where)


def _injected(function: Callable[..., object]) -> Callable[..., object]:
    """Return a function like a constructor, whose parameters say that they are components.

    Those that belong to the request say so themselves, by their types or their markers.
    """
    inner: Any = function.__func__ if isinstance(function, staticmethod) else function
    declared = {each.name: each for each in read_parameters(function)}
    parameters = [
        each.replace(annotation=_annotation(declared[name])) if name in declared else each
        for name, each in signature_of(inner).parameters.items()
        if name not in declared or not declared[name].variadic
    ]

    @wraps(inner)
    def bindable() -> None: ...

    bindable.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return staticmethod(bindable) if isinstance(function, staticmethod) else bindable


def _annotation(declared: Declared) -> Any:
    kind = declared.annotation
    written = annotated(kind, declared.metadata)
    # What these two are is a problem, which binding reports.
    if kind in (EMPTY, Unresolved) or any(source_of(each) for each in declared.metadata):
        return written
    if kind is Request or (isinstance(kind, type) and issubclass(kind, Session | AsyncSession)):
        return written
    return annotated(kind, (*declared.metadata, InjectMarker()))
