"""Python's own errors about a wrong name, call or import: what to write instead.

Such an error says what is wrong, but not how to correct it. The code of this module runs only after
an error.
"""

import inspect
import re
import traceback
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any

from framework.advice import other_frameworks
from framework.advice.arguments import on_an_object
from framework.advice.modules import classes_like, module_in, remedy_for_module
from framework.advice.objects import (
    BY_POSITION,
    MISSING,
    OF_ARGUMENTS,
    OF_CLIENTS,
    OF_LIBRARY,
    OF_REQUESTS,
    OF_RESPONSES,
    PROPERTIES,
)
from framework.report import did_you_mean

# Python's messages about the arguments of a function or a constructor.
_ARGUMENTS = re.compile(
    r"(?P<owner>(?:[\w<>]+\.)*)(?P<name>\w+)\(\)"
    r" (?:got an unexpected keyword argument '(?P<argument>\w+)'"
    r"|missing \d+ required (?:keyword-only|positional) arguments?: (?P<missing>.+)"
    r"|takes .*positional arguments? but \d+ (?:was|were) given"
    r"|takes no arguments)"
)
_SUBSCRIPTED = re.compile(
    r"'(?P<kind>\w+)' object (?:is not subscriptable|does not support item assignment)"
)
_IMPORTED = re.compile(r"cannot import name '(?P<name>\w+)' from '(?P<module>[\w.]+)'")
# The tables for the attributes of an object, by the name of one of its classes.
_ATTRIBUTES = {
    "Application": other_frameworks.OF_APPLICATIONS,
    "Request": OF_REQUESTS,
    "Response": OF_RESPONSES,
    "Client": OF_CLIENTS,
}


def remedy_for(error: BaseException) -> str | None:
    """Return how to correct the program; None if unknown, or if the message already says it."""
    if "Fix: " in str(error):
        return None
    finders = [find for kind, find in _FINDERS.items() if isinstance(error, kind)]
    told = (find(error) for find in (*finders, _of_template, _of_library))
    found = next(filter(None, told), None)
    return found if found is None or found.endswith(".") else _sentence(found)


def note_remedy(error: BaseException) -> None:
    """Add a remedy to an error, so that the log and every traceback show the remedy."""
    try:
        remedy = remedy_for(error)
    # The error is the user's, and its objects may raise anything when they are looked at. Another
    # error must not take its place.
    except Exception:  # noqa: BLE001
        return
    if remedy is not None and not any("Fix: " in note for note in notes_of(error)):
        error.add_note(f"Fix: {remedy}")


def note_once(error: BaseException, note: str) -> None:
    """Add a note to an error, unless the error has this note already.

    An error of a handler comes to the framework again from each middleware around the handler.
    """
    if note not in notes_of(error):
        error.add_note(note)


def notes_of(error: BaseException) -> list[str]:
    """Return the notes that were added to an error."""
    return getattr(error, "__notes__", [])


def _of_import(error: Any) -> str | None:
    found = _IMPORTED.match(str(error))
    if found is not None:
        is_ours = found["module"].partition(".")[0] in ("framework", "sessions")
        return other_frameworks.remedy_for_import(found["name"]) if is_ours else None
    package, _, inner = (error.name or "").partition(".")
    if package not in ("framework", "sessions") or not inner:
        return None
    line = _frames(error)[-1].line or ""
    _, _, names = line.partition(" import ")
    told = (other_frameworks.remedy_for_import(name) for name in re.findall(r"\w+", names))
    return next(filter(None, told), None) or (
        f"there is no {error.name}: import the name from {package} itself"
    )


def _of_name(error: Any) -> str | None:
    name = error.name or ""
    return other_frameworks.remedy_for_import(name) if name else None


def _of_attribute(error: Any) -> str | None:
    owner, name = error.obj, error.name or ""
    if isinstance(owner, ModuleType):
        return _of_module_without(owner, name)
    kinds = owner.__mro__ if isinstance(owner, type) else type(owner).__mro__
    for kind in kinds:
        found = other_frameworks.remedy_in(_ATTRIBUTES.get(kind.__name__, {}), name)
        if found is not None:
            return found
        if name in inspect.get_annotations(kind):
            return (
                f"{kind.__name__}.{name} has an annotation, but no value: let the constructor take"
                f" it, as in def __init__(self, {name}: ...), and set self.{name} = {name}"
            )
    return None


