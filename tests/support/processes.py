"""Ports and processes of the servers that tests start."""

import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SECONDS = 20.0
_PORTS_OF_CLIENTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


class LocalServer:
    """A server on a free port, which a test starts, stops, breaks and starts again."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> int:
        """Return the id of the running process."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Kill the server at once, with all its processes, so that it saves nothing."""
        if self._process is not None:
            signal_all(self._process.pid, signal.SIGCONT)
            children = _children_of(self._process.pid)
            signal_all(self._process.pid, signal.SIGKILL)
            self._process.wait()
            # A new server would refuse the data that a child of this one still holds.
            wait_until(lambda: not any(_lives(child) for child in children))
            self._process = None

    def freeze(self) -> None:
        """Let the server keep its connections and answer nobody."""
        freeze(self.process)

    def thaw(self) -> None:
        """Let the server go on."""
        thaw(self.process)


def free_port() -> int:
    """Return a port that nobody uses.

    The system gives it to no client: else a server that a test starts again could not have it.
    """
    first = 32768
    with suppress(OSError):
        first = int(_PORTS_OF_CLIENTS.read_text().split()[0])
    # An own source of numbers: the tests seed the shared one.
    numbers = random.SystemRandom()
    while True:
        port = numbers.randrange(min(10_000, first - 1), first)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def freeze(process: int) -> None:
    """Stop a process and its children, and wait until none of their threads runs."""
    wait_until(lambda: _stops(process))


def thaw(process: int) -> None:
    """Let a process and its children go on."""
    signal_all(process, signal.SIGCONT)


def signal_all(process: int, number: int) -> None:
    """Send a signal to a process and its children."""
    for one in (process, *_children_of(process)):
        with suppress(ProcessLookupError):
            os.kill(one, number)


def open_descriptors() -> int:
    """Return the number of descriptors that this process has open."""
    return len(os.listdir("/proc/self/fd"))


@contextmanager
def nothing_left() -> Iterator[None]:
    """Check that the block leaves no descriptor and no thread, or that they soon end."""
    files, threads = open_descriptors(), threading.active_count()
    yield
    wait_until(lambda: open_descriptors() <= files)
    wait_until(lambda: threading.active_count() <= threads)


def wait_until(condition: Callable[[], Any], seconds: float = SECONDS) -> None:
    """Wait until something is so; fail if it does not happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def wait_for_port(port: int, process: Callable[[], int | None], log: Path) -> None:
    """Wait until a server listens; if it ends before, show its log."""
    deadline = time.monotonic() + 30
    while True:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        assert process() is None, log.read_text()
        assert time.monotonic() < deadline, f"nobody listens on {port}: {log.read_text()}"
        time.sleep(0.02)


def _stops(process: int) -> bool:
    signal_all(process, signal.SIGSTOP)
    everybody = [process, *_children_of(process)]
    states = [state for one in everybody for state in _states_of(one)]
    # A process that the last signal did not reach is new, and is stopped the next time.
    return set(states) <= {"T", "t", "Z", "X"}


def _lives(process: int) -> bool:
    return any(state not in "ZX" for state in _states_of(process))


def _states_of(process: int) -> Iterator[str]:
    for stat in Path(f"/proc/{process}/task").glob("*/stat"):
        # A thread may end meanwhile. The name, in brackets, may contain anything.
        with suppress(OSError):
            yield stat.read_text().rpartition(")")[2].split()[0]


def _children_of(process: int) -> list[int]:
    found = []
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in children.read_text().split()]
    return found
