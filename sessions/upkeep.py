"""What a manager does for administrators: count and end sessions, and remove expired records."""

from collections.abc import Callable
from typing import Any

from sessions.container import SessionContainer
from sessions.core.async_driving import AsyncDriver
from sessions.core.driving import BlockingDriver
from sessions.core.face import state_of
from sessions.core.ids import Id, is_key
from sessions.core.lifecycle import AsyncLifecycleDriver, LifecycleDriver
from sessions.core.noted import NotedSessions
from sessions.core.persistence import Flow, Persistence
from sessions.core.state import State
from sessions.core.stored import StoredSessions
from sessions.core.token_formats import TokenFormat
from sessions.core.turn import Turn, reentrant_turn
from sessions.errors import SessionError
from sessions.session import AsyncSession, Session
from sessions.stores.base import AsyncStore, Store
from sessions.stores.listing import Countable
from sessions.users import own_state

__all__: list[str] = []


class Counts:
    """How many calls of a manager's listeners failed, and how many were slow."""

    _driver: Any

    @property
    def failed_listeners(self) -> int:
        """Return how many calls of listeners raised an error."""
        return int(self._driver.listening.failed)

    @property
    def suspends(self) -> bool:
        """Return whether to call `suspend` after the response of a request."""
        return bool(self._driver.keeps_faces)

    @property
    def slow_listeners(self) -> int:
        """Return how many calls of listeners took more than 0.1 s, and so delayed a response."""
        return int(self._driver.listening.slow)


class Upkeep(Counts):
    """Count the sessions, and remove expired records: methods of a `SessionManager`."""

    container: SessionContainer
    _blocking_store: Store | None
    _driver: BlockingDriver

    def count(self) -> int:
        """Return the number of live sessions.

        Do not call this in every request, because some stores have to read every record. Raises
        SessionError for stateless sessions, or if the store has no method `count`.
        """
        return countable(self.container).count()

    def purge(self, limit: int = 1000) -> int:
        """Remove at most `limit` expired records, and return the number of removed records."""
        flow = purging(self._driver.sessions, limit)
        if flow is not None:
            return self._driver.run(*flow(reentrant_turn()))
        return 0 if self._blocking_store is None else self._blocking_store.purge(limit)

    def end_session(self, handle: str, user_id: str | None = None) -> bool:
        """End the session with this handle, of any user; return whether it was live.

        With `user_id`, end it only if it belongs to this user. Raises SessionError for stateless
        sessions.
        """
        state = own_state(self._driver.sessions, reentrant_turn())
        return self._driver.run(state, ending(self._driver.sessions, state, handle, user_id))

    def suspend(self, session: Session) -> None:
        """Call `suspend` of the session's class, once, after the response of its request."""
        if isinstance(self._driver, LifecycleDriver):
            self._driver.suspend(state_of(session))


class AsyncUpkeep(Counts):
    """Count the sessions, and remove expired records: methods of an `AsyncSessionManager`."""

    container: SessionContainer
    _driver: AsyncDriver
    _store: Store | AsyncStore | None

    async def count(self) -> int:
        """Return the number of live sessions: see `SessionManager.count`."""
        countable(self.container)
        return int(await self._driver.call("count"))

    async def purge(self, limit: int = 1000) -> int:
        """Remove at most `limit` expired records, and return the number of removed records."""
        flow = purging(self._driver.sessions, limit)
        if flow is not None:
            return await self._driver.run(*flow(Turn()))
        return 0 if self._store is None else int(await self._driver.call("purge", limit))

    async def end_session(self, handle: str, user_id: str | None = None) -> bool:
        """End the session with this handle: see `SessionManager.end_session`."""
        state = own_state(self._driver.sessions, Turn())
        return await self._driver.run(state, ending(self._driver.sessions, state, handle, user_id))

    async def suspend(self, session: AsyncSession) -> None:
        """Call `suspend` of the session's class, once, after the response of its request."""
        if isinstance(self._driver, AsyncLifecycleDriver):
            await self._driver.suspend(state_of(session))


def purging(sessions: Persistence, limit: int) -> Callable[[Any], tuple[State, Flow[int]]] | None:
    """Return the function that begins a purge; the purge adds an event for each expired session.

    The result is None if nothing needs the events, or if the store cannot return what it removes.
    """
    if not (isinstance(sessions, NotedSessions) and sessions.rules.takes_expired):
        return None

    def begin(turn: Any) -> tuple[State, Flow[int]]:
        state = own_state(sessions, turn)
        return state, sessions.purge(state, limit)

    return begin


async def listened(manager: AsyncUpkeep) -> None:
    """Wait for the coroutines of listeners and of `finish` methods, if some are still running."""
    await manager._driver.listening.aclose()


def ending(sessions: Persistence, state: State, handle: str, user_id: str | None) -> Flow[bool]:
    """End one session by its handle; return whether it was live."""
    if not isinstance(sessions, StoredSessions):
        raise SessionError(
            "these sessions are stored in their tokens, not on a server, so a handle cannot find or"
            " end them. Fix: give the container a store; or end all sessions of a user with"
            " end_sessions_of(user_id)"
        )
    if not is_key(handle):
        return False
    return (yield from sessions.end_one(state, Id("", handle, ""), user_id, "end_session()"))


def countable(container: SessionContainer) -> Countable:
    """Return the store of the container; raise SessionError if it cannot count its sessions."""
    store = container.store
    if isinstance(store, TokenFormat):
        raise SessionError(
            f"the sessions of {store!r} are in their tokens, so nobody can count them. Fix: use a"
            " store, such as SQLiteStore"
        )
    if not isinstance(store, Countable):
        raise SessionError(
            f"{store!r} cannot count its sessions. Fix: give it the method count() of"
            " sessions.stores.listing.Countable"
        )
    return store
