"""What a store keeps of a session, what a commit changes in it, and what a store answers.

The laws of the store contract that concern one record are written here once: what a commit finds
(`Record.outcome_of`), and what it leaves behind (`Record.changed_by`, `Record.touched`).
"""

import dataclasses
from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar, Final, NamedTuple

import msgspec

FORMAT_VERSION = 2
CLOCK_TOLERANCE = 60.0
"""Seconds by which the clocks of two machines may differ."""


class Unchanged(Enum):
    """Mark a field of `Changes` that leaves the record's own value alone."""

    UNCHANGED = "unchanged"

    def __repr__(self) -> str:
        return self.name


UNCHANGED: Final = Unchanged.UNCHANGED


class Outcome(Enum):
    """Say what a commit did."""

    APPLIED = "applied"
    GONE = "gone"
    SUPERSEDED = "superseded"
    CONFLICT = "conflict"


class Grace(NamedTuple):
    """Name the one earlier secret that may still be used, and until when (epoch seconds)."""

    secret: str
    until: float


@dataclasses.dataclass(frozen=True, slots=True)
class Ended:
    """Say that a session was ended a short time ago, and when (epoch seconds)."""

    at: float


class FrozenStruct(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of Changes and Record: a msgspec Struct, which is quick to make, that cannot be changed.

    `dataclasses.replace`, `asdict` and `fields` work on it.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]] = {}

    def __init_subclass__(cls) -> None:
        names = [name for name in cls.__annotations__ if not name.startswith("__")]
        like: Any = dataclasses.make_dataclass(cls.__name__, names)
        cls.__dataclass_fields__ = like.__dataclass_fields__


class Changes(FrozenStruct, frozen=True, kw_only=True, gc=False):
    """Hold what one commit applies to a record.

    `secret` is the secret of the record as it was loaded. `set` and `removed` name values; a name
    in both is removed; with `clear` all values of before are dropped first. `expected` names values
    that must still be what they were (None: absent). `user_id` and `timeout` are UNCHANGED, or None
    to take the value away, or the new value. `new_secret` takes the place of `secret`, which stays
    usable until `grace` if that is given. `created_at` begins the absolute timeout anew.
    """

    secret: str
    accessed_at: float
    updated_at: float
    expires_at: float
    set: Mapping[str, bytes] = {}
    removed: frozenset[str] = frozenset()
    expected: Mapping[str, bytes | None] = {}
    user_id: str | Unchanged | None = UNCHANGED
    timeout: float | Unchanged | None = UNCHANGED
    new_secret: str | None = None
    grace: float | None = None
    created_at: float | None = None
    clear: bool = False

    @property
    def only_values(self) -> bool:
        """Return whether the changes leave id, user, timeout and age of the session alone."""
        return (
            self.new_secret is None
            and self.user_id is UNCHANGED
            and self.timeout is UNCHANGED
            and self.created_at is None
            and not self.clear
        )


class Record(FrozenStruct, frozen=True, kw_only=True, gc=False):
    """Hold one session as a store keeps it; nobody changes a record in place.

    `values` has one encoded value for each top-level key, in the order in which the keys were first
    set. `secret` is the hash of the present id, set at `secret_since`. Times are UTC epoch seconds.
    `timeout` is the session's own idle timeout in seconds, None for the container's.
    """

    values: Mapping[str, bytes]
    secret: str
    secret_since: float
    created_at: float
    accessed_at: float
    updated_at: float
    expires_at: float
    grace: Grace | None = None
    timeout: float | None = None
    user_id: str | None = None
    version: int = FORMAT_VERSION

    def outcome_of(self, changes: Changes, now: float) -> Outcome:
        """Return what a commit of the changes finds on this record."""
        if changes.new_secret is not None and changes.new_secret == self.secret:
            # The reply to this very commit was lost.
            return Outcome.APPLIED
        if changes.secret != self.secret and not (
            changes.only_values and self.has_grace(changes.secret, now)
        ):
            return Outcome.SUPERSEDED
        if changes.expected:
            for name, value in changes.expected.items():
                if self.values.get(name) != value:
                    return Outcome.CONFLICT
        return Outcome.APPLIED

    def has_grace(self, secret: str, now: float) -> bool:
        """Return whether this is the earlier secret that may still be used."""
        return self.grace is not None and self.grace.secret == secret and now < self.grace.until

    def changed_by(self, changes: Changes, now: float) -> "Record":
        """Return the record that an applied commit leaves behind."""
        new_secret, timeout, user_id = changes.new_secret, changes.timeout, changes.user_id
        if new_secret is not None and new_secret == self.secret:
            return self
        names_timeout = timeout is not UNCHANGED
        created, accessed, updated, expires = self.times_after(
            changes.accessed_at,
            changes.expires_at,
            now,
            keeps_later=self.timeout is not None and not names_timeout,
        )
        return Record(
            values=self.values_after(changes),
            secret=self.secret if new_secret is None else new_secret,
            secret_since=self.secret_since if new_secret is None else now,
            created_at=created if changes.created_at is None else changes.created_at,
            accessed_at=accessed,
            updated_at=changes.updated_at if accessed == changes.accessed_at else updated,
            expires_at=expires,
            grace=self.grace if new_secret is None else _grace(self, changes),
            timeout=self.timeout if isinstance(timeout, Unchanged) else timeout,
            user_id=self.user_id if isinstance(user_id, Unchanged) else user_id,
            version=self.version,
        )

    def values_after(self, changes: Changes) -> dict[str, bytes]:
        """Return the values that the changes leave behind, in the order of their first sets."""
        values = dict(changes.set) if changes.clear else {**self.values, **changes.set}
        for name in changes.removed:
            values.pop(name, None)
        return values

    def touched(self, expires_at: float, accessed_at: float, now: float) -> "Record":
        """Return the record after a use of it that changed no data."""
        created, accessed, updated, expires = self.times_after(
            accessed_at, expires_at, now, keeps_later=self.timeout is not None
        )
        return msgspec.structs.replace(
            self,
            created_at=created,
            accessed_at=accessed,
            updated_at=updated,
            expires_at=expires,
        )

    def times_after(
        self, accessed_at: float, expires_at: float, now: float, *, keeps_later: bool
    ) -> tuple[float, float, float, float]:
        """Return when the record was created, accessed and updated, and expires, after a use.

        The one law of these times: a use sets `expires_at`, later or sooner, but
        - a record with a timeout of its own never expires sooner by a use that names no timeout,
          for a slow request reckons with the timeout that it has seen;
        - a use that is earlier than the record's last one leaves all times alone;
        - times that lie more than CLOCK_TOLERANCE ahead were set by a wrong clock: they count as
          now.
        """
        latest = now + CLOCK_TOLERANCE
        created = now if self.created_at > latest else self.created_at
        updated = now if self.updated_at > latest else self.updated_at
        if self.accessed_at <= latest:
            if accessed_at < self.accessed_at:
                return created, self.accessed_at, updated, self.expires_at
            if keeps_later and expires_at < self.expires_at:
                expires_at = self.expires_at
        return created, accessed_at, updated, expires_at


def not_ahead(time: float, now: float) -> float:
    """Return the time, or now for one that only a wrong clock can have set."""
    return now if time > now + CLOCK_TOLERANCE else time


def _grace(record: Record, changes: Changes) -> Grace | None:
    return None if changes.grace is None else Grace(record.secret, changes.grace)
