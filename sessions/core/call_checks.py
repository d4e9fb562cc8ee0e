"""Call the functions of the settings once, so that start-up finds their mistakes."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

from sessions.core.ids import new_secret
from sessions.errors import ConfigurationError


def id_problems(gen_id: object) -> Iterator[str]:
    """Make one id at start-up, and yield its mistakes, before a request needs an id."""
    make: Any = gen_id
    if not callable(gen_id):
        return
    try:
        new_secret(make)
    except ConfigurationError as error:
        yield from error.problems
    # gen_id is a function of the application. Every error here would also happen in a request.
    except Exception as error:  # noqa: BLE001
        yield f"gen_id raised {error!r}. Fix: correct the function, or leave gen_id out"


def clock_problems(clock: object) -> Iterator[str]:
    """Call the clock once, so that a wrong clock is found at start-up."""
    if not callable(clock):
        return
    try:
        now = clock()
    # clock is a function of the application. Every error here would also happen in a request.
    except Exception as error:  # noqa: BLE001
        now = error
    if isinstance(now, bool) or not isinstance(now, int | float) or not isfinite(now):
        yield (
            f"clock={clock!r} gives {now!r}. Fix: give a function that returns epoch seconds, such"
            " as time.time"
        )
