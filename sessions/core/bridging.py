"""The driver of a thread that uses a session of a request on an event loop."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from sessions.core.driving import AsyncDriver, Driver
from sessions.core.persistence import Flow
from sessions.core.state import Headers, State
from sessions.core.turn import Turn
from sessions.errors import SessionError

T = TypeVar("T")


class BridgeDriver(Driver):
    """Let a thread use a session that belongs to a request on an event loop."""

    def __init__(self, driver: AsyncDriver, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(driver.sessions, driver.store)
        self._driver = driver
        self._loop = loop

    def loaded(self, state: State) -> dict[str, Any]:
        """Return the values, loaded at the first access."""
        state.accessed = True
        self.load(state)
        return state.values if state.values is not None else {}

    def load(self, state: State) -> None:
        """Load the session unless it is loaded."""
        if state.values is not None:
            return
        state.check_open()
        self._refuse_the_loop()
        if self._driver.is_async:
            self._on_the_loop(self._driver.load(state))
            return
        turn: Turn = state.turn
        with turn:
            self._load_in_place(state)
        self.tell(state)

    def run(self, state: State, flow: Flow[T]) -> T:
        """Carry out one verb."""
        self._refuse_the_loop()
        if self._driver.is_async:
            return self._on_the_loop(self._driver.run(state, flow))
        turn: Turn = state.turn
        try:
            with turn:
                return self._run_in_place(state, flow)
        finally:
            self.tell(state)

    def close(self, state: State, *, failed: bool = False) -> Headers:
        """Refuse: the request closes its session itself."""
        raise SessionError(
            "this session belongs to a request on an event loop, which closes it; call save() to"
            " commit at once"
        )

    def _refuse_the_loop(self) -> None:
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            return
        if running is self._loop:
            raise SessionError(
                "a blocking session was used on the event loop, which would wait for itself; use"
                " the AsyncSession there, and the blocking one in `def` functions that run in"
                " threads"
            )

    def _on_the_loop(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
