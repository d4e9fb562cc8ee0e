"""Routing: the handler of a method and a path, HEAD, OPTIONS, 405 and `Allow`, and URLs.

Werkzeug's `Map` defines which rule matches and how URLs are built. For speed, start-up also makes a
dictionary of the paths without variables, and a tree of the rules whose variables each fill a whole
segment. Both give the same answer as the `Map`. If the tree cannot decide, the `Map` decides.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar, cast
from urllib.parse import unquote_to_bytes

from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Rule

from framework.http.matching import Found, Tree, Undecided
from framework.http.routes import LateRule, new_map, path_key
from framework.http.urls import URLs, placed

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

H = TypeVar("H")


class Entry(NamedTuple, Generic[H]):
    """The handler of one method and rule; a URL is built from the handler's name, `endpoint`."""

    method: str
    rule: str
    endpoint: str
    handler: H


def answering_head(entries: Iterable[Entry[H]]) -> Iterator[Entry[H]]:
    """Yield the handlers; on a path without a handler of HEAD, the handler of GET answers HEAD."""
    found = list(entries)
    heads = {path_key(entry.rule) for entry in found if entry.method == "HEAD"}
    for entry in found:
        yield entry
        if entry.method == "GET" and path_key(entry.rule) not in heads:
            yield entry._replace(method="HEAD")


def is_automatic_options(method: str, refusal: HTTPException) -> bool:
    """Return whether a request is OPTIONS for a path without a handler for OPTIONS.

    The answer is 204 with the methods of the path.
    """
    return method == "OPTIONS" and isinstance(refusal, MethodNotAllowed)


def allowed_methods(refusal: HTTPException) -> list[str]:
    """Return the methods of a path, sorted, for the header `Allow`."""
    methods = refusal.valid_methods if isinstance(refusal, MethodNotAllowed) else ()
    return sorted(methods or ())


class Router(Generic[H]):
    """Find the handler of a request, and build the URL of a handler."""

    def __init__(self, entries: Iterable[Entry[H]]) -> None:
        found = list(entries)
        self._handlers = [entry.handler for entry in found]
        self._table = _table_of(
            tuple((entry.method, entry.rule, entry.endpoint) for entry in found)
        )
        # The tree and the dictionary hold the handlers, so a request needs no second look-up.
        self._tree: Tree[H] = self._table.tree.filled(self._handlers)
        self._exact = {
            path: {method: self._filled(answer) for method, answer in answers.items()}
            for path, answers in self._table.exact.items()
        }
        self._urls = URLs(self._table.adapter, self.find, self._handler_of)

    def find(self, method: str, path: str) -> Found[H]:
        """Find the handler and the path values of a request.

        Raises `MethodNotAllowed`, which names the methods of the path, or `NotFound`.
        """
        answers = self._exact.get(path)
        found = self._answer(method, path) if answers is None else answers.get(method)
        if found is None:
            raise self._refusal(path)
        return found

    def methods_of(self, path: str) -> list[str]:
        """List the methods of a path, with OPTIONS; an unknown path has an empty list."""
        return allowed_methods(self._refusal(path))

    def ask_map(self, method: str, path: str) -> Found[H] | None:
        """Return what Werkzeug's `Map` finds for a request; None if it finds nothing.

        The result is also None if the `Map` would change the slashes of the path.
        """
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
        """Build a URL; the environ of a request gives the mount point and the host.

        Raises `BuildError` if `endpoint` names no handler or if a variable has no value, and
        `ValueError` if the URL cannot hold a value.
        """
        url = self._urls.build(endpoint, values)
        return url if environ is None else placed(url, environ, external=external)

    def _handler_of(self, rule: Rule, method: str) -> H:
        return self._handlers[cast(_EntryRule, rule).numbers[method]]

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
        # ValueError: the path has an int with more digits than Python converts.
        except (Undecided, ValueError):
            return self.ask_map(method, path)

    def _refusal(self, path: str) -> NotFound | MethodNotAllowed:
        allowed = {method for method in self._table.methods if self._answer(method, path)}
        if not allowed:
            return NotFound()
        return MethodNotAllowed(valid_methods=sorted(allowed | {"OPTIONS"}))


