"""The parts of the session container that a test replaces without the rest: store and clock."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sessions.stores.base import Store


class SessionClock(Protocol):
    """Tell the sessions the time, in epoch seconds."""

    def __call__(self) -> float: ...


SESSION_PARTS: Mapping[object, str] = {Store: "store", SessionClock: "clock"}
"""The types that stand for parts, each with the setting that holds the part."""


def with_parts(make: Callable[..., Any], parts: Mapping[str, Any]) -> Callable[..., object]:
    """Return what makes the session container that `make` makes, but with other parts."""
    return lambda *args, **needs: dataclasses.replace(make(*args, **needs), **parts)
