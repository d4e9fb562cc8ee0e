"""The URL of a handler: a path that leads back to the handler, with the same values."""

import re
import reprlib
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import quote, unquote

from werkzeug.exceptions import BadRequest, MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter, BuildError, MapAdapter, Rule
from werkzeug.wsgi import get_host

from framework.http.matching import Found
from framework.http.routes import converters_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

H = TypeVar("H")

# The number of names that an error suggests at most.
_MOST_NAMES = 5
# Browsers remove these segments from a path, and the segment before "..".
_DOTS = {".", ".."}
# The characters that a mount point may have in a URL; "%" begins an escape that a proxy wrote.
_PLAIN = "!$&'()*+,/:;=@%"


class UnqualifiedEndpointError(BuildError):
    """The name of a handler must begin with the name of its controller, or of its module."""

    def __init__(self, error: BuildError, names: list[str]) -> None:
        super().__init__(error.endpoint, error.values, error.method, error.adapter)
        self._names = names

    def __str__(self) -> str:
        meant = " or ".join(map(repr, self._names[:_MOST_NAMES]))
        return f"no handler is called {self.endpoint!r}. Fix: write {meant}"


class URLs(Generic[H]):
    """Build the URLs of handlers.

    `find` returns the handler of a method and a path, and `handler_of` returns the handler of a
    rule and a method.
    """

    def __init__(
        self,
        adapter: MapAdapter,
        find: Callable[[str, str], Found[H]],
        handler_of: Callable[[Rule, str], H],
    ) -> None:
        self._adapter = adapter
        self._rules = adapter.map
        self._find = find
        self._handler_of = handler_of

    def build(self, endpoint: str, values: Mapping[str, object]) -> str:
        """Build the path and the query.

        Raises `BuildError` if `endpoint` names no handler or if a variable has no value, and
        `ValueError` if the URL cannot hold a value.
        """
        given = {name: _plain(value) for name, value in values.items() if value is not None}
        faults = []
        for rule in self._rules_for(endpoint, given):
            url = _filled(rule, given)
            if url is not None and self._leads_back(rule, url, given):
                return url
            faults.append(_fault(rule, given))
        if faults:
            raise ValueError(faults[0])
        raise self._unknown(endpoint, values)

    def _rules_for(self, endpoint: str, given: Mapping[str, object]) -> Iterator[Rule]:
        """Yield the rules whose variables all have a value, the rules of GET first."""
        try:
            rules = list(self._rules.iter_rules(endpoint))
        # There is no handler of this name.
        except KeyError:
            return
        rules.sort(key=lambda rule: "GET" not in (rule.methods or ()))
        yield from (rule for rule in rules if rule.suitable_for(given))

    def _leads_back(self, rule: Rule, url: str, given: Mapping[str, object]) -> bool:
        if not rule.arguments:
            return True
        path = unquote(url.partition("?")[0])
        if not _DOTS.isdisjoint(path.split("/")):
            return False
        methods = rule.methods or {"GET"}
        method = "GET" if "GET" in methods else min(methods)
        try:
            handler, read = self._find(method, path)
        except (NotFound, MethodNotAllowed):
            return False
        return handler is self._handler_of(rule, method) and all(
            name in read and _is_same(read[name], given[name]) for name in rule.arguments
        )

    def _unknown(self, endpoint: str, values: Mapping[str, object]) -> BuildError:
        """Return the error for an unknown handler, or for a variable without a value."""
        error = BuildError(endpoint, values, None, self._adapter)
        names = sorted({rule.endpoint for rule in self._rules.iter_rules()})
        alike = [name for name in names if name.endswith(f".{endpoint}")]
        return UnqualifiedEndpointError(error, alike) if alike else error


def placed(url: str, environ: "WSGIEnvironment", *, external: bool) -> str:
    """Return a URL below the mount point of a request; `external` adds the scheme and the host."""
    mount = environ.get("SCRIPT_NAME", "").strip("/")
    if mount:
        url = f"/{quote(mount.encode('latin-1'), safe=_PLAIN)}{url}"
    if not external:
        return url
    host = get_host(environ).lower()
    if not host:
        raise BadRequest("The Host header names no host.")
    scheme = "https" if environ["wsgi.url_scheme"] in ("https", "wss") else "http"
    return f"{scheme}://{host}{url}"


def _plain(value: object) -> object:
    """Return the value of an Enum member; return any other object unchanged."""
    return value.value if isinstance(value, Enum) else value


def _filled(rule: Rule, given: Mapping[str, object]) -> str | None:
    """Return a URL, or None if the rule cannot hold the values.

    The values of path variables are in the path. All other values are in the query.
    """
    try:
        built = rule.build(given)
    # A converter cannot make a text of the value.
    except (TypeError, ValueError, OverflowError):
        return None
    return None if built is None else built[1]


def _fault(rule: Rule, given: Mapping[str, object]) -> str:
    """Return an error text that says why the URL of a rule cannot have the given values."""
    converters = converters_of(rule.rule)
    shown = ", ".join(f"{name}={reprlib.repr(value)}" for name, value in given.items())
    for name, converter in converters.items():
        if not _reads_back(converter, given[name]):
            return (
                f"url_for({rule.endpoint!r}, {shown}): the path {rule.rule!r} does not read"
                f" {reprlib.repr(given[name])} as its variable {name!r}. Fix: give {name} another"
                " value, or change the converter: <path:...> reads a text with slashes."
            )
    for name in given.keys() - converters.keys():
        if _has_half_a_character(given[name]):
            return (
                f"url_for({rule.endpoint!r}, {shown}): the query cannot contain"
                f" {reprlib.repr(given[name])}, the value of {name!r}, because a surrogate in"
                " this value is not a character. Fix: leave surrogates out of the value."
            )
    return (
        f"url_for({rule.endpoint!r}, {shown}): the path {rule.rule!r} with these values does not"
        f" lead to {rule.endpoint}: another handler or no handler answers, or a browser changes"
        " the path. Fix: give other values, or pass the value in the query."
    )


def _has_half_a_character(value: object) -> bool:
    try:
        str(value).encode()
    except UnicodeEncodeError:
        return True
    return False


def _reads_back(converter: BaseConverter, value: object) -> bool:
    """Return whether a converter can write a value as text, and read the same value back."""
    try:
        text = unquote(converter.to_url(value))
        if not re.fullmatch(converter.regex, text) or not _DOTS.isdisjoint(text.split("/")):
            return False
        return _is_same(converter.to_python(text), value)
    except (TypeError, ValueError, OverflowError):
        return False


def _is_same(read: object, given: object) -> bool:
    """Return whether the value that was read from the URL is the given value.

    If the value that was read is not a text, any given text counts as the same, because one value
    can have several texts, such as `7` and `007`.
    """
    return (
        read == given
        or str(read) == str(given)
        or (isinstance(given, str) and not isinstance(read, str))
    )
