"""One function as a guard, a resolver or an exception handler of two paths.

Only one of the paths, `/items/<int:item_id>`, has the variable; the other one is `/items/list`.
"""

from collections.abc import Callable
from typing import Annotated, Any

from framework import catch, configuration, controller, get, guard

# Returns True, for a guard; its result is the answer of an exception handler.
Called = Callable[..., bool]
GUARDS = ["handler", "controller", "base", "configuration", "resolver of a guard"]
CATCHERS = ["controller's @catch", "configuration's @catch"]
CATCHERS += [f"resolver of the {place}" for place in CATCHERS]
PLACES = [*GUARDS, "resolver of a handler", *CATCHERS]


def placed(called: Called, place: str) -> list[type]:
    """Return the parts of an application that calls the function for two paths."""
    resolver = type("Resolver", (), {"resolve": called})
    checker: Any = type("Checker", (), {"check": called})
    if place == "resolver of a guard":

        class Resolving:
            def check(self, resolved: Annotated[bool, resolver]) -> bool:
                return resolved

        checker = Resolving
    if place == "resolver of a handler":
        return [resolving(resolver)]
    if place in CATCHERS:
        return catching(caught_by(called, resolver, place), place)
    return guarding(checker, place)


def guarding(checker: type, place: str) -> list[type]:
    """Return a controller with a guard in one of the places."""

    def at(*places: str) -> Callable[[Any], Any]:
        return guard(checker) if place in places else lambda target: target

    @at("base")
    class Base:
        @get("/<int:item_id>")
        @at("handler")
        def show(self, item_id: int) -> int:
            return item_id

        @get("/list")
        @at("handler")
        def index(self) -> str:
            return "listed"

    @controller("/items")
    @at("controller", "resolver of a guard")
    class Items(Base): ...

    @configuration
    @at("configuration")
    class Web: ...

    return [Items, *[Web] * (place == "configuration")]


def resolving(resolver: Any) -> type:
    """Return a controller whose handlers take the result of the resolver."""

    @controller("/items")
    class Items:
        @get("/<int:item_id>")
        def show(self, item_id: int, resolved: Annotated[bool, resolver]) -> bool:
            return resolved

        @get("/list")
        def index(self, resolved: Annotated[bool, resolver]) -> bool:
            return resolved

    return Items


def caught_by(called: Called, resolver: Any, place: str) -> Called:
    """Return the method of an exception handler: the function itself, or one with a resolver."""

    def caught(self: object, resolved: Annotated[bool, resolver]) -> bool:
        return resolved

    return caught if place.startswith("resolver") else called


def catching(caught: Called, place: str) -> list[type]:
    """Return a controller that raises, and the class that catches."""
    members = {"caught": catch(LookupError)(caught)}

    @controller("/items")
    class Items(type("Own", (), members if "controller" in place else {})):  # type: ignore[misc]
        @get("/<int:item_id>")
        def show(self, item_id: int) -> int:
            raise LookupError(item_id)

        @get("/list")
        def index(self) -> str:
            raise LookupError

    errors = configuration(type("Errors", (), members))
    return [Items, *[errors] * ("configuration" in place)]
