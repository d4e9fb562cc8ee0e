"""Mistakes in the injection of components: types that nothing provides, cycles, wrong scopes."""

import inspect
import os
import sys
import traceback
from collections.abc import AsyncGenerator, Collection, Coroutine, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, get_args, get_origin

import injector
from werkzeug.wrappers import Request

from framework.advice.errors import remedy_for
from framework.advice.our_frames import frames_of, is_ours
from framework.binding.inject import NotProvided
from framework.binding.session import is_session
from framework.binding.source import Brackets
from framework.decorators import component_methods, is_component, is_configuration, is_controller
from framework.injection.providers import Absent, Known, Provider, item_of, key_of
from framework.middleware import is_about_middleware, takes_requests
from framework.report import Mistake, location, readable_path
from framework.types.conversion import TEXTS, is_scalar
from framework.types.fitting import fits, is_protocol, subclasses
from framework.types.members import types_of
from framework.types.signatures import (
    Declared,
    annotated_names,
    bare,
    describe,
    read_return,
    split,
)

_MOST_PLACES = 5
_PYTHON = os.path.dirname(os.__file__)
# The frames of this code in a traceback say nothing about the mistake.
_PACKAGE = Path(__file__).parent.parent
_OWN_FOLDERS = tuple(f"{folder}{os.sep}" for folder in (_PACKAGE, Path(injector.__file__).parent))


def not_provided(key: Any, components: Collection[type], absent: Iterable[Absent]) -> NotProvided:
    """Return the mistake of a parameter whose type nothing provides."""
    name = describe(key)
    if isinstance(key, Brackets) or key is Request or is_session(key):
        return _without_type(key) if isinstance(key, Brackets) else of_one_request(name)
    for missing in absent:
        if key is missing.key:
            return NotProvided(missing.what, missing.remedy)
    left_out = _left_out(key, components)
    if left_out is not None:
        return NotProvided(
            f"nothing provides {name}, because {left_out} is not passed to the Application",
            f"Pass {left_out} to the Application.",
        )
    chosen = [candidate for candidate in components if implements(candidate, key)]
    if len(chosen) > 1:
        return _several(key, chosen)
    if is_abstract(key):
        return _abstract(key, components)
    if is_scalar(key, TEXTS):
        return NotProvided(
            f"nothing provides {name}",
            "Give the parameter a default value, or ask for a class of settings that a @component"
            " method returns.",
        )
    return NotProvided(f"nothing provides {name}", _remedy(key, name))


def _without_type(key: Brackets) -> NotProvided:
    return NotProvided(
        "the annotation names no type", f"Write the type in brackets, as in {key.example}."
    )


def of_one_request(name: str) -> NotProvided:
    """Return the mistake of a component that asks for an object of one request."""
    return NotProvided(
        f"{name} belongs to one request, but components live longer",
        "Take it as a parameter of the handler, and pass it to the component from there.",
    )


def unannotated(name: str) -> NotProvided:
    """Return the mistake of a parameter without an annotation."""
    if name in ("app", "application"):
        return NotProvided(
            "it has no annotation, so nothing says what to inject", f"Write {name}: Application."
        )
    if name in ("get_response", "call_next", "next"):
        return NotProvided(
            "it has no annotation, so nothing says what to inject",
            "If the class is middleware, leave the parameter out, and write"
            " `def __call__(self, request: Request, next: Next) -> Response:`.",
        )
    return NotProvided(
        "it has no annotation, so nothing says what to inject",
        "Annotate the parameter with the type of the component, or give it a default value.",
    )


def is_abstract(key: Any) -> bool:
    """Return whether a type is an abstract class or a protocol, which cannot be built."""
    return isinstance(key, type) and (inspect.isabstract(key) or is_protocol(key))


def implements(candidate: object, key: Any) -> bool:
    """Return whether a class inherits from another class, or from a type such as `Repo[int]`."""
    if not isinstance(candidate, type) or candidate is key:
        return False
    origin, arguments = get_origin(key), get_args(key)
    if origin is None:
        return key in candidate.__mro__
    return tuple(types_of(candidate).get(origin, {}).values()) == arguments


def cycle(providers: Sequence[Provider]) -> Mistake:
    """Return the mistake of providers in a circle: each provider needs the next one."""
    first = providers[0]
    drawing = "\n→ ".join(provider.where for provider in (*providers, first))
    return Mistake(
        f"these components need each other, so no component can be built first:\n{drawing}",
        "Break the circle, for example by moving the code that two of the components share into a"
        " third component.",
        where=first.where,
    )


def lacking(provider: Provider, declared: Declared, missing: NotProvided) -> Mistake:
    """Report a parameter with a type for which there is no component."""
    what, remedy = f"parameter {declared.name!r}: {missing.what}", missing.remedy
    example = _made_by_hand(provider) if is_scalar(declared.annotation, TEXTS) else None
    if example is not None:
        remedy = f"Write {example} with its value. Or {remedy[:1].lower()}{remedy[1:]}"
    return Mistake(what, remedy)


