"""The URL of a request as a developer writes it, or copies it from a browser."""

import re
from urllib.parse import unquote_to_bytes

from werkzeug.sansio.utils import host_is_trusted

from framework.settings import HTTPSettings

_HOST = re.compile("^https?://[^/?#]*")


def written_path(text: str) -> str:
    """Return the path of a URL, with escapes such as `%20`; `text` can also be only a path."""
    path = re.split("[?#]", _HOST.sub("", text))[0]
    return "/" + path.removeprefix("/")


def environ_of(written: str) -> dict[str, str]:
    """Return the decoded and the written form of a path, as servers give them to applications."""
    decoded = unquote_to_bytes(written.encode("utf-8", "surrogateescape"))
    return {"PATH_INFO": decoded.decode("latin-1"), "REQUEST_URI": written}


def refused_host(text: str, settings: HTTPSettings) -> str | None:
    """Return the host of a URL if the application does not serve the host."""
    trusted = [host.lower() for host in settings.trusted_hosts]
    found = _HOST.match(text)
    if not trusted or found is None:
        return None
    host = found[0].partition("://")[2]
    return None if host_is_trusted(host.lower(), trusted) else host
