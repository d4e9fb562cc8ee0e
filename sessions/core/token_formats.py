"""Base classes of the token formats for stateless sessions."""

from abc import ABC, abstractmethod
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from sessions.core.ids import Id
from sessions.core.payloads import CarriedId
from sessions.core.wrong_values import instance_instead
from sessions.record import Record
from sessions.stores.base import AsyncStore, Store


class Sealer(ABC):
    """Make tokens from records with the newest key, and open tokens that any of the keys made."""

    @abstractmethod
    def seal(self, id: Id, record: Record) -> str:
        """Return the token of the record, a text of `A-Z a-z 0-9 - _ .` only."""

    @abstractmethod
    def open(self, token: str) -> CarriedId | None:
        """Return the id and the record in a token, or None for an invalid token; never raise."""


class TokenFormat(ABC):
    """The base class of token formats, for `SessionContainer(store=...)` in place of a store."""

    revocations: Store | AsyncStore | None
    """The store with the list of revoked tokens, or None if tokens cannot be revoked."""

    def problems(self) -> Sequence[str]:
        """Return a text for each wrong setting."""
        revocations: object = self.revocations
        if isinstance(revocations, Store | AsyncStore | None):
            return ()
        usual = "give one such as SQLiteStore('revocations.db')"
        remedy = instance_instead(revocations, (Store, AsyncStore), usual)
        return (
            f"{type(self).__name__}: revocations={revocations!r} is not a Store. Fix: {remedy}",
        )

    @abstractmethod
    def sealer(self, keys: Sequence[str | bytes], name: str) -> Sealer:
        """Return a sealer with these keys, newest first, for the sessions with this name."""


def to_text(data: bytes) -> str:
    """Return base64url without padding. Source: RFC 4648, 5."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def from_text(text: str) -> bytes | None:
    """Return the bytes, or None for a text that `to_text` would not make."""
    try:
        data = urlsafe_b64decode(f"{text}{'=' * (-len(text) % 4)}")
    except ValueError:
        return None
    # The decoder ignores foreign characters and unused bits, so several texts give the same bytes.
    return data if to_text(data) == text else None
