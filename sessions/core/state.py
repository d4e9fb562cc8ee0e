"""The state of a session in one request: its id, record, values and unsaved changes.

This module calls no store, takes no lock, and knows neither WSGI nor ASGI. The classes in
`sessions.session` show the state to the application, `stored` makes the decisions, and `driving`
calls the store.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from sessions.core import codec
from sessions.core.closed import CLOSED
from sessions.core.ids import Id
from sessions.core.limits import MAXIMUM_DATA
from sessions.core.notes import NO_REASONS, Ending, Notes
from sessions.core.pending import NOTHING_PENDING, Pending
from sessions.core.standing import Found, Standing
from sessions.core.values import OF_USER, encode_value
from sessions.errors import (
    SessionClosed,
    SessionTooLarge,
    UnencodableValue,
    UnreadableValue,
)
from sessions.events import EndReason, SessionEvent
from sessions.record import UNCHANGED, Changes, Record

Ask = tuple[Any, ...]
"""A call of a store: the name of the method, then its arguments."""

Headers = list[tuple[str, str]]

Difference = tuple[dict[str, bytes], frozenset[str]]
"""The values that differ from the stored ones, encoded, and the keys that were removed."""


class Encoded(Enum):
    """A placeholder for a stored value that is not decoded yet."""

    ENCODED = auto()


ENCODED: Final = Encoded.ENCODED
MISSING: Final = object()
"""A placeholder for a missing value."""

_NO_VALUES: Mapping[str, bytes] = MappingProxyType({})
pack = codec.pack
SMALL = 2**63
_NOTHING: frozenset[str] = frozenset()
_IMMUTABLE = codec.IMMUTABLE


class Unsaved(NamedTuple):
    """The unsaved changes of a session at one moment, and the stored values at this moment."""

    changed: Mapping[str, bytes]
    removed: frozenset[str]
    stored: Mapping[str, bytes]
    pending: Pending


class State(Notes, msgspec.Struct, eq=False):
    """The state of a session in one request.

    This is a msgspec Struct, because it is made in each request and a Struct is fast to make.
    """

    head: Any
    began_at: float
    turn: Any

    # From the request: `ids` is None until the tokens are read.
    ids: tuple[Id, ...] | None = None
    found: tuple[Found, ...] = ()
    transport: Any = None
    # If the container has several transports: those with valid tokens, and the ids of each.
    brought: tuple[tuple[Any, tuple[Id, ...]], ...] = ()
    is_obstructed: bool = False
    standing: Standing = Standing.FRESH

    # For links: the site and whether links carry the token, and whether the page has links.
    links: Any = None
    asks_for_cookies: bool = False

    # About the session: `base` holds the encoded values as the store has them.
    id: Id | None = None
    record: Record | None = None
    base: Mapping[str, bytes] = _NO_VALUES
    values: dict[str, Any] | None = None
    assigned: set[str] | None = None
    started_at: float = 0.0
    generation: int = 0
    creating: Id | None = None
    # The new token of a stateless session, which contains the whole session.
    token: str | None = None
    # For encrypted sessions: the data keys, and the changes of the last commit before encryption.
    data_keys: dict[str, Any] | None = None
    asked: Changes | None = None

    # Changes for the next commit, and sessions to end.
    pending: Pending = NOTHING_PENDING
    # The sign-in that a close has sent to the store: its changes, and the session before it.
    sent: tuple[Pending, Id, Record, int] | None = None
    to_end: tuple[Id, ...] = ()
    replaceable: tuple[Id, ...] = ()
    replaced: tuple[Id, ...] = ()
    left: tuple[Id | None, Record | None, Standing] | None = None
    signs_out: bool = False
    is_use: bool = True
    renews_itself: bool = False
    # The session that moves here from another system, and the sessions to end in that system.
    moving: Any = None
    legacies: tuple[Any, ...] = ()
    applied: tuple[Changes, ...] = ()

    # What has happened in this request.
    accessed: bool = False
    saved: bool = False
    written: bool = False
    ended: bool = False
    gone: bool = False
    closed: bool = False
    headers: Headers | None = None
    headers_left: bool = False
    # The headers of the response, if the edge has set them here.
    answer: Headers | None = None
    cookie_is_due: bool = False
    clear_is_due: bool = False
    events: tuple[SessionEvent, ...] = ()
    # The number of live sessions that this request has ended.
    ends: int = 0
    # Why sessions are to end, by their keys, if the reason is not LOGOUT.
    end_reasons: Mapping[str, EndReason] = NO_REASONS
    # For lifecycle methods: the session, and the ended sessions. And ids that may have expired.
    face: Any = None
    endings: tuple[Ending, ...] = ()
    lapsing: tuple[Found, ...] | None = None
    after_reload: tuple[Callable[[], None], ...] = ()

    # The time that the store took so far, and its last failure.
    spent: float = 0.0
    failure: Exception | None = None
    is_unfinished: bool = False
    is_bounded: bool = True
    is_damaged: bool = False
    # Whether an event has already reported why the request has no session.
    is_rejected: bool = False
    runner: int | None = None

    def __repr__(self) -> str:
        # The id is a secret.
        return f"<{type(self).__name__} of a session>"

    @property
    def has_tokens(self) -> bool:
        """Return whether the request has any text where a token is expected, valid or not."""
        return self.transport is not None

    @property
    def is_past(self) -> bool:
        """Return whether the id of the request stopped working a moment ago."""
        return self.standing is Standing.PAST

    # The session's beginning

    def begin(self, id: Id | None, record: Record | None, standing: Standing) -> None:
        """Begin with a stored record, or with a new session if the record is None."""
        self.id, self.record, self.standing = id, record, standing
        # The answer to a store call for the previous session must not change this session.
        self.generation += 1
        self.applied = ()
        self.pending = NOTHING_PENDING
        self.assigned = None
        if record is None:
            self.base, self.values = {}, {}
        else:
            self.started_at = record.created_at
            self.base = record.values
            self.values = dict.fromkeys(record.values, ENCODED)

    def begin_as_loaded(self) -> None:
        """Discard the unsaved changes, except a sign-out."""
        if self.values is None:
            return
        if self.left is not None and self.record is None:
            self.begin(*self.left)
            self.left, self.replaced = None, ()
        self.values = dict.fromkeys(self.base, ENCODED)
        self.assigned = None
        self.pending = NOTHING_PENDING
        self.sign_out_again()

    def sign_out_again(self) -> None:
        """If the request signed the user out, do so again: an error must not undo a sign-out."""
        if self.signs_out and self.values is not None:
            self.pending = Pending(user_id=None)
            self.forget_user()

    def forget_user(self) -> None:
        """Remove the values that belong to the user."""
        values = self.values or {}
        for key in OF_USER:
            values.pop(key, None)

    def take_record(self, id: Id, record: Record) -> None:
        """Take over the record that the store has now."""
        self.id, self.record, self.base = id, record, record.values
        self.started_at = record.created_at
        self.standing = Standing.CURRENT
        self.left, self.signs_out = None, False
        self.saved = self.written = True

    def take_changes(self, changes: Changes) -> None:
        """Take over these changes, because the store applied them."""
        base = {**({} if changes.clear else self.base), **changes.set}
        for key in changes.removed:
            base.pop(key, None)
        self.base = base
        self.applied = (*self.applied, changes)
        if changes.created_at is not None:
            self.started_at = changes.created_at
        self.saved = self.written = True

    def latest_record(self) -> Record | None:
        """Return the record with the changes that this request has committed."""
        record = self.record
        for changes in self.applied:
            if record is not None:
                record = record.changed_by(changes, changes.accessed_at)
        self.record, self.applied = record, ()
        return record

    # Values

    def set(self, key: str, value: object) -> None:
        """Set a value in memory."""
        if self.values is None:
            self.values = {}
        if self.assigned is None:
            self.assigned = set()
        self.assigned.add(key)
        self.values[key] = value

    def know(self, key: str, value: bytes | None) -> None:
        """Set the stored value of one key; keep a newer value that this request has set."""
        values = self.values if self.values is not None else {}
        is_kept = key in values and self._is_own(key, values[key])
        base = {**self.base}
        if value is None:
            base.pop(key, None)
        else:
            base[key] = value
        self.base, self.values = base, values
        if is_kept:
            return
        if value is None:
            values.pop(key, None)
        else:
            values[key] = ENCODED

    def changes(self) -> Difference:
        """Return the values whose encodings differ from the stored ones, and the removed keys.

        Raises UnencodableValue with the key of a value that cannot be encoded.
        """
        values = self.values
        if values is None:
            return {}, _NOTHING
        base, assigned = {} if self.pending.clear else self.base, self.assigned
        changed = {}
        # This is a copy, because another thread of the request may set a key during the loop.
        values = values.copy()
        for key, value in values.items():
            if value is ENCODED:
                continue
            # A value of an immutable type is unchanged unless its key was assigned.
            if (assigned is None or key not in assigned) and type(value) in _IMMUTABLE:
                continue
            # This is a fast path: many values are small numbers with ASCII keys.
            if type(value) is int and -SMALL < value < SMALL and key.isascii():
                encoded = pack(value)
            else:
                encoded = encode_value(key, value)
            if encoded != base.get(key):
                changed[key] = encoded
        if base.keys() <= values.keys():
            return changed, _NOTHING
        return changed, frozenset(base.keys() - values.keys())

    def has_changes(self) -> bool:
        """Return whether there is something to save."""
        try:
            changed, removed = self.changes()
        except UnencodableValue:
            return True
        return bool(changed or removed or self.pending is not NOTHING_PENDING)

    def leave(self) -> None:
        """Begin a new session with the values that this request itself has set."""
        values = (self.values or {}).copy()
        own = {key: value for key, value in values.items() if self._is_own(key, value)}
        self.note_left()
        self.begin(None, None, Standing.FRESH)
        self.values, self.assigned = own, set(own)

    def note_left(self) -> None:
        """Remember the session that this request leaves, to restore it if the request fails."""
        if self.record is not None or self.standing in (Standing.PAST, Standing.AMBIGUOUS):
            self.left = (self.id, self.record, self.standing)

    def begin_undamaged(self, error: UnreadableValue) -> None:
        """Begin a new session after an unreadable stored value; keep the request's changes."""
        self.note("unreadable", f"{error}")
        damaged, pending = self.id, self.pending
        self.leave()
        self.standing = Standing.UNKNOWN
        if damaged is not None:
            self.replaceable = (damaged,)
            if pending.next_id is not None:
                self.replaced = (damaged,)
            if self.signs_out:
                self.to_end = (*self.to_end, damaged)
        user_id = pending.user_id if isinstance(pending.user_id, str) else UNCHANGED
        self.pending = NOTHING_PENDING.then(timeout=pending.timeout, user_id=user_id)

    def unsaved(self) -> Unsaved:
        """Return the unsaved changes and the stored values."""
        return Unsaved(*self.changes(), stored=self.base, pending=self.pending)

    def change_again(self, unsaved: Unsaved) -> None:
        """Restore discarded changes, except those of values that another request has changed."""
        values = self.values if self.values is not None else {}
        assigned = set(self.assigned or ())
        for key in (*unsaved.changed, *unsaved.removed):
            if self.base.get(key) == unsaved.stored.get(key):
                values.pop(key, None)
                if key in unsaved.changed:
                    values[key] = codec.decode(unsaved.changed[key])
                    assigned.add(key)
        self.values, self.assigned, self.pending = values, assigned, unsaved.pending

    def check_open(self) -> None:
        """Raise SessionClosed if the session is closed."""
        if self.closed:
            raise SessionClosed(CLOSED)

    def _is_own(self, key: str, value: object) -> bool:
        """Return whether this request has set or changed the value."""
        if value is ENCODED:
            return False
        if self.assigned is not None and key in self.assigned:
            return True
        if type(value) in _IMMUTABLE:
            return False
        try:
            return codec.encode(value) != self.base.get(key)
        except UnencodableValue:
            return True


