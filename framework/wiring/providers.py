"""What provides components: classes, which are built, and methods of configurations."""

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
)
from dataclasses import dataclass
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from types import FunctionType
from typing import Any, get_args, get_origin, is_typeddict

from framework.annotations.meanings import in_class
from framework.annotations.signatures import (
    EMPTY,
    Report,
    Unresolved,
    annotated,
    describe,
    read_return,
    split,
    without_none,
)
from framework.components import Member, component_methods, scope_of
from framework.markers import Marker
from framework.startup import Problem, location
from sessions.container import SessionContainer

# The method that may give some settings of sessions in place of a whole container.
SESSION_CONTAINER = "session_container"
_MAPPINGS = (dict, Mapping, MutableMapping)
_GENERATORS = (Generator, Iterator, Iterable, AsyncGenerator, AsyncIterator, AsyncIterable)


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
    # Whether it makes settings, of which the framework's default makes the component.
    makes_settings: bool = False
    # Whether each request that asks for the component has its own.
    per_request: bool = False
    # Whether `make` is a generator function, which ends the component behind its `yield`.
    ends: bool = False
    # The type of the settings that it is made of: where they are written, mistakes are reported.
    settings: object = None

    @property
    def makes_mapping(self) -> bool:
        """Tell whether a method makes a mere mapping, which says little of what it is for."""
        plain = all((get_origin(key) or key) in _MAPPINGS for key in self.keys)
        return plain and self.configuration is not None

    @property
    def where(self) -> str:
        """Return where the provider is written; finding a class means reading its file."""
        return self.origin if isinstance(self.origin, str) else location(self.origin)

    @property
    def place(self) -> str:
        """Return where the parameters are written."""
        code = getattr(self.signature, "__code__", None)
        # The constructor of a dataclass is written nowhere.
        generated = code is None or code.co_filename.startswith("<")
        return self.where if generated else location(self.signature)


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


def made_of_settings(
    key: object, make: Callable[..., object], settings: object, origin: str
) -> Provider:
    """Describe a default of the framework that is made of settings, which are injected."""
    return Provider((key,), describe(key), origin, make, make, settings=settings)


def method_providers(configuration: type, problems: list[Problem]) -> list[Provider]:
    """Describe what the component methods of a configuration provide."""
    found = (
        _method_provider(configuration, member, problems)
        for member in component_methods(configuration)
    )
    return [each for each in found if each is not None]


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
    others = tuple(each for each in metadata if not isinstance(each, Marker))
    return annotated(without_none(annotation), others)


def _constructor(target: type) -> Callable[..., object] | None:
    """Return the function whose parameters building the class takes."""
    owner = next(base for base in target.__mro__ if "__init__" in vars(base))
    function = vars(owner)["__init__"]
    # A constructor that is written in C takes nothing of ours.
    return in_class(function, "__init__", target) if isinstance(function, FunctionType) else None


def _method_provider(
    configuration: type, member: Member, problems: list[Problem]
) -> Provider | None:
    where = location(member.function)

    def report(what: str, remedy: str) -> None:
        problems.append(Problem(where, what, remedy))

    _check_sync(member, report)
    keys = _keys(member, report)
    if keys is None:
        return None
    makes_settings = member.name == SESSION_CONTAINER and all(map(_is_mapping, keys))
    return Provider(
        (SessionContainer,) if makes_settings else keys,
        f"{configuration.__name__}.{member.name}",
        where,
        # By its name, so that a static or class method is bound as Python does it.
        lambda instance, *some, **others: getattr(instance, member.name)(*some, **others),
        member.function,
        configuration,
        makes_settings,
        per_request=member.tag == "request",
        ends=_is_generator(member.function),
    )


def _check_sync(member: Member, report: Report) -> None:
    inner = _inner(member.function)
    if iscoroutinefunction(inner) or isasyncgenfunction(inner):
        report(
            f"the component method {member.name}() is an async function, which WSGI cannot run",
            "Write `def` in place of `async def`.",
        )


def _keys(member: Member, report: Report) -> tuple[object, ...] | None:
    """Return the types under which a component is known; None if that is a problem."""
    # An override may narrow the return type or leave it out: what the base promised still holds.
    returns = [_provided(each, report) for each in member.functions]
    keys = tuple(dict.fromkeys(key_of(*split(each)) for each in returns if each is not EMPTY))
    if Unresolved in keys:
        return None
    if not keys or type(None) in keys:
        report(
            f"nothing says what type of component {member.name}() provides",
            "Write the type behind the parameters, as in `-> Mailer`.",
        )
        return None
    if member.name == SESSION_CONTAINER and not any(map(_sets_sessions_up, keys)):
        report(
            f"{member.name}() is annotated to return {' and '.join(map(describe, keys))},"
            " which sets no sessions up",
            "Return a SessionContainer, or a dict with some of its fields.",
        )
        return None
    return keys


def _provided(function: Callable[..., object], report: Report) -> Any:
    """Return the type that a method says it provides; a generator's says what it yields."""
    returned = read_return(function, report)
    yields = _is_generator(function) or isasyncgenfunction(_inner(function))
    if not yields or returned in (EMPTY, Unresolved):
        return returned
    if (get_origin(returned) or returned) not in _GENERATORS:
        report(
            f"the component method yields, but is annotated to return {describe(returned)}",
            f"Write -> Iterator[{describe(returned)}].",
        )
        # It is plain what is meant: those who ask for it have no problem of their own.
        return returned
    if get_args(returned):
        return get_args(returned)[0]
    report(
        f"the component method yields, but {describe(returned)} does not say what",
        "Write the type of the component in it, as in `-> Iterator[Mailer]`.",
    )
    return Unresolved


def _is_generator(function: Callable[..., object]) -> bool:
    return isgeneratorfunction(_inner(function))


def _inner(function: Callable[..., object]) -> Callable[..., object]:
    return function.__func__ if isinstance(function, staticmethod) else function


def _sets_sessions_up(key: object) -> bool:
    return _is_mapping(key) or (isinstance(key, type) and issubclass(key, SessionContainer))


def _is_mapping(key: object) -> bool:
    kind = get_origin(key) or key
    return isinstance(kind, type) and (issubclass(kind, Mapping) or is_typeddict(kind))
