"""Coroutines of listeners that wait: a client may cause any number of events."""

import asyncio
import logging

import pytest

from sessions import SessionEvent
from sessions.core.limits import MOST_LISTENER_TASKS
from sessions.core.listening import AsyncListening

EVENTS = [SessionEvent("loaded", "it was loaded", f"{number % 3}") for number in range(100)]


def test_a_flood_of_events_fills_no_memory(caplog: pytest.LogCaptureFixture) -> None:
    """What is too much is counted, one line tells it, and later events arrive again."""
    caplog.set_level(logging.ERROR, "sessions")
    received: list[SessionEvent] = []

    async def main() -> tuple[int, int, int]:
        opened = asyncio.Event()

        async def send(event: SessionEvent) -> None:
            await opened.wait()
            received.append(event)

        listening = AsyncListening([send])
        for _ in range(MOST_LISTENER_TASKS // 100):
            listening.tell(EVENTS)
        before = listening.failed
        for _ in range(3):
            listening.tell(EVENTS[:10])
        refused = listening.failed
        opened.set()
        await listening.aclose()
        listening.tell(EVENTS[:5])
        await listening.aclose()
        return before, refused, listening.failed

    assert asyncio.run(main()) == (0, 30, 30)
    assert len(received) == MOST_LISTENER_TASKS + 5
    assert [record.message for record in caplog.records if "events are not sent" in record.message]
    assert len(caplog.records) == 1
