"""Random requests at once, some of them broken off: one event for each effect on a session."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    MemoryStore,
    SessionContainer,
    SessionError,
    SessionEvent,
)
from sessions.edges import Headers, RequestHead
from sessions.testing import ManualClock
from sessions.users import SessionLimit
from tests.support.apps import KEY
from tests.support.encrypting import NEW
from tests.support.loops import a_head, steps
from tests.support.recording_store import RecordingStore
from tests.support.thoroughness import examples

ROUNDS = 12
KINDS = ("created", "regenerated", "renewed", "signed_in", "destroyed")
"""The kinds of which each effect is told once; parallel requests may tell one sign-out each."""

Verb = Callable[[AsyncSession, Random], Any]

VERBS: dict[str, Verb] = {
    "set": lambda session, random: session.update({random.choice("abc"): random.randrange(100)}),
    "read": lambda session, random: session.get("a"),
    "ada": lambda session, random: session.set_user("ada"),
    "bob": lambda session, random: session.set_user("bob", role="guest"),
    "sign out": lambda session, random: session.clear_user(),
    "new id": lambda session, random: session.regenerate(),
    "renewal": lambda session, random: session.regenerate(grace=timedelta(seconds=20)),
    "destroy": lambda session, random: session.destroy(),
    "delete": lambda session, random: session.delete(),
    "save": lambda session, random: session.save(),
    "increment": lambda session, random: session.increment("n"),
    "take": lambda session, random: session.take("a"),
    "reload": lambda session, random: session.reload(),
}


class Life:
    """One manager with random settings, the browsers that use it, and what it told."""

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)  # noqa: S311
        self.clock = ManualClock()
        self.told: list[SessionEvent] = []
        self.finished: list[str] = []
        self.cookies = [""]
        failures = random.choice([0.0, 0.0, 0.03])
        memory = MemoryStore(clock=self.clock)
        self.store = RecordingStore(memory, random, failures=failures)
        self.manager = AsyncSessionManager(
            SessionContainer(
                keys=[KEY],
                store=self.store,
                clock=self.clock,
                listeners=[self.told.append],
                async_session_class=self._kind(),
                idle_timeout=timedelta(minutes=30),
                absolute_timeout=timedelta(hours=2),
                **self._settings(),
            )
        )

    def _kind(self) -> type[AsyncSession]:
        finished = self.finished

        class Tracked(AsyncSession):
            async def resume(self, request: RequestHead) -> bool:
                await asyncio.sleep(0)
                return not self.get("a", 0) > 90

            def finish(self, reason: str) -> None:
                finished.append(self.handle)

        return Tracked

    def _settings(self) -> dict[str, Any]:
        possible: dict[str, Any] = {
            "rolling": True,
            "save_uninitialized": True,
            "resave": True,
            "renew_every": timedelta(minutes=1),
            "encryption_keys": [NEW],
            "sessions_per_user": self.random.choice([SessionLimit(1), SessionLimit(2, "refuse")]),
        }
        return {name: value for name, value in possible.items() if self.random.random() < 0.3}

    async def go_on(self) -> None:
        """Send rounds of requests at once, and then let every session expire."""
        for _ in range(ROUNDS):
            tasks = [asyncio.ensure_future(self._act()) for _ in range(self.random.randrange(1, 4))]
            for task in tasks:
                if self.random.random() < 0.15:
                    await steps(self.random.randrange(20))
                    task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception):
                    raise result
            self.clock.advance(self.random.choice([0, 1, 61, 600, 2000]))
        await self.manager.aclose()
        self.store.failures = 0
        self.clock.advance(timedelta(days=3))
        while await self.manager.purge():
            pass
        await self.manager.aclose()

    async def _act(self) -> None:
        chosen = self.random.random()
        if chosen < 0.85:
            await self._request()
            return
        with suppress(SessionError):
            if chosen < 0.9:
                await self.manager.end_sessions_of("ada")
            elif chosen < 0.95:
                for info in (await self.manager.sessions_of("bob"))[:1]:
                    await self.manager.end_session_of("bob", info.handle)
            else:
                await self.manager.purge()

    async def _request(self) -> None:
        manager, random = self.manager, self.random
        session = manager.open(a_head(random.choice(self.cookies[-4:])))
        try:
            await asyncio.gather(*[self._use(session) for _ in range(random.randrange(1, 3))])
            headers = await manager.close(session, failed=random.random() < 0.15)
        except asyncio.CancelledError:
            await manager.abandon(session)
            raise
        except SessionError:
            headers = await manager.close(session, failed=True)
        finally:
            await manager.suspend(session)
        self._receive(headers)

    async def _use(self, session: AsyncSession) -> None:
        with suppress(SessionError):
            if self.random.random() < 0.9:
                await session.load()
            for verb in self.random.choices([*VERBS.values()], k=self.random.randrange(5)):
                answer = verb(session, self.random)
                if asyncio.iscoroutine(answer):
                    await answer

    def _receive(self, headers: Headers) -> None:
        texts = [value.partition(";")[0] for name, value in headers if name == "Set-Cookie"]
        self.cookies += [text if not text.endswith("=") else "" for text in texts]


@pytest.mark.parametrize("seed", range(examples(120)))
def test_each_effect_on_a_session_is_one_event(seed: int) -> None:
    """And each end of a session is one call of `finish`; nothing stays in the store."""
    life = Life(seed)

    asyncio.run(life.go_on())

    told = Counter((f"{event.kind}", event.handle or "") for event in life.told)
    effects = Counter(life.store.effects)
    ended = [key for kind, key in life.store.effects if kind == "destroyed"]
    assert not effects - told
    assert not {effect for effect in told - effects if effect[0] in KINDS}
    assert sorted(life.finished) == sorted(ended)
    assert [len(life.store.memory), life.store.memory.keys_of_user("ada")] == [0, {}]
