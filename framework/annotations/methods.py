"""What an object is called by a name, described as a method of its class."""

import inspect
from collections.abc import Callable
from functools import partial, update_wrapper
from types import FunctionType, MethodType
from typing import Any

from framework.annotations.meanings import in_class
from framework.annotations.signatures import signature_of


def method_of(target: object, name: str) -> Callable[..., object] | None:
    """Return the method of an object as its class has it, so with `self`; None if it has none.

    What is no function of the class comes as a static method: it takes what its caller passes.
    """
    called: Any = getattr(target, name, None)
    if not callable(called):
        return None
    # What stands in for an object, as a test double does, says of which class.
    kind = target.__class__
    is_double = kind is not type(target)
    definition = inspect.getattr_static(kind if is_double else target, name, None)
    is_wrapped = issubclass(type(definition), staticmethod | classmethod)
    function = getattr(definition, "__func__", None) if is_wrapped else definition
    is_own = is_double or is_wrapped or function is getattr(called, "__func__", None)
    if is_own and type(function) is FunctionType:
        meant: Callable[..., object] = in_class(definition, name, kind)
        return meant
    return staticmethod(_described(called))


def _described(called: Callable[..., object]) -> Callable[..., object]:
    """Return a function that has the signature and the place of what is called."""
    inner: Any = called
    while isinstance(inner, partial):
        inner = inner.func
    # An object that stands in for a function says that it is one.
    is_function = type(inner) in (FunctionType, MethodType)
    if is_function and (inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner)):
        return called

    def described() -> None: ...

    # What it wraps tells the names of its annotations.
    wrapped = inner if is_function else type(inner).__call__
    function: Any = update_wrapper(described, wrapped, updated=())
    function.__signature__ = _signature(called, is_function)
    return described


def _signature(called: Callable[..., object], is_function: bool) -> inspect.Signature:
    try:
        signature = signature_of(called)
    # What is written in C need not tell.
    except (TypeError, ValueError):
        return inspect.Signature()
    # No request may change what a partial function fixes, although it is a default for callers.
    fixed = called.keywords if isinstance(called, partial) else {}
    passed = [
        each
        for each in signature.parameters.values()
        if each.name not in fixed and (is_function or not _is_variadic(each))
    ]
    return signature.replace(parameters=passed)


def _is_variadic(parameter: inspect.Parameter) -> bool:
    """Tell whether it takes what its caller likes, as an object that stands in for another does."""
    return parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
