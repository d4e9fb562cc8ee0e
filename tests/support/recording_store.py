"""A store that suspends and fails at random moments, and remembers what it has really done."""

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Any

from sessions import MemoryStore, StoreUnavailable
from sessions.core.values import WAITING
from sessions.record import Changes, Outcome, Record
from sessions.stores.expiring import Expired
from tests.support.suspending_store import SuspendingExpiring

Effect = tuple[str, str]
"""The kind of the event that an effect must cause, and the key of the session."""


class RecordingStore(SuspendingExpiring):
    """Keep each effect on a session; a call that fails has no effect."""

    def __init__(self, inner: MemoryStore, random: Random, *, failures: float) -> None:
        super().__init__(inner)
        self.memory = inner
        self.random = random
        self.failures = failures
        self.effects: list[Effect] = []

    async def load(self, key: str) -> Any:
        await self._begin("load")
        return await self._end(self.memory.load(key))

    async def create(self, key: str, record: Record) -> bool:
        await self._begin("create")
        created = self.memory.create(key, record)
        if created and WAITING not in record.values:
            self.effects.append(("created", key))
            if record.user_id is not None:
                self.effects.append(("signed_in", key))
        return bool(await self._end(created))

    async def commit(self, key: str, changes: Changes) -> Outcome:
        await self._begin("commit")
        before = self.memory.load(key)
        outcome = self.memory.commit(key, changes)
        if outcome is Outcome.APPLIED and WAITING not in changes.set:
            assert isinstance(before, Record)
            self.effects += [(kind, key) for kind in _kinds(before, changes)]
        ended: Outcome = await self._end(outcome)
        return ended

    async def delete(self, key: str, *, user_id: str | None = None) -> bool:
        await self._begin("delete")
        deleted = self.memory.delete(key, user_id=user_id)
        if deleted:
            self.effects.append(("destroyed", key))
        return bool(await self._end(deleted))

    async def take_expired(self, key: str) -> Record | None:
        await self._begin("take_expired")
        record = self.memory.take_expired(key)
        if record is not None:
            self.effects.append(("destroyed", key))
        taken: Record | None = await self._end(record)
        return taken

    async def purge_expired(self, limit: int) -> list[Expired]:
        await self._begin("purge_expired")
        expired = self.memory.purge_expired(limit)
        ended = [key for key, record in expired if WAITING not in record.values]
        self.effects += [("destroyed", key) for key in ended]
        purged: list[Expired] = await self._end(expired)
        return purged

    async def add_to_user(self, user_id: str, key: str, until: float) -> None:
        await self._begin("add_to_user")
        self.memory.add_to_user(user_id, key, until)
        await self._end(None)

    async def keys_of_user(self, user_id: str) -> Mapping[str, float]:
        await self._begin("keys_of_user")
        keys: Mapping[str, float] = await self._end(self.memory.keys_of_user(user_id))
        return keys

    async def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        await self._begin("remove_from_user")
        self.memory.remove_from_user(user_id, entries)
        await self._end(None)

    async def _begin(self, verb: str) -> None:
        await self._end(None)
        if self.random.random() < self.failures:
            raise StoreUnavailable(f"{verb} is broken, as the test says")

    async def _end(self, answer: Any) -> Any:
        for _ in range(self.random.randrange(4)):
            await asyncio.sleep(0)
        return answer


def _kinds(before: Record, changes: Changes) -> list[str]:
    """Return the kinds of the events that a commit must cause."""
    signs_in = isinstance(changes.user_id, str)
    signs_out = changes.user_id is None and before.user_id is not None
    renews = changes.new_secret is not None and changes.grace is not None
    kinds = {
        "regenerated": changes.new_secret is not None,
        "renewed": renews,
        "signed_in": signs_in,
        "signed_out": signs_out,
    }
    return [kind for kind, happened in kinds.items() if happened]
