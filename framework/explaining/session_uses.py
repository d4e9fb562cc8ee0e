"""The parts of a program that possibly use the session while a request is answered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from framework.binding.plan import Plan
from framework.binding.source import Needs, Parameter
from framework.dispatch.steps import (
    CatchErrors,
    CheckGuard,
    PassMiddleware,
    ReadArguments,
    SaveSession,
    Step,
    only,
)
from framework.middleware import ExplainedMiddleware, Middleware, uses_session
from framework.report import location
from sessions.manager import SessionManager

_REQUEST = "may use it through the request"
_MIDDLEWARE = "may use it: uses_session = False is not set"
_OPENING_SETTINGS = ("rolling", "save_uninitialized")
_IN_LINKS = "keeps a token in the URL from caches and other sites, because of a URLTransport"


@dataclass(frozen=True)
class SessionUse:
    """A part of the program that possibly uses the session, and how the part uses it."""

    by: str
    how: str


def session_uses(steps: Sequence[Step], method: str) -> list[SessionUse]:
    """List the parts of the program that possibly use the session.

    If no step saves a session, the list is empty.
    """
    saving = only(steps, SaveSession)
    if not saving:
        return []
    found = [use for step in _sorted_uses(steps) for use in _of_step(step)]
    having = {use.by for use in found if use.how != _REQUEST}
    found = [use for use in found if use.how != _REQUEST or use.by not in having]
    found += [use for step in only(steps, PassMiddleware) for use in _of_middleware(step, method)]
    found += [SessionUse("every request", how) for step in saving for how in _always(step.manager)]
    return list(dict.fromkeys(found))


def _always(manager: SessionManager) -> Iterator[str]:
    """Yield each reason why every request opens its session, such as a setting."""
    names = [name for name in _OPENING_SETTINGS if getattr(manager.container, name)]
    if names:
        yield f"opens it, because of {' and '.join(names)}"
    if any(transport.in_links for transport in manager.tokens.transports):
        yield _IN_LINKS


def named(middleware: Middleware) -> str:
    """Return the middleware's name with its file and line, or with its module in the framework."""
    target: Any = middleware if hasattr(middleware, "__qualname__") else type(middleware)
    if target.__module__.startswith("framework."):
        return f"{target.__qualname__} ({target.__module__})"
    return location(target)


def _sorted_uses(steps: Sequence[Step]) -> list[Step]:
    """Return the steps in order: the handler first, then its guards, then exception handlers."""
    first = [*only(steps, ReadArguments), *only(steps, CheckGuard)]
    return [*first, *only(steps, CatchErrors)]


def _of_step(step: Step) -> Iterator[SessionUse]:
    for by, plan in step.plans:
        yield from _of_plan(by, plan)


def _of_middleware(step: PassMiddleware, method: str) -> Iterator[SessionUse]:
    middleware = step.middleware
    if isinstance(middleware, ExplainedMiddleware):
        how = middleware.session_use(method)
    else:
        how = _MIDDLEWARE if uses_session(middleware) else None
    if how is not None:
        yield SessionUse(named(middleware), how)


def _of_plan(by: str, plan: Plan) -> Iterator[SessionUse]:
    for parameter in plan.parameters:
        for part in parameter.flattened():
            how = _how(part)
            if how is not None:
                yield SessionUse(by if part is parameter else part.taken_by, how)


def _how(parameter: Parameter) -> str | None:
    if Needs.SESSION in parameter.needs:
        return parameter.marker.session_use(parameter.field)
    return _REQUEST if Needs.REQUEST in parameter.needs else None
