"""The operations that change a session only in memory, until the next commit.

The state remembers a new id, a sign-in, a timeout and an end. The module `stored` commits them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple

from sessions.core.commits import without_use
from sessions.core.devices import UNKNOWN_DEVICE, device_of
from sessions.core.headers import is_public
from sessions.core.ids import Id, new_id, renewed_id
from sessions.core.legacy_cookies import LegacyCookies
from sessions.core.lifetime import Lifetimes
from sessions.core.limits import CREATE_ATTEMPTS
from sessions.core.pending import NOTHING_PENDING, Pending
from sessions.core.persistence import Flow, Persistence
from sessions.core.standing import Standing, live_ones
from sessions.core.state import ENCODED, Headers, State
from sessions.core.tokens import Tokens
from sessions.core.user_limits import SessionLimit
from sessions.core.values import DEVICE, MOVED, OTHER_SIGN_IN, RESERVED, USER_DATA
from sessions.errors import MalformedToken, SessionError, SessionNotFound
from sessions.events import EndReason
from sessions.record import UNCHANGED, Changes, Record, Unchanged

CURRENT, GRACE, PAST = Standing.CURRENT, Standing.GRACE, Standing.PAST
FRESH, UNKNOWN = Standing.FRESH, Standing.UNKNOWN
STORES_NOTHING = (Standing.PAST, Standing.AMBIGUOUS)


class Why(NamedTuple):
    """The reason why a session has ended, with its record if a listener or `finish` needs it."""

    reason: EndReason = EndReason.LOGOUT
    record: Record | None = None


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The settings that the decisions about sessions need."""

    lifetimes: Lifetimes
    gen_id: Callable[[], str]
    clock: Callable[[], float]
    rolling: bool = False
    resave: bool = False
    save_uninitialized: bool = False
    indexes_users: bool = False
    stores_sign_ins: bool = False
    finishes: bool = False
    takes_expired: bool = False
    purges_at_creations: bool = False
    legacy: LegacyCookies | None = None
    sessions_per_user: SessionLimit | None = None
    background_header: str | None = None
    remember_devices: bool = False
    renew_every: float | None = None


