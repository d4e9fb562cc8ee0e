"""The methods `resume`, `suspend` and `finish` of session classes, and when they are called.

A manager uses `LifecycleDriver` or `AsyncLifecycleDriver` only if its session class has one of
these methods.
"""

import asyncio
from collections.abc import Callable, Iterator
from inspect import isawaitable
from threading import get_ident
from typing import Any, TypeVar

from sessions.core.async_driving import AsyncDriver
from sessions.core.budget import NESTED
from sessions.core.driving import BlockingDriver
from sessions.core.face import SessionFace, face
from sessions.core.ids import Id
from sessions.core.listening import FAILURES, AsyncListening, BlockingListening, Listening, is_async
from sessions.core.notes import Ending
from sessions.core.persistence import Flow, Persistence
from sessions.core.standing import Standing
from sessions.core.state import Headers, State
from sessions.core.turn import reentrant_turn
from sessions.errors import SessionError
from sessions.events import EndReason, logger
from sessions.record import ENCRYPTED_VERSION
from sessions.stores.base import AsyncStore, Store

T = TypeVar("T")
M = TypeVar("M", bound=Callable[..., Any])

METHODS = ("resume", "suspend", "finish")
_DEFAULTS: set[Any] = set()


class LifecycleDriver(BlockingDriver):
    """Call a blocking store, and the methods of the session's class."""

    keeps_faces = True

    def __init__(
        self,
        sessions: Persistence,
        store: Store | None,
        listening: Listening,
        *,
        kind: type[SessionFace[Any]],
    ) -> None:
        super().__init__(sessions, store, listening)
        self._kind = kind

    def load(self, state: State) -> None:
        """Load the session unless it is loaded; `resume` can refuse a stored session."""
        try:
            with state.turn:
                was_loaded = state.values is not None
                self._load_in_place(state)
                if not was_loaded and is_resumed(state):
                    self._resume(state)
        finally:
            if state.events:
                self.tell(state)

    def load_unasked(self, state: State, *, failed: bool, goes_on: bool = False) -> None:
        """Load a session that no code has used, if the close or the handshake needs the session.

        The load calls `resume`.
        """
        if is_unloaded(self.sessions, state, goes_on=goes_on):
            try:
                self.load(state)
            # `close_without` decides whether the page can be served without its session.
            except Exception as error:  # noqa: BLE001
                close_without(state, error, failed=failed)

    def close_now(self, state: State, *, failed: bool) -> Headers | None:
        """Close the session; return None if the session must first be loaded to call `resume`."""
        if is_unloaded(self.sessions, state):
            return None
        return super().close_now(state, failed=failed)

    def close(self, state: State, *, failed: bool = False) -> Headers:
        """Load an unused session if a setting requires this; then close the session."""
        self.load_unasked(state, failed=failed)
        return super().close(state, failed=failed)

    def suspend(self, state: State) -> None:
        """Call `suspend`, once, for a session that the request has used; errors are logged."""
        session, state.face = state.face, None
        if session is not None and is_suspended(state):
            try:
                session.suspend()
            # The response was sent, so only the log can report the error.
            except FAILURES as error:
                self.listening.note_failure(session, error, what="suspend()")

    def tell(self, state: State) -> None:
        """Call `finish` for the sessions that have ended, and send the events."""
        super().tell(state)
        for ending in state.take_endings():
            session: Any = ended_face(self._kind, ending, self)
            try:
                session.finish(ending.reason)
            # The session has ended already, so only the log can report the error.
            except FAILURES as error:
                self.listening.note_failure(session, error, what="finish()")

    def _resume(self, state: State) -> None:
        session: Any = state.face or face(self._kind, state, self)
        state.runner = get_ident()
        try:
            is_allowed = checked_answer(session.resume(state.head))
        # The next use of the session calls `resume` again.
        except BaseException:
            unload(state)
            raise
        finally:
            state.runner = None
        if not is_allowed:
            refuse(self.sessions, state)
            self._run_in_place(state, ending(self.sessions, state))


