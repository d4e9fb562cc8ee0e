"""Components that are built for each request.

Their parameters get values in the same way as the parameters of a handler.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from werkzeug.wrappers import Request

from framework.binding.binder import Path, Supply, bind
from framework.binding.inject import InjectMarker
from framework.binding.plan import Plan, compile_call
from framework.binding.resolver import marker_of
from framework.binding.session import is_session
from framework.http.context import PerRequest
from framework.http.scope import Ending
from framework.injection.providers import Provider
from framework.report import Report
from framework.types.signatures import EMPTY, Declared, Unresolved, read_parameters


def per_request(
    provider: Provider,
    make: Callable[..., Any],
    *,
    provide: Callable[[object], object],
    report: Report,
) -> PerRequest:
    """Return the function that makes a request's component; raise Reported on a mistake."""
    plan = Plan(())
    if provider.signature is not None:
        here = report.at(provider.written)
        declared = read_parameters(provider.signature, here)
        plan = bind(
            [_injected(parameter) for parameter in declared if not parameter.variadic],
            where=here.where,
            supply=Supply(report=report, provide=provide, variables={}, path=Path.ANY),
        )
        here.require_clean()
    made = _ending(provider, make) if provider.ends else make
    return PerRequest(compile_call(plan, made), plan.parameters, ends=provider.ends)


def _ending(provider: Provider, make: Callable[..., Any]) -> Callable[..., Any]:
    where = provider.where
    return lambda *values, **named: Ending(make(*values, **named), where)


def _injected(declared: Declared) -> Declared:
    """Return the parameter with the marker `Inject`, so that it gets a component.

    A parameter is returned unchanged if it has a marker, if it takes the request or the session, or
    if its annotation is missing or cannot be evaluated.
    """
    kind = declared.annotation
    is_mistake = kind in (EMPTY, Unresolved)
    is_marked = any(marker_of(element) for element in declared.metadata)
    if is_mistake or is_marked or kind is Request or is_session(kind):
        return declared
    return replace(declared, metadata=(*declared.metadata, InjectMarker()))
