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
"""The kinds of events that are logged, each with its log level."""


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """Describe one thing that happened to a session.

    created, regenerated, destroyed: a request did this to the session. gone: a write was dropped,
    because the session had ended in the meantime. rejected: none of our keys signed the token.
    ambiguous: one request has several different sessions. unreadable: a stored record cannot be
    read. insecure: a Secure cookie is not sent over plain http. misplaced: the request is outside
    of the cookie's path or domain. store_failed: the use of a session could not be stored, but the
    request was answered.
    """

    kind: EventKind
    detail: str


Listener = Callable[[SessionEvent], None]


def emit(listeners: Iterable[Listener], kind: EventKind, detail: str) -> None:
    """Log the event if its kind has a log level, and call every listener."""
    level = LOGGED.get(kind)
    if level is not None:
        logger.log(level, "session %s: %s", kind, detail)
    event = SessionEvent(kind, detail)
    for listener in listeners:
        try:
            listener(event)
        # An error of a listener must not change the request.
        except Exception:
            logger.exception("the session listener %r failed on the event %r", listener, kind)
