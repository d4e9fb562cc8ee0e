"""The turns of a process's threads at one SQLite file: first come, first served."""

import threading
import time
from collections import deque

from sessions.stores.base import CALL_DEADLINE

LONGEST_WAIT = 0.9
"""Seconds that a write waits at most while others get through; a request has one second in all."""


class Turns:
    """Let one thread at a time write, first come, first served."""

    def __init__(self) -> None:
        self.moved_at = 0.0
        """When a write got through last, by the monotonic clock."""
        self._mutex = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Lock] = deque()

    def take(self, began: float) -> bool:
        """Wait for a turn; return whether it came before the patience was over."""
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
            # An interrupt: the turn must not stay with a thread that has gone.
            if not self._leave(turn):
                self.give_back()
            raise
        return not self._leave(turn)

    def give_back(self) -> None:
        """Hand the turn to the thread that has waited longest."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False

    def patience(self, began: float) -> float:
        """Return for how many seconds a call that began then may still wait."""
        until = min(max(began, self.moved_at) + CALL_DEADLINE, began + LONGEST_WAIT)
        return until - time.monotonic()

    def _leave(self, turn: threading.Lock) -> bool:
        """Leave the queue; return False if the turn came at the last moment."""
        with self._mutex:
            if turn not in self._waiting:
                return False
            self._waiting.remove(turn)
            return True
