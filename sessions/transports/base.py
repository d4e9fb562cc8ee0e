"""How a token travels between the client and us. A transport knows no store and no keys."""

from abc import ABC, abstractmethod
from typing import NamedTuple, Protocol

from sessions.events import EventKind

Headers = list[tuple[str, str]]


class RequestHead(Protocol):
    """What a transport sees of a request; an edge makes one object for each, without I/O."""

    @property
    @abstractmethod
    def scheme(self) -> str:
        """Return the scheme of the client's request; `https` and `wss` are secure."""

    @property
    @abstractmethod
    def path(self) -> str:
        """Return the path that the client asked for, unquoted, the mount prefix included."""

    @property
    @abstractmethod
    def query(self) -> str:
        """Return the raw query, empty if there is none."""

    @property
    @abstractmethod
    def client(self) -> str | None:
        """Return the address of the client, None if it is unknown."""

    @property
    @abstractmethod
    def cookies(self) -> str:
        """Return the raw Cookie header, empty if there is none; several are joined by `; `."""

    def header(self, name: str) -> str | None:
        """Return the raw value of a request header, None if there is none."""


class Obstacle(NamedTuple):
    """Say why the client of a request can have no session: the event, and what to do."""

    event: EventKind
    detail: str


class Transport(ABC):
    """Carry the token of a session."""

    vary: str
    """The request header on which a response depends once the session was looked at."""

    has_obstacles: bool = True
    """Whether `obstacle` has to be asked for requests whose tokens could be read."""

    age: float | None = None
    """Seconds after which a client forgets the token, None if it keeps the token."""

    longest_header: int | None = None
    """Bytes that a client accepts in one header of `send`, None if there is no limit."""

    @abstractmethod
    def read(self, head: RequestHead) -> list[str]:
        """Return every text that might be the token."""

    @abstractmethod
    def send(self, head: RequestHead, token: str, max_age: int | None) -> Headers:
        """Return the headers that give the client the token.

        `max_age` is in seconds, for a session with a timeout of its own.
        """

    @abstractmethod
    def clear(self, head: RequestHead) -> Headers:
        """Return the headers that take the token away from the client."""

    def obstacle(self, head: RequestHead) -> Obstacle | None:
        """Return why the client of this request can have no session, None if it can.

        Where there is an obstacle, nothing is read, stored or sent.
        """
        return None


def is_secure(head: RequestHead) -> bool:
    """Return whether the client's request came over TLS."""
    return head.scheme in ("https", "wss")
