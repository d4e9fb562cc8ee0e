"""The rules that a path nearly matches, and where the path differs from each rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from werkzeug.exceptions import NotFound

from framework.http.routes import Route
from framework.http.routing import Entry, Router

_MOST = 3
_LEAST_RATIO = 0.6


@dataclass(frozen=True)
class NearMiss:
    """A rule, and why the rule does not match."""

    method: str
    rule: str
    handler: str
    why: str


def near_misses(path: str, routes: Iterable[Route]) -> list[NearMiss]:
    """Find the rules most similar to a path that no rule matches, the most similar rule first."""
    rated = [(_likeness(path, route.rule), route) for route in routes]
    near = [pair for pair in rated if pair[0] >= _LEAST_RATIO]
    near.sort(key=lambda pair: (-pair[0], pair[1].rule, pair[1].method))
    return [
        NearMiss(route.method, route.rule, route.where, _difference(path, route.rule))
        for _, route in near[:_MOST]
    ]


def _likeness(path: str, rule: str) -> float:
    """Return how similar a path and a rule are, from 0 to 1; a variable equals any segment."""
    given = _segments(path)
    filled = [
        given[at] if "<" in part and at < len(given) else part
        for at, part in enumerate(_segments(rule))
    ]
    return SequenceMatcher(None, "/".join(given), "/".join(filled)).ratio()


def _difference(path: str, rule: str) -> str:
    for segment, part in zip_longest(_segments(path), _segments(rule)):
        if part is None:
            return f"the rule has no segment for {segment!r}"
        if segment is None:
            return f"{part!r} is missing"
        if not _fits(segment, part):
            verb = "does not fit" if "<" in part else "is not"
            return f"{segment!r} {verb} {part!r}"
    return "the slashes differ"


def _fits(segment: str, part: str) -> bool:
    if "<" not in part:
        return segment == part
    try:
        Router([Entry("GET", f"/{part}", "part", None)]).find("GET", f"/{segment}")
    except NotFound:
        return False
    return True


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")
