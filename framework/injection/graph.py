"""The graph of components: checked and built at start-up, with the injector.

The library injector fills unbound parameters of builtin types with empty values, and holds one lock
for the whole process. So the graph reads each constructor first: something must provide the type of
each parameter, or the parameter must have a default. If not, start-up reports a mistake. injector
calls only constructors whose parameters are complete, in one thread, before the first request.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast, overload

import injector

from framework.binding.inject import InjectMarker, Named, NotProvided
from framework.binding.source import Marker
from framework.http.context import Context, PerRequest
from framework.http.scope import Ending, NothingYielded, end_all
from framework.injection.mistakes import (
    captive,
    cycle,
    lacking,
    of_one_request,
    raised,
    short_lived,
    unannotated,
    unused_mapping,
    unused_replacement,
    wrong_type,
    yields_nothing,
)
from framework.injection.providers import Absent, Known, Provider, method_call
from framework.injection.registry import Registry
from framework.injection.request_components import per_request
from framework.report import Mistake, Report, Reported, mistakes_of_settings
from framework.types.signatures import (
    EMPTY,
    Declared,
    Unresolved,
    annotated,
    describe,
    read_parameters,
)
from sessions.errors import ConfigurationError

T = TypeVar("T")

# The providers that are being built: each provider is built for the provider before it.
Trail = tuple[Provider, ...]
# A parameter and the provider of its argument; None if the parameter keeps its default.
Supplied = tuple[Declared, Provider | None]


@dataclass(frozen=True)
class Construction(injector.Provider[object]):
    """Make a component from other components."""

    make: Callable[..., object]
    configuration: Provider | None
    arguments: Sequence[Supplied]

    def get(self, injector: injector.Injector) -> object:
        """Make the component; the components that it needs exist already."""
        positional = [] if self.configuration is None else [_give(injector, self.configuration)]
        named: dict[str, object] = {}
        for declared, need in self.arguments:
            value = declared.default if need is None else _give(injector, need)
            if declared.kind is inspect.Parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[declared.name] = value
        return self.make(*positional, **named)


class Graph:
    """The components of an application, each built once."""

    def __init__(
        self,
        classes: Iterable[type],
        *,
        replacements: Mapping[object, object] = {},
        known: Sequence[Known] = (),
        absent: Sequence[Absent] = (),
        report: Report,
    ) -> None:
        self.known = known
        """The components that the framework provides if the user does not."""
        self._report = report
        self._built: dict[Provider, bool] = {}
        self._asked_for: set[Provider] = set()
        self.per_request: dict[object, Callable[[Context], object]] = {}
        """The functions that give each request its own components, by their types."""
        self._per_request: dict[Provider, PerRequest] = {}
        self._endings: list[Callable[[], object]] = []
        self._injector = injector.Injector(auto_bind=False)
        self._made: dict[Provider, object] = {}
        self._registry = Registry(classes, known, absent, report)
        self._registry.replace(replacements)
        for provider in self._registry.eager():
            with report.at(provider.origin):
                self._build(provider, ())

    @overload
    def get(self, key: type[T]) -> T: ...
    @overload
    def get(self, key: object) -> object: ...

    def get(self, key: object) -> object:
        """Return the component of a type.

        Raises NotProvided if nothing provides the component, and Reported if the report has the
        reason why the component cannot be made.
        """
        return self._get(self._ask_for(key))

    def stand_in(self, listed: Any) -> Any:
        """Return the component of a guard or middleware class; an object is returned unchanged.

        If a test replaces the object or its class, the replacement is returned.
        """
        if isinstance(listed, type):
            return self.get(Named(listed))
        for key in (listed, type(listed)):
            if self._registry.replacement(key) is not None:
                return self.get(key)
        return listed

    def provide(self, key: object) -> object:
        """Return a component, or the function that gives each request its own component.

        Raises NotProvided if no provider fits the type, or more than one. Raises Reported if a
        mistake, which is already in the report, prevents the component.
        """
        return self._provide((), key)

    def call_of(
        self, configuration: type, name: str, function: Callable[..., object]
    ) -> Callable[[], object]:
        """Return a function that calls a configuration's method with injected arguments.

        The components are looked up once, now, and not at each call.
        """
        provider = method_call(configuration, name, function)
        arguments = self._arguments(provider, (provider,))
        construction = Construction(provider.make, self._registry.find(configuration), arguments)
        return functools.partial(construction.get, self._injector)

    def close(self) -> None:
        """End the components that generators have made, the last component first."""
        endings, self._endings = self._endings, []
        end_all(reversed(endings))

    def provider_of(self, key: object) -> str | None:
        """Return where the component of a type comes from, or None if nothing provides it."""
        return self._registry.where(key)

    def asks_for(self, key: object) -> bool:
        """Return whether something has asked for the component of a type."""
        return any(key in provider.keys for provider in self._asked_for)

    def provided(self) -> list[object]:
        """List the types that the application's providers make."""
        return [key for provider in self._registry.eager() for key in provider.keys]

    @property
    def has_endings(self) -> bool:
        """Return whether a component must be ended when the application ends."""
        return any(provider.ends and not provider.per_request for provider in self._built)

    def all_of(self, kind: type) -> Iterator[tuple[str, Any]]:
        """Yield every component of a type with its place; all of them then count as used."""
        for provider in (*self._registry.eager(), *self._registry.replacements):
            if self._is_built(provider):
                component = self._made[provider]
                if isinstance(component, kind):
                    self._asked_for.add(provider)
                    yield provider.where, component

    def components(self) -> Iterator[tuple[str, object]]:
        """Yield the components of the application's providers, each with the name of its type."""
        for provider in self._registry.eager():
            if not provider.per_request:
                yield describe(provider.keys[0]), self._made[provider]

    def unasked(self) -> Iterator[tuple[tuple[object, ...], str, object]]:
        """Yield each unused component of the application: its types, its place and its value."""
        for provider in self._registry.eager():
            if self._built.get(provider) and provider not in self._asked_for:
                # A component of a request is not made yet, so its types are the value.
                value = provider.keys if provider.per_request else self._made[provider]
                yield provider.keys, provider.where, value

    def note_unused(self) -> None:
        """Report the replacements and mappings that nothing has asked for; call this last."""
        for replacement in self._registry.replacements:
            if replacement not in self._asked_for:
                self._note(unused_replacement(replacement))
        told = {mistake.where for mistake in self._report.mistakes}
        for provider in self._registry.eager():
            if (
                provider.makes_mapping
                and provider not in self._asked_for
                and provider.where not in told
            ):
                self._note(unused_mapping(provider, self.known))

    def _note(self, mistake: Mistake) -> None:
        self._report.note(mistake.where, mistake.what, mistake.remedy)

    def _refuse(self, mistake: Mistake) -> Reported:
        """Report a mistake that has its own file and line, and return the exception to raise."""
        self._note(mistake)
        return Reported()

    def _get(self, provider: Provider) -> object:
        if provider.per_request:
            raise self._refuse(short_lived(provider))
        self._build(provider, ())
        # To ask the injector for what it has made takes long.
        return self._made[provider]

    def _ask_for(self, annotation: object) -> Provider:
        provider = self._registry.find(annotation)
        self._asked_for.update((provider, *self._registry.parts.get(provider, ())))
        return provider

    def _is_built(self, provider: Provider) -> bool:
        if provider.per_request:
            return False
        with self._report.at(provider.origin):
            self._build(provider, ())
            return True
        return False

    def _build(self, provider: Provider, trail: Trail) -> None:
        """Build a component after the components that it needs; raise Reported on a mistake."""
        if provider in trail:
            raise self._refuse(cycle(trail[trail.index(provider) :]))
        if provider not in self._built:
            self._built[provider] = self._try_to_build(provider, (*trail, provider))
        if not self._built[provider]:
            raise Reported

    def _try_to_build(self, provider: Provider, trail: Trail) -> bool:
        here = self._report.at(provider.origin)
        with here:
            if provider.per_request:
                self._plan(provider, trail)
            else:
                self._make(provider, self._arguments(provider, trail))
        return here.is_clean

    def _arguments(self, provider: Provider, trail: Trail) -> list[Supplied]:
        """Walk the parameters of a provider and build the components that they ask for."""
        here = self._report.at(provider.written)
        with here:
            self._build_configuration(provider, trail)
        arguments: list[Supplied] = []
        for declared in self._parameters(provider):
            with here:
                try:
                    need = self._need(declared)
                except NotProvided as missing:
                    raise lacking(provider, declared, missing) from missing
                if need is not None and need.per_request:
                    self._note(captive(trail, need))
                if need is not None:
                    self._build(need, trail)
                    if need.per_request:
                        raise Reported
                arguments.append((declared, need))
        here.require_clean()
        return arguments

    def _provide(self, trail: Trail, key: object) -> object:
        provider = self._ask_for(key)
        self._build(provider, trail)
        return self._per_request[provider] if provider.per_request else self._made[provider]

    def _plan(self, provider: Provider, trail: Trail) -> None:
        """Keep the function that each request calls to make the provider's component."""
        self._build_configuration(provider, trail)
        make = provider.make
        if provider.configuration is not None:
            make = functools.partial(make, self.get(provider.configuration))
        provide = functools.partial(self._provide, trail)
        giver = per_request(provider, make, provide=provide, report=self._report)
        self._per_request[provider] = giver
        self.per_request.update((key, giver) for key in provider.keys)

    def _build_configuration(self, provider: Provider, trail: Trail) -> None:
        """Build the configuration first, if the provider is a method of a configuration."""
        if provider.configuration is not None:
            self._build(self._registry.find(provider.configuration), trail)

    def _parameters(self, provider: Provider) -> list[Declared]:
        if provider.signature is None:
            return []
        found = read_parameters(provider.signature, self._report.at(provider.written))
        # The constructors of mixins often have *args and **kwargs, which get no arguments.
        return [declared for declared in found if not declared.variadic]

    def _need(self, declared: Declared) -> Provider | None:
        """Return the provider of an argument; None if the parameter keeps its default."""
        if declared.annotation is Unresolved:
            raise Reported
        try:
            if declared.annotation is EMPTY:
                raise unannotated(declared.name)
            for metadata in declared.metadata:
                if isinstance(metadata, Marker) and not isinstance(metadata, InjectMarker):
                    raise of_one_request(metadata.spelling or f"a value from the {metadata.source}")
            return self._ask_for(annotated(declared.annotation, declared.metadata))
        except NotProvided:
            if declared.default is EMPTY:
                raise
            return None

    def _make(self, provider: Provider, arguments: Sequence[Supplied]) -> None:
        """Make a component with the library `injector`, and check the type of the component."""
        owner = provider.configuration
        configuration = None if owner is None else self._registry.find(owner)
        construction = Construction(_make_of(provider, self._endings), configuration, arguments)
        key = cast(Any, provider)
        self._injector.binder.bind(key, to=construction)
        try:
            component = self._made[provider] = _give(self._injector, provider)
        except ConfigurationError as error:
            where = self._place_of_settings(provider)
            for mistake in mistakes_of_settings(error.problems):
                self._report.note(where, mistake.what, mistake.remedy)
            raise Reported from error
        except NothingYielded as error:
            raise self._refuse(yields_nothing(provider)) from error
        # The user's own code makes a component, and may raise any error.
        except Exception as error:
            raise self._refuse(raised(provider, error)) from error
        # From now on, injector returns this same component.
        self._injector.binder.bind(key, to=injector.InstanceProvider(component))
        wrong = wrong_type(provider, component)
        if wrong is not None:
            raise self._refuse(wrong)

    def _place_of_settings(self, provider: Provider) -> str:
        """Return the place where the settings of a component are written.

        For a component without settings, return the place of the component.
        """
        settings = provider if provider.settings is None else self._registry.find(provider.settings)
        return settings.where


def _make_of(provider: Provider, endings: list[Callable[[], object]]) -> Callable[..., object]:
    """Return the function that makes a component.

    If a generator makes the component, the function adds the generator's end to `endings`.
    """
    if not provider.ends:
        return provider.make

    def begin(*some: object, **others: object) -> object:
        ending = Ending(cast(Any, provider.make(*some, **others)), provider.where)
        component: object = ending.begin()
        endings.append(ending.end)
        return component

    return begin


def _give(source: injector.Injector, provider: Provider) -> object:
    # injector is annotated to take a type, but takes any key. The provider is the key, because
    # injector gives some types, such as lists, a meaning of its own.
    return source.get(cast(Any, provider))
