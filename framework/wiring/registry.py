"""Which provider makes the component of a type: the user's, a replacement, a default."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from framework.annotations.signatures import describe, split
from framework.components import Member, Named, component_methods, is_component, is_configuration
from framework.startup import Problem, location
from framework.wiring.missing import implements, is_abstract, not_provided
from framework.wiring.providers import (
    Provider,
    class_provider,
    key_of,
    method_providers,
    value_provider,
)
from framework.wiring.session_parts import SESSION_MANAGER, SESSION_PARTS, with_parts
from sessions.container import SessionContainer
from sessions.manager import SessionManager


class Registry:
    """Find providers by the type that is asked for."""

    def __init__(
        self,
        classes: Iterable[type],
        known: Mapping[object, Callable[..., object]],
        problems: list[Problem],
    ) -> None:
        self._providers = {
            key: value_provider(key, make, f"the default {describe(key)}")
            for key, make in known.items()
        }
        self._providers[SessionManager] = SESSION_MANAGER
        self._known = known
        self._mine: dict[object, Provider] = {}
        self.replacements: list[Provider] = []
        # The replacements that are parts of what another provider makes.
        self.parts: dict[Provider, list[Provider]] = {}
        for provider in _collect(classes, problems):
            self._add(provider, problems)
        # The framework's defaults step aside for the user's components.
        self._providers |= self._mine

    def replace(self, replacements: Mapping[object, object]) -> None:
        """Put objects in the place of whatever provides their types."""
        for annotation, value in replacements.items():
            key = key_of(*split(annotation))
            where = f"replace({describe(key)})"
            provider = value_provider(key, lambda value=value: value, where)
            self._providers[key] = provider
            self.replacements.append(provider)
        self._replace_session_parts()

    def replacement(self, key: object) -> Provider | None:
        """Return what replaces an object that need not be a type, None if nothing does."""
        return next((each for each in self.replacements if each.keys == (key,)), None)

    def find(self, annotation: Any) -> Provider:
        """Return the provider of a type or raise NotProvided."""
        if isinstance(annotation, Named):
            annotation = annotation.target
            self._name(annotation)
        key = key_of(*split(annotation))
        try:
            provider = self._providers.get(key)
        # What `Annotated` holds need not be hashable; then nothing can be registered for it.
        except TypeError:
            provider = None
        return provider or self._implied(key)

    def eager(self) -> list[Provider]:
        """List the user's providers, without those whose place a replacement takes."""
        mine = dict.fromkeys(self._mine.values())
        return [each for each in mine if not self._is_replaced(each)]

    def _add(self, provider: Provider, problems: list[Problem]) -> None:
        if provider.makes_settings:
            provider = replace(provider, make=self._completed(provider.make))
        for key in provider.keys:
            other = self._mine.setdefault(key, provider)
            if other is not provider:
                problems.append(_duplicate(key, provider, other))

    def _completed(self, make: Callable[..., object]) -> Callable[..., object]:
        """Return what makes a session container of some settings and of the defaults."""
        default: Callable[..., object] = self._known.get(SessionContainer, _session_container)

        def complete(*args: Any, **needs: Any) -> object:
            settings = make(*args, **needs)
            if not isinstance(settings, Mapping):
                raise TypeError(f"returned {type(settings).__name__}, which is no mapping")
            return default(settings)

        return complete

    def _name(self, target: type) -> None:
        """Let a class provide itself although nothing tags it, unless something provides it."""
        if target not in self._providers and not is_abstract(target):
            self._providers[target] = class_provider(target)

    def _implied(self, key: Any) -> Provider:
        """Return the provider of a type that nothing provides by its name."""
        components = {
            known: each for known, each in self._providers.items() if isinstance(known, type)
        }
        if isinstance(key, type) and is_component(key):
            provider = class_provider(key)
        else:
            found = {each for known, each in components.items() if _is_choice(known, key)}
            if len(found) != 1:
                raise not_provided(key, components)
            (provider,) = found
        self._providers[key] = provider
        return provider

    def _replace_session_parts(self) -> None:
        """Let whatever makes the session container make it with the replaced parts."""
        parts = {
            setting: self._providers[key]
            for key, setting in SESSION_PARTS.items()
            if self._providers.get(key) in self.replacements
        }
        whole = self._providers.get(SessionContainer)
        if not parts or whole is None:
            return
        make = with_parts(whole.make, {name: each.make() for name, each in parts.items()})
        changed = replace(whole, make=make)
        # The whole may be a replacement, too.
        self.parts[changed] = [whole, *parts.values()]
        for table in (self._providers, self._mine):
            table.update({key: changed for key, each in table.items() if each is whole})

    def _is_replaced(self, provider: Provider) -> bool:
        """Tell whether a replaced type is one that the provider makes or implements."""
        replaced = {key for each in self.replacements for key in each.keys}
        return any(
            base in replaced for key in provider.keys for base in getattr(key, "__mro__", (key,))
        )


def _collect(classes: Iterable[type], problems: list[Problem]) -> Iterator[Provider]:
    for each in classes:
        yield class_provider(each)
        if is_configuration(each):
            yield from method_providers(each, problems)
        else:
            problems += [_no_configuration(each, member) for member in component_methods(each)]


def _is_choice(candidate: type, key: Any) -> bool:
    return is_abstract(key) and implements(candidate, key)


def _duplicate(key: object, provider: Provider, other: Provider) -> Problem:
    return Problem(
        provider.where,
        f"{describe(key)} is provided twice: here and by {other.where}",
        "Remove one of the two, or give one of them a type of its own.",
    )


def _no_configuration(target: type, member: Member) -> Problem:
    return Problem(
        location(member.function),
        f"the @component method {member.name}() is in {target.__name__}, which is no configuration",
        f"Decorate {target.__name__} with @configuration, or move the method to a class that is.",
    )


def _session_container(settings: Mapping[str, Any]) -> SessionContainer:
    return SessionContainer(**settings)
