"""Why nothing provides a type, and what to do about it."""

import inspect
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from werkzeug.wrappers import Request

from framework.annotations.fitting import is_protocol
from framework.annotations.signatures import annotated_names, describe
from framework.components import is_component, is_configuration
from framework.controllers import is_controller
from framework.startup import NotProvided, location
from framework.validation import TEXTS, is_scalar
from sessions.manager import AsyncSessionManager
from sessions.session import AsyncSession, Session

_MOST_PLACES = 5
_BLOCKING = "Take SessionManager: the same methods, to be called without await."


def not_provided(key: Any, components: Collection[type]) -> NotProvided:
    """Explain why none of the components is what the type asks for."""
    name = describe(key)
    if key is Request or (isinstance(key, type) and issubclass(key, Session | AsyncSession)):
        return of_one_request(name)
    if key is AsyncSessionManager:
        return NotProvided(f"nothing provides {name}: WSGI has no event loop", _BLOCKING)
    if is_abstract(key):
        return _abstract(key, components)
    if is_scalar(key, TEXTS):
        return NotProvided(
            f"nothing provides {name}",
            "Give the parameter a default value, or ask for a class of settings that a @component"
            " method returns.",
        )
    return NotProvided(f"nothing provides {name}", _remedy(key, name))


def of_one_request(name: str) -> NotProvided:
    """Explain why a component cannot have what each request has anew."""
    return NotProvided(
        f"{name} belongs to one request, but components live longer",
        "Take it as a parameter of the handler, and pass it on from there.",
    )


def unannotated() -> NotProvided:
    """Explain why a parameter without an annotation gets nothing."""
    return NotProvided(
        "nothing says what to inject without an annotation",
        "Write the type of the component behind the parameter, or give it a default value.",
    )


def is_abstract(key: Any) -> bool:
    """Tell whether a type cannot be built itself: an abstract class or a protocol."""
    return isinstance(key, type) and (inspect.isabstract(key) or is_protocol(key))


def implements(candidate: type, key: type) -> bool:
    """Tell whether a class says itself that it implements an abstract class or a protocol."""
    return candidate is not key and key in candidate.__mro__


def _abstract(key: type, components: Collection[type]) -> NotProvided:
    name = describe(key)
    chosen = [each for each in components if implements(each, key)]
    if chosen:
        return NotProvided(
            f"more than one component implements {name}: {_places(chosen)}",
            f"Return the one you mean from a @component method annotated `-> {name}`.",
        )
    alike = [each for each in components if _looks_like(each, key)]
    others = [each for each in _subclasses(key) if not is_abstract(each)]
    if not alike and not others:
        return NotProvided(
            f"nothing provides {name}, which is abstract, and no implementation is known",
            f"Write a class that inherits from {name}, decorate it with @component, and pass it"
            " to the Application.",
        )
    return NotProvided(
        f"nothing provides {name}, which is abstract; known implementations:"
        f" {_places([*alike, *others])}",
        f"Decorate the one you mean with @component, let it inherit from {name}, and pass it to"
        f" the Application; or return it from a @component method annotated `-> {name}`.",
    )


def _remedy(key: Any, name: str) -> str:
    if not isinstance(key, type):
        return f"Return it from a @component method annotated `-> {name}`."
    if is_component(key) or is_configuration(key) or is_controller(key):
        return f"Pass {name} to the Application."
    return (
        f"Decorate {name} with @component, or return it from a @component method of a"
        " configuration class that is passed to the Application."
    )


def _places(classes: Iterable[type]) -> str:
    # An abstract class of the standard library may have hundreds of implementations.
    places = [location(each) for each in dict.fromkeys(classes)]
    shown = ", ".join(places[:_MOST_PLACES])
    rest = len(places) - _MOST_PLACES
    return f"{shown} and {rest} more" if rest > 0 else shown


def _subclasses(key: type) -> Iterator[type]:
    each: type
    for each in key.__subclasses__():
        yield each
        yield from _subclasses(each)


def _looks_like(candidate: type, key: type) -> bool:
    """Tell whether a class has all that a protocol asks for, without saying that it follows it."""
    members = [
        name
        for base in key.__mro__
        if is_protocol(base)
        for name in (*vars(base), *annotated_names(base))
        if not name.startswith("_")
    ]
    return bool(members) and all(hasattr(candidate, name) for name in members)
