"""Whether the token of a request is current, in grace, past or unknown."""

from collections.abc import Callable, Iterable
from enum import Enum, auto

from sessions.core.ids import Id
from sessions.core.lifetime import Lifetimes
from sessions.core.limits import REMEMBERED_FOR
from sessions.record import FORMAT_VERSION, Ended, Record


class Standing(Enum):
    """Say what the token of a request is worth."""

    FRESH = auto()
    """There is no token, or none that counts."""
    CURRENT = auto()
    """It is the present id of a live session."""
    GRACE = auto()
    """It is an earlier id of a live session that may still be used."""
    PAST = auto()
    """It was an id of a session until a moment ago: it reads and stores nothing."""
    AMBIGUOUS = auto()
    """The request has ids of several live sessions: none is used, and nothing is stored."""
    UNKNOWN = auto()
    """No session has this id, or it lost the id long ago: the request begins a new session."""


Found = tuple[Id, Standing, Record | None]
"""An id of a request, the standing of the id, and the record of its session in the store."""

_CURRENT, _GRACE, _PAST = Standing.CURRENT, Standing.GRACE, Standing.PAST
_UNKNOWN = Standing.UNKNOWN


class TokenStandings:
    """Say what ids are worth to the requests of one container."""

    def __init__(self, lifetimes: Lifetimes, clock: Callable[[], float]) -> None:
        self._idle = lifetimes.idle
        self._absolute = lifetimes.absolute
        self._clock = clock

    def standing(self, id: Id, answer: object, began_at: float) -> Standing:
        """Return what the id is worth to a request that began at this time.

        `answer` is what the store said to a load; an exception stands for a damaged record.
        """
        if isinstance(answer, Record):
            now = self._clock()
            idle = self._idle if answer.timeout is None else answer.timeout
            # Its time may be over by the settings of today. One that a wrong clock has set ahead
            # counts as now, which lies within both timeouts, and so does the time ahead.
            is_live = (
                now < answer.expires_at
                and now < answer.accessed_at + idle
                and now < answer.created_at + self._absolute
            )
            if not is_live or answer.version > FORMAT_VERSION:
                return _UNKNOWN
            if answer.secret == id.secret:
                return _CURRENT
            if answer.has_grace(id.secret, now):
                return _GRACE
            changed_at = answer.secret_since
        elif isinstance(answer, Ended):
            changed_at = answer.at
        else:
            return _UNKNOWN
        return _PAST if changed_at > began_at - REMEMBERED_FOR else _UNKNOWN


def damage_of(answer: object) -> str | None:
    """Return why nobody can read what the store has, None if that is not so."""
    if isinstance(answer, Record) and answer.version > FORMAT_VERSION:
        return f"its record has format {answer.version}, this release knows {FORMAT_VERSION}"
    return f"{answer}" if isinstance(answer, Exception) else None


def live_ones(found: Iterable[Found]) -> list[Found]:
    """Return the live sessions, each one once, by its present id if the request has it."""
    live: dict[str, Found] = {}
    for one in found:
        id, standing, _ = one
        if standing is _CURRENT or (standing is _GRACE and id.key not in live):
            live[id.key] = one
    return list(live.values())
