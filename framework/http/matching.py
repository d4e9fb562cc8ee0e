"""A tree of path segments, which finds the handler of a path faster than Werkzeug's `Map`.

The tree gives the same answers as the `Map`.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, cast
from uuid import UUID

from werkzeug.routing.converters import IntegerConverter, UnicodeConverter, UUIDConverter

H = TypeVar("H")
T = TypeVar("T")
Found = tuple[H, dict[str, Any]]


class Undecided(Exception):
    """A `Tree` cannot find the handler, so Werkzeug's `Map` has to find it."""


class Tree(Generic[H]):
    """The paths with the same beginning, in the order in which the `Map` tries them."""

    __slots__ = ("dynamic", "forks", "handlers", "only", "opaque", "static")

    def __init__(self) -> None:
        self.static: dict[str, Tree[H]] = {}
        self.dynamic: list[tuple[str, Callable[[str], object], Tree[H]]] = []
        self.handlers: dict[str, tuple[H, tuple[str, ...]]] = {}
        # True if a rule has a next segment that the tree does not know.
        self.opaque = False
        # `forks`: whether the next segment may be a variable or unknown. `only`: the next variable,
        # if there is exactly one and nothing unknown.
        self.forks = False
        self.only: tuple[Callable[[str], object], Tree[H]] | None = None

    def add(self, rule: str, method: str, handler: H) -> None:
        """Add the segments of a rule; stop at a segment that only Werkzeug's `Map` can match."""
        node: Tree[H] = self
        names: list[str] = []
        for segment in rule.removesuffix("/").split("/")[1:]:
            variable = _VARIABLE_SEGMENT.fullmatch(segment)
            if variable:
                node = node._variable_child(variable["converter"] or "string")
                names.append(variable["name"])
            elif segment and "<" not in segment:
                node = node.static.setdefault(segment, Tree())
            else:
                node.opaque = True
                return
        node.handlers[method] = (handler, tuple(names))

    def finish(self) -> None:
        """Sort the variables as Werkzeug's `Map` does; also accept paths that end in a slash."""
        self.dynamic.sort(key=lambda child: _CONVERSIONS[child[0]].weight)
        for _, _, child in self.dynamic:
            child.finish()
        for child in self.static.values():
            child.finish()
        self.forks = self.opaque or bool(self.dynamic)
        if len(self.dynamic) == 1 and not self.opaque:
            self.only = self.dynamic[0][1:]
        # A rule that the tree does not know might match the empty segment after the slash first.
        if self.handlers and not self.opaque:
            self.static[""] = Tree()
            self.static[""].handlers = self.handlers

    def filled(self, handlers: Sequence[T]) -> "Tree[T]":
        """Return a copy of a finished tree; the copy has the handlers in place of their numbers."""
        tree: Tree[T] = Tree()
        tree.opaque, tree.forks = self.opaque, self.forks
        tree.handlers = {
            method: (handlers[cast(int, number)], names)
            for method, (number, names) in self.handlers.items()
        }
        tree.static = {segment: child.filled(handlers) for segment, child in self.static.items()}
        tree.dynamic = [
            (name, convert, child.filled(handlers)) for name, convert, child in self.dynamic
        ]
        if self.only is not None:
            tree.only = tree.dynamic[0][1:]
        return tree

    def search(
        self, segments: list[str], at: int, values: tuple[object, ...], method: str
    ) -> Found[H] | None:
        """Find the handler for the segments from `at` on; `values` come from earlier segments."""
        node = self
        for segment in segments[at:] if at else segments:
            child = node.static.get(segment)
            if child is None and node.only is not None:
                convert, child = node.only
                value = convert(segment)
                if value is None:
                    return None
                values = (*values, value)
            elif child is None or node.forks:
                return node._try_all(segments, at, values, method)
            node = child
            at += 1
        return node._end(values, method)

    def _end(self, values: tuple[object, ...], method: str) -> Found[H] | None:
        ending = self.handlers.get(method)
        if ending is None:
            return None
        handler, names = ending
        # Most rules have one variable, and this is the fastest way for one.
        if len(names) == 1:
            return handler, {names[0]: values[0]}
        return handler, dict(zip(names, values, strict=True))

    def _try_all(
        self, segments: list[str], at: int, values: tuple[object, ...], method: str
    ) -> Found[H] | None:
        """Try every child, in the order of the `Map`, until one leads to a handler."""
        child = self.static.get(segments[at])
        found = child and child.search(segments, at + 1, values, method)
        if found:
            return found
        if self.opaque:
            raise Undecided
        for _, convert, child in self.dynamic:
            value = convert(segments[at])
            if value is not None:
                found = child.search(segments, at + 1, (*values, value), method)
                if found:
                    return found
        return None

    def _variable_child(self, converter: str) -> "Tree[H]":
        for name, _, child in self.dynamic:
            if name == converter:
                return child
        child = Tree()
        self.dynamic.append((converter, _CONVERSIONS[converter].convert, child))
        return child


def _string(segment: str) -> str | None:
    return segment or None


def _int(segment: str) -> int | None:
    return int(segment) if segment.isdecimal() else None


def _uuid(segment: str) -> UUID | None:
    return UUID(segment) if _UUID.fullmatch(segment) else None


class _Conversion(NamedTuple):
    """Convert a whole segment as a converter of Werkzeug does."""

    weight: int
    convert: Callable[[str], object]


_CONVERSIONS = {
    "string": _Conversion(UnicodeConverter.weight, _string),
    "int": _Conversion(IntegerConverter.weight, _int),
    "uuid": _Conversion(UUIDConverter.weight, _uuid),
}
_VARIABLE_SEGMENT = re.compile(
    r"<(?:(?P<converter>string|int|uuid):)?(?P<name>[a-zA-Z_][a-zA-Z0-9_]*)>"
)
_UUID = re.compile(UUIDConverter.regex)
