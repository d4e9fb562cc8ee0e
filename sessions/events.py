"""The events of sessions, which listeners receive; no event contains an id."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

logger = logging.getLogger("sessions")

EventKind = Literal[
    "created",
    "regenerated",
    "destroyed",
    "gone",
    "rejected",
    "ambiguous",
    "unreadable",
    "insecure",
    "misplaced",
    "store_failed",
]

LOGGED: dict[str, int] = {
    "rejected": logging.INFO,
    "ambiguous": logging.WARNING,
    "gone": logging.INFO,
    "unreadable": logging.ERROR,
    "insecure": logging.WARNING,
    "misplaced": logging.WARNING,
    "store_failed": logging.ERROR,
}
"""The kinds of events that are lines of the log, each with its level."""


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """Describe one thing that happened to a session.

    created, regenerated, destroyed: what a request did. gone: a write was dropped, for the session
    had ended meanwhile. rejected: a token that we did not sign. ambiguous: two different sessions
    in one request. unreadable: a stored record that cannot be read. insecure: a Secure cookie that
    was not sent over plain http. misplaced: a request outside of the cookie's path or domain.
    store_failed: the use of a session could not be written down; the page was served.
    """

    kind: EventKind
    detail: str


Listener = Callable[[SessionEvent], None]


def emit(listeners: Iterable[Listener], kind: EventKind, detail: str) -> None:
    """Log what is worth a line and tell every listener."""
    level = LOGGED.get(kind)
    if level is not None:
        logger.log(level, "session %s: %s", kind, detail)
    event = SessionEvent(kind, detail)
    for listener in listeners:
        try:
            listener(event)
        # A listener observes: whatever is wrong with it, the request goes on.
        except Exception:
            logger.exception("the session listener %r failed on the event %r", listener, kind)
