"""Move sessions of another system into the store, when a request brings a cookie of that system.

Suppose that a request has no live session of this package, but a valid legacy cookie. While the
session loads, the request stores the session of the other system in the store. From then on, the
stored session is like any other. If the legacy cookie has an id, the new id is derived from this
id. So parallel requests with the same cookie share one session. After a moved session has ended,
its legacy cookie cannot begin a session again.

Without the setting `end`, the session goes on in the other system, and its cookie could begin the
session again. Therefore the stored session has the value `MOVED`. When a session with this value
ends, a separate record remembers the end. A request reads this record only if the store does not
have the session of the request's legacy cookie.
"""

from secrets import token_urlsafe
from typing import Any, TypeVar, cast

from sessions.core import codec
from sessions.core.commits import first_record, no_session
from sessions.core.ids import Id, hash_of, new_id
from sessions.core.legacy_calls import Ending, Loading, sign_in_of
from sessions.core.legacy_cookies import LegacySession
from sessions.core.limits import MOVED_REMEMBERED_FOR
from sessions.core.moving import Legacy, MovingIn
from sessions.core.outside import CALL
from sessions.core.pending import NOTHING_PENDING
from sessions.core.persistence import Flow
from sessions.core.standing import damage_of
from sessions.core.state import State, check_size
from sessions.core.stored import StoredSessions
from sessions.core.values import (
    MOVED,
    MOVED_BY,
    OTHER_SIGN_IN,
    USER_DATA,
    WAITING,
    encode_value,
    plain_key,
)
from sessions.core.verbs import CURRENT, GRACE, PAST, UNKNOWN, Why
from sessions.errors import StoreUnavailable, TooManySessions
from sessions.record import Record

S = TypeVar("S", bound=StoredSessions)


