"""Sessions that are stored in a store: all decisions about them.

After the store has applied a call, only the changes in this call count as stored. The present
values of the state do not count as stored, because other code has possibly changed them since the
call.
"""

from collections.abc import Callable
from typing import Any

from sessions.core.commits import changes_of, first_record
from sessions.core.ids import Id, new_id
from sessions.core.limits import CREATE_ATTEMPTS, MOST_IDS
from sessions.core.pending import NOTHING_PENDING, Pending
from sessions.core.persistence import SEVERAL, Flow, Several
from sessions.core.standing import Standing, damage_of
from sessions.core.state import Ask, Difference, Headers, State, check_size
from sessions.core.tokens import Tokens, id_of
from sessions.core.updates import ended, take, update
from sessions.core.user_sessions import IndexedSessions
from sessions.core.values import RESERVED
from sessions.core.verbs import CURRENT, FRESH, GRACE, STORES_NOTHING, UNKNOWN, Rules, taken
from sessions.events import EndReason
from sessions.record import UNCHANGED, Changes, Outcome, Record

APPLIED, SUPERSEDED = Outcome.APPLIED, Outcome.SUPERSEDED

DROPPED = "a write was dropped, because the session ended or its id changed in the meantime"


class StoredSessions(IndexedSessions):
    """Make the decisions about sessions that are stored in a store."""

    def __init__(self, rules: Rules, tokens: Tokens) -> None:
        super().__init__(rules, tokens)
        self.opens_every_request = rules.rolling or rules.save_uninitialized
        self._is_always_use = rules.background_header is None
        self._renews_ids = rules.renew_every is not None
        self._writes_unasked = self.opens_every_request or rules.resave

    def load_ask(self, state: State) -> Ask | None:
        if state.values is not None:
            return None
        ids = self.tokens.identify(state) if state.ids is None else state.ids
        if len(ids) > MOST_IDS:
            state.note("rejected", f"{len(ids)} different signed ids in one request", "ambiguous")
            state.started_at, state.replaceable = self.clock(), ids
            state.begin(None, None, Standing.AMBIGUOUS)
            return None
        if len(state.found) < len(ids):
            return ("load", ids[len(state.found)].key)
        self.begin_found(state)
        return None

    def load_answer(self, state: State, answer: object) -> None:
        ids, found = state.ids or (), state.found
        if state.values is not None:
            # destroy() was called in the meantime.
            return
        id = ids[len(found)]
        standing = self.standings.standing(id, answer, state.began_at)
        record = answer if isinstance(answer, Record) else None
        if standing is CURRENT and len(ids) == 1:
            state.found = ((id, CURRENT, record),)
            state.begin(id, record, CURRENT)
            return
        state.found = found = (*found, (id, standing, record))
        if standing is UNKNOWN and (damage := damage_of(answer)) is not None:
            state.note("unreadable", damage, handle=id.key)
            state.is_damaged = True
        if len(found) == len(ids):
            self.begin_found(state)

    def begin_found(self, state: State) -> None:
        if state.found:
            super().begin_found(state)
        else:
            state.started_at = self.clock()
            state.begin(None, None, FRESH)

    def id_of(self, state: State) -> Id:
        return id_of(state, self.gen_id)

    def check(self, state: State) -> None:
        if not state.gone:
            changed, removed = state.changes()
            check_size({} if state.pending.clear else state.base, changed, removed)

    def save(self, state: State) -> Flow[None]:
        if state.to_end:
            yield from self.end(state)
        if state.gone:
            raise ended()
        changed, removed = state.changes()
        if not (changed or removed or state.pending is not NOTHING_PENDING):
            return
        if state.standing in STORES_NOTHING:
            self.lose(
                state, "save() stored nothing, because the session had ended or its id had changed"
            )
            raise ended()
        signs_in = isinstance(state.pending.user_id, str)
        yield from self._commit(state, changed, removed)
        if not signs_in and state.gone:  # A sign-in was stored, even if later sign-ins ended it.
            raise ended()

    def create(self, state: State) -> Flow[None]:
        yield from self._create(state, state.changes()[0])

    def _commit(
        self, state: State, changed: dict[str, bytes], removed: frozenset[str]
    ) -> Flow[None]:
        """Store the changes: create a new session, or commit to a stored one."""
        record, id = state.record, state.id
        if record is None or id is None:
            if changed or state.pending.is_worth_a_record:
                yield from self._create(state, changed)
            return
        asked, generation = self._asked(state, record), state.generation
        difference = (changed, removed)
        outcome, asked, changes = yield from self._ask_commit(state, id, asked, difference)
        state.is_unfinished = False
        is_done, is_left = outcome is APPLIED, state.generation != generation
        if is_done:
            self.note_commit(state, asked, id.key, record.user_id)
        if is_done and not is_left:
            # If `is_left`, this request has ended or left the session in the meantime.
            self._applied(state, id, asked, changes)
        if isinstance(changes.user_id, str):
            # If this fails, the error page still has the cookie with the new id.
            yield from self.admitted(state, id, changes, is_done=is_done)
        if not (is_done or is_left):
            yield from self._refused(state, id, asked, outcome, difference)

    def _asked(self, state: State, record: Record) -> Pending:
        """Return the changes that the commit makes, except changes of values."""
        if state.standing is GRACE:
            # An earlier id in its grace time can change values only.
            return NOTHING_PENDING
        if self.renews_cookie(state, record):
            state.pending = state.pending.then(renews=True)
        return state.pending

    def _ask_commit(
        self, state: State, id: Id, asked: Pending, difference: Difference
    ) -> Flow[tuple[Outcome, Pending, Changes]]:
        """Commit; if another request changed the id first, commit only the values."""
        record = state.record
        if record is None:
            raise ended()
        changes = self._changes(state, record, asked, difference)
        if isinstance(changes.user_id, str):
            changes = yield from self.admit(state, id, changes)
        ask = self._commit_ask(state, id, changes, asked.next_id)
        outcome = yield self.with_entry(ask, changes)
        if outcome is SUPERSEDED and asked.is_worth_another_try and any(difference):
            # Another request has renewed the id. If it gave the old id a grace time, a commit of
            # values alone still succeeds.
            state.pending, asked = state.pending.since(asked), NOTHING_PENDING
            changes = self._changes(state, record, asked, difference)
            outcome = yield self._commit_ask(state, id, changes)
        return outcome, asked, changes

    def _changes(
        self, state: State, record: Record, pending: Pending, difference: Difference
    ) -> Changes:
        changes = changes_of(record, pending, difference, self.lifetimes, self.clock())
        if state.is_use and self._is_always_use:
            return changes
        return self.counted(state, record, changes)

    def _commit_ask(self, state: State, id: Id, changes: Changes, next_id: Id | None = None) -> Ask:
        check_size({} if changes.clear else state.base, changes.set, changes.removed)
        # If no answer comes, the request must fail.
        state.is_unfinished = True
        return ("commit", id.key, changes)

    def _applied(self, state: State, id: Id, asked: Pending, changes: Changes) -> None:
        """Note in the state that the store has applied a commit."""
        if asked.timeout is not UNCHANGED or changes.created_at is not None or asked.next_id:
            state.cookie_is_due = True
        if asked.user_id is not UNCHANGED:
            state.signs_out = False
        state.take_changes(changes)
        state.latest_record()
        state.id, state.pending = asked.next_id or id, state.pending.since(asked)

    def _refused(
        self, state: State, id: Id, asked: Pending, outcome: Outcome, difference: Difference
    ) -> Flow[None]:
        """Handle a commit that the store did not apply."""
        if state.renews_itself and outcome is SUPERSEDED and not any(difference):
            # Another request has renewed the id and stored a use, so there is nothing left to do.
            state.pending, state.written = state.pending.since(asked), True
        else:
            is_dropped = bool(difference[0] or difference[1] - RESERVED)
            yield from self._too_late(state, id, outcome, is_dropped=is_dropped)

    def _too_late(self, state: State, id: Id, outcome: Outcome, *, is_dropped: bool) -> Flow[None]:
        """Handle a commit that came too late, after the session ended or got a new id.

        A sign-in gets a new session, a sign-out still happens, and all other changes are dropped.
        """
        pending = state.pending
        if isinstance(pending.user_id, str):
            state.leave()
            state.pending = NOTHING_PENDING.then(timeout=pending.timeout, user_id=pending.user_id)
            state.started_at = self.clock()
            yield from self._create(state, state.changes()[0])
            return
        self.lose(state, DROPPED)
        if pending.user_id is None:
            if outcome is SUPERSEDED:
                self.end_later(state, id)
                yield from self.end(state)
            # The user is signed out, as the request asked, because the session has ended.
            state.started_at = self.clock()
            state.begin(None, None, FRESH)
            state.ended, state.gone, state.signs_out = True, is_dropped, False

    def _create(self, state: State, values: dict[str, bytes]) -> Flow[None]:
        if not self.tokens.can_be_sent(state):
            return
        check_size({}, values)
        id, asked, generation = self.id_of(state), state.pending, state.generation
        for _ in range(CREATE_ATTEMPTS):
            record = first_record(state, id, values, self.lifetimes, self.clock())
            state.is_unfinished, state.creating = True, id
            created, record = yield from self._ask_create(state, id, record)
            if created:
                break
            id = new_id(self.gen_id)
        else:
            raise taken("ids that other sessions have")
        state.is_unfinished, state.creating = False, None
        self._created(state, id, record, asked, is_left=state.generation != generation)
        if record.user_id is not None:
            yield from self.admitted(state, id, record, is_done=True)
        if state.to_end and state.generation == generation:
            yield from self.end(state)

    def _ask_create(self, state: State, id: Id, record: Record) -> Flow[tuple[bool, Record]]:
        """Create a session with its index entry; return whether it was created, and its record."""
        # If the session was created, the caller calls `admitted` to complete the sign-in.
        if record.user_id is None:
            return (yield self._create_ask(state, id, record)), record
        record = yield from self.admit(state, id, record)
        created: bool = yield self.with_entry(self._create_ask(state, id, record), record)
        if not created:
            yield from self.admitted(state, id, record, is_done=False)
        return created, record

    def _create_ask(self, state: State, id: Id, record: Record) -> Ask:
        return ("create", id.key, record)

    def _created(
        self, state: State, id: Id, record: Record, asked: Pending, *, is_left: bool
    ) -> None:
        """Note in the state that a new session is stored."""
        self.note_creation(state, record, id.key)
        if is_left:
            # This request has ended or left the session meanwhile. No client knows its id.
            self.end_later(state, id)
            return
        state.take_record(id, record)
        if state.pending is not NOTHING_PENDING:
            state.pending = state.pending.since(asked)
        next_id = state.pending.next_id
        if next_id is not None and next_id.key != id.key:
            # regenerate() made `next_id` from an id that another session already had.
            state.pending = state.pending.then(next_id=self.renewed(id))
        state.cookie_is_due = True
        for other in state.replaced:
            self.end_later(state, other, EndReason.REPLACED)
        state.replaced = ()

    def note_creation(self, state: State, record: Record, handle: str) -> None:
        """Do nothing; a subclass adds the events of a new session."""

    def update(self, state: State, key: str, function: Callable[[Any], Any]) -> Flow[Any]:
        return update(self, state, key, function)

    def take(self, state: State, key: str, default: object) -> Flow[Any]:
        return take(self, state, key, default)

    # The end of a request

    def close_ask(self, state: State, *, failed: bool) -> Ask | Several | None:
        if state.to_end or state.failure is not None or state.saved or self._writes_unasked:
            return SEVERAL
        if state.values is None or not state.accessed:
            return None
        if failed:
            state.begin_as_loaded()
        elif self._renews_ids:
            self.renew_if_due(state)
        record, id = state.record, state.id
        if state.gone or state.pending is not NOTHING_PENDING:
            return None if state.gone else self.sign_in_ask(state)
        changed, removed = state.changes()
        if not (changed or removed):
            return SEVERAL if record is not None and self.touch_is_due(state, record) else None
        if (
            record is None
            or id is None
            or state.standing in STORES_NOTHING
            or self.renews_cookie(state, record)
        ):
            return SEVERAL
        changes = self._changes(state, record, NOTHING_PENDING, (changed, removed))
        state.sent = None  # An earlier close has possibly failed before it sent a sign-in.
        return self._commit_ask(state, id, changes)

    def close_answer(self, state: State, ask: Ask, outcome: object) -> bool:
        state.is_unfinished, sent, state.sent = False, state.sent, None
        if sent is None and outcome is APPLIED:
            state.take_changes(self.changes_in(state, ask))
        elif sent is None:
            self.lose(state, DROPPED)
        elif outcome is APPLIED:
            asked, id, record, generation = sent
            self.note_commit(state, asked, id.key, record.user_id)
            if state.generation == generation:
                self._applied(state, id, asked, self.changes_in(state, ask))
        return sent is None or outcome is APPLIED

    def finish(self, state: State, *, failed: bool) -> Flow[None]:
        if failed:
            yield from self.give_up(state)
        elif state.failure is not None and state.is_unfinished:
            raise state.failure
        if state.accessed or not self.opens_unasked(state):
            yield from self._finish_used(state, failed=failed)
        else:
            yield from self.noting_failures(state, self._finish_unused(state, failed=failed))

    def _finish_unused(self, state: State, *, failed: bool) -> Flow[None]:
        state.accessed = True
        yield from self.loading(state)
        yield from self._finish_used(state, failed=failed)

    def _finish_used(self, state: State, *, failed: bool) -> Flow[None]:
        if state.to_end:
            yield from self.end(state)
        if not state.gone:
            yield from self._finish_kept(state, failed=failed)

    def give_up(self, state: State) -> Flow[None]:
        state.begin_as_loaded()
        yield from self.end(state)
        if state.pending.user_id is None and not state.gone:
            yield from self._commit(state, *state.changes())

    def _finish_kept(self, state: State, *, failed: bool) -> Flow[None]:
        saved, state.written = state.saved, False
        if self._renews_ids and not failed:
            self.renew_if_due(state)
        changed, removed = state.changes()
        if changed or removed or state.pending is not NOTHING_PENDING:
            flow = self._finish_changed(state, changed, removed)
            only_renews = state.renews_itself and not (changed or removed)
            yield from self.noting_failures(state, flow) if only_renews else flow
        # After a failure of the store in a failed request, only the necessary calls are made.
        is_over = state.gone or not state.accessed or (failed and state.failure is not None)
        if not (state.written or is_over):
            yield from self._finish_unchanged(state, saved=saved, failed=failed)

    def _finish_changed(
        self, state: State, changed: dict[str, bytes], removed: frozenset[str]
    ) -> Flow[None]:
        if state.standing in STORES_NOTHING:
            self.lose(
                state, "a write was dropped, because the session had ended or its id had changed"
            )
        else:
            yield from self._commit(state, changed, removed)

    def _finish_unchanged(self, state: State, *, saved: bool, failed: bool) -> Flow[None]:
        if state.record is None:
            wanted = self.rules.save_uninitialized and not (failed or state.ended)
            if wanted and state.values is not None and state.standing not in STORES_NOTHING:
                yield from self._create(state, {})
        elif saved:
            yield from self.confirm(state)
        elif self.rules.resave and not failed:
            yield from self.noting_failures(state, self._commit(state, {}, frozenset()))
        elif self.rolls(state) or self.touch_is_due(state, state.record):
            yield from self.note_use(state, renews=self.renews_cookie(state, state.record))

    def headers(self, state: State) -> Headers:
        if not (state.cookie_is_due or state.clear_is_due):
            return [*self.tokens.vary] if state.accessed and state.head is not None else []
        record = state.record
        if state.cookie_is_due and record is not None and record.timeout is not None:
            return self.tokens.headers(state, self.lifetimes.max_age(record, self.clock()))
        return self.tokens.headers(state, None)
