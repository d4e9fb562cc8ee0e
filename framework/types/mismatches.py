"""Find every place where a JSON value does not fit its type; msgspec reports only the first."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Annotated, Any, NamedTuple, get_args, get_origin

import msgspec

from framework.types.fields import ObjectField, fields_of, is_pydantic_model
from framework.types.signatures import bare
from framework.validation import REQUIRED, UNKNOWN, limit_told, place_of, plain

# Python looks at each value, which takes some fifty times as long as decoding it.
_MOST_VALUES = 10_000
# Without these limits, a megabyte of wrong values would give many megabytes of errors.
MOST_ERRORS = 100
_MOST_TEXT = 100_000
_LONGEST_KEY = 100

_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<item>[^\]]+)\]")


class Mismatch(NamedTuple):
    """An error and its place in a value, written as a JSON pointer (RFC 6901)."""

    pointer: str
    what: str


class ForeignModelError(ValueError):
    """A model refuses a value; `mismatches` has each error with its place."""

    def __init__(self, mismatches: Iterable[Mismatch]) -> None:
        super().__init__("a model refuses the value")
        self.mismatches = list(bounded(mismatches))


# Makes an object of a class that msgspec does not know, or raises `ForeignModelError`.
Hook = Callable[[type, object], object]


def mismatches(value: object, annotation: Any, hook: Hook | None = None) -> Iterator[Mismatch]:
    """Yield a mismatch for each place where a JSON value does not fit the type.

    Only the first ten thousand values inside the value are searched.
    """
    return _Search(hook).within(value, annotation)


def first_mismatches(error: msgspec.ValidationError) -> Iterator[Mismatch]:
    """Yield the errors of a pydantic model if they caused msgspec's error, else msgspec's error."""
    steps = _STEP.finditer(place_of(error))
    pointer = "".join(step(found["name"] or found["item"].replace("...", "*")) for found in steps)
    cause = error.__cause__
    if isinstance(cause, ForeignModelError):
        yield from below(pointer, cause.mismatches)
    else:
        yield Mismatch(pointer, plain(error))


def bounded(found: Iterable[Mismatch]) -> Iterator[Mismatch]:
    """Yield the first hundred mismatches, or fewer if their texts are long."""
    length = 0
    for mismatch in islice(found, MOST_ERRORS):
        yield mismatch
        length += len(mismatch.pointer) + len(mismatch.what)
        if length > _MOST_TEXT:
            return


def step(key: str) -> str:
    """Return one step of a JSON pointer (RFC 6901); a very long key is shortened."""
    shown = key if len(key) <= _LONGEST_KEY else key[:_LONGEST_KEY] + "…"
    return "/" + shown.replace("~", "~0").replace("/", "~1")


def below(above: str, found: Iterable[Mismatch]) -> Iterator[Mismatch]:
    """Yield each mismatch with the pointer `above` written in front of its place."""
    for mismatch in found:
        yield Mismatch(above + mismatch.pointer, mismatch.what)


class _Search:
    """Find the mismatches in one value, each with a JSON pointer to its place."""

    def __init__(self, hook: Hook | None) -> None:
        self._left = _MOST_VALUES
        self._hook = hook

    def within(self, value: object, annotation: Any) -> Iterator[Mismatch]:
        self._left -= 1
        base, metadata = bare(annotation)
        kind = get_origin(base) or base
        if isinstance(value, list) and kind is list:
            yield from self._limits(value, list, metadata)
            yield from self._in_list(value, base)
        elif isinstance(value, dict) and kind is dict:
            yield from self._limits(value, dict, metadata)
            yield from self._in_dict(value, base)
        elif isinstance(value, dict) and not is_pydantic_model(kind) and fields_of(base):
            yield from self._in_object(value, fields_of(base))
            yield from _unknown(value, fields_of(base), kind)
        else:
            yield from self._by_msgspec(value, annotation)

    def _in_list(self, value: list[Any], base: Any) -> Iterator[Mismatch]:
        (item_type,) = get_args(base) or (Any,)
        for index, item in enumerate(value):
            if self._left <= 0:
                return
            yield from below(f"/{index}", self.within(item, item_type))

    def _in_dict(self, value: dict[str, Any], base: Any) -> Iterator[Mismatch]:
        key_type, item_type = get_args(base) or (str, Any)
        for key, item in value.items():
            if self._left <= 0:
                return
            if key_type is not str:
                keyed = self._by_msgspec({key: None}, dict.__class_getitem__((key_type, Any)))
                yield from (Mismatch(step(key), wrong.what) for wrong in keyed)
            yield from below(step(key), self.within(item, item_type))

    def _in_object(
        self, value: dict[str, Any], fields: tuple[ObjectField, ...]
    ) -> Iterator[Mismatch]:
        for field in fields:
            if self._left <= 0:
                return
            if field.name in value:
                found = self.within(value[field.name], field.annotation)
                yield from below(step(field.name), found)
                continue
            self._left -= 1
            if field.required:
                yield Mismatch(step(field.name), REQUIRED)

    def _limits(
        self, value: object, kind: type, metadata: tuple[object, ...]
    ) -> Iterator[Mismatch]:
        """Yield a mismatch if a list or a dict is too long or too short; no item is checked."""
        return self._by_msgspec(value, Annotated[kind, *metadata]) if metadata else iter(())

    def _by_msgspec(self, value: object, annotation: Any) -> Iterator[Mismatch]:
        try:
            msgspec.convert(value, annotation, str_keys=True, dec_hook=self._hook)
        except msgspec.ValidationError as error:
            for inner in first_mismatches(error):
                yield inner if inner.pointer else Mismatch("", limit_told(inner.what, value))


def _unknown(
    value: dict[str, Any], fields: tuple[ObjectField, ...], kind: Any
) -> Iterator[Mismatch]:
    config = getattr(kind, "__struct_config__", None)
    if config is not None and config.forbid_unknown_fields:
        known = {config.tag_field, *(field.name for field in fields)}
        for key in value:
            if key not in known:
                yield Mismatch(step(key), UNKNOWN)
