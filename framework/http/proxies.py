"""The headers of trusted proxies, and the 400 for a header whose value cannot be in a URL."""

import re
import reprlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.sansio.utils import host_is_trusted

from framework.http.errors import render_problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# One slash, and then no second slash. The characters are those of a path: RFC 3986, 3.3.
_PREFIX = re.compile(
    r"/(?:(?:[\w.~!$&'()*+,;=:@-]|%[0-9a-f]{2})(?:[\w.~!$&'()*+,;=:@/-]|%[0-9a-f]{2})*)?",
    re.ASCII | re.IGNORECASE,
)
# RFC 7239, 6: an address, "unknown" or "_name", with or without a port.
_NODE = re.compile(r"[\w.:%\[\]-]+", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}")
_LARGEST_PORT = 65535
# Under this key, ProxyFix keeps the values that the headers have replaced.
_REPLACED = "werkzeug.proxy_fix.orig"


def trust_proxies(application: "WSGIApplication", counts: dict[str, int]) -> "WSGIApplication":
    """Return an application that trusts proxies; `counts` says how many proxies for each header."""
    return ProxyFix(application, **counts)


def refuse_unfit_values(application: "WSGIApplication") -> "WSGIApplication":
    """Answer 400 if a header of a proxy has a value that does not fit, such as a wrong scheme.

    The value can come from the client, because a proxy passes on each header that it does not set.
    """

    def checked(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        # The names of schemes are case-insensitive (RFC 3986, 3.1).
        environ["wsgi.url_scheme"] = environ["wsgi.url_scheme"].lower()
        for header, value, wanted in _unfit(environ):
            error = BadRequest(f"{header} is {reprlib.repr(value)}, which is not {wanted}.")
            status, headers, body = render_problem(error, environ)
            start_response(status, headers)
            return [] if environ["REQUEST_METHOD"] == "HEAD" else body
        return application(environ, start_response)

    return checked


def _unfit(environ: "WSGIEnvironment") -> Iterator[tuple[str, str, str]]:
    """Yield the header, the value, and what the value should be, for each value that is wrong."""
    replaced = environ[_REPLACED]

    def new(key: str) -> str:
        """Return the value that a proxy's header gave to an environ key, or else an empty text."""
        value: str = environ.get(key) or ""
        return "" if value == replaced[key] else value

    scheme, prefix, node = new("wsgi.url_scheme"), new("SCRIPT_NAME"), new("REMOTE_ADDR")
    host, port = new("HTTP_HOST"), new("SERVER_PORT")
    if scheme and scheme not in ("http", "https"):
        yield "X-Forwarded-Proto", scheme, "http or https"
    if prefix and not _PREFIX.fullmatch(prefix):
        yield "X-Forwarded-Prefix", prefix, "a path, which begins with one slash"
    if node and not _NODE.fullmatch(node):
        yield "X-Forwarded-For", node, "an address"
    # ProxyFix writes the port into the host, too; hosts of a private network may have underscores.
    if host and not host_is_trusted(host.lower().replace("_", "-")):
        yield "X-Forwarded-Host with X-Forwarded-Port", host, "a host"
    if port and not (_PORT.fullmatch(port) and 0 < int(port) <= _LARGEST_PORT):
        yield "X-Forwarded-Port", port, "a port"
