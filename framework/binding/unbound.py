"""Why start-up refuses a parameter or its annotation, and what to write instead."""

import functools
import reprlib
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from werkzeug.wrappers import Response

from framework.advice.other_frameworks import remedy_for_import
from framework.binding.cookie import cookie
from framework.binding.form import form
from framework.binding.header import header
from framework.binding.query import query
from framework.binding.session_value import session_value
from framework.binding.source import Brackets, Marker
from framework.report import Mistake, Place, location
from framework.settings import HTTPSettings
from framework.types.conversion import TEXTS, is_scalar, list_item
from framework.types.fields import fields_of, is_pydantic_field
from framework.types.fitting import fits
from framework.types.limits import LIMITS
from framework.types.members import variables_in
from framework.types.signatures import EMPTY, Declared, bare, describe, without_none
from sessions.container import SessionContainer
from sessions.manager import AsyncSessionManager, SessionManager
from sessions.session import Session

# A member of a class can hide an imported type of the same name; these are kinds of members.
_NO_TYPES = (
    types.FunctionType,
    staticmethod,
    classmethod,
    property,
    functools.cached_property,
)
# Frameworks whose parameters have such objects as defaults.
_OTHERS = ("fastapi", "litestar", "starlette", "dependency_injector", "fast_depends", "flask")
# The names of `typing` that need brackets: without brackets, they do not say a type.
_FORMS = {
    "Optional": "Optional[int]",
    "Union": "Union[int, None]",
    "Literal": 'Literal["new", "old"]',
    "Annotated": "Annotated[int, query(ge=1)]",
}
# The functions that make a marker when they are called.
_FUNCTIONS = (query, header, cookie, form, session_value)
# The types that a user most likely means by the name of a function.
_TYPES_OF = {
    "any": "Any, with `from typing import Any`",
    "callable": "Callable, with `from collections.abc import Callable`",
    "input": "str",
}
# The classes of the components that every application has.
_COMPONENTS = (SessionManager, AsyncSessionManager, SessionContainer, HTTPSettings)
_SESSION = "Write session: session, with `from framework import session`."


def refuse_unreadable(declared: Declared) -> None:
    """Raise `Mistake` for an annotation that does not say the type."""
    annotation = declared.annotation
    inner = without_none(annotation)
    example = inner.example if isinstance(inner, Brackets) else _FORMS.get(_form(inner))
    if example is not None:
        raise Mistake(
            f"parameter {declared.name!r} does not say its type",
            f"Write the type in brackets, as in {example}.",
        )
    if variables := variables_in(annotation):
        shown = " and ".join(variable.__name__ for variable in variables)
        raise Mistake(
            f"the annotation of parameter {declared.name!r} holds {shown}, but no class says"
            " which type it is",
            "Write the type in the base class, as in class Notes(Crud[Note]).",
        )


def _form(annotation: object) -> str:
    """Return the name of a bare `Optional` or `Union` of `typing`, or else an empty text."""
    module = getattr(annotation, "__module__", None)
    is_bare = module == "typing" and not get_args(annotation)
    return str(getattr(annotation, "__name__", getattr(annotation, "_name", ""))) if is_bare else ""


def note_variadic(parameters: Iterable[Declared], what: str, here: Place) -> None:
    """Report `*args` and `**kwargs`, because a request has no values for them."""
    names = [declared.written for declared in parameters if declared.variadic]
    if names:
        here.note(
            f"{what} takes {' and '.join(names)}, but a request has no values for these",
            "Name the parameters. If a decorator made this function, let the decorator use"
            " functools.wraps, which keeps the signature of the wrapped function.",
        )


def note_wrong_default(declared: Declared, here: Place) -> None:
    """Report a default whose type is not the type of the parameter."""
    if declared.default is EMPTY or fits(declared.default, declared.annotation):
        return
    name, written = declared.name, describe(declared.annotation)
    remedy = f"Write a default of type {written}, or another type."
    if declared.default is None:
        remedy = f"Write {written} | None, or leave the default out to require a value."
    shown = reprlib.repr(declared.default)
    here.note(
        f"the default of parameter {name!r} is {shown}, which is not of type {written}", remedy
    )


