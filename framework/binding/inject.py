"""Components: `Inject[T]`."""

from dataclasses import dataclass, is_dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar, is_typeddict

from framework.binding.source import Brackets, Extract, Field, Marker, Needs
from framework.http.context import PerRequest
from framework.report import Mistake
from framework.types.fields import is_pydantic_model
from framework.types.signatures import describe

T = TypeVar("T")


@dataclass(frozen=True)
class Named:
    """Ask for a component by its class, even if the class has no decorator.

    A class in `Annotated`, in `@guard` or in a list of middleware needs no decorator.
    """

    target: type


class NotProvided(Mistake):
    """No class or method provides a component; the error says how to provide the component."""


class InjectMarker(Marker):
    """The marker of a component."""

    source = "inject"
    fallible = False
    needs = Needs.NOTHING

    def extractor(self, field: Field) -> Extract:
        """Find the component at start-up, and return the function that gives the component."""
        try:
            component = field.provide(field.annotation)
        except NotProvided as missing:
            if field.default is None:
                what = f"parameter {field.name!r}: {missing.what}"
                raise Mistake(what, _remedy(field, missing)) from missing
            component = field.default()
        return component if isinstance(component, PerRequest) else lambda context: component

    def explained(self, field: Field) -> str:
        """Return a text that names the component, for `framework explain`."""
        return f"the component {describe(field.annotation)}"


def _remedy(field: Field, missing: NotProvided) -> str:
    """Return the remedy; if a class looks like request data, first suggest `Body` or `Form`."""
    kind = field.annotation
    if not (is_dataclass(kind) or is_typeddict(kind) or is_pydantic_model(kind)):
        return missing.remedy
    name = describe(kind)
    return f"If it is data of the request, write Body[{name}] or Form[{name}]. {missing.remedy}"


if TYPE_CHECKING:
    Inject = Annotated[T, InjectMarker()]
else:
    # At run time, `notes: Notes = Inject()` raises an error that says what to write.
    Inject = Brackets("Inject", InjectMarker(), "Notes")