def _of_key(error: Any) -> str | None:
    (key,) = error.args or (None,)
    frame = _last(error)
    if frame is None or not isinstance(key, str):
        return None
    owner = type(frame.f_locals.get("self"))
    names = [kind.__name__ for kind in owner.__mro__]
    if "_Environ" in names:
        return f"set the environment variable {key}, or read os.environ.get({key!r}, ...)"
    if "MutableMapping" in names and owner.__module__.startswith("sessions"):
        return f"write session.get({key!r}) if the value may be missing"
    if "HTTP_HOST" in frame.f_locals.get("environ", {}):
        return (
            'the session is environ["sessions.session"], below SessionMiddleware'
            if key in ("session", "beaker.session", "werkzeug.session")
            else None
        )
    return None


def _of_type(error: Any) -> str | None:
    told = str(error)
    if told == "exceptions must derive from BaseException":
        return (
            "raise an object of an exception class, as in raise NotFound(...), with"
            " from werkzeug.exceptions import NotFound"
        )
    if "'module'" in told or "<module" in told:
        return _of_module(error)
    subscripted = _SUBSCRIPTED.match(told)
    if subscripted is not None:
        return _of_fields(subscripted["kind"], _last(error), _frames(error)[-1].line or "")
    if told.startswith("unhashable type"):
        return "a key must be a text, or another value that cannot change"
    if "object is not callable" in told:
        called = re.findall(r"\.(\w+)\(", _frames(error)[-1].line or "")
        found = [name for name in called if name in PROPERTIES]
        return f"write .{found[-1]} without parentheses: it is a property" if found else None
    return _of_arguments(error)


def _of_module(error: BaseException) -> str | None:
    """Return the remedy for a module that a program has used as a class, a function or a dict."""
    frame = _last(error)
    line = _frames(error)[-1].line or ""
    known = {**frame.f_globals, **frame.f_locals} if frame is not None else {}
    module = module_in(line, known)
    return None if module is None else remedy_for_module(module)


def _of_module_without(module: ModuleType, name: str) -> str | None:
    """Return the remedy for a name that belongs to a class of a module, and not to the module."""
    defined = (getattr(module, found) for found in classes_like(module))
    is_ours = module.__name__ == "sessions.session"
    return (
        remedy_for_module(module) if is_ours or any(hasattr(one, name) for one in defined) else None
    )


def _of_fields(kind: str, frame: FrameType | None, line: str) -> str | None:
    """Return how to read a field of an object, if the program has read the object like a dict."""
    known = frame.f_locals.items() if frame is not None else ()
    fields = re.compile(r"(?P<name>\w+)\[['\"](?P<field>\w+)['\"]\]")
    for name, value in known:
        names = getattr(type(value), "__annotations__", {})
        for used in fields.finditer(line):
            if used["name"] == name and type(value).__name__ == kind and used["field"] in names:
                return f"write {name}.{used['field']}: the fields of {kind} are attributes"
    return None


def _of_arguments(error: BaseException) -> str | None:
    found = _ARGUMENTS.match(str(error))
    frame = _last(error)
    if found is None or frame is None:
        return None
    name = found["name"]
    owner = found["owner"].rstrip(".").rpartition(".")[2]
    if found["missing"] and re.search(rf"\b{owner}\.{name}\(", _frames(error)[-1].line or ""):
        return on_an_object(owner, name)
    if name == "__init__":
        owner, name = "", owner
    if name == "innermost":
        return "write next(request)"
    called = _called(frame, owner, name)
    if not callable(called):
        return None
    try:
        parameters = inspect.signature(called).parameters.values()
    # A function that is written in C may have no signature.
    except (TypeError, ValueError):
        return None
    given = [parameter for parameter in parameters if parameter.name != "self"]
    return _told(called, name, given, found, _frames(error)[-1].line or "")


def _told(
    called: Any,
    name: str,
    parameters: list[inspect.Parameter],
    found: re.Match[str],
    line: str,
) -> str:
    names = [parameter.name for parameter in parameters]
    takes = f"{name} takes {', '.join(names) or 'no arguments'}."
    if found["missing"]:
        told = _of_missing(called, name) or _of_a_class(called, name, line)
        return told or f"Give {found['missing']}. {takes}"
    return _of_names(called, name, names, found["argument"])