def refuse_hidden(declared: Declared) -> None:
    """Raise `Mistake` for an annotation that is not a type, but a function or a member of a class.

    In a class, a member with the name of an imported type hides the type.
    """
    if isinstance(declared.annotation, types.BuiltinFunctionType):
        name = declared.annotation.__name__
        right = _TYPES_OF.get(name, "a class, such as str")
        raise Mistake(
            f"the annotation of parameter {declared.name!r} is the function {name}(), which is not"
            " a type",
            f"Write {right}.",
        )
    if isinstance(declared.annotation, _NO_TYPES):
        member = location(getattr(declared.annotation, "fget", declared.annotation))
        raise Mistake(
            f"the annotation of parameter {declared.name!r} is {member}, which is not a type: this"
            " member of the class hides an imported name",
            "Rename the member, or import the type under a name that the class does not use.",
        )


def unmarked(declared: Declared, guess: str) -> Mistake:
    """Return the `Mistake` for a parameter without a source; it says how to declare the source."""
    name, annotation = declared.name, declared.annotation
    if annotation is EMPTY:
        return Mistake(f"parameter {name!r} has no annotation{guess}", _annotation_for(name))
    written = describe(annotation)
    if without_none(annotation) in (object, Any):
        return Mistake(
            f"parameter {name!r} is {written}, but nothing says where it comes from{guess}",
            f"Write its type: {name}: str for a query value, {name}: Body[dict[str, {written}]] for"
            f" the JSON of the body, or {name}: Inject[Mailer] for a component.",
        )
    remedy = _other_spelling(declared)
    if remedy is not None:
        return Mistake(f"parameter {name!r} is {written}, which no request contains", remedy)
    return Mistake(
        f"parameter {name!r} is {written}, but nothing says where it comes from{guess}",
        f"Write {_spellings(annotation, written)}.",
    )


def _annotation_for(name: str) -> str:
    if name == "session":
        return _SESSION
    if name in ("request", "req"):
        return f"Write {name}: Request, with `from framework import Request`."
    if name in ("response", "res", "resp"):
        return "Leave it out. Create a Response in the handler, and return the Response."
    if name in ("body", "data", "payload", "json", "item", "dto"):
        return f"Write {name}: Body[T] for the JSON of the body, or {name}: Form[T] for a form."
    if name in ("app", "application"):
        return f"Write {name}: Inject[Application], or let the constructor take it."
    if name in ("file", "upload"):
        return f"Write {name}: FileStorage, with `from werkzeug.datastructures import FileStorage`."
    return (
        f"Write {name}: str for a query value, {name}: session for the session, or put"
        f" <{name}> into the path."
    )


def refuse_misplaced(declared: Declared) -> None:
    """Raise `Mistake` for a marker in a wrong place, or for an object that looks like a marker."""
    name, annotation = declared.name, declared.annotation
    written = "T" if annotation is EMPTY else describe(annotation)
    for element in declared.metadata:
        if not isinstance(element, Marker) and (shown := _shown(element)):
            raise Mistake(
                f"the Annotated[...] of parameter {name!r} contains {shown},"
                " which has no effect there",
                f"Write {_beside(element, written, name)}.",
            )
    # A marker with brackets but without a type, such as Query, is reported as another mistake.
    if not isinstance(annotation, Brackets) and (shown := _shown(annotation)):
        raise Mistake(
            f"the annotation of parameter {name!r} is {shown}, which is a marker, not a type",
            f"Write {name}: {_beside(annotation, 'T', name)} with the type of the value as T.",
        )
    _refuse_default(declared, written)


def _refuse_default(declared: Declared, written: str) -> None:
    """Raise `Mistake` for a default without effect: a marker, `Field(...)` or `Depends(...)`."""
    name = declared.name
    if is_pydantic_field(declared.default):
        raise Mistake(
            f"the default of parameter {name!r} is {declared.default!r}, which has an effect only"
            " inside of a pydantic model",
            f"Write {name}: {_limited(written, declared.default)}.",
        )
    foreign = _of_another_framework(declared.default)
    if foreign is not None:
        raise Mistake(
            f"the default of parameter {name!r} is {type(declared.default).__name__}(...) of"
            " another framework, which has no effect here",
            f"{foreign[:1].upper()}{foreign[1:]}.",
        )
    if shown := _shown(declared.default):
        right = _beside(declared.default, written, name)
        # A session takes no default: every request has a session.
        other = f", or {name}: {right} = … with a default value" if right != "session" else ""
        raise Mistake(
            f"the default of parameter {name!r} is {shown}, which has no effect there",
            f"Write {name}: {right}{other}.",
        )


