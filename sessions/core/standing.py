"""Decide whether the id of a request is current, in its grace time, past or unknown.

The grace time of an id begins when the session gets a new id. It is the time in which requests can
still use the earlier id.
"""

from collections.abc import Callable, Iterable
from enum import Enum, auto

from sessions.core.ids import Id
from sessions.core.lifetime import Lifetimes
from sessions.core.limits import FARTHEST_AHEAD, REMEMBERED_FOR
from sessions.record import ENCRYPTED_VERSION, FORMAT_VERSION, Ended, Record


class Standing(Enum):
    """What a request may do with the ids that it sent: read, write, or nothing."""

    FRESH = auto()
    """The request has no valid token."""
    CURRENT = auto()
    """The id is the present id of a live session."""
    GRACE = auto()
    """The id is an earlier id of a live session, and its grace time is not over."""
    PAST = auto()
    """The id belonged to a session until a moment ago: the request reads and stores nothing."""
    AMBIGUOUS = auto()
    """The request has ids of several live sessions: the request reads and stores nothing."""
    UNKNOWN = auto()
    """The id is unknown, expired, or replaced long ago: the request begins a new session."""


Found = tuple[Id, Standing, Record | None]
"""An id of a request, the standing of the id, and the record of its session in the store."""

_CURRENT, _GRACE, _PAST = Standing.CURRENT, Standing.GRACE, Standing.PAST
_UNKNOWN = Standing.UNKNOWN


class TokenStandings:
    """Find out the `Standing` of an id: what the request with the id may do."""

    def __init__(self, lifetimes: Lifetimes, clock: Callable[[], float]) -> None:
        self._idle = lifetimes.idle
        self._absolute = lifetimes.absolute
        self._longest = lifetimes.longest
        self._clock = clock

    def standing(self, id: Id, answer: object, began_at: float) -> Standing:
        """Return the `Standing` of an id: what a request that began at `began_at` may do with it.

        `answer` is the store's answer to a load; an exception means a damaged record.
        """
        if isinstance(answer, Record):
            now = self._clock()
            idle = self._idle if answer.timeout is None else answer.timeout
            absolute = self._absolute if answer.timeout is None else self._absolute_of(idle)
            # The timeouts of the settings may be shorter than when the record was written. A time
            # in the future comes from a wrong clock and counts as now, so it passes these checks.
            is_live = (
                now < answer.expires_at
                and now < answer.accessed_at + idle
                and now < answer.created_at + absolute
            )
            if not is_live or answer.version > FORMAT_VERSION:
                return _UNKNOWN
            if answer.secret == id.secret:
                return _CURRENT
            if answer.has_grace(id.secret, now) and not _is_too_late(answer, now):
                return _GRACE
            changed_at = answer.secret_since
        elif isinstance(answer, Ended):
            changed_at = answer.at
        else:
            return _UNKNOWN
        return _PAST if changed_at > began_at - REMEMBERED_FOR else _UNKNOWN

    def _absolute_of(self, timeout: float) -> float:
        """Return the absolute timeout of a session whose own idle timeout is `timeout`."""
        return self._longest if timeout > self._absolute else self._absolute


def _is_too_late(record: Record, now: float) -> bool:
    """Return whether a grace time ends much too late, because a wrong clock has set its end."""
    return record.grace is not None and record.grace.until > now + FARTHEST_AHEAD


def damage_of(answer: object) -> str | None:
    """Return why the stored record cannot be read, or None if it can be read."""
    if isinstance(answer, Record) and answer.version == ENCRYPTED_VERSION:
        return (
            "its values are encrypted, but this container has no encryption_keys. Fix: give"
            " SessionContainer(encryption_keys=[...]) the keys that encrypted the values"
        )
    if isinstance(answer, Record) and answer.version > FORMAT_VERSION:
        return (
            f"its record has format {answer.version}, but this release reads formats up to"
            f" {FORMAT_VERSION}"
        )
    return f"{answer}" if isinstance(answer, Exception) else None


def live_ones(found: Iterable[Found]) -> list[Found]:
    """Return each live session once, with one id of the request.

    If the request has the current id and an earlier id of a session, the current id is returned.
    """
    live: dict[str, Found] = {}
    for one in found:
        id, standing, _ = one
        if standing is _CURRENT or (standing is _GRACE and id.key not in live):
            live[id.key] = one
    return list(live.values())
