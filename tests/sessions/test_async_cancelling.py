"""A cancelled task leaves the session as it was or as it was committed, and never in between."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from sessions import AsyncSession, AsyncSessionManager, SessionNotFound, StoreUnavailable
from tests.support.loops import a_cookie, a_head, on_a_loop, opened, steps
from tests.support.suspending_store import SuspendingStore

# A verb on a store that suspends takes about ten steps; threads of SQLite take their own time.
MOMENTS = range(14)

Verb = Callable[[AsyncSessionManager, AsyncSession], Coroutine[Any, Any, Any]]

VERBS: dict[str, Verb] = {
    "save": lambda manager, session: session.save(),
    "close": lambda manager, session: manager.close(session),
    "handshake": lambda manager, session: manager.handshake(session),
}


async def cancelled_after(moment: int, work: Coroutine[Any, Any, Any]) -> None:
    """Run the work for some steps, and then cancel it."""
    task = asyncio.ensure_future(work)
    await steps(moment)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def stored(manager: AsyncSessionManager, cookie: str) -> dict[str, Any]:
    """Return the record for the cookie, when no task uses the store any more."""
    await manager.aclose()
    return dict(await opened(manager, cookie))


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
@pytest.mark.parametrize("moment", MOMENTS)
@on_a_loop
async def test_a_cancelled_commit_is_complete_or_absent(
    async_manager: AsyncSessionManager, verb: Verb, moment: int
) -> None:
    """Both values are stored or neither, and the session has the same state."""
    cookie = await a_cookie(async_manager, a=1)
    session = await opened(async_manager, cookie)
    session.update(a=2, b=2)

    await cancelled_after(moment, verb(async_manager, session))

    found = await stored(async_manager, cookie)
    assert found == ({"a": 1} if session.modified else {"a": 2, "b": 2})
    assert session.saved is not session.modified


@pytest.mark.parametrize("moment", MOMENTS)
@on_a_loop
async def test_changes_of_a_cancelled_commit_can_be_committed_again(
    async_manager: AsyncSessionManager, moment: int
) -> None:
    """Code that catches the cancellation can still use the session."""
    cookie = await a_cookie(async_manager, a=1)
    session = await opened(async_manager, cookie)
    session["b"] = 2
    await cancelled_after(moment, session.save())
    session["c"] = 3
    await session.save()

    assert not session.modified
    assert await stored(async_manager, cookie) == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize("moment", MOMENTS)
@on_a_loop
async def test_a_cancelled_sign_in_is_complete_or_absent(
    async_manager: AsyncSessionManager, moment: int
) -> None:
    """The user, the data and the new id are committed together, and exactly one id is valid."""
    session = await opened(async_manager, await a_cookie(async_manager, a=1))
    old = session.id
    session.set_user("ada")
    new = session.id

    await cancelled_after(moment, session.save())
    await async_manager.aclose()

    alive, dead = (old, new) if session.modified else (new, old)
    found = await async_manager.get(alive)
    assert (found.user_id, found["a"]) == (None if session.modified else "ada", 1)
    with pytest.raises(SessionNotFound):
        await async_manager.get(dead)


@pytest.mark.parametrize("moment", MOMENTS)
@on_a_loop
async def test_a_cancelled_increment_counts_once_or_not(
    async_manager: AsyncSessionManager, moment: int
) -> None:
    """The session has the same number as the store."""
    cookie = await a_cookie(async_manager, n=1)
    session = await opened(async_manager, cookie)

    await cancelled_after(moment, session.increment("n"))

    assert await stored(async_manager, cookie) == dict(session)
    assert session["n"] == (2 if session.saved else 1)


@pytest.mark.parametrize("moment", MOMENTS)
@on_a_loop
async def test_a_cancelled_load_can_be_repeated(
    async_manager: AsyncSessionManager, moment: int
) -> None:
    """The cancelled load releases its lock and leaves no value half read."""
    session = async_manager.open(a_head(await a_cookie(async_manager, a=1)))

    await cancelled_after(moment, session.load())
    await session.load()

    assert dict(session) == {"a": 1}


@pytest.mark.parametrize("moment", MOMENTS)
@on_a_loop
async def test_a_logout_that_is_cancelled_is_a_logout(
    async_manager: AsyncSessionManager, moment: int
) -> None:
    """The request is cancelled after destroy(), and its clean-up is cancelled, too."""
    cookie = await a_cookie(async_manager, a=1)
    session = await opened(async_manager, cookie)

    async def request() -> None:
        session.destroy()
        try:
            await async_manager.close(session)
        except asyncio.CancelledError:
            await async_manager.abandon(session)
            raise

    task = asyncio.ensure_future(request())
    for _ in range(3):
        await steps(moment)
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    # A task that never began has destroyed nothing.
    assert await stored(async_manager, cookie) == ({} if session.ended else {"a": 1})
    assert session.ended or moment == 0


@on_a_loop
async def test_a_logout_in_a_cancelled_scope_is_a_logout(
    async_manager: AsyncSessionManager,
) -> None:
    """AnyIO cancels every `await` in the scope, also those in an `except`."""
    cookie = await a_cookie(async_manager, a=1)
    session = await opened(async_manager, cookie)

    with anyio.CancelScope() as scope:
        session.destroy()
        scope.cancel()
        try:
            await async_manager.close(session)
            await anyio.sleep(0)
        except BaseException:
            await async_manager.abandon(session)
            raise

    assert await stored(async_manager, cookie) == {}


@pytest.mark.parametrize("moment", MOMENTS)
@on_a_loop
async def test_a_cancelled_task_does_not_block_others(
    async_manager: AsyncSessionManager, moment: int
) -> None:
    """The other tasks that wait for the session still get their turn."""
    cookie = await a_cookie(async_manager, n=0)
    session = await opened(async_manager, cookie)
    tasks = [asyncio.ensure_future(session.increment("n")) for _ in range(5)]
    await steps(moment)
    tasks[1].cancel()
    tasks[2].cancel()

    answers = await asyncio.gather(*tasks, return_exceptions=True)

    numbers = [answer for answer in answers if isinstance(answer, int)]
    assert len(numbers) >= 3
    found = await stored(async_manager, cookie)
    assert found["n"] in range(len(numbers), 6)
    assert dict(session) == found


@on_a_loop
async def test_a_cancelled_request_leaves_no_task_behind(
    slow_manager: AsyncSessionManager,
) -> None:
    """When the commit is done, no task is left."""
    session = await opened(slow_manager, await a_cookie(slow_manager, a=1))
    session["b"] = 2
    before = asyncio.all_tasks()
    await cancelled_after(1, slow_manager.close(session))
    during = asyncio.all_tasks() - before
    await slow_manager.aclose()

    assert len(during) == 1
    assert asyncio.all_tasks() == before


@on_a_loop
async def test_a_commit_that_fails_after_its_request_was_cancelled_is_quiet(
    slow_manager: AsyncSessionManager,
    suspending: SuspendingStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The loop does not log an exception that was never retrieved."""
    session = await opened(slow_manager, await a_cookie(slow_manager, a=1))
    session["b"] = 2
    suspending.broken = {"commit"}
    await cancelled_after(2, session.save())
    await slow_manager.aclose()

    assert [record.name for record in caplog.records if record.name == "asyncio"] == []
    with pytest.raises(StoreUnavailable):
        await session.save()
