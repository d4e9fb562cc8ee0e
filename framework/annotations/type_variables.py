"""What a class puts in the place of type variables: `Tea` for `T` in `class Teas(Crud[Tea])`."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, get_args, get_origin

from framework.annotations.signatures import evaluate, signature_of

# The types that stand for type variables.
Types = Mapping[Any, Any]


def specialized(function: Callable[..., Any], name: str, target: type) -> Callable[..., Any]:
    """Return a method of a class with the types of that class in its annotations.

    It is the function itself unless a generic base of the class defines it.
    """
    owner = next(base for base in target.__mro__ if name in vars(base))
    types = _types_of(target).get(owner)
    if not types:
        return function
    inner: Any = function.__func__ if isinstance(function, staticmethod) else function

    @wraps(inner)
    def special(*args: Any, **kwargs: Any) -> Any:
        return inner(*args, **kwargs)

    special.__signature__ = _signature(inner, types)  # type: ignore[attr-defined]
    return staticmethod(special) if isinstance(function, staticmethod) else special


def variables_in(annotation: Any) -> tuple[Any, ...]:
    """List the type variables of an annotation; those of a class itself are its own affair."""
    if isinstance(annotation, TypeVar):
        return (annotation,)
    is_class = isinstance(annotation, type) and get_origin(annotation) is None
    return () if is_class else _variables(annotation)


def _types_of(target: type) -> dict[type, Types]:
    """Tell what the class, and each base, puts in the place of its bases' type variables."""
    found: dict[type, Types] = {}
    # A class stands before its bases.
    for each in target.__mro__:
        for base in vars(each).get("__orig_bases__", ()):
            origin: Any = get_origin(base)
            arguments = [_substituted(one, found.get(each, {})) for one in get_args(base)]
            if isinstance(origin, type):
                found[origin] = dict(zip(_variables(origin), arguments, strict=False))
    return found


def _signature(function: Any, types: Types) -> inspect.Signature:
    signature = signature_of(function)
    parameters = [
        each.replace(annotation=_evaluated(each.annotation, function, types))
        for each in signature.parameters.values()
    ]
    returned = _evaluated(signature.return_annotation, function, types)
    return signature.replace(parameters=parameters, return_annotation=returned)


def _evaluated(annotation: Any, function: Any, types: Types) -> Any:
    if annotation is inspect.Parameter.empty:
        return annotation
    try:
        # A class of Python 3.12 keeps its type variables to itself.
        names = {each.__name__: each for each in types}
        return _substituted(evaluate(annotation, function, names), types)
    # It is the user's own code and may raise anything; whoever needs the annotation reports it.
    except Exception:  # noqa: BLE001
        return annotation


def _substituted(annotation: Any, types: Types) -> Any:
    variables = variables_in(annotation)
    if isinstance(annotation, TypeVar) or not variables:
        return types.get(annotation, annotation) if variables else annotation
    return annotation[tuple(types.get(each, each) for each in variables)]


def _variables(generic: Any) -> tuple[Any, ...]:
    found: tuple[Any, ...] = getattr(generic, "__parameters__", ())
    return found
