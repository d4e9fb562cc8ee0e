"""Origins: the scheme, host and port that a page comes from. Source: RFC 6454."""

import re
from collections.abc import Iterable
from ipaddress import IPv6Address

from werkzeug.wrappers import Request

_DEFAULT_PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
)
_USUAL_PORT = re.compile(r":(?:80|443)$")


def read_origins(setting: str, origins: object) -> tuple[frozenset[str], list[str]]:
    """Return origins as browsers write them, and a text for each mistake in the setting."""
    if isinstance(origins, str):
        return frozenset(), [f"{setting} is the text {origins!r}. Fix: give a list: [{origins!r}]"]
    if not isinstance(origins, Iterable):
        remedy = "give a list, as in ['https://shop.example']"
        return frozenset(), [f"{setting} is {origins!r}. Fix: {remedy}"]
    # A missing setting is None, and not a text.
    read = [(one, as_written(one) if isinstance(one, str) else None) for one in origins]
    return (
        frozenset(written for _, written in read if written is not None),
        [_not_an_origin(setting, origin) for origin, written in read if written is None],
    )


def own_origin(request: Request) -> str | None:
    """Return the origin at which a request arrived; None if the request names no host."""
    return as_written(f"{request.scheme}://{request.host}")


def as_written(origin: str) -> str | None:
    """Return an origin as browsers write it, in lower case and without a default port.

    Returns None for a text that is not an origin.
    """
    found = _ORIGIN.fullmatch(origin.lower())
    if found is None:
        return None
    scheme, host, port = found.groups()
    if host.startswith("["):
        try:
            host = f"[{IPv6Address(host[1:-1])}]"
        except ValueError:
            return None
    usual = _DEFAULT_PORTS[scheme]
    number = int(port or usual)
    return f"{scheme}://{host}" if number == usual else f"{scheme}://{host}:{number}"


def host_of(origin: str) -> str:
    """Return the host of an origin, and its port unless the port is 80 or 443."""
    return _USUAL_PORT.sub("", origin.partition("://")[2])


def _not_an_origin(setting: str, origin: object) -> str:
    return (
        f"{setting} has {origin!r}, which is not an origin. Fix: write the scheme and the host, as"
        " in 'https://shop.example', and the port if it is not the usual one; write the host in"
        " ASCII, as in 'xn--bcher-kva.example'"
    )
