"""Merge the headers of a session into a response: `Vary`, `Cache-Control`, `Set-Cookie`."""

import re
from collections.abc import Iterable

Headers = list[tuple[str, str]]
RawHeader = tuple[bytes, bytes]

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')


def merge_headers(headers: Headers, added: Headers) -> None:
    """Add the headers of the session to the headers of the response, in place.

    The names in the two Vary headers are merged. The session's Cache-Control replaces that of the
    response, unless the response already has the directive of the session. The session's
    Referrer-Policy always replaces that of the response.
    """
    for name, value in added:
        if name == "Vary":
            _merge_vary(headers, value)
        elif name == "Referrer-Policy":
            headers[:] = [present for present in headers if present[0].lower() != name.lower()]
            headers.append((name, value))
        elif name == "Cache-Control":
            _forbid_storing(headers, value)
        else:
            headers.append((name, value))


def is_public(headers: Headers) -> bool:
    """Return whether Cache-Control has `public` or `immutable`: any cache may store the response.

    Source: RFC 9111, 5.2.2.9; RFC 8246.
    """
    for name, value in headers:
        if len(name) == 13 and name.lower() == "cache-control":
            directives = _QUOTED.sub("", value).lower().split(",")
            if any(directive.strip() in ("public", "immutable") for directive in directives):
                return True
    return False


def cache_headers(headers: Iterable[RawHeader]) -> Headers:
    """Decode and return the headers that can be `Cache-Control`: their names have 13 characters."""
    # This saves time, because most responses have no such header.
    return decoded([header for header in headers if len(header[0]) == 13])


def decoded(headers: Iterable[RawHeader]) -> Headers:
    """Return ASGI headers decoded as text."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def encoded(headers: Headers) -> list[RawHeader]:
    """Return the headers as ASGI needs them: bytes, with names in lower case."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _merge_vary(headers: Headers, value: str) -> None:
    for name, _ in headers:
        if len(name) == 4 and name.lower() == "vary":
            break
    else:
        headers.append(("Vary", value))
        return
    present = [line for name, line in headers if name.lower() == "vary"]
    listed = [part.strip() for line in present for part in line.split(",") if part.strip()]
    if "*" in listed or value.lower() in map(str.lower, listed):
        return
    headers[:] = [header for header in headers if header[0].lower() != "vary"]
    headers.append(("Vary", ", ".join([*listed, value])))


def _forbid_storing(headers: Headers, value: str) -> None:
    for name, _ in headers:
        if len(name) == 13 and name.lower() == "cache-control":
            break
    else:
        headers.append(("Cache-Control", value))
        return
    present = [listed for name, listed in headers if name.lower() == "cache-control"]
    directives = {part.strip().lower() for line in present for part in line.split(",")}
    if value not in directives:
        headers[:] = [header for header in headers if header[0].lower() != "cache-control"]
        headers.append(("Cache-Control", value))
