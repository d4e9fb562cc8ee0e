"""Send events to listeners; a listener that fails or is slow changes no request.

Listeners receive an event after the store has confirmed the change, and when no lock is held.
"""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine, Iterable
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from threading import local
from time import monotonic
from typing import Any, Literal, cast

from sessions.core.limits import LISTENER_DEADLINE, MOST_LISTENER_TASKS, SLOW_LISTENER
from sessions.core.locks import lock_across_forks
from sessions.errors import ConfigurationError
from sessions.events import CountsCalls, Listener, SessionEvent

logger = logging.getLogger("sessions")

FAILURES = (Exception, asyncio.CancelledError)
"""The errors of an application's function that change no request.

If the function cancels its own task, this CancelledError cancels nothing else.
"""

_counting = lock_across_forks()


class _Running(local):
    """The listeners that are running in this thread.

    A listener receives no event that its own call caused.
    """

    listeners: tuple[Listener, ...] = ()


_running = _Running()


class Listening:
    """Call the listeners of one manager, and count the calls that failed or were slow."""

    def __init__(self, listeners: Iterable[Listener] = ()) -> None:
        self.listeners = tuple(listeners)
        counters: list[object] = [one for one in self.listeners if isinstance(one, CountsCalls)]
        self._counters = cast("list[CountsCalls]", counters)
        self.failed = 0
        self.slow = 0

    def tell(self, events: Iterable[SessionEvent]) -> None:
        """Log each event that has a log level, and call every listener."""
        for event in events:
            level = event.log_level
            if level is not None:
                logger.log(level, "session %s: %s", event.kind, event.detail)
            for listener in self.listeners:
                self._call(listener, event)

    def note_failure(self, listener: object, error: BaseException, *, what: str) -> None:
        """Count and log a call that failed; `what` says what the call was about."""
        with _counting:
            self.failed += 1
        self._count("failed")
        logger.error("%r failed on %s: %s", listener, what, error, exc_info=error)

    def note_slow(self, listener: object, seconds: float, *, what: str) -> None:
        """Count and log a call that took long."""
        with _counting:
            self.slow += 1
        self._count("slow")
        logger.warning(
            "%r took %.2f s for %s, and the response waited. Fix: let the listener only put the"
            " event into a queue, or, with an AsyncSessionManager, make the listener a coroutine"
            " function",
            *(listener, seconds, what),
        )

    def _call(self, listener: Listener, event: SessionEvent) -> None:
        if any(one is listener for one in _running.listeners):
            # The listener has caused this event itself, and would call itself without an end.
            return
        before, began = _running.listeners, monotonic()
        _running.listeners = (*before, listener)
        try:
            answer = listener(event)
            if answer is not None and isawaitable(answer):
                self._await(listener, event, answer)
        # An error of a listener must not change the request.
        except FAILURES as error:
            self.note_failure(listener, error, what=f"the event {event.kind!r}")
        finally:
            _running.listeners = before
        took = monotonic() - began
        if took > SLOW_LISTENER:
            self.note_slow(listener, took, what=f"the event {event.kind!r}")

    def _count(self, problem: Literal["failed", "slow"]) -> None:
        for counter in self._counters:
            try:
                counter.count_call(problem)
            # An error of a listener must not change the request.
            except Exception as error:
                logger.error("%r failed to count a call: %s", counter, error, exc_info=error)

    def _await(self, listener: Listener, event: SessionEvent, answer: Awaitable[object]) -> None:
        if iscoroutine(answer):
            answer.close()
        raise TypeError(
            "a blocking SessionManager cannot await a listener. Fix: give a plain function, or use"
            " AsyncSessionManager"
        )


class BlockingListening(Listening):
    """Call the listeners of a blocking manager; coroutine functions are refused."""

    def __init__(self, listeners: Iterable[Listener]) -> None:
        super().__init__(listeners)
        problems = [
            f"SessionManager: the listener {listener!r} is a coroutine function, which a blocking"
            " application cannot await. Fix: make it a plain `def`, or use AsyncSessionManager"
            for listener in self.listeners
            if is_async(listener)
        ]
        if problems:
            raise ConfigurationError(problems)