def captive(trail: Sequence[Provider], need: Provider) -> Mistake:
    """Return the mistake of a component that is built once, but needs a component of a request."""
    drawing = "\n→ ".join(provider.where for provider in (*trail, need))
    needed = describe(need.keys[0])
    return Mistake(
        f"{trail[-1].name} is built once, but {needed} is built for each request:\n{drawing}",
        _release(trail[-1], needed),
        where=trail[-1].where,
    )


def short_lived(provider: Provider) -> Mistake:
    """Report a controller, a guard or middleware that would be built for each request."""
    return Mistake(
        f'{provider.name} has scope="request", but controllers, guards and middleware are built'
        " once",
        "Remove the scope, and let a method take the values that belong to the request.",
        where=provider.where,
    )


def raised(provider: Provider, error: Exception) -> Mistake:
    """Show the error of a constructor or component method, without the framework's first frames."""
    trace = error.__traceback__
    while trace is not None and _is_own(trace):
        trace = trace.tb_next
    usual = "Correct the cause of this exception. Start-up runs every constructor once."
    said = _said(provider, error)
    if said is not None:
        return said
    shown = "".join(traceback.format_exception(type(error), error, trace)).rstrip()
    return Mistake(
        f"{provider.name} cannot be built: {type(error).__name__}: {error}\n{shown}",
        remedy_for(error) or usual,
        where=provider.where,
    )


def _said(provider: Provider, error: Exception) -> Mistake | None:
    """Return a mistake with the remedy of this framework's error; None for other errors.

    The mistake also names the line of the application that led to the error. Return None, too, if
    the error has no remedy, or if no such line exists.
    """
    frames = list(frames_of(error.__traceback__))
    if not frames or not is_ours(frames[-1]) or ". Fix: " not in str(error):
        return None
    what, _, remedy = str(error).partition(". Fix: ")
    named = [(frame.tb_frame.f_code.co_filename, frame) for frame in frames]
    users = [
        (file, frame.tb_lineno)
        for file, frame in named
        # The methods of a dataclass have no file.
        if not (file.startswith("<") or _is_own(frame) or is_ours(frame))
    ]
    if not users or "\n" in str(error):
        return None
    file, line = users[-1]
    return Mistake(
        f"{what} ({readable_path(file)}:{line})",
        f"{remedy[:1].upper()}{remedy[1:].rstrip('.')}.",
        where=provider.where,
    )


def yields_nothing(provider: Provider) -> Mistake:
    """Return the mistake of a generator that ends before it has yielded a component."""
    return Mistake(
        f"{provider.name}() is a generator, but it ended without yielding a component",
        "Yield the component exactly once. The code after the yield ends the component.",
        where=provider.where,
    )


def wrong_type(provider: Provider, component: object) -> Mistake | None:
    """Report a component method whose result is not of its return type."""
    if provider.configuration is None:
        return None
    # Start-up has already reported that the method is asynchronous.
    if isinstance(component, Coroutine):
        component.close()
    if isinstance(component, Coroutine | AsyncGenerator):
        return None
    wrong = [key for key in provider.keys if not _is_of(component, key)]
    if not wrong:
        return None
    return Mistake(
        f"{provider.name}() is annotated to return {describe(wrong[0])}, but it returned"
        f" {'None' if component is None else 'an object of type ' + type(component).__name__}",
        f"Return a component of the type {describe(wrong[0])}, or change the annotation.",
        where=provider.where,
    )


def unused_replacement(provider: Provider) -> Mistake:
    """Report a replacement that nothing asks for."""
    return Mistake(
        f"nothing in the application uses {provider.name}, so the replacement has no effect",
        "Replace a type that a constructor or an Inject[...] parameter asks for.",
        where=provider.where,
    )


def unused_mapping(provider: Provider, known: Iterable[Known]) -> Mistake:
    """Report a component method whose dict nothing uses; maybe the method has a wrong name."""
    meant = " ".join(
        f"Did you mean {component.method}? A method of that name returns settings of the"
        f" {describe(component.key)}."
        for component in known
        if component.method
    )
    return Mistake(
        f"nothing asks for the {describe(provider.keys[0])} that {provider.name}() provides",
        f"{meant} Otherwise remove the method.".lstrip(),
        where=provider.where,
    )


def _several(key: Any, chosen: Sequence[type]) -> NotProvided:
    name = describe(key)
    return NotProvided(
        f"more than one component implements {name}: {_places(chosen)}",
        f"Return the one you mean from a @component method annotated `-> {name}`, or take all of"
        f" them as list[{name}].",
    )


