"""Random lives of sessions: each event exactly once, in an order that makes sense, and one end."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    EndReason,
    MemoryStore,
    Session,
    SessionContainer,
    SessionError,
    SessionEvent,
    SessionManager,
    SQLiteStore,
)
from sessions.testing import ManualClock
from sessions.transports.cookie import CookieHead
from tests.support.apps import KEY
from tests.support.watched import ExpiringWatched

DAY = 24 * 3600.0
ACTS: dict[str, Callable[[Any], object]] = {
    "read": lambda session: session.get("n"),
    "write": lambda session: session.update(n=(session.get("n") or 0) + 1),
    "renew": lambda session: session.regenerate(),
    "sign in": lambda session: session.set_user("ann"),
    "sign out": lambda session: session.clear_user(),
    "destroy": lambda session: session.destroy(),
    "destroy and write": lambda session: (session.destroy(), session.update(n=0)),
}
AFTER_THE_END = {"gone", "rejected", "store_failed"}


class Step(NamedTuple):
    """One request of a client, or the passing of time, or a purge."""

    act: str
    client: int
    broken: frozenset[str]


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([*ACTS, "wait", "purge", "end user", "refuse"]),
        st.integers(0, 2),
        st.one_of(
            st.just(frozenset[str]()),
            st.frozensets(st.sampled_from(["load", "create", "commit", "touch", "delete"])),
        ),
    ),
    max_size=25,
)


class Life:
    """Clients with cookies, and what listeners and `finish` were told."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.clock = ManualClock()
        inner = MemoryStore(clock=self.clock)
        self.store = ExpiringWatched(
            inner if kind == "memory" else SQLiteStore(folder / "s.db", clock=self.clock)
        )
        self.cookies = ["", "", ""]
        self.events: list[SessionEvent] = []
        self.finished: list[tuple[str, EndReason]] = []
        self.refuses = False

    def container(self) -> SessionContainer:
        """Return the settings, with classes that note the ends of sessions."""
        life = self

        class Noted(Session):
            def resume(self, request: object) -> bool:
                return not life.refuses

            def finish(self, reason: EndReason) -> None:
                life.finished.append((self.handle, reason))

        class AsyncNoted(AsyncSession):
            async def resume(self, request: object) -> bool:
                return not life.refuses

            async def finish(self, reason: EndReason) -> None:
                await asyncio.sleep(0)
                life.finished.append((self.handle, reason))

        return SessionContainer(
            keys=[KEY],
            store=self.store,
            clock=self.clock,
            listeners=[self.events.append],
            session_class=Noted,
            async_session_class=AsyncNoted,
        )

    def head(self, client: int) -> CookieHead:
        """Return the head of a client's request."""
        return CookieHead(self.cookies[client], "/", "http", "shop.example")

    def keep(self, client: int, headers: list[tuple[str, str]]) -> None:
        """Keep the cookie of a response."""
        for name, value in headers:
            if name == "Set-Cookie":
                self.cookies[client] = "" if "=;" in value else value.partition(";")[0]

    def check(self) -> None:
        """Check the events of each session, after all of them have ended."""
        told: dict[str, list[SessionEvent]] = {}
        for event in self.events:
            if event.handle is not None:
                told.setdefault(event.handle, []).append(event)
        ended = [(e.handle, e.reason) for e in self.events if e.kind == "destroyed"]
        created = [event.handle for event in self.events if event.kind == "created"]
        assert Counter(created) == Counter({*created})
        assert Counter(handle for handle, _ in ended) == Counter(created)
        assert sorted(self.finished) == sorted(ended, key=str)
        for handle in created:
            kinds = [event.kind for event in told[str(handle)] if event.kind != "store_failed"]
            end = kinds.index("destroyed")
            assert kinds[0] == "created"
            assert {*kinds[end + 1 :]} <= AFTER_THE_END
            assert kinds.count("signed_in") >= kinds.count("signed_out")


def live_blocking(life: Life, steps: list[Step]) -> None:
    """Carry out the steps with a blocking manager, and end all sessions."""
    manager = SessionManager(life.container())
    for step in [*steps, Step("wait", 0, frozenset()), Step("purge", 0, frozenset())]:
        life.store.broken, life.refuses = {*step.broken}, step.act == "refuse"
        if step.act == "wait":
            life.clock.advance(DAY + 61)
        elif step.act in ("purge", "end user"):
            life.store.broken = set()
            _ = manager.purge() if step.act == "purge" else manager.end_sessions_of("ann")
        else:
            session, failed = manager.open(life.head(step.client)), False
            try:
                session.load()
                ACTS.get(step.act, ACTS["read"])(session)
                life.keep(step.client, manager.close(session))
            except SessionError:
                failed = True
            if failed:
                life.keep(step.client, manager.close(session, failed=True))
            manager.suspend(session)


async def live_async(life: Life, steps: list[Step]) -> None:
    """Carry out the steps with an asynchronous manager, and end all sessions."""
    manager = AsyncSessionManager(life.container())
    for step in [*steps, Step("wait", 0, frozenset()), Step("purge", 0, frozenset())]:
        life.store.broken, life.refuses = {*step.broken}, step.act == "refuse"
        if step.act == "wait":
            life.clock.advance(DAY + 61)
        elif step.act in ("purge", "end user"):
            life.store.broken = set()
            work: Awaitable[object] = (
                manager.purge() if step.act == "purge" else manager.end_sessions_of("ann")
            )
            await work
        else:
            session, failed = manager.open(life.head(step.client)), False
            try:
                await session.load()
                ACTS.get(step.act, ACTS["read"])(session)
                life.keep(step.client, await manager.close(session))
            except SessionError:
                failed = True
            if failed:
                life.keep(step.client, await manager.close(session, failed=True))
            await manager.suspend(session)
    await manager.aclose()


@pytest.mark.parametrize("face", ["blocking", "async"])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@given(steps=STEPS)
def test_each_session_is_created_and_ended_once(kind: str, face: str, steps: list[Step]) -> None:
    """Created once, ended once with one `finish`, whatever happens in between and what fails."""
    with tempfile.TemporaryDirectory() as folder:
        life = Life(Path(folder), kind)
        if face == "blocking":
            live_blocking(life, steps)
        else:
            life.store.in_place = kind == "memory"
            asyncio.run(live_async(life, steps))

    life.check()
