"""What a store keeps of a session, and what a commit changes in it."""

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sessions.errors import ConfigurationError

FORMAT_VERSION = 1
MINIMUM_ID_LENGTH = 22
MAXIMUM_ID_LENGTH = 128

_ID = re.compile(rf"[A-Za-z0-9_-]{{{MINIMUM_ID_LENGTH},{MAXIMUM_ID_LENGTH}}}", re.ASCII)


@dataclass(slots=True, kw_only=True)
class Changes:
    """Hold what one commit applies to a record.

    Only with a new `timeout` may `expires_at` be earlier than the record's: else the later counts.

    `expected` names values that must still be what they were (None: absent). `timeout` and
    `user_id` are None where they stay as they are.
    """

    accessed_at: float
    updated_at: float
    expires_at: float
    set: Mapping[str, bytes] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    expected: Mapping[str, bytes | None] = field(default_factory=dict)
    timeout: float | None = None
    user_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Record:
    """Hold one session as a store keeps it.

    Times are UTC epoch seconds. `values` has one encoded value for each top-level key. `timeout`
    is the session's own idle timeout in seconds, None for the container's.
    """

    values: dict[str, bytes]
    created_at: float
    accessed_at: float
    updated_at: float
    expires_at: float
    timeout: float | None = None
    user_id: str | None = None
    version: int = FORMAT_VERSION

    def copy(self) -> "Record":
        """Return a record that shares nothing with this one."""
        return Record(
            values=self.values.copy(),
            created_at=self.created_at,
            accessed_at=self.accessed_at,
            updated_at=self.updated_at,
            expires_at=self.expires_at,
            timeout=self.timeout,
            user_id=self.user_id,
            version=self.version,
        )

    def touch(self, expires_at: float, accessed_at: float) -> None:
        """Note a use; a record with a timeout of its own never expires sooner for it.

        A slow request reckons with the timeout that it has seen, and must not undo a longer one.
        """
        own = self.timeout is not None
        self.expires_at = max(self.expires_at, expires_at) if own else expires_at
        self.accessed_at = accessed_at

    def apply(self, changes: Changes) -> None:
        """Become the record that a commit of the changes leaves behind."""
        self.values.update(changes.set)
        for name in changes.removed:
            self.values.pop(name, None)
        self.touch(changes.expires_at, changes.accessed_at)
        self.updated_at = changes.updated_at
        if changes.timeout is not None:
            self.timeout = changes.timeout
            self.expires_at = changes.expires_at
        if changes.user_id is not None:
            self.user_id = changes.user_id


def random_id() -> str:
    """Make an id of 256 random bits."""
    return secrets.token_urlsafe(32)


def new_id(generate: Callable[[], str] = random_id) -> str:
    """Make an id with `generate` and refuse one that is unfit."""
    made = generate()
    if generate is random_id:
        return made
    if not isinstance(made, str):
        raise ConfigurationError(
            f"gen_id returned a value of type {type(made).__name__}, not a str; "
            "return text such as secrets.token_urlsafe(32)"
        )
    if not _ID.fullmatch(made):
        raise ConfigurationError(
            f"gen_id returned {len(made)} characters that are no id; an id has "
            f"{MINIMUM_ID_LENGTH} to {MAXIMUM_ID_LENGTH} of [A-Za-z0-9_-], "
            "such as secrets.token_urlsafe(32)"
        )
    return made


def storage_key(id: str) -> str:
    """Hash the id into the key under which a store keeps the record.

    Whoever reads the store learns no id. Source: FIPS 180-4, SHA-256.
    """
    return hashlib.sha256(id.encode()).hexdigest()
