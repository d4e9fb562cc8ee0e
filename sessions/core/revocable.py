"""Stateless sessions with a list of revoked tokens in a store.

All tokens of a session are one family, because the first part of their ids (the lineage) is the
same. Each token has a generation, a number that grows with each new id and each sign-out. The list
has an entry for each family with revoked tokens: the lowest generation that is still valid. The
entry stays until the last token of the family has expired. A request reads the list when it loads a
session, and again before it sends a token.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sessions.core import codec
from sessions.core.ids import Id, hash_of, new_id, random_secret
from sessions.core.limits import MOST_IDS, REMEMBERED_FOR, UPDATE_ATTEMPTS
from sessions.core.payloads import CarriedId, generation_of
from sessions.core.persistence import SEVERAL, Flow, Several
from sessions.core.standing import Standing
from sessions.core.state import Ask, Difference, State
from sessions.core.stateless import Sealed, StatelessSessions
from sessions.core.updates import ended
from sessions.core.user_cuts import changes_between, cut_in, cut_key, entry_of
from sessions.core.verbs import CURRENT, FRESH, PAST, STORES_NOTHING, UNKNOWN, Why
from sessions.errors import SessionNotFound, StoreUnavailable, UnreadableValue
from sessions.events import EndReason, logger
from sessions.record import CLOCK_TOLERANCE, Outcome, Record

ENDED: Final = 2**53
"""The lowest valid generation of an ended family; no token ever has a generation so high."""

_LEAST = "least"
_HALF_FOUND = Standing.GRACE
"""The family of a token is valid, but its user is not checked yet.

