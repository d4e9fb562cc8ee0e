"""What makes the components that each request has anew."""

from collections.abc import Callable
from typing import Any

from framework.exchange import Exchange
from framework.wiring.scopes import Scope


class Maker:
    """Give a request its component: made when first asked for, then always the same.

    It takes no lock: what one request makes, no other one sees.
    """

    def __init__(self, make: Callable[[Exchange], Any], parts: Any, *, ends: bool) -> None:
        self.parts = parts
        """The parameters of what makes the component."""
        self._make = make
        self._ends = ends

    def __call__(self, exchange: Exchange) -> object:
        """Return the component of a request."""
        scope = exchange.scope
        if scope is None:
            scope = exchange.scope = Scope()
        elif self in scope.components:
            return scope.components[self]
        made = self._make(exchange)
        component = scope.components[self] = scope.enter(made) if self._ends else made
        return component
