"""Build the record of a new session, and the changes that a commit sends to the store."""

from dataclasses import replace

from sessions.core.ids import Id, hash_of, random_secret
from sessions.core.lifetime import Lifetimes
from sessions.core.pending import NOTHING_PENDING, Pending
from sessions.core.state import Difference, State
from sessions.record import Changes, Record, Unchanged, not_ahead


def first_record(
    state: State, id: Id, values: dict[str, bytes], lifetimes: Lifetimes, now: float
) -> Record:
    """Return the record of a new session."""
    timeout, user_id = state.pending.timeout, state.pending.user_id
    user = None if isinstance(user_id, Unchanged) else user_id
    own = None if isinstance(timeout, Unchanged) else timeout
    created_at = state.started_at if user is None else now
    return Record(
        values=values,
        secret=id.secret,
        secret_since=now,
        created_at=created_at,
        accessed_at=now,
        updated_at=now,
        expires_at=lifetimes.end(created_at, own, now),
        timeout=own,
        user_id=user,
    )


def no_session(values: dict[str, bytes], now: float, expires_at: float) -> Record:
    """Return a record that holds no session: its secret is random, so no id opens the record."""
    return Record(
        values=values,
        secret=hash_of(random_secret()),
        secret_since=now,
        created_at=now,
        accessed_at=now,
        updated_at=now,
        expires_at=expires_at,
    )


def changes_of(
    record: Record, pending: Pending, difference: Difference, lifetimes: Lifetimes, now: float
) -> Changes:
    """Return the changes that a request made to the record of its session."""
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


def without_use(record: Record, changes: Changes, lifetimes: Lifetimes) -> Changes:
    """Return the changes of a request that does not extend the session: the expiry stays.

    A sign-in extends the session in any case.
    """
    if isinstance(changes.user_id, str):
        return changes
    expires_at = record.expires_at
    if not isinstance(changes.timeout, Unchanged):
        expires_at = lifetimes.end(record.created_at, changes.timeout, record.accessed_at)
    return replace(changes, accessed_at=record.accessed_at, expires_at=expires_at)


def _more_than_values(
    record: Record, pending: Pending, difference: Difference, lifetimes: Lifetimes, now: float
) -> Changes:
    changed, removed = difference
    timeout, user_id, next_id = pending.timeout, pending.user_id, pending.next_id
    created_at = now if isinstance(user_id, str) else None
    if pending.renews and created_at is None:
        # This is the time that the record has already. Its presence makes the store refuse the
        # commit of an earlier id with grace, so only a client with the present id gets a cookie.
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
        grace=pending.grace,
        created_at=created_at,
        clear=pending.clear,
    )
