"""The limits of a value (`ge`, `max_length`, `pattern`): whether they make sense for its type."""

import operator
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import product
from typing import Any

import msgspec

from framework.report import Mistake, did_you_mean
from framework.types.signatures import describe

# The comparison of each limit, and its sign in messages.
_COMPARISONS = {
    "ge": (operator.ge, ">="),
    "gt": (operator.gt, ">"),
    "le": (operator.le, "<="),
    "lt": (operator.lt, "<"),
}
_BOUNDS = tuple(_COMPARISONS)
_LENGTHS = ("min_length", "max_length")
LIMITS = (*_BOUNDS, *_LENGTHS, "pattern")
_RANGES = (*product(("ge", "gt"), ("le", "lt")), _LENGTHS)
# The name of each limit, by its names in other libraries.
_ELSEWHERE = {
    **dict.fromkeys(("gte", "min", "minimum", "min_value"), "ge"),
    **dict.fromkeys(("lte", "max", "maximum", "max_value"), "le"),
    **dict.fromkeys(("above", "exclusiveMinimum"), "gt"),
    **dict.fromkeys(("below", "exclusiveMaximum"), "lt"),
    **dict.fromkeys(("minlength", "minLength", "min_len", "min_items"), "min_length"),
    **dict.fromkeys(("maxlength", "maxLength", "max_len", "max_items", "length"), "max_length"),
    **dict.fromkeys(("regex", "regexp", "match"), "pattern"),
}
# The largest integer that msgspec can compare.
_LARGEST = 2**63 - 1

FITTING = (
    "ge, gt, le and lt are for int and float, and for a Decimal that is read from a text; pattern"
    " is for str, min_length and max_length are for str and lists. The items of a list have limits"
    " of their own, as in list[Annotated[int, msgspec.Meta(ge=1)]]."
)


class UnfitLimits(TypeError):
    """The limits do not fit their type."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


def mistakes_of_limits(limits: Mapping[str, object]) -> Iterator[Mistake]:
    """Yield a mistake for each limit that is wrong for every type, such as an unknown limit.

    The text of a mistake has no subject: the caller puts a subject such as `query()` in front.
    """
    known = [name for name in LIMITS if limits.get(name) is not None]
    for name in limits:
        if name not in LIMITS:
            yield Mistake(
                f"has no limit {name!r}",
                f"{_meant(name)}The limits are {', '.join(LIMITS[:-1])} and {LIMITS[-1]}.",
            )
    wrong = [mistake for name in known for mistake in _wrong_value(name, limits[name])]
    yield from wrong
    yield from _double_bounds(known)
    if not wrong:
        yield from _empty_ranges(limits)


def refuse_unfit(kind: Any, limits: Sequence[msgspec.Meta]) -> None:
    """Raise `UnfitLimits` for a limit that does not apply to the type."""
    has = _limits_of(kind)
    for limit in limits:
        for name in LIMITS:
            value = getattr(limit, name)
            if value is None:
                continue
            if name not in has:
                raise UnfitLimits(f"{name}={value!r} does not apply to {describe(kind)}", FITTING)
            if kind is int and not (isinstance(value, int) and abs(value) <= _LARGEST):
                raise UnfitLimits(
                    f"{name}={value!r} is not an integer of 64 bits, so it is no limit of int",
                    f"Write an integer up to {_LARGEST}, or another type.",
                )


def beyond(number: Decimal, limits: Sequence[msgspec.Meta]) -> str | None:
    """Return the text of the first limit that a number breaks, or None.

    This is needed because msgspec has no limits for decimals.
    """
    for limit in limits:
        for name, (is_met, sign) in _COMPARISONS.items():
            bound = getattr(limit, name)
            # The text of a float is compared, because the float 0.1 is a little more than a tenth.
            if bound is not None and not is_met(number, Decimal(str(bound))):
                return f"{sign} {bound}"
    return None


def limits_alone(meta: msgspec.Meta) -> msgspec.Meta | None:
    """Return limits without the fields that only describe the type; None if no limit is left."""
    limits = {name: getattr(meta, name) for name in (*LIMITS, "multiple_of", "tz")}
    stated = {name: value for name, value in limits.items() if value is not None}
    return msgspec.Meta(**stated) if stated else None


def written(limits: msgspec.Meta | None) -> Iterator[str]:
    """Return limits as in source code, such as `ge=1`."""
    for name in (*LIMITS, "multiple_of", "tz"):
        value = getattr(limits, name, None)
        if value is not None:
            yield f"{name}={value!r}"


def _meant(name: str) -> str:
    """Return advice about an unknown limit, for example about a name from another library."""
    if name in ("default", "default_factory"):
        return "Write the default after the annotation, as in x: int = 1. "
    if name in ("alias", "name", "key"):
        return 'The name is the first argument, as in query("page_size"). '
    guess = did_you_mean(_ELSEWHERE.get(name, name), LIMITS).removeprefix("; ")
    return f"{guess[:1].upper()}{guess[1:]} " if guess else ""


def _wrong_value(name: str, value: Any) -> Iterator[Mistake]:
    """Yield the mistake if a value cannot be a limit."""
    if name == "pattern":
        yield from _wrong_pattern(value)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        yield Mistake(
            f"has {name}={value!r}, which is not a number", f"Write a number, as in {name}=1."
        )
    elif name in _BOUNDS and not abs(value) <= sys.float_info.max:
        yield Mistake(
            f"has {name}={value!r}, which limits nothing", "Leave the limit out, or give a number."
        )
    elif name in _LENGTHS and not (isinstance(value, int) and 0 <= value <= _LARGEST):
        yield Mistake(
            f"has {name}={value!r}, which is not a length", f"Write 0 or more, as in {name}=1."
        )


def _wrong_pattern(pattern: object) -> Iterator[Mistake]:
    if not isinstance(pattern, str):
        yield Mistake(f"has pattern={pattern!r}, which is not a text", 'Write pattern="^[a-z]+$".')
        return
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        yield Mistake(
            f"has pattern={pattern!r}, which is not a regular expression: {error}",
            "Correct the pattern. To match a special character itself, write a backslash before"
            " it.",
        )


def _double_bounds(names: Sequence[str]) -> Iterator[Mistake]:
    for one, other in (("ge", "gt"), ("le", "lt")):
        if one in names and other in names:
            yield Mistake(f"has both {one} and {other}", "Keep one of them.")


def _empty_ranges(limits: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield a mistake for two limits that no value can meet."""
    for low, high in _RANGES:
        least, most = limits.get(low), limits.get(high)
        if least is None or most is None:
            continue
        is_closed = low != "gt" and high != "lt"
        if least > most or (least == most and not is_closed):
            yield Mistake(
                f"has {low}={least!r} and {high}={most!r}, which no value meets",
                "Exchange the two, or correct one of them.",
            )


def _limits_of(kind: Any) -> tuple[str, ...]:
    if kind in (int, float, Decimal):
        return _BOUNDS
    if kind is str:
        return (*_LENGTHS, "pattern")
    return _LENGTHS if kind in (list, set, frozenset, tuple) else ()
