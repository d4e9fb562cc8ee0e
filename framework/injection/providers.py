"""Providers of components: classes, methods of configurations, defaults of the framework."""

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


@dataclass(frozen=True, kw_only=True)
class Known:
    """Describe a component that the framework provides where the user does not."""

    key: type
    # Without `settings`, nothing is injected into it. With `method`, it takes settings or nothing.
    make: Callable[..., object]
    # The component method that may return some settings as a mapping, of which `make` makes it.
    method: str | None = None
    # The types that a test replaces, each with the setting that holds the part.
    parts: Mapping[object, str] = field(default_factory=dict)
    # The component that `make` takes, where mistakes in its settings are reported.
    settings: object = None


@dataclass(frozen=True, kw_only=True)
class Absent:
    """Describe a component that no application can have, and why."""

    key: type
    what: str
    remedy: str


@dataclass(frozen=True, eq=False)
class Provider:
    """Say what makes a component, and under which types it is known."""

    keys: tuple[object, ...]
    # `Greeter` or `WebConfiguration.mailer`
    name: str
    # The class or method that a report points to, or the words it uses for something else.
    origin: object
    make: Callable[..., object]
    # The function whose parameters are injected; None if there are none.
    signature: Callable[..., object] | None = None
    # The configuration whose instance `make` takes first.
    configuration: type | None = None
    # The known component of which it makes only the settings.
    makes_settings_of: "Known | None" = None
    # Whether each request that asks for the component has its own.
    per_request: bool = False
    # Whether `make` is a generator function, which ends the component behind its `yield`.
    ends: bool = False
    # The type of the settings that it is made of: where they are written, mistakes are reported.
    settings: object = None

    @property
    def makes_mapping(self) -> bool:
        """Return whether a method makes a plain mapping, whose type does not say its purpose."""
        plain = all((get_origin(key) or key) in _MAPPINGS for key in self.keys)
        return plain and self.configuration is not None

    @property
    def where(self) -> str:
        """Return where the provider is written; finding a class means reading its file."""
        return self.origin if isinstance(self.origin, str) else location(self.origin)

    @property
    def written(self) -> object:
        """Return the function whose parameters are injected, or else the origin."""
        code = getattr(self.signature, "__code__", None)
        # The constructor of a dataclass has no source code.
        is_generated = code is None or code.co_filename.startswith("<")
        return self.origin if is_generated else self.signature


def class_provider(target: type) -> Provider:
    """Describe how a class provides itself."""
    return Provider(
        (target,),
        target.__name__,
        target,
        target,
        _constructor(target),
        per_request=scope_of(target) == "request",
    )


def value_provider(key: object, make: Callable[..., object], origin: str) -> Provider:
    """Describe what needs no injection: a default of the framework, a replacement in a test."""
    return Provider((key,), describe(key), origin, make)


def known_provider(known: Known) -> Provider:
    """Describe how the framework provides a component."""
    origin = f"the default {describe(known.key)}"
    make = known.make
    signature = None if known.settings is None else staticmethod(make)
    return Provider(
        (known.key,), describe(known.key), origin, make, signature, settings=known.settings
    )


def method_provider(
    configuration: type, member: Member, known: Sequence[Known], here: Place
) -> Provider:
    """Describe what a component method of a configuration provides; raise what is wrong."""
    _note_asynchronous(member, here)
    settings_of = next((component for component in known if component.method == member.name), None)
    keys = _keys(member, settings_of, here)
    makes_settings = settings_of is not None and all(map(_is_mapping, keys))
    return Provider(
        (settings_of.key,) if settings_of and makes_settings else keys,
        f"{configuration.__name__}.{member.name}",
        location(member.function),
        # By its name, so that a static or class method is bound as Python does it.
        lambda instance, *some, **others: getattr(instance, member.name)(*some, **others),
        member.function,
        configuration,
        settings_of if makes_settings else None,
        per_request=member.tag == "request",
        ends=_is_generator(member.function),
    )


def method_call(configuration: type, name: str, function: Callable[..., object]) -> Provider:
    """Describe a method of a configuration that is called for what it does."""
    return Provider(
        (),
        f"{configuration.__name__}.{name}",
        location(function),
        lambda instance, *some, **others: getattr(instance, name)(*some, **others),
        function,
        configuration,
    )


def key_of(annotation: Any, metadata: tuple[object, ...] = ()) -> object:
    """Return what a type is known by: without None and markers, with any other metadata."""
    others = tuple(beside for beside in metadata if not isinstance(beside, Marker))
    return annotated(without_none(annotation), others)


def _constructor(target: type) -> Callable[..., object] | None:
    """Return the function whose parameters building the class takes."""
    owner = next(base for base in target.__mro__ if "__init__" in vars(base))
    function = vars(owner)["__init__"]
    # A constructor that is written in C takes no components.
    return in_class(function, "__init__", target) if isinstance(function, FunctionType) else None


def _note_asynchronous(member: Member, here: Place) -> None:
    inner = _inner(member.function)
    if iscoroutinefunction(inner) or isasyncgenfunction(inner):
        here.note(
            f"the component method {member.name}() is an async function, which WSGI cannot run",
            "Write `def` in place of `async def`.",
        )


def _keys(member: Member, known: Known | None, here: Place) -> tuple[object, ...]:
    """Return the types under which a component is known."""
    # An override may narrow the return type or leave it out: what the base promised still holds.
    returns = [_provided(function, here) for function in member.functions]
    keys = tuple(
        dict.fromkeys(key_of(*split(returned)) for returned in returns if returned is not EMPTY)
    )
    if Unresolved in keys:
        raise Reported
    if not keys or type(None) in keys:
        raise Mistake(
            f"nothing says what type of component {member.name}() provides",
            "Write the type behind the parameters, as in `-> Mailer`.",
        )
    if known is not None and not any(_fits_known(key, known) for key in keys):
        name = describe(known.key)
        raise Mistake(
            f"{member.name}() is annotated to return {' and '.join(map(describe, keys))},"
            f" but it has to provide the {name}",
            f"Return a {name}, or a dict with some of its fields.",
        )
    return keys


def _provided(function: Callable[..., object], here: Place) -> Any:
    """Return the type that a method says it provides; a generator's says what it yields."""
    returned = read_return(function, here)
    yields = _is_generator(function) or isasyncgenfunction(_inner(function))
    if not yields or returned in (EMPTY, Unresolved):
        return returned
    if (get_origin(returned) or returned) not in _GENERATORS:
        here.note(
            f"the component method yields, but is annotated to return {describe(returned)}",
            f"Write -> Iterator[{describe(returned)}].",
        )
        # The meaning is clear, so only this one mistake is reported.
        return returned
    if get_args(returned):
        return get_args(returned)[0]
    raise Mistake(
        f"the component method yields, but {describe(returned)} does not say what",
        "Write the type of the component in it, as in `-> Iterator[Mailer]`.",
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
