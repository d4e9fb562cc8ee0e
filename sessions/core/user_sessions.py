"""Keep the index of a user's sessions, and list and end these sessions.

The index is a part of the store, and has the keys of each user's sessions. A sign-in adds the key
of the session to the index before the sign-in is committed. So the index has every signed-in
session, even after a crash. The index can also have keys whose records do not exist yet, or belong
to another user. So a manager looks at each record, and ends the session only if it belongs to the
user at that moment.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from sessions.core.devices import Device, read_device
from sessions.core.ids import Id, is_key
from sessions.core.limits import REMEMBERED_FOR
from sessions.core.pending import Pending
from sessions.core.persistence import SEVERAL, Flow, Several
from sessions.core.refreshing import Refreshing
from sessions.core.standing import Standing
from sessions.core.state import Ask, Difference, State
from sessions.core.tokens import Tokens
from sessions.core.user_limits import Queue, later_than
from sessions.core.values import DEVICE
from sessions.core.verbs import Rules, Why
from sessions.errors import SessionError, TooManySessions
from sessions.events import EndReason
from sessions.record import FORMAT_VERSION, Changes, Ended, Record

S = TypeVar("S", Changes, Record)

LATEST_CREATION = REMEMBERED_FOR
"""After so many seconds, a creation adds its key to the index once more.

In this time, another request has possibly removed the key.
"""
_YOUNG = 2 * REMEMBERED_FOR
"""For so many seconds, an entry stays in the index without a record.

