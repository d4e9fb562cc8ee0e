"""pydantic's limits outside of its models, where nothing would read them: a mistake."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

from framework.binding.body import BodyMarker
from framework.binding.path import PathMarker
from framework.binding.session_value import SessionValueMarker
from framework.binding.source import Field
from framework.binding.texts import TextMarker
from framework.report import Mistake
from framework.types.fields import fields_of, is_pydantic_model
from framework.types.limits import LIMITS
from framework.types.signatures import bare

_PACKAGES = ("annotated_types", "pydantic")
# The markers that convert and check values themselves.
_READERS = (BodyMarker, PathMarker, SessionValueMarker, TextMarker)


def refuse_pydantic_limits(marker: object, field: Field) -> None:
    """Raise `Mistake` for a limit that would be ignored."""
    if not isinstance(marker, _READERS):
        return
    found = list(_types_in(field.annotation, ()))
    # A model of pydantic also applies the limits around the model.
    if any(is_pydantic_model(kind) for kind, _ in found) or _makes_itself(marker, field):
        return
    for _, metadata in found:
        for limit in _foreign(metadata):
            raise Mistake(
                f"the type of parameter {field.name!r} has {limit!r}, which limits nothing outside"
                " of pydantic's models",
                _remedy(limit),
            )


def _types_in(annotation: Any, outer: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[object, ...]]]:
    """Yield the type and all types inside the type, each with its metadata from `Annotated`."""
    kind, metadata = bare(annotation)
    yield kind, metadata
    if get_origin(kind) is Literal or kind in outer:
        return
    is_class = isinstance(kind, type) and get_origin(kind) is None
    fields = [member.annotation for member in fields_of(kind)] if is_class else []
    for inner in (*get_args(kind), *fields):
        yield from _types_in(inner, (*outer, kind))


def _makes_itself(marker: object, field: Field) -> bool:
    """Return whether a form calls a class that checks its arguments: a dataclass of pydantic."""
    kind = bare(field.annotation)[0]
    return isinstance(marker, TextMarker) and hasattr(kind, "__pydantic_validator__")


def _foreign(metadata: tuple[object, ...]) -> Iterator[object]:
    for element in metadata:
        if get_origin(element) is Annotated:
            yield from _foreign(get_args(element)[1:])
        elif type(element).__module__.partition(".")[0] in _PACKAGES:
            yield element


def _remedy(limit: Any) -> str:
    """Write the limits in the way that the framework reads."""
    # A Field of pydantic keeps its limits in a list.
    parts = [limit, *getattr(limit, "metadata", ())]
    known = ((name, getattr(part, name, None)) for part in parts for name in LIMITS)
    written = ", ".join(f"{name}={value!r}" for name, value in known if value is not None)
    if not written:
        return "Leave it out, and check the value in the handler; or use a model of pydantic."
    return f"Write msgspec.Meta({written}) in its place, or query({written}) and the like."
