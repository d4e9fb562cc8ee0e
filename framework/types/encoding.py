"""Convert values that msgspec cannot write as JSON itself: models, and subclasses of numbers.

The module also knows which classes JSON cannot hold.
"""

from collections import ChainMap, UserDict, UserList, UserString, deque
from collections.abc import Callable, ItemsView, KeysView, ValuesView
from functools import lru_cache
from inspect import isabstract
from io import IOBase
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from numbers import Integral, Rational, Real
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MappingProxyType, MethodType
from typing import Annotated, Any, cast, get_origin
from uuid import UUID

from framework.types.fields import is_pydantic_model
from framework.types.fitting import is_protocol
from framework.types.msgspec_types import unknown_classes
from framework.types.signatures import describe
from sessions.session import AsyncSession, Session

NOT_ENCODED = "a session belongs to its request, so it is not encoded"
COPY_OF_SESSION = "use the values that you need, or session.copy(), which is a plain dict"

# The function that converts a value of each type to an exact type that msgspec knows.
_PLAIN: dict[type, Callable[[Any], object]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    bytes: bytes,
    deque: list,
    range: list,
    KeysView: list,
    ValuesView: list,
    ItemsView: list,
    UserList: list,
    MappingProxyType: dict,
    ChainMap: dict,
    UserDict: dict,
    UserString: str,
    PurePath: str,
    IPv4Address: str,
    IPv4Interface: str,
    IPv4Network: str,
    IPv6Address: str,
    IPv6Interface: str,
    IPv6Network: str,
    # The numbers of numpy.
    Integral: int,
}


def encodable(value: object) -> object:
    """Return a JSON value in place of an object; raise TypeError if JSON has no such value."""
    if isinstance(value, Session | AsyncSession):
        raise TypeError(f"{NOT_ENCODED}. Fix: {COPY_OF_SESSION}")
    if get_origin(value) is Annotated:
        name = describe(value)
        raise TypeError(
            f"{name} is the annotation of a parameter, and not a value. Fix: give the handler the"
            f" parameter `x: {name}`, and return x or a part of it"
        )
    if is_pydantic_model(type(value)):
        return cast(Any, value).model_dump(mode="json", by_alias=True)
    for kind, plain in _PLAIN.items():
        if isinstance(value, kind):
            return plain(value)
    # The other numbers of numpy. A fraction is refused, because a float may lose a part of it.
    if isinstance(value, Real) and not isinstance(value, Rational):
        return float(value)
    remedy = _remedy(type(value))
    fix = f". Fix: {remedy}" if remedy else ""
    raise TypeError(f"Encoding objects of type {type(value).__name__} is unsupported{fix}")


def is_encodable(kind: type) -> bool:
    """Return whether JSON can hold the instances of a class; in doubt, yes.

    Raises msgspec's TypeError or NameError for a class that msgspec cannot describe.
    """
    # An instance may be of a subclass that JSON can hold.
    if is_protocol(kind) or isabstract(kind) or type.__subclasses__(kind):
        return True
    return _is_known(kind)


# The answers are kept, because another application asks about the same classes.
@lru_cache(maxsize=4096)
def _is_known(kind: type) -> bool:
    if issubclass(kind, (dict, list, tuple, set, frozenset, UUID, *_PLAIN)):
        return True
    return next(unknown_classes(kind), None) is not kind


def _remedy(kind: type) -> str | None:
    """Return the remedy if handlers often return objects of this class by mistake, else None."""
    if issubclass(kind, BaseException):
        return f"raise the error: raise {describe(kind)}(...)"
    if issubclass(kind, IOBase):
        return (
            "let the handler take request: Request, and return"
            " werkzeug.utils.send_file(file, request.environ)"
        )
    if issubclass(kind, type):
        return "return an object of the class, not the class"
    if issubclass(kind, FunctionType | MethodType | BuiltinFunctionType):
        return "call the function, and return what it returns"
    return None
