"""How a test client without cookies keeps the token of a session, from a header or from links."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sessions.errors import SessionError
from sessions.testing.heads import a_head
from sessions.transports.base import Transport
from sessions.transports.cookie import CookieTransport
from sessions.transports.url import URLTransport, take_out

_OF_ANSWERS = ("cache-control", "set-cookie", "vary")
_LINKED = r"""\b{0}=([\w.-]+)|name=\\?"{0}\\?" value=\\?"([\w.-]+)"""


class KeptTokens:
    """Keep the token of a session, from a header of a response or from a link of a page.

    After `begin_to_send`, the token is sent in each request that has no token of its own.
    """

    def __init__(self, transports: Sequence[Transport]) -> None:
        self._sends = False
        self._transports = transports
        self._in_headers = [one for one in transports if _header_names(one)]
        urls = [one.parameter for one in transports if isinstance(one, URLTransport)]
        has_cookies = any(isinstance(one, CookieTransport) for one in transports)
        # A client with cookies has no token in its links.
        self._parameter = urls[0] if urls and not has_cookies else None
        self._linked = re.compile(_LINKED.format(self._parameter), re.ASCII)
        self._headers: dict[str, str] = {}
        self._token: str | None = None
        self._can_send = has_cookies or bool(urls or self._in_headers)

    def begin_to_send(self, is_live: Callable[[str], bool]) -> None:
        """Send the token from now on; raise SessionError if no request can carry it."""
        if not self._can_send:
            raise SessionError(
                f"the test client cannot send the token of {self._transports[0]!r}. Fix: make a"
                " session with app.sessions.create(), and send the text of"
                " app.sessions.token(session) in each request"
            )
        self._sends = True
        # No response says that a link is dead: only its next page has another link, or none.
        if self._token is not None and not is_live(self._token):
            self._token = None

    def added_to(self, environ: dict[str, Any]) -> dict[str, Any]:
        """Return a WSGI request with the token, unless the request has a token already."""
        if not self._sends:
            return environ
        # The client may send the same request once more, after a redirect with a new token.
        environ = environ.copy()
        for name, value in self._headers.items():
            environ.setdefault(f"HTTP_{name.upper().replace('-', '_')}", value)
        query = environ.get("QUERY_STRING", "")
        if self._parameter and self._token and not take_out(query, self._parameter)[1]:
            start = f"{query}&" if query else ""
            environ["QUERY_STRING"] = f"{start}{self._parameter}={self._token}"
        return environ

    def read_response(
        self, headers: Iterable[tuple[str, str]], body: Iterable[bytes] | None
    ) -> None:
        """Keep the new token of a response, or forget the token that the response clears."""
        answered = {name.lower(): value for name, value in headers}
        for transport in self._in_headers:
            cleared = {name.lower(): value for name, value in transport.clear(a_head())}
            for name in _header_names(transport) & answered.keys():
                if answered[name] == cleared.get(name):
                    self._headers.pop(name, None)
                else:
                    self._headers[name] = answered[name]
        if self._parameter:
            page = b"".join(body or ()).decode(errors="replace")
            self.read_link(f"{answered.get('location', '')}\n{page}")

    def read_link(self, text: str, *, forgets: bool = False) -> None:
        """Find the first token in the links and forms of a text, and keep this token.

        With `forgets`, the client forgets its token if the text has none.
        """
        found = self._linked.search(text) if self._parameter else None
        if found is not None:
            self._token = found[1] or found[2]
        elif forgets:
            self._token = None


def _header_names(transport: Transport) -> set[str]:
    """Return the headers, in lower case, that carry the token in responses and in requests."""
    if isinstance(transport, CookieTransport | URLTransport):
        return set()
    sent = [(name, value) for name, value in transport.send(a_head(), "a-token", None)]
    return {
        name.lower()
        for name, value in sent
        if name.lower() not in _OF_ANSWERS and "a-token" in transport.read(a_head({name: value}))
    }
