"""Patterns: `$` matches only the end of the text, as in JSON Schema.

In Python, `$` also matches before a line feed at the end of a text. msgspec, and pydantic with its
`re` engine, use Python's `re`.
"""

import re
from collections.abc import Callable, Iterator

# One element of a pattern: an escape, a class of characters, the start of a group, or a character.
_ELEMENT = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?P<on>[a-zA-Z]*)(?:-(?P<off>[a-z]+))?[:)]|.", re.DOTALL
)


def line_feed_check(pattern: str | re.Pattern[str]) -> Callable[[str], bool] | None:
    """Return a check for texts that match a pattern; None if the pattern needs no check.

    The check is false for a text that matches only because a line feed follows the match.
    """
    source, flags = (pattern, 0) if isinstance(pattern, str) else (pattern.pattern, pattern.flags)
    flags = re.compile(source, flags).flags
    exact = "".join(_elements(source, is_multiline=bool(flags & re.MULTILINE)))
    if exact == source:
        return None
    search = re.compile(exact, flags).search
    return lambda text: not text.endswith("\n") or search(text) is not None


def _elements(source: str, *, is_multiline: bool) -> Iterator[str]:
    """Yield the elements of a pattern; without the multiline flag, yield `\\Z` for each `$`."""
    outer: list[bool] = []
    for match in _ELEMENT.finditer(source):
        element = match[0]
        if element == "$" and not is_multiline:
            yield r"\Z"
            continue
        if element.startswith("(") and not element.endswith(")"):
            outer.append(is_multiline)
        elif element == ")":
            is_multiline = outer.pop() if outer else is_multiline
        if element.endswith(":"):
            is_multiline = _is_on(match, is_multiline=is_multiline)
        yield element


def _is_on(match: re.Match[str], *, is_multiline: bool) -> bool:
    """Return whether the multiline flag is on inside the group that begins with `match`."""
    if "m" in (match["off"] or ""):
        return False
    return is_multiline or "m" in (match["on"] or "")
