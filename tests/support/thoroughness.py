"""How much the tests try: a part in `make test`, and everything in `.ci/run`."""

import os
from collections.abc import Iterable
from random import random
from typing import TypeVar

T = TypeVar("T")

EVERYTHING = bool(os.environ.get("TEST_EVERYTHING"))
"""Whether all is tried: the slow tests, and every example."""


def examples(most: int) -> int:
    """Return the number of examples: all, or a quarter, which is different in each run."""
    return most if EVERYTHING else max(most // 4, 10)


def each(most: int) -> int:
    """Return the step of a sweep: 1 tries each value, and n tries each n-th value."""
    return 1 if EVERYTHING else most


def some(cases: Iterable[T], share: float) -> list[T]:
    """Return the cases: all, or about this share of them, which are others in each run."""
    return [case for case in cases if EVERYTHING or random() < share]  # noqa: S311
