"""The markers of what arrives as text: path, query, headers and cookies."""

import functools
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from werkzeug.exceptions import NotFound

from framework.annotations.limits import UnfitLimits, written
from framework.annotations.mismatches import plain
from framework.annotations.signatures import EMPTY, bare, describe
from framework.exchange import Exchange
from framework.markers import Default, Extract, Field, Marker, Unbindable, default_or_refusal
from framework.validation import (
    CONVERSION_ERRORS,
    TEXTS,
    FieldError,
    InvalidRequest,
    invalid,
    list_item,
    text_converter,
    told,
    with_limits,
)

# Reads the texts that a request gives under one name.
Read = Callable[[Exchange], Sequence[str]]
# Converts one text, or raises one of CONVERSION_ERRORS.
Convert = Callable[[str], object]


@dataclass(frozen=True, repr=False)
class TextMarker(Marker):
    """Read texts by their name and convert them."""

    alias: str | None = None
    limits: msgspec.Meta | None = None
    # What is wrong with the two, and what to do about it.
    wrong: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        """Write the marker the way its author does."""
        alias = [] if self.alias is None else [f'"{self.alias}"']
        return f"{self.source}({', '.join([*alias, *written(self.limits)])})"

    @abstractmethod
    def reader(self, name: str) -> Read:
        """Return the function that reads the texts for one value: more than one is refused."""

    def list_reader(self, name: str) -> Read:
        """Return the function that reads the texts for a list of values."""
        return self.reader(name)

    def name_of(self, field: Field) -> str:
        """Return the name under which the request gives the value."""
        return self.alias or field.name

    def where(self, field: Field) -> str:
        """Return the source and the name."""
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
                return _one(self.reader(name), text_converter(annotation), where, absent)
            convert = _each(text_converter(item), _list_checker(annotation), where)
            return _all(self.list_reader(name), convert, absent)
        except TypeError as error:
            raise _unfit(self.source, field, error) from error


class QueryMarker(TextMarker):
    """Read the query string."""

    source = "query"

    def reader(self, name: str) -> Read:
        """Read every value of a key: two are ambiguous where one is wanted."""
        return lambda exchange: exchange.query.get(name, ())


class HeaderMarker(TextMarker):
    """Read a header."""

    source = "header"

    def name_of(self, field: Field) -> str:
        """Return the alias, or `x-token` for a parameter called `x_token`."""
        return self.alias or field.name.replace("_", "-")

    def reader(self, name: str) -> Read:
        """Read a header, whose repetitions the server has joined already."""
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"

        def read(exchange: Exchange) -> Sequence[str]:
            text = exchange.environ.get(key)
            return () if text is None else (text,)

        return read

    def list_reader(self, name: str) -> Read:
        """Read the comma-separated values of a header."""
        read = self.reader(name)
        return lambda exchange: [
            item.strip() for text in read(exchange) for item in text.split(",") if item.strip()
        ]


class CookieMarker(TextMarker):
    """Read a cookie."""

    source = "cookie"

    def reader(self, name: str) -> Read:
        """Read the first cookie of a name: a browser sends the one with the longest path first."""
        return lambda exchange: exchange.cookies.get(name, [])[:1]

    def list_reader(self, name: str) -> Read:
        """Read every cookie of a name."""
        return lambda exchange: exchange.cookies.get(name, ())


@dataclass(frozen=True)
class PathMarker(Marker):
    """Give a value of the path."""

    source = "path"
    fallible = False

    # What the rule's converter makes of the text; None if that is not known.
    made: type | None = None

    def where(self, field: Field) -> str:
        """Return the source and the name of the variable."""
        return f"{self.source}:{field.name}"

    def extractor(self, field: Field) -> Extract:
        """Return the function that reads the value and converts it further if need be."""
        name, convert = field.name, self.converter(field)
        if convert is None:
            return lambda exchange: exchange.path_values[name]
        return lambda exchange: convert(exchange.path_values[name])

    def converter(self, field: Field) -> Callable[[object], object] | None:
        """Return the function that makes a path value what the parameter asks for.

        None if it is that already. The function raises `NotFound`: a path without a value that fits
        is another path, as it is where the rule's own converter refuses it.
        """
        base, metadata = bare(field.annotation)
        limited = any(isinstance(each, msgspec.Meta) for each in metadata)
        if self.made is None or base in (EMPTY, Any, object) or (base is self.made and not limited):
            return None
        if base in TEXTS - {self.made, str} and self.made is not str and not self._widens(base):
            raise Unbindable(
                f"the path gives {field.name!r} as {describe(self.made)},"
                f" but the parameter is {describe(base)}",
                f"Write {field.name}: {describe(self.made)}, or change the converter of the rule.",
            )
        try:
            convert = text_converter(field.annotation)
        except TypeError as error:
            raise _unfit(self.source, field, error) from error
        return functools.partial(_converted, convert)

    def _widens(self, base: Any) -> bool:
        return self.made is int and base is float


def _converted(convert: Convert, value: object) -> object:
    try:
        return convert(str(value))
    except CONVERSION_ERRORS as error:
        raise NotFound from error


def _one(read: Read, convert: Convert, where: str, absent: Default) -> Extract:
    def extract(exchange: Exchange) -> object:
        texts = read(exchange)
        if not texts:
            return absent()
        if len(texts) > 1:
            raise invalid(where, f"is there {len(texts)} times, expected once")
        try:
            return convert(texts[0])
        except CONVERSION_ERRORS as error:
            raise invalid(where, told(error, texts[0])) from error

    return extract


def _all(read: Read, convert: Callable[[Sequence[str]], object], absent: Default) -> Extract:
    def extract(exchange: Exchange) -> object:
        texts = read(exchange)
        return convert(texts) if texts else absent()

    return extract


def _each(
    convert: Convert, check: Callable[[list[object]], object], where: str
) -> Callable[[Sequence[str]], list[object]]:
    def convert_each(texts: Sequence[str]) -> list[object]:
        values: list[object] = []
        errors: list[FieldError] = []
        for index, text in enumerate(texts):
            try:
                values.append(convert(text))
            except CONVERSION_ERRORS as error:
                errors.append(FieldError(f"{where}/{index}", told(error, text)))
        if errors:
            raise InvalidRequest(errors)
        try:
            check(values)
        except CONVERSION_ERRORS as error:
            raise invalid(where, plain(error)) from error
        return values

    return convert_each


def _list_checker(annotation: Any) -> Callable[[list[object]], object]:
    """Return what raises for a list that is too short or too long."""
    limits = [each for each in bare(annotation)[1] if isinstance(each, msgspec.Meta)]
    if not limits:
        return len
    return functools.partial(msgspec.convert, type=with_limits(list, *limits))


def _unfit(source: str, field: Field, error: TypeError) -> Unbindable:
    what = f"parameter {field.name!r} cannot be read from the {source}: {error}"
    if isinstance(error, UnfitLimits):
        return Unbindable(what, error.remedy)
    if bare(list_item(field.annotation) or field.annotation)[0] is bytes:
        return Unbindable(what, "Use str for a text, or FileStorage for an uploaded file.")
    return Unbindable(
        what,
        "Use str, int, float, bool, UUID, date, datetime, an Enum or a Literal, or a list of one"
        " of them; Body[...] reads whole objects from JSON.",
    )