def check_size(
    before: Mapping[str, bytes],
    changed: Mapping[str, bytes],
    removed: frozenset[str] = frozenset(),
) -> None:
    """Raise SessionTooLarge if the commit makes the session too large."""
    most = 0
    for values in (before, changed):
        for key, value in values.items():
            # This is an upper limit: a character has at most four bytes.
            most += 4 * len(key) + len(value)
    if most > MAXIMUM_DATA:
        _check_exactly(before, changed, removed)


def _check_exactly(
    before: Mapping[str, bytes], changed: Mapping[str, bytes], removed: frozenset[str]
) -> None:
    values = {**before, **changed}
    for key in removed:
        values.pop(key, None)
    size = _size(values)
    # If the session is too large already, a commit that makes it smaller is allowed.
    if size <= MAXIMUM_DATA or size < _size(before):
        return
    biggest = max(values, key=lambda key: len(values[key]))
    raise SessionTooLarge(
        f"the session would have {size} bytes, but {MAXIMUM_DATA} are allowed. The biggest value is"
        f" session[{biggest!r}] with {len(values[biggest])} bytes. Fix: store this value elsewhere,"
        " for example in a database, and its key in the session"
    )


def _size(values: Mapping[str, bytes]) -> int:
    return sum([len(key.encode()) + len(value) for key, value in values.items()])
