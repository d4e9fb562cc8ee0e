"""What is made of the session container: the manager, and the same container with other parts."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from framework.wiring.providers import Provider, made_of_settings
from sessions.container import SessionContainer
from sessions.manager import SessionManager
from sessions.stores.base import Store


class SessionClock(Protocol):
    """Tell the sessions the time, in epoch seconds."""

    def __call__(self) -> float: ...


SESSION_PARTS: Mapping[object, str] = {Store: "store", SessionClock: "clock"}
"""The types of the parts that a test replaces, each with the setting that holds the part."""


def with_parts(make: Callable[..., Any], parts: Mapping[str, Any]) -> Callable[..., object]:
    """Return what makes the session container that `make` makes, but with other parts."""
    return lambda *args, **needs: dataclasses.replace(make(*args, **needs), **parts)


def _manager(container: SessionContainer) -> SessionManager:
    return SessionManager(container)


SESSION_MANAGER: Provider = made_of_settings(
    SessionManager, staticmethod(_manager), SessionContainer, "the default SessionManager"
)
"""What makes the manager of an application's sessions, unless the user provides another one."""
