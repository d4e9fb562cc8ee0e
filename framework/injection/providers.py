"""Providers of components: classes, methods of configurations, defaults of the framework."""

import functools
import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from dataclasses import dataclass, field
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from types import FunctionType
from typing import Any, get_args, get_origin, is_typeddict

from framework.binding.source import Marker
from framework.decorators import scope_of
from framework.middleware import is_about_middleware
from framework.report import Mistake, Place, Reported, location
from framework.types.members import Member, in_class
from framework.types.signatures import (
    EMPTY,
    Unresolved,
    annotated,
    describe,
    read_return,
    split,
    without_none,
)

_MAPPINGS = (dict, Mapping, MutableMapping)
_GENERATORS = (Generator, Iterator, Iterable, AsyncGenerator, AsyncIterator, AsyncIterable)

# The return types of component methods whose names speak of what the framework asks for.
_EXAMPLES = {
    "middleware": "list[Middleware]",
    "session": "SessionContainer",
    "http": "HTTPSettings",
    "template": "Templates",
    "openapi": "OpenAPI",
    "store": "Store",
}


@dataclass(frozen=True, kw_only=True)
class Known:
    """A component that the framework provides if the user does not."""

    key: type
    # Without `settings`, `make` gets no injected arguments. With `method`, `make` takes a mapping
    # of settings or no argument.
    make: Callable[..., object]
    # The name of the component method that may return some settings as a mapping for `make`.
    method: str | None = None
    # The types that a test may replace, each with the setting that holds the part.
    parts: Mapping[object, str] = field(default_factory=dict)
    # Whether users provide the component by methods of their configurations.
    is_for_users: bool = False
    # The component that `make` takes; mistakes in the settings are reported at its place.
    settings: object = None


@dataclass(frozen=True, kw_only=True)
class Absent:
    """A component that this application cannot have, and the reason."""

    key: type
    what: str
    remedy: str


@dataclass(frozen=True, eq=False)
class Provider:
    """The function that makes a component, and the types under which code asks for it."""

    keys: tuple[object, ...]
    # `Greeter` or `WebConfiguration.mailer`
    name: str
    # The class or method that a report points to, or a text for the report to show.
    origin: object
    make: Callable[..., object]
    # The function whose parameters are injected; None if nothing is injected.
    signature: Callable[..., object] | None = None
    # The configuration whose instance is the first argument of `make`.
    configuration: type | None = None
    # The known component for which `make` returns only settings.
    makes_settings_of: "Known | None" = None
    # Whether each request that asks for the component gets its own.
    per_request: bool = False
    # Whether `make` is a generator function: the code after its `yield` ends the component.
    ends: bool = False
    # The type of the component's settings: their mistakes are reported where they are written.
    settings: object = None

    @property
    def makes_mapping(self) -> bool:
        """Return whether a method makes a plain mapping, whose type does not say its purpose."""
        plain = all((get_origin(key) or key) in _MAPPINGS for key in self.keys)
        return plain and self.configuration is not None

    @property
    def where(self) -> str:
        """Return where the provider is written; this is slow, because it reads a class's file."""
        return self.origin if isinstance(self.origin, str) else location(self.origin)

    @property
    def written(self) -> object:
        """Return the function with the injected parameters, or `origin` if it was generated."""
        code = getattr(self.signature, "__code__", None)
        # The constructor of a dataclass is generated, so no file has its code.
        is_generated = code is None or code.co_filename.startswith("<")
        return self.origin if is_generated else self.signature


def class_provider(target: type) -> Provider:
    """Return the provider that builds an object of a class."""
    return Provider(
        (target,),
        target.__name__,
        target,
        target,
        _constructor(target),
        per_request=scope_of(target) == "request",
    )


def value_provider(key: object, make: Callable[..., object], origin: str) -> Provider:
    """Return a provider that needs no injection, such as a replacement in a test."""
    return Provider((key,), describe(key), origin, make)


def known_provider(known: Known) -> Provider:
    """Return the provider of a component that the framework provides."""
    origin = f"the default {describe(known.key)}"
    make = known.make
    signature = None if known.settings is None else staticmethod(make)
    return Provider(
        (known.key,), describe(known.key), origin, make, signature, settings=known.settings
    )


def method_provider(
    configuration: type, member: Member, known: Sequence[Known], here: Place
) -> Provider:
    """Return the provider for a component method of a configuration, or raise `Mistake`."""
    _note_asynchronous(member, here)
    settings_of = next((component for component in known if component.method == member.name), None)
    keys = _keys(member, settings_of, here)
    makes_settings = settings_of is not None and all(map(_is_mapping, keys))
    return Provider(
        (settings_of.key,) if settings_of and makes_settings else keys,
        f"{configuration.__name__}.{member.name}",
        location(member.function),
        # The lookup by name lets Python bind static methods and class methods.
        lambda instance, *some, **others: getattr(instance, member.name)(*some, **others),
        member.function,
        configuration,
        settings_of if makes_settings else None,
        per_request=member.tag == "request",
        ends=_is_generator(member.function),
    )


