"""The events of a request, which its state keeps until listeners receive them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sessions.core.ids import Id
from sessions.core.locks import lock_across_forks
from sessions.events import EndReason, EventKind, SessionEvent
from sessions.record import Record


class Ending(NamedTuple):
    """A session that has ended, and the reason; `finish` is called for this session later."""

    handle: str
    reason: EndReason
    record: Record | None


# Threads of one request may add events, and take them to the listeners, at the same time.
_noting = lock_across_forks()

NO_REASONS: Mapping[str, EndReason] = MappingProxyType({})


class Notes:
    """Keep events in the state of a session; `Driver.tell` sends them when no lock is held."""

    # A type checker would read the slots as the list of all attributes.
    if not TYPE_CHECKING:
        __slots__ = ()

    id: Id | None
    is_obstructed: bool
    is_bounded: bool
    failure: Exception | None
    events: tuple[SessionEvent, ...]
    endings: tuple[Ending, ...]
    ends: int
    end_reasons: Mapping[str, EndReason]

    def note(
        self,
        kind: EventKind,
        detail: str,
        reason: EndReason | str | None = None,
        *,
        handle: str | None = None,
        user_id: str | None = None,
    ) -> None:
        """Keep an event for the listeners; without `handle`, the event is about this session."""
        if handle is None and self.id is not None:
            handle = self.id.key
        event = SessionEvent(kind, detail, handle, reason, user_id)
        with _noting:
            self.events = (*self.events, event)

    def note_end(self, handle: str, detail: str, reason: EndReason) -> None:
        """Keep the event that a session has ended; count the end unless the session had expired."""
        if reason is not EndReason.TIMEOUT:
            self.ends += 1
        self.note("destroyed", detail, reason, handle=handle)

    def note_ending(self, ending: Ending) -> None:
        """Remember that a session has ended, until `finish` is called for this session."""
        with _noting:
            self.endings = (*self.endings, ending)

    def take_events(self) -> tuple[SessionEvent, ...]:
        """Return the events that no earlier call has returned."""
        with _noting:
            events, self.events = self.events, ()
        return events

    def take_endings(self) -> tuple[Ending, ...]:
        """Return the sessions that ended since the last call; the caller then calls `finish`."""
        with _noting:
            endings, self.endings = self.endings, ()
        return endings

    def note_obstacle(self, obstacle: tuple[EventKind, str]) -> None:
        """At the first call, keep an event that says why the client can have no session."""
        if not self.is_obstructed:
            self.is_obstructed = True
            self.note(*obstacle, reason="too_big" if obstacle[0] == "rejected" else None)

    def note_failure(self, verb: str, error: Exception) -> None:
        """Keep the event of a failed store call; the request then makes no other store call."""
        self.failure = error if self.is_bounded else None
        self.note("store_failed", f"the call {verb} failed: {error}", verb)