GRACE is free for this use, because tokens have no grace time.
"""
_TOO_BUSY = (
    "{} could not be ended, because other requests changed the list of revocations"
    f" {UPDATE_ATTEMPTS} times in a row. Fix: send the request again"
)


class RevocableSessions(StatelessSessions):
    """Make the decisions about stateless sessions that a list of revocations can end."""

    revocable = True
    loads_to_go_on = False

    # Methods that work in memory

    def regenerate(self, state: State, grace: timedelta | None) -> None:
        super().regenerate(state, grace)
        self._begin_family(state)

    def set_user(self, state: State, user_id: str, data: Mapping[str, Any]) -> None:
        super().set_user(state, user_id, data)
        self._begin_family(state)

    def _begin_family(self, state: State) -> None:
        """At a sign-in, begin a new family of tokens: no older token can end the new session."""
        if state.record is not None and isinstance(state.pending.user_id, str):
            state.pending = state.pending.then(next_id=new_id(self.gen_id))

    # Methods that call the list of revocations

    def load_ask(self, state: State) -> Ask | None:
        if state.values is not None:
            return None
        ids = self.tokens.identify(state)
        if len(ids) > MOST_IDS:
            return super().load_ask(state)
        if (user_id := _user_to_check(state)) is not None:
            return ("load", cut_key(user_id))
        while len(state.found) < len(ids):
            id = ids[len(state.found)]
            if self.token_standing(state, id) is CURRENT:
                return ("load", mark_key(id))
            self.find(state, id)
        self.begin_found(state)
        return None

    def load_answer(self, state: State, answer: object) -> None:
        if state.values is not None:
            # destroy() was called in the meantime.
            return
        if _user_to_check(state) is not None:
            *others, (id, _, record) = state.found
            standing = self._judged_by_user(state, id, answer)
            state.found = (*others, (id, standing, record if standing is CURRENT else None))
            return
        id = (state.ids or ())[len(state.found)]
        standing = self._judged(state, id, answer)
        record = id.record if isinstance(id, CarriedId) and standing is CURRENT else None
        if record is not None and record.user_id is not None:
            standing = _HALF_FOUND
        state.found = (*state.found, (id, standing, record))

    def _judged(self, state: State, id: Id, answer: object) -> Standing:
        """Return the `Standing` of an unexpired token: what the request may do with the token.

        `answer` is what the list of revocations has for the token's family.
        """
        if isinstance(answer, Exception):
            return _unreadable(state, answer)
        if not isinstance(answer, Record) or generation_of(id) >= _least(answer):
            return CURRENT
        return PAST if answer.updated_at > state.began_at - REMEMBERED_FOR else UNKNOWN

    def _judged_by_user(self, state: State, id: Id, answer: object) -> Standing:
        """Return the `Standing` of a user's token: what the request may do with the token.

        `answer` is what the list of revocations has for the user.
        """
        if isinstance(answer, Exception):
            return _unreadable(state, answer)
        record = id.record if isinstance(id, CarriedId) else state.record
        if not isinstance(answer, Record) or record is None:
            return CURRENT
        if not cut_in(answer).ends(id.key, record.created_at):
            return CURRENT
        return PAST if answer.updated_at > state.began_at - REMEMBERED_FOR else UNKNOWN

    def end_sessions_of(self, state: State, user_id: str, keep: str | None) -> Flow[None]:
        key = cut_key(user_id)
        for _ in range(UPDATE_ATTEMPTS):
            answer, now = (yield ("load", key)), self.clock()
            entry = entry_of(cut_in(answer).then(now, keep), self.lifetimes.longest, now)
            if isinstance(answer, Record):
                outcome = yield ("commit", key, changes_between(answer, entry))
                is_done = outcome is Outcome.APPLIED
            else:
                is_done = yield ("create", key, entry)
            if is_done:
                text = "end_sessions_of() ended the sessions of a user"
                state.note("destroyed", text, EndReason.ENDED_BY_USER, user_id=user_id)
                return
        raise StoreUnavailable(_TOO_BUSY.format("the sessions of a user"))

    def save(self, state: State) -> Flow[None]:
        yield from self._end_all(state)
        if state.gone:
            raise ended()
        if not self.has_changes(state):
            return
        if state.standing in STORES_NOTHING:
            self._lose(state)
            raise ended()
        yield from self._keep(state, state.changes())
        if state.gone:
            raise ended()

    def reload(self, state: State) -> Flow[None]:
        if state.record is None and state.ended:
            raise SessionNotFound("this request ended the session, so there is nothing to reload")
        if state.gone or state.standing in STORES_NOTHING:
            raise ended()
        if not (yield from self._still_lives(state)):
            self._lose(state)
            raise ended()
        yield from super().reload(state)

    # The end of a request

    def close_ask(self, state: State, *, failed: bool) -> Ask | Several | None:
        if state.to_end or state.saved or state.failure is not None:
            return SEVERAL
        if not state.accessed or state.values is None:
            return SEVERAL if self.opens_every_request else None
        if failed or self.has_changes(state):
            return SEVERAL
        record = state.record
        is_due = record is not None and self.use_is_due(state, record)
        return SEVERAL if is_due or self.rules.save_uninitialized else None

    def finish(self, state: State, *, failed: bool) -> Flow[None]:
        if failed:
            yield from self.give_up(state)
        if not state.accessed:
            if failed or not self.opens_unasked(state):
                return
            state.accessed = True
            yield from self.loading(state)
        yield from self._end_all(state)
        if state.values is not None and not (state.headers_left or state.gone):
            yield from self._finish_loaded(state, failed=failed)

    def give_up(self, state: State) -> Flow[None]:
        state.begin_as_loaded()
        yield from self._end_all(state)
        if state.pending.user_id is None and state.record is not None and not state.gone:
            yield from self._keep(state, state.changes())

    def _finish_loaded(self, state: State, *, failed: bool) -> Flow[None]:
        record, wanted = state.record, self.rules.save_uninitialized and not (failed or state.ended)
        if state.standing in STORES_NOTHING:
            if self.has_changes(state):
                self._lose(state)
        elif self.has_changes(state):
            yield from self._keep(state, state.changes())
        elif record is None and wanted:
            yield from self._keep(state, ({}, frozenset()), is_wanted=True)
        elif state.saved:
            yield from self._confirm(state)
        elif record is not None and self.use_is_due(state, record):
            yield from self._renew_if_living(state, record)

    def _keep(self, state: State, difference: Difference, *, is_wanted: bool = False) -> Flow[None]:
        """Send the changed session in a new token, if the list of revocations allows it."""
        sealed = self.prepared(state, difference, is_wanted=is_wanted)
        if sealed is None:
            return
        generation, user_id = state.generation, state.pending.user_id
        if isinstance(user_id, str):
            cut = cut_in((yield ("load", cut_key(user_id))))
            sealed = self.sealed_at(sealed, cut.later(sealed.record.created_at))
        is_allowed = yield from self._allowed(state, sealed)
        if state.generation != generation:
            # This request has ended or left the session in the meantime.
            return
        if is_allowed:
            self.take_up(state, sealed)
            yield from self._end_all(state)
        else:
            yield from self._too_late(state)

    def _allowed(self, state: State, sealed: Sealed) -> Flow[bool]:
        """Return whether the session lives; end earlier tokens that the token `sealed` replaces."""
        id = state.id
        if state.record is None or id is None:
            return True
        if sealed.id.key != id.key:
            if (yield from self._raise(id, ENDED, forced=True)):
                text = "a sign-in gave the client another session"
                self.note_end(state, id.key, text, Why(EndReason.REPLACED, state.record))
            return True
        generation = generation_of(sealed.id)
        if generation > generation_of(id):
            if sealed.record.user_id is not None and not (yield from self._user_allows(state, id)):
                return False
            return (yield from self._raise(id, generation, forced=False))
        return (yield from self._still_lives(state))

    def _still_lives(self, state: State) -> Flow[bool]:
        id = state.id
        if state.record is None or id is None:
            return True
        answer = yield ("load", mark_key(id))
        if self._judged(state, id, answer) is not CURRENT:
            return False
        return (yield from self._user_allows(state, id))

    def _user_allows(self, state: State, id: Id) -> Flow[bool]:
        """Return whether the user's entry in the list of revocations leaves this session valid."""
        if state.record is None or state.record.user_id is None:
            return True
        answer = yield ("load", cut_key(state.record.user_id))
        return self._judged_by_user(state, id, answer) is CURRENT

    def _too_late(self, state: State) -> Flow[None]:
        """Handle a commit that the list of revocations refuses.

        If the request signs the user out, the sign-out is still done.
        """
        signs_out, id = state.pending.user_id is None, state.id
        self._lose(state)
        if signs_out and id is not None:
            # The user is signed out, as the request asked, because the session has ended.
            self.end_later(state, id)
            yield from self._end_all(state)
            state.begin(None, None, FRESH)
            state.ended, state.signs_out = True, False

    def _confirm(self, state: State) -> Flow[None]:
        """Mark the session as gone if another request ended it after this request saved it."""
        id = state.id
        is_known = any(id is not None and found[0].key == id.key for found in state.found)
        if is_known and not (yield from self._still_lives(state)):
            self._lose(state)

    def _renew_if_living(self, state: State, record: Record) -> Flow[None]:
        try:
            lives = yield from self._still_lives(state)
        except StoreUnavailable as error:
            # The response is ready, so the error is only logged. The next request tries again.
            state.failure = None
            logger.error("session store_failed: the use of a session was not stored: %s", error)
            return
        if lives:
            self.renew(state, record)
        else:
            self._lose(state)

    def _lose(self, state: State) -> None:
        state.gone, state.cookie_is_due = True, False
        state.note(
            "gone",
            "changes were dropped, because the session ended or its id changed in the meantime",
        )

    def _end_all(self, state: State) -> Flow[None]:
        """End the sessions in `to_end`: make all tokens of these sessions invalid."""
        while state.to_end:
            id = state.to_end[0]
            was_alive = self.token_standing(state, id) is CURRENT
            if (yield from self._raise(id, ENDED, forced=True)) or not was_alive:
                # If neither is true, another request ended the session, and cleared the cookie.
                state.clear_is_due = True
                if was_alive:
                    record = id.record if isinstance(id, CarriedId) else None
                    why = Why(state.end_reasons.get(id.key, EndReason.LOGOUT), record)
                    self.note_end(state, id.key, "this request ended it", why)
            state.to_end = state.to_end[1:]

    def _raise(self, id: Id, least: int, *, forced: bool) -> Flow[bool]:
        """Increase the lowest valid generation of a session; return whether this call increased it.

        Each token has a generation: a number that grows with each new id and each sign-out. Without
        `forced`, nothing changes if the generation of the token with `id` is no longer valid.
        """
        key = mark_key(id)
        for _ in range(UPDATE_ATTEMPTS):
            mark = self._mark(id, least)
            if (yield ("create", key, mark)):
                return True
            answer = yield ("load", key)
            if not isinstance(answer, Record):
                continue
            known = _least(answer)
            if known >= ENDED or (known > generation_of(id) and not forced):
                return False
            if (yield ("commit", key, changes_between(answer, mark))) is Outcome.APPLIED:
                return True
        raise StoreUnavailable(_TOO_BUSY.format("a session"))

    def _mark(self, id: Id, least: int) -> Record:
        """Return a new entry for the list of revocations, with the lowest valid generation.

        The entry is for the family of `id`, and expires later than every token of the family.
        """
        now = self.clock()
        # The clock of the server that made the token may have been ahead.
        youngest = max(now, id.record.created_at) if isinstance(id, CarriedId) else now
        return Record(
            values={_LEAST: codec.encode(least)},
            secret=hash_of(random_secret()),
            secret_since=now,
            created_at=now,
            accessed_at=now,
            updated_at=now,
            expires_at=youngest + self.lifetimes.longest + CLOCK_TOLERANCE,
        )


def _user_to_check(state: State) -> str | None:
    """Return the user whose entry in the list of revocations must be read, or None."""
    _, standing, record = state.found[-1] if state.found else (None, None, None)
    return record.user_id if standing is _HALF_FOUND and record is not None else None


def _unreadable(state: State, error: Exception) -> Standing:
    state.note(
        "unreadable", f"the entry of a session in the list of revocations cannot be read: {error}"
    )
    return UNKNOWN


def mark_key(id: Id) -> str:
    """Return the key of a session's entry in the list of revocations."""
    return hash_of(f"family:{id.key}")


def _least(mark: Record) -> int:
    """Return the lowest generation (the number of a token) that is still valid.

    `mark` is the entry in the list of revoked tokens. A damaged entry makes no generation valid.
    """
    try:
        least = codec.decode(mark.values.get(_LEAST, b""))
    except UnreadableValue:
        return ENDED
    return least if type(least) is int else ENDED
