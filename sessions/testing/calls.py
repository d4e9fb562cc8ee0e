"""One call of a store on one record, and the result that the store contract requires."""

from dataclasses import dataclass
from typing import Protocol, cast

from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores.base import PURGE_DELAY, AsyncStore
from sessions.stores.expiring import AsyncExpiring

State = Record | Ended | None
"""What a store keeps under a key, including an expired record that `load` does not return."""


class Call(Protocol):
    """A call of a store, and the result that the store contract requires."""

    async def on(self, store: AsyncStore, key: str) -> object:
        """Call the store, and return its answer."""

    def as_expected(self, state: State, now: float) -> tuple[object, State]:
        """Return the required answer, and what the store must keep after the call."""
        ...


@dataclass(frozen=True)
class Create:
    """The call `create` with this record."""

    record: Record

    async def on(self, store: AsyncStore, key: str) -> object:
        """Call the store, and return its answer."""
        return await store.create(key, self.record)

    def as_expected(self, state: State, now: float) -> tuple[object, State]:
        """Return the required answer, and what the store must keep after the call."""
        live = _live(state, now)
        if live is None:
            return True, self.record
        return live.secret == self.record.secret, state


@dataclass(frozen=True)
class Commit:
    """The call `commit` with these changes."""

    changes: Changes

    async def on(self, store: AsyncStore, key: str) -> object:
        """Call the store, and return its answer."""
        return await store.commit(key, self.changes)

    def as_expected(self, state: State, now: float) -> tuple[object, State]:
        """Return the required answer, and what the store must keep after the call."""
        live = _live(state, now)
        if live is None:
            return Outcome.GONE, state
        outcome = live.outcome_of(self.changes, now)
        if outcome is not Outcome.APPLIED:
            return outcome, state
        return outcome, live.changed_by(self.changes, now)


@dataclass(frozen=True)
class Touch:
    """The call `touch` with these times."""

    secret: str
    expires_at: float
    accessed_at: float

    async def on(self, store: AsyncStore, key: str) -> object:
        """Call the store, and return its answer."""
        return await store.touch(key, self.secret, self.expires_at, self.accessed_at)

    def as_expected(self, state: State, now: float) -> tuple[object, State]:
        """Return the required answer, and what the store must keep after the call."""
        live = _live(state, now)
        if live is None or live.secret != self.secret:
            return False, state
        return True, live.touched(self.expires_at, self.accessed_at, now)


@dataclass(frozen=True)
class Delete:
    """The call `delete`; with a user_id, only a record of this user is ended."""

    user_id: str | None = None

    async def on(self, store: AsyncStore, key: str) -> object:
        """Call the store, and return its answer."""
        return await store.delete(key, user_id=self.user_id)

    def as_expected(self, state: State, now: float) -> tuple[object, State]:
        """Return the required answer, and what the store must keep after the call."""
        live = _live(state, now)
        if live is None or (self.user_id is not None and live.user_id != self.user_id):
            return False, state
        return True, Ended(now)


@dataclass(frozen=True)
class Purge:
    """The call `purge`, with a limit that no test reaches.

    The number that `purge` returns is not compared, because a store possibly removed records
    earlier.
    """

    async def on(self, store: AsyncStore, key: str) -> object:
        """Call the store, and return None."""
        await store.purge(1000)
        return None

    def as_expected(self, state: State, now: float) -> tuple[object, State]:
        """Return None, and what the store must keep after the call."""
        is_old = isinstance(state, Record) and state.expires_at + PURGE_DELAY < now
        return None, None if is_old else state


@dataclass(frozen=True)
class TakeExpired:
    """The call `take_expired`."""

    async def on(self, store: AsyncStore, key: str) -> object:
        """Call the store, and return its answer."""
        return await cast(AsyncExpiring, store).take_expired(key)

    def as_expected(self, state: State, now: float) -> tuple[object, State]:
        """Return the required answer, and what the store must keep after the call."""
        has_expired = isinstance(state, Record) and state.expires_at <= now
        return (state, None) if has_expired else (None, state)


@dataclass(frozen=True)
class PurgeExpired:
    """The call `purge_expired`, with a limit that no test reaches."""

    async def on(self, store: AsyncStore, key: str) -> object:
        """Call the store, and return the record of this key if it was removed."""
        return dict(await cast(AsyncExpiring, store).purge_expired(1000)).get(key)

    def as_expected(self, state: State, now: float) -> tuple[object, State]:
        """Return the required answer, and what the store must keep after the call."""
        is_old = isinstance(state, Record) and state.expires_at + PURGE_DELAY < now
        return (state, None) if is_old else (None, state)


def seen(state: State, now: float) -> State:
    """Return what `load` must return if the store keeps `state`."""
    return state if isinstance(state, Ended) else _live(state, now)


def _live(state: State, now: float) -> Record | None:
    return state if isinstance(state, Record) and state.expires_at > now else None
