"""All arguments of one call, compiled to one function that reads a request.

For speed, the function does little more than the call itself.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

from framework.binding.path import PathMarker
from framework.binding.source import Extract, Needs, Parameter
from framework.http.context import Context
from framework.validation import FieldError, InvalidRequest

Method = Callable[..., object]


@dataclass(frozen=True)
class Plan:
    """The parameters of a call, and how each of them gets its value from a request."""

    parameters: tuple[Parameter, ...]

    @cached_property
    def needs(self) -> Needs:
        """Return the parts of a request that the function, its resolvers and components can use."""
        needs = Needs.NOTHING
        for part in self.flattened():
            # To join two sets of needs takes long, and most parameters need nothing.
            if part.needs is not Needs.NOTHING:
                needs |= part.needs
        return needs

    @property
    def path_only(self) -> bool:
        """Return whether every parameter is a value of the path."""
        return all(isinstance(parameter.marker, PathMarker) for parameter in self.parameters)

    @cached_property
    def path_converters(self) -> dict[str, Callable[[object], object]]:
        """Return the functions that convert path values, by the names of the variables."""
        found = {
            part.name: part.marker.converter(part.field)
            for part in self.flattened()
            if isinstance(part.marker, PathMarker)
        }
        return {name: convert for name, convert in found.items() if convert is not None}

    @property
    def has_keywords(self) -> bool:
        """Return whether one of the parameters is keyword-only."""
        return any(parameter.keyword for parameter in self.parameters)

    def flattened(self) -> Iterator[Parameter]:
        """Yield each parameter, and the parameters of its resolver or of its component."""
        for parameter in self.parameters:
            yield from parameter.flattened()


def compile_call(plan: Plan, method: Method) -> Callable[[Context], object]:
    """Return the function that reads a request's arguments and calls the method with them.

    The function raises `InvalidRequest` with every value that does not fit.
    """
    # If at most one parameter can fail, there are no errors to collect.
    if plan.has_keywords or sum(parameter.marker.fallible for parameter in plan.parameters) > 1:
        return _collecting(plan, method)
    match [parameter.extract for parameter in plan.parameters]:
        case []:
            return lambda context: method()
        case [one]:
            return lambda context: method(one(context))
        case [one, two]:
            return lambda context: method(one(context), two(context))
        case [one, two, three]:
            return lambda context: method(one(context), two(context), three(context))
        case extracts:
            return lambda context: method(*[extract(context) for extract in extracts])


def compile_path_call(plan: Plan, method: Method) -> Callable[[dict[str, Any]], object]:
    """Return a function that calls the method with the values of a path, without a context.

    The plan has to be `path_only`.
    """
    if plan.has_keywords or plan.path_converters:
        return _converting(plan, method)
    match [parameter.name for parameter in plan.parameters]:
        case []:
            return lambda values: method()
        case [one]:
            return lambda values: method(values[one])
        case names:
            pick = itemgetter(*names)
            return lambda values: method(*pick(values))


def _collecting(plan: Plan, method: Method) -> Callable[[Context], object]:
    pass_on = _passing(plan, method)
    extracts = [parameter.extract for parameter in plan.parameters]

    return lambda context: pass_on(_gather(extracts, context))


def _converting(plan: Plan, method: Method) -> Callable[[dict[str, Any]], object]:
    pass_on = _passing(plan, method)
    names = [parameter.name for parameter in plan.parameters]
    converters = [(name, plan.path_converters.get(name, _same)) for name in names]
    return lambda values: pass_on([convert(values[name]) for name, convert in converters])


def _passing(plan: Plan, method: Method) -> Callable[[list[object]], object]:
    """Return the function that passes arguments to the method: by position, then by keyword."""
    if not plan.has_keywords:
        return lambda arguments: method(*arguments)
    # Python declares keyword-only parameters after all others.
    keywords = [parameter.name for parameter in plan.parameters if parameter.keyword]
    count = len(plan.parameters) - len(keywords)
    return lambda arguments: method(
        *arguments[:count], **dict(zip(keywords, arguments[count:], strict=True))
    )


def _gather(extracts: Sequence[Extract], context: Context) -> list[object]:
    """Return every argument; raise the errors of all arguments together."""
    arguments: list[object] = []
    errors: list[FieldError] = []
    for extract in extracts:
        try:
            arguments.append(extract(context))
        except InvalidRequest as refusal:
            errors += refusal.errors
    if errors:
        raise InvalidRequest(errors)
    return arguments


def _same(value: object) -> object:
    return value
