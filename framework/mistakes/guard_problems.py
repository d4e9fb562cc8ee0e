"""What @guard cannot take."""

import inspect
from collections.abc import Sequence

from framework.components import is_configuration, tagged_members
from framework.controllers import ROUTES, is_controller


def require_guards(guards: Sequence[object]) -> None:
    """Raise a TypeError that says what to write instead."""
    if not guards:
        raise TypeError("@guard takes at least one guard: write @guard(LoggedIn)")
    for each in guards:
        if not callable(getattr(each, "check", None)):
            raise TypeError(_no_guard(each))


def _no_guard(given: object) -> str:
    message = "@guard takes classes or instances that have a method check, not"
    # Without parentheses, a decorator is given what it decorates.
    if inspect.isroutine(given) or isinstance(given, staticmethod | classmethod):
        name = f"{getattr(given, '__name__', given)}()"
        return (
            f"{message} the function {name}: if no guard is written, write @guard(LoggedIn); if"
            f" {name} is to be one, make it the method check of a class"
        )
    if isinstance(given, type) and _is_guarded(given):
        return f"{message} {given!r}, which is to be guarded: write @guard(LoggedIn) above it"
    if isinstance(given, type):
        return f"{message} {given!r}: write def check(self) -> bool in {given.__name__}"
    return f"{message} {given!r}: write @guard(LoggedIn), and give LoggedIn def check(self) -> bool"


def _is_guarded(given: type) -> bool:
    """Tell whether a class has handlers, or is what handlers belong to."""
    has_routes = any(True for _ in tagged_members(given, ROUTES))
    return has_routes or is_controller(given) or is_configuration(given)
