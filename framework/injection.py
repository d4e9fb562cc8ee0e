"""The graph of components: walked, verified and built at start-up, by the injector.

injector fills unbound parameters of builtin types with empty values, and holds one lock for the
whole process. So each constructor is walked before it: what a parameter asks for is provided, or
has a default, or is a start-up problem. injector gets recipes only, in one thread, before the
first request.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast, overload

import injector

from framework.annotations.signatures import (
    EMPTY,
    Declared,
    Unresolved,
    annotated,
    describe,
    read_parameters,
)
from framework.components import Named
from framework.exchange import Exchange
from framework.markers import InjectMarker, Marker
from framework.startup import AlreadyReported, NotProvided, Problem, location, setting_problems
from framework.wiring.failures import (
    captive,
    cycle,
    lacking,
    raised,
    short_lived,
    unused_mapping,
    unused_replacement,
    wrong_type,
    yields_nothing,
)
from framework.wiring.makers import Maker
from framework.wiring.missing import of_one_request, unannotated
from framework.wiring.providers import Provider, method_call
from framework.wiring.recipes import Argument, Recipe, give, maker_of
from framework.wiring.registry import Registry
from framework.wiring.request_components import request_maker
from framework.wiring.scopes import YieldsNothing, end_all
from sessions.errors import ConfigurationError

T = TypeVar("T")

# The providers that are being built, each for the one before it.
Trail = tuple[Provider, ...]


class Graph:
    """Hold the components of an application, each built once."""

    def __init__(
        self,
        classes: Iterable[type],
        *,
        replacements: Mapping[object, object] = {},
        known: Mapping[object, Callable[..., object]] = {},
        problems: list[Problem],
    ) -> None:
        self._problems = problems
        self._built: dict[Provider, bool] = {}
        self._asked_for: set[Provider] = set()
        self.makers: dict[object, Callable[[Exchange], object]] = {}
        """What makes the components that each request has anew, by their types."""
        self._makers: dict[Provider, Maker] = {}
        self._endings: list[Callable[[], object]] = []
        self._injector = injector.Injector(auto_bind=False)
        self._registry = Registry(classes, known, problems)
        self._registry.replace(replacements)
        for provider in self._registry.eager():
            self._build(provider, ())

    @overload
    def get(self, key: type[T]) -> T: ...
    @overload
    def get(self, key: object) -> object: ...

    def get(self, key: object) -> object:
        """Return the component of a type; raise NotProvided or AlreadyReported, both KeyErrors."""
        return self._get(self._ask_for(key))

    def stand_in(self, listed: Any, origin: object) -> Any:
        """Return what a decorator or a list means: the component of a class, or an object itself.

        A replacement of the object, or of its class, takes its place. Raises AlreadyReported; the
        problem points to the origin, a class or the words for something else.
        """
        if isinstance(listed, type):
            try:
                return self.get(Named(listed))
            except NotProvided as missing:
                # Finding a class means reading its file.
                where = origin if isinstance(origin, str) else location(origin)
                self._problems.append(Problem(where, missing.what, missing.remedy))
                raise AlreadyReported(listed) from missing
        for key in (listed, type(listed)):
            provider = self._registry.replacement(key)
            if provider is not None:
                return self._get(self._ask_for(key))
        return listed

    def provide(self, key: object) -> object:
        """Return a component, or the Maker of one that each request has anew; raise as `get`."""
        return self._provide((), key)

    def call_of(
        self, configuration: type, name: str, function: Callable[..., object]
    ) -> Callable[[], object] | None:
        """Return the call of a configuration's method, its parameters injected; None on a problem.

        Its components are looked up once, not when it is called.
        """
        provider = method_call(configuration, name, function)
        arguments = self._arguments(provider, (provider,))
        if arguments is None:
            return None
        recipe = Recipe(provider.make, self._registry.find(configuration), arguments)
        return functools.partial(recipe.get, self._injector)

    def close(self) -> None:
        """End the components that generators have made, the last one first."""
        endings, self._endings = self._endings, []
        end_all(reversed(endings))

    def provider_of(self, key: object) -> str | None:
        """Return where the component of a type comes from, None if from nowhere."""
        try:
            return self._registry.find(key).where
        except NotProvided:
            return None

    def asks_for(self, key: object) -> bool:
        """Return whether something has asked for the component of a type."""
        return any(key in provider.keys for provider in self._asked_for)

    def provided(self) -> list[object]:
        """List the types that the user's providers make."""
        return [key for provider in self._registry.eager() for key in provider.keys]

    @property
    def has_endings(self) -> bool:
        """Tell whether something ends with the application."""
        return any(each.ends and not each.per_request for each in self._built)

    def all_of(self, kind: type) -> Iterator[tuple[str, Any]]:
        """Yield every component of a type with its place; each counts as asked for."""
        for provider in (*self._registry.eager(), *self._registry.replacements):
            is_built = not provider.per_request and self._build(provider, ())
            component = give(self._injector, provider) if is_built else None
            if isinstance(component, kind):
                self._asked_for.add(provider)
                yield provider.where, component

    def components(self) -> Iterator[tuple[str, object]]:
        """Yield what the user's providers have made, each with the name of its type."""
        for provider in self._registry.eager():
            if not provider.per_request:
                yield describe(provider.keys[0]), give(self._injector, provider)

    def unasked(self) -> Iterator[tuple[tuple[object, ...], str, object]]:
        """Yield what the user provides and nothing has asked for: its types, place and value."""
        for provider in self._registry.eager():
            if self._built.get(provider) and provider not in self._asked_for:
                # What each request has anew is not made yet: its types stand for it.
                value = provider.keys if provider.per_request else give(self._injector, provider)
                yield provider.keys, provider.where, value

    def report_unused(self) -> None:
        """Report what was meant for something that nothing asks for, once everything has asked."""
        unasked = [each for each in self._registry.replacements if each not in self._asked_for]
        self._problems += map(unused_replacement, unasked)
        told = {each.where for each in self._problems}
        for each in self._registry.eager():
            if each.makes_mapping and each not in self._asked_for and each.where not in told:
                self._problems.append(unused_mapping(each))

    def _get(self, provider: Provider) -> object:
        if provider.per_request:
            self._problems.append(short_lived(provider))
            raise AlreadyReported(provider.name)
        if not self._build(provider, ()):
            raise AlreadyReported(provider.name)
        return give(self._injector, provider)

    def _ask_for(self, annotation: object) -> Provider:
        provider = self._registry.find(annotation)
        self._asked_for.update((provider, *self._registry.parts.get(provider, ())))
        return provider

    def _build(self, provider: Provider, trail: Trail) -> bool:
        """Build a component after all that it needs; False if that is a problem."""
        if provider in trail:
            self._problems.append(cycle(trail[trail.index(provider) :]))
            return False
        if provider not in self._built and provider.per_request:
            self._built[provider] = self._plan(provider, (*trail, provider))
        if provider not in self._built:
            arguments = self._arguments(provider, (*trail, provider))
            self._built[provider] = arguments is not None and self._make(provider, arguments)
        return self._built[provider]

    def _arguments(self, provider: Provider, trail: Trail) -> list[Argument] | None:
        """Walk the parameters of a provider and build what they ask for; None on a problem."""
        complete = self._build_configuration(provider, trail)
        arguments: list[Argument] = []
        for declared in self._parameters(provider):
            try:
                need = self._need(declared)
            except NotProvided as missing:
                self._problems.append(lacking(provider, declared, missing))
                complete = False
            except AlreadyReported:
                complete = False
            else:
                complete = (need is None or self._build(need, trail)) and complete
                arguments.append((declared, need))
                if need is not None and need.per_request:
                    self._problems.append(captive(trail, need))
                    complete = False
        return arguments if complete else None

    def _provide(self, trail: Trail, key: object) -> object:
        provider = self._ask_for(key)
        if not provider.per_request:
            return self._get(provider)
        if not self._build(provider, trail):
            raise AlreadyReported(key)
        return self._makers[provider]

    def _plan(self, provider: Provider, trail: Trail) -> bool:
        """Plan how requests make a component; False if that is a problem."""
        if not self._build_configuration(provider, trail):
            return False
        make = provider.make
        if provider.configuration is not None:
            make = functools.partial(make, self.get(provider.configuration))
        provide = functools.partial(self._provide, trail)
        maker = request_maker(provider, make, provide=provide, problems=self._problems)
        if maker is None:
            return False
        self._makers[provider] = maker
        self.makers.update((key, maker) for key in provider.keys)
        return True

    def _build_configuration(self, provider: Provider, trail: Trail) -> bool:
        """Build the configuration whose method provides a component, if it is one."""
        owner = provider.configuration
        return owner is None or self._build(self._registry.find(owner), trail)

    def _parameters(self, provider: Provider) -> list[Declared]:
        if provider.signature is None:
            return []
        found = read_parameters(provider.signature, functools.partial(self._report, provider))
        # Nothing is passed to *args and **kwargs, which the constructors of mixins often have.
        return [each for each in found if not each.variadic]

    def _need(self, declared: Declared) -> Provider | None:
        """Return what provides an argument; None where the parameter keeps its default."""
        if declared.annotation is Unresolved:
            raise AlreadyReported(declared.name)
        try:
            if declared.annotation is EMPTY:
                raise unannotated()
            for each in declared.metadata:
                if isinstance(each, Marker) and not isinstance(each, InjectMarker):
                    raise of_one_request(f"a value from the {each.source}")
            return self._ask_for(annotated(declared.annotation, declared.metadata))
        except NotProvided:
            if declared.default is EMPTY:
                raise
            return None

    def _report(self, provider: Provider, what: str, remedy: str) -> None:
        self._problems.append(Problem(provider.place, what, remedy))

    def _make(self, provider: Provider, arguments: Sequence[Argument]) -> bool:
        """Let injector make a component; False if that is a problem."""
        owner = provider.configuration
        configuration = None if owner is None else self._registry.find(owner)
        recipe = Recipe(maker_of(provider, self._endings), configuration, arguments)
        key = cast(Any, provider)
        self._injector.binder.bind(key, to=recipe)
        try:
            component = give(self._injector, provider)
        except ConfigurationError as error:
            where = self._place_of_settings(provider)
            self._problems += setting_problems(where, error.problems)
        except YieldsNothing:
            self._problems.append(yields_nothing(provider))
        # What makes a component is the user's own code and may raise anything.
        except Exception as error:  # noqa: BLE001
            self._problems.append(raised(provider, error))
        else:
            # Once made, it is the same for everybody.
            self._injector.binder.bind(key, to=injector.InstanceProvider(component))
            wrong = wrong_type(provider, component)
            self._problems += [] if wrong is None else [wrong]
            return wrong is None
        return False

    def _place_of_settings(self, provider: Provider) -> str:
        """Return where the settings are written that a component is made of, or the component."""
        settings = provider if provider.settings is None else self._registry.find(provider.settings)
        return settings.where
