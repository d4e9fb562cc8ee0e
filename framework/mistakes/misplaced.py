"""Decorators of handlers where there is no handler, so that they would do nothing."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain

from framework.catching import CATCHES
from framework.components import is_configuration, tag_of, tagged_members
from framework.controllers import ROUTES, is_controller
from framework.guards import GUARDS
from framework.mistakes.unwrapped import HiddenDecorators
from framework.startup import Problem, location

_MOVE = "Move it to a class decorated with @controller, or remove the decorator."


def misplaced(classes: Iterable[type]) -> Iterator[Problem]:
    """Report guards that guard nothing, handlers that nothing calls, and mixtures of the two."""
    classes = list(classes)
    served = set(chain.from_iterable(map(_served, classes)))
    decorators = HiddenDecorators()
    for each in classes:
        hidden = list(decorators.of(each))
        yield from (problem for _, problem in hidden)
        if is_controller(each):
            yield from _in_controller(each, {name for name, _ in hidden})
        else:
            yield from _elsewhere(each, served)


def _in_controller(target: type, hidden: AbstractSet[str]) -> Iterator[Problem]:
    routes = {member.name for member in tagged_members(target, ROUTES)}
    for member in tagged_members(target, GUARDS):
        # Its verb may be one of those that are hidden.
        if member.name not in routes | hidden:
            yield _guards_nothing(location(member.function), f"{member.name}() is no handler")
    for member in tagged_members(target, CATCHES):
        if member.name in routes:
            yield _both(location(member.function), member.name)


def _served(target: type) -> Sequence[type]:
    """Return the classes whose decorators do something for the sake of this one."""
    if is_controller(target):
        return target.__mro__
    return target.__mro__[1:] if is_configuration(target) else ()


def _elsewhere(target: type, served: AbstractSet[type]) -> Iterator[Problem]:
    name = target.__name__
    for base in target.__mro__:
        if base in served:
            continue
        if tag_of(base, GUARDS) and not is_configuration(target):
            what = f"{name} is neither a controller nor a configuration"
            yield _guards_nothing(location(base), what)
        for key, found in vars(base).items():
            # A class inside a class may be decorated for its own sake.
            if not issubclass(type(found), type):
                yield from _useless(found, key, target)


def _useless(found: object, key: str, target: type) -> Iterator[Problem]:
    tags = [each for each in (ROUTES, GUARDS, CATCHES) if tag_of(found, each)]
    if not tags:
        return
    where, name = location(getattr(found, "__func__", found)), target.__name__
    if ROUTES in tags:
        what = f"{key}() is decorated as a handler, but {name} is no controller"
        yield Problem(where, f"{what}, so no request reaches it", _MOVE)
    elif GUARDS in tags:
        yield _guards_nothing(where, f"{key}() is no handler")
    if CATCHES in tags and not is_configuration(target):
        yield Problem(
            where,
            f"@catch catches nothing here: {name} is neither a controller nor a configuration",
            "Move the method to one of the two, or remove the decorator.",
        )


def _guards_nothing(where: str, why: str) -> Problem:
    return Problem(
        where,
        f"@guard guards nothing here: {why}",
        "Put it on a handler, a controller or a configuration.",
    )


def _both(where: str, name: str) -> Problem:
    return Problem(
        where,
        f"{name}() is decorated with @catch and as a handler, but it cannot be both",
        "Write two methods, which may call a third.",
    )