def _of_names(called: Any, name: str, names: list[str], argument: str | None) -> str:
    """Return the remedy for an unknown argument, or for too many arguments without a name."""
    takes = f"{name} takes {', '.join(names) or 'no arguments'}."
    if argument is None and (remedy := OF_ARGUMENTS.get(name, {}).get(BY_POSITION)):
        return remedy
    if argument is None:
        parameters = inspect.signature(called).parameters.values()
        by_name = any(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)
        return (
            f"{takes} Give them by name, as in {names[0]}=..., not by position."
            if by_name
            else takes
        )
    known = [*getattr(called, "__mro__", ()), called]
    for kind in known:
        remedy = other_frameworks.remedy_in(OF_ARGUMENTS.get(kind.__name__, {}), argument)
        if remedy is not None:
            return f"{_sentence(remedy)} {takes}"
    guess = did_you_mean(argument, names).removeprefix("; ")
    return f"{guess[:1].upper()}{guess[1:]} {takes}".lstrip()


def _of_missing(called: Any, name: str) -> str | None:
    """Return the remedy for a call of a class without its arguments, or None."""
    if getattr(called, "__dict__", {}).get("__component__") is not None:
        return (
            f"let the framework build {name}: take it as a parameter of the constructor, as in"
            f" def __init__(self, {name.lower()}: {name}), and use that object"
        )
    return OF_ARGUMENTS.get(name, {}).get(MISSING)


def _of_a_class(called: Any, name: str, line: str) -> str | None:
    """Return the remedy for a call such as `@guard(Admins())`, where the class is expected.

    The framework builds the object of the class.
    """
    if not isinstance(called, type):
        return None
    call = rf"\b{name}\("
    if re.search(rf"\bguard\(.*{call}", line):
        return f"Write @guard({name}), the class: the framework builds it with what it needs."
    if re.search(rf"\bAnnotated\[.*{call}", line):
        return f"Write Annotated[..., {name}], the class: the framework builds it."
    if re.search(rf"\b(Application|replace|controllers?)\(.*{call}", line):
        return f"Write {name}, the class, without parentheses: the framework builds it."
    if "__call__" in dir(called):
        return f"Write {name}, the class, in the list of middleware: the framework builds it."
    needs = inspect.get_annotations(vars(called).get("__init__", called)).values()
    if any(getattr(kind, "__component__", None) is not None for kind in needs):
        return (
            f"Decorate {name} with @component, and take it as a parameter of the constructor, as in"
            f" def __init__(self, {name.lower()}: {name}): the framework builds it."
        )
    return None


def _called(frame: FrameType, owner: str, name: str) -> object:
    """Return the function or class that a frame has called; `owner` is the class of a method."""
    found = _candidates({**frame.f_globals, **frame.f_locals}, owner or name)
    if owner:
        found = (getattr(candidate, name, None) for candidate in found)
    return next(filter(callable, found), None)


def _candidates(known: dict[str, Any], name: str) -> Iterator[object]:
    if name in known:
        yield known[name]
    yield from (kind for kind in _kinds(known) if kind.__name__ == name)
    modules = [vars(value) for value in known.values() if isinstance(value, ModuleType)]
    yield from (names[name] for names in modules if name in names)


def _kinds(known: dict[str, Any]) -> Iterator[type]:
    """Yield the classes of the values and of their attributes, each class with its bases."""
    for value in known.values():
        for inner in (value, *getattr(value, "__dict__", {}).values()):
            yield from (inner if isinstance(inner, type) else type(inner)).__mro__


def _of_template(error: BaseException) -> str | None:
    """Return the remedy for an error of Jinja2, which is not always installed."""
    if type(error).__module__ != "jinja2.exceptions":
        return None
    kind = type(error).__name__
    if kind == "UndefinedError":
        missing = re.match(r"'(\w+)' is undefined", str(error))
        if missing is None:
            return None
        return (
            f"give the template its values by name: templates.render(name, request,"
            f" {missing[1]}=...)"
        )
    if kind == "TemplateNotFound":
        return "write the file into the folder of Templates, or correct its name"
    return None


def _of_library(error: BaseException) -> str | None:
    """Return the remedy if Werkzeug raised the error because the program gave it a wrong value."""
    trace = traceback.walk_tb(error.__traceback__)
    frames = [frame for frame, _ in trace if frame.f_globals.get("__name__", "").startswith("werk")]
    names = [frame.f_code.co_name for frame in frames]
    return next((remedy for name, remedy in OF_LIBRARY.items() if name in names), None)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames that have a line of code; some frames of an import have no file.

    If no frame has a line of code, return one empty frame.
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.line]
    return frames or [traceback.FrameSummary("", 0, "", line="")]


def _last(error: BaseException) -> FrameType | None:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return None if trace is None else trace.tb_frame


_FINDERS: dict[type[BaseException], Callable[[Any], str | None]] = {
    ImportError: _of_import,
    NameError: _of_name,
    AttributeError: _of_attribute,
    KeyError: _of_key,
    TypeError: _of_type,
}
