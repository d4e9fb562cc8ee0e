"""Why a parameter of a handler cannot be bound, and what to write instead."""

import functools
import types
from collections.abc import Mapping
from difflib import get_close_matches
from typing import get_origin

from werkzeug.wrappers import Response

from framework import parameters
from framework.markers import Marker, Unbindable
from framework.object_fields import fields_of
from framework.signatures import EMPTY, Declared, bare, describe, without_none
from framework.startup import location
from sessions.session import Session

# What looks like a marker inside `Annotated`, but marks nothing there.
_MISPLACED = (
    "Query",
    "Header",
    "Cookie",
    "Form",
    "Body",
    "Inject",
    "query",
    "header",
    "cookie",
    "form",
)
# What a name in a class body may mean in place of the type that was imported.
_NO_TYPES = (
    types.FunctionType,
    types.ModuleType,
    staticmethod,
    classmethod,
    property,
    functools.cached_property,
)


def did_you_mean(name: str, candidates: list[str]) -> str:
    """Guess, in words that end a sentence, the name that was meant."""
    close = get_close_matches(name, candidates, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def refuse_misplaced(declared: Declared) -> None:
    """Raise `Unbindable` for what looks like a marker and is none."""
    for name in _MISPLACED:
        if any(each is getattr(parameters, name) for each in declared.metadata):
            written = describe(declared.annotation)
            raise Unbindable(
                f"the Annotated type of parameter {declared.name!r} holds {name}, which marks"
                " nothing there",
                f"Write {name.capitalize()}[{written}]"
                + (f" or Annotated[{written}, {name}()]." if name.islower() else "."),
            )


def variadic(names: str) -> tuple[str, str]:
    """Explain why a handler cannot take `*args` and `**kwargs`."""
    return (
        f"the handler takes {names}, which no request can fill",
        "Name the parameters. If a decorator made this function, let it use functools.wraps,"
        " which keeps the signature of what it wraps.",
    )


def untyped(declared: Declared) -> Unbindable:
    """Explain that a marker without brackets says no type."""
    return Unbindable(
        f"parameter {declared.name!r} does not say its type",
        f"Write the type in brackets, as in {_example(declared.metadata)}.",
    )


def is_hidden(annotation: object) -> bool:
    """Tell whether an annotation is a member of the class, which took the name of a type."""
    return isinstance(annotation, _NO_TYPES)


def hidden(declared: Declared) -> Unbindable:
    """Explain what a name means behind an earlier member of the class."""
    if isinstance(declared.annotation, types.ModuleType):
        return _module(declared)
    member = location(getattr(declared.annotation, "fget", declared.annotation))
    return Unbindable(
        f"the annotation of parameter {declared.name!r} is {member}, which is no type: an earlier"
        " member of the class hides the imported name",
        "Rename that member, or write the type under a name that the class does not use"
        " (Session for session).",
    )


def unmarked(declared: Declared, guess: str) -> Unbindable:
    """Explain how to say where a parameter comes from."""
    name, annotation = declared.name, declared.annotation
    if annotation is EMPTY:
        return Unbindable(
            f"parameter {name!r} has no annotation{guess}",
            f"Write {name}: str for a query value, {name}: Session for the session, or put"
            f" <{name}> into the path.",
        )
    written = describe(annotation)
    remedy = _other_spelling(declared)
    if remedy is not None:
        return Unbindable(f"parameter {name!r} is {written}, which no request holds", remedy)
    form = f" Form[{written}] for a form," if _is_object(annotation) else ""
    return Unbindable(
        f"parameter {name!r} is {written}, but nothing says where it comes from{guess}",
        f"Write Body[{written}] for the JSON of the body,{form} or Inject[{written}] for a"
        " component.",
    )


def _is_object(annotation: object) -> bool:
    try:
        return bool(fields_of(bare(annotation)[0]))
    # A field of the class names nothing, which the marker will tell.
    except NameError:
        return True


def _example(metadata: tuple[object, ...]) -> str:
    marker = next((each for each in metadata if isinstance(each, Marker)), None)
    name = "Query" if marker is None else marker.source.capitalize()
    return f"{name}[Note]" if name in ("Body", "Inject") else f"{name}[int]"


def _module(declared: Declared) -> Unbindable:
    module = getattr(declared.annotation, "__name__", "")
    return Unbindable(
        f"parameter {declared.name!r} is annotated with the module {module!r}, which is no type",
        "Write Session for the session, or else the class that the module holds.",
    )


def _other_spelling(declared: Declared) -> str | None:
    """Tell what to write for the session and in place of a response."""
    kind = without_none(declared.annotation)
    kind = get_origin(kind) or kind
    if isinstance(kind, type) and issubclass(kind, Session):
        return f"Write {declared.name}: Session. There always is one, new or not."
    if isinstance(kind, type) and issubclass(kind, Response):
        return "Make a Response in the handler, and return it."
    if declared.name == "session" and isinstance(kind, type) and issubclass(kind, Mapping):
        return f"Write {declared.name}: Session."
    return None
