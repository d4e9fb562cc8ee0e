"""What a class puts in the place of type variables: `Tea` for `T` in `class Teas(Crud[Tea])`."""

from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

# The types that stand for type variables.
Types = Mapping[Any, Any]


def types_of(target: type) -> dict[type, Types]:
    """Tell what the class, and each base, puts in the place of its bases' type variables."""
    found: dict[type, Types] = {}
    # A class stands before its bases.
    for each in target.__mro__:
        for base in vars(each).get("__orig_bases__", ()):
            origin: Any = get_origin(base)
            arguments = [substituted(one, found.get(each, {})) for one in get_args(base)]
            if isinstance(origin, type):
                found[origin] = dict(zip(_variables(origin), arguments, strict=False))
    return found


def substituted(annotation: Any, types: Types) -> Any:
    """Put types in the place of the type variables of an annotation."""
    variables = variables_in(annotation)
    if isinstance(annotation, TypeVar) or not variables:
        return types.get(annotation, annotation) if variables else annotation
    return annotation[tuple(types.get(each, each) for each in variables)]


def variables_in(annotation: Any) -> tuple[Any, ...]:
    """List the type variables of an annotation; those of a class itself are its own affair."""
    if isinstance(annotation, TypeVar):
        return (annotation,)
    is_class = isinstance(annotation, type) and get_origin(annotation) is None
    return () if is_class else _variables(annotation)


def _variables(generic: Any) -> tuple[Any, ...]:
    found: tuple[Any, ...] = getattr(generic, "__parameters__", ())
    return found
