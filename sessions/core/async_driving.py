"""Call the store of a session from an event loop: on the loop itself, or in worker threads.

If a request is cancelled during a write, the driver finishes the write.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, TypeVar

from sessions.core.budget import check_budget, keep_or_raise
from sessions.core.driving import Driver
from sessions.core.limits import DEADLINE, WORKER_THREADS
from sessions.core.listening import AsyncListening
from sessions.core.outside import CALL, call_beside_the_loop
from sessions.core.persistence import Flow, Persistence
from sessions.core.state import Ask, Headers, State
from sessions.errors import SessionNotLoaded, StoreUnavailable, UnreadableValue
from sessions.stores.base import AsyncStore, Store

T = TypeVar("T")

logger = logging.getLogger("sessions")

READS = ("load", CALL)
"""The first calls of a load: they change nothing, so a load can be cancelled during these calls."""


class AsyncDriver(Driver):
    """Call a blocking or an asynchronous store without blocking the event loop.

    A write runs in a task of its own. So if a request is cancelled, its commit is either complete
    or does not begin.
    """

    listening: AsyncListening

    def __init__(
        self,
        sessions: Persistence,
        store: Store | AsyncStore | None,
        listening: AsyncListening | None = None,
    ) -> None:
        super().__init__(sessions, store, AsyncListening() if listening is None else listening)
        self.is_async = isinstance(store, AsyncStore)
        self.is_in_place = self.is_in_place and not sessions.calls_code
        self._verbs[CALL] = call_beside_the_loop
        self._executor: tuple[int, ThreadPoolExecutor] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def load_now(self, state: State) -> bool:
        """Load the session if this needs no waiting; return whether the session is loaded."""
        # A loaded session, or a request without a token, needs no call of the store.
        if state.values is not None or self.sessions.load_ask(state) is None:
            return True
        if not self.is_in_place or not state.turn.acquire_now():
            return False
        try:
            self._load_in_place(state)
        finally:
            state.turn.release()
            if state.events:
                self.tell(state)
        return True

    def loaded(self, state: State) -> dict[str, Any]:
        """Return the values; raise SessionNotLoaded if the session is not loaded."""
        if state.values is not None:
            return state.values
        if state.failure is not None:
            state.accessed = True
            raise state.failure
        raise SessionNotLoaded(
            "the session is not loaded yet. Fix: write `await session.load()` first, or use"
            ' SessionMiddleware(..., load="eager")'
        )

    def close_now(self, state: State, *, failed: bool) -> Headers | None:
        """Close the session; return the response headers, or None if the close has to wait."""
        state.closed = True
        # A commit of this request may still be running, even if the request was cancelled.
        # If nothing was loaded, no commit can be running.
        is_locked = state.values is not None
        if is_locked and not state.turn.acquire_now():
            return None
        try:
            return self._close_now(state, failed=failed)
        finally:
            if is_locked:
                state.turn.release()
            if state.events:
                self.tell(state)

    def tell_soon(self, state: State) -> None:
        """Send the events now; if an operation of this request is running, send them at its end."""
        if state.turn.acquire_now():
            state.turn.release()
            self.tell(state)

    async def load(self, state: State) -> None:
        """Load the session unless it is loaded.

        A load sometimes writes to the store. If the caller is cancelled, the write is completed.
        """
        self._begin(state)
        if not await self._load(state, may_write=False):
            await self._protected(self._load(state, may_write=True))

    async def load_unasked(self, state: State, *, failed: bool, goes_on: bool = False) -> None:
        """Do nothing; a subclass that calls `resume` loads an unused session here."""

    async def _load(self, state: State, *, may_write: bool) -> bool:
        """Load the session; without `may_write`, stop before the first write.

        Return whether the session is loaded. A load writes if it removes an expired record, or
        stores a session of another system.
        """
        try:
            async with state.turn:
                return await self._load_in_turn(state, may_write=may_write)
        finally:
            if state.events:
                self.tell(state)

    async def _load_in_turn(self, state: State, *, may_write: bool) -> bool:
        if self.is_in_place:
            self._load_in_place(state)
            return True
        while (ask := self.sessions.load_ask(state)) is not None:
            if not (may_write or ask[0] in READS):
                return False
            try:
                answer = await self.ask(state, ask)
            except StoreUnavailable as error:
                self.sessions.load_failure(state, error)
            else:
                self.sessions.load_answer(state, answer)
        return True

    async def run(self, state: State, flow: Flow[T]) -> T:
        """Do one operation and return its result; if the caller is cancelled, a write goes on."""
        self._begin(state)
        if self.is_in_place and state.turn.acquire_now():
            try:
                return self._run_in_place(state, flow)
            finally:
                state.turn.release()
                if state.events:
                    self.tell(state)
        return await self._protected(self._run(state, flow))

    async def close(self, state: State, *, failed: bool = False) -> Headers:
        """Commit the changes, or discard them if `failed` is True; return the response headers."""
        headers = self.close_now(state, failed=failed)
        if headers is not None:
            return headers
        try:
            await self.run(state, self._closing(state, failed=failed))
        # Every error is raised again, or logged if the request has failed already.
        except BaseException as error:  # noqa: BLE001
            keep_or_raise(state, error, failed=failed)
        return self._told_headers(state)

    def _closing(self, state: State, *, failed: bool) -> Flow[None]:
        # Another task of the request may have closed the session before this task had its turn.
        if state.headers is None:
            yield from self.sessions.finish(state, failed=failed)

    async def abandon(self, state: State) -> None:
        """Close the session of a request whose response cannot be changed; log any error."""
        state.closed, state.head = True, None
        if state.headers is None and not state.to_end and state.values is None:
            if state.events:
                self.tell(state)
            return
        try:
            await self.run(state, self.sessions.give_up(state))
        # The request has failed already. The caller must see its error, not this one.
        except Exception as error:
            logger.exception("no response was sent, and the session could not be closed: %s", error)

    async def call(self, verb: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of the store that needs no session object, such as `count` or `purge`."""
        method = getattr(self.store, verb)
        if self.is_async:
            return await method(*arguments, **options)
        if self.is_in_place:
            return method(*arguments, **options)
        return await self._in_thread(lambda: method(*arguments, **options))

    async def aclose(self) -> None:
        """Wait for running commits, close the store, and stop the worker threads."""
        loop = asyncio.get_running_loop()
        waiting = [task for task in self._tasks if task.get_loop() is loop]
        if waiting:
            await asyncio.wait(waiting, timeout=2 * DEADLINE)
        await self.listening.aclose()
        if self.store is not None:
            await self.call("close")
        executor, self._executor = self._executor, None
        if executor is not None:
            executor[1].shutdown(wait=False)

    async def _run(self, state: State, flow: Flow[T]) -> T:
        try:
            async with state.turn:
                return await self._drive(state, flow)
        finally:
            if state.events:
                self.tell(state)

    async def _drive(self, state: State, flow: Flow[T]) -> T:
        try:
            ask = next(flow)
            while True:
                try:
                    answer = await self.ask(state, ask)
                except StoreUnavailable as error:
                    ask = flow.throw(error)
                else:
                    ask = flow.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            flow.close()

    async def ask(self, state: State, ask: Ask) -> Any:
        """Make one call to the store, within the store deadline of the request."""
        check_budget(state)
        began = monotonic()
        is_counted = state.is_bounded and ask[0] != CALL
        limit = asyncio.timeout(_time_for(state, ask))
        try:
            async with limit:
                return await self._call_elsewhere(ask)
        except TimeoutError as error:
            if not limit.expired():
                raise
            return _too_slow(state, ask, error)
        except UnreadableValue as error:
            return error
        except StoreUnavailable as error:
            state.note_failure(ask[0], error)
            raise
        finally:
            if is_counted:
                state.spent += monotonic() - began

    async def _call_elsewhere(self, ask: Ask) -> Any:
        verb = self._verbs[ask[0]]
        if self.is_async or ask[0] == CALL:
            return await verb(*ask[1:])
        return verb(*ask[1:]) if self.is_in_place else await self._in_thread(lambda: verb(*ask[1:]))

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads(), call)

    def _threads(self) -> ThreadPoolExecutor:
        """Return the worker threads; make new ones after a fork, which copies no threads."""
        pid = os.getpid()
        if self._executor is None or self._executor[0] != pid:
            self._executor = (pid, ThreadPoolExecutor(WORKER_THREADS, "sessions"))
        return self._executor[1]

    async def _protected(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work in a task that goes on if the request is cancelled."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # The code that awaits the task sees its error. Without this line, asyncio would log it
            # too.
            task.exception()


def _time_for(state: State, ask: Ask) -> float | None:
    """Return how many seconds a call can take; None if no request waits for the call.

    A function of the application gets the whole deadline, because its time is not counted as time
    of the store.
    """
    if not state.is_bounded:
        return None
    return DEADLINE if ask[0] == CALL else DEADLINE - state.spent


def _too_slow(state: State, ask: Ask, error: TimeoutError) -> Any:
    """Raise StoreUnavailable, because a store call took too long.

    If a function of the application took too long, return the result of `OutsideCall.fail`, unless
    `fail` raises an error. The store, or the function, has possibly done its work.
    """
    try:
        if ask[0] == CALL:
            return ask[1].fail(error)
        raise StoreUnavailable(
            f"the session store did not answer the call {ask[0]} in time: a request waits at"
            f" most {DEADLINE} s for its store. Fix: check whether the store has too much work, and"
            " check the network"
        ) from error
    except StoreUnavailable as slow:
        state.note_failure(ask[0], slow)
        raise
