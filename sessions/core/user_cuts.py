"""The cuts in a list of revocations: a cut ends all earlier sessions of one user, or all but one.

If a user's sessions were ended, the list has one entry for this user. The entry has the time of the
cut, and the key of the session that goes on, if there is one. The entry stays until every session
that began before the cut has expired.
"""

from math import inf, nextafter
from typing import Final, NamedTuple

from sessions.core import codec
from sessions.core.ids import hash_of, random_secret
from sessions.errors import UnreadableValue
from sessions.record import CLOCK_TOLERANCE, Changes, Record
from sessions.stores.user_index import hash_of_user

_CUT: Final = "cut"


class Cut(NamedTuple):
    """The time at which all sessions of a user were ended, except one.

    `kept` is the key of the session that goes on. This session must have begun after `kept_since`,
    the time of an earlier cut, because the earlier cut ended all older sessions.
    """

    until: float = 0.0
    kept: str | None = None
    kept_since: float = 0.0

    def ends(self, key: str, created_at: float) -> bool:
        """Return whether this cut ends the session with this key.

        A cut ends all earlier sessions of a user, or all but one.
        """
        return created_at <= (self.kept_since if key == self.kept else self.until)

    def then(self, now: float, keep: str | None) -> "Cut":
        """Return the `Cut` that ends all sessions of the user now, except the session `keep`."""
        kept_since = self.kept_since if keep == self.kept else self.until
        return Cut(max(now, self.until), keep, kept_since)

    def later(self, created_at: float) -> float:
        """Return `created_at`, or a time just after this cut if `created_at` is not after the cut.

        A cut ends sessions that began before it, so it does not end a session that began at the
        returned time. The cut can be in the future, because the clock of the server that made the
        cut can be ahead.
        """
        return created_at if created_at > self.until else nextafter(self.until, inf)


def cut_key(user_id: str) -> str:
    """Return the key of a user's entry in the list of revocations."""
    return hash_of(f"user:{hash_of_user(user_id)}")


def cut_in(answer: object) -> Cut:
    """Return the cut in a user's entry: when all sessions of the user, or all but one, were ended.

    A damaged entry ends every session that began before the entry was last changed.
    """
    if not isinstance(answer, Record):
        return Cut()
    try:
        until, kept, kept_since = codec.decode(answer.values.get(_CUT, b""))
        return Cut(float(until), kept, float(kept_since))
    except (UnreadableValue, ValueError, TypeError):
        return Cut(answer.updated_at, None, answer.updated_at)


def entry_of(cut: Cut, absolute: float, now: float) -> Record:
    """Return the entry that stores a cut in a list of revocations; a cut ends earlier sessions.

    The entry expires later than every session that the cut ends.
    """
    return Record(
        values={_CUT: codec.encode([cut.until, cut.kept, cut.kept_since])},
        secret=hash_of(random_secret()),
        secret_since=now,
        created_at=now,
        accessed_at=now,
        updated_at=now,
        expires_at=max(now, cut.until) + absolute + CLOCK_TOLERANCE,
    )


def changes_between(known: Record, entry: Record) -> Changes:
    """Return the changes that replace the entry `known` by `entry` in a list of revocations.

    Both entries have one value, and its name is the same in both entries.
    """
    return Changes(
        secret=known.secret,
        accessed_at=entry.accessed_at,
        updated_at=entry.updated_at,
        expires_at=entry.expires_at,
        set=entry.values,
        expected={name: known.values.get(name) for name in entry.values},
    )
