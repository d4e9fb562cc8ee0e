"""A fair lock for the threads of a process that write to one SQLite file."""

import threading
import time
from collections import deque

from sessions.stores.base import CALL_DEADLINE

LONGEST_WAIT = 0.9
"""The longest wait of a write in seconds; the store calls of a request have one second."""


class Turns:
    """A lock that lets one thread at a time write, in the order in which the threads came."""

    def __init__(self) -> None:
        self.moved_at = 0.0
        """The time of the last successful write, by the monotonic clock."""
        self._mutex = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Lock] = deque()

    def take(self, began: float) -> bool:
        """Wait for the lock; return False if it did not become free in time."""
        with self._mutex:
            if not self._is_taken:
                self._is_taken = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            while (patience := self.patience(began)) > 0:
                if turn.acquire(timeout=patience):
                    return True
        except BaseException:
            # After an interrupt such as Ctrl-C, this thread must not keep the lock.
            if not self._leave(turn):
                self.give_back()
            raise
        return not self._leave(turn)

    def give_back(self) -> None:
        """Release the lock, or pass it to the thread that has waited longest."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False

    def patience(self, began: float) -> float:
        """Return how many more seconds a call can wait, if the call began at this time."""
        until = min(max(began, self.moved_at) + CALL_DEADLINE, began + LONGEST_WAIT)
        return until - time.monotonic()

    def _leave(self, turn: threading.Lock) -> bool:
        """Take this thread out of the queue; return False if the thread already has the lock."""
        with self._mutex:
            if turn not in self._waiting:
                return False
            self._waiting.remove(turn)
            return True
