"""Who may use the session while a request is answered, and how far that goes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from framework.application import Application
from framework.csrf import CSRF, SAFE_METHODS
from framework.middleware import Middleware, uses_session
from framework.plans import Parameter, Plan
from framework.startup import location

_OBJECT = "loaded when it is first touched, saved if it changed"
_REQUEST = "may have it through the request"
_MIDDLEWARE = "may have it: nothing says uses_session = False"
_CSRF = "loaded if a cookie comes and the origin is in doubt; not changed"
_RENEWED = "has it opened, since rolling or save_uninitialized is on"


@dataclass(frozen=True)
class SessionUse:
    """Say who may use the session, and what comes of it."""

    by: str
    how: str


def session_uses(
    application: Application, method: str, plans: Iterable[tuple[str, Plan]]
) -> list[SessionUse]:
    """List who may use the session; the plans are given with the names of what they are for."""
    if application.sessions is None:
        return []
    found = [use for by, plan in plans for use in _of_plan(by, plan)]
    having = {use.by for use in found if use.how != _REQUEST}
    found = [use for use in found if use.how != _REQUEST or use.by not in having]
    for each in application.middleware:
        if isinstance(each, CSRF):
            found += [SessionUse(named(each), _CSRF)] * (method not in SAFE_METHODS)
        elif uses_session(each):
            found.append(SessionUse(named(each), _MIDDLEWARE))
    if application.sessions.opens_every_request:
        found.append(SessionUse("every request", _RENEWED))
    return list(dict.fromkeys(found))


def named(middleware: Middleware) -> str:
    """Name middleware by its place, and the framework's own by its module."""
    target: Any = middleware if hasattr(middleware, "__qualname__") else type(middleware)
    if target.__module__.startswith("framework."):
        return f"{target.__qualname__} ({target.__module__})"
    return location(target)


def _of_plan(by: str, plan: Plan) -> Iterator[SessionUse]:
    for parameter in plan.parameters:
        for part in parameter.flattened():
            how = _how(part)
            if how is not None:
                yield SessionUse(by if part is parameter else part.taken_by, how)


def _how(parameter: Parameter) -> str | None:
    if parameter.source == "request":
        return _REQUEST
    if parameter.source != "session":
        return None
    if parameter.where == parameter.source:
        return _OBJECT
    return f"{parameter.where} is loaded at once, saved if it changed"
