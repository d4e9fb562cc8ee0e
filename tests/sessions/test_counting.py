"""The number of live sessions, as a manager counts them."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from sessions import (
    AsyncSessionManager,
    AsyncStore,
    MemoryStore,
    SessionContainer,
    SessionError,
    SessionManager,
    SQLiteStore,
    Store,
    StoreUnavailable,
)
from sessions.stateless import SignedToken
from sessions.stores.base import wall_clock
from sessions.testing import ManualClock
from tests.support.apps import KEY
from tests.support.dictionary_store import DictionaryStore
from tests.support.suspending_store import SuspendingStore


class Uncountable(MemoryStore):
    """A store that cannot count."""

    count = None  # type: ignore[assignment]


def a_container(store: Store | AsyncStore, clock: ManualClock) -> SessionContainer:
    return SessionContainer(
        keys=[KEY], store=store, clock=clock, idle_timeout=timedelta(seconds=100)
    )


def test_live_sessions_are_counted() -> None:
    """A session counts until it ends or expires."""
    clock = ManualClock()
    manager = SessionManager(a_container(MemoryStore(clock=clock), clock))
    created = [manager.create({"number": number}) for number in range(3)]
    before = manager.count()
    manager.delete(created[0].id)

    assert (before, manager.count()) == (3, 2)
    clock.advance(100)
    assert manager.count() == 0


@pytest.mark.parametrize("kind", ["asynchronous", "in place", "in threads"])
def test_live_sessions_are_counted_on_an_event_loop(kind: str, tmp_path: Path) -> None:
    """An asynchronous manager counts in asynchronous and blocking stores."""
    clock = ManualClock()
    stores: dict[str, Store | AsyncStore] = {
        "asynchronous": SuspendingStore(MemoryStore(clock=clock)),
        "in place": MemoryStore(clock=clock),
        "in threads": SQLiteStore(tmp_path / "sessions.db", clock=clock),
    }

    async def counted() -> int:
        manager = AsyncSessionManager(a_container(stores[kind], clock))
        await manager.create({"a": 1})
        try:
            return await manager.count()
        finally:
            await manager.aclose()

    assert asyncio.run(counted()) == 1


@pytest.mark.parametrize("manager", [SessionManager, AsyncSessionManager])
@pytest.mark.parametrize(
    ("store", "message"),
    [
        (Uncountable(), r"cannot count its sessions\. Fix: give it the method count\(\)"),
        (SignedToken(), r"are in their tokens, so nobody can count them\. Fix: use a store"),
    ],
)
def test_sessions_that_cannot_be_counted_are_an_error(
    manager: type[SessionManager] | type[AsyncSessionManager],
    store: Store | SignedToken,
    message: str,
) -> None:
    """The result is an error, because zero would be wrong."""
    made = manager(SessionContainer(keys=[KEY], store=store))

    with pytest.raises(SessionError, match=message):
        _result_of(made)


@pytest.mark.parametrize("manager", [SessionManager, AsyncSessionManager])
def test_the_sessions_of_a_broken_store_are_not_counted(
    manager: type[SessionManager] | type[AsyncSessionManager],
) -> None:
    """A broken store is an error, because it is not an empty store."""
    store = DictionaryStore(wall_clock)
    made = manager(SessionContainer(keys=[KEY], store=store))
    store.is_broken = True

    with pytest.raises(StoreUnavailable):
        _result_of(made)


def _result_of(manager: SessionManager | AsyncSessionManager) -> int:
    if isinstance(manager, SessionManager):
        return manager.count()

    async def counted() -> int:
        return await manager.count()

    return asyncio.run(counted())
