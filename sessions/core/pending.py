"""The changes that the next commit of a session makes, except changes of values."""

from typing import Any

import msgspec

from sessions.core.ids import Id
from sessions.record import UNCHANGED, Unchanged


class Pending(msgspec.Struct, frozen=True, gc=False):
    """The changes that the next commit makes, except changes of values."""

    timeout: float | Unchanged | None = UNCHANGED
    user_id: str | Unchanged | None = UNCHANGED
    next_id: Id | None = None
    grace: float | None = None
    clear: bool = False
    renews: bool = False

    @property
    def is_worth_a_record(self) -> bool:
        """Return whether these changes alone are a reason to store a new session."""
        return isinstance(self.user_id, str) or isinstance(self.timeout, float)

    @property
    def is_worth_another_try(self) -> bool:
        """Return whether to try a failed commit again, now with the changes of values only.

        The first commit has failed because another request had changed the id.
        """
        renews = self.next_id is None or self.grace is not None
        return self != NOTHING_PENDING and renews and self.user_id is UNCHANGED

    def then(self, **changes: Any) -> "Pending":
        """Return a copy with these fields replaced; NOTHING_PENDING if the copy holds no change."""
        changed = msgspec.structs.replace(self, **changes)
        return NOTHING_PENDING if changed == NOTHING_PENDING else changed

    def since(self, asked: "Pending") -> "Pending":
        """Return the changes that were added after `asked` was sent in a commit."""
        if self is asked:
            return NOTHING_PENDING
        changes = msgspec.structs.asdict(self)
        for name, earlier in msgspec.structs.asdict(asked).items():
            if changes[name] == earlier:
                del changes[name]
        return NOTHING_PENDING.then(**changes)


NOTHING_PENDING = Pending()
