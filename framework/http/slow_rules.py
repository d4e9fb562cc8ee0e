"""Rules whose variables divide a path in very many ways.

For a long path, which anybody can send, the match of such a rule would take seconds.
"""

import re
from collections.abc import Iterator

from framework.report import Mistake

# A variable that holds slashes.
_PATH_VARIABLE = re.compile(r"<path(?:\([^<>]*\))?:")
# Three variables of any text, and other text after them.
_MANY_TEXTS = re.compile(r"(?:<(?:(?:string|default):)?\w+>[^<>]*){3,}(?<!>)$")


def slow_variables(rule: str) -> Iterator[Mistake]:
    """Yield a mistake for variables that make a rule slow."""
    many = [segment for segment in rule.split("/") if _MANY_TEXTS.search(segment)]
    if len(_PATH_VARIABLE.findall(rule)) > 1:
        yield Mistake(
            f"the path {rule!r} has more than one variable that holds slashes, so a long path of a"
            " client would take seconds to match",
            "Keep one <path:...>, and take the other value from the query or from a segment of its"
            " own: <name>.",
        )
    elif many:
        yield Mistake(
            f"the segment {many[0]!r} of the path {rule!r} has three texts and more after them, so"
            " a long path of a client would take seconds to match",
            "Give the texts segments of their own, or write what they are: <int:year>, or"
            " <string(maxlength=40):name>.",
        )
