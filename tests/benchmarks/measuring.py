"""How a request is timed: the contenders take turns, and the quickest round of each counts.

It imports nothing of this project, for it times two versions of it.
"""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from typing import Protocol, TypeVar
from wsgiref.types import WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]

SLICE_SECONDS = 0.002
SHORT_SLICE_SECONDS = 0.0005


class Timed(Protocol):
    """What can be timed."""

    @property
    def group(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def slice_seconds(self) -> float: ...

    def seconds(self, calls: int) -> float:
        """Return the seconds of one call, out of so many."""


T = TypeVar("T", bound=Timed)


@dataclass(frozen=True, eq=False, kw_only=True)
class Contender:
    """One application and the request that it is timed with."""

    group: str
    name: str
    application: WSGIApplication
    environ: WSGIEnvironment
    slice_seconds: float = SLICE_SECONDS

    def seconds(self, calls: int) -> float:
        """Return the seconds of one request, out of so many."""
        return _seconds(self._send, calls)

    def _send(self, calls: int) -> None:
        application, copy = self.application, self.environ.copy
        for _ in repeat(None, calls):
            chunks = application(copy(), _start_response)
            b"".join(chunks)
            if hasattr(chunks, "close"):
                chunks.close()


@dataclass(frozen=True, eq=False, kw_only=True)
class Piece:
    """A part of a request, as a function."""

    group: str
    name: str
    call: Callable[[], object]
    slice_seconds: float = SHORT_SLICE_SECONDS

    def seconds(self, calls: int) -> float:
        """Return the seconds of one call, out of so many."""
        return _seconds(self._repeat, calls)

    def _repeat(self, calls: int) -> None:
        call = self.call
        for _ in repeat(None, calls):
            call()


def respond(application: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, Headers, str]:
    """Send one request and return the status, the headers and the body."""
    started: list[tuple[str, Headers]] = []

    def start_response(
        status: str, headers: Headers, exc_info: object = None
    ) -> Callable[[bytes], object]:
        started.append((status, headers))
        return _discard

    chunks = application(environ.copy(), start_response)
    body = b"".join(chunks).decode()
    if hasattr(chunks, "close"):
        chunks.close()
    return *started[0], body


def measure(everyone: Sequence[T], *, rounds: int) -> dict[T, float]:
    """Return the seconds of one call of each, the minimum of many short rounds."""
    calls = {timed: _calls_per_slice(timed) for timed in everyone}
    best = dict.fromkeys(everyone, float("inf"))
    for _ in range(rounds):
        for timed in everyone:
            best[timed] = min(best[timed], timed.seconds(calls[timed]))
    return best


def _calls_per_slice(timed: Timed) -> int:
    # One look may have met a busy moment, and a slice that is too short would stay cold.
    return max(1, int(timed.slice_seconds / min(timed.seconds(20) for _ in range(5))))


def _seconds(run: Callable[[int], object], calls: int) -> float:
    """Return the seconds of one call, out of so many.

    Those before it teach the processor again what it has forgotten over the other contenders.
    """
    # A collection in the middle would be charged to whoever comes next.
    gc.collect(0)
    gc.disable()
    try:
        run(calls // 2)
        start = perf_counter()
        run(calls)
        return (perf_counter() - start) / calls
    finally:
        gc.enable()


def _start_response(
    status: str, headers: Headers, exc_info: object = None
) -> Callable[[bytes], object]:
    return _discard


def _discard(data: bytes) -> None:
    """Ignore bytes of the write callable, which no contender uses."""
