"""Run a function in many threads at the same time."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_SWITCH_INTERVAL = 0.000_01

T = TypeVar("T")


def in_parallel(count: int, work: Callable[[int], T]) -> list[T]:
    """Call work(0), work(1) and so on, each in its own thread, together; return all results."""
    together = threading.Barrier(count)

    def run(n: int) -> T:
        together.wait(timeout=10)
        return work(n)

    with ThreadPoolExecutor(count) as pool, _threads_that_switch_often():
        return list(pool.map(run, range(count)))


@contextmanager
def _threads_that_switch_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