def method_call(configuration: type, name: str, function: Callable[..., object]) -> Provider:
    """Return the provider for a method that is called for its effect, and makes no component."""
    return Provider(
        (),
        f"{configuration.__name__}.{name}",
        location(function),
        lambda instance, *some, **others: getattr(instance, name)(*some, **others),
        function,
        configuration,
    )


def item_of(key: object) -> Any:
    """Return `T` for `list[T]`, `Sequence[T]` or `tuple[T, ...]`; None for any other type.

    Components of the type `T` fill such a list or tuple. The result for a list of middleware is
    None, because a configuration returns the complete list.
    """
    arguments = get_args(key)
    is_tuple = get_origin(key) is tuple and arguments[1:] == (...,)
    is_collection = get_origin(key) in (list, Sequence) or is_tuple
    item = arguments[0] if is_collection and arguments else None
    # Middleware is a list that a configuration writes in its order.
    return None if item is None or is_about_middleware(key) else item


def collection_provider(key: object, parts: Sequence[Provider]) -> Provider:
    """Return the provider that makes a list or tuple from the components of several providers."""
    make = tuple if get_origin(key) is tuple else list
    names = {f"component_{number}": provider.keys[0] for number, provider in enumerate(parts)}

    def fill(**components: object) -> object:
        return make(components.values())

    parameter = functools.partial(inspect.Parameter, kind=inspect.Parameter.KEYWORD_ONLY)
    signature = [parameter(name, annotation=kind) for name, kind in names.items()]
    # inspect reads this attribute, which type checkers do not know.
    fill.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    return Provider(
        (key,),
        describe(key),
        f"all components for {describe(key)}",
        fill,
        staticmethod(fill),
        per_request=any(provider.per_request for provider in parts),
    )


def key_of(annotation: Any, metadata: tuple[object, ...] = ()) -> object:
    """Return the key of a type: the type without None and without markers such as Inject."""
    others = tuple(element for element in metadata if not isinstance(element, Marker))
    return annotated(without_none(annotation), others)


def _constructor(target: type) -> Callable[..., object] | None:
    """Return the constructor whose parameters are injected, or None if it is written in C."""
    owner = next(base for base in target.__mro__ if "__init__" in vars(base))
    function = vars(owner)["__init__"]
    # A constructor that is written in C has no parameters to inject.
    return in_class(function, "__init__", target) if isinstance(function, FunctionType) else None


def _note_asynchronous(member: Member, here: Place) -> None:
    inner = _inner(member.function)
    if iscoroutinefunction(inner) or isasyncgenfunction(inner):
        here.note(
            f"the component method {member.name}() is an async function, which WSGI cannot run",
            "Write `def` in place of `async def`.",
        )


def _example(method: str) -> str:
    """Return an example of a return type for a component method of this name."""
    words = method.rpartition(".")[2].lower()
    return next((kind for part, kind in _EXAMPLES.items() if part in words), "Mailer")


def _keys(member: Member, known: Known | None, here: Place) -> tuple[object, ...]:
    """Return the types under which a component is known."""
    # An override may narrow or omit the return type: the type of the base method still counts.
    returns = [_provided(function, here) for function in member.functions]
    keys = tuple(
        dict.fromkeys(key_of(*split(returned)) for returned in returns if returned is not EMPTY)
    )
    if Unresolved in keys:
        raise Reported
    if not keys or type(None) in keys:
        raise Mistake(
            f"nothing says what type of component {member.name}() provides",
            f"Write the return type of the method, as in `-> {_example(member.name)}`.",
        )
    if known is not None and not any(_fits_known(key, known) for key in keys):
        name = describe(known.key)
        raise Mistake(
            f"{member.name}() is annotated to return {' and '.join(map(describe, keys))},"
            f" but a method of this name has to return the {name}",
            f"Return a {name}, or a dict with some of its fields.",
        )
    return keys


def _provided(function: Callable[..., object], here: Place) -> Any:
    """Return the type of the component: the return type, or the type that a generator yields."""
    returned = read_return(function, here)
    yields = _is_generator(function) or isasyncgenfunction(_inner(function))
    if not yields or returned in (EMPTY, Unresolved):
        return returned
    if (get_origin(returned) or returned) not in _GENERATORS:
        here.note(
            f"the component method yields, but it is annotated to return {describe(returned)}",
            f"Write -> Iterator[{describe(returned)}].",
        )
        # The type is clear, so functions that ask for the component have no mistake of their own.
        return returned
    if get_args(returned):
        return get_args(returned)[0]
    raise Mistake(
        f"the component method yields, but {describe(returned)} does not say the type",
        "Write the type of the component in brackets, as in `-> Iterator[Mailer]`.",
    )


def _is_generator(function: Callable[..., object]) -> bool:
    return isgeneratorfunction(_inner(function))


def _inner(function: Callable[..., object]) -> Callable[..., object]:
    return function.__func__ if isinstance(function, staticmethod) else function


def _fits_known(key: object, known: Known) -> bool:
    return _is_mapping(key) or (isinstance(key, type) and issubclass(key, known.key))


def _is_mapping(key: object) -> bool:
    kind = get_origin(key) or key
    return isinstance(kind, type) and (issubclass(kind, Mapping) or is_typeddict(kind))
