"""The content of a commit: what a request changed in a stored session."""

from sessions.core.lifetime import Lifetimes
from sessions.core.pending import NOTHING_PENDING, Pending
from sessions.core.state import Difference
from sessions.record import Changes, Record, Unchanged, not_ahead


def changes_of(
    record: Record, pending: Pending, difference: Difference, lifetimes: Lifetimes, now: float
) -> Changes:
    """Return what changes a record into what the request made of it."""
    if pending is NOTHING_PENDING:
        changed, removed = difference
        return Changes(
            secret=record.secret,
            accessed_at=now,
            updated_at=now if changed or removed else record.updated_at,
            expires_at=lifetimes.end_of(record, now),
            set=changed,
            removed=removed,
        )
    return _more_than_values(record, pending, difference, lifetimes, now)


def _more_than_values(
    record: Record, pending: Pending, difference: Difference, lifetimes: Lifetimes, now: float
) -> Changes:
    changed, removed = difference
    timeout, user_id, next_id, grace, clear, renews = pending
    created_at = now if isinstance(user_id, str) else None
    if renews and created_at is None:
        # This changes nothing, but it is more than values, which a grace would let through: if the
        # commit is applied, the id is the present one, and the client may get its cookie anew.
        created_at = not_ahead(record.created_at, now)
    own = record.timeout if isinstance(timeout, Unchanged) else timeout
    return Changes(
        secret=record.secret,
        accessed_at=now,
        updated_at=now if changed or removed else record.updated_at,
        expires_at=lifetimes.end(created_at or record.created_at, own, now),
        set=changed,
        removed=removed,
        user_id=user_id,
        timeout=timeout,
        new_secret=None if next_id is None else next_id.secret,
        grace=grace,
        created_at=created_at,
        clear=clear,
    )
