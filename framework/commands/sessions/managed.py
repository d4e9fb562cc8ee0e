"""The store for commands that end sessions; a manager calls the listeners for each session."""

from collections.abc import Coroutine
from typing import Any

from framework.commands.sessions.opened import OpenedStore
from sessions.container import SessionContainer, store_of
from sessions.core.lifecycle import has_methods
from sessions.core.listening import is_async
from sessions.manager import AsyncSessionManager, SessionManager
from sessions.stores.base import AsyncStore
from sessions.upkeep import listened


class ManagedStore(OpenedStore):
    """A store whose sessions end through a manager, which calls the listeners and `finish`.

    For stateless sessions, the store is the list of revocations.
    """

    def __init__(self, container: SessionContainer) -> None:
        super().__init__(store_of(container))
        kind = AsyncSessionManager if _is_asynchronous(container) else SessionManager
        self._manager: SessionManager | AsyncSessionManager = kind(container)

    def manage(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of the manager, and return the result."""
        answer = getattr(self._manager, method)(*arguments, **options)
        if isinstance(self._manager, SessionManager):
            return answer
        return self._runner.run(_told(self._manager, answer))

    def _close(self) -> None:
        if isinstance(self._manager, SessionManager):
            self._manager.close_all()
        else:
            self._runner.run(self._manager.aclose())


async def _told(manager: AsyncSessionManager, call: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a call after the coroutines of the listeners are done.

    Each call waits, because a manager leaves out events if too many coroutines are unfinished.
    """
    answer = await call
    await listened(manager)
    return answer


def _is_asynchronous(container: SessionContainer) -> bool:
    """Return whether the sessions need an asynchronous manager.

    They need it if the store or a listener is asynchronous, or if only the asynchronous session
    class has lifecycle methods of its own.
    """
    has_own = has_methods(container.async_session_class)
    return (
        isinstance(store_of(container), AsyncStore)
        or any(map(is_async, container.listeners))
        or (has_own and not has_methods(container.session_class))
    )
