"""Reload a session, store the time of its last use (a touch), and renew its cookie."""

from sessions.core.ids import Id
from sessions.core.limits import FARTHEST_AHEAD, RENEWAL_GRACE
from sessions.core.pending import NOTHING_PENDING
from sessions.core.persistence import Flow
from sessions.core.standing import Standing, TokenStandings, damage_of
from sessions.core.state import Ask, State
from sessions.core.tokens import Tokens
from sessions.core.updates import ended
from sessions.core.verbs import (
    CURRENT,
    GRACE,
    STORES_NOTHING,
    UNKNOWN,
    MemoryVerbs,
    Rules,
    Why,
    is_for_any_cache,
)
from sessions.errors import SessionNotFound, StoreUnavailable
from sessions.events import EndReason, logger
from sessions.record import UNCHANGED, Changes, Record


class Refreshing(MemoryVerbs):
    """Reload sessions, store the time of their last use, and end them."""

    def __init__(self, rules: Rules, tokens: Tokens) -> None:
        super().__init__(rules, tokens)
        # A session with its own timeout is not counted here: its cookie always has a Max-Age.
        self._renews_any = rules.rolling or tokens.age is not None
        self.standings = TokenStandings(rules.lifetimes, rules.clock)

    def reload(self, state: State) -> Flow[None]:
        if state.id is None or state.record is None:
            if state.ended:
                raise SessionNotFound(
                    "this request ended the session, so there is nothing to reload"
                )
            if state.standing in STORES_NOTHING or state.gone:
                raise ended()
            state.begin(state.id, None, state.standing)
            return
        id, generation = state.id, state.generation
        standing, record = yield from self.load_again(state, id)
        if state.generation == generation:
            state.begin(id, record, standing)
            if state.signs_out:
                self.clear_user(state)

    def load_again(self, state: State, id: Id) -> Flow[tuple[Standing, Record]]:
        """Load the record; return what the request may do (a `Standing`), and the loaded record.

        Raises SessionNotFound if the session has ended.
        """
        answer = self.opened(state, id, (yield ("load", id.key)))
        standing = self.standings.standing(id, answer, state.began_at)
        if standing not in (CURRENT, GRACE) or not isinstance(answer, Record):
            if standing is UNKNOWN and (damage := damage_of(answer)) is not None:
                state.note("unreadable", damage)
            self.lose(state, "it had ended, or its id had changed")
            raise ended()
        return standing, answer

    def opened(self, state: State, id: Id, answer: object) -> object:
        """Return the answer of the store to a load; a subclass decrypts the values in it."""
        return answer

    def changes_as_stored(self, state: State, id: Id, changes: Changes) -> Changes:
        """Return the changes of a commit in the form for the store; a subclass encrypts them."""
        return changes

    def confirm(self, state: State) -> Flow[None]:
        """Before the cookie is sent, check that no other request has ended the saved session."""
        id = state.id
        known = [found for found in state.found if id is not None and found[0].key == id.key]
        # This request's commit has stored a use. Only the loaded record shows the use before it.
        renews = any(loaded and self.renews_cookie(state, loaded) for _, _, loaded in known)
        if known and (renews or state.cookie_is_due):
            is_confirmed = yield from self.note_use(state, renews=renews)
            if not is_confirmed and any(other == id for other, _, _ in known):
                state.cookie_is_due = False

    def note_use(self, state: State, *, renews: bool) -> Flow[bool]:
        """Store the time of this use; return whether the time was stored.

        The result is False if the session is not stored, has ended or has a new id, or if the
        store fails.
        """
        record, id = state.record, state.id
        if record is None or id is None:
            return False
        now = self.clock() if self.is_use(state) else record.accessed_at
        expires_at = self.lifetimes.end_of(record, now)
        try:
            touched = yield ("touch", id.key, record.secret, expires_at, now)
        except StoreUnavailable as error:
            self._tell_of_failure(state, error)
            return False
        if not touched:
            self.lose(state, "it ended, or its id changed, during the request")
            return False
        if renews:
            state.cookie_is_due = True
        state.record = record.touched(expires_at, now, now)
        state.written = True
        return True

    def touch_is_due(self, state: State, record: Record) -> bool:
        """Return whether to store that this request used the session."""
        return self.lifetimes.touch_is_due(record, self.clock()) and self.is_use(state)

    def renew_if_due(self, state: State) -> None:
        """Replace an id older than `renew_every`; the old id still works for a grace time."""
        record, every, pending = state.record, self.rules.renew_every, state.pending
        if (
            record is None
            or every is None
            or -FARTHEST_AHEAD < self.clock() - record.secret_since < every
            or pending.next_id is not None
            or pending.user_id is not UNCHANGED
            or state.standing is not CURRENT
            or state.headers_left
        ):
            return
        if self.tokens.renews(state) and not is_for_any_cache(state):
            self.regenerate(state, RENEWAL_GRACE)
            state.renews_itself = state.pending == NOTHING_PENDING.then(
                next_id=state.pending.next_id, grace=state.pending.grace
            )

    def noting_failures(self, state: State, flow: Flow[None]) -> Flow[None]:
        """Run a flow that no handler asked for; if the store fails, log the error and go on."""
        try:
            yield from flow
        except StoreUnavailable as error:
            self._tell_of_failure(state, error)

    def renews_cookie(self, state: State, record: Record) -> bool:
        """Return whether the browser needs the cookie again, with a later expiry."""
        if record.timeout is None and not self._renews_any:
            return False
        if is_for_any_cache(state) or not self.is_use(state):
            return False
        return self.rules.rolling or self.lifetimes.renewal_is_due(record, self.clock())

    def lose(self, state: State, detail: str) -> None:
        if state.signs_out and state.id is not None:
            self.end_later(state, state.id)
        state.gone = True
        state.note("gone", detail)

    def end(self, state: State) -> Flow[None]:
        """Delete the sessions that the request ends, and decide whether to clear the cookie."""
        while state.to_end:
            id = state.to_end[0]
            record = yield from self.before_end(state, id)
            deleted = yield self.must(state, ("delete", id.key))
            if deleted:
                why = Why(state.end_reasons.get(id.key, EndReason.LOGOUT), record)
                self.note_end(state, id.key, "this request ended it", why)
                state.clear_is_due = True
            else:
                yield from self.end_expired(state, id)
                if not (yield from self._has_ended_before(state, id)):
                    state.clear_is_due = True
            state.to_end = state.to_end[1:]
            self.done(state)

    def _has_ended_before(self, state: State, id: Id) -> Flow[bool]:
        """Return whether another request has already ended the session.

        If so, the response to that request clears the cookie.
        """
        for other, standing, _ in state.found:
            if other.key == id.key:
                return standing is not UNKNOWN
        answer = self.opened(state, id, (yield ("load", id.key)))
        return self.standings.standing(id, answer, state.began_at) is not UNKNOWN

    def must(self, state: State, ask: Ask) -> Ask:
        """Return the store call, and note that the request must fail if this call fails."""
        state.is_unfinished = True
        return ask

    def done(self, state: State) -> None:
        state.is_unfinished = False

    def _tell_of_failure(self, state: State, error: StoreUnavailable) -> None:
        # The response is ready, so the error is only logged. The next request tries again.
        state.failure, state.is_unfinished, state.creating = None, False, None
        logger.error("session store_failed: the use of a session was not stored: %s", error)
