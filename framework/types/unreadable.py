"""Types that JSON cannot be converted to: which part of the type is wrong, and what to write."""

from collections.abc import Iterator
from dataclasses import InitVar
from types import UnionType
from typing import Any, ForwardRef, Union, get_args, get_origin

import msgspec
from werkzeug.datastructures import FileStorage

from framework.types.fields import fields_of, is_pydantic_model, members_of
from framework.types.limits import FITTING
from framework.types.msgspec_types import unknown_classes
from framework.types.signatures import bare, describe


class UnreadableType(TypeError):
    """A type cannot be read; the message names the wrong part, and `remedy` says what to write."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


def refuse_unreadable(annotation: Any, source: str) -> None:
    """Raise `UnreadableType` if a source, such as JSON, cannot be converted to the type."""
    if _error(annotation) is None:
        return
    place, part = _innermost(annotation, "", [])
    what, remedy = _explained(part, source)
    raise UnreadableType(f"{what}; it is the type of {place}" if place else what, remedy)


def remedy_of(error: Exception) -> str:
    """Return what to do about a type that cannot be read."""
    if isinstance(error, UnreadableType):
        return error.remedy
    if isinstance(error, NameError):
        return "Import the name where the class is defined, not only under `if TYPE_CHECKING:`."
    return "Correct the type or the model, or write Any and check the value in the handler."


def _error(annotation: Any) -> str | None:
    """Return what is wrong with a type as a whole; None if JSON can be converted to the type."""
    try:
        msgspec.json.Decoder(annotation)
        strange = next(unknown_classes(annotation), None)
    # NameError: a class in the type has a field whose annotation is an unknown name.
    except (TypeError, NameError) as error:
        return str(error).partition(" - type ")[0]
    return None if strange is None else describe(strange)


def _innermost(annotation: Any, place: str, outer: list[Any]) -> tuple[str, Any]:
    """Return the innermost part that cannot be read, and the field that holds the part."""
    kind, _ = bare(annotation)
    if kind not in outer:
        for inner_place, inner in _parts(kind, place):
            if inner is not ... and _error(inner) is not None:
                return _innermost(inner, inner_place, [*outer, kind])
    return place, annotation


def _parts(kind: Any, place: str) -> Iterator[tuple[str, Any]]:
    try:
        members = [] if is_pydantic_model(kind) else members_of(kind)
    # The annotation of a field is an unknown name, so the class itself cannot be read.
    except NameError:
        return
    yield from ((f"{describe(kind)}.{name}", annotation) for name, annotation in members)
    yield from ((place, argument) for argument in get_args(kind))


def _explained(annotation: Any, source: str) -> tuple[str, str]:
    """Return why `source` cannot be converted to a type, and how to correct the annotation."""
    kind, _ = bare(annotation)
    error = _error(annotation) or ""
    if isinstance(kind, ForwardRef | str) or hasattr(annotation, "__value__"):
        alias = kind if isinstance(kind, ForwardRef | str) else annotation
        return (
            f"{source} cannot be converted to {describe(alias)}, an alias that contains itself",
            "Write Any in its place inside the alias, and check the value in the handler; or write"
            " a class that contains itself, such as a dataclass.",
        )
    if get_origin(kind) in (Union, UnionType):
        return _explained_union(kind, error, source)
    if "InitVar" in error:
        names = [name for name, hint in vars(kind)["__annotations__"].items() if _is_init(hint)]
        return (
            f"{source} cannot be converted to {describe(kind)}, a dataclass with the InitVar"
            f" {', '.join(names)}",
            "Make the InitVar an ordinary field, or write a pydantic model.",
        )
    if "msgspec.Meta" in error or error.startswith("Can only set"):
        return error, FITTING
    if error == describe(get_origin(kind) or kind):
        return f"{source} cannot be converted to {describe(annotation)}", _instead(kind)
    return error, "Correct the type, or write Any and check the value in the handler."


def _is_init(hint: object) -> bool:
    is_text = isinstance(hint, str) and "InitVar" in hint
    return is_text or hint is InitVar or isinstance(hint, InitVar)


def _explained_union(kind: Any, error: str, source: str) -> tuple[str, str]:
    members = [member for member in get_args(kind) if member is not type(None)]
    classes = [member for member in members if fields_of(member)]
    names = [describe(member) for member in classes]
    if len(classes) < 2:
        return (
            f"{source} cannot be converted to {describe(kind)}: {error}",
            "Write one of the types, or Any.",
        )
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    if any(map(is_pydantic_model, members)):
        remedy = f"Make {listed} pydantic models, and the class that holds the union, too."
    else:
        remedy = (
            f"Make {listed} structs with tags, as in `class {names[0]}(msgspec.Struct, tag=True)`;"
            " the field `type` of the JSON then names the class. Or make all of them pydantic"
            " models."
        )
    return (
        f"{source} cannot be converted to {describe(kind)}, because nothing tells the classes"
        " apart",
        remedy,
    )


def _instead(kind: Any) -> str:
    if kind is object:
        return "Write Any, which takes every JSON value."
    if kind is FileStorage:
        return "Read uploaded files from a form: a parameter of type FileStorage, or Form[...]."
    name = describe(kind)
    return (
        f"Write a type that JSON has, such as str, and make the {name} in the handler. A class of"
        " your own can be a dataclass, a msgspec.Struct, an attrs class or a pydantic model."
    )
