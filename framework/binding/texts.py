"""The base of the markers of texts (query, header, cookie, form): name, limits, conversion."""

import functools
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypedDict, TypeVar, get_origin

import msgspec

from framework.binding.source import (
    Brackets,
    Default,
    Extract,
    Field,
    Marker,
    Needs,
    conversion,
    default_or_refusal,
)
from framework.http.context import Context
from framework.report import Mistake
from framework.types.conversion import (
    CONVERSION_ERRORS,
    collection_of,
    list_item,
    text_converter,
    with_limits,
)
from framework.types.fields import fields_of
from framework.types.limits import UnfitLimits, mistakes_of_limits, written
from framework.types.mismatches import MOST_ERRORS
from framework.types.signatures import bare, describe
from framework.validation import (
    FieldError,
    InvalidRequest,
    invalid,
    limit_told,
    plain,
    repeated,
    told,
)

M = TypeVar("M", bound="TextMarker")

# Reads the texts that a request gives under one name.
Read = Callable[[Context], Sequence[str]]
# Converts one text, or raises one of CONVERSION_ERRORS.
Convert = Callable[[str], object]


@dataclass(frozen=True, repr=False)
class TextMarker(Marker):
    """The base of the markers that find texts in a request by a name, and convert the texts."""

    needs: ClassVar[Needs] = Needs.NOTHING

    alias: str | None = None
    limits: msgspec.Meta | None = None
    # The mistakes in the alias and the limits.
    mistakes: tuple[Mistake, ...] = ()

    def __repr__(self) -> str:
        """Return the marker as the user writes it."""
        alias = [] if self.alias is None else [f'"{self.alias}"']
        return f"{self.source}({', '.join([*alias, *written(self.limits)])})"

    @abstractmethod
    def reader(self, name: str) -> Read:
        """Return the function that reads all texts with this name.

        A parameter for one value refuses a request with several texts.
        """

    def list_reader(self, name: str) -> Read:
        """Return the function that reads the texts for a list of values."""
        return self.reader(name)

    def name_of(self, field: Field) -> str:
        """Return the name under which the request gives the value."""
        return self.alias or field.name

    def where(self, field: Field) -> str:
        """Return the source and the name of the value, such as `query:page`."""
        return f"{self.source}:{self.name_of(field)}"

    def extractor(self, field: Field) -> Extract:
        """Return the function that reads and converts one text, or every text for a list."""
        name, where = self.name_of(field), self.where(field)
        absent = default_or_refusal(field.default, where)
        annotation = field.annotation
        if self.limits is not None:
            annotation = Annotated[annotation, self.limits]
        try:
            item = list_item(annotation)
            if item is None:
                return _single(self.reader(name), text_converter(annotation), where, absent)
            convert = _list_converter(text_converter(item), annotation, where)
            return _several(self.list_reader(name), convert, absent)
        except TypeError as error:
            raise unfit(self.source, field, error) from error

    def explained(self, field: Field) -> str:
        """Return a text that says to which type a value is converted."""
        return conversion("text", field.annotation, self.limits)


class Limits(TypedDict, total=False):
    """List the limits that a value can have, under the names of `msgspec.Meta`."""

    ge: float
    gt: float
    le: float
    lt: float
    min_length: int
    max_length: int
    pattern: str


def limited(kind: type[M], alias: Any, limits: Any) -> M:
    """Return a marker with these arguments; start-up reports the mistakes in them."""
    mistakes = (*_mistakes_of_alias(alias), *mistakes_of_limits(limits))
    if mistakes or not limits:
        return kind(None if mistakes else alias, mistakes=mistakes)
    return kind(alias, msgspec.Meta(**limits))


def brackets(name: str, marker: TextMarker) -> Brackets:
    """Return the object that makes `Query[int]` possible."""
    example = f"x: Annotated[int, {marker.source}(ge=1)] = 1"
    return Brackets(name, marker, "int", f" = 1, or with limits {example}")


_SIMPLE = (
    "Use str, int, float, bool, UUID, date, datetime, an Enum or a Literal, or a list, set or"
    " tuple[T, ...] of one of them. To read whole objects, use JSON and Body[...]."
)


def unfit(source: str, field: Field, error: TypeError) -> Mistake:
    """Return the `Mistake` for a type to which no text can be converted."""
    what = f"parameter {field.name!r} cannot be read from the {source}: {error}"
    if isinstance(error, UnfitLimits):
        return Mistake(what, error.remedy)
    if bare(list_item(field.annotation) or field.annotation)[0] is bytes:
        return Mistake(what, "Use str for a text, or FileStorage for an uploaded file.")
    if fields_of(bare(field.annotation)[0]):
        name = describe(field.annotation)
        return Mistake(
            what,
            f"Write one parameter for each field of {name}, or Form[{name}] for a form. To read"
            " whole objects, use JSON and Body[...].",
        )
    return Mistake(what, _plain_class(field.annotation) or _SIMPLE)


def _plain_class(annotation: Any) -> str | None:
    """Return advice on how to read a class whose fields are not known; None for other types."""
    kind = bare(list_item(annotation) or annotation)[0]
    if not isinstance(kind, type) or kind.__module__ == "builtins" or get_origin(kind) is not None:
        return None
    name = describe(kind)
    return (
        f"Make {name} a dataclass, a msgspec.Struct or a pydantic model, and read it with"
        f" Form[{name}] or Body[{name}]. Or use a simple type, such as str, and make the {name} in"
        " the handler."
    )


def _single(read: Read, convert: Convert, where: str, absent: Default) -> Extract:
    def extract(context: Context) -> object:
        texts = read(context)
        if not texts:
            return absent()
        if len(texts) > 1:
            raise invalid(where, repeated(len(texts)))
        try:
            return convert(texts[0])
        except CONVERSION_ERRORS as error:
            raise invalid(where, told(error, texts[0])) from error

    return extract


def _several(read: Read, convert: Callable[[Sequence[str]], object], absent: Default) -> Extract:
    def extract(context: Context) -> object:
        texts = read(context)
        return convert(texts) if texts else absent()

    return extract


def _list_converter(
    convert: Convert, annotation: Any, where: str
) -> Callable[[Sequence[str]], object]:
    collect, check = collection_of(annotation), _length_checker(annotation)

    def convert_list(texts: Sequence[str]) -> object:
        values: list[object] = []
        errors: list[FieldError] = []
        for index, text in enumerate(texts):
            try:
                values.append(convert(text))
            except CONVERSION_ERRORS as error:
                errors.append(FieldError(f"{where}/{index}", told(error, text)))
                if len(errors) == MOST_ERRORS:
                    break
        if errors:
            raise InvalidRequest(errors)
        collected = collect(values)
        try:
            check(collected)
        except CONVERSION_ERRORS as error:
            raise invalid(where, limit_told(plain(error), [*collected])) from error
        return collected

    return convert_list


def _length_checker(annotation: Any) -> Callable[[Collection[object]], object]:
    """Return the function that raises for a collection that is too short or too long."""
    limits = [element for element in bare(annotation)[1] if isinstance(element, msgspec.Meta)]
    if not limits:
        return len
    return functools.partial(msgspec.convert, type=with_limits(collection_of(annotation), *limits))


def _mistakes_of_alias(alias: object) -> Iterator[Mistake]:
    if alias is not None and not isinstance(alias, str):
        yield Mistake(
            f"has the name {alias!r}, which is not a text",
            'Give the name as a text, as in query("page_size").',
        )
