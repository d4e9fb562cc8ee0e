"""Check whether a value is of a type, and whether values of a type can be changed in place."""

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

# A value may fit these in a way that classes do not show: a type checker accepts an int for a float
# (PEP 484), and the other annotations say nothing.
_UNCERTAIN = (float, complex, Any, EMPTY, Unresolved)
# The classes that a type checker accepts for each of these.
_ALSO: dict[Any, Any] = {
    None: types.NoneType,
    float: (float, int),
    complex: (complex, float, int),
}
# A class that inherits from one of these and from another class is very rare.
_VALUES = (str, bytes, int, bool, types.NoneType, Decimal, UUID, date, datetime, time, timedelta)
# No code can change a value of these in place.
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
# A class whose metaclass has another check decides itself which objects are its instances.
_CHECKS = (type.__instancecheck__, ABCMeta.__instancecheck__)


def fits(value: object, annotation: Any) -> bool:
    """Return whether a value is of a type; in doubt, yes.

    The limits of the type do not count.
    """
    kind, _ = split(annotation)
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if hasattr(kind, "__supertype__"):
        return fits(value, kind.__supertype__)
    if origin in (Union, types.UnionType):
        return any(fits(value, member) for member in arguments)
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in arguments)
    if origin is list and arguments and isinstance(value, list):
        return all(fits(item, arguments[0]) for item in value)
    return _is_instance(value, origin)


def is_protocol(key: Any) -> bool:
    """Return whether a type is a protocol, and not a class that implements a protocol."""
    return bool(getattr(key, "_is_protocol", False))


def may_be(given: Any, wanted: Any) -> bool:
    """Return whether a value of the type `given` can also have the type `wanted`; in doubt, yes.

    None is not counted as a value of a type.
    """
    one, other = bare(given)[0], bare(wanted)[0]
    if not (_is_plain(one) and _is_plain(other)):
        return True
    try:
        if issubclass(one, other) or issubclass(other, one):
            return True
    # issubclass does not work for protocols that are not runtime_checkable.
    except TypeError:
        return True
    if one in _VALUES or other in _VALUES:
        return False
    # A class may inherit from both, or be a virtual subclass of an abstract class.
    return (
        isabstract(one)
        or isabstract(other)
        or not subclasses(one).keys().isdisjoint(subclasses(other))
    )


def subclasses(kind: type) -> dict[int, type]:
    """Return all subclasses of a class; the key of each subclass is its `id()`.

    The subclass itself cannot be the key, because a metaclass can make a class unhashable.
    """
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
    """Return whether a value, or a value inside it, can be changed in place; in doubt, yes.

    `within` holds the types that contain the value.
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
    """Return whether a type is a class that accepts only its own instances."""
    if not isinstance(kind, type) or get_origin(kind) is not None or kind in _UNCERTAIN:
        return False
    return type(kind).__instancecheck__ in _CHECKS and not is_typeddict(kind)


def _is_instance(value: object, kind: Any) -> bool:
    if is_typeddict(kind):
        return isinstance(value, Mapping)
    # A type checker checks a protocol before the program runs, so any object is accepted here.
    if is_protocol(kind):
        return value is not None
    try:
        return isinstance(value, _ALSO.get(kind, kind))
    # isinstance does not work for Any and for type variables.
    except TypeError:
        return True


def _is_frozen(kind: Any) -> bool:
    if not isinstance(kind, type):
        return False
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_config__.frozen and not kind.__struct_config__.array_like
    # A subclass of a dataclass inherits the parameters without a decorator of its own.
    parameters: Any = getattr(kind, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)
