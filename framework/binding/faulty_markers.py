"""Checks of the markers that a user writes: start-up reports their faults."""

import inspect
import traceback
from collections.abc import Callable, Sequence
from typing import TypeVar

from framework.binding.source import (
    BindNested,
    DocumentedBody,
    DocumentedForm,
    DocumentedValue,
    Extract,
    Field,
    Marker,
    Needs,
    Parameter,
)
from framework.report import Mistake, Reported, location, readable_path
from framework.types.signatures import Declared, describe

T = TypeVar("T")

_DOCUMENTED = (DocumentedValue, DocumentedBody, DocumentedForm)


def refuse_marker_class(declared: Declared) -> None:
    """Raise `Mistake` if an annotation holds the class of a marker, and not a marker."""
    for kind in (declared.annotation, *declared.metadata):
        if isinstance(kind, type) and issubclass(kind, Marker):
            name = describe(kind)
            raise Mistake(
                f"the annotation of parameter {declared.name!r} holds the class {name}, but an"
                " object of this class is needed",
                f"Write Annotated[T, {name}()] with parentheses, and the type of the value as T.",
            )


def refuse_faulty_declarations(marker: Marker) -> None:
    """Raise `Mistake` if a marker's `source` is not a text, or its `needs` is not a `Needs`."""
    kind = type(marker)
    source, needs = getattr(marker, "source", None), marker.needs
    if not isinstance(source, str):
        raise Mistake(
            f"the marker {location(kind)} has the source {source!r}, which is not a text",
            f'Write source = "{kind.__name__.lower()}" in the class. This word is used in'
            " messages.",
        )
    if not isinstance(needs, Needs):
        raise Mistake(
            f"the marker {location(kind)} has needs = {needs!r}, which is not a Needs",
            "Write needs = Needs.NOTHING, Needs.SESSION or another value of Needs. Join several"
            " values with |.",
        )


def bound(marker: Marker, field: Field, bind: BindNested) -> tuple[Extract, tuple[Parameter, ...]]:
    """Bind a parameter by its marker; raise `Mistake` if the marker's own code is wrong."""
    # The markers of the framework are tested: an error in them is not the user's mistake.
    if type(marker).__module__.startswith("framework."):
        return marker.bound(field, bind)
    extract, parts = _asked(marker, field, "extractor", lambda: marker.bound(field, bind))
    if not callable(extract):
        raise Mistake(
            f"extractor() of {location(type(marker))} returned {extract!r}, which is not a"
            " function",
            "Return the function that takes the context of a request and returns the argument.",
        )
    documented: object = _asked(marker, field, "documented", lambda: marker.documented(field))
    found = documented if isinstance(documented, Sequence) else [documented]
    if not all(isinstance(part, _DOCUMENTED) for part in found):
        raise Mistake(
            f"documented() of {location(type(marker))} returned {documented!r}",
            "Return a list of DocumentedValue, DocumentedBody or DocumentedForm.",
        )
    return extract, parts


def _asked(marker: Marker, field: Field, name: str, ask: Callable[[], T]) -> T:
    """Call a method of a marker; raise `Mistake` if the method raises an error."""
    try:
        return ask()
    except (Mistake, Reported):
        raise
    # A marker may be the user's own code, which may raise anything.
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        signature = inspect.signature(getattr(type(marker), name))
        place = f"{readable_path(last.filename)}:{last.lineno}"
        raise Mistake(
            f"{name}{signature} of the marker {location(type(marker))} failed for parameter"
            f" {field.name!r}: {type(error).__name__}: {error} ({place})",
            f"Correct the method. Start-up calls {name}(field) once for each parameter.",
        ) from error
