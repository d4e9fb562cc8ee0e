"""Decorators that another one above them hides, since it lacks functools.wraps."""

import gc
from collections.abc import Iterator
from itertools import islice
from types import FunctionType, ModuleType

from framework.catching import CATCHES
from framework.components import COMPONENT, tag_of
from framework.controllers import ROUTES, verbs
from framework.guards import GUARDS
from framework.startup import Problem, location

_NAMES = {GUARDS: "@guard", CATCHES: "@catch", COMPONENT: "@component"}
# What a decorator made holds what it decorated near by; a cache or an engine may hold the world.
_NEAR = 1000


def hidden_decorators(target: type) -> Iterator[tuple[str, Problem]]:
    """Yield the name of each method whose decorators are lost, with a problem that names them.

    They are on a function that the class knows only through another one, which does not have them.
    """
    for base in target.__mro__:
        for name, found in vars(base).items():
            if callable(found) or hasattr(type(found), "__get__"):
                for written, hidden in _hidden(found, f"{base.__qualname__}.{name}"):
                    yield name, _lost(written, hidden)


def _hidden(found: object, name: str) -> Iterator[tuple[FunctionType, list[str]]]:
    """Yield the functions of a name that a class's member only holds, with what they lose."""
    for layer in _functions_in(found):
        lost = [
            written
            for key in (ROUTES, *_NAMES)
            for written in _written(key, _missing(layer, found, key))
        ]
        # A decorator may also hold methods of other classes.
        inner = (each for each in _functions_in(layer) if each.__qualname__ == name)
        written = next(inner, None) if lost else None
        if written is not None:
            yield written, lost


def _functions_in(holder: object) -> Iterator[FunctionType]:
    """Yield the functions that something holds, however it does that, the nearest first."""
    seen = {id(holder)}
    found = [holder]
    # The list grows as it is read.
    for each in islice(found, _NEAR):
        if isinstance(each, FunctionType):
            yield each
        for held in _held(each)[:_NEAR]:
            if id(held) not in seen and not isinstance(held, type | ModuleType):
                seen.add(id(held))
                found.append(held)


def _held(holder: object) -> list[object]:
    if not isinstance(holder, FunctionType):
        return gc.get_referents(holder)
    # Its globals would lead everywhere.
    return gc.get_referents(
        holder.__closure__, holder.__defaults__, holder.__kwdefaults__, holder.__dict__
    )


def _missing(layer: FunctionType, found: object, key: str) -> tuple[object, ...]:
    """Return what a tag of an inner function says, and that of the outer one does not."""
    kept = _parts(tag_of(found, key))
    return tuple(
        each for each in _parts(tag_of(layer, key)) if not any(each is other for other in kept)
    )


def _parts(tag: object) -> tuple[object, ...]:
    if tag is None:
        return ()
    return tag if isinstance(tag, tuple) else (tag,)


def _written(key: str, missing: tuple[object, ...]) -> list[str]:
    if key == ROUTES:
        return verbs(missing)
    return [_NAMES[key]] if missing else []


def _lost(written: FunctionType, hidden: list[str]) -> Problem:
    do, it = ("does", "it") if len(hidden) == 1 else ("do", "them")
    return Problem(
        location(written),
        f"{' and '.join(hidden)} {do} nothing here: a decorator above hides {it}",
        f"Let that decorator use functools.wraps, or move it below {hidden[-1]}.",
    )
