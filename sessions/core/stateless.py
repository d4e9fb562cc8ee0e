"""All decisions about stateless sessions, which are stored in their tokens.

A commit makes a new record and a new token, which the response sends. No store is called, so a
request knows nothing of other requests. The client keeps the token that it receives last.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple, NoReturn

from sessions.core.carrying import CarryingTokens
from sessions.core.closed import HEADERS_LEFT
from sessions.core.commits import changes_of, first_record
from sessions.core.devices import UNKNOWN_DEVICE, Device
from sessions.core.ids import Id
from sessions.core.limits import MOST_IDS
from sessions.core.payloads import CarriedId, generation_of
from sessions.core.pending import NOTHING_PENDING, Pending
from sessions.core.persistence import Flow, Several
from sessions.core.standing import Standing, TokenStandings, damage_of
from sessions.core.state import Ask, Difference, Headers, State, check_size
from sessions.core.tokens import id_of
from sessions.core.values import USER_DATA
from sessions.core.verbs import (
    CURRENT,
    STORES_NOTHING,
    UNKNOWN,
    MemoryVerbs,
    Rules,
    Why,
    is_for_any_cache,
)
from sessions.errors import SessionClosed, SessionError, SessionNotFound, SessionTooLarge
from sessions.events import EndReason
from sessions.record import Record
from sessions.transports.cookie import LONGEST_COOKIE_HEADER


class Sealed(NamedTuple):
    """The id, the record and the token after a commit, and the changes that the commit made."""

    id: Id
    record: Record
    token: str
    asked: Pending = NOTHING_PENDING


class StatelessSessions(MemoryVerbs):
    """Make the decisions about stateless sessions, which are stored in their tokens."""

    revocable = False
    loads_to_go_on = True

    def __init__(self, rules: Rules, tokens: CarryingTokens) -> None:
        super().__init__(rules, tokens)
        self._carrying = tokens
        self._standings = TokenStandings(rules.lifetimes, rules.clock)
        self.opens_every_request = rules.rolling or rules.save_uninitialized

    # Methods that work in memory

    def id_of(self, state: State) -> Id:
        return id_of(state, self.gen_id)

    def regenerate(self, state: State, grace: timedelta | None) -> None:
        # An earlier token works until it expires in any case, so grace changes nothing.
        super().regenerate(state, None)

    def token(self, state: State) -> str:
        if state.record is None or state.id is None:
            raise SessionError(
                "the session was never saved, so it has no token. Fix: call session.save() first"
            )
        return state.token or self._carrying.seal(state.id, state.record)

    def cookie_headers(self, state: State, scheme: str) -> Headers:
        headers, limit = super().cookie_headers(state, scheme), LONGEST_COOKIE_HEADER
        size = max(len(value) for _, value in headers)
        if size > limit and state.record is not None:
            raise _too_large(state.record, size, limit)
        return headers

    def go_on(self, state: State) -> None:
        """Close the session for writes, because no response can send a new token."""
        state.headers_left = True
        state.closed = self.load_ask(state) is None

    # Methods that call the store in sessions with a store

    def load_ask(self, state: State) -> Ask | None:
        if state.values is None:
            self._begin(state, self.tokens.identify(state))
        return None

    def load_answer(self, state: State, answer: object) -> None:
        """Do nothing, because these sessions call no store."""

    def _begin(self, state: State, ids: tuple[Id, ...]) -> None:
        """Begin with the live session of the request, or with a new session.

        A request with several live sessions gets a new session, too.
        """
        if len(ids) > MOST_IDS:
            state.note("rejected", f"{len(ids)} different sessions in one request", "ambiguous")
            state.started_at, state.replaceable = self.clock(), ids
            state.begin(None, None, Standing.AMBIGUOUS)
            return
        for id in ids:
            self.find(state, id)
        self.begin_found(state)

    def find(self, state: State, id: Id) -> None:
        """Read from an id's token what the request may do with the id, and note it in the state."""
        standing = self.token_standing(state, id)
        record = id.record if isinstance(id, CarriedId) else None
        state.found = (*state.found, (id, standing, record))
        if standing is UNKNOWN and (damage := damage_of(record)) is not None:
            state.note("unreadable", damage, handle=id.key)
            state.is_damaged = True

    def token_standing(self, state: State, id: Id) -> Standing:
        """Return what the request may do with an id, from the record in the id's token."""
        record = id.record if isinstance(id, CarriedId) else None
        return self._standings.standing(id, record, state.began_at)

    def check(self, state: State) -> None:
        if state.standing not in STORES_NOTHING and self.has_changes(state):
            self._sealed(state, state.changes())

    def save(self, state: State) -> Flow[None]:
        self._end_sessions(state)
        if not self.has_changes(state):
            return
        if state.standing in STORES_NOTHING:
            raise SessionNotFound(
                "the request brought the tokens of several sessions, so nothing is saved. Fix: call"
                " session.destroy(), which ends all of these sessions"
            )
        self._commit(state, state.changes())
        # This yields no call of a store, but it makes the method a generator.
        yield from ()

    def create(self, state: State) -> Flow[None]:
        self._commit(state, state.changes(), is_wanted=True)
        yield from ()

    def reload(self, state: State) -> Flow[None]:
        if state.record is None and state.ended:
            raise SessionNotFound("this request ended the session, so there is nothing to reload")
        state.begin(state.id, state.record, state.standing)
        state.sign_out_again()
        yield from ()

    def sessions_of(self, user_id: str) -> Flow[list[tuple[str, Record]]]:
        raise SessionError(
            "no server keeps these sessions, so nobody can list the sessions of a user. Fix: give"
            " the container a store"
        )

    def device_in(self, key: str, record: Record) -> Device:
        return UNKNOWN_DEVICE

    def end_sessions_of(self, state: State, user_id: str, keep: str | None) -> Flow[int | None]:
        raise SessionError(
            "no server keeps these sessions, so the sessions of a user cannot be ended. Fix: give"
            " the tokens a list of revocations, as in SignedToken(revocations=SQLiteStore(...)), or"
            " give the container a store"
        )

    def end_session_of(self, state: State, user_id: str, handle: str) -> Flow[bool]:
        raise SessionError(
            "no server keeps these sessions, so nobody knows whose session has this handle. Fix:"
            " call end_sessions_of(user_id), or give the container a store"
        )

    def update(self, state: State, key: str, function: Callable[[Any], Any]) -> Flow[Any]:
        _refuse(f"increment({key!r}) and update_with({key!r}, ...)")

    def take(self, state: State, key: str, default: object) -> Flow[Any]:
        _refuse(f"take({key!r})")

    # The end of a request

    def close_ask(self, state: State, *, failed: bool) -> Ask | Several | None:
        if failed:
            state.begin_as_loaded()
        if not state.accessed:
            if failed or not self.opens_unasked(state):
                return None
            state.accessed = True
            self.load_ask(state)
        self._end_sessions(state)
        if state.values is None or state.headers_left:
            return None
        if self.has_changes(state):
            self._finish_changed(state)
        elif not state.saved:
            self._finish_unchanged(state, failed=failed)
        self._end_sessions(state)
        return None

    def close_answer(self, state: State, ask: Ask, outcome: object) -> bool:
        """Return True, because these sessions call no store."""
        return True

    def finish(self, state: State, *, failed: bool) -> Flow[None]:
        self.close_ask(state, failed=failed)
        yield from ()

    def give_up(self, state: State) -> Flow[None]:
        state.begin_as_loaded()
        self._end_sessions(state)
        yield from ()

    def drop_unsendable(self, state: State) -> None:
        if state.values is not None and self.has_changes(state):
            state.begin_as_loaded()
            state.note("gone", "changes were not saved, because no response can send the new token")

    def headers(self, state: State) -> Headers:
        if not (state.cookie_is_due or state.clear_is_due):
            return [*self.tokens.vary] if state.accessed and state.head is not None else []
        record = state.record
        return self.tokens.headers(state, None if record is None else self._max_age(record))

    def has_changes(self, state: State) -> bool:
        changed, removed = state.changes()
        return bool(changed or removed or state.pending is not NOTHING_PENDING)

    def _finish_changed(self, state: State) -> None:
        if state.standing in STORES_NOTHING:
            state.gone = True
            state.note("gone", "a write was dropped, because the request has several sessions")
        else:
            self._commit(state, state.changes())

    def _finish_unchanged(self, state: State, *, failed: bool) -> None:
        record = state.record
        if record is None:
            wanted = self.rules.save_uninitialized and not (failed or state.ended)
            if wanted and state.standing not in STORES_NOTHING:
                self._commit(state, ({}, frozenset()), is_wanted=True)
            return
        if self.use_is_due(state, record):
            self.renew(state, record)

    def use_is_due(self, state: State, record: Record) -> bool:
        """Return whether to send a new token although only the time of use has changed."""
        if is_for_any_cache(state) or not self.is_use(state):
            return False
        rules = self.rules
        return rules.rolling or rules.resave or self.lifetimes.touch_is_due(record, self.clock())

    def renew(self, state: State, record: Record) -> None:
        """Send a new token of the unchanged session, with the time of this request."""
        now, id = self.clock(), state.id
        if id is not None:
            used = record.touched(self.lifetimes.end_of(record, now), now, now)
            self._send(state, Sealed(id, used, self._carrying.seal(id, used)))

    def _commit(self, state: State, difference: Difference, *, is_wanted: bool = False) -> None:
        sealed = self.prepared(state, difference, is_wanted=is_wanted)
        if sealed is not None:
            self.take_up(state, sealed)

    def prepared(
        self, state: State, difference: Difference, *, is_wanted: bool = False
    ) -> Sealed | None:
        """Return the changed session and its token, or None if there is nothing to store.

        Raises SessionTooLarge. This method does not change the state.
        """
        if state.record is None:
            is_wanted = is_wanted or bool(difference[0]) or state.pending.is_worth_a_record
            if not is_wanted or not self.tokens.can_be_sent(state):
                return None
        elif state.headers_left:
            raise SessionClosed(HEADERS_LEFT)
        return self._sealed(state, difference)

    def take_up(self, state: State, sealed: Sealed) -> None:
        """Enter the committed record into the state, and send the new token with the response."""
        if state.record is None:
            self.note_creation(state, sealed.record, sealed.id.key)
        else:
            self.note_commit(state, sealed.asked, sealed.id.key, state.record.user_id)
        state.take_record(sealed.id, sealed.record)
        if state.pending is not NOTHING_PENDING:
            state.pending = state.pending.since(sealed.asked)
        for other in state.replaced:
            self.end_later(state, other, EndReason.REPLACED)
        state.replaced = ()
        self._send(state, sealed)

    def _sealed(self, state: State, difference: Difference) -> Sealed:
        now, pending, record = self.clock(), state.pending, state.record
        check_size({} if pending.clear else state.base, *difference)
        id = self.id_of(state)
        if record is None:
            made = first_record(state, id, difference[0], self.lifetimes, now)
        else:
            changes = changes_of(record, pending, difference, self.lifetimes, now)
            changes = self.counted(state, record, changes)
            made = record.changed_by(changes, now)
        id = _carrying(state, id, made)
        token = self._carrying.seal(id, made)
        excess = self._carrying.excess(state, token, self._max_age(made))
        if excess is not None:
            raise _too_large(made, *excess)
        return Sealed(id, made, token, pending)

    def sealed_at(self, sealed: Sealed, created_at: float) -> Sealed:
        """Return this sealed session, but with `created_at` as the time when it began."""
        if created_at == sealed.record.created_at:
            return sealed
        id, record = CarriedId(*sealed.id), replace(sealed.record, created_at=created_at)
        id.record, id.generation = record, generation_of(sealed.id)
        return Sealed(id, record, self._carrying.seal(id, record), sealed.asked)

    def _send(self, state: State, sealed: Sealed) -> None:
        state.record, state.token, state.cookie_is_due = sealed.record, sealed.token, True

    def _max_age(self, record: Record) -> int | None:
        return self.lifetimes.max_age(record, record.accessed_at)

    def _end_sessions(self, state: State) -> None:
        """Clear the client's tokens of the ended sessions; a copied token stays valid."""
        for id in state.to_end:
            if self.token_standing(state, id) is CURRENT:
                record = id.record if isinstance(id, CarriedId) else None
                why = Why(state.end_reasons.get(id.key, EndReason.LOGOUT), record)
                self.note_end(state, id.key, "this request cleared its token at the client", why)
            state.clear_is_due = True
        state.to_end = ()