class MigratingSessions(MovingIn, StoredSessions):
    """Make the decisions about stored sessions; some of these sessions come from another system."""

    def move(self, state: State, legacies: list[Legacy]) -> Flow[None]:
        """Begin with the first session that a legacy cookie gives, or else with a new session."""
        for legacy in legacies:
            if legacy.id is not None and (yield from self._find(state, legacy.id)):
                return
            if (yield from self._has_ended(state, legacy)):
                continue
            loaded = yield (CALL, Loading(legacy.cookie, legacy.content))
            if loaded is None:
                # Another request may have moved the session here, and ended it in the other system.
                if legacy.id is not None and (yield from self._find(state, legacy.id)):
                    return
                text = f"{legacy.cookie!r} has no session in the other system"
                state.note("rejected", text, "unknown")
                continue
            yield from self._store(state, legacy, loaded)
            return
        self.begin_anew(state)

    def _find(self, state: State, id: Id) -> Flow[bool]:
        """If the session was moved here before, begin with the stored session and return True."""
        answer = self.opened(state, id, (yield ("load", id.key)))
        if answer is None:
            # The session can be moved here again. Then it replaces its expired record.
            yield from self.end_expired(state, id)
            return False
        standing = self.standings.standing(id, answer, state.began_at)
        if (damage := damage_of(answer)) is not None and standing is UNKNOWN:
            state.note("unreadable", damage)
        record = answer if isinstance(answer, Record) else None
        state.ids, state.found = (*(state.ids or ()), id), (*state.found, (id, standing, record))
        if standing in (CURRENT, GRACE):
            state.begin(id, record, standing)
            state.cookie_is_due = True
        else:
            state.started_at = self.clock()
            state.begin(id if standing is PAST else None, None, standing)
        return True

    def _store(self, state: State, legacy: Legacy, loaded: LegacySession) -> Flow[None]:
        """Store the session of the other system; the request then uses the stored session.

        If the user has too many sessions, or has logged out meanwhile, the request begins without
        this session.
        """
        id = legacy.id or new_id(self.gen_id)
        try:
            created = yield from self._create_here(state, legacy, id, loaded)
        except TooManySessions:
            text = f"the user of {legacy.cookie!r} already has as many sessions as allowed"
            state.note("rejected", text, "too_many")
            self.begin_anew(state)
            return
        if legacy.cookie.end is not None:
            yield (CALL, Ending(legacy.cookie, legacy.content))
        elif created and (yield from self._has_ended(state, legacy)):
            # A logout came after the first `_has_ended`, and before the creation.
            if (yield ("delete", id.key)):
                self.note_end(
                    state, id.key, "a logout ended the session before it was moved", Why()
                )
            self.begin_anew(state)
            return
        # Another request with the same cookie may have stored the session first, and changed it.
        if not (yield from self._find(state, id)):
            raise StoreUnavailable(
                "the store lost a session just after the session was moved here. Fix: try again"
            )

    def _create_here(
        self, state: State, legacy: Legacy, id: Id, loaded: LegacySession
    ) -> Flow[bool]:
        """Store the session; return whether this request was the first to store the session."""
        values = _encoded(loaded)
        values[MOVED_BY] = codec.encode(token_urlsafe(12))
        if _may_return(legacy):
            values[MOVED] = codec.encode(True)
        check_size({}, values)
        state.started_at = self.clock()
        state.pending = NOTHING_PENDING
        if loaded.user_id is not None:
            state.pending = NOTHING_PENDING.then(user_id=loaded.user_id)
        record = first_record(state, id, values, self.lifetimes, state.started_at)
        state.pending = NOTHING_PENDING
        created, record = yield from self._ask_create(state, id, record)
        if created:
            yield from self._note_move(state, legacy, id, values[MOVED_BY])
            yield from self.admitted(state, id, record, is_done=True)
        return created

    def _note_move(self, state: State, legacy: Legacy, id: Id, mark: bytes) -> Flow[None]:
        """Add the event `created`, unless another request has stored the same id first.

        The store reports success to all requests that store the same id. So a random text in the
        record shows which request was the first.
        """
        other: bytes | None = None
        try:
            if legacy.id is not None:
                answer = self.opened(state, id, (yield ("load", id.key)))
                other = answer.values.get(MOVED_BY) if isinstance(answer, Record) else None
        finally:
            if other in (None, mark):
                text = f"it was moved here from {legacy.cookie!r}"
                state.note("created", text, handle=id.key)

    def _has_ended(self, state: State, legacy: Legacy) -> Flow[bool]:
        """Return whether the session was moved into this store before, and has ended since then."""
        if legacy.id is None or not _may_return(legacy):
            return False
        answer = yield ("load", _key_of_end(legacy.id))
        if answer is None:
            return False
        text = f"the session of {legacy.cookie!r} was moved here before, and has ended"
        state.note("rejected", text, "unknown", handle=legacy.id.key)
        return True

    def before_end(self, state: State, id: Id) -> Flow[Record | None]:
        if (yield from self._may_return(state, id)):
            # Store the mark before the end: after a crash between the two, the session still lives.
            now = self.clock()
            mark = no_session({WAITING: codec.encode([])}, now, now + MOVED_REMEMBERED_FOR)
            yield ("create", _key_of_end(id), mark)
        return (yield from super().before_end(state, id))

    def _may_return(self, state: State, id: Id) -> Flow[bool]:
        """Return whether a cookie of the other system could begin the ended session again."""
        if any(legacy.id == id and _may_return(legacy) for legacy in state.legacies):
            return True
        if self.rules.legacy is None or not self.rules.legacy.leaves_sessions:
            return False
        for found, standing, record in state.found:
            if found.key == id.key and record is not None and standing in (CURRENT, GRACE):
                return MOVED in record.values
        answer = yield ("load", id.key)
        return isinstance(answer, Record) and MOVED in answer.values

    def end_legacies_later(self, state: State) -> None:
        """Remember to end the sessions of the request's legacy cookies; load no session."""
        legacies = self.legacies_of(state)
        # A cookie without an id gets an id that no session has, so that `end` is called.
        ids = [legacy.id or new_id(self.gen_id) for legacy in legacies]
        state.ids = (*self.tokens.identify(state), *ids)
        state.legacies = tuple(legacies)

    def end(self, state: State) -> Flow[None]:
        yield from super().end(state)
        while state.legacies:
            legacy = state.legacies[0]
            if legacy.cookie.end is not None:
                yield (CALL, Ending(legacy.cookie, legacy.content))
            state.legacies = state.legacies[1:]


def migrating(kind: type[S]) -> type[S]:
    """Return a subclass of `kind` that also moves sessions of another system into the store."""
    mixed: Any = type(f"Migrating{kind.__name__}", (MigratingSessions, kind), {})
    return cast("type[S]", mixed)


def _may_return(legacy: Legacy) -> bool:
    """Return whether the session still lives in the other system after it was moved."""
    return legacy.id is not None and legacy.cookie.end is None


def _key_of_end(id: Id) -> str:
    return hash_of(f"moved and ended:{id.key}")


def _encoded(loaded: LegacySession) -> dict[str, bytes]:
    """Return the values as a store keeps them.

    Raises UnencodableValue with the key of a value that cannot be encoded.
    """
    values = {plain_key(key): value for key, value in loaded.data.items()}
    if loaded.user_id is not None and loaded.user_data:
        values[USER_DATA] = dict(loaded.user_data)
    if loaded.user_id is not None:
        values[OTHER_SIGN_IN] = sign_in_of(loaded)
    return {key: encode_value(key, value) for key, value in values.items()}
