"""The methods of a class: their tags from decorators, and their annotations in that class.

If an annotation is a text, it can name a nested class. For a generic base class, the annotations
contain the real types in place of the type variables.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial, update_wrapper
from types import FunctionType, GetSetDescriptorType, MappingProxyType, MethodType, NoneType
from typing import Any, TypeVar, cast, get_args, get_origin

from framework.types.signatures import EMPTY, evaluate, signature_of

# The modules of the classes of aliases, such as `types.UnionType` and `typing.NewType`.
_OF_ALIASES = ("types", "typing", "typing_extensions")
# The types of many members of classes that cannot have a tag.
_WITHOUT_TAGS = (NoneType, str, dict, tuple, GetSetDescriptorType)
# The types of most members of classes; a member of these types is not a type itself.
_NOT_TYPES = (*_WITHOUT_TAGS, FunctionType)
# Type variables and the types that replace them.
Types = Mapping[Any, Any]


@dataclass(frozen=True)
class Member:
    """A tagged method of a class, with the methods that it overrides."""

    name: str
    # One function for each class that defines the method, the nearest class first; a static method
    # stays a `staticmethod` object.
    functions: tuple[Callable[..., object], ...]
    tag: object

    @property
    def function(self) -> Callable[..., object]:
        """Return the function that a call of the method runs, not an overridden function."""
        return self.functions[0]


def tag(target: object, name: str, value: object) -> None:
    """Put a tag on a class or on the function of a method."""
    setattr(_tagged(target), name, value)


def tag_of(target: object, name: str) -> object:
    """Return the tag of a class or method; None if the class or method has no tag of its own."""
    try:
        tags = _tagged(target).__dict__
    # A member of a class may be a lazy object, which may raise any error if it is used too early.
    except Exception:  # noqa: BLE001
        return None
    return tags.get(name) if type(tags) in (dict, MappingProxyType) else None


def tagged_members(target: type, name: str) -> Iterator[Member]:
    """Yield the tagged methods of a class without evaluating any attribute.

    An override without a tag keeps the tag of the overridden method. An override that is not a
    method removes the member.
    """
    for key, definitions in _tagged_definitions(target, name):
        tags = (_member_tag(definition, name) for definition in definitions)
        methods = filter(_is_method, definitions)
        yield Member(
            key,
            tuple(in_class(method, key, target) for method in methods),
            next(tag for tag in tags if tag is not None),
        )


def tagged_names(target: type, name: str) -> list[str]:
    """List the names of the tagged methods of a class; this is faster than `tagged_members`."""
    return [key for key, _ in _tagged_definitions(target, name)]


def _tagged_definitions(target: type, name: str) -> Iterator[tuple[str, list[object]]]:
    """Yield each tagged method: its name, and its definitions in the class and then its bases."""
    # The last base is `object`, whose methods have no tags.
    bases = [vars(base) for base in target.__mro__[:-1]]
    tagged: dict[str, None] = {}
    for members in reversed(bases):
        for key, member in members.items():
            # Most members are plain functions: this is the fastest way for them.
            if type(member) is FunctionType:
                if member.__dict__.get(name) is not None:
                    tagged[key] = None
            elif type(member) not in _WITHOUT_TAGS and _member_tag(member, name) is not None:
                tagged[key] = None
    for key in tagged:
        definitions = [members[key] for members in bases if key in members]
        if _is_method(definitions[0]):
            yield key, definitions


def in_class(definition: Any, name: str, target: type) -> Any:
    """Return a method that `target` defines or inherits, with annotations that fit `target`.

    For example, a type variable of a base class becomes the real type. The result is the function
    itself if no annotation changes. A static method stays a `staticmethod` object.
    """
    is_static = issubclass(type(definition), staticmethod)
    is_wrapped = is_static or issubclass(type(definition), classmethod)
    function = definition.__func__ if is_wrapped else definition
    for owner in target.__mro__[:-1]:
        if vars(owner).get(name) is definition and callable(function):
            function = _in_owner(function, owner, target)
    return staticmethod(function) if is_static else function


def method_of(target: object, name: str) -> Callable[..., object] | None:
    """Return a method as the object's class defines it, with the parameter `self`; None if missing.

    If the attribute is a callable but not a function of the class, the result is a static method,
    which is called without `self`.
    """
    called: Any = getattr(target, name, None)
    if not callable(called):
        return None
    # A test double may name the class that it replaces in `__class__`.
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


def types_of(target: Any) -> dict[type, Types]:
    """Return the type for each type variable of a class such as `Page[int]`, and of its bases."""
    found: dict[type, Types] = {}
    kind = get_origin(target) or target
    if kind is not target:
        found[kind] = dict(zip(_variables(kind), get_args(target), strict=False))
    # A class comes before its bases, so its own types are found first.
    for owner in kind.__mro__:
        for base in vars(owner).get("__orig_bases__", ()):
            origin: Any = get_origin(base)
            types = found.get(owner, {})
            arguments = [substituted(argument, types) for argument in get_args(base)]
            if isinstance(origin, type):
                found[origin] = dict(zip(_variables(origin), arguments, strict=False))
    return found


def substituted(annotation: Any, types: Types) -> Any:
    """Replace the type variables of an annotation by types."""
    variables = variables_in(annotation)
    if isinstance(annotation, TypeVar) or not variables:
        return types.get(annotation, annotation) if variables else annotation
    return annotation[tuple(types.get(variable, variable) for variable in variables)]


def variables_in(annotation: Any) -> tuple[Any, ...]:
    """List the type variables of an annotation; a generic class without arguments has none."""
    if isinstance(annotation, TypeVar):
        return (annotation,)
    is_class = isinstance(annotation, type) and get_origin(annotation) is None
    return () if is_class else _variables(annotation)


def _tagged(target: object) -> object:
    # isinstance would read the `__class__` of a lazy object, which may raise an error.
    is_bound_later = issubclass(type(target), staticmethod | classmethod)
    inner: object = cast(Any, target).__func__ if is_bound_later else target
    return inner


def _member_tag(definition: object, name: str) -> object:
    # Most members are plain functions: this is the fastest way for them.
    if type(definition) is FunctionType:
        return definition.__dict__.get(name)
    # The tag of a class inside a class belongs to the inner class.
    return None if issubclass(type(definition), type) else tag_of(definition, name)


def _is_method(definition: object) -> bool:
    return callable(definition) or isinstance(definition, classmethod)


def _in_owner(function: Any, owner: type, target: type) -> Any:
    # A class is its own first owner, and has no types for its own variables.
    types = {} if owner is target else types_of(target).get(owner, {})
    # The module does not know the type variables of a class with the syntax of Python 3.12.
    names = {**_types_in(owner), **{variable.__name__: variable for variable in types}}
    return _with_names(function, names, types) if names else function


def _types_in(owner: type) -> dict[str, object]:
    return {
        name: member
        for name, member in vars(owner).items()
        if type(member) not in _NOT_TYPES and _is_type(member)
    }


def _is_type(member: object) -> bool:
    """Return whether an annotation can use this member: a class, or an alias of a type."""
    # A member may be a lazy object, so only its type is used.
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
    # An annotation is the user's own code and may raise anything; code that needs the annotation
    # reports the error.
    except Exception:  # noqa: BLE001
        return annotation


def _copied(function: Any, signature: inspect.Signature) -> Any:
    """Return a copy of a function with another signature; a generator stays a generator."""
    inner = function if isinstance(function, FunctionType) else inspect.unwrap(function)
    if not isinstance(inner, FunctionType):
        return function
    parts = (inner.__globals__, inner.__name__, inner.__defaults__, inner.__closure__)
    copy: Any = update_wrapper(FunctionType(inner.__code__, *parts), function)
    copy.__signature__ = signature
    return copy


def _described(called: Callable[..., object]) -> Callable[..., object]:
    """Return a function with the signature, name and module of a callable, such as a partial."""
    inner: Any = called
    while isinstance(inner, partial):
        inner = inner.func
    # The exact type is compared, because a test double may claim to be a function.
    is_function = type(inner) in (FunctionType, MethodType)
    if is_function and (inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner)):
        return called

    def described() -> None: ...

    # The wrapped function gives the module in which the annotations are evaluated.
    wrapped = inner if is_function else type(inner).__call__
    function: Any = update_wrapper(described, wrapped, updated=())
    function.__signature__ = _signature(called, is_function)
    return described


def _signature(called: Callable[..., object], is_function: bool) -> inspect.Signature:
    try:
        signature = signature_of(called)
    # A callable written in C may have no signature.
    except (TypeError, ValueError):
        return inspect.Signature()
    # A partial function shows its fixed arguments as defaults, but a request must not change them.
    fixed = called.keywords if isinstance(called, partial) else {}
    passed = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.name not in fixed and (is_function or not _is_variadic(parameter))
    ]
    return signature.replace(parameters=passed)


def _is_variadic(parameter: inspect.Parameter) -> bool:
    """Return whether a parameter is `*args` or `**kwargs`, which test doubles often have."""
    return parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


def _variables(generic: Any) -> tuple[Any, ...]:
    found: tuple[Any, ...] = getattr(generic, "__parameters__", ())
    return found


def value_of_name(name: str, function: FunctionType) -> Any:
    """Return the value of a function's global or nonlocal variable; None if there is no value."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    if name not in cells:
        return function.__globals__.get(name)
    try:
        return cells[name].cell_contents
    # The cell of a name that has no value yet is empty.
    except ValueError:
        return None