def _carrying(state: State, id: Id, record: Record) -> CarriedId:
    """Return the id with its record and its generation.

    The generation is a number that grows with each new id and each sign-out.
    """
    made = CarriedId(*id)
    made.record = record
    before = state.id
    if state.record is not None and before is not None and before.key == id.key:
        raises = state.pending.next_id is not None or state.pending.user_id is None
        made.generation = generation_of(before) + raises
    return made


def _refuse(verb: str) -> NoReturn:
    raise SessionError(
        f"session.{verb} cannot be atomic, because the session is stored in its token and no server"
        " puts the requests in order. Fix: give the container a store, such as SQLiteStore, or set"
        " session[key] and accept that a later request replaces the value"
    )


def _too_large(record: Record, size: int, limit: int) -> SessionTooLarge:
    values = record.values
    advice = "sign in with a shorter user id"
    if values:
        biggest = max(values, key=lambda key: len(key) + len(values[key]))
        name = "the user data of set_user()" if biggest == USER_DATA else f"session[{biggest!r}]"
        advice = (
            f"keep {name}, the biggest value with {len(values[biggest])} bytes, in a database and"
            " only its key in the session"
        )
    return SessionTooLarge(
        f"the header with the session's token would have {size} bytes (for a cookie, with its name"
        f" and attributes), but clients accept at most {limit}. Fix: {advice}, or give the"
        " container a store"
    )
