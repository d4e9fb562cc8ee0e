"""Checks of JSON that msgspec does not make: the text of a decimal, and a `$` in a pattern.

In msgspec, `$` also matches before a line feed at the end of a text; JSON Schema forbids this.
The checks read the parsed JSON, and not the decoded value. A type without decimals and patterns has
no check.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from decimal import Decimal
from itertools import chain
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from framework.types.fields import fields_of, is_pydantic_model, members_of
from framework.types.mismatches import Mismatch, below, step
from framework.types.patterns import line_feed_check
from framework.types.signatures import split

# Yields the places of a JSON value that do not fit. A number may be the text of the number.
Check = Callable[[Any], Iterator[Mismatch]]

# A number of JSON (RFC 8259, section 6).
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS = frozenset({"nan", "snan", "inf", "infinity"})
_ITEMS = (list, tuple, set, frozenset)


def refuse_no_number(text: str) -> None:
    """Raise ValueError if the text of a Decimal is not a number of JSON."""
    if _NUMBER.fullmatch(text):
        return
    if text.strip().lstrip("+-").lower().rstrip("0123456789") in _WORDS:
        raise ValueError("expected a finite number")
    raise ValueError("expected Decimal such as '1.10'")


def check_of(annotation: Any, *, in_models: bool = False) -> Check | None:
    """Return the check of a JSON value; None if the type needs no check.

    With `in_models`, the check reads the fields of pydantic models, too.
    """
    builder = _Builder(in_models=in_models)
    check = builder.of(annotation)
    return check if builder.is_needed else None


class _Builder:
    """Build the check of a type from the checks of its parts."""

    def __init__(self, *, in_models: bool) -> None:
        self.is_needed = False
        self._in_models = in_models
        # The checks of classes and of aliases, because these may contain themselves.
        self._of_classes: list[tuple[Any, dict[str, Check]]] = []
        self._of_aliases: list[tuple[Any, list[Check]]] = []

    def of(self, annotation: Any) -> Check:
        """Return the function that checks the JSON values of a type."""
        for alias, checks in self._of_aliases:
            if alias == annotation:
                return _all(checks)
        found: list[Check] = []
        if hasattr(annotation, "__value__"):
            self._of_aliases.append((annotation, found))
        base, metadata = split(annotation)
        found += [*self._of_metadata(metadata), *self._of_kind(base)]
        return found[0] if len(found) == 1 else _all(found)

    def _of_metadata(self, metadata: Sequence[object]) -> Iterator[Check]:
        """Yield the check of each pattern, also of a pattern inside a `Field` of pydantic."""
        for element in metadata:
            for part in (element, *getattr(element, "metadata", ())):
                pattern = getattr(part, "pattern", None)
                if isinstance(pattern, str | re.Pattern):
                    yield from self._of_pattern(pattern)

    def _of_pattern(self, pattern: str | re.Pattern[str]) -> Iterator[Check]:
        ends = line_feed_check(pattern)
        if ends is not None:
            self.is_needed = True
            yield _of_text(ends, pattern if isinstance(pattern, str) else pattern.pattern)

    def _of_kind(self, base: Any) -> Iterator[Check]:
        origin, arguments = get_origin(base) or base, get_args(base)
        if base is Decimal:
            self.is_needed = True
            yield _of_decimal
        elif hasattr(base, "__supertype__"):
            yield self.of(base.__supertype__)
        elif origin in (Union, UnionType):
            yield from [self.of(member) for member in arguments]
        elif isinstance(origin, type):
            yield from self._of_container(base, origin, arguments)

    def _of_container(self, base: Any, origin: Any, arguments: Sequence[Any]) -> Iterator[Check]:
        is_named_tuple = issubclass(origin, tuple) and hasattr(origin, "_fields")
        if fields_of(base) or issubclass(origin, msgspec.Struct) or is_named_tuple:
            yield self._of_class(base, origin)
        elif issubclass(origin, tuple) and arguments and arguments[-1] is not ...:
            yield _of_places([self.of(argument) for argument in arguments])
        elif len(arguments) == 2 and arguments[-1] is not ...:
            yield _of_pairs(*map(self.of, arguments))
        elif arguments:
            yield _of_items(self.of(arguments[0]))

    def _of_class(self, base: Any, origin: Any) -> Check:
        if is_pydantic_model(origin) and not self._in_models:
            return _all([])
        known = next((checks for kind, checks in self._of_classes if kind == base), None)
        if known is None:
            known = {}
            self._of_classes.append((base, known))
            for name, annotation in members_of(base):
                known[name] = self.of(annotation)
        if issubclass(origin, tuple):
            return _of_places(known.values())
        config = getattr(origin, "__struct_config__", None)
        if config is not None and config.array_like:
            return _of_array(known, config.tag)
        return _of_object(known, *((config.tag_field, config.tag) if config else (None, None)))


def _all(checks: Sequence[Check]) -> Check:
    def check(value: Any) -> Iterator[Mismatch]:
        for inner in checks:
            yield from inner(value)

    return check


def _of_text(ends: Callable[[str], bool], pattern: str) -> Check:
    def check(value: Any) -> Iterator[Mismatch]:
        if isinstance(value, str) and not ends(value):
            yield Mismatch("", f"expected str matching regex {pattern!r}")

    return check


def _of_decimal(value: Any) -> Iterator[Mismatch]:
    if isinstance(value, str):
        try:
            refuse_no_number(value)
        except ValueError as error:
            yield Mismatch("", str(error))


def _of_items(inner: Check) -> Check:
    def check(value: Any) -> Iterator[Mismatch]:
        if isinstance(value, _ITEMS):
            for index, item in enumerate(value):
                yield from below(f"/{index}", inner(item))

    return check


def _of_places(checks: Collection[Check]) -> Check:
    def check(value: Any) -> Iterator[Mismatch]:
        if isinstance(value, _ITEMS):
            for index, (inner, item) in enumerate(zip(checks, value, strict=False)):
                yield from below(f"/{index}", inner(item))

    return check


def _of_pairs(of_key: Check, of_value: Check) -> Check:
    def check(value: Any) -> Iterator[Mismatch]:
        if isinstance(value, dict):
            for key, item in value.items():
                yield from below(step(str(key)), chain(of_key(key), of_value(item)))

    return check


def _of_object(checks: dict[str, Check], tag_field: str | None, tag: object) -> Check:
    def check(value: Any) -> Iterator[Mismatch]:
        if not isinstance(value, dict) or (tag_field and str(value.get(tag_field)) != str(tag)):
            return
        for name, inner in checks.items():
            if name in value:
                yield from below(step(name), inner(value[name]))

    return check


def _of_array(checks: dict[str, Check], tag: object) -> Check:
    def check(value: Any) -> Iterator[Mismatch]:
        tagged = tag is not None
        if not isinstance(value, list) or (tagged and str(next(iter(value), None)) != str(tag)):
            return
        for index, (inner, item) in enumerate(zip(checks.values(), value[tagged:], strict=False)):
            yield from below(f"/{index + tagged}", inner(item))

    return check
