"""Whether a value is of a type, and whether it can be changed in place."""

import enum
import types
from abc import ABCMeta
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from inspect import isabstract
from typing import Any, Literal, Union, get_args, get_origin, is_typeddict
from uuid import UUID

import msgspec

from framework.types.fields import fields_of
from framework.types.signatures import EMPTY, Unresolved, bare, split

# A type checker takes an int for a float (PEP 484); the other types say nothing.
_UNCERTAIN = (float, complex, Any, EMPTY, Unresolved)
# The other types that a type checker accepts for these.
_ALSO: dict[Any, Any] = {
    None: types.NoneType,
    float: (float, int),
    complex: (complex, float, int),
}
# Classes that inherit from one of these and from another class are very rare.
_VALUES = (str, bytes, int, bool, types.NoneType, Decimal, UUID, date, datetime, time, timedelta)
# Nobody can change a value of these in place.
_UNCHANGING = (
    str,
    bytes,
    int,
    float,
    Decimal,
    date,
    time,
    timedelta,
    UUID,
    types.NoneType,
    enum.Enum,
)
# A class with another method in its metaclass decides itself what its instances are.
_CHECKS = (type.__instancecheck__, ABCMeta.__instancecheck__)


def fits(value: object, annotation: Any) -> bool:
    """Return whether a value is of a type; in doubt it is. Limits of the type do not count."""
    kind, _ = split(annotation)
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if hasattr(kind, "__supertype__"):
        return fits(value, kind.__supertype__)
    if origin in (Union, types.UnionType):
        return any(fits(value, argument) for argument in arguments)
    if origin is Literal:
        return any(value == argument and type(value) is type(argument) for argument in arguments)
    if origin is list and arguments and isinstance(value, list):
        return all(fits(item, arguments[0]) for item in value)
    return _is_instance(value, origin)


def is_protocol(key: Any) -> bool:
    """Return whether a type is a protocol, and not a class that follows one."""
    return bool(getattr(key, "_is_protocol", False))


def may_be(given: Any, wanted: Any) -> bool:
    """Return whether something of one type can be of another, None aside; in doubt it can."""
    one, other = bare(given)[0], bare(wanted)[0]
    if not (_is_plain(one) and _is_plain(other)):
        return True
    try:
        if issubclass(one, other) or issubclass(other, one):
            return True
    # The protocol cannot be checked when the program runs.
    except TypeError:
        return True
    if one in _VALUES or other in _VALUES:
        return False
    # A class may inherit from both, and follow an abstract class without inheriting from it.
    return (
        isabstract(one)
        or isabstract(other)
        or not subclasses(one).keys().isdisjoint(subclasses(other))
    )


def subclasses(kind: type) -> dict[int, type]:
    """Return all classes below one, by their ids: a metaclass may make them unhashable."""
    found: dict[int, type] = {}
    rest = [kind]
    while rest:
        below: list[type] = type.__subclasses__(rest.pop())
        for subclass in below:
            if id(subclass) not in found:
                found[id(subclass)] = subclass
                rest.append(subclass)
    return found


def can_change(annotation: Any, within: tuple[object, ...] = ()) -> bool:
    """Return whether a value, or one inside of it, can be changed in place; in doubt it can.

    `within` are the types that the value is inside of.
    """
    kind, _ = bare(annotation)
    origin = get_origin(kind)
    if origin is Literal or kind in within:
        return False
    if origin in (Union, types.UnionType, tuple, frozenset):
        return any(can_change(member, within) for member in get_args(kind) if member is not ...)
    if _is_frozen(kind):
        return any(can_change(field.annotation, (*within, kind)) for field in fields_of(kind))
    return not (isinstance(kind, type) and origin is None and issubclass(kind, _UNCHANGING))


def _is_plain(kind: Any) -> bool:
    """Return whether a type is a class that decides about its instances in the usual way."""
    if not isinstance(kind, type) or get_origin(kind) is not None or kind in _UNCERTAIN:
        return False
    return type(kind).__instancecheck__ in _CHECKS and not is_typeddict(kind)


def _is_instance(value: object, kind: Any) -> bool:
    if is_typeddict(kind):
        return isinstance(value, Mapping)
    # Type checkers check a protocol before the program runs.
    if is_protocol(kind):
        return value is not None
    try:
        return isinstance(value, _ALSO.get(kind, kind))
    # Any, and type variables.
    except TypeError:
        return True


def _is_frozen(kind: Any) -> bool:
    if not isinstance(kind, type):
        return False
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_config__.frozen and not kind.__struct_config__.array_like
    # A subclass of a dataclass need not be decorated itself.
    parameters: Any = getattr(kind, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)
