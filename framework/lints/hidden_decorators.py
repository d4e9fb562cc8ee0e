"""Decorators that are lost, because a decorator above them does not use functools.wraps."""

import gc
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from types import FunctionType, GetSetDescriptorType, ModuleType, NoneType
from typing import Any

from framework.decorators import CATCHES, COMPONENT, GUARDS, ROUTES, verbs_in
from framework.report import Report
from framework.types.fitting import subclasses
from framework.types.members import tag_of
from framework.types.signatures import REMEMBERED

_NAMES = {GUARDS: "@guard", CATCHES: "@catch", COMPONENT: "@component"}
# A wrapper refers to its function within a few steps; a cache or an engine may refer to everything.
_NEAR = 1000
# A value of one of these types cannot refer to a function.
_PLAIN = (NoneType, bool, int, float, str, bytes)
# What a handler keeps without referring to another function.
_KNOWN = frozenset((ROUTES, *REMEMBERED))


class HiddenDecorators:
    """Find decorators that are lost because a wrapper does not use functools.wraps."""

    def note(self, target: type, report: Report) -> set[str]:
        """Report each method whose decorators are lost, and return the names of those methods."""
        lost: set[str] = set()
        # The last base is `object`, whose methods hide nothing.
        for base in target.__mro__[:-1]:
            for name, found in vars(base).items():
                if not _holds_nothing(found):
                    for written, hidden in self._hidden(found, f"{base.__qualname__}.{name}"):
                        lost.add(name)
                        _note_lost(written, hidden, found, report)
        return lost

    def _hidden(self, found: object, name: str) -> Iterator[tuple[FunctionType, list[str]]]:
        """Search a class member; yield each function that lost decorators, and these decorators."""
        mine = list(_wrapped(found))
        for layer in _functions_in(found):
            lost = [
                written
                for key in (ROUTES, *_NAMES)
                for written in _written(key, _missing(layer, found, key))
            ]
            inner = list(_functions_in(layer)) if lost else []
            own = next(
                (function for function in inner if _is_hidden(function, layer, mine, name)), None
            )
            # A wrapper may also refer to methods of other classes, and to other methods of this.
            if own is not None or (lost and not self._is_elsewhere(inner)):
                yield own or layer, lost

    def _is_elsewhere(self, functions: list[FunctionType]) -> bool:
        """Return whether a class has one of these functions as a member."""
        return any(id(function) in self._members for function in functions)

    @cached_property
    def _members(self) -> set[int]:
        """Return the `id()` of each member of all classes; this is slow, and rarely needed."""
        found: set[int] = set()
        for target in subclasses(object).values():
            for member in vars(target).values():
                found.update(map(id, _wrapped(member)))
        return found


def _is_hidden(function: FunctionType, layer: FunctionType, mine: list[object], name: str) -> bool:
    """Return whether `function` is the method whose decorators are lost.

    `name` is the qualified name of the method. A member of the class refers to the function
    `layer`, and `layer` refers to `function`. `mine` has this member, and the functions that the
    member wraps with functools.wraps.
    """
    # Through an object such as an application, other methods refer to this one and hide nothing.
    is_mine = any(function is own for own in mine)
    return function is layer if is_mine else function.__qualname__ == name


def _wrapped(member: object) -> Iterator[object]:
    """Yield a member of a class and the functions that it wraps with functools.wraps."""
    seen: set[int] = set()
    while issubclass(type(member), FunctionType | staticmethod | classmethod):
        if id(member) in seen:
            return
        seen.add(id(member))
        yield member
        member = getattr(member, "__wrapped__", None)


def _holds_nothing(member: object) -> bool:
    """Return whether a member refers to no other function; this is true for most members."""
    kind = type(member)
    if kind is not FunctionType:
        is_plain = kind in _PLAIN or kind is GetSetDescriptorType
        return is_plain or not (callable(member) or hasattr(kind, "__get__"))
    function: Any = member
    if function.__closure__ or function.__kwdefaults__ or not function.__dict__.keys() <= _KNOWN:
        return False
    return all(type(default) in _PLAIN for default in function.__defaults__ or ())


def _functions_in(holder: object) -> Iterator[FunctionType]:
    """Yield the functions to which an object refers in any way, the nearest first."""
    seen = {id(holder)}
    found = [holder]
    # The list grows while the loop reads it.
    for item in islice(found, _NEAR):
        # isinstance would ask a lazy object for its class, and so load the object.
        if type(item) is FunctionType:
            yield item
        for held in _held(item)[:_NEAR]:
            if id(held) not in seen and not issubclass(type(held), type | ModuleType):
                seen.add(id(held))
                found.append(held)


def _held(holder: object) -> list[object]:
    if type(holder) is not FunctionType:
        return gc.get_referents(holder)
    # The globals would lead everywhere, and the memory of start-up is not part of the function.
    own = {name: value for name, value in vars(holder).items() if name not in REMEMBERED}
    return gc.get_referents(holder.__closure__, holder.__defaults__, holder.__kwdefaults__, own)


def _missing(layer: FunctionType, found: object, key: str) -> tuple[object, ...]:
    """Return the parts of an inner function's tag that the outer function's tag lacks.

    A tag is what the decorators of the framework store in a function.
    """
    kept = _parts(tag_of(found, key))
    return tuple(
        part for part in _parts(tag_of(layer, key)) if not any(part is other for other in kept)
    )


def _parts(tag: object) -> tuple[object, ...]:
    if tag is None:
        return ()
    return tag if isinstance(tag, tuple) else (tag,)


def _written(key: str, missing: tuple[object, ...]) -> list[str]:
    """List the decorators as they are written, without their arguments."""
    if key == ROUTES:
        return [f"@{verb.method.lower()}" for verb in verbs_in(missing)]
    return [_NAMES[key]] if missing else []


def _note_lost(written: FunctionType, hidden: list[str], member: object, report: Report) -> None:
    do, it = ("does", "it") if len(hidden) == 1 else ("do", "them")
    kind = type(member).__name__
    if kind in ("property", "cached_property"):
        report.at(written).note(
            f"{' and '.join(hidden)} {do} nothing here: @{kind} makes the method an attribute",
            f"Remove @{kind}: a request calls the method.",
        )
        return
    report.at(written).note(
        f"{' and '.join(hidden)} {do} nothing here: a decorator above hides {it}",
        f"Let that decorator use functools.wraps, or move it below {hidden[-1]}.",
    )
