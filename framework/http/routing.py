"""Method and path → handler; HEAD, OPTIONS, 405 and `Allow`; the URL of a handler.

The `Map` defines what matches and how URLs are built. In front of it, made at start-up, stand a
dictionary of the paths without variables, and a tree of the rules whose variables fill a segment
each. Both give the `Map`'s own answer; where the tree cannot know it, the `Map` is asked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar, cast
from urllib.parse import unquote_to_bytes

from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import BuildError, Rule

from framework.http.matching import Found, Tree, Undecided
from framework.http.routes import new_map, path_key

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


def answering_head(entries: Iterable[Entry[H]]) -> Iterator[Entry[H]]:
    """Let GET's handler answer HEAD, too, where no handler of that path has HEAD."""
    found = list(entries)
    heads = {path_key(entry.rule) for entry in found if entry.method == "HEAD"}
    for entry in found:
        yield entry
        if entry.method == "GET" and path_key(entry.rule) not in heads:
            yield replace(entry, method="HEAD")


def is_automatic_options(method: str, refusal: HTTPException) -> bool:
    """Return whether OPTIONS gets 204 with the methods of a path that has no handler for it."""
    return method == "OPTIONS" and isinstance(refusal, MethodNotAllowed)


def allowed_methods(refusal: HTTPException) -> list[str]:
    """Return the methods of the path, sorted, as `Allow` writes them."""
    methods = refusal.valid_methods if isinstance(refusal, MethodNotAllowed) else ()
    return sorted(methods or ())


class UnqualifiedEndpointError(BuildError):
    """Say that the name of a handler lacks the name of its controller, or of its module."""

    def __init__(self, error: BuildError, names: list[str]) -> None:
        super().__init__(error.endpoint, error.values, error.method, error.adapter)
        self._names = names

    def __str__(self) -> str:
        meant = " or ".join(map(repr, self._names[:_MOST_NAMES]))
        return f"no handler is called {self.endpoint!r}: write {meant}"


class Router(Generic[H]):
    """Find the handler of a request, and build the URL of a handler."""

    def __init__(self, entries: Iterable[Entry[H]]) -> None:
        found = list(entries)
        self._handlers = [entry.handler for entry in found]
        self._table = _table_of(
            tuple((candidate.method, candidate.rule, candidate.endpoint) for candidate in found)
        )
        # Both hold the handlers themselves, so that a request looks nothing up twice.
        self._tree: Tree[H] = self._table.tree.filled(self._handlers)
        self._exact = {
            path: {method: self._filled(answer) for method, answer in answers.items()}
            for path, answers in self._table.exact.items()
        }

    def find(self, method: str, path: str) -> Found[H]:
        """Find the handler and the path values of a request.

        Raises `MethodNotAllowed`, which names the methods that the path has, or `NotFound`.
        """
        answers = self._exact.get(path)
        found = self._answer(method, path) if answers is None else answers.get(method)
        if found is None:
            raise self._refusal(path)
        return found

    def methods_of(self, path: str) -> list[str]:
        """List the methods that a path has, with OPTIONS; nothing for a path that no rule has."""
        return allowed_methods(self._refusal(path))

    def ask_map(self, method: str, path: str) -> Found[H] | None:
        """Ask the `Map`, whose answer is right by definition, but for what it does with slashes."""
        found = self._table.ask_map(method, path)
        return None if found is None else self._filled(found)

    def url(
        self,
        endpoint: str,
        values: Mapping[str, object],
        environ: "WSGIEnvironment | None" = None,
        *,
        external: bool = False,
    ) -> str:
        """Build a URL: below the mount point, and with the host, of the request if one is given."""
        adapter = (
            self._table.adapter if environ is None else self._table.map.bind_to_environ(environ)
        )
        if external and not adapter.server_name:
            raise BadRequest("The Host header names no host.")
        try:
            return adapter.build(endpoint, values, force_external=external)
        except BuildError as error:
            names = sorted({rule.endpoint for rule in self._table.map.iter_rules()})
            alike = [name for name in names if name.endswith(f".{endpoint}")]
            if not alike:
                raise
            raise UnqualifiedEndpointError(error, alike) from error

    def _filled(self, found: Found[int]) -> Found[H]:
        return self._handlers[found[0]], found[1]

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
        allowed = {method for method in self._table.methods if self._answer(method, path)}
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


class _Table:
    """Hold the rules of an application; the numbers of its entries stand for the handlers."""

    def __init__(self, entries: Sequence[tuple[str, str, str]]) -> None:
        rules = [_EntryRule(number, *entry) for number, entry in enumerate(entries)]
        self.methods = {method for method, _, _ in entries}
        self.map = new_map(rules)
        self.adapter = self.map.bind("")
        self.tree: Tree[int] = Tree()
        for number, (method, rule, _) in enumerate(entries):
            if "<" in rule:
                self.tree.add(rule, method, number)
        self.tree.finish()
        self.exact = self._answers(rule for _, rule, _ in entries if "<" not in rule)

    def ask_map(self, method: str, path: str) -> Found[int] | None:
        """Ask the `Map`, but for a path whose slashes it would change."""
        # It would add a missing slash in front of a path, and drop a second one.
        if path[:1] != "/" or path[:2] == "//":
            return None
        try:
            rule, values = self.adapter.match(path, method, return_rule=True)
        except (NotFound, MethodNotAllowed):
            return None
        # It would also ignore a second one behind the path of a rule that ends in a slash.
        if path.endswith("//") and rule.rule.endswith("/"):
            return None
        return cast(_EntryRule, rule).number, dict(values)

    def _answers(self, rules: Iterable[str]) -> dict[str, dict[str, Found[int]]]:
        """Ask the `Map` about every path that a rule without variables matches."""
        answers = {}
        for path in {path for rule in rules for path in (rule, _other_slash(rule))}:
            found = {method: self.ask_map(method, path) for method in self.methods}
            answers[path] = {method: answer for method, answer in found.items() if answer}
        return answers


# The same classes make the same table, in each test of an application.
@lru_cache(maxsize=16)
def _table_of(entries: tuple[tuple[str, str, str], ...]) -> _Table:
    return _Table(entries)


class _EntryRule(Rule):
    """Belong to one entry and one method: Werkzeug would add HEAD to GET."""

    def __init__(self, number: int, method: str, rule: str, endpoint: str) -> None:
        super().__init__(rule, endpoint=endpoint)
        self.number = number
        self.methods = {method}


def _other_slash(path: str) -> str:
    return path.removesuffix("/") or path if path.endswith("/") else path + "/"


def _check_escapes(path: str) -> None:
    """Check the path as the client wrote it: some servers put U+FFFD for wrong bytes."""
    if "%2f" in path.lower():
        raise NotFound("An encoded slash (%2F) is not allowed in a path.")
    _decode(unquote_to_bytes(path).decode("latin-1"))


def _decode(path: str) -> str:
    try:
        return path.encode("latin-1").decode()
    except UnicodeError as error:
        raise BadRequest("The path is not UTF-8.") from error
