"""Classes, modules and packages → the decorated classes that make up an application."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from types import ModuleType

from framework.components import is_component, is_configuration
from framework.controllers import is_controller
from framework.mistakes.middleware_calls import takes_requests
from framework.startup import Problem, location

_DECORATE = "Decorate it: @controller, @component, @service, @repository or @configuration."


def find_classes(parts: Iterable[object], problems: list[Problem]) -> Iterator[type]:
    """Find the decorated classes among classes and in modules."""
    for part in parts:
        if isinstance(part, ModuleType):
            yield from _classes_of_module(part, problems)
        elif isinstance(part, type) and _is_decorated(part):
            yield part
        else:
            problems.append(_undecorated(part))


def _classes_of_module(module: ModuleType, problems: list[Problem]) -> list[type]:
    found = [
        value
        for each in _modules(module, problems)
        for value in vars(each).values()
        if isinstance(value, type) and value.__module__ == each.__name__ and _is_decorated(value)
    ]
    if not found:
        problems.append(
            Problem(
                f"Application(…, {module.__name__}, …)",
                f"the module {module.__name__!r} defines no decorated class",
                "Decorate one with @controller, or pass the module that defines it.",
            )
        )
    return found


def _modules(module: ModuleType, problems: list[Problem]) -> Iterator[ModuleType]:
    """Import the modules of a package."""
    yield module
    for info in pkgutil.iter_modules(getattr(module, "__path__", ()), module.__name__ + "."):
        # Importing __main__ would run the program.
        if info.name.endswith(".__main__"):
            continue
        try:
            inner = importlib.import_module(info.name)
        # A module may fail in any way; the others are still looked at.
        except Exception as error:  # noqa: BLE001
            problems.append(
                Problem(
                    info.name,
                    f"the module cannot be imported: {type(error).__name__}: {error}",
                    f"Correct it; `python -c 'import {info.name}'` shows where it fails.",
                )
            )
        else:
            yield from _modules(inner, problems)


def _is_decorated(target: type) -> bool:
    return is_controller(target) or is_component(target) or is_configuration(target)


def _undecorated(part: object) -> Problem:
    if isinstance(part, type):
        hint = _named_elsewhere(part)
        return Problem(
            location(part),
            "the class is given to Application, but nothing says what it is",
            f"{hint} Else decorate it, as with @service." if hint else _DECORATE,
        )
    if _is_decorated(type(part)):
        return Problem(
            f"Application(…, {part!r}, …)",
            f"this is an object of {type(part).__name__}, and no class",
            f"Give {type(part).__name__} itself, without parentheses: the application builds it.",
        )
    if isinstance(part, list | tuple | set | frozenset):
        return Problem(
            f"Application(…, {part!r}, …)",
            f"this is a {type(part).__name__}, but Application takes classes and modules",
            "Give them one by one: Application(First, Second), or Application(*classes).",
        )
    return Problem(
        f"Application(…, {part!r}, …)",
        "this is neither a class nor a module",
        "Give decorated classes, or modules and packages that define them.",
    )


def _named_elsewhere(part: type) -> str | None:
    """Say where a class is named that works without being given to the application."""
    name = part.__name__
    if callable(getattr(part, "check", None)):
        return f"If it is a guard, leave it out: @guard({name}) is enough."
    if callable(getattr(part, "resolve", None)):
        return f"If it is a resolver, leave it out: Annotated[…, {name}] is enough."
    if takes_requests(part):
        return (
            f"If it is middleware, return [{name}] from a @component method of a configuration that"
            " is annotated `-> list[Middleware]`."
        )
    return None
