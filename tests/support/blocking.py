"""Asynchronous stores for tests that call all stores in the same way."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores.base import AsyncStore, Store

T = TypeVar("T")


class Blocking(Store):
    """Call an asynchronous store as a blocking one, in one event loop."""

    def __init__(self, inner: AsyncStore) -> None:
        self.inner = inner
        # With the methods that not every store has.
        self._more: Any = inner
        self._runner = asyncio.Runner()

    def load(self, key: str) -> Record | Ended | None:
        return self._do(self.inner.load(key))

    def create(self, key: str, record: Record) -> bool:
        return self._do(self.inner.create(key, record))

    def commit(self, key: str, changes: Changes) -> Outcome:
        return self._do(self.inner.commit(key, changes))

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        return self._do(self.inner.touch(key, secret, expires_at, accessed_at))

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        return self._do(self.inner.delete(key, user_id=user_id))

    def purge(self, limit: int) -> int:
        return self._do(self.inner.purge(limit))

    def purge_expired(self, limit: int) -> list[tuple[str, Record]]:
        found: list[tuple[str, Record]] = self._do(self._more.purge_expired(limit))
        return found

    def create_schema(self) -> None:
        self._do(self._more.create_schema())

    def disconnect(self) -> None:
        """Close the connections, so that the next call opens a new one."""
        self._do(self.inner.close())

    def close(self) -> None:
        self.disconnect()
        self._runner.close()

    def _do(self, call: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(call)
