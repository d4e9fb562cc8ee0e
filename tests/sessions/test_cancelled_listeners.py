"""Functions of the application that raise CancelledError themselves: the request goes on."""

import asyncio
from typing import Any

import pytest

from sessions import AsyncSession, AsyncSessionManager, EndReason, MemoryStore, SessionContainer
from sessions.testing import a_head
from tests.support.apps import KEY


class Cancelling(AsyncSession):
    """A session whose methods wait for tasks that somebody has cancelled."""

    async def suspend(self) -> None:
        raise asyncio.CancelledError

    async def finish(self, reason: EndReason) -> None:
        raise asyncio.CancelledError


class CancellingAtOnce(AsyncSession):
    """The same with plain methods."""

    def suspend(self) -> None:
        raise asyncio.CancelledError

    def finish(self, reason: EndReason) -> None:
        raise asyncio.CancelledError


async def cancels(_: object) -> None:
    """Raise as a listener does that waits for a cancelled task."""
    raise asyncio.CancelledError


def cancels_at_once(_: object) -> None:
    """Raise as a plain listener."""
    raise asyncio.CancelledError


@pytest.mark.parametrize("listener", [cancels, cancels_at_once])
@pytest.mark.parametrize("kind", [Cancelling, CancellingAtOnce])
def test_a_cancelled_error_of_a_listener_or_a_method_counts_as_failed(
    listener: Any, kind: type[AsyncSession]
) -> None:
    """Three events, one `suspend` and one `finish` fail, and no caller notices it."""

    async def main() -> tuple[bool, int]:
        container = SessionContainer(
            keys=[KEY], store=MemoryStore(), listeners=[listener], async_session_class=kind
        )
        manager = AsyncSessionManager(container)
        created = await manager.create({"a": 1})
        head = a_head({"Cookie": f"__Host-session={manager.token(created)}"})
        session = manager.open(head)
        await session.load()
        await manager.close(session)
        await manager.suspend(session)
        ended = await manager.delete(created.id)
        await manager.aclose()
        return ended, manager.failed_listeners

    # The events are created, loaded and destroyed.
    assert asyncio.run(main()) == (True, 5)


def test_the_end_of_a_request_still_cancels() -> None:
    """A client that has gone cancels the task, also while `suspend` waits."""

    class Waiting(AsyncSession):
        async def suspend(self) -> None:
            await asyncio.sleep(60)

    async def main() -> int:
        container = SessionContainer(keys=[KEY], store=MemoryStore(), async_session_class=Waiting)
        manager = AsyncSessionManager(container)
        created = await manager.create({"a": 1})
        session = manager.open(a_head({"Cookie": f"__Host-session={manager.token(created)}"}))
        await session.load()
        await manager.close(session)
        task = asyncio.create_task(manager.suspend(session))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return manager.failed_listeners

    assert asyncio.run(main()) == 0
