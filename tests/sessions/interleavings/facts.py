"""What an id may do, computed without the core."""

from functools import lru_cache

from sessions.core.ids import Id, read_id
from sessions.core.standing import Standing
from sessions.record import Record
from tests.sessions.interleavings.contents import Contents


@lru_cache(1000)
def id_of(token: str | None) -> Id | None:
    """Return the id that a token of ours carries."""
    return read_id(token.partition(".")[0]) if token else None


def worth_of(id: Id, record: Record | None, now: float) -> Standing | None:
    """Return whether the id is the present id of a live record, an id with grace, or neither."""
    if record is None or now >= record.expires_at:
        return None
    if record.secret == id.secret:
        return Standing.CURRENT
    grace = record.grace
    has_grace = grace is not None and grace.secret == id.secret and now < grace.until
    return Standing.GRACE if has_grace else None


def reads(id: Id, contents: Contents, now: float) -> Record | None:
    """Return the record that the id may read."""
    record = contents.live(id.key, now)
    return None if worth_of(id, record, now) is None else record


def is_expired(key: str, contents: Contents, now: float) -> bool:
    """Return whether the store has a record that has expired."""
    entry = contents.entries.get(key)
    return isinstance(entry, Record) and now >= entry.expires_at
