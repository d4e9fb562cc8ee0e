"""Whether a value is of a type, as a type checker would see it."""

import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin, is_typeddict

from framework.annotations.signatures import EMPTY, Unresolved, bare, split

# As in PEP 484: a type checker takes an int for a float; the others say nothing.
_UNCERTAIN = (float, complex, Any, EMPTY, Unresolved)


def fits(value: object, annotation: Any) -> bool:
    """Tell whether a value is of a type; in doubt it is. Limits of the type do not count."""
    kind, _ = split(annotation)
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if hasattr(kind, "__supertype__"):
        return fits(value, kind.__supertype__)
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in arguments)
    if origin is Literal:
        return any(value == each and type(value) is type(each) for each in arguments)
    if origin is list and arguments and isinstance(value, list):
        return all(fits(each, arguments[0]) for each in value)
    return _is_instance(value, origin)


def may_be(given: Any, wanted: Any) -> bool:
    """Tell whether something of one type can be of another, None aside; in doubt it can."""
    one, other = bare(given)[0], bare(wanted)[0]
    if not (_is_plain(one) and _is_plain(other)):
        return True
    try:
        return issubclass(one, other) or issubclass(other, one)
    # Protocols that can only be checked before the program runs.
    except TypeError:
        return True


def _is_plain(kind: Any) -> bool:
    """Tell whether a type is a class of which nothing else passes for an instance."""
    is_class = isinstance(kind, type) and get_origin(kind) is None
    return is_class and kind not in _UNCERTAIN and not is_typeddict(kind)


def _is_instance(value: object, kind: Any) -> bool:
    if is_typeddict(kind):
        return isinstance(value, Mapping)
    # As in PEP 484: a type checker takes an int for a float.
    kind = (float, int) if kind is float else types.NoneType if kind is None else kind
    try:
        return isinstance(value, kind)
    # Any, type variables, and protocols that can only be checked before the program runs.
    except TypeError:
        return True
