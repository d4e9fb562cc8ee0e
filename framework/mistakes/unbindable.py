"""Why a parameter of a handler cannot be bound, and what to write instead."""

import functools
import reprlib
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar, get_origin

from werkzeug.wrappers import Response

from framework.annotations.fitting import fits
from framework.annotations.object_fields import fields_of
from framework.annotations.signatures import EMPTY, Declared, bare, describe, without_none
from framework.markers import Unbindable
from framework.plans import Parameter
from framework.sources.brackets import Brackets
from framework.sources.resolvers import source_of
from framework.startup import location
from framework.validation import TEXTS, is_scalar, list_item
from sessions.session import AsyncSession, Session

# From so many letters on, a letter less is rather a misspelling than another word.
_LONG = 5
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


def refuse_idle(declared: Declared) -> None:
    """Raise `Unbindable` for what looks like a resolver beside a type, and resolves nothing."""
    for each in declared.metadata:
        # This one tells pydantic how to validate the type.
        if hasattr(each, "__get_pydantic_core_schema__"):
            continue
        kind = each if isinstance(each, type) else type(each)
        if isinstance(each, type | types.FunctionType) or hasattr(kind, "resolve"):
            raise _idle(declared, each, kind)


def is_mistyped(declared: Declared) -> bool:
    """Tell whether a parameter has a default of another type than its own."""
    return declared.default is not EMPTY and not fits(declared.default, declared.annotation)


def mistyped(declared: Declared) -> tuple[str, str]:
    """Explain which type a default has to have."""
    name, written = declared.name, describe(declared.annotation)
    if declared.default is None:
        remedy = f"Write {written} | None, or leave the default out to require a value."
    else:
        remedy = f"Write a default of type {written}, or another type."
    shown = reprlib.repr(declared.default)
    return f"the default of parameter {name!r} is {shown}, which is no {written}", remedy


def misspellings(
    declared: Sequence[Declared], found: Sequence[Parameter], variables: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Explain each parameter that nothing marks, and that a variable of the path is meant for."""
    marked = {each.name for each in declared if any(map(source_of, each.metadata))}
    taken = {each.name for each in found}
    for each in found:
        if each.source == "query" and each.name not in marked:
            for variable in variables:
                if variable not in taken and _is_misspelt(each.name, variable):
                    yield _misspelt(each.name, variable)


def variadic(names: str) -> tuple[str, str]:
    """Explain why a handler cannot take `*args` and `**kwargs`."""
    return (
        f"the handler takes {names}, which no request can fill",
        "Name the parameters. If a decorator made this function, let it use functools.wraps,"
        " which keeps the signature of what it wraps.",
    )


def untyped(name: str, marker: Brackets) -> Unbindable:
    """Explain that a marker without brackets says no type."""
    return Unbindable(
        f"parameter {name!r} does not say its type",
        f"Write the type in brackets, as in {marker.example}.",
    )


def undetermined(name: str, variables: Sequence[TypeVar]) -> Unbindable:
    """Explain that a type variable stands for nothing."""
    shown = " and ".join(each.__name__ for each in variables)
    return Unbindable(
        f"the annotation of parameter {name!r} holds {shown}, for which no class gives a type",
        "Give it in the bases of the class, as in class Notes(Crud[Note]).",
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


def is_asynchronous(declared: Declared) -> bool:
    """Return whether a parameter is a session whose data are awaited."""
    kind = without_none(declared.annotation)
    return isinstance(kind, type) and issubclass(kind, AsyncSession)


def asynchronous(declared: Declared) -> Unbindable:
    """Explain that a WSGI application has blocking sessions only."""
    name, written = declared.name, describe(declared.annotation)
    return Unbindable(
        f"parameter {name!r} is {written}, which only an event loop can load, and WSGI has none",
        f"Write {name}: Session, and call its methods without await.",
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
    return Unbindable(
        f"parameter {name!r} is {written}, but nothing says where it comes from{guess}",
        f"Write {_spellings(annotation, written)}.",
    )


def _is_misspelt(name: str, variable: str) -> bool:
    """Tell whether a name is plainly meant for a variable of the path.

    Other names are words of their own: `page` beside `pages`, `team_id` beside `item_id`.
    """
    one, other = (each.replace("_", "").lower() for each in (name, variable))
    if one == other:
        return True
    if min(len(one), len(other)) < _LONG:
        return False
    return _has_more(one, other) or _has_more(other, one) or _is_swapped(one, other)


def _has_more(one: str, other: str) -> bool:
    """Tell whether a name is another one with a letter more in the midst of it."""
    return any(one[:at] + one[at + 1 :] == other for at in range(1, len(one) - 1)) and not (
        one.startswith(other) or one.endswith(other)
    )


def _is_swapped(one: str, other: str) -> bool:
    """Tell whether a name is another one with two neighbours swapped."""
    return any(
        one[:at] + one[at + 1] + one[at] + one[at + 2 :] == other for at in range(len(one) - 1)
    )


def _misspelt(name: str, variable: str) -> tuple[str, str]:
    """Explain that a value of the query seems to be meant as one of the path."""
    return (
        f"parameter {name!r} is read from the query, but the path has the variable {variable!r}",
        f"Name it {variable}, or write Query[...] if the query is meant.",
    )


def _spellings(annotation: Any, written: str) -> str:
    """List the markers that a type may have."""
    if is_scalar(list_item(annotation) or annotation, TEXTS):
        return f"Query[{written}] for a value of the query, or Form[{written}] for one of a form"
    form = f" Form[{written}] for a form," if _is_object(annotation) else ""
    return f"Body[{written}] for the JSON of the body,{form} or Inject[{written}] for a component"


def _idle(declared: Declared, metadata: object, kind: type) -> Unbindable:
    """Explain why something inside `Annotated` does not resolve a parameter."""
    name, written = declared.name, describe(declared.annotation)
    if kind is types.FunctionType:
        shown = f"the function {location(metadata)}, which marks nothing"
        remedy = "A resolver is a class: make it the method resolve of one, and write that there."
    elif metadata is not kind:
        shown = f"an object of {describe(kind)}, not the class"
        remedy = f"Write Annotated[{written}, {describe(kind)}]."
    else:
        shown = f"{location(kind)}, which has no method resolve"
        remedy = f"Give it one: def resolve(self, session: Session) -> {written}."
    return Unbindable(f"the Annotated type of parameter {name!r} holds {shown}", remedy)


def _is_object(annotation: object) -> bool:
    try:
        return bool(fields_of(bare(annotation)[0]))
    # A field of the class names nothing, which the marker will tell.
    except NameError:
        return True


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