class AsyncLifecycleDriver(AsyncDriver):
    """Call any store, and the methods of the session's class, from an event loop."""

    keeps_faces = True

    def __init__(
        self,
        sessions: Persistence,
        store: Store | AsyncStore | None,
        listening: AsyncListening,
        *,
        kind: type[SessionFace[Any]],
    ) -> None:
        super().__init__(sessions, store, listening)
        self._kind = kind

    def load_now(self, state: State) -> bool:
        """Return whether the session is loaded; do not call the store.

        The load of a stored session must call `resume`, and this method cannot await `resume`.
        """
        if state.values is not None:
            return True
        # A token can contain its session, so that the load needs no call of a store.
        has_ids = bool(self.sessions.tokens.identify(state))
        return not has_ids and self.sessions.load_ask(state) is None

    async def load(self, state: State) -> None:
        """Load the session unless it is loaded; `resume` can refuse a stored session."""
        await super().load(state)
        if is_refused(state):
            # A cancelled request does not stop the end of the session.
            await self.run(state, ending(self.sessions, state))

    async def load_unasked(self, state: State, *, failed: bool, goes_on: bool = False) -> None:
        """Load a session that no code has used, if the close or the handshake needs the session.

        The load calls `resume`.
        """
        if is_unloaded(self.sessions, state, goes_on=goes_on):
            try:
                await self.load(state)
            # `close_without` decides whether the page can be served without its session.
            except Exception as error:  # noqa: BLE001
                close_without(state, error, failed=failed)

    def close_now(self, state: State, *, failed: bool) -> Headers | None:
        """Close the session; return None if the session must first be loaded to call `resume`."""
        if is_unloaded(self.sessions, state):
            return None
        return super().close_now(state, failed=failed)

    async def close(self, state: State, *, failed: bool = False) -> Headers:
        """Load an unused session if a setting requires this; then close the session."""
        await self.load_unasked(state, failed=failed)
        state.closed = True
        return await super().close(state, failed=failed)

    async def run(self, state: State, flow: Flow[T]) -> T:
        """Do one operation and return its result; if the caller is cancelled, a write goes on."""
        if state.runner is not None and state.runner == id(asyncio.current_task()):
            flow.close()
            raise SessionError(NESTED)
        return await super().run(state, flow)

    async def suspend(self, state: State) -> None:
        """Call `suspend`, once, for a session that the request has used; errors are logged."""
        session, state.face = state.face, None
        if session is not None and is_suspended(state):
            await self.listening.awaited(session, _suspended(session), what="suspend()")

    def tell(self, state: State) -> None:
        """Call `finish` for the sessions that have ended, and send the events."""
        super().tell(state)
        for ending in state.take_endings():
            session: Any = ended_face(self._kind, ending, self)
            try:
                answer = session.finish(ending.reason)
            # The session has ended already, so only the log can report the error.
            except FAILURES as error:
                self.listening.note_failure(session, error, what="finish()")
            else:
                if isawaitable(answer):
                    work = self.listening.awaited(session, answer, what="finish()")
                    self.listening.start(work, ending.handle)

    async def _load_in_turn(self, state: State, *, may_write: bool) -> bool:
        was_loaded = state.values is not None
        is_loaded = await super()._load_in_turn(state, may_write=may_write)
        if is_loaded and not was_loaded and is_resumed(state):
            await self._resume(state)
        return is_loaded

    async def _resume(self, state: State) -> None:
        session: Any = state.face or face(self._kind, state, self)
        state.runner = id(asyncio.current_task())
        try:
            answer = session.resume(state.head)
            is_allowed = checked_answer(await answer if isawaitable(answer) else answer)
        # The next use of the session calls `resume` again.
        except BaseException:
            unload(state)
            raise
        finally:
            state.runner = None
        if not is_allowed:
            refuse(self.sessions, state)


def by_default(method: M) -> M:
    """Mark a method of a base class as one that does nothing, and return the method."""
    _DEFAULTS.add(method)
    return method


def blocking_driver(
    sessions: Persistence,
    store: Store | None,
    listening: BlockingListening,
    kind: type[SessionFace[Any]],
) -> BlockingDriver:
    """Return a driver that calls the store; it also calls the lifecycle methods of `kind`."""
    if has_methods(kind):
        return LifecycleDriver(sessions, store, listening, kind=kind)
    return BlockingDriver(sessions, store, listening)


