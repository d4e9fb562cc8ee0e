"""Find the decorated classes of an application in classes, modules and packages."""

import importlib
import inspect
import pkgutil
import reprlib
from collections.abc import Iterable, Iterator
from types import ModuleType

from framework.decorators import COMPONENT, ROUTES, is_decorated
from framework.middleware import takes_requests
from framework.report import Report, call_site, short_repr
from framework.types.members import tag_of, tagged_members

_DECORATE = "Decorate it: @controller, @component, @service, @repository or @configuration."

_IN_A_CLASS = (
    'Make it a method of a class, as in @controller("/") class Pages, and give the class to'
    " Application."
)
_IN_A_CONFIGURATION = (
    "Make it a method of a class with @configuration, def name(self) -> ..., and give the class to"
    " Application."
)


def find_classes(parts: Iterable[object], report: Report) -> Iterator[type]:
    """Find the decorated classes among the given classes and in the given modules."""
    for part in parts:
        if isinstance(part, ModuleType):
            yield from _classes_of_module(part, report)
        elif isinstance(part, type) and is_decorated(part):
            yield part
        else:
            _note_undecorated(part, report)


def _classes_of_module(module: ModuleType, report: Report) -> list[type]:
    found = [
        value
        for inner in _modules(module, report)
        for value in vars(inner).values()
        if isinstance(value, type) and value.__module__ == inner.__name__ and is_decorated(value)
    ]
    if not found:
        report.note(
            f"Application(…, {module.__name__}, …){call_site()}",
            f"the module {module.__name__!r} defines no decorated class",
            "Decorate a class of the module, or pass the module that defines the decorated class.",
        )
    return found


def _modules(module: ModuleType, report: Report) -> Iterator[ModuleType]:
    """Yield a module and, if it is a package, all modules inside the package."""
    yield module
    for info in pkgutil.iter_modules(getattr(module, "__path__", ()), module.__name__ + "."):
        # Importing __main__ would run the program.
        if info.name.endswith(".__main__"):
            continue
        try:
            inner = importlib.import_module(info.name)
        # A module may raise any error; the other modules are still searched.
        except Exception as error:  # noqa: BLE001
            report.note(
                info.name,
                f"the module cannot be imported: {type(error).__name__}: {error}",
                f"Correct the module; `python -c 'import {info.name}'` shows where it fails.",
            )
        else:
            yield from _modules(inner, report)


def _note_undecorated(part: object, report: Report) -> None:
    if isinstance(part, type):
        _note_class(part, report)
        return
    here = report.at(f"Application(…, {_shown(part)}, …){call_site()}")
    if is_decorated(type(part)):
        name = type(part).__name__
        here.note(
            f"this is an object of {name}, not a class",
            f"Pass {name} itself, without parentheses. The application builds the object.",
        )
    elif isinstance(part, list | tuple | set | frozenset):
        here.note(
            f"this is a {type(part).__name__}, but Application takes classes and modules",
            "Pass the classes one by one: Application(First, Second), or Application(*classes).",
        )
    elif inspect.isroutine(part):
        remedy = _IN_A_CLASS if tag_of(part, COMPONENT) is None else _IN_A_CONFIGURATION
        here.note("this is a function, but Application takes classes and modules", remedy)
    else:
        here.note(
            f"this is {_kind(part)}, but Application takes classes and modules",
            "Pass decorated classes, or modules and packages that define them.",
        )


def _note_class(part: type, report: Report) -> None:
    is_ours = part.__module__.partition(".")[0] in ("framework", "sessions", "werkzeug")
    where = f"Application(…, {part.__name__}, …){call_site()}" if is_ours else part
    hint = _named_elsewhere(part)
    remedy = f"{hint} Otherwise decorate it, for example with @service." if hint else _DECORATE
    if is_ours and tuple(tagged_members(part, ROUTES)):
        remedy = (
            f'Write a class of your own, as in @controller("/files") class Files({part.__name__}),'
            " and give it to Application."
        )
    elif is_ours:
        remedy = hint or (
            f"Return an object of {part.__name__} from a @component method of a configuration, or"
            " leave it out."
        )
    report.at(where).note("the class is passed to Application, but it has no decorator", remedy)


def _shown(part: object) -> str:
    if inspect.isroutine(part):
        return f"{getattr(part, '__name__', part)}"
    return reprlib.repr(part) if isinstance(part, str) else short_repr(part)


def _kind(part: object) -> str:
    return "None" if part is None else f"an object of type {type(part).__name__}"


def _named_elsewhere(part: type) -> str | None:
    """Return advice for a guard, resolver or middleware, which `Application(...)` does not take.

    The result is None for any other class.
    """
    name = part.__name__
    if callable(getattr(part, "check", None)):
        return f"If it is a guard, leave it out: @guard({name}) is enough."
    if callable(getattr(part, "resolve", None)):
        return f"If it is a resolver, leave it out: Annotated[…, {name}] is enough."
    if takes_requests(part):
        return (
            f"If it is middleware, return [{name}] from a configuration's @component method"
            " annotated `-> list[Middleware]`."
        )
    return None
