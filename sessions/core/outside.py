"""Call the application's functions while a session loads, in this thread or a worker thread."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from typing import Any

from sessions.errors import SessionError

CALL = "call"
"""The name of a call that is no store call, but a call of a function of the application."""


class OutsideCall(ABC):
    """A call of a function of the application, and what its result or its error means."""

    def __init__(self, function: Callable[[Any], Any], argument: Any) -> None:
        self.function = function
        self.argument = argument

    @abstractmethod
    def succeed(self, result: Any) -> Any:
        """Return what the session gets if the function returned this result."""

    @abstractmethod
    def fail(self, error: Exception) -> Any:
        """Return another result in place of an error of the function, or raise an error."""


def call_here(call: OutsideCall) -> Any:
    """Call the function in this thread."""
    try:
        result = call.function(call.argument)
    # The function is part of the application. `fail` decides about all of its errors.
    except Exception as error:  # noqa: BLE001
        return call.fail(error)
    if isawaitable(result):
        if iscoroutine(result):
            result.close()
        raise SessionError(
            f"{call.function!r} returned a coroutine, which no event loop can run here. Fix: give a"
            " plain function, or use AsyncSessionManager"
        )
    return call.succeed(result)


async def call_beside_the_loop(call: OutsideCall) -> Any:
    """Await a coroutine function, or call a plain function in a worker thread."""
    try:
        if iscoroutinefunction(call.function):
            result = await call.function(call.argument)
        else:
            result = await asyncio.to_thread(call.function, call.argument)
            if isawaitable(result):
                result = await result
    # The function is part of the application. `fail` decides about all of its errors.
    except Exception as error:  # noqa: BLE001
        return call.fail(error)
    return call.succeed(result)
