"""What is wrong with a guard itself, as far as start-up can see."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Never, NoReturn, TypeVar, get_args, get_origin

from framework.components import is_configuration, tagged_members
from framework.controllers import ROUTES, is_controller
from framework.returns import promised
from framework.signatures import EMPTY, Unresolved, describe
from framework.startup import Problem, location

# What says that the check may return True, that it only raises, or nothing.
_MAY_PASS = (bool, Any, object, EMPTY, Unresolved, Never, NoReturn)


def require_guards(guards: Sequence[object]) -> None:
    """Refuse what @guard cannot take."""
    if not guards:
        raise TypeError("@guard takes at least one guard: write @guard(LoggedIn)")
    for each in guards:
        if not callable(getattr(each, "check", None)):
            raise TypeError(_no_guard(each))


def check_problems(function: Callable[..., object]) -> Iterator[Problem]:
    """Report a check that would let nobody pass."""
    kinds = promised(function)
    if not any(map(_may_pass, kinds)):
        written = " | ".join(map(describe, kinds)).replace("NoneType", "None")
        yield Problem(
            location(function),
            f"the check of the guard returns {written}, but only True lets a request pass",
            "Return True or False, or raise an HTTP error to refuse, and write `-> bool`.",
        )


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


def _may_pass(kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return any(each is True for each in get_args(kind))
    return isinstance(kind, TypeVar) or kind in _MAY_PASS
