"""The events of sessions, which listeners receive; no event contains an id."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

logger = logging.getLogger("sessions")

EventKind = Literal[
    "created",
    "loaded",
    "rejected",
    "ambiguous",
    "regenerated",
    "renewed",
    "signed_in",
    "signed_out",
    "conflict",
    "gone",
    "destroyed",
    "unreadable",
    "insecure",
    "misplaced",
    "store_failed",
]

RejectReason = Literal[
    "unknown", "tampered", "expired", "malformed", "ambiguous", "too_big", "in_url", "too_many"
]

LOGGED: dict[str, int] = {
    "rejected": logging.INFO,
    "ambiguous": logging.WARNING,
    "gone": logging.INFO,
    "unreadable": logging.ERROR,
    "insecure": logging.WARNING,
    "misplaced": logging.WARNING,
}
"""The kinds of events that are logged, each with its log level."""

EVERYDAY: tuple[RejectReason, ...] = ("unknown", "expired")
"""The reasons of rejections that are not logged, because browsers often send old cookies."""


class EndReason(StrEnum):
    """Why a session ended."""

    LOGOUT = "logout"
    """A request called `destroy()`."""
    TIMEOUT = "timeout"
    """The idle timeout passed without a use of the session, or the absolute timeout passed."""
    RESUME_REFUSED = "resume_refused"
    """The method `resume()` of the session's class returned False."""
    ENDED_BY_USER = "ended_by_user"
    """A program or page called `end_sessions_of()`: "sign out everywhere"."""
    EVICTED = "evicted"
    """The user signed in again, and already had as many sessions as allowed."""
    DELETED = "deleted"
    """A program called `delete()` or `end_session()` of the manager, or somebody ran the command
    `framework sessions end`."""
    REPLACED = "replaced"
    """The client received another session in place of this session."""


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """One thing that happened to a session, after the store acknowledged it.

    `handle` is the public name of the session; it is None if no session is known. `reason` is set
    for the kinds `rejected` and `ambiguous` (one of RejectReason), `destroyed` (an EndReason), and
    `store_failed` (the call that failed). `user_id` is set for `signed_in` and `signed_out`.
    """

    kind: EventKind
    detail: str
    handle: str | None = None
    reason: EndReason | str | None = None
    user_id: str | None = None

    @property
    def log_level(self) -> int | None:
        """Return the level at which the event is logged even without a listener, or None."""
        return None if self.reason in EVERYDAY else LOGGED.get(self.kind)


Listener = Callable[[SessionEvent], object]
"""A function, or in an asynchronous application also a coroutine function."""


@runtime_checkable
class CountsCalls(Protocol):
    """A listener that also counts failed and slow calls of all listeners."""

    def count_call(self, problem: Literal["failed", "slow"]) -> None:
        """Count a failed or slow call of this listener, or of another listener of the manager."""
