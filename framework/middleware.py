"""`Middleware` and `Next`, and the functions for middleware: `session_of`, `component_of`."""

import builtins
import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast, get_args, get_origin

from werkzeug.wrappers import Request, Response

from framework.advice.other_frameworks import refusing
from framework.http.context import context_of
from framework.report import Mistake, location
from framework.types.signatures import EMPTY, describe, signature_of
from sessions.session import Session

_COLLECTIONS = (Sequence, AbstractSet)
# The usual names of the second parameter, and the annotations by which middleware is known.
_NEXT = ("next", "nxt", "call_next", "get_response", "handler", "inner", "proceed")
_CALLED = re.compile(r"\b(Next|Callable)\b")
_RETURNED = re.compile(r"Response\b")
_UNSAID = (EMPTY, Any, "Any", object, "object")

# The parameters of middleware of other gateways.
_GATEWAYS = {
    ("environ", "start_response"): "WSGI",
    ("scope", "receive", "send"): "ASGI",
}

T = TypeVar("T")

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
"""The methods that change nothing, and so usually have no body: RFC 9110, section 9.2.1."""

Next = Callable[[Request], Response]
"""The next middleware, or the handler; a call does not raise, because errors become responses."""


class Middleware(Protocol):
    """Receive a request, and return the response of `next` or another response.

    Middleware is a function, or a class with `__call__` and an injected constructor. An error that
    middleware raises is answered like an error of a handler. A class or object with `uses_session =
    False` promises not to use the session. If all middleware promises this, and no handler uses the
    session, the application opens no sessions.
    """

    def __call__(self, request: Request, next: Next, /) -> Response: ...


class ExplainedMiddleware(ABC):
    """The base class of middleware that tells `framework explain` what the middleware does."""

    @abstractmethod
    def refusals(self, method: str) -> Iterator[tuple[int, str]]:
        """Yield each status with which requests of a method can be refused, and the reason."""

    @abstractmethod
    def session_use(self, method: str) -> str | None:
        """Return how requests of a method use the session; None if they do not use the session."""


def session_of(request: Request) -> Session:
    """Return the session of a request; the session is saved after all middleware has run."""
    return context_of(request).session


def component_of(request: Request, key: type[T]) -> T:
    """Return the component of the type `key` for this request.

    Raises LookupError if the component does not have `scope="request"`.
    """
    context = context_of(request)
    make = context.per_request.get(key)
    if make is None:
        raise LookupError(
            f'no component {key.__name__} has scope="request". Fix: if the component is'
            " built once, take it as a parameter of the constructor of the middleware"
        )
    return cast(T, make(context))


def uses_session(middleware: Middleware) -> bool:
    """Return False only if the middleware says `uses_session = False`."""
    return bool(getattr(middleware, "uses_session", True))


def is_about_middleware(key: object) -> bool:
    """Return whether a type is a collection of middleware."""
    return any(Middleware in (member, *get_args(member)) for member in get_args(key))


def refuse_gateways(listed: Any) -> None:
    """Raise `Mistake` for middleware of WSGI or ASGI, which does not take a request and `next`."""
    signature = _signature_of_objects(listed) if isinstance(listed, type) else _signature(listed)
    names = () if signature is None else tuple(signature.parameters)
    kind = _GATEWAYS.get(names)
    if kind is None:
        return
    shown = getattr(listed, "__name__", type(listed).__name__)
    outside = (
        f"Put it around the application: served = {shown}(app). Or w" if kind == "WSGI" else "W"
    )
    raise Mistake(
        f"{shown} is middleware for {kind}, because it takes ({', '.join(names)})",
        f"{outside}rite middleware as a function (request: Request, next: Next) -> Response.",
    )


