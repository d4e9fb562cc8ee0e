"""Resolvers: components of the application that make an argument from other arguments.

A resolver is a class with a method `resolve`, inside `Annotated`. The parameters of `resolve` are
bound like the parameters of a handler, so that a resolver can use other resolvers.
"""

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from framework.binding.inject import Named, NotProvided
from framework.binding.plan import Plan, compile_call
from framework.binding.source import BindNested, Extract, Field, Marker, Needs, Parameter
from framework.decorators import is_component
from framework.http.context import PerRequest
from framework.report import Mistake, location
from framework.types.fitting import may_be
from framework.types.forgotten_returns import forgotten_return
from framework.types.members import method_of
from framework.types.signatures import Declared, describe, read_return


@dataclass(frozen=True)
class ResolverMarker(Marker):
    """The marker of a value that the method `resolve` of a class returns."""

    kind: type

    source = "resolver"
    needs = Needs.NOTHING
    uses_default = False

    def bound(self, field: Field, bind: BindNested) -> tuple[Extract, tuple[Parameter, ...]]:
        """Return the function that calls `resolve`, and the parameters of `resolve`."""
        component = self._component(field)
        plan = bind(self.kind, _resolving_function(component, field))
        return _resolving_once(plan, component), plan.parameters

    def extractor(self, field: Field) -> Extract:
        """Raise NotImplementedError, because only `bound` knows the parameters of `resolve`."""
        raise NotImplementedError

    def explained(self, field: Field) -> str:
        """Return a text that says where the function `resolve` is written."""
        return f"made by {location(getattr(self.kind, 'resolve', self.kind))}"

    def may_refuse(self, field: Field) -> bool:
        """Return False: only the parameters of the resolver can refuse a request."""
        return False

    def _component(self, field: Field) -> Any:
        """Return the one instance of the resolver class."""
        try:
            component = field.provide(Named(self.kind))
        except NotProvided as missing:
            what = f"parameter {field.name!r}: {missing.what}"
            raise Mistake(what, missing.remedy) from missing
        if isinstance(component, PerRequest):
            raise Mistake(
                f'parameter {field.name!r}: {describe(self.kind)} has scope="request", but'
                " resolvers are built once",
                "Remove the scope, and let resolve() take what belongs to the request.",
            )
        return component


def marker_of(metadata: object) -> Marker | None:
    """Return an element of `Annotated` as a marker, or None if the element is not a marker."""
    if isinstance(metadata, Marker):
        return metadata
    if isinstance(metadata, type) and _resolves(metadata):
        return ResolverMarker(metadata)
    return None


def cycle_of(trail: tuple[type, ...]) -> Mistake:
    """Return the `Mistake` for resolvers that need each other in a circle."""
    drawn = " → ".join(describe(kind) for kind in trail)
    return Mistake(
        f"resolvers need each other: {drawn}",
        "Let one of these resolvers read its values from the request, and not from another"
        " resolver.",
    )


def refuse_idle(declared: Declared) -> None:
    """Raise `Mistake` for metadata that looks like a resolver, but has no effect."""
    for beside in declared.metadata:
        # This metadata tells pydantic how to validate the type.
        if hasattr(beside, "__get_pydantic_core_schema__"):
            continue
        kind = beside if isinstance(beside, type) else type(beside)
        if isinstance(beside, type | types.FunctionType) or hasattr(kind, "resolve"):
            raise _idle(declared, beside, kind)


def _resolving_function(component: object, field: Field) -> Callable[..., object]:
    """Return the method `resolve` of the class as a function, which still takes `self`."""
    function = method_of(component, "resolve")
    kind, wanted = describe(type(component)), describe(field.annotation)
    if function is None:
        raise Mistake(
            f"{kind} has no method resolve",
            f"Write the method: def resolve(self, session: session) -> {wanted}.",
        )
    forgotten = forgotten_return(function)
    if forgotten is not None:
        raise Mistake(f"{location(function)}: {forgotten.what}", forgotten.remedy)
    returned = read_return(function)
    if not may_be(returned, field.annotation):
        raise Mistake(
            f"parameter {field.name!r} is {wanted}, but {location(function)} returns"
            f" {describe(returned)}",
            f"Let resolve return {wanted}, or write Annotated[{describe(returned)}, {kind}].",
        )
    return function


def _resolving_once(plan: Plan, component: Any) -> Extract:
    """Return the function that calls `resolve` once in a request, and keeps the result."""
    resolve = compile_call(plan, component.resolve)
    # A name can be a variable of the path for a handler, and a key of the query for a component of
    # the request, which does not know the path. The two must not share one value.
    sources = (part.where for parameter in plan.parameters for part in parameter.flattened())
    key = (id(component), *sources)
    return lambda context: context.resolve(key, resolve)


def _resolves(kind: type) -> bool:
    # A component in `Annotated` without `resolve` counts, too, so that start-up reports it.
    return callable(getattr(kind, "resolve", None)) or is_component(kind)


def _idle(declared: Declared, metadata: object, kind: type) -> Mistake:
    """Return why an element of `Annotated` does not resolve a parameter."""
    name, written = declared.name, describe(declared.annotation)
    if kind is types.FunctionType:
        shown = f"the function {location(metadata)}, which is not a marker"
        remedy = (
            "Move the code of the function to the method resolve() of a class, and write the class"
            " in Annotated[...]."
        )
    elif metadata is not kind:
        shown = f"an object of {describe(kind)}, not the class"
        remedy = f"Write Annotated[{written}, {describe(kind)}]."
    else:
        shown = f"{location(kind)}, which has no method resolve"
        remedy = f"Write the method: def resolve(self, session: session) -> {written}."
    return Mistake(f"the Annotated[...] of parameter {name!r} contains {shown}", remedy)
