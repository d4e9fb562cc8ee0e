"""Resolvers: components of the user's own that make an argument of what they take themselves.

A resolver is a class inside `Annotated` that has a method `resolve`; its parameters are bound as a
handler's are, so that one resolver can build on others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from framework.annotations.fitting import may_be
from framework.annotations.methods import method_of
from framework.annotations.signatures import describe, read_return
from framework.components import Named, is_component
from framework.markers import Extract, Field, Marker, Unbindable
from framework.plans import Plan, compile_call
from framework.startup import AlreadyReported, NotProvided, location
from framework.wiring.makers import Maker


@dataclass(frozen=True)
class Resolver:
    """Say that a class resolves a parameter."""

    kind: type

    source: ClassVar[str] = "resolver"

    def where(self, field: Field) -> str:
        """Return the word for it: a resolver reads where it likes."""
        return self.source

    @property
    def function(self) -> Callable[..., object] | None:
        """Return the function that resolves, None if the class has none."""
        function: Callable[..., object] | None = getattr(self.kind, "resolve", None)
        return function

    def component(self, name: str, provide: Callable[[object], object]) -> Any:
        """Return the one instance of the class; None if there is a problem with it already."""
        try:
            component = provide(Named(self.kind))
        except AlreadyReported:
            return None
        except NotProvided as missing:
            raise Unbindable(f"parameter {name!r}: {missing.what}", missing.remedy) from missing
        if isinstance(component, Maker):
            raise Unbindable(
                f'parameter {name!r}: {describe(self.kind)} has scope="request", but resolvers are'
                " built once",
                "Remove the scope, and let resolve() take what belongs to the request.",
            )
        return component


def source_of(metadata: object) -> Marker | Resolver | None:
    """Return what an element of `Annotated` says about a source, None if nothing."""
    if isinstance(metadata, Marker):
        return metadata
    if isinstance(metadata, type) and _resolves(metadata):
        return Resolver(metadata)
    return None


def resolving_function(component: object, field: Field) -> Callable[..., object]:
    """Return the function of `resolve` as its class has it, so with `self`."""
    function = method_of(component, "resolve")
    kind, wanted = describe(type(component)), describe(field.annotation)
    if function is None:
        raise Unbindable(
            f"{kind} has no method resolve",
            f"Give it one: def resolve(self, session: Session) -> {wanted}.",
        )
    returned = read_return(function)
    if not may_be(returned, field.annotation):
        raise Unbindable(
            f"parameter {field.name!r} is {wanted}, but {location(function)} returns"
            f" {describe(returned)}",
            f"Let it return {wanted}, or write Annotated[{describe(returned)}, {kind}].",
        )
    return function


def resolving_once(plan: Plan, component: Any) -> Extract:
    """Return what lets a resolver resolve once in a request, for all who take it there."""
    resolve = compile_call(plan, component.resolve)
    # A name is a variable of the path for the one and a key of the query for the other where only
    # one of the two knows the path: they must not get each other's values.
    sources = (part.where for each in plan.parameters for part in each.flattened())
    key = (id(component), *sources)
    return lambda exchange: exchange.resolve(key, resolve)


def cycle_of(trail: tuple[type, ...]) -> Unbindable:
    """Explain why resolvers that need each other cannot resolve anything."""
    drawn = " → ".join(describe(each) for each in trail)
    return Unbindable(
        f"resolvers need each other: {drawn}",
        "Let one of them read what it needs from the request itself.",
    )


def _resolves(kind: type) -> bool:
    # A component in `Annotated` that cannot resolve is a mistake to tell, not to pass over.
    return callable(getattr(kind, "resolve", None)) or is_component(kind)
