"""How a request is timed: contenders alternate in one process; each keeps its quickest round."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from wsgiref.types import WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]

SLICE_SECONDS = 0.002


@dataclass(frozen=True, eq=False, kw_only=True)
class Contender:
    """One application and the request that it is timed with."""

    group: str
    name: str
    application: WSGIApplication
    environ: WSGIEnvironment


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


def measure(contenders: Sequence[Contender], *, rounds: int) -> dict[Contender, float]:
    """Return the seconds of one request of each contender, the minimum of many short rounds."""
    calls = {contender: _calls_per_slice(contender) for contender in contenders}
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for contender in contenders:
            best[contender] = min(best[contender], _seconds(contender, calls[contender]))
    return best


def _calls_per_slice(contender: Contender) -> int:
    _seconds(contender, 20)
    return max(1, int(SLICE_SECONDS / _seconds(contender, 20)))


def _seconds(contender: Contender, calls: int) -> float:
    application, copy = contender.application, contender.environ.copy
    # A collection in the middle would be charged to whoever comes next.
    gc.collect(0)
    gc.disable()
    try:
        start = perf_counter()
        for _ in range(calls):
            chunks = application(copy(), _start_response)
            b"".join(chunks)
            if hasattr(chunks, "close"):
                chunks.close()
        return (perf_counter() - start) / calls
    finally:
        gc.enable()


def _start_response(
    status: str, headers: Headers, exc_info: object = None
) -> Callable[[bytes], object]:
    return _discard


def _discard(data: bytes) -> None:
    """Ignore what an old-style application writes; no contender does."""
