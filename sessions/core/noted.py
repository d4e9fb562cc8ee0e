"""Classes that add events for loads and commits, used only if a container has listeners."""

from itertools import count
from typing import Any, TypeVar, cast

from sessions.core.ids import Id
from sessions.core.limits import CREATIONS_PER_PURGE
from sessions.core.notes import Ending
from sessions.core.pending import Pending
from sessions.core.persistence import Flow
from sessions.core.standing import Found, Standing
from sessions.core.state import Ask, State
from sessions.core.stateless import StatelessSessions
from sessions.core.stored import StoredSessions
from sessions.core.values import WAITING
from sessions.core.verbs import UNKNOWN, MemoryVerbs, Rules, Why
from sessions.events import EndReason
from sessions.record import Record

_LAPSED = "its timeout was over"

P = TypeVar("P", bound=MemoryVerbs)


class NotedCommits:
    """Add the events of a session to its state: a new id, a sign-in or sign-out, and its end."""

    rules: Rules

    def note_end(self, state: State, handle: str, detail: str, ending: Why) -> None:
        # Note the ending first, because the code that sends the event also calls `finish`.
        if self.rules.finishes:
            state.note_ending(Ending(handle, ending.reason, ending.record))
        state.note_end(handle, detail, ending.reason)

    def note_creation(self, state: State, record: Record, handle: str) -> None:
        state.note("created", "it was stored for the first time", handle=handle)
        if record.user_id is not None:
            _note_sign_in(state, handle, record.user_id)

    def note_commit(self, state: State, asked: Pending, handle: str, known: str | None) -> None:
        user_id, has_grace = asked.user_id, asked.grace is not None
        if asked.next_id is not None:
            state.note("regenerated", "it has a new id", handle=handle)
        if asked.next_id is not None and has_grace:
            state.note("renewed", "its earlier id still works for a grace time", handle=handle)
        if isinstance(user_id, str):
            _note_sign_in(state, handle, user_id)
            return
        if user_id is None and known is not None:
            text = "clear_user() signed the user out"
            state.note("signed_out", text, handle=handle, user_id=known)


class NotedSessions(NotedCommits, StoredSessions):
    """Add more events: for a loaded session, an expired session, and an unknown id."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._creations = count(1)

    def load_ask(self, state: State) -> Ask | None:
        ask = None if state.lapsing else super().load_ask(state)
        if state.lapsing and state.values is None:
            return ("take_expired", state.lapsing[0][0].key)
        return ask

    def load_answer(self, state: State, answer: object) -> None:
        is_begun = state.values is not None
        if state.lapsing:
            self._lapse(state, state.lapsing[0], answer)
            return
        super().load_answer(state, answer)
        if state.record is not None and not is_begun:
            _note_load(state)

    def begin_found(self, state: State) -> None:
        if state.lapsing is None and not state.is_damaged:
            state.lapsing = self._expired(state)
        if state.lapsing:
            return
        super().begin_found(state)
        # A session that moves here from another system has not begun yet.
        has_begun = state.values is not None
        is_told = state.is_damaged or state.is_rejected
        if has_begun and state.standing is UNKNOWN and not is_told:
            _note_rejection(state, is_expired=any(map(self._has_expired, state.found)))

    def end_expired(self, state: State, id: Id) -> Flow[None]:
        if self.rules.takes_expired:
            expired = yield ("take_expired", id.key)
            if isinstance(expired, Record):
                self.note_end(state, id.key, _LAPSED, Why(EndReason.TIMEOUT, expired))

    def before_end(self, state: State, id: Id) -> Flow[Record | None]:
        yield from super().before_end(state, id)
        if not self.rules.finishes:
            return None
        answer = self.opened(state, id, (yield ("load", id.key)))
        return answer if isinstance(answer, Record) else None

    def purge(self, state: State, limit: int) -> Flow[int]:
        """Remove expired records, and add an event for the end of each session."""
        expired: list[tuple[str, Record]] = yield ("purge_expired", limit)
        sessions = [pair for pair in expired if WAITING not in pair[1].values]
        for key, record in sessions:
            self.note_end(state, key, _LAPSED, Why(EndReason.TIMEOUT, record))
        return len(expired)

    def _create(self, state: State, values: dict[str, bytes]) -> Flow[None]:
        yield from super()._create(state, values)
        # The store leaves expired records to this purge, so that an event reports each end.
        if self.rules.purges_at_creations and next(self._creations) % CREATIONS_PER_PURGE == 0:
            yield from self.noting_failures(state, self._purge_some(state))

    def _purge_some(self, state: State) -> Flow[None]:
        yield from self.purge(state, 5 * CREATIONS_PER_PURGE)

    def _expired(self, state: State) -> tuple[Found, ...]:
        """Return the ids whose sessions have possibly expired.

        The result is empty if any id of the request has a `Standing` other than UNKNOWN.
        """
        if any(standing is not UNKNOWN for _, standing, _ in state.found):
            return ()
        takes = self.rules.takes_expired
        return tuple(found for found in state.found if takes and found[2] is None)

    def _has_expired(self, found: Found) -> bool:
        id, _, record = found
        if record is None:
            return False
        # If even the present id finds no live session, the session has expired.
        present = Id(id.text, id.key, record.secret)
        return self.standings.standing(present, record, self.clock()) is UNKNOWN

    def _lapse(self, state: State, found: Found, answer: object) -> None:
        """Add an event if the store has just removed an expired session for this request."""
        id, standing, _ = found
        if isinstance(answer, Record):
            expired = (id, standing, answer)
            state.found = tuple([expired if one is found else one for one in state.found])
            opened = self.opened(state, id, answer)
            record = opened if isinstance(opened, Record) else None
            self.note_end(state, id.key, _LAPSED, Why(EndReason.TIMEOUT, record))
        state.lapsing = (state.lapsing or ())[1:]
        if not state.lapsing and state.values is None:
            # Without values, destroy() was not called in the meantime.
            self.begin_found(state)


class NotedTokens(NotedCommits, StatelessSessions):
    """Add two events for tokens: a session was read from its token, or no token is valid."""

    def begin_found(self, state: State) -> None:
        super().begin_found(state)
        if state.record is not None:
            _note_load(state)
        elif state.values is not None and state.standing is UNKNOWN and not state.is_damaged:
            standings = [self.token_standing(state, id) for id, _, _ in state.found]
            _note_rejection(state, is_expired=UNKNOWN in standings)


def noted(kind: type[P], *, is_needed: bool) -> type[P]:
    """Return the class, with events for loads, commits and ends if the container needs them."""
    if not is_needed:
        return kind
    mixin = NotedSessions if issubclass(kind, StoredSessions) else NotedTokens
    return cast("type[P]", type(f"Noted{kind.__name__}", (mixin, kind), {}))


def _note_sign_in(state: State, handle: str, user_id: str) -> None:
    text = "set_user() signed a user in"
    state.note("signed_in", text, handle=handle, user_id=user_id)


def _note_load(state: State) -> None:
    is_current = state.standing is Standing.CURRENT
    state.note("loaded", "it was loaded" if is_current else "it was loaded with an earlier id")


def _note_rejection(state: State, *, is_expired: bool) -> None:
    handle = state.found[0][0].key
    if is_expired:
        state.note("rejected", "the session of the id has expired", "expired", handle=handle)
    else:
        state.note("rejected", "no session has the id", "unknown", handle=handle)
