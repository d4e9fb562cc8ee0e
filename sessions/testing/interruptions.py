"""Pause a call of a store at one point, and make another call in the meantime.

In a thread, a point is a line of the store's own Python code, or a call of other code. In
a task, a point is where the coroutine waits. So the tests try the possible orders of two calls one
by one, and do not depend on chance.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor, Future, wait
from types import CodeType, FrameType
from typing import Any, TypeVar, cast

PATIENCE = 0.001
"""The longest pause of a call, in seconds: the other call possibly waits for the paused call."""

_LONGEST_CALL = 20.0
_OURS = "sessions.testing"
# A call into one of these modules is one point. The lines inside are not points.
_INDIVISIBLE = sys.stdlib_module_names | {"sessions.record", "bson", "pymongo"}

T = TypeVar("T")


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits, and return its result."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    coroutine.close()
    raise RuntimeError(
        "a coroutine of a test for a blocking store waited, which is not allowed here"
    )


class OtherThread:
    """The second of two calls, made in another thread."""

    def __init__(self, threads: Executor, work: Callable[[], object]) -> None:
        self._threads = threads
        self._work = work
        self._future: Future[object] | None = None

    def begin(self) -> None:
        """Begin the call, and wait PATIENCE seconds for its end."""
        self._future = self._threads.submit(self._work)
        wait([self._future], timeout=PATIENCE)

    def answer(self) -> object:
        """Return the result of the call; if the call has not begun, make the call now."""
        if self._future is None:
            return self._work()
        return self._future.result(timeout=_LONGEST_CALL)


class InterruptedThread:
    """Run a function in this thread, and call `interrupt` at one point of the function.

    Debuggers and coverage tools do not see this function, because they use the same hook of Python
    (`sys.settrace`).
    """

    def __init__(self, at: int, interrupt: Callable[[], None]) -> None:
        self._at = at
        self._interrupt = interrupt
        self._passed: set[tuple[CodeType, int]] = set()
        self.points = 0

    def run(self, work: Callable[[], T]) -> T:
        """Run the function, and return its result."""
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            return work()
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, _: object) -> Any:
        if _module_of(frame).startswith(_OURS):
            return None
        if _is_indivisible(frame):
            if frame.f_back is not None and not _is_indivisible(frame.f_back):
                self._pass(frame.f_back.f_code, -frame.f_back.f_lasti)
            return None
        if event == "line":
            self._pass(frame.f_code, frame.f_lineno)
        return self._trace

    def _pass(self, code: CodeType, place: int) -> None:
        # A line in a loop is one point, even if it runs many times.
        if (code, place) in self._passed:
            return
        self._passed.add((code, place))
        if self.points == self._at:
            self._interrupt()
        self.points += 1


class InterruptedTask:
    """Run a coroutine, and await `interrupt` at one of the points where the coroutine waits."""

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, object],
        at: int,
        interrupt: Callable[[], Coroutine[Any, Any, object]],
    ) -> None:
        self._coroutine = coroutine
        self._at = at
        self._interrupt = interrupt
        self.points = 0

    def __await__(self) -> Generator[Any, Any, object]:
        step, value = self._coroutine.send, None
        while True:
            if self.points == self._at:
                yield from self._interrupt().__await__()
            self.points += 1
            try:
                awaited = step(value)
            except StopIteration as end:
                return end.value
            step, value = yield from self._pause(awaited)

    def _pause(self, awaited: object) -> Generator[Any, Any, tuple[Any, Any]]:
        try:
            return self._coroutine.send, (yield awaited)
        except BaseException as error:  # noqa: BLE001 (pass it into the coroutine, as asyncio does)
            return self._coroutine.throw, error


class OtherTask:
    """The second of two calls, made in another task."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self._work = work
        self._task: asyncio.Task[object] | None = None

    async def begin(self) -> None:
        """Begin the call, and wait PATIENCE seconds for its end."""
        self._task = asyncio.create_task(self._work())
        await asyncio.wait({self._task}, timeout=PATIENCE)

    async def answer(self) -> object:
        """Return the result of the call; if the call has not begun, make the call now."""
        if self._task is None:
            return await self._work()
        return await asyncio.wait_for(self._task, _LONGEST_CALL)


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _is_indivisible(frame: FrameType) -> bool:
    module = _module_of(frame)
    return module in _INDIVISIBLE or module.partition(".")[0] in _INDIVISIBLE
