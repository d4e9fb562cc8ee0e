"""One turn of a session, which threads and tasks respect alike."""

import asyncio
import threading
from collections import deque

from sessions.core.locks import lock_across_forks

_making_queues = lock_across_forks()


class Turn:
    """Let one thread or task at a time ask the store for a session.

    `with` waits in a thread, `async with` waits on an event loop. A task that is cancelled while it
    waits loses no turn of anybody's.
    """

    __slots__ = ("_busy", "_waiting")

    def __init__(self) -> None:
        self._busy = threading.Lock()
        # Made by the first who waits.
        self._waiting: deque[asyncio.Future[None]] | None = None

    def __enter__(self) -> None:
        self._busy.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()

    async def __aenter__(self) -> None:
        while not self._busy.acquire(blocking=False):
            woken = asyncio.get_running_loop().create_future()
            self._queue().append(woken)
            # The turn may have been given back before anybody saw who waits.
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
        """Take the turn if nobody has it."""
        return self._busy.acquire(blocking=False)

    def release(self) -> None:
        """Give the turn back, and wake the task that has waited longest."""
        self._busy.release()
        if self._waiting:
            self._wake_next()

    def _queue(self) -> "deque[asyncio.Future[None]]":
        if self._waiting is None:
            with _making_queues:
                self._waiting = deque() if self._waiting is None else self._waiting
        return self._waiting

    def _leave(self, woken: "asyncio.Future[None]") -> None:
        """Stop waiting; a waiter that was woken too late wakes the next one."""
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
            # The loop is closed, and its tasks with it.
            except RuntimeError:
                continue
            return


def _wake(woken: "asyncio.Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)


reentrant_turn = threading.RLock
"""Make a turn for threads alone; the thread that has it may take it again."""
