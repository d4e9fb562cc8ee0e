"""The routes of a controller and the rules of their paths, such as `/items/<int:item_id>`."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any
from uuid import UUID

from werkzeug.routing import BaseConverter, Map, Rule
from werkzeug.routing.converters import (
    AnyConverter,
    FloatConverter,
    IntegerConverter,
    PathConverter,
    UnicodeConverter,
    UUIDConverter,
    ValidationError,
)
from werkzeug.routing.rules import RulePart

from framework.decorators import CONTROLLER, ROUTES, Verb, is_status, verbs_in
from framework.http.slow_rules import only_short, slow_variables
from framework.report import Mistake, Report, location, unwrapped
from framework.types.members import Member, tag_of, tagged_members
from framework.types.signatures import signature_of

# A variable with any text as its converter.
_ANY_VARIABLE = re.compile(r"<[^<>]*>")
# `{id}`, `{id:int}`
_BRACES = re.compile(r"\{([^{}/:]*):?([^{}/]*)\}")
# A character without which a rule has no variable or expression of another framework.
_MAY_BE_FOREIGN = re.compile(r"[{*?#$]|(?:^|[/>]):")
# A variable in a rule, and its converter with the arguments.
_VARIABLE = re.compile(r"<(?:([^<>:]+):)?[a-zA-Z_][a-zA-Z0-9_]*>")


# The name of each converter, by its names in other frameworks.
_FOREIGN_CONVERTERS = {
    **dict.fromkeys(("number", "integer", "num", "digits", "long"), "int"),
    **dict.fromkeys(("str", "text", "slug", "re", "regex"), "string"),
    **dict.fromkeys(("decimal", "double"), "float"),
    **dict.fromkeys(("guid", "uid"), "uuid"),
    "filepath": "path",
}


@dataclass(frozen=True)
class Route:
    """A route: its method, its path and its handler."""

    method: str
    rule: str
    status: int | None
    controller: type
    name: str
    # A plain function that takes the controller first, or a `staticmethod` object.
    function: Callable[..., object]
    where: str


def routes_of(controller: type, report: Report) -> list[Route]:
    """List the routes of a controller, including inherited routes."""
    routes = [
        _route(controller, member, verb)
        for member in tagged_members(controller, ROUTES)
        for verb in verbs_in(member.tag)
    ]
    for route in routes:
        if not is_status(route.status):
            report.note(
                route.where,
                f"the status {route.status!r} of {route.method} {route.rule} is not a final HTTP"
                " status",
                "Give a number from 200 to 599, or leave the status out.",
            )
    if not routes:
        report.at(controller).note(
            "this controller has no routes",
            "Decorate a method with @get, @post or another verb. If another decorator stands above"
            " the verb, let this decorator use functools.wraps.",
        )
    return routes


def variables_of(route: Route, report: Report) -> Mapping[str, type | None]:
    """Return the variables of a path with their types; raise `Mistake` if the path is wrong."""
    here = report.at(route.where)
    for mistake in chain(_foreign_variables(route), slow_variables(route.rule)):
        here.note(mistake.what, mistake.remedy)
    here.require_clean()
    if route.rule.count("<") != route.rule.count(">"):
        raise _not_a_rule(route.rule, ValueError())
    try:
        return path_variables(route.rule)
    except ValueError as error:
        raise _not_a_rule(route.rule, error) from error


def _not_a_rule(rule: str, error: ValueError) -> Mistake:
    what = f"the path {rule!r} is not a rule: {error}"
    if rule.count("<") != rule.count(">"):
        lacking = ">" if rule.count("<") > rule.count(">") else "<"
        what = f"the path {rule!r} has a variable without its {lacking!r}"
    unknown = re.search(r"'(\w+)' does not exist", str(error))
    meant = _FOREIGN_CONVERTERS.get(unknown[1].lower()) if unknown else None
    return Mistake(
        what,
        f"{f'Did you mean {meant!r}? ' if meant else ''}Write a path such as"
        " '/items/<int:item_id>'; converters are string, int, float, uuid, path and any.",
    )


def note_duplicates(routes: Iterable[Route], report: Report) -> None:
    """Report each handler that no request reaches: another handler has the same method and path."""
    first: dict[tuple[str, str], Route] = {}
    for route in routes:
        other = first.setdefault((route.method, path_key(route.rule)), route)
        if other is not route:
            report.note(
                route.where,
                f"{route.method} {route.rule} matches the same requests as {other.method}"
                f" {other.rule} in {other.where}",
                "Give one of the two another path or method.",
            )


# The cache serves a handler and the exception handlers that may answer in its place.
@lru_cache(maxsize=4096)
def path_variables(rule: str) -> Mapping[str, type | None]:
    """List the variables of a rule with the types of their values; None for an unknown type.

    Raises `ValueError` for an invalid rule; the error says what is wrong.
    """
    if "//" in rule:
        raise ValueError("it holds two slashes in a row")
    if "<" not in rule and rule.startswith("/"):
        return {}
    parsed = _ParsedRule(rule)
    try:
        parsed.bind(_CONVERTERS)
    # Werkzeug raises LookupError for an unknown converter, and TypeError for its arguments.
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(str(error)) from error
    return {
        name: _VALUE_TYPES.get(type(converter))
        for name, converter in parsed.variable_converters.items()
    }


def converters_of(rule: str) -> Mapping[str, BaseConverter]:
    """List the variables of a valid rule with their converters."""
    parsed = _ParsedRule(rule)
    new_map([parsed])
    return parsed.variable_converters


@dataclass(frozen=True)
class Variables:
    """The variables that all given rules have, and the names of those that only some rules have."""

    common: Mapping[str, type | None]
    others: AbstractSet[str]


def common_variables(rules: Iterable[str]) -> Variables:
    """Return the variables that all rules have, and the names that only some have.

    An invalid rule does not count.
    """
    found = list(_variables_of_each(rules))
    common = set.intersection(*found) if found else set()
    names = {name for variables in found for name, _ in variables}
    return Variables(dict(common), names - {name for name, _ in common})


def path_key(rule: str) -> str:
    """Return the same key for two rules that match the same paths.

    The names of variables and a slash at the end do not count.
    """
    key = rule.removesuffix("/")
    return _VARIABLE.sub(lambda found: f"<{found[1] or 'string'}>", key) if "<" in key else key


def new_map(rules: Iterable[Rule]) -> Map:
    return Map(
        rules,
        strict_slashes=False,
        merge_slashes=False,
        redirect_defaults=False,
        converters={"any": _EscapedAny, "float": _FiniteFloat},
    )


def _route(controller: type, member: Member, verb: Verb) -> Route:
    return Route(
        method=verb.method,
        rule=_join(str(tag_of(controller, CONTROLLER) or ""), verb.path),
        status=verb.status,
        controller=controller,
        name=member.name,
        function=member.function,
        where=_where(controller, member),
    )


def _where(controller: type, member: Member) -> str:
    """Return where a handler is written; also name the handler if its function has another name."""
    name = getattr(unwrapped(member.function), "__qualname__", "")
    place = location(member.function)
    if name.rpartition(".")[2] == member.name:
        return place
    return f"{controller.__name__}.{member.name}, replaced by {place}"


def _join(prefix: str, path: str) -> str:
    """Join the paths of a controller and of a handler, without a slash at the end."""
    if not path:
        path = "/"
    joined = prefix.removesuffix("/") + "/" + path.removeprefix("/")
    joined = "/" + joined.removeprefix("/")
    # Two slashes are a mistake, which `path_variables` reports.
    return joined if joined.endswith("//") else joined.removesuffix("/") or "/"


def _foreign_variables(route: Route) -> Iterator[Mistake]:
    """Yield mistakes for variables that are written as in other frameworks: `{id}` and `:id`.

    Here `{id}` and `:id` are plain text, and the parameter `id` would be read from the query. `:id`
    is a mistake only if the handler has a parameter of that name.
    """
    if not _MAY_BE_FOREIGN.search(route.rule):
        return
    plain = _ANY_VARIABLE.sub("", route.rule)
    for found in _BRACES.finditer(plain):
        yield _plain_text(route, found[0], found[1], found[2])
    for segment in plain.split("/"):
        name = segment.removeprefix(":")
        if name != segment and name in signature_of(route.function).parameters:
            yield _plain_text(route, segment, name, "")
        if segment.startswith("*"):
            yield _plain_text(route, segment, segment.strip("*") or "rest", "path")
    if "(?" in plain or plain.endswith("$"):
        yield Mistake(
            f"the path {route.rule!r} is a regular expression, and a path here is a plain text with"
            " variables",
            "Write a path such as '/items/<int:item_id>'; converters are string, int, float, uuid,"
            " path and any.",
        )
        return
    for mark in (mark for mark in "?#" if mark in plain):
        yield Mistake(
            f"the path {route.rule!r} holds {mark!r}, and no path of a request has this character",
            "Write only the path. To read the query, use a parameter such as page: int.",
        )


def _plain_text(route: Route, written: str, name: str, converter: str) -> Mistake:
    right = f"<{converter}:{name}>" if converter else f"<{name}>, or <int:{name}> for a number"
    return Mistake(
        f"the path {route.rule!r} holds {written!r}, which is plain text and not a variable",
        f"Write {right}.",
    )


def _variables_of_each(rules: Iterable[str]) -> Iterator[set[tuple[str, type | None]]]:
    for rule in rules:
        try:
            yield set(path_variables(rule).items())
        # The mistake is reported where the route is read.
        except ValueError:
            continue


class _EscapedAny(AnyConverter):
    """Escape the value of an `any` variable in a URL, as all other converters do."""

    def to_url(self, value: Any) -> str:
        return BaseConverter.to_url(self, super().to_url(value))


class _FiniteFloat(FloatConverter):
    """Refuse a number with so many digits that the float is infinite."""

    def to_python(self, value: str) -> float:
        number: float = super().to_python(value)
        if math.isinf(number):
            raise ValidationError
        return number


class LateRule(Rule):
    """A rule that compiles its URL builders only when its first URL is built.

    Most rules never build a URL, and compiling the builders is the slowest step in making a rule.
    """

    def _parse_rule(self, rule: str) -> Iterable[RulePart]:
        return only_short(super()._parse_rule(rule))

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        kind = type(self)
        return kind._first_url_with_query if append_unknown else kind._first_url

    def _first_url(self, **values: object) -> tuple[str, str]:
        self._build = super()._compile_builder(append_unknown=False).__get__(self)
        return self._build(**values)

    def _first_url_with_query(self, **values: object) -> tuple[str, str]:
        self._build_unknown = super()._compile_builder(append_unknown=True).__get__(self)
        return self._build_unknown(**values)


class _ParsedRule(Rule):
    """A rule that only remembers the converters of its variables, and never builds a URL."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.variable_converters: dict[str, BaseConverter] = {}

    # A static method is not bound to the rule, so no reference leads from the rule to itself.
    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        return staticmethod(_no_url)

    def get_converter(
        self,
        variable_name: str,
        converter_name: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> BaseConverter:
        if variable_name in self.variable_converters:
            raise ValueError(f"the variable {variable_name!r} is in it twice")
        converter = super().get_converter(variable_name, converter_name, args, kwargs)
        self.variable_converters[variable_name] = converter
        return converter


def _no_url(**values: object) -> tuple[str, str]:
    raise NotImplementedError("this rule was only read for its variables")


# A `Map` without rules, which only provides the converters: reading a rule does not add it.
_CONVERTERS = new_map([])

_VALUE_TYPES: dict[type, type] = {
    UnicodeConverter: str,
    PathConverter: str,
    _EscapedAny: str,
    IntegerConverter: int,
    _FiniteFloat: float,
    UUIDConverter: UUID,
}