def async_driver(
    sessions: Persistence,
    store: Store | AsyncStore | None,
    listening: AsyncListening,
    kind: type[SessionFace[Any]],
) -> AsyncDriver:
    """Return a driver that calls the store; it also calls the lifecycle methods of `kind`."""
    if has_methods(kind):
        return AsyncLifecycleDriver(sessions, store, listening, kind=kind)
    return AsyncDriver(sessions, store, listening)


def has_methods(kind: type) -> bool:
    """Return whether a class of sessions has a lifecycle method of its own."""
    return any(overrides(kind, name) for name in METHODS)


def overrides(kind: type, name: str) -> bool:
    """Return whether a class of sessions has its own method of this name."""
    return getattr(kind, name) not in _DEFAULTS


def lifecycle_problems(setting: str, kind: type) -> Iterator[str]:
    """Yield a text for each lifecycle method that a blocking application cannot await."""
    for name in METHODS:
        if is_async(getattr(kind, name)):
            yield (
                f"{setting}={kind!r} has the coroutine function {name!r}, which a blocking"
                " application cannot await. Fix: make it a plain `def`, or give the class as"
                " async_session_class"
            )


def is_resumed(state: State) -> bool:
    """Return whether a request has just loaded a stored session, so that `resume` is called."""
    return state.head is not None and state.record is not None


def is_suspended(state: State) -> bool:
    """Return whether to call `suspend`: only if the request has used a session that still lives."""
    return state.values is not None and state.record is not None and not state.gone


def checked_answer(answer: object) -> bool:
    """Return the answer of `resume`; raise TypeError if it is not a bool."""
    if not isinstance(answer, bool):
        raise TypeError(
            f"resume() returned {answer!r}. Fix: return True if the request may use the session,"
            " and False to end the session"
        )
    return answer


def refuse(sessions: Persistence, state: State) -> None:
    """End the session that `resume` refused; the request goes on with a new session."""
    id = state.id
    sessions.destroy(state)
    if id is not None:
        state.end_reasons = {**state.end_reasons, id.key: EndReason.RESUME_REFUSED}
    # The response clears the cookie, even if no handler uses the session.
    state.accessed = True


def is_refused(state: State) -> bool:
    """Return whether `resume` refused a session that has not ended yet."""
    return bool(state.to_end) and EndReason.RESUME_REFUSED in state.end_reasons.values()


def ending(sessions: Persistence, state: State) -> Flow[None]:
    """End the session that `resume` refused, unless another task of the request has ended it."""
    if state.to_end:
        yield from sessions.save(state)


def is_unloaded(sessions: Persistence, state: State, *, goes_on: bool = False) -> bool:
    """Return whether the close of a request would load a session that no code has used.

    With `goes_on`, return whether the handshake of a connection would load the session.
    """
    is_open = state.values is None and not (state.accessed or state.closed)
    if not is_open or state.headers is not None:
        return False
    return (goes_on and sessions.loads_to_go_on) or sessions.opens_unasked(state)


def close_without(state: State, error: Exception, *, failed: bool) -> None:
    """Raise the error of a load, unless the request can go on without its session.

    If the store has failed, the close of the session reports the failure. If the request itself
    has failed before, the error is logged.
    """
    if state.failure is error:
        # The page is served, and the close of the session reports the failure of the store.
        return
    if not failed:
        raise error
    logger.error("a session could not be loaded after its request had failed: %s", error)
    state.closed, state.headers = True, []


def unload(state: State) -> None:
    """Forget what was loaded, so that the next use loads the session and calls `resume` again."""
    state.begin(None, None, Standing.FRESH)
    state.values, state.found, state.lapsing = None, (), None
    if state.moving is not None:
        # The session has moved here from another system. The next load finds it by the old cookie.
        state.ids, state.moving = None, None


def ended_face(kind: type[T], ending: Ending, driver: Any) -> T:
    """Return a closed session object, which shows the last data of a session that has ended."""
    state = State(None, driver.sessions.clock(), reentrant_turn())
    record = ending.record
    if record is not None and record.version == ENCRYPTED_VERSION:
        record = None
    state.ids = ()
    id = Id("", ending.handle, "" if record is None else record.secret)
    state.begin(id, record, Standing.CURRENT)
    state.closed = True
    return face(kind, state, driver)


async def _suspended(session: Any) -> None:
    answer = session.suspend()
    if isawaitable(answer):
        await answer
