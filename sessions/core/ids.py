"""Make the ids of sessions, and the hashes of an id that a store keeps.

An id has two parts: the lineage and the secret. The first 22 characters are the lineage, which
stays the same for the life of a session. The rest is the secret, and `regenerate()` replaces it. A
store never has an id. It has two hashes. The hash of the lineage is the key of the record. The hash
of the whole id is the field `secret` of the record. So a person who reads the store learns no id.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from typing import NamedTuple

from sessions.core.limits import LINEAGE_LENGTH, LONGEST_SECRET, SHORTEST_SECRET
from sessions.errors import ConfigurationError

_SECRET = re.compile(rf"[A-Za-z0-9_-]{{{SHORTEST_SECRET},{LONGEST_SECRET}}}", re.ASCII)

_KEY = re.compile(r"[0-9a-f]{64}")

SHORTEST_ID = LINEAGE_LENGTH + SHORTEST_SECRET
LONGEST_ID = LINEAGE_LENGTH + LONGEST_SECRET
_ID = re.compile(rf"[A-Za-z0-9_-]{{{SHORTEST_ID},{LONGEST_ID}}}", re.ASCII)


class Id(NamedTuple):
    """An id; `key` is the hash of its unchanging part, and `secret` is the hash of the whole id."""

    text: str
    key: str
    secret: str

    def __repr__(self) -> str:
        return f"<Id of the session {self.key[:8]}…>"


def read_id(text: str) -> Id:
    """Return the Id for this text, with its two hashes."""
    return Id(text, storage_key(text[:LINEAGE_LENGTH]), hash_of(text))


def is_id(text: object) -> bool:
    """Return whether the text has the form of an id."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def new_id(gen_id: Callable[[], str]) -> Id:
    """Return a random id for a new session."""
    return read_id(secrets.token_urlsafe(16) + new_secret(gen_id))


def renewed_id(id: Id, gen_id: Callable[[], str]) -> Id:
    """Return another id of the same session, with a new random secret."""
    text = id.text[:LINEAGE_LENGTH] + new_secret(gen_id)
    return Id(text, id.key, hash_of(text))


def random_secret() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


def new_secret(gen_id: Callable[[], str] = random_secret) -> str:
    """Return a secret from `gen_id`; raise ConfigurationError if `gen_id` returns anything else."""
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
            f"gen_id returned a text of {len(secret)} characters that is not an id. Fix: return"
            f" {SHORTEST_SECRET} to {LONGEST_SECRET} characters of [A-Za-z0-9_-], such as"
            " secrets.token_urlsafe(32)"
        )
    return secret


def storage_key(lineage: str) -> str:
    """Return the hash of the lineage, which is the part of an id that never changes.

    The hash is the session's key in the store, and its handle. Source: FIPS 180-4, SHA-256.
    """
    return hash_of(lineage)


def is_key(handle: object) -> bool:
    """Return whether a handle has the form of a session's key in the store."""
    return isinstance(handle, str) and _KEY.fullmatch(handle) is not None


def hash_of(text: str) -> str:
    """Return the SHA-256 hash of a text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
