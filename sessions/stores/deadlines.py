"""End late calls, because blocking drivers limit the time of a read, but not of a whole reply.

A server or a network that sends a reply in many small parts could hold a request for a long time.
So while there are calls, one thread of the process looks at them, and shuts down the socket of a
call that is too late. The thread ends a few seconds after the last call.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from operator import attrgetter
from threading import Lock, Thread
from typing import Any

__all__ = ["Deadlines", "deadlines", "socket_of"]

_INTERVAL = 0.05
_IDLE = 5.0
"""Seconds after the last call until the thread ends."""

# redis-py and PyMySQL both have this attribute; neither has a public name for it.
socket_of = attrgetter("_sock")


class Deadlines:
    """The calls of this process that wait for a server, with their connections and deadlines."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Forget all calls: after a fork, they belong to the parent process."""
        self._numbers = count()
        self._calls: dict[int, tuple[float, Any]] = {}
        self._lock = Lock()
        self._is_watching = False

    def begin(self, connection: Any, seconds: float) -> int:
        """Begin a call over a connection of redis-py or PyMySQL; return the number of the call."""
        call = next(self._numbers)
        self._calls[call] = (time.monotonic() + seconds, connection)
        if not self._is_watching:
            self._watch()
        return call

    def end(self, call: int) -> bool:
        """End the call; return False if the call was too late, and its socket was shut down."""
        return self._calls.pop(call, None) is not None

    @contextmanager
    def within(self, connection: Any, seconds: float) -> Iterator[None]:
        """Raise TimeoutError if the block takes longer than these seconds."""
        call = self.begin(connection, seconds)
        try:
            yield
        finally:
            if not self.end(call):
                raise TimeoutError("there was no complete reply in time")

    def _watch(self) -> None:
        with self._lock:
            if self._is_watching:
                return
            # While the interpreter shuts down, Python starts no more threads.
            with suppress(RuntimeError):
                Thread(target=self._run, name="session-deadlines", daemon=True).start()
                self._is_watching = True

    def _run(self) -> None:
        last = time.monotonic()
        while True:
            time.sleep(_INTERVAL)
            now = time.monotonic()
            if self._calls:
                last = now
                self._end_late_calls(now)
            elif now - last > _IDLE:
                with self._lock:
                    if not self._calls:
                        self._is_watching = False
                        return

    def _end_late_calls(self, now: float) -> None:
        for call, (until, connection) in list(self._calls.items()):
            # Read the socket first: after the call, the connection may get another socket.
            used = socket_of(connection)
            # During a TLS handshake, the driver still has the socket from before the handshake,
            # which cannot be used. Then the call is ended after the handshake.
            if until > now or used is None or used.fileno() < 0:
                continue
            if self._calls.pop(call, None) is not None:
                with suppress(OSError):
                    # `shutdown` of a TLS socket would first talk to the server.
                    socket.socket.shutdown(used, socket.SHUT_RDWR)


deadlines = Deadlines()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=deadlines.forget)
