"""`framework sessions end` and `purge` tell the listeners and `finish` of each session they end."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from sessions import AsyncSessionManager, SessionManager
from tests.support.commands import Framework

# The clock of the program stands still, so that the tests decide what has expired.
PROGRAM = """
from sessions import *
from sessions.testing import ManualClock
from tests.support.suspending_store import SuspendingStore

clock, told = ManualClock(), []

def listen(event):
    if event.kind == "destroyed":
        told.append((event.handle, str(event.reason)))

async def listen_later(event):
    listen(event)

class Told(Session):
    def finish(self, reason):
        told.append((self.handle, str(reason), self["n"]))

class AsyncTold(AsyncSession):
    async def finish(self, reason):
        told.append((self.handle, str(reason), self["n"]))

KEY = "a key of the tests that is long enough"
container = SessionContainer(keys=[KEY], clock=clock, SETTINGS)
"""
FILE = 'store=SQLiteStore("sessions.db")'
BLOCKING = f"{FILE}, listeners=[listen], session_class=Told"
WITHOUT_INDEX = BLOCKING.replace(
    "SQLiteStore(", 'type("Mine", (SQLiteStore,), {"keys_of_user": None})('
)
ASYNCHRONOUS = f"{FILE}, listeners=[listen_later], async_session_class=AsyncTold"
ONLY_ITS_CLASS = f"{FILE}, listeners=[listen], async_session_class=AsyncTold"
ASYNCHRONOUS_STORE = ASYNCHRONOUS.replace(FILE, f"{FILE[:6]}SuspendingStore({FILE[6:]})")
# An AsyncStore that gives out no expired records is not among them.
GIVES_OUT_EXPIRED = [BLOCKING, WITHOUT_INDEX, ASYNCHRONOUS, ONLY_ITS_CLASS]


class Shop:
    """The program in app.py, whose sessions belong to ada (0 and 1) and to nobody (2)."""

    def __init__(self, framework: Framework, settings: str) -> None:
        self.framework = framework
        Path("app.py").write_text(PROGRAM.replace("SETTINGS", settings), encoding="utf-8")
        # The command imports the program, and the tests use the same module.
        assert framework("sessions", "migrate", "app:container").exit_code == 0
        self.module: Any = sys.modules["app"]
        is_async = "AsyncTold" in settings
        self.handles: list[str] = asyncio.run(self._made_later()) if is_async else self._made()
        self.module.told.clear()

    def run(self, *words: str) -> str:
        """Run a command and return what it prints."""
        result = self.framework("sessions", *words, "app:container")
        assert result.exit_code == 0, result.output
        return result.output

    def told(self, reason: str, *numbers: int) -> list[tuple[Any, ...]]:
        """Return what must be told if the sessions with these numbers ended."""
        ends = [(self.handles[number], reason) for number in numbers]
        finished = [(self.handles[number], reason, number) for number in numbers]
        return sorted([*ends, *finished])

    def _made(self) -> list[str]:
        manager = SessionManager(self.module.container)
        sessions = [manager.create({"n": number}) for number in range(3)]
        for session in sessions:
            if session["n"] < 2:
                session.set_user("ada")
            manager.close(session)
        manager.close_all()
        return [session.handle for session in sessions]

    async def _made_later(self) -> list[str]:
        manager = AsyncSessionManager(self.module.container)
        sessions = [await manager.create({"n": number}) for number in range(3)]
        for session in sessions:
            if session["n"] < 2:
                session.set_user("ada")
            await manager.close(session)
        await manager.aclose()
        return [session.handle for session in sessions]


@pytest.mark.parametrize("settings", [*GIVES_OUT_EXPIRED, ASYNCHRONOUS_STORE])
def test_each_end_is_reported_once(framework: Framework, settings: str) -> None:
    """One session, those of a user, and all others: to the listeners, and to `finish`."""
    shop = Shop(framework, settings)
    module = shop.module

    assert shop.run("end", "--yes", shop.handles[1]) == "Ended 1 session.\n"
    assert sorted(module.told) == shop.told("deleted", 1)
    assert shop.run("end", "--yes", "--user", "ada") == "Ended 1 session.\n"
    assert sorted(module.told) == shop.told("deleted", 0, 1)
    assert shop.run("end", "--yes", "--all") == "Ended 1 session.\n"
    assert sorted(module.told) == shop.told("deleted", 0, 1, 2)


@pytest.mark.parametrize("settings", GIVES_OUT_EXPIRED)
def test_each_timeout_is_reported_once(framework: Framework, settings: str) -> None:
    """The first purge tells it, and the second has nothing to tell."""
    shop = Shop(framework, settings)
    shop.module.clock.advance(400 * 24 * 3600)

    assert shop.run("purge") == "Removed 3 expired sessions.\n"
    assert shop.run("purge") == "Removed 0 expired sessions.\n"
    assert sorted(shop.module.told) == shop.told("timeout", 0, 1, 2)
