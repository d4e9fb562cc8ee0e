"""Run the operations of a session in a thread, while the session's request is on an event loop."""

import asyncio
from typing import Any, TypeVar

from sessions.core.async_driving import AsyncDriver
from sessions.core.driving import BlockingDriver
from sessions.core.listening import BridgeListening
from sessions.core.outside import CALL
from sessions.core.persistence import Flow
from sessions.core.state import Ask, Headers, State
from sessions.errors import SessionError

T = TypeVar("T")


class BridgeDriver(BlockingDriver):
    """Run the operations of a session in a thread, while the session's request is on an event loop.

    A method of the session runs in the thread that calls the method. A blocking store is called in
    this thread too. An asynchronous store is called on the loop of the request.
    """

    def __init__(self, driver: AsyncDriver, loop: asyncio.AbstractEventLoop) -> None:
        listening = BridgeListening(driver.listening, loop)
        super().__init__(driver.sessions, driver.store, listening)
        self._driver = driver
        self._loop = loop

    def load(self, state: State) -> None:
        """Load the session unless it is loaded."""
        if state.values is None:
            state.check_open()
            self._refuse_the_loop()
            if self._driver.keeps_faces:
                # The methods of the session's class run on the loop.
                loading = self._driver.load(state)
                asyncio.run_coroutine_threadsafe(loading, self._loop).result()
            else:
                super().load(state)

    def tell(self, state: State) -> None:
        """Send the events; use the event loop if the session's class has lifecycle methods."""
        if self._driver.keeps_faces:
            self._loop.call_soon_threadsafe(self._driver.tell, state)
        else:
            super().tell(state)

    def run(self, state: State, flow: Flow[T]) -> T:
        """Do one operation on the session, and return its result."""
        self._refuse_the_loop()
        return super().run(state, flow)

    def close(self, state: State, *, failed: bool = False) -> Headers:
        """Raise SessionError, because the request closes its session itself."""
        raise SessionError(
            "this session belongs to a request on an event loop, and only that request can close"
            " it. Fix: call save() to commit at once"
        )

    def _ask_in_place(self, state: State, ask: Ask) -> Any:
        # A function of the application may be a coroutine function, which needs the loop.
        if not self._driver.is_async and ask[0] != CALL:
            return super()._ask_in_place(state, ask)
        return asyncio.run_coroutine_threadsafe(self._driver.ask(state, ask), self._loop).result()

    def _refuse_the_loop(self) -> None:
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            return
        if running is self._loop:
            raise SessionError(
                "a blocking session was used on the event loop, and its call would block the loop"
                " for ever. Fix: use the AsyncSession on the event loop, and the blocking session"
                " in `def` functions that run in threads"
            )


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the running event loop; raise SessionError in a thread without one."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise SessionError(
            "manager.face() was called in a thread, and a thread does not know the event loop of"
            " the request. Fix: call manager.face() in an `async def`, and pass its result to the"
            " thread"
        ) from None
