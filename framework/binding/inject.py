"""Components: `Inject[T]`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

from framework.binding.source import Brackets, Extract, Field, Marker, Needs
from framework.http.context import PerRequest
from framework.report import Mistake
from framework.types.signatures import describe

T = TypeVar("T")


@dataclass(frozen=True)
class Named:
    """Ask for the component of a class that the code itself names: it needs no tag."""

    target: type


class NotProvided(Mistake):
    """Say that nothing provides a component, and what to do about it."""


class InjectMarker(Marker):
    """Give a component."""

    source = "inject"
    fallible = False
    needs = Needs.NOTHING

    def extractor(self, field: Field) -> Extract:
        """Return the function that gives the component, which is looked up only now."""
        try:
            component = field.provide(field.annotation)
        except NotProvided as missing:
            if field.default is None:
                what = f"parameter {field.name!r}: {missing.what}"
                raise Mistake(what, missing.remedy) from missing
            component = field.default()
        return component if isinstance(component, PerRequest) else lambda context: component

    def explained(self, field: Field) -> str:
        """Say which component it is; `framework explain` knows where that comes from."""
        return f"the component {describe(field.annotation)}"


if TYPE_CHECKING:
    Inject = Annotated[T, InjectMarker()]
else:
    # The same, which also says in words what is wrong with `notes: Notes = Inject()`.
    Inject = Brackets("Inject", InjectMarker(), "Notes")
