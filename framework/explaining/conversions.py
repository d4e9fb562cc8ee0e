"""Where each argument of a call comes from and what makes it, told for readers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from framework.annotations.limits import written
from framework.annotations.object_fields import ObjectField, fields_of
from framework.annotations.signatures import bare, describe
from framework.injection import Graph
from framework.plans import Parameter, Plan
from framework.sources.forms import is_upload
from framework.startup import location

# Stands for a default that a class keeps to itself.
_OWN_DEFAULT = "…"


@dataclass(frozen=True)
class Argument:
    """Say where an argument comes from and what makes it."""

    name: str
    type: str
    # "query:page"
    where: str
    # The default as it is written; None if the parameter is required.
    default: str | None
    conversion: str
    # What a resolver, a component of the request or a form makes it of.
    parts: "list[Argument]"


def arguments_of(graph: Graph, plan: Plan) -> list[Argument]:
    """Tell the arguments of a handler, or of what stands around it."""
    return [_argument(graph, each) for each in plan.parameters]


def _argument(graph: Graph, parameter: Parameter) -> Argument:
    kind, metadata = bare(parameter.annotation)
    parts = [_argument(graph, part) for part in parameter.parts]
    if parameter.source == "form":
        parts = [_field(each) for each in fields_of(kind)]
    return Argument(
        name=parameter.name,
        type=describe(parameter.annotation),
        where=parameter.where,
        default=None if parameter.required else repr(parameter.default),
        conversion=_conversion(graph, parameter, kind, [*metadata, parameter.limits]),
        parts=parts,
    )


def _field(field: ObjectField) -> Argument:
    """Tell a field of a form that is read as a whole."""
    kind, metadata = bare(field.annotation)
    return Argument(
        name=field.name,
        type=describe(field.annotation),
        where=f"form:{field.name}",
        default=None if field.required else _OWN_DEFAULT,
        conversion=_of_text(kind, metadata),
        parts=[],
    )


def _conversion(graph: Graph, parameter: Parameter, kind: Any, metadata: Iterable[object]) -> str:
    match parameter.source:
        case "inject":
            return f"provided by {graph.provider_of(parameter.annotation)}"
        case "session" | "request" if parameter.where == parameter.source:
            return "the one of the request"
        case "resolver" if parameter.resolver is not None:
            return f"made by {location(parameter.resolver)}"
        case "body":
            return _made("JSON", kind, metadata)
        case "session":
            return _made("session", kind, metadata)
        case "form" if fields_of(kind):
            return f"form → {describe(kind)}"
        case _:
            return _of_text(kind, metadata)


def _of_text(kind: Any, metadata: Iterable[object]) -> str:
    return _made("file" if is_upload(kind) else "text", kind, metadata)


def _made(source: str, kind: Any, metadata: Iterable[object]) -> str:
    return ", ".join([f"{source} → {describe(kind)}", *_limits(metadata)])


def _limits(metadata: Iterable[object]) -> Iterator[str]:
    """Write the limits of a type, and those of its marker."""
    for limits in metadata:
        if isinstance(limits, msgspec.Meta):
            yield from written(limits)
