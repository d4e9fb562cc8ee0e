"""Whether a value of a type can be changed in place."""

import enum
from datetime import date, time, timedelta
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

import msgspec

from framework.annotations.object_fields import fields_of
from framework.annotations.signatures import bare

_UNCHANGING = (str, bytes, int, float, Decimal, date, time, timedelta, UUID, NoneType, enum.Enum)


def can_change(annotation: Any, within: tuple[object, ...] = ()) -> bool:
    """Tell whether a value, or one inside of it, can be changed in place; in doubt it can.

    `within` are the types that the value is inside of.
    """
    kind, _ = bare(annotation)
    origin = get_origin(kind)
    if origin is Literal or kind in within:
        return False
    if origin in (Union, UnionType, tuple, frozenset):
        return any(can_change(each, within) for each in get_args(kind) if each is not ...)
    if _is_frozen(kind):
        return any(can_change(each.annotation, (*within, kind)) for each in fields_of(kind))
    return not (isinstance(kind, type) and origin is None and issubclass(kind, _UNCHANGING))


def _is_frozen(kind: Any) -> bool:
    if not isinstance(kind, type):
        return False
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_config__.frozen and not kind.__struct_config__.array_like
    # A subclass of a dataclass need not be decorated itself.
    parameters: Any = getattr(kind, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)
