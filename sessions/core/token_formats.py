"""How a session without a server travels: what seals a record into a token, and opens the token."""

from abc import ABC, abstractmethod
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from sessions.core.ids import Id
from sessions.core.payloads import CarriedId
from sessions.record import Record
from sessions.stores.base import AsyncStore, Store


class Sealer(ABC):
    """Seal records with the newest of some keys, and open what one of the keys has sealed."""

    @abstractmethod
    def seal(self, id: Id, record: Record) -> str:
        """Return the token of the record: text of `A-Z a-z 0-9 - _ .` only."""

    @abstractmethod
    def open(self, token: str) -> CarriedId | None:
        """Return the id and the record of a token, None for any other text. It never raises."""


class TokenFormat(ABC):
    """Choose sessions without a server, as `SessionContainer(store=...)`."""

    revocations: Store | AsyncStore | None
    """The store that says which tokens count no more, None if each counts until it expires."""

    def problems(self) -> Sequence[str]:
        """Return what makes the settings unfit."""
        revocations: object = self.revocations
        if isinstance(revocations, Store | AsyncStore | None):
            return ()
        return (
            f"{type(self).__name__}: revocations={revocations!r} is not a Store. Fix: give one such"
            " as SQLiteStore('revocations.db')",
        )

    @abstractmethod
    def sealer(self, keys: Sequence[str | bytes], name: str) -> Sealer:
        """Return what seals with these keys, the newest first, for the sessions of this name."""


def to_text(data: bytes) -> str:
    """Return base64url without padding. Source: RFC 4648, 5."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def from_text(text: str) -> bytes | None:
    """Return the bytes, None for any text that `to_text` does not make."""
    try:
        data = urlsafe_b64decode(f"{text}{'=' * (-len(text) % 4)}")
    except ValueError:
        return None
    # The decoder passes over foreign characters, and over bits that stand for nothing.
    return data if to_text(data) == text else None