class MemoryVerbs(Persistence):
    """Change a session in memory, and remember these changes for the next commit."""

    def __init__(self, rules: Rules, tokens: Tokens) -> None:
        self.rules = rules
        self.tokens = tokens
        self.clock = rules.clock
        self.lifetimes = replace(rules.lifetimes, age=tokens.age)
        self.gen_id = rules.gen_id

    def begin_found(self, state: State) -> None:
        """Begin with the live session of the request, or with a new session.

        A request with several live sessions gets a new session, too.
        """
        live = live_ones(state.found)
        if len(live) == 1:
            id, standing, record = live[0]
            state.begin(id, record, standing)
            return
        past = [id for id, standing, _ in state.found if standing is PAST]
        state.started_at = self.clock()
        if live:
            text = f"{len(live)} different live sessions in one request"
            state.note("ambiguous", text, "ambiguous")
            state.replaceable = tuple(id for id, _, _ in live)
            state.begin(None, None, Standing.AMBIGUOUS)
        elif past:
            state.begin(past[0], None, PAST)
        else:
            state.begin(None, None, UNKNOWN if state.found else FRESH)

    def token(self, state: State) -> str:
        return self.tokens.token(self.id_of(state))

    def cookie_headers(self, state: State, scheme: str) -> Headers:
        transport, record = self.tokens.cookie_transport(), state.record
        if state.id is not None and state.end_reasons.get(state.id.key) is EndReason.EVICTED:
            # The sign-in has succeeded, so its answer is sent, without the useless cookie.
            return [("Vary", transport.vary)]
        if state.gone or (record is None and (state.ended or state.standing in STORES_NOTHING)):
            raise SessionNotFound(
                "the session has ended, so no cookie can be sent. Fix: to remove the earlier cookie"
                " from the browser, call session.clear_cookie()"
            )
        if record is None or state.pending.next_id is not None:
            what = "session was never saved" if record is None else "new id is not saved yet"
            raise SessionError(
                f"the {what}, so its cookie would find no session. Fix: call session.save() first"
            )
        headers: Headers = [("Vary", transport.vary)]
        if state.standing is GRACE:
            # The client got the present id from another response.
            return headers
        max_age = self.lifetimes.max_age(record, self.clock())
        sent = transport.send(transport.any_head(scheme), self.token(state), max_age)
        return headers + possible(sent, scheme)

    def clearing_headers(self, scheme: str) -> Headers:
        transport = self.tokens.cookie_transport()
        cleared = transport.clear(transport.any_head(scheme))
        return [("Vary", transport.vary), *possible(cleared, scheme)]

    def go_on(self, state: State) -> None:
        state.headers_left = True

    def regenerate(self, state: State, grace: timedelta | None) -> None:
        if state.creating is not None:
            state.pending = state.pending.then(next_id=self.renewed(state.creating))
        elif state.record is None:
            # No client knows the id of a new session yet, so the id is dropped. After a past
            # session, the request goes on with a new session.
            state.replaced = state.replaced or state.replaceable
            if state.standing in STORES_NOTHING:
                state.note_left()
                state.standing = FRESH
            state.id = None
        elif state.standing is CURRENT and not state.gone:
            pending, until = state.pending, None
            # After a sign-in, or a regenerate() without grace, the earlier id must have no grace.
            is_more = pending.user_id is not UNCHANGED or (pending.next_id and not pending.grace)
            if grace is not None and not is_more:
                until = self.clock() + grace.total_seconds()
            state.pending = pending.then(next_id=self.renewed(state.id), grace=until)

    def set_user(self, state: State, user_id: str, data: Mapping[str, Any]) -> None:
        present = self.user_id(state)
        if state.gone or state.standing is GRACE or state.standing in STORES_NOTHING:
            timeout = state.pending.timeout
            state.leave()
            state.gone, state.pending = False, NOTHING_PENDING.then(timeout=timeout)
        if present is not None and present != user_id:
            _clear_all(state)
        if state.record is None:
            state.started_at = self.clock()
        if state.values is not None:
            state.values.pop(OTHER_SIGN_IN, None)
        self.regenerate(state, None)
        state.pending = state.pending.then(user_id=user_id, grace=None)
        if data:
            state.set(USER_DATA, dict(data))
        elif state.values is not None:
            state.values.pop(USER_DATA, None)
        device = device_of(state.head) if self.rules.remember_devices else UNKNOWN_DEVICE
        if device != UNKNOWN_DEVICE:
            state.set(DEVICE, [*device])
        elif state.values is not None:
            state.values.pop(DEVICE, None)

    def clear_user(self, state: State) -> None:
        if not state.found:
            # The ids were not looked up yet, or there are too many of them.
            for id in self.tokens.identify(state):
                self.end_later(state, id)
        for id, standing, _ in state.found:
            if standing is not CURRENT or state.id is None or id.key != state.id.key:
                self.end_later(state, id)
        state.forget_user()
        is_lost = state.gone or state.standing is GRACE
        if is_lost and state.record is not None and state.id is not None:
            self.end_later(state, state.id)
        if state.record is not None and state.standing is CURRENT:
            state.signs_out = True
            state.pending = state.pending.then(user_id=None)
        elif state.standing is GRACE:
            state.leave()
            # The session ends, even if the request fails.
            state.left, state.signs_out = None, False
        elif state.pending.user_id is not UNCHANGED:
            state.pending = state.pending.then(user_id=UNCHANGED)

    def set_timeout(self, state: State, seconds: float | None) -> None:
        if state.standing is not GRACE:
            state.pending = state.pending.then(timeout=seconds)

    def destroy(self, state: State) -> None:
        for id in self.tokens.identify(state):
            self.end_later(state, id)
        if state.record is not None and state.id is not None:
            self.end_later(state, state.id)
        if state.has_tokens and not state.ids and not state.is_obstructed:
            # The client sent a token that is not valid here, so its cookie is cleared.
            state.clear_is_due = True
        state.started_at = self.clock()
        state.begin(None, None, FRESH)
        state.left, state.replaced, state.signs_out = None, (), False
        state.ended, state.gone, state.cookie_is_due, state.saved = True, False, False, False

    def delete(self, state: State) -> Flow[bool]:
        if state.ended and state.record is None and not state.to_end:
            # A stateless token stays valid, so only the first call can return True. Later writes
            # belong to a new session, which nobody has stored.
            state.begin(None, None, FRESH)
            return False
        self.destroy(state)
        before = state.ends
        yield from self.save(state)
        return state.ends > before

    def user_id(self, state: State) -> str | None:
        if isinstance(state.pending.user_id, Unchanged):
            return None if state.record is None else state.record.user_id
        return state.pending.user_id

    def idle_timeout(self, state: State) -> float:
        own = self._timeout_of(state)
        return self.lifetimes.idle if own is None else own

    def expires_at(self, state: State) -> float:
        begins_anew = isinstance(state.pending.user_id, str)
        now, record = self.clock(), state.record
        if record is not None and not begins_anew and not self.is_use(state):
            now = record.accessed_at
        created_at = now if begins_anew else state.started_at
        return self.lifetimes.end(created_at, self._timeout_of(state), now)

    def end_later(self, state: State, id: Id, reason: EndReason = EndReason.LOGOUT) -> None:
        if all(id.key != other.key for other in state.to_end):
            state.to_end = (*state.to_end, id)
            if reason is not EndReason.LOGOUT:
                state.end_reasons = {**state.end_reasons, id.key: reason}

    def note_end(self, state: State, handle: str, detail: str, ending: "Why") -> None:
        """Keep the event that a session has ended, until it is sent to the listeners."""
        state.note_end(handle, detail, ending.reason)

    def note_creation(self, state: State, record: Record, handle: str) -> None:
        """Do nothing; a subclass adds the events of a new session."""

    def note_commit(self, state: State, asked: Pending, handle: str, known: str | None) -> None:
        """Do nothing; a subclass adds the events of a commit.

        `known` is the id of the user who was signed in before the commit.
        """

    def end_expired(self, state: State, id: Id) -> Flow[None]:
        """Do nothing; a subclass removes the record if it has expired, and adds the event."""
        yield from ()

    def before_end(self, state: State, id: Id) -> Flow[Record | None]:
        """Return the record of a session that is to end, if a listener or `finish` needs it."""
        yield from ()
        return None

    def end_one(
        self, state: State, id: Id, user_id: str | None = None, by: str = "delete()"
    ) -> Flow[bool]:
        """End a session if its user is `user_id` (None: any user); return whether it was live."""
        record = yield from self.before_end(state, id)
        ask = ("delete", id.key) if user_id is None else ("delete_of_user", id.key, user_id)
        ended: bool = yield ask
        if ended:
            self.note_end(state, id.key, f"{by} ended it", Why(EndReason.DELETED, record))
        else:
            yield from self.end_expired(state, id)
        return ended

    def renewed(self, id: Id | None) -> Id:
        if id is None:
            return new_id(self.gen_id)
        for _ in range(CREATE_ATTEMPTS):
            renewed = renewed_id(id, self.gen_id)
            if renewed.secret != id.secret:
                return renewed
        raise taken("the present secret of the session")

    def drop_unsendable(self, state: State) -> None:
        if state.values is not None and state.record is None and state.has_changes():
            state.begin_as_loaded()
            state.note(
                "gone", "a new session was not stored, because no response can send its cookie"
            )
        elif isinstance(state.pending.user_id, str):
            self.undo_sign_in(state)
            state.note("gone", "nobody was signed in, because no response can send the new cookie")
        elif state.pending.next_id is not None:
            state.pending = state.pending.then(next_id=None, grace=None)
            state.note(
                "gone", "the id was not changed, because no response can send the new cookie"
            )

    def opens_unasked(self, state: State) -> bool:
        """Return whether the settings open a session that the request itself has not used."""
        try:
            if self.rules.save_uninitialized and not is_for_any_cache(state):
                self.tokens.identify(state)
                return True
            return self.rolls(state) and bool(self.tokens.identify(state))
        except MalformedToken:
            # The request has not used its session, so the response does not change.
            return False

    def rolls(self, state: State) -> bool:
        """Return whether the response renews the cookie and the idle timeout."""
        return self.rules.rolling and not is_for_any_cache(state) and self.is_use(state)

    def keep_expiry(self, state: State) -> None:
        state.is_use = False

    def is_use(self, state: State) -> bool:
        """Return whether the request extends the life of the session."""
        name = self.rules.background_header
        if state.is_use and name is not None and state.head is not None:
            state.is_use = not state.head.header(name)
        return state.is_use

    def counted(self, state: State, record: Record, changes: Changes) -> Changes:
        """Return the changes, but keep the expiry if the request does not extend the session."""
        return changes if self.is_use(state) else without_use(record, changes, self.lifetimes)

    def _timeout_of(self, state: State) -> float | None:
        if isinstance(state.pending.timeout, Unchanged):
            return None if state.record is None else state.record.timeout
        return state.pending.timeout

    def undo_sign_in(self, state: State) -> None:
        """Drop a sign-in that is not committed; the other changes of the request stay."""
        if state.pending.clear:
            # All values that were set since the sign-in belong to the new user.
            state.begin_as_loaded()
            return
        state.pending = state.pending.then(next_id=None, user_id=UNCHANGED, grace=None)
        state.forget_user()
        if state.values is not None:
            state.values.update({key: ENCODED for key in RESERVED if key in state.base})


