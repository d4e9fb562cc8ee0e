"""Values of the path: a parameter that has the name of a variable, as in `/items/<int:item_id>`."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from werkzeug.exceptions import NotFound

from framework.binding.query import QueryMarker
from framework.binding.source import (
    Documented,
    DocumentedValue,
    Extract,
    Field,
    Marker,
    Needs,
    Parameter,
    conversion,
    default_or_refusal,
)
from framework.binding.texts import Convert, unfit
from framework.report import Mistake, Place, similar
from framework.types.conversion import CONVERSION_ERRORS, TEXTS, text_converter
from framework.types.limits import UnfitLimits
from framework.types.signatures import EMPTY, bare, describe

# In a name of at least so many letters, a missing letter is a misspelling, not another word.
_LONG = 5


@dataclass(frozen=True)
class PathMarker(Marker):
    """The marker of a value of the path."""

    source = "path"
    fallible = False
    needs = Needs.PATH

    # The type that the rule's converter makes; None if the type is not known.
    made: type | None = None

    def where(self, field: Field) -> str:
        """Return the source and the name of the variable."""
        return f"{self.source}:{field.name}"

    def extractor(self, field: Field) -> Extract:
        """Return the function that reads the value and converts the value if needed."""
        name, convert = field.name, self.converter(field)
        if convert is None:
            return lambda context: context.path_values[name]
        return lambda context: convert(context.path_values[name])

    def converter(self, field: Field) -> Callable[[object], object] | None:
        """Return the function that converts a path value to the type of the parameter.

        The result is None if the value has that type already. The function raises `NotFound` for a
        value that does not fit, as if the rule's own converter had refused the value.
        """
        base, metadata = bare(field.annotation)
        limited = any(isinstance(element, msgspec.Meta) for element in metadata)
        if self.made is None or base in (EMPTY, Any, object) or (base is self.made and not limited):
            return None
        if base in TEXTS - {self.made, str} and self.made is not str and not self._widens(base):
            raise Mistake(
                f"the path gives {field.name!r} as {describe(self.made)},"
                f" but the parameter is {describe(base)}",
                f"Write {field.name}: {describe(self.made)}, or change the converter of the rule.",
            )
        try:
            convert = text_converter(field.annotation)
        except TypeError as error:
            if isinstance(error, UnfitLimits):
                raise unfit(self.source, field, error) from error
            raise _not_a_text(field) from error
        return functools.partial(_converted, convert)

    def explained(self, field: Field) -> str:
        """Return a text that says to which type the variable is converted."""
        return conversion("text", field.annotation)

    def documented(self, field: Field) -> Sequence[Documented]:
        """Return the description of the path variable, for OpenAPI."""
        return [DocumentedValue("path", field.name, field.annotation)]

    def _widens(self, base: Any) -> bool:
        return self.made is int and base is float


@dataclass(frozen=True)
class AbsentPathMarker(Marker):
    """The marker of a variable that only other paths of the function have: it gives the default."""

    source = "path"
    fallible = False
    needs = Needs.NOTHING

    # Why the default is used, for `framework explain`.
    why: str

    def where(self, field: Field) -> str:
        """Return the source, the name of the variable, and that the path does not have it.

        A resolver can run twice in a request: once with the value of the variable, and once with
        the default. This text keeps the two results apart.
        """
        return f"{self.source}:{field.name} (absent)"

    def extractor(self, field: Field) -> Extract:
        """Return the function that gives the default."""
        default = default_or_refusal(field.default, self.where(field))
        return lambda context: default()

    def explained(self, field: Field) -> str:
        """Return a text that says why the parameter has its default."""
        return f"the default: {self.why}"


def _not_a_text(field: Field) -> Mistake:
    return Mistake(
        f"parameter {field.name!r} has the name of a path variable, which is a text, but the"
        f" parameter is {describe(field.annotation)}",
        f"Give the parameter or the variable another name, or write {field.name}: str or"
        f" {field.name}: int for the value of the path.",
    )


def _converted(convert: Convert, value: object) -> object:
    try:
        return convert(str(value))
    except CONVERSION_ERRORS as error:
        raise NotFound from error


# An unmarked scalar has one of these markers if the path does not have a variable of its name.
_OFF_THE_PATH = (QueryMarker, AbsentPathMarker)


def note_untaken(
    names: Sequence[str], found: Iterable[Parameter], variables: Mapping[str, object], here: Place
) -> None:
    """Report each variable of the path that no parameter of a handler or its resolvers takes.

    `names` are the names of all parameters, including the parameters that could not be bound.
    """
    parts = (part for parameter in found for part in parameter.flattened())
    taken = {*names, *(part.name for part in parts if part.needs == Needs.PATH)}
    others = [name for name in names if name not in variables]
    for variable in variables:
        if variable not in taken:
            close = similar(variable, others)
            guess = f"; the parameter {close!r} has a similar name" if close else ""
            here.note(
                f"the path has the variable {variable!r}, but no parameter has this name{guess}",
                f"Name a parameter {variable}, or change the path.",
            )


def note_misspellings(found: Sequence[Parameter], variables: Iterable[str], here: Place) -> None:
    """Report each unmarked parameter whose name misspells the name of a path variable."""
    taken = {parameter.name for parameter in found}
    for parameter in found:
        if isinstance(parameter.marker, _OFF_THE_PATH) and not parameter.marked:
            is_query = isinstance(parameter.marker, QueryMarker)
            read = "is read from the query" if is_query else "is a variable of other paths"
            for variable in variables:
                if variable not in taken and _is_misspelt(parameter.name, variable):
                    here.note(
                        f"parameter {parameter.name!r} {read}, but the path has the variable"
                        f" {variable!r}",
                        f"Name the parameter {variable}, or write Query[...] to read the query.",
                    )


def _is_misspelt(name: str, variable: str) -> bool:
    """Return whether a name is a misspelling of a variable of the path.

    Some similar names are different words: `page` and `pages`, `team_id` and `item_id`.
    """
    one, other = (text.replace("_", "").lower() for text in (name, variable))
    if one == other:
        return True
    if min(len(one), len(other)) < _LONG:
        return False
    return _has_more(one, other) or _has_more(other, one) or _is_swapped(one, other)


def _has_more(one: str, other: str) -> bool:
    """Return whether the first name is the second name with one more letter inside."""
    return any(one[:at] + one[at + 1 :] == other for at in range(1, len(one) - 1)) and not (
        one.startswith(other) or one.endswith(other)
    )


def _is_swapped(one: str, other: str) -> bool:
    """Return whether the first name is the second name with two neighbouring letters swapped."""
    return any(
        one[:at] + one[at + 1] + one[at] + one[at + 2 :] == other for at in range(len(one) - 1)
    )
