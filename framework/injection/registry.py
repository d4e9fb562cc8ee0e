"""Choose the provider of a component: from a test, from the application, or from the defaults."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, get_origin

from framework.binding.inject import Named
from framework.decorators import component_methods, is_component, is_configuration
from framework.injection.mistakes import implements, is_abstract, not_provided
from framework.injection.providers import (
    Absent,
    Known,
    Provider,
    class_provider,
    collection_provider,
    item_of,
    key_of,
    known_provider,
    method_provider,
    value_provider,
)
from framework.report import Report
from framework.types.signatures import describe, split


class Registry:
    """Find the provider of a type."""

    def __init__(
        self,
        classes: Iterable[type],
        known: Sequence[Known],
        absent: Sequence[Absent],
        report: Report,
    ) -> None:
        self._known = known
        self._absent = absent
        self._report = report
        self._providers: dict[object, Provider] = {
            component.key: known_provider(component) for component in known
        }
        self._mine: dict[object, Provider] = {}
        self.replacements: list[Provider] = []
        # The replacements of parts, by the provider that makes the whole.
        self.parts: dict[Provider, list[Provider]] = {}
        for provider in self._collect(classes):
            self._add(provider)
        # The user's components take the place of the framework's defaults.
        self._providers |= self._mine

    def replace(self, replacements: Mapping[object, object]) -> None:
        """Replace the providers of some types by objects."""
        for annotation, value in replacements.items():
            key = key_of(*split(annotation))
            where = f"replace({describe(key)})"
            provider = value_provider(key, lambda value=value: value, where)
            self._providers[key] = provider
            self.replacements.append(provider)
        for known in self._known:
            self._replace_parts(known)

    def replacement(self, key: object) -> Provider | None:
        """Return the provider that a test uses in place of the key's own provider, or None."""
        return next((provider for provider in self.replacements if provider.keys == (key,)), None)

    def find(self, annotation: Any) -> Provider:
        """Return the provider of a type or raise NotProvided."""
        provider, key = self._lookup(annotation)
        if provider is None:
            raise not_provided(key, list(self._types()), self._absent)
        return provider

    def where(self, annotation: Any) -> str | None:
        """Return where the component of a type comes from, or None if nothing provides it."""
        provider, _ = self._lookup(annotation)
        return None if provider is None else provider.where

    def eager(self) -> list[Provider]:
        """List the application's providers, without the providers that are replaced."""
        mine = dict.fromkeys(self._mine.values())
        replaced = {key for replacement in self.replacements for key in replacement.keys}
        if not replaced:
            return [*mine]
        return [provider for provider in mine if not _is_replaced(provider, replaced)]

    def _collect(self, classes: Iterable[type]) -> Iterator[Provider]:
        for target in classes:
            yield class_provider(target)
            for member in component_methods(target):
                here = self._report.at(member.function)
                if is_configuration(target):
                    with here:
                        yield method_provider(target, member, self._known, here)
                else:
                    here.note(
                        f"the @component method {member.name}() is in {target.__name__}, which is"
                        " not a configuration",
                        f"Decorate {target.__name__} with @configuration, or move the method to a"
                        " configuration.",
                    )

    def _add(self, provider: Provider) -> None:
        if provider.makes_settings_of is not None:
            make = _completed(provider.make, provider.makes_settings_of)
            provider = dataclasses.replace(provider, make=make)
        for key in provider.keys:
            other = self._mine.setdefault(key, provider)
            if other is not provider:
                self._report.note(
                    provider.where,
                    f"{describe(key)} is provided twice: here and by {other.where}",
                    "Remove one of the two, or return another type from one of them.",
                )

    def _lookup(self, annotation: Any) -> tuple[Provider | None, Any]:
        """Return the provider of a type, or None, and the key of the type."""
        if isinstance(annotation, Named):
            annotation = annotation.target
            self._name(annotation)
        # A plain class is its own key.
        key = annotation if type(annotation) is type else key_of(*split(annotation))
        try:
            provider = self._providers.get(key)
        # Metadata of `Annotated` that cannot be hashed cannot be a key, so nothing provides it.
        except TypeError:
            return None, key
        return provider or self._implied(key), key

    def _name(self, target: type) -> None:
        """Let an undecorated class provide itself, unless another provider makes its objects."""
        if target not in self._providers and not is_abstract(target):
            self._providers[target] = class_provider(target)

    def _implied(self, key: Any) -> Provider | None:
        """Return a provider for a type that no provider names; None if there is not exactly one.

        A component class provides itself. Any other type gets its only implementation, and a list
        gets all implementations of its items' type.
        """
        item = item_of(key)
        if isinstance(key, type) and is_component(key):
            provider = class_provider(key)
        elif item is not None:
            implementing = self._implementing(item)
            if not implementing:
                return None
            provider = collection_provider(key, implementing)
        else:
            found = {provider for kind, provider in self._types().items() if _is_choice(kind, key)}
            if len(found) != 1:
                return None
            (provider,) = found
        self._providers[key] = provider
        return provider

    def _implementing(self, item: Any) -> list[Provider]:
        """List the application's providers whose components implement a type or are of the type."""
        return [
            provider
            for provider in (*self.eager(), *self.replacements)
            if any(key == item or implements(key, item) for key in provider.keys)
        ]

    def _types(self) -> dict[type, Provider]:
        return {key: provider for key, provider in self._providers.items() if isinstance(key, type)}

    def _replace_parts(self, known: Known) -> None:
        """If a test replaces parts of a component, make the component with the replacements."""
        parts = {
            setting: self._providers[key]
            for key, setting in known.parts.items()
            if self._providers.get(key) in self.replacements
        }
        whole = self._providers[known.key]
        if not parts:
            return
        make = _with_parts(whole.make, {name: part.make() for name, part in parts.items()})
        changed = dataclasses.replace(whole, make=make)
        # The component itself may be a replacement, too.
        self.parts[changed] = [whole, *parts.values()]
        for table in (self._providers, self._mine):
            table.update({key: changed for key, provider in table.items() if provider is whole})


def _is_replaced(provider: Provider, replaced: Set[object]) -> bool:
    """Return whether a test replaces a type that the provider makes or implements."""
    return any(
        base in replaced for key in provider.keys for base in getattr(key, "__mro__", (key,))
    )


def _completed(make: Callable[..., object], known: Known) -> Callable[..., object]:
    """Return the function that makes a component from settings of the application and defaults."""

    def complete(*args: Any, **needs: Any) -> object:
        settings = make(*args, **needs)
        if not isinstance(settings, Mapping):
            raise TypeError(f"it returned {type(settings).__name__}, which is not a mapping")
        return known.make(settings)

    return complete


def _with_parts(make: Callable[..., Any], parts: Mapping[str, Any]) -> Callable[..., object]:
    return lambda *args, **needs: dataclasses.replace(make(*args, **needs), **parts)


def _is_choice(candidate: type, key: Any) -> bool:
    is_open = is_abstract(key) or get_origin(key) is not None
    return is_open and implements(candidate, key)
