"""What sessions promise, said with plain dictionaries."""

from collections import UserDict
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from sessions.record import UNCHANGED, Unchanged

IDLE, ABSOLUTE = 1000.0, 3000.0
TOUCH_INTERVAL = 60.0
REMEMBERED_FOR = 60.0

Values = dict[str, Any]


def lineage(session_id: str) -> str:
    """Return what stays of a session's id for its whole life."""
    return session_id[:22]


class View(UserDict[str, Any]):
    """Hold the values that a handler sees, and know which of them it has set."""

    def __init__(self, values: Values) -> None:
        super().__init__(deepcopy(values))
        self.assigned: set[str] = set()

    def __setitem__(self, key: str, value: object) -> None:
        self.assigned = getattr(self, "assigned", set()) | {key}
        super().__setitem__(key, value)


@dataclass(kw_only=True)
class Kept:
    """What the world keeps of one session."""

    id: str
    since: float
    values: Values
    created: float
    accessed: float
    expires: float
    timeout: float | None = None
    user: str | None = None
    earlier: str | None = None
    earlier_until: float = 0.0

    def is_live(self, now: float) -> bool:
        """Return whether its time is not over."""
        return now < min(self.expires, self.accessed + self.idle, self.created + ABSOLUTE)

    def has_grace(self, session_id: str, now: float) -> bool:
        """Return whether this is the earlier id that may still be used."""
        return self.earlier == session_id and now < self.earlier_until

    def touch_is_due(self, now: float) -> bool:
        """Return whether a use is to be written down."""
        return now - self.accessed >= min(self.idle / 10, TOUCH_INTERVAL)

    def renews_cookie(self, now: float) -> bool:
        """Return whether the browser is to keep the cookie as long as we keep the session.

        Once in each touch interval, also where every request writes, so that no touch is ever due.
        """
        interval = min(self.idle / 10, TOUCH_INTERVAL)
        is_another = now // interval != self.accessed // interval
        return self.timeout is not None and (self.touch_is_due(now) or is_another)

    def use(self, now: float, expires: float, *, names_timeout: bool = False) -> None:
        """Note a use; one that knows nothing of the session's own timeout never shortens it."""
        if self.timeout is not None and not names_timeout:
            expires = max(expires, self.expires)
        self.accessed, self.expires = now, expires

    @property
    def idle(self) -> float:
        """Return the idle timeout."""
        return IDLE if self.timeout is None else self.timeout


@dataclass
class Pending:
    """What the next commit of a request changes besides values."""

    timeout: float | Unchanged | None = UNCHANGED
    user: str | Unchanged | None = UNCHANGED
    id: str | None = None
    grace: float | None = None
    clear: bool = False
    renews_cookie: bool = False

    @property
    def changes_values_only(self) -> bool:
        """Return whether id, user and timeout stay."""
        return self == Pending()

    @property
    def may_leave_grace(self) -> bool:
        """Return whether a new id would be a renewal and nothing more."""
        only_renews = self.id is None or self.grace is not None
        return only_renews and isinstance(self.user, Unchanged)

    def leaves_values(self, *, changes_values: bool) -> bool:
        """Return whether its values are worth a second commit when the id was changed meanwhile."""
        return changes_values and self.may_leave_grace and not self.changes_values_only


@dataclass
class World:
    """All sessions by their lineages, and the present."""

    now: float
    kept: dict[str, Kept] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)

    def judge(self, session_id: str, began: float) -> tuple[str, Kept | None]:
        """Return what an id is worth to a request that began then, and its session."""
        kept = self.kept.get(lineage(session_id))
        if kept is None or self.now >= kept.expires:
            ended = self.ended.get(lineage(session_id), -REMEMBERED_FOR)
            return ("past" if ended > self.now - REMEMBERED_FOR else "unknown"), None
        if not kept.is_live(self.now):
            return "unknown", None
        if kept.id == session_id:
            return "current", kept
        if kept.has_grace(session_id, self.now):
            return "grace", kept
        return ("past" if kept.since > began - REMEMBERED_FOR else "unknown"), None

    def find(self, session_id: str) -> Kept | None:
        """Return the session that a request with the id would see now."""
        return self.judge(session_id, self.now)[1]

    def delete(self, key: str) -> bool:
        """End a session."""
        kept = self.kept.get(key)
        if kept is None or self.now >= kept.expires:
            return False
        del self.kept[key]
        self.ended[key] = self.now
        return True

    def target(self, seen: Kept, pending: Pending) -> Kept | str:
        """Return the session that a commit finds, or why it finds none."""
        kept = self.kept.get(lineage(seen.id))
        if kept is None or self.now >= kept.expires:
            return "gone"
        if kept.id != seen.id and not (
            pending.changes_values_only and kept.has_grace(seen.id, self.now)
        ):
            return "superseded"
        return kept
