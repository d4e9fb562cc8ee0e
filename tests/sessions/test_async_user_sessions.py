"""The sessions of a user, with asynchronous managers over every kind of store."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sessions import AsyncSessionManager, MemoryStore, SessionContainer, SessionError
from sessions.testing import ManualClock
from tests.support.apps import KEY
from tests.support.suspending_store import SuspendingIndex, SuspendingStore


@pytest.fixture
def slow(clock: ManualClock) -> SuspendingIndex:
    """Return a store with an index, whose calls really suspend."""
    return SuspendingIndex(MemoryStore(clock=clock))


@pytest.fixture
def manager(slow: SuspendingIndex, clock: ManualClock) -> AsyncSessionManager:
    """Return a manager over the store that suspends."""
    return AsyncSessionManager(SessionContainer(keys=[KEY], store=slow, clock=clock))


async def signed_in(manager: AsyncSessionManager, user_id: str = "ada") -> str:
    """Sign a user in with a new session, and return its handle."""
    async with await manager.create() as session:
        session.set_user(user_id)
    return session.handle


async def handles(manager: AsyncSessionManager, user_id: str = "ada") -> list[str]:
    """Return the handles of the sessions of a user."""
    return [info.handle for info in await manager.sessions_of(user_id)]


def test_list_and_end(manager: AsyncSessionManager, clock: ManualClock) -> None:
    """The methods are coroutines, over a store whose calls suspend."""

    async def work() -> None:
        first = await signed_in(manager)
        clock.advance(1)
        second = await signed_in(manager)
        bobs = await signed_in(manager, "bob")

        assert await handles(manager) == [second, first]
        assert await manager.end_sessions_of("ada", keep=first) == 1
        assert await handles(manager) == [first]
        assert await manager.end_sessions_of("ada") == 1
        assert (await handles(manager), await handles(manager, "bob")) == ([], [bobs])

    asyncio.run(work())


def test_the_session_of_a_request_is_kept(manager: AsyncSessionManager) -> None:
    """`keep` takes a session in place of its handle."""

    async def work() -> None:
        await signed_in(manager)
        async with await manager.create() as session:
            session.set_user("ada")
            await session.save()
            assert await manager.end_sessions_of("ada", keep=session) == 1

        assert await handles(manager) == [session.handle]

    asyncio.run(work())


@pytest.mark.parametrize("at_most", [1, 7])
def test_many_logins_at_once_are_all_known(manager: AsyncSessionManager, at_most: int) -> None:
    """Every login has its entry, also while other sessions are ended."""

    async def login() -> str:
        return await signed_in(manager)

    async def end() -> str:
        await manager.end_sessions_of("ada")
        return ""

    async def work() -> None:
        calls: list[Callable[[], Awaitable[str]]] = [login, login, end, login, *[login] * at_most]
        made = set(await asyncio.gather(*(call() for call in calls)))
        alive = set(await handles(manager))

        assert alive <= made
        assert alive == {handle for handle in made if handle and await _is_alive(manager, handle)}

    asyncio.run(work())


def test_ending_sessions_continues_if_the_caller_is_cancelled(
    manager: AsyncSessionManager, slow: SuspendingStore
) -> None:
    """All sessions end, although the client has left."""

    async def work() -> None:
        for _ in range(3):
            await signed_in(manager)
        ending = asyncio.create_task(manager.end_sessions_of("ada"))
        while "delete" not in slow.calls:
            await asyncio.sleep(0)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending
        await manager.aclose()

        assert await handles(manager) == []

    asyncio.run(work())


def test_a_store_without_an_index(slow_manager: AsyncSessionManager) -> None:
    """The error says that the store has no index of users."""
    with pytest.raises(SessionError, match="does not know which sessions a user has"):
        asyncio.run(slow_manager.end_sessions_of("ada"))


async def _is_alive(manager: AsyncSessionManager, handle: str) -> bool:
    store = manager.container.store
    assert isinstance(store, SuspendingStore)
    found = await store.load(handle)
    return getattr(found, "user_id", None) == "ada"
