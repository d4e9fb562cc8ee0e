"""The changes that wait for the next commit of a session, besides its values."""

from typing import Any, NamedTuple

from sessions.core.ids import Id
from sessions.record import UNCHANGED, Unchanged


class Pending(NamedTuple):
    """Hold what the next commit is to change besides values."""

    timeout: float | Unchanged | None = UNCHANGED
    user_id: str | Unchanged | None = UNCHANGED
    next_id: Id | None = None
    grace: float | None = None
    clear: bool = False
    renews: bool = False

    @property
    def is_worth_a_record(self) -> bool:
        """Return whether a new session without values is to be stored."""
        return isinstance(self.user_id, str) or isinstance(self.timeout, float)

    @property
    def is_worth_another_try(self) -> bool:
        """Return whether the values of a lost commit are worth a second one without the rest."""
        renews = self.next_id is None or self.grace is not None
        return self != NOTHING_PENDING and renews and self.user_id is UNCHANGED

    def then(self, **changes: Any) -> "Pending":
        """Return the same with changes; NOTHING_PENDING itself if nothing is pending then."""
        changed = self._replace(**changes)
        return NOTHING_PENDING if changed == NOTHING_PENDING else changed

    def since(self, asked: "Pending") -> "Pending":
        """Return what has been added since a commit was asked for."""
        fields = zip(self._fields, self, asked, strict=True)
        return NOTHING_PENDING.then(**{name: now for name, now, then in fields if now != then})


NOTHING_PENDING = Pending()
