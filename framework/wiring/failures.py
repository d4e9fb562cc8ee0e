"""What goes wrong while components are put together."""

import os
import re
import traceback
from collections.abc import AsyncGenerator, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, get_origin

import injector

from framework.annotations.fitting import fits
from framework.annotations.signatures import Declared, bare, describe, signature_of
from framework.components import is_component
from framework.controllers import is_controller
from framework.mistakes.middleware_calls import takes_requests
from framework.mistakes.unbindable import did_you_mean
from framework.startup import NotProvided, Problem
from framework.validation import TEXTS, is_scalar
from framework.wiring.providers import SESSION_CONTAINER, Provider

# Whose frames say nothing about the mistake.
_PACKAGE = Path(__file__).parent.parent
_OWN_FOLDERS = tuple(f"{each}{os.sep}" for each in (_PACKAGE, Path(injector.__file__).parent))
# What Python says of an argument that a constructor does not have.
_UNKNOWN_NAME = re.compile(r"(.+)\.__init__\(\) got an unexpected keyword argument '(\w+)'")


def cycle(providers: Sequence[Provider]) -> Problem:
    """Draw providers each of which needs the next one, and the last the first."""
    first = providers[0]
    drawing = "\n→ ".join(each.where for each in (*providers, first))
    return Problem(
        first.where,
        f"these components need each other, so none of them can be built first:\n{drawing}",
        "Take one of them out of the circle, for example by moving what two of them share into a"
        " third.",
    )


def lacking(provider: Provider, declared: Declared, missing: NotProvided) -> Problem:
    """Report a parameter that nothing provides."""
    what, remedy = f"parameter {declared.name!r}: {missing.what}", missing.remedy
    example = _made_by_hand(provider) if is_scalar(declared.annotation, TEXTS) else None
    if example is not None:
        remedy = f"Write {example} with its value. Or {remedy[:1].lower()}{remedy[1:]}"
    return Problem(provider.place, what, remedy)


def captive(trail: Sequence[Provider], need: Provider) -> Problem:
    """Draw how something that lives longer than a request would keep a component of one."""
    drawing = "\n→ ".join(each.where for each in (*trail, need))
    needed = describe(need.keys[0])
    return Problem(
        trail[-1].where,
        f"{trail[-1].name} is built once, but {needed} anew for each request:\n{drawing}",
        _release(trail[-1], needed),
    )


def short_lived(provider: Provider) -> Problem:
    """Report a controller, a guard or middleware that would be made anew for each request."""
    return Problem(
        provider.where,
        f'{provider.name} has scope="request", but what handles requests is built once',
        "Remove the scope, and let a method take what belongs to the request.",
    )


def raised(provider: Provider, error: Exception) -> Problem:
    """Show what a constructor or a component method raised, from the user's own code on."""
    trace = error.__traceback__
    while trace is not None and _is_own(trace):
        trace = trace.tb_next
    usual = (
        "Correct what the last line of the traceback says; start-up runs every constructor once."
    )
    shown = "".join(traceback.format_exception(type(error), error, trace)).rstrip()
    return Problem(
        provider.where,
        f"{provider.name} cannot be built: {type(error).__name__}: {error}\n{shown}",
        _right_name(provider, error) or usual,
    )


def yields_nothing(provider: Provider) -> Problem:
    """Report a generator that ends before it has yielded a component."""
    return Problem(
        provider.where,
        f"{provider.name}() is a generator, but ended without yielding a component",
        "Yield the component once, whichever way the method takes; what follows the yield ends it.",
    )


def wrong_type(provider: Provider, component: object) -> Problem | None:
    """Report a component method that does not return what it says."""
    if provider.configuration is None:
        return None
    # That the method is asynchronous has been reported.
    if isinstance(component, Coroutine):
        component.close()
    if isinstance(component, Coroutine | AsyncGenerator):
        return None
    wrong = [key for key in provider.keys if not _is_of(component, key)]
    if not wrong:
        return None
    return Problem(
        provider.where,
        f"{provider.name}() is annotated to return {describe(wrong[0])}, but it returned"
        f" {'None' if component is None else 'an object of type ' + type(component).__name__}",
        "Return what the annotation says, or change it.",
    )


def unused_replacement(provider: Provider) -> Problem:
    """Report the replacement of something that nothing asks for."""
    return Problem(
        provider.where,
        f"nothing asks for {provider.name}, so replacing it changes nothing",
        "Replace a type that a constructor or an Inject[...] parameter names.",
    )


def unused_mapping(provider: Provider) -> Problem:
    """Report a mapping that nothing asks for: it may hold settings under another name."""
    return Problem(
        provider.where,
        f"nothing asks for the {describe(provider.keys[0])} that {provider.name}() provides",
        f"Did you mean {SESSION_CONTAINER}? A method of that name returns settings of sessions."
        " Otherwise remove the method.",
    )


def _right_name(provider: Provider, error: Exception) -> str | None:
    """Tell the name that is meant, if the component was given an unknown one."""
    kind: Any = provider.keys[0] if provider.keys else None
    found = _UNKNOWN_NAME.match(str(error)) if isinstance(error, TypeError) else None
    if found is None or not isinstance(kind, type) or found[1] != kind.__qualname__:
        return None
    names = list(signature_of(kind).parameters)
    guess = did_you_mean(found[2], names).removeprefix("; ")
    return f"{guess[:1].upper()}{guess[1:]} {kind.__name__} takes {', '.join(names)}.".lstrip()


def _made_by_hand(provider: Provider) -> str | None:
    """Tell how to give an object of a class where now the class is; None if nothing takes one."""
    kind: Any = provider.keys[0] if provider.keys else None
    # What is built because a decorator or a list names it, and so need not be.
    if provider.configuration is not None or not isinstance(kind, type) or is_component(kind):
        return None
    if callable(getattr(kind, "check", None)):
        return f"@guard({kind.__name__}(…))"
    return f"[{kind.__name__}(…)]" if takes_requests(kind) else None


def _release(provider: Provider, needed: str) -> str:
    """Say how something that is built once can have a component of each request."""
    # A hook provides nothing.
    if not provider.keys:
        return f"Remove the parameter, or ask for what {needed} is made of: no request runs here."
    kind: Any = provider.keys[0]
    taken = f"{needed[:1].lower()}{needed[1:]}: Inject[{needed}]"
    if isinstance(kind, type) and is_controller(kind):
        return f"Let the handler take it, as {taken}; a controller is built once."
    if isinstance(kind, type) and takes_requests(kind):
        return f"Let __call__ ask for it: component_of(request, {needed})."
    if describe(kind).startswith("list[Middleware"):
        return f"Let the middleware ask for it: component_of(request, {needed})."
    has_check = callable(getattr(kind, "check", None))
    # A class that is no component is built since @guard names it.
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
    """Tell whether a component is of the class; what a collection holds is for who asks for it."""
    kind = bare(key)[0]
    return component is not None and fits(component, get_origin(kind) or kind)
