"""A cancelled load that removes, ends or moves a session does so completely, or not at all."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    MemoryStore,
    SessionContainer,
    SessionEvent,
)
from sessions.edges import RequestHead
from sessions.migration import KeygripCookie
from sessions.testing import ManualClock
from tests.sessions.migration.cookies import HEADERS, OldSystem
from tests.sessions.test_async_cancelling import cancelled_after
from tests.support.apps import KEY
from tests.support.loops import a_head, on_a_loop
from tests.support.suspending_store import SuspendingExpiring

# A load takes about ten steps, and what it removes, ends or moves takes ten more.
MOMENTS = range(26)


class Watched:
    """A manager whose sessions may be refused, and what it told."""

    def __init__(self, clock: ManualClock, **settings: Any) -> None:
        told: list[SessionEvent] = []
        finished: list[str] = []

        class Tracked(AsyncSession):
            async def resume(self, request: RequestHead) -> bool:
                await asyncio.sleep(0)
                return not self.get("locked", False)

            async def finish(self, reason: str) -> None:
                finished.append(reason)

        self.store = MemoryStore(clock=clock)
        self.told, self.finished = told, finished
        self.manager = AsyncSessionManager(
            SessionContainer(
                keys=[KEY],
                store=SuspendingExpiring(self.store),
                clock=clock,
                listeners=[told.append],
                async_session_class=Tracked,
                idle_timeout=timedelta(minutes=30),
                **settings,
            )
        )

    @property
    def ends(self) -> list[str | None]:
        """Return the reason of each end that was told."""
        return [event.reason for event in self.told if event.kind == "destroyed"]

    async def break_off(self, cookie: str, moment: int) -> None:
        """Cancel the load of a request, and give the request up, as an edge does."""
        session = self.manager.open(a_head(cookie))
        await cancelled_after(moment, session.load())
        await self.manager.abandon(session)

    async def visit(self, cookie: str) -> dict[str, Any]:
        """Return the values in a whole request."""
        session = self.manager.open(a_head(cookie))
        await session.load()
        values = dict(session)
        await self.manager.close(session)
        return values


@pytest.mark.parametrize("moment", MOMENTS)
@on_a_loop
async def test_a_timeout_is_reported_once(clock: ManualClock, moment: int) -> None:
    """By this request or by the next one."""
    watched = Watched(clock)
    cookie = f"session={watched.manager.token(await watched.manager.create({'a': 1}))}"
    clock.advance(timedelta(hours=1))

    await watched.break_off(cookie, moment)
    assert await watched.visit(cookie) == {}
    await watched.manager.aclose()

    assert (watched.ends, watched.finished) == (["timeout"], ["timeout"])


@pytest.mark.parametrize("moment", MOMENTS)
@on_a_loop
async def test_a_refusal_is_reported_once(clock: ManualClock, moment: int) -> None:
    """The session ends in this request, or the next one is refused, too."""
    watched = Watched(clock)
    created = await watched.manager.create({"locked": True})
    cookie = f"session={watched.manager.token(created)}"

    await watched.break_off(cookie, moment)
    assert await watched.visit(cookie) == {}
    await watched.manager.aclose()

    assert (watched.ends, watched.finished) == (["resume_refused"], ["resume_refused"])


@pytest.mark.parametrize("moment", MOMENTS)
@on_a_loop
async def test_a_session_that_moves_here_ends_there(clock: ManualClock, moment: int) -> None:
    """Either both systems know about the move, or none."""
    old = OldSystem()

    async def load(content: Any) -> Any:
        await asyncio.sleep(0)
        return old.load(content)

    async def end(content: Any) -> None:
        await asyncio.sleep(0)
        old.end(content)

    legacy = KeygripCookie("s", keys=["key1"], load=load, end=end)
    watched = Watched(clock, legacy_cookies=[legacy])

    await watched.break_off(HEADERS["keygrip"], moment)
    await watched.manager.aclose()

    created = [event.kind for event in watched.told if event.kind == "created"]
    assert len(watched.store) == len(old.ended) == len(created)
    assert await watched.visit(HEADERS["keygrip"]) == {"items": "Dog"}
    assert len(watched.store) == len(old.ended) == 1
