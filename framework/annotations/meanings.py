"""What the annotations of a method mean in a class: with the names and the types of that class.

The names are those of classes inside the one that defines the method, which a text does not find in
the module. The types stand for the type variables of a generic base.
"""

import inspect
from collections.abc import Mapping
from functools import update_wrapper
from types import FunctionType
from typing import Any

from framework.annotations.signatures import EMPTY, evaluate, signature_of
from framework.annotations.type_variables import Types, substituted, types_of

# Where the classes of aliases are: `types.UnionType`, `typing.NewType`.
_OF_ALIASES = ("types", "typing", "typing_extensions")


def in_class(definition: Any, name: str, target: type) -> Any:
    """Return what a class makes of a method that it, or a base of it, defines under a name.

    It is the function itself, unless an annotation of it means something else in the class. A
    static method stays one.
    """
    is_static = issubclass(type(definition), staticmethod)
    is_wrapped = is_static or issubclass(type(definition), classmethod)
    function = definition.__func__ if is_wrapped else definition
    for owner in target.__mro__:
        if vars(owner).get(name) is definition and callable(function):
            function = _in_owner(function, owner, target)
    return staticmethod(function) if is_static else function


def _in_owner(function: Any, owner: type, target: type) -> Any:
    types = types_of(target).get(owner, {})
    # A class of Python 3.12 keeps its type variables to itself.
    names = {**_types_in(owner), **{each.__name__: each for each in types}}
    return _with_names(function, names, types) if names else function


def _types_in(owner: type) -> dict[str, object]:
    return {name: each for name, each in vars(owner).items() if _is_type(each)}


def _is_type(member: object) -> bool:
    """Tell whether a member of a class can be an annotation: a class, or an alias of a type."""
    # A member may be a lazy object, so it is not asked itself.
    return issubclass(type(member), type) or type(member).__module__ in _OF_ALIASES


def _with_names(function: Any, names: Mapping[str, object], types: Types) -> Any:
    signature = signature_of(function)
    annotations = [each.annotation for each in signature.parameters.values()]
    written = [*annotations, signature.return_annotation]
    *meant, returned = [_meant(each, function, names, types) for each in written]
    if all(one is other for one, other in zip(written, [*meant, returned], strict=True)):
        return function
    changed = zip(signature.parameters.values(), meant, strict=True)
    parameters = [each.replace(annotation=annotation) for each, annotation in changed]
    return _copied(function, signature.replace(parameters=parameters, return_annotation=returned))


def _meant(annotation: Any, function: Any, names: Mapping[str, object], types: Types) -> Any:
    if annotation is EMPTY:
        return annotation
    try:
        return substituted(evaluate(annotation, function, names), types)
    # It is the user's own code and may raise anything; whoever needs the annotation reports it.
    except Exception:  # noqa: BLE001
        return annotation


def _copied(function: Any, signature: inspect.Signature) -> Any:
    """Return a function that is of the same kind, a generator for one, but for its signature."""
    inner = function if isinstance(function, FunctionType) else inspect.unwrap(function)
    if not isinstance(inner, FunctionType):
        return function
    parts = (inner.__globals__, inner.__name__, inner.__defaults__, inner.__closure__)
    copy: Any = update_wrapper(FunctionType(inner.__code__, *parts), function)
    copy.__signature__ = signature
    return copy