In this time, a request is possibly about to create the record.
"""


class IndexedSessions(Refreshing):
    """Keep the index of each user's sessions, if the store has an index."""

    def __init__(self, rules: Rules, tokens: Tokens) -> None:
        super().__init__(rules, tokens)
        is_one_call = rules.stores_sign_ins or not rules.indexes_users
        self._signs_in_at_once = is_one_call and rules.sessions_per_user is None

    @abstractmethod
    def _changes(
        self, state: State, record: Record, pending: Pending, difference: Difference
    ) -> Changes:
        """Return the changes of a commit."""

    @abstractmethod
    def _commit_ask(self, state: State, id: Id, changes: Changes, next_id: Id | None = None) -> Ask:
        """Return the store call of a commit."""

    def enter(self, id: Id, user_id: str, created_at: float) -> Flow[None]:
        """Add a session to the index; its absolute timeout begins at `created_at`."""
        if self.rules.indexes_users:
            yield ("add_to_user", user_id, id.key, self.lifetimes.latest_end(created_at))

    def admit(self, state: State, id: Id, signing: S) -> Flow[S]:
        """Add a sign-in to the index before its commit, or refuse it with TooManySessions.

        Returns `signing`, the record or the changes of the sign-in. With the limit "end_oldest",
        `signing.created_at` is set later than the user's other sign-ins, because the new session
        must not count as the oldest.
        """
        limit, user_id, created_at = self.rules.sessions_per_user, signing.user_id, 0.0
        if signing.created_at is not None:
            created_at = signing.created_at
        if not isinstance(user_id, str):
            return signing
        if limit is not None and limit.beyond == "refuse":
            yield from self._refuse_beyond(state, id, user_id, limit.most)
        elif limit is not None:
            longest = self.lifetimes.latest_end(0.0)
            created_at = later_than((yield ("keys_of_user", user_id)), created_at, longest)
            signing = replace(signing, created_at=created_at)
        if not self.rules.stores_sign_ins:
            yield from self.enter(id, user_id, created_at)
        return signing

    def with_entry(self, ask: Ask, signing: Changes | Record) -> Ask:
        """Return the call that stores a sign-in and, in some stores, also adds the index entry."""
        if not self.rules.stores_sign_ins or not isinstance(signing.user_id, str):
            return ask
        verb, *arguments = ask
        until = self.lifetimes.latest_end(signing.created_at or 0.0)
        return (f"{verb}_sign_in", signing.user_id, *arguments, until)

    def sign_in_ask(self, state: State) -> Ask | Several:
        """Return the store call that completes a request with a sign-in.

        Return SEVERAL if the request possibly needs more than one store call.
        """
        record, id, pending = state.record, state.id, state.pending
        is_usual = self._signs_in_at_once and isinstance(pending.user_id, str)
        if not is_usual or record is None or id is None or state.standing is not Standing.CURRENT:
            return SEVERAL
        # Another thread of the request may change `pending` before the answer comes.
        state.sent = (pending, id, record, state.generation)
        changes = self._changes(state, record, pending, state.changes())
        return self.with_entry(self._commit_ask(state, id, changes, pending.next_id), changes)

    def changes_in(self, state: State, ask: Ask) -> Changes:
        """Return the changes of a commit, with values that are not encrypted."""
        changes: Changes = ask[2] if ask[0] == "commit" else ask[3]
        return changes

    def admitted(
        self, state: State, id: Id, signing: Changes | Record, *, is_done: bool
    ) -> Flow[None]:
        """Complete a sign-in after its commit.

        If the setting `sessions_per_user` says "refuse", remove this sign-in from the user's queue
        of sign-ins. If the setting says "end_oldest", end the oldest sessions over the limit.
        """
        limit, user_id = self.rules.sessions_per_user, signing.user_id
        if not isinstance(user_id, str):
            return
        # If the store fails here, the request must fail, too.
        state.is_unfinished = True
        if is_done and isinstance(signing, Record):
            yield from self._enter_again(id, signing)
        if limit is not None and limit.beyond == "refuse":
            queue = Queue(user_id)
            yield from self.noting_failures(state, queue.leave(id.key, self.clock()))
        elif limit is not None and is_done:
            yield from self._end_oldest(state, id, user_id, limit.most)
        self.done(state)

    def is_late(self, record: Record) -> bool:
        """Return whether a record was created so slowly that the index possibly lost its key."""
        return self.clock() - record.secret_since > LATEST_CREATION

    def sessions_of(self, user_id: str) -> Flow[list[tuple[str, Record]]]:
        entries = yield from self._entries(user_id)
        found: list[tuple[str, Record]] = []
        dead: dict[str, float] = {}
        for key, until in entries.items():
            answer = yield ("load", key)
            if isinstance(answer, Record):
                if answer.user_id == user_id and self._is_live(key, answer):
                    found.append((key, answer))
            elif self._is_over(answer, until):
                dead[key] = until
        yield from self._remove(user_id, dead)
        # All requests must agree on the order, even if two sign-ins have the same time.
        return sorted(found, key=lambda one: (one[1].created_at, one[0]), reverse=True)

    def device_in(self, key: str, record: Record) -> Device:
        """Return the device of a session, for the list of a user's sessions."""
        return read_device(record.values.get(DEVICE))

    def end_sessions_of(self, state: State, user_id: str, keep: str | None) -> Flow[int]:
        entries = yield from self._entries(user_id)
        ended = 0
        dead: dict[str, float] = {}
        for key, until in entries.items():
            if key == keep:
                continue
            record = yield from self.before_end(state, Id("", key, ""))
            if (yield ("delete_of_user", key, user_id)):
                ended += 1
                why = Why(EndReason.ENDED_BY_USER, record)
                self.note_end(state, key, "end_sessions_of() ended it", why)
                is_over = self._is_over(None, until)
            else:
                yield from self.end_expired(state, Id("", key, ""))
                is_over = self._is_over((yield ("load", key)), until)
            if is_over:
                dead[key] = until
        yield from self._remove(user_id, dead)
        return ended

    def _enter_again(self, id: Id, record: Record) -> Flow[None]:
        """Add a session to the index again, if another request possibly removed its entry.

        This can happen if the creation of the session was slow.
        """
        if self.is_late(record):
            # The entry gets a later time, so no manager removes it in place of the earlier entry.
            yield from self.enter(id, record.user_id or "", self.clock())

    def end_session_of(self, state: State, user_id: str, handle: str) -> Flow[bool]:
        self._require_index()
        if not is_key(handle):
            return False
        record = yield from self.before_end(state, Id("", handle, ""))
        if not (yield ("delete_of_user", handle, user_id)):
            yield from self.end_expired(state, Id("", handle, ""))
            return False
        why = Why(EndReason.ENDED_BY_USER, record)
        self.note_end(state, handle, "end_session_of() ended it", why)
        return True

    def _refuse_beyond(self, state: State, id: Id, user_id: str, most: int) -> Flow[None]:
        """Raise TooManySessions if the user's sessions and unfinished sign-ins reach the limit."""
        queue = Queue(user_id)
        before = yield from queue.join(id.key, self.clock())
        live = yield from self.sessions_of(user_id)
        others = before.union(key for key, _ in live) - {id.key}
        if len(others) < most:
            return
        yield from self.noting_failures(state, queue.leave(id.key, self.clock()))
        state.is_unfinished, state.creating = False, None
        self.undo_sign_in(state)
        raise TooManySessions(
            f"the user has {most} sessions already, so the sign-in was refused. Fix: let the user"
            " log out elsewhere, for example with manager.end_sessions_of(user_id)"
        )

    def _end_oldest(self, state: State, id: Id, user_id: str, most: int) -> Flow[None]:
        """If the user has more sessions than the limit, end those with the oldest sign-ins."""
        live = yield from self.sessions_of(user_id)
        for key, _ in live[most:]:
            record = yield from self.before_end(state, Id("", key, ""))
            if (yield ("delete_of_user", key, user_id)):
                note = f"the user signed in again, and the limit is {most} sessions"
                self.note_end(state, key, note, Why(EndReason.EVICTED, record))
            else:
                yield from self.end_expired(state, Id("", key, ""))
        if id.key not in [key for key, _ in live[:most]]:
            self.lose(state, "later sign-ins of the user ended it")
            state.end_reasons = {**state.end_reasons, id.key: EndReason.EVICTED}

    def _entries(self, user_id: str) -> Flow[Mapping[str, float]]:
        self._require_index()
        entries: Mapping[str, float] = yield ("keys_of_user", user_id)
        return entries

    def _require_index(self) -> None:
        if not self.rules.indexes_users:
            raise SessionError(
                "the store does not know which sessions a user has. Fix: use a store with an index"
                " of users, such as SQLiteStore, or give your store the methods of"
                " sessions.stores.user_index.UserIndex"
            )

    def _remove(self, user_id: str, entries: Mapping[str, float]) -> Flow[None]:
        if entries:
            yield ("remove_from_user", user_id, entries)

    def _is_live(self, key: str, record: Record) -> bool:
        # The times and the user of an encrypted record can be read, although its version differs.
        known, id = replace(record, version=FORMAT_VERSION), Id("", key, record.secret)
        return self.standings.standing(id, known, self.clock()) is Standing.CURRENT

    def _is_over(self, answer: object, until: float) -> bool:
        """Return whether to remove an index entry, because it has no record and will never get one.

        A new entry can still get its record. A request creates the record after the entry, and
        creates the record again if the first reply was lost.
        """
        is_absent = answer is None or isinstance(answer, Ended)
        return is_absent and until < self.lifetimes.latest_end(self.clock() - _YOUNG)
