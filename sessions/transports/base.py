"""How a token travels between the client and us. A transport knows no store and no keys."""

from abc import ABC, abstractmethod
from typing import Protocol

Headers = list[tuple[str, str]]


class RequestHead(Protocol):
    """What a transport sees of a request."""

    @property
    @abstractmethod
    def cookies(self) -> str:
        """Return the raw Cookie header, empty if there is none."""

    @property
    @abstractmethod
    def secure(self) -> bool:
        """Tell whether the client's request came over https."""

    @property
    @abstractmethod
    def path(self) -> str:
        """Return the path that the client asked for, the mount prefix included."""

    def header(self, name: str) -> str | None:
        """Return the raw value of a request header, None if there is none."""


class Transport(ABC):
    """Carry the token of a session."""

    vary: str
    """The request header on which a response depends once the session was looked at."""

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

    def obstacle(self, head: RequestHead) -> str | None:
        """Say why the client of this request cannot be given a token, None if it can."""
        return None
