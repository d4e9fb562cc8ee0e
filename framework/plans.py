"""What start-up found out about a handler's parameters, compiled to one function per handler.

The function is as near to a bare call of the handler as Python allows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import msgspec

from framework.annotations.object_fields import fields_of
from framework.annotations.signatures import bare
from framework.exchange import Exchange
from framework.markers import Extract
from framework.validation import FieldError, InvalidRequest

Method = Callable[..., object]


@dataclass(frozen=True)
class Parameter:
    """Say where one argument of a handler comes from, and how it is read."""

    name: str
    # "path" "query" "header" "cookie" "form" "body" "session" "request" "inject" "resolver"
    source: str
    # Where in a request it is, as errors write it: "query:page", "body".
    where: str
    annotation: object
    required: bool
    default: object
    extract: Extract
    # Whether it can be passed by its name only.
    keyword: bool
    # Whether a request can hold a value that does not fit.
    fallible: bool
    # What a resolver makes the argument of.
    parts: tuple["Parameter", ...] = ()
    # What limits its text, besides the annotation.
    limits: msgspec.Meta | None = None
    # The function of the user's own that makes it, if it is resolved.
    resolver: Callable[..., object] | None = None
    # The function whose parameter it is, as reports write it.
    taken_by: str = ""

    @property
    def needs_body(self) -> bool:
        """Tell whether a request without a body lacks it: a form may lack what has defaults."""
        if self.source not in ("body", "form") or not self.required:
            return False
        members = fields_of(bare(self.annotation)[0]) if self.source == "form" else ()
        return not members or any(each.required for each in members)

    @property
    def may_be_unfit(self) -> bool:
        """Tell whether a request can be refused for it.

        A resolver is judged by its parts, and a default takes the place of an unfit session value.
        """
        is_covered = self.source == "session" and not self.required
        return self.fallible and not is_covered and self.source != "resolver"

    def flattened(self) -> Iterator["Parameter"]:
        """Yield the parameter and every part of it."""
        yield self
        for part in self.parts:
            yield from part.flattened()


@dataclass(frozen=True)
class Plan:
    """Hold how a request becomes the arguments of a handler."""

    parameters: tuple[Parameter, ...]
    # What makes a path value the type that the handler asks for, where it is not that already.
    path_converters: Mapping[str, Callable[[object], object]]

    @property
    def uses_session(self) -> bool:
        """Tell whether the handler asks for the session."""
        return "session" in self._sources()

    @property
    def may_read_files(self) -> bool:
        """Tell whether the handler asks for something through which it may read uploaded files."""
        return not self._sources().isdisjoint(("form", "request"))

    @property
    def path_only(self) -> bool:
        """Tell whether the handler asks for nothing but values of its path."""
        return all(each.source == "path" for each in self.parameters)

    @property
    def has_keywords(self) -> bool:
        """Tell whether the handler takes a parameter by its name only."""
        return any(each.keyword for each in self.parameters)

    def _sources(self) -> set[str]:
        return {part.source for each in self.parameters for part in each.flattened()}


def compile_call(plan: Plan, method: Method) -> Callable[[Exchange], object]:
    """Return the function that reads a request's arguments and calls the method with them.

    It raises `InvalidRequest` with every value that does not fit.
    """
    # Where at most one parameter can fail, its own error is all there is to collect.
    if plan.has_keywords or sum(each.fallible for each in plan.parameters) > 1:
        return _collecting(plan, method)
    match [each.extract for each in plan.parameters]:
        case []:
            return lambda exchange: method()
        case [one]:
            return lambda exchange: method(one(exchange))
        case [one, two]:
            return lambda exchange: method(one(exchange), two(exchange))
        case [one, two, three]:
            return lambda exchange: method(one(exchange), two(exchange), three(exchange))
        case extracts:
            return lambda exchange: method(*[extract(exchange) for extract in extracts])


def compile_path_call(plan: Plan, method: Method) -> Callable[[dict[str, Any]], object]:
    """Return the function that calls the method with the values of a path and needs no exchange.

    It is for a `path_only` plan.
    """
    if plan.has_keywords or plan.path_converters:
        return _converting(plan, method)
    match [each.name for each in plan.parameters]:
        case []:
            return lambda values: method()
        case [one]:
            return lambda values: method(values[one])
        case names:
            pick = itemgetter(*names)
            return lambda values: method(*pick(values))


def _collecting(plan: Plan, method: Method) -> Callable[[Exchange], object]:
    pass_on = _passing(plan, method)
    extracts = [each.extract for each in plan.parameters]

    return lambda exchange: pass_on(_gather(extracts, exchange))


def _converting(plan: Plan, method: Method) -> Callable[[dict[str, Any]], object]:
    pass_on = _passing(plan, method)
    names = [each.name for each in plan.parameters]
    converters = [(name, plan.path_converters.get(name, _same)) for name in names]
    return lambda values: pass_on([convert(values[name]) for name, convert in converters])


def _passing(plan: Plan, method: Method) -> Callable[[list[object]], object]:
    """Return the function that passes arguments on, by position as far as they go."""
    if not plan.has_keywords:
        return lambda arguments: method(*arguments)
    # Python declares keyword-only parameters after all others.
    keywords = [each.name for each in plan.parameters if each.keyword]
    count = len(plan.parameters) - len(keywords)
    return lambda arguments: method(
        *arguments[:count], **dict(zip(keywords, arguments[count:], strict=True))
    )


def _gather(extracts: Sequence[Extract], exchange: Exchange) -> list[object]:
    """Read every argument; raise the errors of all of them together."""
    arguments: list[object] = []
    errors: list[FieldError] = []
    for extract in extracts:
        try:
            arguments.append(extract(exchange))
        except InvalidRequest as refusal:
            errors += refusal.errors
    if errors:
        raise InvalidRequest(errors)
    return arguments


def _same(value: object) -> object:
    return value