def _abstract(key: type, components: Collection[type]) -> NotProvided:
    name = describe(key)
    alike = [candidate for candidate in components if _looks_like(candidate, key)]
    others = [candidate for candidate in _subclasses(key) if not is_abstract(candidate)]
    if not alike and not others:
        return NotProvided(
            f"nothing provides {name}, which is abstract, and no implementation is known",
            f"Write a class that inherits from {name}, decorate it with @component, and pass it"
            " to the Application.",
        )
    return NotProvided(
        f"nothing provides {name}, which is abstract. Known implementations:"
        f" {_places([*alike, *others])}",
        f"Choose an implementation that inherits from {name}. Decorate it with @component, and pass"
        f" it to the Application. Or return it from a @component method annotated `-> {name}`.",
    )


def _left_out(key: object, components: Collection[type]) -> str | None:
    """Return the name of a configuration that provides `key`, but is not in the application."""
    known = {id(component) for component in components}
    for target in subclasses(object).values():
        if id(target) in known or not is_configuration(target):
            continue
        module = sys.modules.get(target.__module__)
        # A class that only a function knows may belong to another application.
        if getattr(module, target.__name__, None) is not target:
            continue
        for member in component_methods(target):
            if any(key_of(*split(read_return(function))) == key for function in member.functions):
                return describe(target)
    return None


def _remedy(key: Any, name: str) -> str:
    item = item_of(key)
    if item is not None:
        kind = describe(item)
        return (
            f"Pass components that inherit from {kind} to the Application: they fill the list. Or"
            f" return the list from a @component method annotated `-> {name}`."
        )
    if not isinstance(key, type):
        return (
            f"Return it from a @component method annotated `-> {name}`, in a configuration class"
            " that is passed to the Application."
        )
    if is_component(key) or is_configuration(key) or is_controller(key):
        return f"Pass {name} to the Application."
    returned = "return it from a @component method of a configuration class that is passed to the"
    if not _is_of_the_user(key):
        return f"{returned[:1].upper()}{returned[1:]} Application: def make(self) -> {name}."
    return f"Decorate {name} with @component, or {returned} Application."


def _is_of_the_user(kind: type) -> bool:
    """Return whether a class is code of the application, so that `@component` can be added."""
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None) or ""
    is_ours = kind.__module__.partition(".")[0] in ("framework", "sessions")
    return module is None or not (is_ours or "site-packages" in file or file.startswith(_PYTHON))


def _places(classes: Iterable[type]) -> str:
    # An abstract class of the standard library may have hundreds of implementations.
    places = [location(target) for target in dict.fromkeys(classes)]
    shown = ", ".join(places[:_MOST_PLACES])
    rest = len(places) - _MOST_PLACES
    return f"{shown} and {rest} more" if rest > 0 else shown


def _subclasses(key: type) -> Iterator[type]:
    subclass: type
    for subclass in key.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _looks_like(candidate: type, key: type) -> bool:
    """Return whether a class has all members of a protocol, even without inheriting from it."""
    members = [
        name
        for base in key.__mro__
        if is_protocol(base)
        for name in (*vars(base), *annotated_names(base))
        if not name.startswith("_")
    ]
    return bool(members) and all(hasattr(candidate, name) for name in members)


def _made_by_hand(provider: Provider) -> str | None:
    """Return how to pass a guard or middleware as an object; None for any other component."""
    kind: Any = provider.keys[0] if provider.keys else None
    # Only a class that @guard or a list of middleware names can be given as an object.
    if provider.configuration is not None or not isinstance(kind, type) or is_component(kind):
        return None
    if callable(getattr(kind, "check", None)):
        return f"@guard({kind.__name__}(…))"
    return f"[{kind.__name__}(…)]" if takes_requests(kind) else None


def _release(provider: Provider, needed: str) -> str:
    """Return the remedy for a component that is built once and needs a component of a request."""
    # A hook provides nothing.
    if not provider.keys:
        return f"Remove the parameter: no request runs here. Or ask for what {needed} is made from."
    kind: Any = provider.keys[0]
    name = f"{needed[:1].lower()}{needed[1:]}"
    taken = f"{name if name.isidentifier() else 'components'}: Inject[{needed}]"
    if isinstance(kind, type) and is_controller(kind):
        return f"Let the handler take it, as {taken}; a controller is built once."
    if isinstance(kind, type) and takes_requests(kind):
        return f"Let __call__ ask for it: component_of(request, {needed})."
    if is_about_middleware(kind):
        return f"Let the middleware ask for it: component_of(request, {needed})."
    has_check = callable(getattr(kind, "check", None))
    # A class that is not a component is built because @guard names the class.
    if has_check and provider.configuration is None and not is_component(kind):
        return f"Let check take it, as {taken}; a guard is built once."
    return (
        f'Give {provider.name} scope="request" as well, or let the handler take'
        f" Inject[{needed}] and pass it on."
        + f" If it is a guard, let check take it instead, as {taken}."
        * has_check
    )


def _is_own(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(_OWN_FOLDERS)


def _is_of(component: object, key: object) -> bool:
    """Return whether a component is of this type; the elements of a collection are not checked."""
    kind = bare(key)[0]
    return component is not None and fits(component, get_origin(kind) or kind)
