"""Decorators that have no effect where they are, and configurations without decorators."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from types import FunctionType
from typing import Any

from framework.around.guards import read_guards
from framework.decorators import (
    CATCHES,
    GUARDS,
    ROUTES,
    component_methods,
    is_configuration,
    is_controller,
)
from framework.injection.providers import key_of
from framework.lints.hidden_decorators import HiddenDecorators
from framework.lints.program import Program
from framework.middleware import is_about_middleware
from framework.report import Report, location
from framework.types.members import tag_of, tagged_members, tagged_names
from framework.types.signatures import read_return, split

_MOVE = "Move it to a class decorated with @controller, or remove the decorator."
_HOOKS = ("on_start", "on_stop")


def note_misplaced(program: Program, report: Report) -> None:
    """Report guards that guard nothing, and handlers or exception handlers that nothing calls."""
    served = set(chain.from_iterable(map(_served, program.classes)))
    decorators = HiddenDecorators()
    for target in program.classes:
        hidden = decorators.note(target, report)
        if is_controller(target):
            _note_in_controller(target, hidden, report)
        else:
            _note_elsewhere(target, served, report)


def note_undecorated(program: Program, report: Report) -> None:
    """Report configurations and their methods that do nothing, because a decorator is missing."""
    # Only a component method of a configuration can provide these types.
    types = tuple(known.key for known in program.graph.known if known.is_for_users)
    methods = {known.method for known in program.graph.known}
    for target in program.configurations:
        provided = {member.name for member in component_methods(target)}
        forgotten = [
            function
            for name, function in _methods(target)
            if name not in provided and (name in methods or _would_provide(function, types))
        ]
        for function in forgotten:
            report.at(function).note(
                f"{target.__name__}.{function.__name__} provides nothing: it is not decorated",
                "Put @component above the method.",
            )
        if not forgotten and not provided and not _does_something(target):
            report.at(target).note(
                f"nothing in the configuration {target.__name__} is decorated, so it changes"
                " nothing",
                "Put @component above the methods that provide components, or leave the class out.",
            )


def _note_in_controller(target: type, hidden: AbstractSet[str], report: Report) -> None:
    routes = set(tagged_names(target, ROUTES))
    # Another decorator may hide the verb of the member, which is another mistake.
    if not routes | hidden >= set(tagged_names(target, GUARDS)):
        for member in tagged_members(target, GUARDS):
            if member.name not in routes | hidden:
                what = f"{member.name}() is not a handler"
                _note_idle_guard(location(member.function), what, report)
    for member in tagged_members(target, CATCHES):
        if member.name in routes:
            report.at(member.function).note(
                f"{member.name}() is decorated with @catch and as a handler, but it cannot be both",
                "Write two methods. Both can call a third method.",
            )


def _served(target: type) -> Sequence[type]:
    """Return the classes whose decorators have an effect in `target`.

    For a controller, these are the controller and its bases. For a configuration, these are only
    the bases.
    """
    if is_controller(target):
        return target.__mro__
    return target.__mro__[1:] if is_configuration(target) else ()


def _note_elsewhere(target: type, served: AbstractSet[type], report: Report) -> None:
    name = target.__name__
    for base in target.__mro__:
        if base in served:
            continue
        if tag_of(base, GUARDS) and not is_configuration(target):
            what = f"{name} is neither a controller nor a configuration"
            _note_idle_guard(location(base), what, report)
        for key, found in vars(base).items():
            # The decorators of a class inside a class belong to the inner class.
            if not issubclass(type(found), type):
                _note_useless(found, key, target, report)


def _note_useless(found: object, key: str, target: type, report: Report) -> None:
    tags = [tag for tag in (ROUTES, GUARDS, CATCHES) if tag_of(found, tag)]
    if not tags:
        return
    where, name = location(getattr(found, "__func__", found)), target.__name__
    if ROUTES in tags:
        what = f"{key}() is decorated as a handler, but {name} is not a controller"
        report.note(where, f"{what}, so no request reaches it", _MOVE)
    elif GUARDS in tags:
        _note_idle_guard(where, f"{key}() is not a handler", report)
    if CATCHES in tags and not is_configuration(target):
        report.note(
            where,
            f"@catch catches nothing here: {name} is neither a controller nor a configuration",
            "Move the method to a controller or a configuration, or remove the decorator.",
        )


def _note_idle_guard(where: str, why: str, report: Report) -> None:
    report.note(
        where,
        f"@guard guards nothing here: {why}",
        "Put @guard on a handler, a controller or a configuration.",
    )


def _methods(target: type) -> Iterator[tuple[str, Callable[..., object]]]:
    names = dict.fromkeys(name for base in target.__mro__ for name in vars(base))
    for name in names:
        found: Any = next(vars(base)[name] for base in target.__mro__ if name in vars(base))
        is_bound_later = issubclass(type(found), staticmethod | classmethod)
        function = found.__func__ if is_bound_later else found
        if issubclass(type(function), FunctionType) and not name.startswith("_"):
            yield name, function


def _would_provide(function: Callable[..., object], types: tuple[type, ...]) -> bool:
    kind: Any = key_of(*split(read_return(function)))
    is_known = isinstance(kind, type) and issubclass(kind, types)
    return is_known or is_about_middleware(kind)


def _does_something(target: type) -> bool:
    hooks = any(hasattr(target, name) for name in _HOOKS)
    catches = any(True for _ in tagged_members(target, CATCHES))
    return hooks or catches or bool(read_guards(target, "", ()))
