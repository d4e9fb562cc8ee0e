"""Origins: the scheme, host and port that a page comes from. Source: RFC 6454."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from werkzeug.wrappers import Request

_DEFAULT_PORTS = {"http": 80, "https": 443}
# A name, an IPv4 address, or what stands between the brackets of an IPv6 address.
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")


def checked_origins(setting: str, origins: Iterable[str]) -> frozenset[str]:
    """Return origins as browsers write them; raise ValueError for what is none."""
    if isinstance(origins, str):
        raise ValueError(f"{setting} is the text {origins!r}; give a list: [{origins!r}]")
    return frozenset(_checked(setting, origin) for origin in origins)


def own_origin(request: Request) -> str:
    """Return the origin at which a request arrived."""
    return f"{request.scheme}://{request.host}"


def host_of(origin: str) -> str:
    """Return the host, and the port if it is written, of an origin."""
    return origin.partition("://")[2]


def _checked(setting: str, origin: str) -> str:
    written = _as_written(origin)
    if written is None:
        raise ValueError(
            f"{setting} has {origin!r}, which is no origin; write scheme, host and, where it is"
            " not the usual one, port, as in 'https://shop.example'"
        )
    return written


def _as_written(origin: str) -> str | None:
    """Write an origin as browsers do: lower case, no default port; None if it is none."""
    try:
        parts = urlsplit(origin.lower())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host):
        return None
    bare = f"{parts.scheme}://[{host}]" if ":" in host else f"{parts.scheme}://{host}"
    if origin.lower() not in (bare, f"{bare}:{port}"):
        return None
    return bare if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{bare}:{port}"
