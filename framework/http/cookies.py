"""Read the values of each cookie from the header `Cookie`. Source: RFC 6265, 4.2.1."""

import re

# The quantifiers with a second "+" do not backtrack. With backtracking, a cookie with many spaces
# would take seconds, because there are very many ways to split the spaces among the three places.
_PAIR = re.compile(
    r"""
    [ \t]*+
    (?P<name>[^ \t=";]++)
    (?:[ \t]*+=[ \t]*+(?P<value>"(?:[^\\"]|\\.)*+"|[^ \t";]*+))?+
    [ \t]*+
    (?:;|\Z)
    """,
    re.ASCII | re.VERBOSE,
)
_ESCAPE = re.compile(rb"\\([0-3][0-7]{2}|.)")


def read_cookies(header: str) -> dict[str, list[str]]:
    """Return the values of each cookie in their order; pairs that are not valid are left out."""
    text = header.encode("latin-1").decode(errors="replace")
    found: dict[str, list[str]] = {}
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is not None:
            found.setdefault(pair["name"], []).append(_unquoted(pair["value"] or ""))
            at = pair.end()
        else:
            at = text.find(";", at) + 1 or len(text)
    return found


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return _ESCAPE.sub(_unescaped, value[1:-1].encode()).decode(errors="replace")


def _unescaped(found: re.Match[bytes]) -> bytes:
    escaped = found[1]
    return escaped if len(escaped) == 1 else int(escaped, 8).to_bytes(1, "big")
