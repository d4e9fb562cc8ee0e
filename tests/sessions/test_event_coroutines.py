"""Listeners that are coroutine functions: their order, and how long they may take."""

import asyncio
import gc

import pytest

from sessions import AsyncSessionManager, SessionContainer, SessionEvent
from sessions.testing import ManualClock
from tests.support.apps import KEY


def test_a_slow_coroutine_delays_only_the_events_of_its_session(clock: ManualClock) -> None:
    """A listener that keeps a list of live sessions never sees an end before its beginning."""
    told: list[tuple[str, str | None]] = []
    may_go_on = asyncio.Event()

    async def listener(event: SessionEvent) -> None:
        if not told and event.kind == "created" and not may_go_on.is_set():
            may_go_on.set()
            await asyncio.sleep(0.01)
        told.append((event.kind, event.handle))

    async def lives() -> tuple[str, str]:
        container = SessionContainer(keys=[KEY], clock=clock, listeners=[listener])
        manager = AsyncSessionManager(container)
        sessions = [await manager.create({"a": 1}) for _ in range(2)]
        handles = sessions[0].handle, sessions[1].handle
        for session in sessions:
            session.destroy()
            await manager.close(session)
        await manager.aclose()
        return handles

    slow, quick = asyncio.run(lives())

    assert told == [
        *(("created", quick), ("destroyed", quick)),
        *(("created", slow), ("destroyed", slow)),
    ]


def test_a_coroutine_that_never_ends_is_cancelled(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It counts as failed, and the next event of the session is told."""
    monkeypatch.setattr("sessions.core.listening.LISTENER_DEADLINE", 0.01)
    told: list[str] = []

    async def listener(event: SessionEvent) -> None:
        if event.kind == "created":
            await asyncio.Event().wait()
        told.append(event.kind)

    async def lives() -> int:
        container = SessionContainer(keys=[KEY], clock=clock, listeners=[listener])
        manager = AsyncSessionManager(container)
        session = await manager.create({"a": 1})
        session.regenerate()
        await manager.close(session)
        async with asyncio.timeout(5):
            while not told:
                await asyncio.sleep(0.001)
        await manager.aclose()
        return manager.failed_listeners

    assert asyncio.run(lives()) == 1
    assert told == ["regenerated"]
    assert "failed on the event 'created'" in caplog.text


def test_no_task_is_kept_after_its_end(clock: ManualClock) -> None:
    """A server tells events of new sessions for months."""

    async def listener(event: SessionEvent) -> None:
        """Do nothing."""

    def tasks() -> int:
        gc.collect()
        return sum(isinstance(found, asyncio.Task) for found in gc.get_objects())

    async def lives() -> int:
        container = SessionContainer(keys=[KEY], clock=clock, listeners=[listener])
        manager = AsyncSessionManager(container)
        before = tasks()
        for _ in range(100):
            await manager.create({"a": 1})
        await manager.aclose()
        await asyncio.sleep(0)
        return tasks() - before

    assert asyncio.run(lives()) < 10