def request_path(environ: "WSGIEnvironment") -> str:
    """Read the decoded path of a request.

    Raises `BadRequest` if the path is not UTF-8, and `NotFound` if the path has an encoded slash: a
    server decodes the slash, too, so `/a%2Fb` would reach the handler of `/a/b`.
    """
    path: str = environ.get("PATH_INFO") or "/"
    target = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    if target and "%" in target:
        _check_escapes(target.partition("?")[0])
    return path if path.isascii() else _decode(path)


class _Table:
    """The rules of an application; each entry has a number, which stands for its handler."""

    def __init__(self, entries: Sequence[tuple[str, str, str]]) -> None:
        rules: dict[tuple[str, str], _EntryRule] = {}
        for number, (method, rule, endpoint) in enumerate(entries):
            if (rule, endpoint) not in rules:
                rules[rule, endpoint] = _EntryRule(rule, endpoint)
            rules[rule, endpoint].add(method, number)
        self.methods = {method for method, _, _ in entries}
        self.map = new_map(rules.values())
        self.adapter = self.map.bind("")
        self.tree: Tree[int] = Tree()
        for number, (method, rule, _) in enumerate(entries):
            if "<" in rule:
                self.tree.add(rule, method, number)
        self.tree.finish()
        self.exact = self._answers(entries)

    def ask_map(self, method: str, path: str) -> Found[int] | None:
        """Return what Werkzeug's `Map` finds for a request; None if it finds nothing.

        The result is also None if the `Map` would change the slashes of the path.
        """
        # The `Map` would add a missing slash at the start of a path, and drop a second slash.
        if path[:1] != "/" or path[:2] == "//":
            return None
        try:
            rule, values = self.adapter.match(path, method, return_rule=True)
        except (NotFound, MethodNotAllowed):
            return None
        # The `Map` would also ignore a second slash at the end, for a rule that ends in a slash.
        if path.endswith("//") and rule.rule.endswith("/"):
            return None
        return cast(_EntryRule, rule).numbers[method], dict(values)

    def _answers(self, entries: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, Found[int]]]:
        """Return the answers for every path that a rule without variables matches."""
        answers: dict[str, dict[str, Found[int]]] = {}
        for number, (method, rule, _) in enumerate(entries):
            if "<" not in rule:
                for path in (rule, _other_slash(rule)):
                    answers.setdefault(path, {}).setdefault(method, (number, {}))
        # A rule with variables may match the path for another method.
        for path, found in answers.items():
            for method in self.methods - found.keys():
                answer = self._answer_with_variables(path, method)
                if answer is not None:
                    found[method] = answer
        return answers

    def _answer_with_variables(self, path: str, method: str) -> Found[int] | None:
        try:
            return self.tree.search(path[1:].split("/"), 0, (), method)
        except (Undecided, ValueError):
            return self.ask_map(method, path)


# The tests of an application build the same table again and again, so the table is cached.
@lru_cache(maxsize=16)
def _table_of(entries: tuple[tuple[str, str, str], ...]) -> _Table:
    return _Table(entries)


class _EntryRule(LateRule):
    """A rule that has exactly the methods that `add` gets; Werkzeug would add HEAD to GET."""

    def __init__(self, rule: str, endpoint: str) -> None:
        super().__init__(rule, endpoint=endpoint)
        # The number of the entry of each method.
        self.numbers: dict[str, int] = {}

    def add(self, method: str, number: int) -> None:
        # The constructor of the base would add HEAD, so the set is filled here.
        self.methods = self.methods or set()
        self.methods.add(method)
        self.numbers[method] = number


def _other_slash(path: str) -> str:
    return path.removesuffix("/") or path if path.endswith("/") else path + "/"


def _check_escapes(path: str) -> None:
    """Refuse an encoded slash, and bytes that are not UTF-8, in the path as the client wrote it.

    Some servers replace bytes that are not UTF-8 with U+FFFD in the decoded path.
    """
    if "%2f" in path.lower():
        raise NotFound("An encoded slash (%2F) is not allowed in a path.")
    _decode(unquote_to_bytes(path).decode("latin-1"))


def _decode(path: str) -> str:
    try:
        return path.encode("latin-1").decode()
    except UnicodeError as error:
        raise BadRequest("The path is not UTF-8.") from error