def _of_another_framework(default: object) -> str | None:
    """Return what to write in place of a default such as `Depends(...)`; None for other values."""
    package = type(default).__module__.partition(".")[0]
    return remedy_for_import(type(default).__name__) if package in _OTHERS else None


def _limited(written: str, field: Any) -> str:
    """Return how to write a parameter with the limits and the default of a pydantic `Field`."""
    parts = [(name, part) for part in field.metadata for name in LIMITS if hasattr(part, name)]
    limits = ", ".join(f"{name}={getattr(part, name)!r}" for name, part in parts)
    default = "" if field.is_required() else f" = {field.get_default()!r}"
    return (f"Annotated[{written}, query({limits})]" if limits else written) + default


def _spellings(annotation: Any, written: str) -> str:
    """Return the markers for a parameter of this type, as text for a message."""
    if is_scalar(list_item(annotation) or annotation, TEXTS):
        return (
            f"Query[{written}] for a value of the query, or Form[{written}] for a field of a form"
        )
    if without_none(annotation) is bytes:
        return (
            "FileStorage for an uploaded file, or request: Request and request.get_data() for the"
            " bytes of the body"
        )
    if _is_choice_of_scalars(annotation):
        return (
            "one simple type, such as str, and convert the text in the handler, because a text can"
            f" fit several types of {written}. Or write Body[{written}] for the JSON of the body"
        )
    kind = bare(annotation)[0]
    if isinstance(kind, type) and issubclass(kind, _COMPONENTS):
        return f"Inject[{written}] for the component"
    form = f" Form[{written}] for a form," if _is_object(annotation) else ""
    return f"Body[{written}] for the JSON of the body,{form} or Inject[{written}] for a component"


def _is_choice_of_scalars(annotation: Any) -> bool:
    base = bare(annotation)[0]
    members = get_args(base) if get_origin(base) in (types.UnionType, Union) else ()
    return bool(members) and all(is_scalar(member, TEXTS) for member in members)


def _is_object(annotation: object) -> bool:
    try:
        return bool(fields_of(bare(annotation)[0]))
    # The annotation of a field is an unknown name, which the marker reports.
    except NameError:
        return True


def _other_spelling(declared: Declared) -> str | None:
    """Return advice for a parameter whose type is a session or a response.

    A mapping named `session` counts as a session. For any other parameter, the result is None.
    """
    kind = without_none(declared.annotation)
    kind = get_origin(kind) or kind
    if isinstance(kind, type) and issubclass(kind, Session):
        return f"Write {declared.name}: session. Every request has a session, new or stored."
    if isinstance(kind, type) and issubclass(kind, Response):
        return "Create a Response in the handler, and return the Response."
    if declared.name == "session" and isinstance(kind, type) and issubclass(kind, Mapping):
        return _SESSION
    return None


def _shown(value: object) -> str | None:
    """Return a marker as the user wrote it; None if the value is not a marker."""
    if isinstance(value, Marker):
        is_silent = type(value).__repr__ is object.__repr__
        return f"{describe(type(value))}()" if is_silent else repr(value)
    if isinstance(value, Brackets):
        return repr(value)
    function = next((function for function in _FUNCTIONS if function is value), None)
    if function is not None:
        return function.__name__
    is_marked = get_origin(value) is Annotated and isinstance(get_args(value)[-1], Marker)
    return describe(value) if is_marked else None


def _beside(value: object, written: str, name: str) -> str:
    """Return the source text of a type with its marker, such as `Query[int]`."""
    shown = _shown(value)
    if isinstance(value, Brackets):
        return f"{shown}[{written}]"
    if get_origin(value) is Annotated:
        return f"{shown}"
    if value is session_value:
        return f'Annotated[{written}, session_value("{name}")]'
    return f"Annotated[{written}, {shown}{'' if isinstance(value, Marker) else '()'}]"
