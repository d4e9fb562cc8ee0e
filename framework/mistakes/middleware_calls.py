"""How middleware is called, as far as its signature tells before the first request."""

import builtins
import inspect
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, get_args, get_origin

from werkzeug.wrappers import Request

from framework.annotations.signatures import EMPTY, describe, signature_of
from framework.startup import Problem, location

_COLLECTIONS = (Sequence, AbstractSet)
# What the next one is mostly called, and the types by which middleware tells what it does.
_NEXT = ("next", "nxt", "call_next", "get_response", "handler", "inner", "proceed")
_CALLED = re.compile(r"\b(Next|Callable)\b")
_RETURNED = re.compile(r"Response\b")
_UNSAID = (EMPTY, Any, "Any", object, "object")


def call_problem(where: str, middleware: Any) -> Problem | None:
    """Report middleware that cannot be called with a request and the next one."""
    call = _call_of(middleware)
    named = location(middleware if hasattr(middleware, "__qualname__") else type(middleware))
    if inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call):
        return Problem(
            where,
            f"the middleware {named} is an async function, which WSGI cannot run",
            "Write `def` in place of `async def`.",
        )
    signature = _signature(middleware)
    if signature is None or _takes_two(signature):
        return None
    return Problem(
        where,
        f"the middleware {named} takes {signature}, but is called with a request and the next one",
        "Give it the parameters (request, next), or (self, request, next) if it is a method.",
    )


def goes_around(value: object, *, surely: bool) -> bool:
    """Tell whether an object or a class, or one that a collection holds, can only be middleware.

    Where only its parameters may tell, it is middleware unless that has to be sure.
    """
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, _COLLECTIONS) and not isinstance(value, str | bytes):
        return any(_goes_around(each, surely) for each in value)
    return _goes_around(value, surely)


def takes_requests(target: type) -> bool:
    """Tell whether the objects of a class are called with a request and something else."""
    signature = _signature_of_objects(target)
    return signature is not None and _is_for_requests(signature)


def _goes_around(value: object, surely: bool) -> bool:
    # A collection of a type is told by it.
    if get_origin(value) is not None:
        return any(_goes_around(each, surely) for each in get_args(value))
    if isinstance(value, type):
        signature = _signature_of_objects(value)
    else:
        signature = _signature(value) if callable(value) else None
    if signature is None or not _is_for_requests(signature):
        return False
    says = _says_next(signature)
    return not surely if says is None else says


def _says_next(signature: inspect.Signature) -> bool | None:
    """Tell whether the second parameter is the next one; None if nothing says what it is."""
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
    """Tell whether an annotation is one of what can be called; None if it does not say that."""
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
    """Tell whether something takes a request, as it says, and something else."""
    if len(signature.parameters) < 2 or not _takes_two(signature):
        return False
    first = next(iter(signature.parameters.values()))
    # An annotation that is a text is not worth the evaluation: the name has the last word.
    is_request = first.annotation in (Request, "Request", "framework.Request")
    return is_request or first.name.lstrip("_") in ("request", "req")


def _takes_two(signature: inspect.Signature) -> bool:
    try:
        signature.bind(None, None)
    except TypeError:
        return False
    return True


def _signature_of_objects(target: type) -> inspect.Signature | None:
    """Return how the objects of a class are called, without self."""
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
    # What is written in C has none, and what the user wrote about it may be wrong.
    except (TypeError, ValueError):
        return None
