"""How much is tried: a part in `make test`, and all of it in `.ci/run`."""

import os

EVERYTHING = bool(os.environ.get("TEST_EVERYTHING"))
"""Whether all is tried: the slow tests, and every example."""


def examples(most: int) -> int:
    """Return how many examples to draw: all of them, or a quarter, which are new in each run."""
    return most if EVERYTHING else max(most // 4, 10)


def each(most: int) -> int:
    """Return the step of a sweep that tries each value, or every so many."""
    return 1 if EVERYTHING else most
