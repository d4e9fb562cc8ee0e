"""Decide which links of a page carry the token of a session, and when to send a test cookie."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sessions.core.headers import Headers
from sessions.core.ids import Id
from sessions.core.state import State
from sessions.record import Record
from sessions.transports.base import RequestHead, Transport
from sessions.transports.cookie import CookieTransport
from sessions.transports.url import URLTransport, origin_of

PROTECTION: Final[Headers] = [("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store")]
"""With these headers, other sites and caches do not get the token in the URL or in the links."""


class Place(NamedTuple):
    """Whether the links of one response carry the token, and the origin of these links."""

    carries: bool
    origin: str | None


_NOWHERE = Place(carries=False, origin=None)


class Links:
    """The rules for tokens in links, in a container with a `URLTransport`."""

    def __init__(
        self, url: URLTransport, cookie: CookieTransport | None, others: Sequence[Transport] = ()
    ) -> None:
        self.url = url
        self._cookie = cookie
        self._others = others
        self._test = None if cookie is None or url.always_cookie else cookie.test_cookie()

    def place(self, state: State) -> Place:
        """Decide once, before the headers are sent, whether the links need the token."""
        if state.links is None and state.head is not None:
            # A client that sends its token in a cookie or a header needs no token in links.
            needs_none = self._has_cookies(state.head) or self._has_others(state.head)
            state.links = Place(not needs_none, origin_of(state.head))
        place: Place = state.links or _NOWHERE
        return place

    def protection(self, head: RequestHead | None) -> Headers:
        """Return the headers that keep a token in the URL secret, or [] if the URL has no token."""
        return [*PROTECTION] if head is not None and self.url.read(head) else []

    def headers(self, state: State) -> Headers:
        """Return the headers that hide a token in URLs, and the Set-Cookie header of a test cookie.

        The test cookie shows whether the client accepts cookies. It is sent only if the links carry
        the token.
        """
        head = state.head
        if head is None:
            return []
        if not self.place(state).carries:
            return self.protection(head)
        headers = [*PROTECTION]
        if state.asks_for_cookies and self._test is not None:
            headers += self._test.send(head, "1", None)
        return headers

    def moves(self, state: State) -> bool:
        """Return whether to give the client a cookie for a session that came in a URL.

        The client must have sent the test cookie, but not yet the cookie of its session.
        """
        return (
            came_in_links(state)
            and not (state.gone or self.place(state).carries)
            and not is_given(state)
        )

    def refuses(self, state: State, id: Id, answer: object) -> bool:
        """Return whether the setting `refuse_users` refuses the session.

        The setting refuses a user's session if the id came only in a URL or a form.
        """
        if not (self.url.refuse_users and isinstance(answer, Record) and answer.user_id):
            return False
        return all(transport.in_links or id not in ids for transport, ids in state.brought)

    def _has_others(self, head: RequestHead) -> bool:
        return any(one.obstacle(head) is None and one.read(head) for one in self._others)

    def _has_cookies(self, head: RequestHead) -> bool:
        cookie, test = self._cookie, self._test
        if cookie is None or cookie.obstacle(head) is not None:
            return False
        return bool(cookie.read(head) or (test is not None and test.read(head)))


def came_in_links(state: State) -> bool:
    """Return whether a stored session came only in a URL or a form.

    The request can also have a cookie of another session, which has ended.
    """
    id = state.id
    if state.record is None or id is None:
        return False
    ways = [one for one, ids in state.brought if any(other.key == id.key for other in ids)]
    return bool(ways) and all(transport.in_links for transport in ways)


def is_given(state: State) -> bool:
    """Return whether the URL with this session can come from another person.

    If so, the client gets no cookie, because a browser with the cookie would keep using the
    session of that person. If a user signed in to the session before this request, the result is
    always True, because even a link on a page of this site can come from another person. Source of
    Sec-Fetch-Site: Fetch Metadata Request Headers, 2.4.
    """
    record = state.record
    if record is None or record.user_id is None:
        # Some browsers never send this header, even from a page of this site.
        return state.head.header("Sec-Fetch-Site") not in (None, "same-origin")
    # A sign-in in this request has a new id. The time is not enough to know this, because the clock
    # of another process may be ahead.
    has_new_id = all(state.id not in ids for _, ids in state.brought)
    return not (has_new_id and state.started_at >= state.began_at)


def links_of(transports: Sequence[Transport]) -> Links | None:
    """Return the `Links` for these transports; None if no transport is a `URLTransport`."""
    cookie = None
    others = [one for one in transports if not (one.in_links or isinstance(one, CookieTransport))]
    for transport in transports:
        if isinstance(transport, URLTransport):
            return Links(transport, cookie, others)
        if isinstance(transport, CookieTransport):
            cookie = transport
    return None
