"""Rules that match a long path too slowly: their variables can divide the path in many ways.

Any client can send a long path, and such a rule could take seconds to match the path. If the number
of ways grows with the square of the path's length, the rule matches only short paths. If the number
of ways grows faster, start-up refuses the rule.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from werkzeug.routing.rules import RulePart

from framework.report import Mistake

# The largest number of characters of a part of a path that two variables may divide.
LONGEST = 2000

# A variable that holds slashes.
_PATH_VARIABLE = re.compile(r"<path(?:\([^<>]*\))?:")
# A text of any length: `<a>`, `<string:a>`, `<string(minlength=2):a>`, `<path:a>`.
_TEXT = re.compile(r"<(?:(?:string|default|path)(?:\((?:minlength=)?\d*\))?:)?\w+>")
# A variable in the expression of a rule, and the expression of any character but a slash.
_GROUP = "(?P<__werkzeug_"
_NO_SLASH = "[^/]"
_IS_SHORT = rf"(?![\s\S]{{{LONGEST + 1}}})"


def slow_variables(rule: str) -> Iterator[Mistake]:
    """Yield a mistake for variables that make a rule slow."""
    # Nearly all rules have at most one variable, and start-up reads each rule.
    if rule.count("<") < 2:
        return
    if len(_PATH_VARIABLE.findall(rule)) > 1:
        yield Mistake(
            f"the path {rule!r} has more than one variable that may contain slashes, so matching"
            " a long path could take seconds",
            "Keep one <path:...>, and read the other value from the query, or from its own"
            " segment: <name>.",
        )
    elif many := [part for part in _parts(rule) if _divides_in_many_ways(part)]:
        yield Mistake(
            f"the segment {many[0]!r} of the path {rule!r} has three text variables with more"
            " text after them, so matching a long path could take seconds",
            "Give each variable its own segment, or limit the variables: <int:year>, or"
            " <string(maxlength=40):name>.",
        )


def only_short(parts: Iterable[RulePart]) -> Iterator[RulePart]:
    """Yield a rule's parts; a part with two variables in one segment matches only short paths."""
    for part in parts:
        yield replace(part, content=_IS_SHORT + part.content) if _is_divided(part.content) else part


def _is_divided(content: str) -> bool:
    """Return whether any segment of a rule's regular expression has two variables or more."""
    if content.count(_GROUP) < 2:
        return False
    segments = content.replace(_NO_SLASH, "").split("/")
    return any(segment.count(_GROUP) > 1 for segment in segments)


def _parts(rule: str) -> Iterator[str]:
    """Yield each segment; a segment with a `path` variable comes with all later segments."""
    segments = rule.split("/")
    for at, segment in enumerate(segments):
        if _PATH_VARIABLE.search(segment):
            yield "/".join(segments[at:])
            return
        yield segment


def _divides_in_many_ways(part: str) -> bool:
    """Return whether the variables can divide a path of length n in n³ ways, or more."""
    texts = (len(_TEXT.findall(segment)) for segment in part.split("/"))
    free = sum(count - 1 for count in texts if count)
    # Without slashes, the last text of a part takes all that is left, which is only one way.
    return free > 1 and (not part.endswith(">") or _PATH_VARIABLE.search(part) is not None)
