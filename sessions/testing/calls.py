"""One call on one record: how it is made, and what it answers and leaves behind by the laws."""

from dataclasses import dataclass
from typing import Protocol

from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores.base import PURGE_DELAY, AsyncStore

State = Record | Ended | None
"""What is kept under a key; an expired record is kept, and nobody sees it."""


class Call(Protocol):
    """Make one call, or say what becomes of it."""

    async def on(self, store: AsyncStore, key: str) -> object:
        """Make the call, and return its answer."""

    def by_the_laws(self, state: State, now: float) -> tuple[object, State]:
        """Return the answer of the call, and what it leaves behind."""
        ...


@dataclass(frozen=True)
class Create:
    """Create this record."""

    record: Record

    async def on(self, store: AsyncStore, key: str) -> object:
        """Make the call, and return its answer."""
        return await store.create(key, self.record)

    def by_the_laws(self, state: State, now: float) -> tuple[object, State]:
        """Return the answer of the call, and what it leaves behind."""
        live = _live(state, now)
        if live is None:
            return True, self.record
        return live.secret == self.record.secret, state


@dataclass(frozen=True)
class Commit:
    """Commit these changes."""

    changes: Changes

    async def on(self, store: AsyncStore, key: str) -> object:
        """Make the call, and return its answer."""
        return await store.commit(key, self.changes)

    def by_the_laws(self, state: State, now: float) -> tuple[object, State]:
        """Return the answer of the call, and what it leaves behind."""
        live = _live(state, now)
        if live is None:
            return Outcome.GONE, state
        outcome = live.outcome_of(self.changes, now)
        if outcome is not Outcome.APPLIED:
            return outcome, state
        return outcome, live.changed_by(self.changes, now)


@dataclass(frozen=True)
class Touch:
    """Note a use."""

    secret: str
    expires_at: float
    accessed_at: float

    async def on(self, store: AsyncStore, key: str) -> object:
        """Make the call, and return its answer."""
        return await store.touch(key, self.secret, self.expires_at, self.accessed_at)

    def by_the_laws(self, state: State, now: float) -> tuple[object, State]:
        """Return the answer of the call, and what it leaves behind."""
        live = _live(state, now)
        if live is None or live.secret != self.secret:
            return False, state
        return True, live.touched(self.expires_at, self.accessed_at, now)


@dataclass(frozen=True)
class Delete:
    """End the record, or only that of a user."""

    user_id: str | None = None

    async def on(self, store: AsyncStore, key: str) -> object:
        """Make the call, and return its answer."""
        return await store.delete(key, user_id=self.user_id)

    def by_the_laws(self, state: State, now: float) -> tuple[object, State]:
        """Return the answer of the call, and what it leaves behind."""
        live = _live(state, now)
        if live is None or (self.user_id is not None and live.user_id != self.user_id):
            return False, state
        return True, Ended(now)


@dataclass(frozen=True)
class Purge:
    """Purge all records that expired long ago.

    Their number is not compared: a store may have removed some of them earlier.
    """

    async def on(self, store: AsyncStore, key: str) -> object:
        """Make the call, and return nothing."""
        await store.purge(1000)
        return None

    def by_the_laws(self, state: State, now: float) -> tuple[object, State]:
        """Return nothing, and what the call leaves behind."""
        is_old = isinstance(state, Record) and state.expires_at + PURGE_DELAY < now
        return None, None if is_old else state


def seen(state: State, now: float) -> State:
    """Return what `load` shows of what is kept."""
    return state if isinstance(state, Ended) else _live(state, now)


def _live(state: State, now: float) -> Record | None:
    return state if isinstance(state, Record) and state.expires_at > now else None
