"""Trusted hosts, trusted proxies and security headers, around the whole application."""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

from werkzeug.exceptions import SecurityError
from werkzeug.wsgi import get_host

from framework.http.errors import render_problem
from framework.http.headers import Headers
from framework.http.proxies import refuse_unfit_values, trust_proxies
from framework.settings import HTTPSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None
)

_SECURITY_HEADERS = {
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# The longest name (RFC 1035, 2.3.4) and a port.
_LONGEST_HOST = 255 + len(":65535")
# One year, without subdomains, because a subdomain may not have a certificate.
_HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}


def surround(application: "WSGIApplication", settings: HTTPSettings) -> "WSGIApplication":
    """Return the application inside the middleware that the settings ask for."""
    if settings.trusted_hosts:
        hosts = [host.lower() for host in settings.trusted_hosts]
        application = _for_trusted_hosts(application, hosts)
    has_proxies = any(settings.proxies.values())
    if has_proxies:
        application = refuse_unfit_values(application)
    if settings.security_headers:
        application = _with_security_headers(application)
    if has_proxies:
        application = trust_proxies(application, settings.proxies)
    return application


def _for_trusted_hosts(application: "WSGIApplication", hosts: list[str]) -> "WSGIApplication":
    def guarded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            # Host names are case-insensitive (RFC 9110, 4.2.3).
            host = environ.get("HTTP_HOST", "").lower()
            get_host({**environ, "HTTP_HOST": host} if host else environ, hosts)
        except SecurityError:
            status, headers, body = render_problem(_refused_host(environ), environ)
            start_response(status, headers)
            return [] if environ["REQUEST_METHOD"] == "HEAD" else body
        return application(environ, start_response)

    return guarded


def _refused_host(environ: "WSGIEnvironment") -> SecurityError:
    """Return an error that names the refused host, so that a developer can add the host."""
    host = environ.get("HTTP_HOST") or environ["SERVER_NAME"]
    shown = host if len(host) <= _LONGEST_HOST else host[:_LONGEST_HOST] + "…"
    return SecurityError(f"The host {shown!r} is not one of the application's hosts.")


def _with_security_headers(application: "WSGIApplication") -> "WSGIApplication":
    def secured(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(
            status: str, headers: Headers, exc_info: _ExcInfo = None, /
        ) -> Callable[[bytes], object]:
            is_https = environ["wsgi.url_scheme"] == "https"
            wanted = _SECURITY_HEADERS | _HTTPS_ONLY if is_https else _SECURITY_HEADERS
            # A header that the application sets itself stays.
            said = {name.lower() for name, _ in headers}
            added = [(name, value) for name, value in wanted.items() if name.lower() not in said]
            if exc_info is None:
                return start_response(status, headers + added)
            return start_response(status, headers + added, exc_info)

        return application(environ, start)

    return secured
