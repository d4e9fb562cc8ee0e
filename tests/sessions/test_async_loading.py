"""An asynchronous session must be loaded before its use, and an error says so."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    MemoryStore,
    SessionNotLoaded,
    StoreUnavailable,
)
from sessions.testing import ManualClock
from tests.support.loops import a_cookie, a_head, a_manager, on_a_loop, opened
from tests.support.suspending_store import SuspendingExpiring, SuspendingStore

Verb = Callable[[AsyncSession], Any]

USES: dict[str, Verb] = {
    "get item": lambda session: session["a"],
    "get": lambda session: session.get("a"),
    "in": lambda session: "a" in session,
    "len": len,
    "bool": bool,
    "list": list,
    "set item": lambda session: session.__setitem__("a", 1),
    "delete item": lambda session: session.__delitem__("a"),
    "pop": lambda session: session.pop("a", None),
    "setdefault": lambda session: session.setdefault("a", 1),
    "update": lambda session: session.update(a=1),
    "clear": lambda session: session.clear(),
    "copy": lambda session: session.copy(),
    "flash": lambda session: session.flash("Saved."),
    "take_flashes": lambda session: session.take_flashes(),
    "id": lambda session: session.id,
    "handle": lambda session: session.handle,
    "is_new": lambda session: session.is_new,
    "created_at": lambda session: session.created_at,
    "last_access": lambda session: session.last_access,
    "last_update": lambda session: session.last_update,
    "expires_at": lambda session: session.expires_at,
    "timeout": lambda session: session.timeout,
    "set timeout": lambda session: setattr(session, "timeout", timedelta(days=1)),
    "user_id": lambda session: session.user_id,
    "user_data": lambda session: session.user_data,
    "set_user": lambda session: session.set_user("ada"),
    "clear_user": lambda session: session.clear_user(),
    "regenerate": lambda session: session.regenerate(),
}


# Loading


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("known", [False, True], ids=["visitor", "session"])
@on_a_loop
async def test_a_use_before_loading_says_what_to_do(
    async_manager: AsyncSessionManager, use: Verb, known: bool
) -> None:
    """The error says what to do, and no `hasattr`, `get` or template hides it."""
    session = async_manager.open(a_head(await a_cookie(async_manager, a=1) if known else ""))

    with pytest.raises(SessionNotLoaded) as caught:
        use(session)

    assert "await session.load()" in str(caught.value)
    assert 'load="eager"' in str(caught.value)
    assert not isinstance(caught.value, LookupError | AttributeError)


@on_a_loop
async def test_attributes_without_data_need_no_loading(async_manager: AsyncSessionManager) -> None:
    """Facts of the request itself can be read at any time, and are no use of the session."""
    session = async_manager.open(a_head(await a_cookie(async_manager, a=1)))

    flags = (session.loaded, session.accessed, session.modified, session.saved)
    more = (session.ended, session.gone, session.closed)

    assert [*flags, *more] == [False] * 7
    assert repr(session) == "<AsyncSession: open, untouched>"
    assert await async_manager.close(session) == []


@on_a_loop
async def test_loading_alone_does_not_count_as_use(async_manager: AsyncSessionManager) -> None:
    """The response has Vary only after a value was read."""
    session = await opened(async_manager, await a_cookie(async_manager, a=1))
    before = session.accessed
    value = session["a"]

    assert (before, value, session.accessed) == (False, 1, True)


@on_a_loop
async def test_loading_without_a_token_asks_nothing(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """The store is not asked, and the session can then be used."""
    session = await opened(slow_manager)

    assert session.loaded
    assert (dict(session), session.is_new) == ({}, True)
    assert suspending.calls == []


@on_a_loop
async def test_loading_twice_asks_once(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """The second load does nothing."""
    session = slow_manager.open(a_head(await a_cookie(slow_manager, a=1)))
    suspending.calls.clear()
    await session.load()
    await session.load()

    assert suspending.calls == ["load"]


@on_a_loop
async def test_two_tasks_share_one_session_and_one_load(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """One load serves all tasks of a request that wait for it."""
    session = slow_manager.open(a_head(await a_cookie(slow_manager, a=1)))
    suspending.calls.clear()

    async def task(number: int) -> Any:
        await session.load()
        session[f"k{number}"] = number
        return session["a"]

    seen = await asyncio.gather(*[task(number) for number in range(10)])
    await slow_manager.close(session)

    assert seen == [1] * 10
    assert suspending.calls == ["load", "commit"]
    found = await slow_manager.get(session.id)
    assert dict(found) == {"a": 1, **{f"k{number}": number for number in range(10)}}


@on_a_loop
async def test_a_load_that_failed_is_remembered(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """The first use raises the error of the load, and the store is not asked again."""
    session = slow_manager.open(a_head(await a_cookie(slow_manager, a=1)))
    suspending.calls.clear()
    suspending.broken = {"load"}

    for use in (session.load, lambda: opened_use(session), session.load):
        with pytest.raises(StoreUnavailable, match="load is broken"):
            await use()
    assert suspending.calls == ["load"]


async def opened_use(session: AsyncSession) -> Any:
    """Use the session as if it were loaded."""
    return session["a"]


@on_a_loop
async def test_another_task_may_destroy_a_session_whose_timeout_is_just_found(
    clock: ManualClock,
) -> None:
    """The load comes to its end, and the timeout is told once."""
    told: list[tuple[str, str | None]] = []
    store = SuspendingExpiring(MemoryStore(clock=clock))
    manager = a_manager(
        store,
        clock,
        idle_timeout=timedelta(minutes=30),
        listeners=[lambda event: told.append((event.kind, event.reason))],
    )
    cookie = await a_cookie(manager, a=1)
    clock.advance(timedelta(hours=1))
    told.clear()
    session = manager.open(a_head(cookie))
    store.before["take_expired"] = session.destroy
    await session.load()
    del store.before["take_expired"]
    await manager.close(session)

    assert (dict(session), told) == ({}, [("destroyed", "timeout")])
    assert store.calls.count("take_expired") == 2
