"""Stored sessions that begin with a session of another system, from its cookie.

A request without a live session of ours, but with a valid legacy cookie, stores the session here
while it loads. From then on, it is a session like any other. Its id is derived from the id in the
legacy cookie, if the cookie has one: so parallel requests with one cookie share one session, and
the cookie of a session that was moved and has ended here opens nothing.
"""

from typing import Any, NamedTuple, TypeVar, cast

from sessions.core.commits import first_record
from sessions.core.headers import Headers
from sessions.core.ids import Id, new_id
from sessions.core.legacy_calls import Ending, Loading
from sessions.core.legacy_cookies import LegacyCookie, LegacyCookies, LegacySession
from sessions.core.outside import CALL
from sessions.core.pending import NOTHING_PENDING
from sessions.core.persistence import Flow
from sessions.core.standing import damage_of
from sessions.core.state import Ask, State, check_size
from sessions.core.stored import StoredSessions
from sessions.core.values import USER_DATA, encode_value, plain_key
from sessions.core.verbs import CURRENT, GRACE, PAST, UNKNOWN
from sessions.errors import StoreUnavailable
from sessions.record import Record


class Moving:
    """Hold the store calls that move a session here, one after the other, while it loads."""

    def __init__(self, flow: Flow[None]) -> None:
        self._flow = flow
        self.ask: Ask | None = next(flow, None)

    def answer(self, answer: object) -> None:
        """Go on with the answer to the last ask."""
        try:
            self.ask = self._flow.send(answer)
        except StopIteration:
            self.ask = None


S = TypeVar("S", bound=StoredSessions)

NO_COOKIES = LegacyCookies((), b"")


class Legacy(NamedTuple):
    """Hold a valid legacy cookie of a request: its kind, its contents, and our id for it."""

    cookie: LegacyCookie
    content: Any
    id: Id | None


class MigratingSessions(StoredSessions):
    """Make the decisions about stored sessions, some of which begin in another system."""

    calls_code = True

    # Loading

    def load_ask(self, state: State) -> Ask | None:
        if state.moving is None:
            ask = super().load_ask(state)
            if ask is not None or state.moving is None:
                return ask
        return None if state.values is not None else state.moving.ask

    def load_answer(self, state: State, answer: object) -> None:
        if state.moving is None:
            super().load_answer(state, answer)
        elif state.values is None:
            try:
                state.moving.answer(answer)
            except BaseException:
                # The next load tries again.
                state.moving, state.ids, state.found = None, None, ()
                raise

    def begin_found(self, state: State) -> None:
        is_open = all(standing is UNKNOWN for _, standing, _ in state.found)
        if is_open and state.head is not None and not state.is_obstructed:
            legacies = self._legacies(state)
            if legacies and self.tokens.obstacle(state) is None:
                state.moving = Moving(self._move(state, legacies))
                return
        super().begin_found(state)

    def _legacies(self, state: State) -> list[Legacy]:
        """Return the valid legacy cookies of the request, and note an event for the others."""
        found = []
        for cookie, texts in self._cookies.find(state.head.cookies):
            if len(texts) > 1:
                text = f"{len(texts)} different sessions in {cookie!r}"
                state.note("ambiguous", text, "ambiguous")
            elif not texts:
                text = f"none of the keys of {cookie!r} signed the cookie"
                state.note("rejected", text, "tampered")
            else:
                try:
                    content = cookie.content(texts[0])
                except ValueError as error:
                    text = f"the contents of {cookie!r} cannot be read: {error}"
                    state.note("rejected", text, "malformed")
                else:
                    found.append(Legacy(cookie, content, self._cookies.id_for(cookie, content)))
        return found

    @property
    def _cookies(self) -> LegacyCookies:
        return self.rules.legacy or NO_COOKIES

    def _move(self, state: State, legacies: list[Legacy]) -> Flow[None]:
        """Begin with the session of the first legacy cookie that has one, or with a new session."""
        for legacy in legacies:
            if legacy.id is not None and (yield from self._find(state, legacy.id)):
                return
            loaded = yield (CALL, Loading(legacy.cookie, legacy.content))
            if loaded is None:
                # Another request may have moved the session since, and ended it there.
                if legacy.id is not None and (yield from self._find(state, legacy.id)):
                    return
                text = f"{legacy.cookie!r} has no session in the other system"
                state.note("rejected", text, "unknown")
                continue
            yield from self._store(state, legacy, loaded)
            return
        super().begin_found(state)

    def _find(self, state: State, id: Id) -> Flow[bool]:
        """Begin with the session that the cookie moved to before; return whether it was moved."""
        answer = self.opened(state, id, (yield ("load", id.key)))
        if answer is None:
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
        """Store the session here, and begin with the stored record."""
        values = _encoded(loaded)
        check_size({}, values)
        id = legacy.id or new_id(self.gen_id)
        state.started_at = self.clock()
        state.pending = NOTHING_PENDING
        if loaded.user_id is not None:
            state.pending = NOTHING_PENDING.then(user_id=loaded.user_id)
        record = first_record(state, id, values, self.lifetimes, state.started_at)
        state.pending = NOTHING_PENDING
        ask = self._create_ask(state, id, record)
        if record.user_id is not None:
            created = yield from self.entered(id, record, ask)
        else:
            created = yield ask
        if legacy.cookie.end is not None:
            yield (CALL, Ending(legacy.cookie, legacy.content))
        # Another request with the same cookie may have stored the session first, and changed it.
        if not (yield from self._find(state, id)):
            raise StoreUnavailable(
                "the store lost a session at the moment when it was moved here. Fix: try again"
            )
        if created:
            state.note("created", f"it was moved here from {legacy.cookie!r}")

    # The end

    def destroy(self, state: State) -> None:
        if state.values is None and state.head is not None:
            self._end_legacies_later(state)
        super().destroy(state)

    def _end_legacies_later(self, state: State) -> None:
        """Note the sessions of legacy cookies, so that they end although they were never loaded."""
        legacies = self._legacies(state)
        # An id that no session has stands for a session without an id, so that `end` is called.
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

    def headers(self, state: State) -> Headers:
        headers = super().headers(state)
        if not state.accessed or state.head is None:
            return headers
        # With our cookie, or after a logout, the old cookies have no use any more.
        if state.ended or len(headers) > len(self.tokens.vary):
            cleared = self._cookies.clearing(state.head)
            if cleared and ("Cache-Control", "no-store") not in headers:
                headers = [*headers, ("Cache-Control", "no-store")]
            headers = [*headers, *cleared]
        return headers


def migrating(kind: type[S]) -> type[S]:
    """Return a class of stored sessions that also begin in another system."""
    mixed: Any = type(f"Migrating{kind.__name__}", (MigratingSessions, kind), {})
    return cast("type[S]", mixed)


def _encoded(loaded: LegacySession) -> dict[str, bytes]:
    """Return the values as a store keeps them; raise UnencodableValue, which names the key."""
    values = {plain_key(key): value for key, value in loaded.data.items()}
    if loaded.user_id is not None and loaded.user_data:
        values[USER_DATA] = dict(loaded.user_data)
    return {key: encode_value(key, value) for key, value in values.items()}
