"""The record that a store keeps for a session, the changes of a commit, and the result of a commit.

Some rules of the store contract concern one record. These rules are written once, in this module:
the result of a commit (`Record.outcome_of`), and the record after a commit or a touch
(`Record.changed_by`, `Record.touched`).
"""

import dataclasses
from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar, Final, NamedTuple

import msgspec

FORMAT_VERSION = 2
ENCRYPTED_VERSION = 1002
"""The version of a record with encrypted values; code that reads plain values refuses it."""

CLOCK_TOLERANCE = 60.0
"""Seconds by which the clocks of two machines may differ."""


class Unchanged(Enum):
    """The type of UNCHANGED, for a field of `Changes` whose value in the record does not change."""

    UNCHANGED = "unchanged"

    def __repr__(self) -> str:
        return self.name


UNCHANGED: Final = Unchanged.UNCHANGED


class Outcome(Enum):
    """The result of a commit."""

    APPLIED = "applied"
    GONE = "gone"
    SUPERSEDED = "superseded"
    CONFLICT = "conflict"


class Grace(NamedTuple):
    """The one earlier secret that may still be used, and until when (epoch seconds)."""

    secret: str
    until: float


@dataclasses.dataclass(frozen=True, slots=True)
class Ended:
    """The answer for a session that was ended a short time ago.

    `at` is the time of the end in epoch seconds.
    """

    at: float


class FrozenStruct(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of Changes and Record: an immutable msgspec Struct, which is faster than a dataclass.

    `dataclasses.replace`, `asdict` and `fields` work on it.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]] = {}

    def __init_subclass__(cls) -> None:
        names = [name for name in cls.__annotations__ if not name.startswith("__")]
        like: Any = dataclasses.make_dataclass(cls.__name__, names)
        cls.__dataclass_fields__ = like.__dataclass_fields__


class Changes(FrozenStruct, frozen=True, kw_only=True, gc=False):
    """The changes that one commit makes to a record.

    `secret` is the secret that the record had when it was loaded. `set` has the values to write,
    each with its name. `removed` has the names of the values to remove; a name in both `set` and
    `removed` is removed. With `clear`, all earlier values are dropped first. `expected` has values
    that the record must still have; None means that the record must have no value with this name.
    `user_id` and `timeout` are UNCHANGED, or the new value, or None to remove the value.
    `new_secret` replaces `secret`. If `grace` is a time, the earlier `secret` may be used until
    this time. A new `created_at` starts the absolute timeout again.
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
        """Return whether the changes concern values only, and not the id, user, timeout or age."""
        return (
            self.new_secret is None
            and self.user_id is UNCHANGED
            and self.timeout is UNCHANGED
            and self.created_at is None
            and not self.clear
        )


class Record(FrozenStruct, frozen=True, kw_only=True, gc=False):
    """One session as a store keeps it; a record is never changed in place.

    `values` has one encoded value for each top-level key, in the order in which the keys were first
    set. `secret` is the hash of the present id, set at `secret_since`. Times are UTC epoch seconds.
    `timeout` is the session's own idle timeout in seconds. None means the timeout of the
    SessionContainer.
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
        """Return the result of a commit of these changes on this record."""
        if changes.new_secret is not None and changes.new_secret == self.secret:
            # The same commit was applied before, but its reply was lost.
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
        """Return whether the secret is the earlier secret of this record, and may still be used."""
        return self.grace is not None and self.grace.secret == secret and now < self.grace.until

    def changed_by(self, changes: Changes, now: float) -> "Record":
        """Return the record after an applied commit."""
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
        """Return the values after the changes, in the order in which they were first set."""
        values = dict(changes.set) if changes.clear else {**self.values, **changes.set}
        for name in changes.removed:
            values.pop(name, None)
        return values

    def touched(self, expires_at: float, accessed_at: float, now: float) -> "Record":
        """Return the record after a request that used the session, but changed no data."""
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
        """Return the four times of the record after a request: created, accessed, updated, expires.

        A use sets `expires_at`, to a later or an earlier time, with these exceptions:
        - If the record has its own timeout, a use that sets no timeout never makes `expires_at`
          earlier, because a slow request possibly does not know the latest timeout.
        - A use that is earlier than the last use of the record changes no time.
        - If `created_at`, `accessed_at` or `updated_at` of the record is more than CLOCK_TOLERANCE
          in the future, a wrong clock has set this time, and it counts as now.
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
    """Return the time, or now if the time is more than CLOCK_TOLERANCE in the future."""
    return now if time > now + CLOCK_TOLERANCE else time


def _grace(record: Record, changes: Changes) -> Grace | None:
    return None if changes.grace is None else Grace(record.secret, changes.grace)
