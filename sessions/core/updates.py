"""Change one value atomically, although other requests change it too: compare, set, try again."""

from collections.abc import Callable
from typing import Any, Protocol

from sessions.core import codec
from sessions.core.ids import Id
from sessions.core.lifetime import Lifetimes
from sessions.core.limits import UPDATE_ATTEMPTS
from sessions.core.persistence import Flow
from sessions.core.standing import Standing
from sessions.core.state import Ask, State, check_size
from sessions.core.values import encode_value
from sessions.errors import SessionNotFound, StoreUnavailable, UnreadableValue
from sessions.record import Changes, Outcome, Record

_EXCHANGED = (Outcome.APPLIED, Outcome.CONFLICT)


class Commits(Protocol):
    """The attributes and methods of StoredSessions that an update calls."""

    clock: Callable[[], float]
    lifetimes: Lifetimes

    def save(self, state: State) -> Flow[None]: ...
    def load_again(self, state: State, id: Id) -> Flow[tuple[Standing, Record]]: ...
    def changes_as_stored(self, state: State, id: Id, changes: Changes) -> Changes: ...
    def counted(self, state: State, record: Record, changes: Changes) -> Changes: ...
    def must(self, state: State, ask: Ask) -> Ask: ...
    def done(self, state: State) -> None: ...
    def lose(self, state: State, detail: str) -> None: ...


def update(sessions: Commits, state: State, key: str, function: Callable[[Any], Any]) -> Flow[Any]:
    """Replace one value by the result of the function; the function can run more than once."""
    yield from _save_first(sessions, state, key)
    for _ in range(UPDATE_ATTEMPTS):
        stored = state.base.get(key)
        value = function(_decoded(state, stored, None))
        encoded = encode_value(key, value)
        if state.record is None:
            state.set(key, value)
            yield from sessions.save(state)
            return value
        if (yield from _exchange(sessions, state, key, encoded)):
            return value
    raise _contended(key)


def take(sessions: Commits, state: State, key: str, default: object) -> Flow[Any]:
    """Remove one value and return it; of several concurrent callers, only one receives it."""
    yield from _save_first(sessions, state, key)
    for _ in range(UPDATE_ATTEMPTS):
        stored = state.base.get(key)
        if state.record is None and state.values is not None:
            # The session is not stored, so no other request can take the value.
            return state.values.pop(key, default)
        if stored is None:
            return default
        if (yield from _exchange(sessions, state, key, None)):
            return _decoded(state, stored, default)
    raise _contended(key)


def ended() -> SessionNotFound:
    """Return the error for an operation on a session that has ended."""
    return SessionNotFound(
        "another request ended the session or changed its id, so nothing was changed. Fix: answer"
        " as for a visitor without a session, or sign the user in again with set_user()"
    )


def _save_first(sessions: Commits, state: State, key: str) -> Flow[None]:
    """Save all changes now, if the request has signed a user in or has changed this value itself.

    Without a stored sign-in, the value would go to the session of the previous user, or to a
    session whose id another person possibly knows.
    """
    if state.gone or state.standing in (Standing.PAST, Standing.AMBIGUOUS):
        raise ended()
    changed, removed = state.changes()
    signs_in = isinstance(state.pending.user_id, str) or state.pending.clear
    if signs_in or key in changed or key in removed:
        yield from sessions.save(state)


def _exchange(sessions: Commits, state: State, key: str, value: bytes | None) -> Flow[bool]:
    """Replace the value only if no other request has changed it; return whether it was replaced."""
    id, record = state.id, state.record
    if id is None or record is None:
        raise ended()
    changes = _changes(sessions, record, key, value, state.base.get(key))
    changes = sessions.counted(state, record, changes)
    generation = state.generation
    check_size(state.base, changes.set)
    stored = sessions.changes_as_stored(state, id, changes)
    outcome = yield from _ask(state, key, sessions.must(state, ("commit", id.key, stored)))
    if outcome is Outcome.CONFLICT:
        state.note("conflict", "another request changed the value first, so this call tries again")
        _, record = yield from sessions.load_again(state, id)
        sessions.done(state)
        state.know(key, record.values.get(key))
        return False
    sessions.done(state)
    if outcome is not Outcome.APPLIED:
        sessions.lose(state, "it ended or its id changed, so a value was not changed")
        raise ended()
    if state.generation == generation:
        state.know(key, value)
        state.take_changes(changes)
    return True


def _ask(state: State, key: str, ask: Ask) -> Flow[Any]:
    """Commit one value; the value counts as stored unless the store refuses the commit."""
    is_set = state.assigned is not None and key in state.assigned
    outcome = None
    if state.assigned is not None:
        # From here on, only a newer assignment counts as unsaved.
        state.assigned.discard(key)
    try:
        outcome = yield ask
    finally:
        if is_set and state.assigned is not None and outcome not in _EXCHANGED:
            state.assigned.add(key)
    return outcome


def _changes(
    sessions: Commits, record: Record, key: str, value: bytes | None, expected: bytes | None
) -> Changes:
    now = sessions.clock()
    return Changes(
        secret=record.secret,
        accessed_at=now,
        updated_at=now,
        expires_at=sessions.lifetimes.end_of(record, now),
        set={} if value is None else {key: value},
        removed=frozenset() if value is not None else frozenset({key}),
        expected={key: expected},
    )


def _decoded(state: State, stored: bytes | None, default: object) -> Any:
    if stored is None:
        return default
    try:
        return codec.decode(stored)
    except UnreadableValue as error:
        state.note("unreadable", f"{error}")
        return default


def _contended(key: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"session[{key!r}] was changed by other requests {UPDATE_ATTEMPTS} times in a row. Fix:"
        " change the value less often, or spread it over several keys"
    )
