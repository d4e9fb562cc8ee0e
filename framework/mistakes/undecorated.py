"""What a configuration seems to provide, but does not, since nothing decorates it."""

from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any, get_origin

from framework.annotations.signatures import describe, read_return, split
from framework.catching import catches_errors
from framework.components import component_methods
from framework.guards import read_guards
from framework.startup import Problem, location
from framework.wiring.providers import SESSION_CONTAINER, key_of

# What only a component method of a configuration can provide, besides session_container.
_SETTINGS = ("SessionContainer", "HTTPSettings", "Middleware")
_HOOKS = ("on_start", "on_stop")


def undecorated(configurations: Iterable[type]) -> Iterator[Problem]:
    """Report what is silently ignored in configurations."""
    for each in configurations:
        provided = {member.name for member in component_methods(each)}
        forgotten = [
            function
            for name, function in _methods(each)
            if name not in provided and _would_provide(name, function)
        ]
        yield from (_provides_nothing(each, function) for function in forgotten)
        if not forgotten and not provided and not _does_something(each):
            yield _empty(each)


def _methods(target: type) -> Iterator[tuple[str, Callable[..., object]]]:
    names = dict.fromkeys(name for base in target.__mro__ for name in vars(base))
    for name in names:
        found: Any = next(vars(base)[name] for base in target.__mro__ if name in vars(base))
        is_bound_later = issubclass(type(found), staticmethod | classmethod)
        function = found.__func__ if is_bound_later else found
        if issubclass(type(function), FunctionType) and not name.startswith("_"):
            yield name, function


def _would_provide(name: str, function: Callable[..., object]) -> bool:
    if name == SESSION_CONTAINER:
        return True
    kind: Any = key_of(*split(read_return(function)))
    base = get_origin(kind) or kind
    shown = describe(kind)
    names = [each.__name__ for each in getattr(base, "__mro__", ())]
    return any(each in names or shown.startswith(f"list[{each}") for each in _SETTINGS)


def _does_something(target: type) -> bool:
    hooks = any(hasattr(target, name) for name in _HOOKS)
    return hooks or catches_errors(target) or bool(read_guards(target, "", ()))


def _provides_nothing(target: type, function: Callable[..., object]) -> Problem:
    return Problem(
        location(function),
        f"{target.__name__}.{function.__name__} provides nothing: it is not decorated",
        "Put @component above it.",
    )


def _empty(target: type) -> Problem:
    return Problem(
        location(target),
        f"nothing in the configuration {target.__name__} is decorated, so it changes nothing",
        "Put @component above the methods that provide components, or leave the class out.",
    )