class AsyncListening(Listening):
    """Call the listeners on an event loop; coroutines run in tasks, and no response waits for them.

    The coroutines about one session run one after another, in the order of its events.
    """

    def __init__(self, listeners: Iterable[Listener] = ()) -> None:
        super().__init__(listeners)
        self._last: dict[tuple[asyncio.AbstractEventLoop, str], asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaves_out = False

    def start(self, work: Coroutine[Any, Any, None], handle: str | None) -> None:
        """Run the coroutine in a task, after the earlier coroutines about the same session."""
        loop = asyncio.get_running_loop()
        place = (loop, handle or "")
        before = self._last.get(place) if handle is not None else None
        task = loop.create_task(_in_turn(before, work))
        self._tasks.add(task)
        if handle is not None:
            self._last[place] = task
        task.add_done_callback(lambda done: self._forget(place, done))

    async def aclose(self) -> None:
        """Wait for the coroutines that are still running on this loop."""
        loop = asyncio.get_running_loop()
        waiting = [task for task in self._tasks if task.get_loop() is loop]
        if waiting:
            await asyncio.wait(waiting, timeout=LISTENER_DEADLINE)

    def _await(self, listener: Listener, event: SessionEvent, answer: Awaitable[object]) -> None:
        self.accept(listener, event, answer)

    def accept(self, listener: Listener, event: SessionEvent, answer: Awaitable[object]) -> None:
        """Run a coroutine of a listener, unless too many coroutines are waiting already.

        Without this limit, a client could fill the memory with many requests.
        """
        if len(self._tasks) < MOST_LISTENER_TASKS:
            work = self.awaited(listener, answer, what=f"the event {event.kind!r}")
            self.start(work, event.handle)
            return
        if iscoroutine(answer):
            answer.close()
        with _counting:
            self.failed += 1
        self._count("failed")
        if not self._leaves_out:
            self._leaves_out = True
            logger.error(
                "events are not sent to %r, because %d coroutines of listeners are waiting. Fix:"
                " let the listener only put the event into a queue of its own",
                *(listener, MOST_LISTENER_TASKS),
            )

    async def awaited(self, listener: object, answer: Awaitable[object], *, what: str) -> None:
        """Wait for a coroutine of the application, at most LISTENER_DEADLINE seconds."""
        try:
            async with asyncio.timeout(LISTENER_DEADLINE):
                await answer
        # An error of a listener must not change the request.
        except FAILURES as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            self.note_failure(listener, error, what=what)

    def _forget(
        self, place: tuple[asyncio.AbstractEventLoop, str], task: asyncio.Task[None]
    ) -> None:
        self._tasks.discard(task)
        if not self._tasks:
            self._leaves_out = False
        if self._last.get(place) is task:
            del self._last[place]


class BridgeListening(Listening):
    """Call the listeners from a thread, while the session's request is on an event loop."""

    def __init__(self, listening: AsyncListening, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(listening.listeners)
        self._listening = listening
        self._loop = loop

    def note_failure(self, listener: object, error: BaseException, *, what: str) -> None:
        self._listening.note_failure(listener, error, what=what)

    def note_slow(self, listener: object, seconds: float, *, what: str) -> None:
        self._listening.note_slow(listener, seconds, what=what)

    def _await(self, listener: Listener, event: SessionEvent, answer: Awaitable[object]) -> None:
        self._loop.call_soon_threadsafe(self._listening.accept, listener, event, answer)


def is_async(function: Any) -> bool:
    """Return whether a call of the function returns a coroutine."""
    return iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__)


async def _in_turn(before: asyncio.Task[None] | None, work: Coroutine[Any, Any, None]) -> None:
    if before is not None:
        await asyncio.wait([before])
    await work
