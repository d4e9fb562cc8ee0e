"""The methods of a session that put its token into links and forms."""

from typing import Any

from sessions.core.persistence import Persistence
from sessions.core.state import State
from sessions.transports.url import Html


class InLinks:
    """Put the token of a session into links and forms, for a client without cookies."""

    __slots__ = ()

    _state: State
    _driver: Any

    def rewrite(self, url: str) -> str:
        """Return the URL with the token of the session, for a client without cookies.

        The URL does not change if the container has no `URLTransport`, if the client has cookies,
        or if the URL has another origin. Call `rewrite` after `set_user()` and `regenerate()`,
        because both change the token.
        """
        if not isinstance(url, str):
            raise TypeError(
                f"session.rewrite() takes a URL as a text, not {url!r}. Fix: give a text such as"
                ' "/next?page=2"'
            )
        sessions = self._used()
        return url if sessions is None else sessions.rewrite(self._state, url)

    def hidden_input(self) -> Html:
        """Return a hidden form field with the token, or an empty text if `rewrite` adds no token.

        The `action` of the form must be a URL of this site, because the browser sends the token
        there.
        """
        sessions = self._used()
        return Html() if sessions is None else sessions.hidden_input(self._state)

    def _used(self) -> Persistence | None:
        """Load the session, and return its Persistence object; None if links carry no token."""
        sessions: Persistence = self._driver.sessions
        if not sessions.uses_links:
            return None
        if self._state.values is None:
            self._driver.loaded(self._state)
        self._state.accessed = True
        return sessions
