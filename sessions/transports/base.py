"""The base class of transports, which carry a token between client and server."""

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple, Protocol

from sessions.events import EventKind

Headers = list[tuple[str, str]]
SameSite = Literal["Strict", "Lax", "None"]


MOST_VALUES = 32
"""The largest number of tokens that are read from one header, or from one parameter."""


class RequestHead(Protocol):
    """The part of a request that a transport reads.

    An edge, such as the middleware for WSGI, makes a RequestHead for each request.
    """

    @property
    @abstractmethod
    def scheme(self) -> str:
        """Return the scheme of the client's request; `https` and `wss` are secure."""

    @property
    @abstractmethod
    def path(self) -> str:
        """Return the path of the request, unquoted and with the mount prefix."""

    @property
    @abstractmethod
    def query(self) -> str:
        """Return the raw query, or an empty text."""

    @property
    @abstractmethod
    def client(self) -> str | None:
        """Return the address of the client, or None if the address is unknown."""

    @property
    @abstractmethod
    def cookies(self) -> str:
        """Return the raw Cookie header, or an empty text; several headers are joined by `; `."""

    def header(self, name: str) -> str | None:
        """Return the raw value of a request header, or None if the request has no such header."""


class CookieAttributes(Protocol):
    """The attributes of a cookie, such as those of `CookieSettings`."""

    @property
    def http_only(self) -> bool: ...
    @property
    def same_site(self) -> SameSite: ...
    @property
    def path(self) -> str: ...
    @property
    def domain(self) -> str | None: ...
    @property
    def partitioned(self) -> bool: ...
    @property
    def secure(self) -> bool | Literal["auto"]: ...
    @property
    def max_age_seconds(self) -> int | None: ...


class Obstacle(NamedTuple):
    """Why a client can have no session: the kind and the text of the event for listeners."""

    event: EventKind
    detail: str


class ContainerSettings(Protocol):
    """The settings of a SessionContainer; they replace the missing settings of a transport."""

    @property
    def session_prefix(self) -> str: ...
    @property
    def cookie(self) -> CookieAttributes: ...
    @property
    def cookie_header_limit(self) -> int: ...
    @property
    def cookie_pairs_limit(self) -> int: ...


class Transport(ABC):
    """Read the token of a session from a request, and send or clear it in a response.

    `sessions.testing.TransportContract` tests a transport of your own.
    """

    vary: str
    """The request header for `Vary` in responses that depend on the session; empty for none."""

    sent_by_browsers: bool = True
    """Whether a browser sends the token by itself, so that another site can make a browser send it.

    A session of such a transport needs a CSRF token.
    """

    in_links: bool = False
    """Whether only links and forms carry the token, and the headers of a response never do."""

    challenge: str | None = None
    """The `WWW-Authenticate` of the answer 401 to a malformed token; None if a malformed token only
    means that the request has no session. Source: RFC 9110, 11.6.1."""

    has_obstacles: bool = True
    """Whether to call `obstacle` even for requests whose tokens could be read."""

    age: float | None = None
    """Seconds after which a client forgets the token, or None if it keeps the token."""

    longest_header: int | None = None
    """The number of bytes that a client accepts in one header of `send`, or None for no limit."""

    @abstractmethod
    def read(self, head: RequestHead) -> list[str]:
        """Return every text in the request that may be the token."""

    @abstractmethod
    def send(self, head: RequestHead, token: str, max_age: int | None) -> Headers:
        """Return the headers that give the client the token.

        `max_age` is in seconds. It is None if the session has no timeout of its own.
        """

    @abstractmethod
    def clear(self, head: RequestHead) -> Headers:
        """Return the headers that remove the token from the client."""

    def completed(self, settings: ContainerSettings) -> "Transport":
        """Return the transport with every setting; missing settings come from the container."""
        return self

    def obstacle(self, head: RequestHead) -> Obstacle | None:
        """Return why the client of this request cannot have a session; None if the client can.

        If there is an obstacle, no token is read or sent, and no session is stored.
        """
        return None


def is_secure(head: RequestHead) -> bool:
    """Return whether the request came over TLS."""
    return head.scheme in ("https", "wss")
