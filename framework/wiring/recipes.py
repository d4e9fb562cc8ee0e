"""How injector makes a component of others, which it has made already."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import injector

from framework.annotations.signatures import Declared
from framework.wiring.providers import Provider
from framework.wiring.scopes import Ending

# A parameter and what provides its argument; None where it keeps its default.
Argument = tuple[Declared, Provider | None]


@dataclass(frozen=True)
class Recipe(injector.Provider[object]):
    """Make a component of others."""

    make: Callable[..., object]
    configuration: Provider | None
    arguments: Sequence[Argument]

    def get(self, injector: injector.Injector) -> object:
        """Make the component; what it needs is there already."""
        positional = [] if self.configuration is None else [give(injector, self.configuration)]
        named: dict[str, object] = {}
        for declared, need in self.arguments:
            value = declared.default if need is None else give(injector, need)
            if declared.kind is inspect.Parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[declared.name] = value
        return self.make(*positional, **named)


def maker_of(provider: Provider, endings: list[Callable[[], object]]) -> Callable[..., object]:
    """Return what makes a component; what ends one that a generator yields joins the endings."""
    if not provider.ends:
        return provider.make

    def begin(*some: object, **others: object) -> object:
        ending = Ending(cast(Any, provider.make(*some, **others)), provider.where)
        component: object = ending.begin()
        endings.append(ending.end)
        return component

    return begin


def give(source: injector.Injector, provider: Provider) -> object:
    # injector takes any key, but says that it wants a type. A provider as the key keeps types apart
    # to which injector gives a meaning of its own, such as lists.
    return source.get(cast(Any, provider))
