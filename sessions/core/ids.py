"""New ids of sessions, and the key and hash under which a store knows them.

An id is 22 characters of lineage, drawn once for the life of a session, and a secret that
`regenerate()` draws anew. A store sees the hash of the lineage (its key) and the hash of the whole
id (the record's secret), so whoever reads the store learns no id.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from typing import NamedTuple

from sessions.core.limits import LINEAGE_LENGTH, LONGEST_SECRET, SHORTEST_SECRET
from sessions.errors import ConfigurationError

_SECRET = re.compile(rf"[A-Za-z0-9_-]{{{SHORTEST_SECRET},{LONGEST_SECRET}}}", re.ASCII)

SHORTEST_ID = LINEAGE_LENGTH + SHORTEST_SECRET
LONGEST_ID = LINEAGE_LENGTH + LONGEST_SECRET
_ID = re.compile(rf"[A-Za-z0-9_-]{{{SHORTEST_ID},{LONGEST_ID}}}", re.ASCII)


class Id(NamedTuple):
    """Hold an id, the key of its session in a store, and the hash that the record holds of it."""

    text: str
    key: str
    secret: str

    def __repr__(self) -> str:
        return f"<Id of the session {self.key[:8]}…>"


def read_id(text: str) -> Id:
    """Return what a store knows of an id."""
    return Id(text, storage_key(text[:LINEAGE_LENGTH]), hash_of(text))


def is_id(text: object) -> bool:
    """Return whether the text has the form of an id."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def new_id(gen_id: Callable[[], str]) -> Id:
    """Draw the id of a new session."""
    return read_id(secrets.token_urlsafe(16) + new_secret(gen_id))


def renewed_id(id: Id, gen_id: Callable[[], str]) -> Id:
    """Draw another id of the same session."""
    return read_id(id.text[:LINEAGE_LENGTH] + new_secret(gen_id))


def random_secret() -> str:
    """Draw 256 random bits."""
    return secrets.token_urlsafe(32)


def new_secret(gen_id: Callable[[], str] = random_secret) -> str:
    """Draw a secret with `gen_id`, and refuse one that is unfit."""
    secret = gen_id()
    if gen_id is random_secret:
        return secret
    if not isinstance(secret, str):
        raise ConfigurationError(
            f"gen_id returned a value of type {type(secret).__name__}, not a str. Fix: "
            "return text such as secrets.token_urlsafe(32)"
        )
    if not _SECRET.fullmatch(secret):
        raise ConfigurationError(
            f"gen_id returned {len(secret)} characters that are not an id; an id has"
            f" {SHORTEST_SECRET} to {LONGEST_SECRET} characters of [A-Za-z0-9_-], such as"
            " secrets.token_urlsafe(32)"
        )
    return secret


def storage_key(lineage: str) -> str:
    """Hash a lineage into the key of the session: its name in a store, and its public handle.

    Source: FIPS 180-4, SHA-256.
    """
    return hash_of(lineage)


def hash_of(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
