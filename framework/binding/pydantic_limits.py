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
# The markers that read values without pydantic.
_READERS = (BodyMarker, PathMarker, SessionValueMarker, TextMarker)


def refuse_pydantic_limits(marker: object, field: Field) -> None:
    """Raise `Mistake` for a limit that would be ignored."""
    if not isinstance(marker, _READERS):
        return
    found = list(_types_in(field.annotation, ()))
    # A model of pydantic reads all limits around it, too.
    if any(is_pydantic_model(kind) for kind, _ in found) or _makes_itself(marker, field):
        return
    for limit in (foreign for _, metadata in found for foreign in _foreign(metadata)):
        raise Mistake(
            f"the type of parameter {field.name!r} has {limit!r}, which limits nothing outside of"
            " pydantic's models",
            _remedy(limit),
        )


def _types_in(annotation: Any, outer: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[object, ...]]]:
    """Yield the type and all types inside it, with what `Annotated` adds to each."""
    kind, metadata = bare(annotation)
    yield kind, metadata
    if get_origin(kind) is Literal or kind in outer:
        return
    is_class = isinstance(kind, type) and get_origin(kind) is None
    fields = [field.annotation for field in fields_of(kind)] if is_class else []
    for field in (*get_args(kind), *fields):
        yield from _types_in(field, (*outer, kind))


def _makes_itself(marker: object, field: Field) -> bool:
    """Return whether a form calls a dataclass of pydantic, which checks its own arguments."""
    kind = bare(field.annotation)[0]
    return isinstance(marker, TextMarker) and hasattr(kind, "__pydantic_validator__")


def _foreign(metadata: tuple[object, ...]) -> Iterator[object]:
    for beside in metadata:
        if get_origin(beside) is Annotated:
            yield from _foreign(get_args(beside)[1:])
        elif type(beside).__module__.partition(".")[0] in _PACKAGES:
            yield beside


def _remedy(limit: Any) -> str:
    """Write the limits in the words that are read here."""
    # A Field of pydantic keeps them in a list.
    parts = [limit, *getattr(limit, "metadata", ())]
    known = ((name, getattr(part, name, None)) for part in parts for name in LIMITS)
    written = ", ".join(f"{name}={value!r}" for name, value in known if value is not None)
    if not written:
        return "Leave it out, and check the value in the handler; or use a model of pydantic."
    return f"Write msgspec.Meta({written}) in its place, or query({written}) and the like."
