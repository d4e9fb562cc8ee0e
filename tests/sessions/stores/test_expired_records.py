"""Stores that keep expired records can distinguish them from records that never existed."""

import asyncio
from typing import Any

import pytest

from sessions import (
    AsyncSessionManager,
    SessionContainer,
    SessionExpired,
    SessionManager,
    SessionNotFound,
    Store,
)
from sessions.core.ids import hash_of
from sessions.stores.expired import KeepsExpired
from sessions.testing import ManualClock, a_record
from tests.support.apps import KEY
from tests.support.ids import an_id


def test_an_expired_record_is_known_until_a_purge(store: Store, clock: ManualClock) -> None:
    """Live, ended and unknown records do not count as expired."""
    assert isinstance(store, KeepsExpired)
    live, over, ended = (hash_of(name) for name in ("live", "over", "ended"))
    store.create(live, a_record(clock, lives=1_000))
    store.create(over, a_record(clock, lives=50))
    store.create(ended, a_record(clock, lives=50))
    store.delete(ended)
    assert [store.has_expired(key) for key in (live, over, ended)] == [False] * 3

    clock.advance(50)

    assert [store.has_expired(key) for key in (live, over, ended)] == [False, True, False]
    assert not store.has_expired(hash_of("unknown"))
    clock.advance(61)
    store.purge(10)
    assert not store.has_expired(over)


def test_a_manager_says_that_a_session_has_expired(store: Store, clock: ManualClock) -> None:
    """get() raises SessionExpired while the store has the record, and then SessionNotFound."""
    manager = SessionManager(SessionContainer(keys=[KEY], store=store, clock=clock))
    session = manager.create({"a": 1})
    token = manager.token(session)
    clock.advance(86_400)

    with pytest.raises(SessionExpired):
        manager.get(session.id)
    assert manager.from_token(token) is None
    assert manager.from_cookie(f"session={token}") is None
    clock.advance(61)
    manager.purge()
    with pytest.raises(SessionNotFound) as error:
        manager.get(session.id)
    assert type(error.value) is SessionNotFound


@pytest.mark.parametrize("act", ["delete", "destroy", "unknown"])
def test_an_ended_session_has_not_expired(store: Store, clock: ManualClock, act: str) -> None:
    """An ended session and an unknown id raise SessionNotFound."""
    manager = SessionManager(SessionContainer(keys=[KEY], store=store, clock=clock))
    with manager.create({"a": 1}) as session:
        id = an_id() if act == "unknown" else session.id
        if act == "destroy":
            session.destroy()
    manager.delete(id)
    clock.advance(86_400)

    with pytest.raises(SessionNotFound) as error:
        manager.get(id)

    assert type(error.value) is SessionNotFound


def test_an_asynchronous_manager_says_so_too(any_store: Any, clock: ManualClock) -> None:
    """A store that does not know expired records raises SessionNotFound."""
    kind = SessionExpired if isinstance(any_store, KeepsExpired) else SessionNotFound

    async def program() -> None:
        manager = AsyncSessionManager(SessionContainer(keys=[KEY], store=any_store, clock=clock))
        session = await manager.create({"a": 1})
        clock.advance(86_400)
        with pytest.raises(SessionNotFound) as error:
            await manager.get(session.id)
        assert type(error.value) is kind
        assert await manager.from_token(manager.token(session)) is None
        await manager.aclose()

    asyncio.run(program())
