"""Method and path → handler, on Werkzeug's `Map`.

The `Map` defines what matches and how URLs are built. In front of it, made at start-up, stand a
dictionary of the paths without variables, and a tree of the rules whose variables fill a segment
each. Both give the `Map`'s own answer; where the tree cannot know it, the `Map` is asked.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import unquote_to_bytes
from uuid import UUID

from werkzeug.exceptions import BadRequest, MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter, BuildError, Map, Rule
from werkzeug.routing.converters import (
    AnyConverter,
    FloatConverter,
    IntegerConverter,
    PathConverter,
    UnicodeConverter,
    UUIDConverter,
    ValidationError,
)

from framework.matching import Found, Tree, Undecided

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

H = TypeVar("H")

# How many names an error suggests.
_MOST_NAMES = 5


@dataclass(frozen=True)
class Entry(Generic[H]):
    """Say which handler answers one method under one rule; `endpoint` names it in URL building."""

    method: str
    rule: str
    endpoint: str
    handler: H


class UnqualifiedEndpointError(BuildError):
    """Tell that the name of a handler lacks the name of its controller, or of its module."""

    def __init__(self, error: BuildError, names: list[str]) -> None:
        super().__init__(error.endpoint, error.values, error.method, error.adapter)
        self._names = names

    def __str__(self) -> str:
        meant = " or ".join(map(repr, self._names[:_MOST_NAMES]))
        return f"no handler is called {self.endpoint!r}: write {meant}"


class Router(Generic[H]):
    """Find the handler of a request, and build the URL of a handler."""

    def __init__(self, entries: Iterable[Entry[H]]) -> None:
        rules = [_EntryRule(entry) for entry in entries]
        self._methods = {rule.entry.method for rule in rules}
        self._map = _new_map(rules)
        self._adapter = self._map.bind("")
        self._tree: Tree[H] = Tree()
        for rule in rules:
            if "<" in rule.rule:
                self._tree.add(rule.rule, rule.entry.method, rule.entry.handler)
        self._tree.finish()
        self._exact = self._answers(rule.rule for rule in rules if "<" not in rule.rule)

    def find(self, method: str, path: str) -> Found[H]:
        """Find the handler and the path values of a request.

        Raises `MethodNotAllowed`, which names the methods that the path has, or `NotFound`.
        """
        answers = self._exact.get(path)
        found = self._answer(method, path) if answers is None else answers.get(method)
        if found is None:
            raise self._refusal(path)
        return found

    def ask_map(self, method: str, path: str) -> Found[H] | None:
        """Ask the `Map`, whose answer is right by definition, but for what it does with slashes."""
        # It would add a missing slash in front of a path, and drop a second one.
        if path[:1] != "/" or path[:2] == "//":
            return None
        try:
            rule, values = self._adapter.match(path, method, return_rule=True)
        except (NotFound, MethodNotAllowed):
            return None
        # It would also ignore a second one behind the path of a rule that ends in a slash.
        if path.endswith("//") and rule.rule.endswith("/"):
            return None
        return rule.entry.handler, dict(values)  # type: ignore[attr-defined]

    def url(
        self,
        endpoint: str,
        values: Mapping[str, object],
        environ: "WSGIEnvironment | None" = None,
        *,
        external: bool = False,
    ) -> str:
        """Build a URL: below the mount point, and with the host, of the request if one is given."""
        adapter = self._adapter if environ is None else self._map.bind_to_environ(environ)
        if external and not adapter.server_name:
            raise BadRequest("The Host header names no host.")
        try:
            return adapter.build(endpoint, values, force_external=external)
        except BuildError as error:
            names = sorted({each.endpoint for each in self._map.iter_rules()})
            alike = [each for each in names if each.endswith(f".{endpoint}")]
            if not alike:
                raise
            raise UnqualifiedEndpointError(error, alike) from error

    def _answers(self, rules: Iterable[str]) -> dict[str, dict[str, Found[H]]]:
        """Ask the `Map` about every path that a rule without variables matches."""
        answers = {}
        for path in {path for rule in rules for path in (rule, _other_slash(rule))}:
            found = {method: self.ask_map(method, path) for method in self._methods}
            answers[path] = {method: answer for method, answer in found.items() if answer}
        return answers

    def _answer(self, method: str, path: str) -> Found[H] | None:
        answers = self._exact.get(path)
        if answers is not None:
            return answers.get(method)
        if path[:1] != "/":
            return None
        try:
            return self._tree.search(path[1:].split("/"), 0, (), method)
        # ValueError: an int of more digits than Python converts.
        except (Undecided, ValueError):
            return self.ask_map(method, path)

    def _refusal(self, path: str) -> NotFound | MethodNotAllowed:
        allowed = {method for method in self._methods if self._answer(method, path)}
        if not allowed:
            return NotFound()
        return MethodNotAllowed(valid_methods=sorted(allowed | {"OPTIONS"}))


def request_path(environ: "WSGIEnvironment") -> str:
    """Read the decoded path of a request.

    Raises `BadRequest` if it is not UTF-8, `NotFound` if it holds an encoded slash: a server
    decodes it like the others, and `/a%2Fb` would reach the handler of `/a/b`.
    """
    path: str = environ.get("PATH_INFO") or "/"
    target = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    if target and "%" in target:
        _check_escapes(target.partition("?")[0])
    return path if path.isascii() else _decode(path)


# A handler asks for its rule, and so do the exception handlers that may answer in its place.
@lru_cache(maxsize=4096)
def path_variables(rule: str) -> Mapping[str, type | None]:
    """List the variables of a rule with the type of their values, None where it is not known.

    Raises `ValueError`, which says what is wrong, for a rule that cannot be.
    """
    if "//" in rule:
        raise ValueError("it holds two slashes in a row")
    parsed = _ParsedRule(rule)
    try:
        _new_map([parsed])
    # Werkzeug raises LookupError for an unknown converter, TypeError for its arguments,
    # and SyntaxError for a variable that is there twice.
    except (LookupError, SyntaxError, TypeError, ValueError) as error:
        raise ValueError(str(error)) from error
    return {
        name: _VALUE_TYPES.get(type(converter))
        for name, converter in parsed.variable_converters.items()
    }


@dataclass(frozen=True)
class Variables:
    """Part the variables of several rules: those that all of them have, with their types."""

    common: Mapping[str, type | None]
    others: AbstractSet[str]


def common_variables(rules: Iterable[str]) -> Variables:
    """Find the variables that all rules have; a rule that cannot be has no say."""
    found = list(_variables_of_each(rules))
    common = set.intersection(*found) if found else set()
    names = {name for each in found for name, _ in each}
    return Variables(dict(common), names - {name for name, _ in common})


def path_key(rule: str) -> str:
    """Make equal for two rules that match the same paths: names and a last slash do not count."""
    return _VARIABLE.sub(lambda found: f"<{found[1] or 'string'}>", rule.removesuffix("/"))


def _variables_of_each(rules: Iterable[str]) -> Iterator[set[tuple[str, type | None]]]:
    for rule in rules:
        try:
            yield set(path_variables(rule).items())
        # What is wrong is reported where the route is read.
        except ValueError:
            continue


class _EntryRule(Rule):
    """Belong to one entry, and to its method alone: Werkzeug would add HEAD to GET."""

    def __init__(self, entry: Entry[Any]) -> None:
        super().__init__(entry.rule, endpoint=entry.endpoint)
        self.entry = entry
        self.methods = {entry.method}


class _FiniteFloat(FloatConverter):
    """Refuse a number of so many digits that it is infinite."""

    def to_python(self, value: str) -> float:
        number: float = super().to_python(value)
        if math.isinf(number):
            raise ValidationError
        return number


class _ParsedRule(Rule):
    """Remember the converters of its variables."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.variable_converters: dict[str, BaseConverter] = {}

    def get_converter(
        self,
        variable_name: str,
        converter_name: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> BaseConverter:
        converter = super().get_converter(variable_name, converter_name, args, kwargs)
        self.variable_converters[variable_name] = converter
        return converter


def _new_map(rules: Iterable[Rule]) -> Map:
    return Map(
        rules,
        strict_slashes=False,
        merge_slashes=False,
        redirect_defaults=False,
        converters={"float": _FiniteFloat},
    )


def _other_slash(path: str) -> str:
    return path.removesuffix("/") or path if path.endswith("/") else path + "/"


def _check_escapes(path: str) -> None:
    """Check the path as the client wrote it: some servers put U+FFFD for what is no UTF-8."""
    if "%2f" in path.lower():
        raise NotFound("An encoded slash (%2F) is not allowed in a path.")
    _decode(unquote_to_bytes(path).decode("latin-1"))


def _decode(path: str) -> str:
    try:
        return path.encode("latin-1").decode()
    except UnicodeError as error:
        raise BadRequest("The path is not UTF-8.") from error


# A variable in a rule, and its converter with the arguments.
_VARIABLE = re.compile(r"<(?:([^<>:]+):)?[a-zA-Z_][a-zA-Z0-9_]*>")
_VALUE_TYPES: dict[type, type] = {
    UnicodeConverter: str,
    PathConverter: str,
    AnyConverter: str,
    IntegerConverter: int,
    _FiniteFloat: float,
    UUIDConverter: UUID,
}
