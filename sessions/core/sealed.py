"""Sessions whose values are encrypted (sealed) before the store gets them.

The module `stored` makes all decisions. This module seals the values of each call to the store, and
decrypts (opens) the values of each answer. All other code sees plain values.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from sessions.core.devices import Device, read_device
from sessions.core.ids import Id
from sessions.core.sealing import LABEL, USER, DataKey, Wrapping, wrapped_name
from sessions.core.state import Ask, State
from sessions.core.stored import StoredSessions
from sessions.core.tokens import Tokens
from sessions.core.values import DEVICE
from sessions.core.verbs import Rules
from sessions.errors import UnreadableValue
from sessions.record import (
    CLOCK_TOLERANCE,
    ENCRYPTED_VERSION,
    FORMAT_VERSION,
    Changes,
    Record,
)

_NOT_ENCRYPTED = (
    "its values are not encrypted, but this container has encryption_keys. Fix: do nothing if the"
    " session is older than the encryption_keys. If it is newer, somebody has written to the store"
)
_OTHER_USER = (
    "its signed-in user differs from the encrypted user, so somebody has changed the record"
    " in the store"
)


class SealedSessions(StoredSessions):
    """Make the decisions about encrypted sessions: the store cannot read their values."""

    def __init__(self, rules: Rules, tokens: Tokens, wrapping: Wrapping) -> None:
        super().__init__(rules, tokens)
        self._wrapping = wrapping

    def load_answer(self, state: State, answer: object) -> None:
        ids = state.ids
        if ids is not None and state.values is None:
            answer = self.opened(state, ids[len(state.found)], answer)
        super().load_answer(state, answer)

    def changes_in(self, state: State, ask: Ask) -> Changes:
        # `ask` has the sealed values, but the session needs the plain values.
        return super().changes_in(state, ask) if state.asked is None else state.asked

    def _create_ask(self, state: State, id: Id, record: Record) -> Ask:
        data_keys = _data_keys(state)
        if id.secret not in data_keys:
            data_keys[id.secret] = self._wrapping.new(id)
        # A new try uses the same data key, because possibly only the earlier reply was lost.
        data_key = data_keys[id.secret]
        values = {wrapped_name(id.secret): self._wrapping.wrap(id, data_key)}
        if record.user_id is not None:
            values[USER] = data_key.sealed_user(record.user_id)
        values.update(data_key.seal_all(self._without_device(id, record.values, values)))
        return ("create", id.key, replace(record, values=values, version=ENCRYPTED_VERSION))

    def _commit_ask(self, state: State, id: Id, changes: Changes, next_id: Id | None = None) -> Ask:
        verb, key, _ = super()._commit_ask(state, id, changes)
        return (verb, key, self.changes_as_stored(state, id, changes, next_id))

    def opened(self, state: State, id: Id, answer: object) -> object:
        """Return the store's answer with decrypted values, or an error for a damaged record."""
        if not isinstance(answer, Record):
            return answer
        is_encrypted = answer.version == ENCRYPTED_VERSION
        record = replace(answer, version=FORMAT_VERSION) if is_encrypted else answer
        if record.version > FORMAT_VERSION:
            return record
        if record.secret != id.secret and not record.has_grace(id.secret, self.clock()):
            # The request has a past id, so it must not read any value.
            return replace(record, values={}, grace=None)
        if not is_encrypted:
            return UnreadableValue(_NOT_ENCRYPTED)
        try:
            return self._open(state, id, record)
        except UnreadableValue as error:
            return error

    def changes_as_stored(
        self, state: State, id: Id, changes: Changes, next_id: Id | None = None
    ) -> Changes:
        """Return the changes of a commit with their values sealed."""
        state.asked = changes
        data_key = writer = _data_keys(state)[id.secret]
        if next_id is not None:
            writer = self._next_key(state, id, changes, next_id)
        values, stale = self._wrapped(state, id, changes, next_id)
        removed = changes.removed | stale
        if isinstance(changes.user_id, str):
            values[USER] = writer.sealed_user(changes.user_id)
            removed |= frozenset() if DEVICE in changes.set else {LABEL}
        elif changes.user_id is None:
            removed |= {USER, LABEL}
        # First look up the stored bytes, because seal_all() replaces them.
        known = {name: data_key.as_stored(name, value) for name, value in changes.expected.items()}
        values.update(writer.seal_all(self._without_device(id, changes.set, values)))
        return replace(changes, set=values, removed=removed, expected=known)

    def device_in(self, key: str, record: Record) -> Device:
        return read_device(self._wrapping.open_device(key, record.values.get(LABEL)))

    def _without_device(
        self, id: Id, plain: Mapping[str, bytes], sealed: dict[str, bytes]
    ) -> Mapping[str, bytes]:
        """Return the values without the device; seal the device separately, into `sealed`."""
        if DEVICE not in plain:
            return plain
        sealed[LABEL] = self._wrapping.sealed_device(id.key, plain[DEVICE])
        return {name: value for name, value in plain.items() if name != DEVICE}

    def _open(self, state: State, id: Id, record: Record) -> Record:
        data_key, data_keys = self._wrapping.unwrap(id, record.values), _data_keys(state)
        if id.secret in data_keys:
            data_key.know(data_keys[id.secret])
        values = data_key.open_all(record.values)
        data_key.is_present = record.secret == id.secret
        if data_key.user_in(record.values) != record.user_id:
            raise UnreadableValue(_OTHER_USER)
        data_keys[id.secret] = data_key
        return replace(record, values=values)

    def _wrapped(
        self, state: State, id: Id, changes: Changes, next_id: Id | None
    ) -> tuple[dict[str, bytes], frozenset[str]]:
        """Return the data keys to store in a commit, and the names of data keys to remove."""
        data_key, own = _data_keys(state)[id.secret], wrapped_name(id.secret)
        if changes.secret != id.secret or not data_key.is_present:
            # A request with an earlier id stores and removes no data key. It must not remove the
            # data key of the present id, and the id may have changed again.
            return {}, frozenset()
        wrapped: dict[str, bytes] = {}
        kept = {own} if next_id is None or changes.grace is not None else set()
        if kept and (changes.clear or not data_key.is_newest):
            wrapped[own] = self._wrapping.wrap(id, data_key)
        if next_id is not None:
            next_key = _data_keys(state)[next_id.secret]
            wrapped[wrapped_name(next_id.secret)] = self._wrapping.wrap(next_id, next_key)
        else:
            kept |= _with_grace(state.record, changes.accessed_at)
        return wrapped, data_key.wrapped - kept - wrapped.keys()

    def _next_key(self, state: State, id: Id, changes: Changes, next_id: Id) -> DataKey:
        """Return the data key for the next id.

        If the commit clears all values, this is a new key, else a copy of the present key.
        """
        data_keys = _data_keys(state)
        if next_id.secret not in data_keys:
            data_keys[next_id.secret] = (
                self._wrapping.new(next_id)
                if changes.clear
                else data_keys[id.secret].after_renewal(wrapped_name(next_id.secret))
            )
        return data_keys[next_id.secret]


def _with_grace(record: Record | None, now: float) -> set[str]:
    """Return a set with the name of the earlier id's data key.

    The set is empty if no earlier id is in its grace time.
    """
    if record is None or record.grace is None:
        return set()
    secret, until = record.grace
    # The clock of another machine may be behind.
    return {wrapped_name(secret)} if until > now - CLOCK_TOLERANCE else set()


def _data_keys(state: State) -> dict[str, DataKey]:
    """Return the data keys of this request, as a dict from the hash of an id to its data key."""
    if state.data_keys is None:
        state.data_keys = {}
    return state.data_keys
