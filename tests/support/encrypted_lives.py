"""The whole life of an encrypted session in one store: each verb, blocking and asynchronous."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from sessions import (
    AsyncSessionManager,
    AsyncStore,
    SessionContainer,
    SessionManager,
    SessionNotFound,
    Store,
)
from tests.support.apps import KEY
from tests.support.encrypting import NEW, OLD

GRACE = timedelta(seconds=60)
VALUES = {"größe": 1.5, "a.b$c%d": None, "\0": b"\0\xff", "cart": ["tea"], "": {"x": (1, 2)}}
COUNTERS = 8


def container(store: Store | AsyncStore, *keys: str, **more: Any) -> SessionContainer:
    """Return a container that encrypts."""
    return SessionContainer(keys=[KEY], encryption_keys=[*keys], store=store, **more)


def live(store: Store) -> None:
    """Use all verbs with blocking sessions."""
    manager = SessionManager(container(store, OLD))
    with manager.create(VALUES) as session:
        first, handle = session.id, session.handle
    with manager.get(first) as session:
        assert session.copy() == VALUES
        assert [*session] == [*VALUES]
        session["cart"].append("milk")
        assert session.increment("count") == 1
        session.flash("saved")
        session.regenerate(grace=GRACE)
    second = session.id

    manager = SessionManager(container(store, NEW, OLD))
    with manager.get(second) as late, manager.get(first) as early:
        early["early"], late["late"] = 1, 2
        assert (early.increment("count"), late.increment("count")) == (2, 3)
        late.set_user("ada", role="reader")
    manager = SessionManager(container(store, NEW))
    for dead in (first, second):
        with pytest.raises(SessionNotFound):
            manager.get(dead)
    with manager.get(late.id) as session:
        assert (session.user_id, session.user_data) == ("ada", {"role": "reader"})
        assert (session["cart"], session["early"], session["late"]) == (["tea", "milk"], 1, 2)
        assert [flash.message for flash in session.take_flashes()] == ["saved"]
        assert session.take("early") == 1
        session.reload()
        session.clear_user()
    counted = _count(manager, session.id)
    with manager.get(session.id) as session:
        assert (session.user_id, session["count"], "early" in session) == (None, 3, False)
        assert session["all"] == counted
        session.set_user("ada")
        session.save()
        session.set_user("bob")
        session.save()
        assert session.copy() == {}
        session["own"] = 1
    with manager.get(session.id) as session:
        assert (session.copy(), session.user_id, session.handle) == ({"own": 1}, "bob", handle)
        session.destroy()
    with pytest.raises(SessionNotFound):
        manager.get(session.id)


def _count(manager: SessionManager, id: str) -> int:
    """Count in threads, each with its own session."""

    def count(_: int) -> int:
        with manager.get(id) as session:
            session[f"of {_}"] = _
            total: int = session.increment("all")
            return total

    with ThreadPoolExecutor(COUNTERS) as threads:
        totals = [*threads.map(count, range(COUNTERS))]
    with manager.get(id) as session:
        assert [session[f"of {number}"] for number in range(COUNTERS)] == [*range(COUNTERS)]
    assert sorted(totals) == [*range(1, COUNTERS + 1)]
    return COUNTERS


async def live_on_a_loop(store: Store | AsyncStore) -> None:
    """Use all verbs with asynchronous sessions."""
    manager = AsyncSessionManager(container(store, NEW))
    session = await manager.create(VALUES)
    await manager.close(session)
    first = session.id
    async with manager.get(first) as session:
        assert session.copy() == VALUES
        session["cart"].append("milk")
        assert await session.increment("count") == 1
        session.regenerate(grace=GRACE)
    async with manager.get(session.id) as late, manager.get(first) as early:
        early["early"] = 1
        assert (await early.increment("count"), await late.increment("count")) == (2, 3)
        late.set_user("ada", role="reader")

    async def count(number: int) -> None:
        async with manager.get(late.id) as session:
            session[f"of {number}"] = number
            await session.increment("all")

    await asyncio.gather(*map(count, range(COUNTERS)))
    async with manager.get(late.id) as session:
        assert (session.user_id, session.user_data) == ("ada", {"role": "reader"})
        assert (session["cart"], session["early"]) == (["tea", "milk"], 1)
        assert session["all"] == COUNTERS
        assert [session[f"of {number}"] for number in range(COUNTERS)] == [*range(COUNTERS)]
        assert await session.take("early") == 1
        await session.reload()
        session.set_user("bob")
        await session.save()
        session["own"] = 1
    async with manager.get(session.id) as session:
        assert (session.copy(), session.user_id) == ({"own": 1}, "bob")
        session.destroy()
    with pytest.raises(SessionNotFound):
        await manager.get(session.id)
    await manager.aclose()
