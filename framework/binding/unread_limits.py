"""Limits in a place where nothing checks them.

Limits of pydantic have an effect only inside of pydantic models, and limits of msgspec only outside
of pydantic models.
"""

import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Annotated, Any, get_args, get_origin

import msgspec

from framework.binding.body import BodyMarker
from framework.binding.path import PathMarker
from framework.binding.session_value import SessionValueMarker
from framework.binding.source import Field
from framework.binding.texts import TextMarker
from framework.report import Mistake
from framework.types.fields import is_pydantic_model
from framework.types.limits import LIMITS, written
from framework.types.models import is_read_by_pydantic
from framework.types.parts import Part, parts_of
from framework.types.signatures import bare

_PACKAGES = ("annotated_types", "pydantic")
# The markers that convert and check values themselves.
_READERS = (BodyMarker, PathMarker, SessionValueMarker, TextMarker)


def refuse_unread_limits(marker: object, field: Field) -> None:
    """Raise `Mistake` for a limit that would be ignored."""
    # A program that has such a limit has imported its package.
    if not any(package in sys.modules for package in _PACKAGES):
        return
    if not isinstance(marker, _READERS) or _makes_itself(marker, field):
        return
    by_pydantic = is_read_by_pydantic(field.annotation)
    for part in parts_of(field.annotation):
        if part.in_model:
            _refuse_of_msgspec(part, field)
        # Where pydantic reads the whole type, it also reads the limits around its models.
        elif not by_pydantic:
            _refuse_of_pydantic(part, field)


def _refuse_of_msgspec(part: Part, field: Field) -> None:
    for limit in part.limits:
        shown = f"msgspec.Meta({', '.join(written(limit))})"
        raise Mistake(
            f"the type of parameter {field.name!r} has {shown} at {part.place}, which has no"
            " effect inside of a pydantic model",
            _in_pydantic(limit),
        )


def _in_pydantic(limit: msgspec.Meta) -> str:
    """Return what to write so that pydantic checks the limit."""
    if limit.tz is not None:
        return f"Write pydantic.{'AwareDatetime' if limit.tz else 'NaiveDatetime'} in its place."
    return f"Write pydantic.Field({', '.join(written(limit))}) in its place."


def _refuse_of_pydantic(part: Part, field: Field) -> None:
    if is_pydantic_model(part.kind):
        return
    for limit in _foreign(part.metadata):
        raise Mistake(
            f"the type of parameter {field.name!r} has {limit!r}, which has no effect outside of"
            " a pydantic model",
            _remedy(limit),
        )


def _makes_itself(marker: object, field: Field) -> bool:
    """Return whether a form fills a dataclass of pydantic; pydantic then checks the limits."""
    kind = bare(field.annotation)[0]
    is_checked = is_dataclass(kind) and hasattr(kind, "__pydantic_validator__")
    return isinstance(marker, TextMarker) and is_checked


def _foreign(metadata: tuple[object, ...]) -> Iterator[object]:
    for element in metadata:
        if get_origin(element) is Annotated:
            yield from _foreign(get_args(element)[1:])
        elif type(element).__module__.partition(".")[0] in _PACKAGES:
            yield element


def _remedy(limit: Any) -> str:
    """Return what to write so that the framework checks the limits."""
    # A Field of pydantic keeps its limits in a list.
    parts = [limit, *getattr(limit, "metadata", ())]
    known = ((name, getattr(part, name, None)) for part in parts for name in LIMITS)
    written = ", ".join(f"{name}={value!r}" for name, value in known if value is not None)
    if not written:
        return "Leave it out, and check the value in the handler; or use a model of pydantic."
    return f"Write msgspec.Meta({written}) in its place, or query({written}) and the like."
