"""The lock of a session, for threads and for tasks."""

import asyncio
import threading
from collections import deque

from sessions.core.locks import lock_across_forks

_making_queues = lock_across_forks()


class Turn:
    """A lock that lets one thread or task at a time call the store for a session.

    `with` waits in a thread, `async with` waits on an event loop. If a task is cancelled while it
    waits, the next task is still woken.
    """

    __slots__ = ("_busy", "_waiting")

    def __init__(self) -> None:
        self._busy = threading.Lock()
        # The first task that waits makes the queue.
        self._waiting: deque[asyncio.Future[None]] | None = None

    def __enter__(self) -> None:
        self._busy.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()

    async def __aenter__(self) -> None:
        while not self._busy.acquire(blocking=False):
            woken = asyncio.get_running_loop().create_future()
            self._queue().append(woken)
            # The lock may have been released before this task was in the queue.
            if self._busy.acquire(blocking=False):
                self._leave(woken)
                return
            try:
                await woken
            except asyncio.CancelledError:
                self._leave(woken)
                raise

    async def __aexit__(self, *error: object) -> None:
        self.release()

    def acquire_now(self) -> bool:
        """Take the lock if it is free, without waiting; return whether this call took it."""
        return self._busy.acquire(blocking=False)

    def release(self) -> None:
        """Release the lock, and wake the task that has waited longest."""
        self._busy.release()
        if self._waiting:
            self._wake_next()

    def _queue(self) -> "deque[asyncio.Future[None]]":
        if self._waiting is None:
            with _making_queues:
                self._waiting = deque() if self._waiting is None else self._waiting
        return self._waiting

    def _leave(self, woken: "asyncio.Future[None]") -> None:
        """Stop waiting; if this task was woken already, wake the next one."""
        try:
            self._queue().remove(woken)
        except ValueError:
            if not self._busy.locked():
                self._wake_next()

    def _wake_next(self) -> None:
        while self._waiting:
            try:
                woken = self._waiting.popleft()
            except IndexError:
                return
            try:
                woken.get_loop().call_soon_threadsafe(_wake, woken)
            # The event loop is closed, so its tasks wait no more.
            except RuntimeError:
                continue
            return


def _wake(woken: "asyncio.Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)


reentrant_turn = threading.RLock
"""Make a lock for threads only; the thread that has the lock may take it again."""
