"""Compare the records of a session in two stores, and decide how to copy the session."""

from enum import Enum

from sessions.record import Changes, Ended, Record

__all__ = ["Copied", "changes_to", "what_to_do"]


class Copied(Enum):
    """The result of the copy of one session."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    NEWER = "newer"
    ENDED = "ended"


def what_to_do(record: Record, there: Record | Ended | None) -> Copied:
    """Return how to copy a record; `there` is what the other store has under the same key."""
    if there is None:
        return Copied.NEW
    if isinstance(there, Ended):
        # A copy must not bring an ended session back.
        return Copied.ENDED
    here, other = (record.updated_at, record.accessed_at), (there.updated_at, there.accessed_at)
    if here == other:
        return Copied.SAME
    return Copied.CHANGED if here > other else Copied.NEWER


def changes_to(there: Record, record: Record) -> Changes:
    """Return the changes that turn an earlier copy (`there`) into the present record.

    The commit fails if another request has changed the earlier copy. If the secret is new, its
    `secret_since` becomes the time of the commit, because a store itself sets this time.
    """
    is_renewed = record.secret != there.secret
    grace = record.grace
    keeps_grace = is_renewed and grace is not None and grace.secret == there.secret
    return Changes(
        secret=there.secret,
        accessed_at=record.accessed_at,
        updated_at=record.updated_at,
        expires_at=record.expires_at,
        set=record.values,
        expected={**dict.fromkeys(record.values), **there.values},
        user_id=record.user_id,
        timeout=record.timeout,
        new_secret=record.secret if is_renewed else None,
        grace=grace.until if keeps_grace and grace is not None else None,
        created_at=record.created_at,
        clear=True,
    )
