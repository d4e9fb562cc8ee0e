"""How middleware is called, as far as its signature tells before the first request."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, get_args, get_origin

from werkzeug.wrappers import Request

from framework.annotations.signatures import signature_of
from framework.startup import Problem, location

_COLLECTIONS = (Sequence, AbstractSet)


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


def goes_around(value: object) -> bool:
    """Tell whether an object or a class, or one that a collection holds, can only be middleware."""
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, _COLLECTIONS) and not isinstance(value, str | bytes):
        return any(_goes_around(each) for each in value)
    return _goes_around(value)


def takes_requests(target: type) -> bool:
    """Tell whether the objects of a class are middleware."""
    call = inspect.getattr_static(target, "__call__", None)
    signature = _signature(call) if inspect.isfunction(call) else None
    if signature is None:
        return False
    return _is_for_requests(signature, skipped=1)


def _goes_around(value: object) -> bool:
    # A collection of a type is told by it.
    if get_origin(value) is not None:
        return any(map(_goes_around, get_args(value)))
    if isinstance(value, type):
        return takes_requests(value)
    signature = _signature(value) if callable(value) else None
    return signature is not None and _is_for_requests(signature)


def _is_for_requests(signature: inspect.Signature, skipped: int = 0) -> bool:
    """Tell whether something takes a request, as it says, and something else."""
    first = next(_rest(signature, skipped), None)
    if first is None or not _takes_two(signature, skipped):
        return False
    # An annotation that is a text is not worth the evaluation: the name has the last word.
    is_request = first.annotation in (Request, "Request", "framework.Request")
    return is_request or first.name.lstrip("_") in ("request", "req")


def _rest(signature: inspect.Signature, skipped: int) -> Iterator[inspect.Parameter]:
    return iter(list(signature.parameters.values())[skipped:])


def _takes_two(signature: inspect.Signature, skipped: int = 0) -> bool:
    try:
        signature.bind(*[None] * (skipped + 2))
    except TypeError:
        return False
    return True


def _call_of(middleware: Any) -> Any:
    return middleware if inspect.isroutine(middleware) else type(middleware).__call__


def _signature(target: Any) -> inspect.Signature | None:
    try:
        return signature_of(target)
    # What is written in C has none, and what the user wrote about it may be wrong.
    except (TypeError, ValueError):
        return None
