"""Tags for what the application is made of; a tagged class or method stays what it was."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeVar, cast, get_args, overload

from framework.annotations.meanings import in_class

COMPONENT = "__component__"
_CONFIGURATION = "__configuration__"

Scope = Literal["application", "request"]
Target = TypeVar("Target")
Class = TypeVar("Class", bound=type)


@overload
def component(target: Target, /) -> Target: ...
@overload
def component(*, scope: Scope) -> Callable[[Target], Target]: ...


def component(target: Any = None, /, *, scope: Scope = "application") -> Any:
    """Tag a class as a component, or a configuration's method as the provider of one.

    A component is built once, at start-up, and given to every constructor that asks for its type;
    with `scope="request"`, once in each request that asks for it. A method's return type is the
    type it provides. A method may be a generator: what follows its `yield` ends the component.
    """
    if scope not in get_args(Scope):
        raise TypeError(f'the scope {scope!r} does not exist: write "application" or "request"')

    def decorate(target: Any) -> Any:
        tag(target, COMPONENT, scope)
        return target

    return decorate if target is None else decorate(target)


@overload
def service(target: Class, /) -> Class: ...
@overload
def service(*, scope: Scope) -> Callable[[Class], Class]: ...


def service(target: Any = None, /, *, scope: Scope = "application") -> Any:
    """Tag a class as a component that does the application's work."""
    return component(scope=scope) if target is None else component(scope=scope)(target)


@overload
def repository(target: Class, /) -> Class: ...
@overload
def repository(*, scope: Scope) -> Callable[[Class], Class]: ...


def repository(target: Any = None, /, *, scope: Scope = "application") -> Any:
    """Tag a class as a component that keeps the application's data."""
    return component(scope=scope) if target is None else component(scope=scope)(target)


def configuration(target: Class) -> Class:
    """Tag a class as one whose `@component` methods provide components."""
    tag(target, _CONFIGURATION, True)
    return target


def is_component(target: type) -> bool:
    """Tell whether this very class, not just a base of it, is tagged as a component."""
    return COMPONENT in vars(target)


def is_configuration(target: type) -> bool:
    """Tell whether this very class, not just a base of it, is tagged as a configuration."""
    return _CONFIGURATION in vars(target)


def scope_of(target: type) -> str:
    """Return how long a component of the class lives."""
    return str(vars(target).get(COMPONENT, "application"))


def component_methods(target: type) -> list["Member"]:
    """List the methods of a class that provide components, inherited and overridden ones too."""
    return list(tagged_members(target, COMPONENT))


@dataclass(frozen=True)
class Named:
    """Ask for the component of a class that the code itself names: it needs no tag."""

    target: type


@dataclass(frozen=True)
class Member:
    """A tagged method as a class has it, with what it overrides."""

    name: str
    # Of each class that defines it, the nearest first; a static method is one still.
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

    An override without a tag keeps the one it overrides; an override that is no method ends it.
    """
    names = dict.fromkeys(key for base in reversed(target.__mro__) for key in vars(base))
    for key in names:
        definitions = [vars(base)[key] for base in target.__mro__ if key in vars(base)]
        tags = [found for each in definitions if (found := _member_tag(each, name)) is not None]
        if tags and _is_method(definitions[0]):
            methods = filter(_is_method, definitions)
            yield Member(key, tuple(in_class(each, key, target) for each in methods), tags[0])


def _tagged(target: object) -> object:
    # What a lazy object is an instance of is not to be asked.
    is_bound_later = issubclass(type(target), staticmethod | classmethod)
    inner: object = cast(Any, target).__func__ if is_bound_later else target
    return inner


def _member_tag(definition: object, name: str) -> object:
    # A class inside a class may be tagged for its own sake.
    return None if issubclass(type(definition), type) else tag_of(definition, name)


def _is_method(definition: object) -> bool:
    return callable(definition) or isinstance(definition, classmethod)