def _clear_all(state: State) -> None:
    """Remove the previous user's values; a session from another system keeps the value `MOVED`.

    The commit also removes values that other requests have written since the load, because these
    values belong to the previous user, too.
    """
    state.values, state.assigned = {}, set()
    if state.record is None:
        return
    state.pending = state.pending.then(clear=True)
    if MOVED in state.base:
        state.set(MOVED, True)


def is_for_any_cache(state: State) -> bool:
    """Return whether shared caches are allowed to store the response.

    If so, the response must not renew the cookie, because a cache could send it to other clients.
    """
    return state.answer is not None and is_public(state.answer)


def possible(headers: Headers, scheme: str) -> Headers:
    """Return a cookie's headers; raise SessionError if browsers refuse them over this scheme."""
    if not headers:
        raise SessionError(
            f"the session cookie is Secure, so a response over {scheme} cannot change it. Fix: give"
            ' the scheme of the request, such as scheme="https", or set'
            ' CookieSettings(secure="auto")'
        )
    return headers


def taken(what: str) -> SessionError:
    """Return the error for a `gen_id` that returns the same text again and again."""
    return SessionError(
        f"gen_id returned {what}, {CREATE_ATTEMPTS} times. Fix: return a random text, such as"
        " secrets.token_urlsafe(32)"
    )
