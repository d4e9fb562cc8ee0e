"""Who brings the id of a session, and takes it back to the client."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sessions.events import EventKind
from sessions.signing import IdSigner
from sessions.transports.base import Headers, RequestHead, Transport


@dataclass(frozen=True, slots=True)
class Wire:
    """Hold how the ids of one container travel."""

    signer: IdSigner
    transports: tuple[Transport, ...]
    emit: Callable[[EventKind, str], None]
    vary: Headers = field(init=False)

    def __post_init__(self) -> None:
        vary = [("Vary", transport.vary) for transport in self.transports]
        object.__setattr__(self, "vary", vary)


class Bearer(Protocol):
    """Know the id that a request carries, and how the client is told another."""

    def identify(self) -> str | None: ...
    def obstacle(self) -> str | None: ...
    def vary(self) -> Headers: ...
    def send(self, id: str, max_age: int | None) -> Headers: ...
    def clear(self) -> Headers: ...


class RequestBearer:
    """Find the one valid id that a request carries, and answer over the transport it came by."""

    __slots__ = ("_head", "_id", "_looked", "_tokens", "_transport", "_wire")

    def __init__(self, wire: Wire, head: RequestHead) -> None:
        self._wire = wire
        self._head = head
        self._transport = wire.transports[0]
        self._looked = False
        self._tokens = False
        self._id: str | None = None

    def identify(self) -> str | None:
        """Return the id, or None unless the request carries exactly one that we signed."""
        if not self._looked:
            self._look()
        return self._id

    def bears_token(self) -> bool:
        """Tell whether the request carries anything in the place of a token."""
        self.identify()
        return self._tokens

    def obstacle(self) -> str | None:
        """Say why the client cannot be given a token, None if it can."""
        return self._transport.obstacle(self._head)

    def vary(self) -> Headers:
        """Return the Vary headers of a response that depends on the session."""
        # A list of the caller's own, for more is added to it.
        return [*self._wire.vary]

    def send(self, id: str, max_age: int | None) -> Headers:
        """Return the headers that give the client the id, or report why there are none."""
        obstacle = self.obstacle()
        if obstacle is not None:
            self._wire.emit("insecure", obstacle)
        return self._transport.send(self._head, self._wire.signer.sign(id), max_age)

    def clear(self) -> Headers:
        """Return the headers that take the token away, if the request carried one."""
        return self._transport.clear(self._head) if self.bears_token() else []

    def _look(self) -> None:
        for transport in self._wire.transports:
            tokens = transport.read(self._head)
            if tokens:
                self._tokens = True
                self._transport = transport
                self._id = self._verified(tokens)
                if self._id is not None:
                    break
        self._looked = True

    def _verified(self, tokens: list[str]) -> str | None:
        ids = set(map(self._wire.signer.unsign, tokens)) - {None}
        if len(ids) == 1:
            return ids.pop()
        if ids:
            self._wire.emit("ambiguous", f"{len(ids)} different valid ids in one request")
        else:
            self._wire.emit("rejected", f"{len(tokens)} tokens in the request, none signed by us")
        return None


class KnownId:
    """Stand for a caller that knows the id, and has no response to put headers on."""

    __slots__ = ("_id",)

    def __init__(self, id: str | None) -> None:
        self._id = id

    def identify(self) -> str | None:
        """Return the id."""
        return self._id

    def obstacle(self) -> str | None:
        """Return None: nobody is to be told."""
        return None

    def vary(self) -> Headers:
        """Return no headers."""
        return []

    def send(self, id: str, max_age: int | None) -> Headers:
        """Return no headers."""
        return []

    def clear(self) -> Headers:
        """Return no headers."""
        return []


@dataclass(frozen=True, slots=True)
class CookieHead:
    """Be a request of which only the Cookie header is known."""

    cookies: str = field(repr=False)
    path: str
    secure: bool = field(kw_only=True)

    def header(self, name: str) -> str | None:
        """Return the header's value."""
        return self.cookies if name.lower() == "cookie" else None