def refuse_uncallable(middleware: Any) -> None:
    """Raise `Mistake` for middleware that cannot be called with a request and `next`."""
    call = _call_of(middleware)
    named = location(middleware if hasattr(middleware, "__qualname__") else type(middleware))
    if inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call):
        raise Mistake(
            f"the middleware {named} is an async function, which WSGI cannot run",
            "Write `def` in place of `async def`.",
        )
    signature = _signature(middleware)
    if signature is not None and not _takes_two(signature):
        raise Mistake(
            f"the middleware {named} takes {signature}, but is called with a request and `next`",
            "Give the middleware the parameters (request, next); a method also takes self.",
        )


def goes_around(value: object, *, surely: bool) -> bool:
    """Return whether a value is middleware, or a collection that holds middleware.

    A value is an object or a class. If its parameters do not show whether the value is middleware,
    the result is False with `surely=True`, and True with `surely=False`.
    """
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, _COLLECTIONS) and not isinstance(value, str | bytes):
        return any(_goes_around(item, surely) for item in value)
    return _goes_around(value, surely)


def takes_requests(target: type) -> bool:
    """Return whether the objects of a class are called with a request and a second argument.

    Middleware is called in this way.
    """
    signature = _signature_of_objects(target)
    return signature is not None and _is_for_requests(signature)


def _goes_around(value: object, surely: bool) -> bool:
    # A collection type, such as `list[T]`, is judged by the types of its items.
    if get_origin(value) is not None:
        return any(_goes_around(item_type, surely) for item_type in get_args(value))
    if isinstance(value, type):
        signature = _signature_of_objects(value)
    else:
        signature = _signature(value) if callable(value) else None
    if signature is None or not _is_for_requests(signature):
        return False
    says = _says_next(signature)
    return not surely if says is None else says


def _says_next(signature: inspect.Signature) -> bool | None:
    """Return whether the second parameter is `next`; None if the signature does not say."""
    second, returned = list(signature.parameters.values())[1], signature.return_annotation
    if second.name.strip("_") in _NEXT:
        return True
    if second.default is not EMPTY:
        return False
    says = _says_called(second.annotation)
    if says is None and returned not in _UNSAID:
        return _RETURNED.search(_text(returned)) is not None
    return says


def _says_called(annotation: Any) -> bool | None:
    """Return whether an annotation describes a callable; None if the annotation does not say."""
    if annotation in _UNSAID:
        return None
    text = _text(annotation)
    if isinstance(annotation, str) and text.partition("[")[0] not in vars(builtins):
        return True if _CALLED.search(text) else None
    return _CALLED.search(text) is not None or _has_call(annotation)


def _has_call(kind: Any) -> bool:
    return any("__call__" in vars(base) for base in getattr(kind, "__mro__", ()))


def _text(annotation: Any) -> str:
    return "" if annotation is EMPTY else describe(annotation)


def _is_for_requests(signature: inspect.Signature) -> bool:
    """Return whether a signature takes two values, and the first is a request.

    The annotation or the name of the first value decides whether it is a request.
    """
    if len(signature.parameters) < 2 or not _takes_two(signature):
        return False
    first = next(iter(signature.parameters.values()))
    # A text annotation is compared and not evaluated; otherwise the parameter's name decides.
    is_request = first.annotation in (Request, "Request", "framework.Request")
    return is_request or first.name.lstrip("_") in ("request", "req")


def _takes_two(signature: inspect.Signature) -> bool:
    try:
        signature.bind(None, None)
    except TypeError:
        return False
    return True


def _signature_of_objects(target: type) -> inspect.Signature | None:
    """Return the signature of a class's `__call__`, without self."""
    call = inspect.getattr_static(target, "__call__", None)
    signature = _signature(call) if inspect.isfunction(call) else None
    if signature is None:
        return None
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def _call_of(middleware: Any) -> Any:
    return middleware if inspect.isroutine(middleware) else type(middleware).__call__


def _signature(target: Any) -> inspect.Signature | None:
    try:
        return signature_of(target)
    # A function written in C has no signature, and `__signature__` of the user may be wrong.
    except (TypeError, ValueError):
        return None


# Type checkers report unknown names themselves.
if not TYPE_CHECKING:
    __getattr__ = refusing(__name__)
