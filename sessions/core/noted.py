"""Note the events of loads and commits, for containers with listeners; others pay nothing."""

from collections.abc import Sequence
from typing import TypeVar, cast

from sessions.core.pending import Pending
from sessions.core.standing import Standing
from sessions.core.state import State
from sessions.core.stateless import StatelessSessions
from sessions.core.stored import StoredSessions
from sessions.core.verbs import UNKNOWN
from sessions.events import Listener
from sessions.record import Record

P = TypeVar("P", bound=StoredSessions | StatelessSessions)


class NotedCommits:
    """Note what a commit did to the id and the user of a session."""

    def note_creation(self, state: State, record: Record, handle: str) -> None:
        state.note("created", "it was stored for the first time", handle=handle)
        if record.user_id is not None:
            _note_sign_in(state, handle, record.user_id)

    def note_commit(self, state: State, asked: Pending, handle: str) -> None:
        user_id, has_grace = asked.user_id, asked.grace is not None
        if asked.next_id is not None:
            state.note("regenerated", "it has a new id", handle=handle)
        if asked.next_id is not None and has_grace:
            state.note("renewed", "its earlier id still works for a grace time", handle=handle)
        if isinstance(user_id, str):
            _note_sign_in(state, handle, user_id)
            return
        known = None if state.record is None else state.record.user_id
        if user_id is None and known is not None:
            text = "clear_user() signed the user out"
            state.note("signed_out", text, handle=handle, user_id=known)


class NotedSessions(NotedCommits, StoredSessions):
    """Note also that a session was loaded, or that no session has the id of the request."""

    def load_answer(self, state: State, answer: object) -> None:
        is_begun = state.values is not None
        super().load_answer(state, answer)
        if state.record is not None and not is_begun:
            _note_load(state)

    def begin_found(self, state: State) -> None:
        super().begin_found(state)
        # A session that moves here from another system has not begun yet.
        has_begun = state.values is not None
        if has_begun and state.standing is UNKNOWN and not state.is_damaged:
            _note_rejection(state, is_expired=any(record for _, _, record in state.found))


class NotedTokens(NotedCommits, StatelessSessions):
    """Note also that a session was read from its token, or that no token of the request is
    valid."""

    def begin_found(self, state: State) -> None:
        super().begin_found(state)
        if state.record is not None:
            _note_load(state)
        elif state.standing is UNKNOWN and not state.is_damaged:
            standings = [self.token_standing(state, id) for id, _, _ in state.found]
            _note_rejection(state, is_expired=UNKNOWN in standings)


def noted(kind: type[P], listeners: Sequence[Listener]) -> type[P]:
    """Return the class, with events for loads if there are listeners."""
    if not listeners:
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
