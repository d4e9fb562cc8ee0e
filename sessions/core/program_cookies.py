"""The cookie of a session on a response that passes through no middleware."""

from typing import Any

from sessions.core.responses import add_to_response
from sessions.core.state import State

SCHEMES = ("https", "http", "wss", "ws")


class ProgramCookies:
    """Add the session's cookie to a response, or remove it from the client, without middleware."""

    __slots__ = ()

    _state: State
    _driver: Any

    def add_cookie(self, response: object, *, scheme: str | None = None) -> None:
        """Add the session's cookie to a response that passes through no middleware.

        `response` is the header list of a WSGI application, or a response of Werkzeug, Flask,
        Starlette, Bottle or Django. `scheme` is the scheme of the request. Without `scheme`, the
        session uses the scheme of the request that sent the session's cookie, or else https. Raises
        SessionError if the session or its id is not saved, and SessionNotFound if the session has
        ended.
        """
        state = self._state
        headers = self._driver.sessions.cookie_headers(state, scheme_of(state, scheme))
        add_to_response(response, headers)

    def clear_cookie(self, response: object, *, scheme: str | None = None) -> None:
        """Add a header to the response, so that the client removes the session's cookie.

        The session does not end: `delete()` ends it. The arguments are those of `add_cookie`.
        """
        state = self._state
        headers = self._driver.sessions.clearing_headers(scheme_of(state, scheme))
        add_to_response(response, headers)


def scheme_of(state: State, scheme: str | None) -> str:
    """Return `scheme`, or a default if it is None.

    The default is the scheme of the request that sent the session's cookie, or else https.
    """
    if scheme is None:
        return str(getattr(state.head or state, "scheme", None) or "https")
    if scheme not in SCHEMES:
        raise ValueError(
            f"scheme={scheme!r} is not the scheme of a request. Fix: give one such as"
            ' environ["wsgi.url_scheme"], which is "https" or "http"'
        )
    return scheme
