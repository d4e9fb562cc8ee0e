"""The methods of a class: their tags from decorators, and their annotations in that class.

A text in an annotation may name a class inside of the class. The types of a generic base stand for
its type variables.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial, update_wrapper
from types import FunctionType, MappingProxyType, MethodType
from typing import Any, TypeVar, cast, get_args, get_origin

from framework.types.signatures import EMPTY, evaluate, signature_of

# Where the classes of aliases are: `types.UnionType`, `typing.NewType`.
_OF_ALIASES = ("types", "typing", "typing_extensions")
# The types that stand for type variables.
Types = Mapping[Any, Any]


@dataclass(frozen=True)
class Member:
    """A tagged method as a class has it, with what it overrides."""

    name: str
    # The functions of all classes that define the method, the nearest first.
    functions: tuple[Callable[..., object], ...]
    tag: object

    @property
    def function(self) -> Callable[..., object]:
        """Return the one that the class really uses."""
        return self.functions[0]


def tag(target: object, name: str, value: object) -> None:
    """Put a tag on a class or on the function of a method."""
    setattr(_tagged(target), name, value)


def tag_of(target: object, name: str) -> object:
    """Return the tag of a class or method, None if it has none of its own."""
    try:
        tags = _tagged(target).__dict__
    # A member of a class may be a lazy object, which raises what it likes if it is asked too early.
    except Exception:  # noqa: BLE001
        return None
    return tags.get(name) if type(tags) in (dict, MappingProxyType) else None


def tagged_members(target: type, name: str) -> Iterator[Member]:
    """Yield the tagged methods of a class without evaluating any attribute.

    An override without a tag keeps the tag; an override that is not a method ends it.
    """
    bases = [vars(base) for base in target.__mro__]
    tagged = dict.fromkeys(
        key
        for members in reversed(bases)
        for key, member in members.items()
        if _member_tag(member, name) is not None
    )
    for key in tagged:
        definitions = [members[key] for members in bases if key in members]
        if _is_method(definitions[0]):
            tags = (_member_tag(definition, name) for definition in definitions)
            methods = filter(_is_method, definitions)
            yield Member(
                key,
                tuple(in_class(method, key, target) for method in methods),
                next(tag for tag in tags if tag is not None),
            )


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


def method_of(target: object, name: str) -> Callable[..., object] | None:
    """Return the method of an object with the parameter `self`; None if the method is missing.

    An object that is not a function of the class comes as a static method, without `self`.
    """
    called: Any = getattr(target, name, None)
    if not callable(called):
        return None
    # A test double says which class it stands for.
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


def types_of(target: type) -> dict[type, Types]:
    """Return the types that the class and its bases put in the place of type variables."""
    found: dict[type, Types] = {}
    # A class stands before its bases.
    for owner in target.__mro__:
        for base in vars(owner).get("__orig_bases__", ()):
            origin: Any = get_origin(base)
            arguments = [substituted(one, found.get(owner, {})) for one in get_args(base)]
            if isinstance(origin, type):
                found[origin] = dict(zip(_variables(origin), arguments, strict=False))
    return found


def substituted(annotation: Any, types: Types) -> Any:
    """Put types in the place of the type variables of an annotation."""
    variables = variables_in(annotation)
    if isinstance(annotation, TypeVar) or not variables:
        return types.get(annotation, annotation) if variables else annotation
    return annotation[tuple(types.get(variable, variable) for variable in variables)]


def variables_in(annotation: Any) -> tuple[Any, ...]:
    """List the type variables of an annotation, without those inside of a class."""
    if isinstance(annotation, TypeVar):
        return (annotation,)
    is_class = isinstance(annotation, type) and get_origin(annotation) is None
    return () if is_class else _variables(annotation)


def _tagged(target: object) -> object:
    # `isinstance` would evaluate a lazy object.
    is_bound_later = issubclass(type(target), staticmethod | classmethod)
    inner: object = cast(Any, target).__func__ if is_bound_later else target
    return inner


def _member_tag(definition: object, name: str) -> object:
    # A class inside a class may be tagged for its own sake.
    return None if issubclass(type(definition), type) else tag_of(definition, name)


def _is_method(definition: object) -> bool:
    return callable(definition) or isinstance(definition, classmethod)


def _in_owner(function: Any, owner: type, target: type) -> Any:
    types = types_of(target).get(owner, {})
    # A class of Python 3.12 keeps its type variables to itself.
    names = {**_types_in(owner), **{kind.__name__: kind for kind in types}}
    return _with_names(function, names, types) if names else function


def _types_in(owner: type) -> dict[str, object]:
    return {name: var for name, var in vars(owner).items() if _is_type(var)}


def _is_type(member: object) -> bool:
    """Return whether a member of a class can be an annotation: a class, or an alias of a type."""
    # A member may be a lazy object, so it is not asked itself.
    return issubclass(type(member), type) or type(member).__module__ in _OF_ALIASES


def _with_names(function: Any, names: Mapping[str, object], types: Types) -> Any:
    signature = signature_of(function)
    annotations = [parameter.annotation for parameter in signature.parameters.values()]
    written = [*annotations, signature.return_annotation]
    *meant, returned = [_meant(annotation, function, names, types) for annotation in written]
    if all(one is other for one, other in zip(written, [*meant, returned], strict=True)):
        return function
    changed = zip(signature.parameters.values(), meant, strict=True)
    parameters = [parameter.replace(annotation=annotation) for parameter, annotation in changed]
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
    """Return a copy of a function, such as a generator function, with another signature."""
    inner = function if isinstance(function, FunctionType) else inspect.unwrap(function)
    if not isinstance(inner, FunctionType):
        return function
    parts = (inner.__globals__, inner.__name__, inner.__defaults__, inner.__closure__)
    copy: Any = update_wrapper(FunctionType(inner.__code__, *parts), function)
    copy.__signature__ = signature
    return copy


def _described(called: Callable[..., object]) -> Callable[..., object]:
    """Return a function with the signature and the place of a callable object."""
    inner: Any = called
    while isinstance(inner, partial):
        inner = inner.func
    # A test double of a function says that it is a function.
    is_function = type(inner) in (FunctionType, MethodType)
    if is_function and (inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner)):
        return called

    def described() -> None: ...

    # The wrapped function knows the names in the annotations.
    wrapped = inner if is_function else type(inner).__call__
    function: Any = update_wrapper(described, wrapped, updated=())
    function.__signature__ = _signature(called, is_function)
    return described


def _signature(called: Callable[..., object], is_function: bool) -> inspect.Signature:
    try:
        signature = signature_of(called)
    # A callable that is written in C may have no signature.
    except (TypeError, ValueError):
        return inspect.Signature()
    # A request must not change the arguments that a partial function fixes.
    fixed = called.keywords if isinstance(called, partial) else {}
    passed = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.name not in fixed and (is_function or not _is_variadic(parameter))
    ]
    return signature.replace(parameters=passed)


def _is_variadic(parameter: inspect.Parameter) -> bool:
    """Return whether a parameter is `*args` or `**kwargs`, as test doubles have them."""
    return parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


def _variables(generic: Any) -> tuple[Any, ...]:
    found: tuple[Any, ...] = getattr(generic, "__parameters__", ())
    return found
