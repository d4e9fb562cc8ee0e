"""The two classes of sessions: the blocking `Session`, and `AsyncSession` for an event loop.

A member that works in memory is a plain method of both classes. A member that calls the store is a
method of `Session`, and a coroutine of `AsyncSession` with the same name. The rules of sessions are
in `sessions.core`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from inspect import iscoroutinefunction
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from sessions.core.async_driving import AsyncDriver
from sessions.core.driving import BlockingDriver
from sessions.core.face import SessionFace
from sessions.core.lifecycle import by_default
from sessions.core.values import plain_key
from sessions.errors import SessionError
from sessions.events import EndReason
from sessions.transports.base import RequestHead

T = TypeVar("T")
F = TypeVar("F", bound=SessionFace[Any])


class Session(SessionFace[BlockingDriver]):
    """A user's data over many requests: loaded at the first access, and saved after a change."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._driver.close(self._state, failed=error is not None)

    @by_default
    def resume(self, request: RequestHead) -> bool:
        """Return whether the request may use this stored session; subclasses override this method.

        If it returns False, the session ends, and the request begins with a new session. This
        method may use the values of the session, but not the methods that call the store.
        """
        return True

    @by_default
    def suspend(self) -> None:
        """Release resources of the session after the response; subclasses override this method."""

    @by_default
    def finish(self, reason: EndReason) -> None:
        """Clean up once after the session has ended; subclasses override this method.

        The session is closed. It has its last values if the store still had them.
        """

    def load(self) -> None:
        """Read the session now, if it is not loaded yet."""
        state = self._state
        if state.values is None:
            state.check_open()
            try:
                self._driver.load(state)
            except SessionError:
                # A failed load counts as a use of the session.
                state.accessed = True
                raise

    def save(self) -> None:
        """Commit all changes now, including a `regenerate()` or a `destroy()`.

        Raises SessionNotFound if another request has ended the session.
        """
        self._writable()
        self._driver.run(self._state, self._driver.sessions.save(self._state))

    def delete(self) -> bool:
        """End the session now; return True, or False if it had ended already.

        Later reads and writes belong to a new, empty session, as after `destroy()`.
        """
        self._check_open()
        ended = self._driver.run(self._state, self._driver.sessions.delete(self._state))
        self._tell_of_other_values()
        return ended

    def reload(self) -> None:
        """Read what other requests committed; changes that are not saved are dropped.

        Raises SessionNotFound if the session has ended.
        """
        self._writable()
        self._driver.run(self._state, self._driver.sessions.reload(self._state))
        self._tell_of_other_values()

    def increment(self, key: str, by: float = 1) -> Any:
        """Add `by` to the number under the key, and return the sum; no addition is lost.

        A missing number counts as 0.
        """
        return self.update_with(key, adding(key, by))

    def take(self, key: str, default: Any = None) -> Any:
        """Remove a value and return it; of several concurrent requests, only one receives the
        value.
        """
        self._writable()
        flow = self._driver.sessions.take(self._state, plain_key(key), default)
        return self._driver.run(self._state, flow)

    def update_with(self, key: str, function: Callable[[Any], T]) -> T:
        """Replace a value by the function's result for it, and return the result.

        The function receives None if there is no value. It runs again if another request has
        changed the value in the meantime. Raises SessionNotFound if the session has ended.
        """
        check_plain(function)
        self._writable()
        flow = self._driver.sessions.update(self._state, plain_key(key), function)
        result: T = self._driver.run(self._state, flow)
        return result


class AsyncSession(SessionFace[AsyncDriver]):
    """A user's data over many requests, for code on an event loop.

    By default, `SessionMiddleware` loads the session before the application runs. With
    `load="on_demand"`, the application awaits `session.load()`. A use of a session that is not
    loaded raises SessionNotLoaded.
    """

    __slots__ = ()

    async def __aenter__(self) -> Self:
        await self.load()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._driver.close(self._state, failed=error is not None)

    @by_default
    def resume(self, request: RequestHead) -> bool | Awaitable[bool]:
        """Return whether the request may use this stored session; subclasses override this method.

        If it returns False, the session ends, and the request begins with a new session. This
        method may use the values of the session, but not the methods that call the store.
        """
        return True

    @by_default
    def suspend(self) -> Awaitable[None] | None:
        """Release resources of the session after the response; subclasses override this method."""
        return None

    @by_default
    def finish(self, reason: EndReason) -> Awaitable[None] | None:
        """Clean up once after the session has ended; subclasses override this method.

        The session is closed. It has its last values if the store still had them.
        """
        return None

    def load(self) -> Coroutine[Any, Any, None]:
        """Read the session now, if it is not loaded yet."""
        return self._on_the_loop("load", self._load)

    def save(self) -> Coroutine[Any, Any, None]:
        """Commit all changes now, including a `regenerate()` or a `destroy()`.

        Raises SessionNotFound if another request has ended the session.
        """
        return self._on_the_loop("save", self._save)

    def delete(self) -> Coroutine[Any, Any, bool]:
        """End the session now; return True, or False if it had ended already.

        Later reads and writes belong to a new, empty session, as after `destroy()`.
        """
        return self._on_the_loop("delete", self._delete)

    def reload(self) -> Coroutine[Any, Any, None]:
        """Read what other requests committed; changes that are not saved are dropped.

        Raises SessionNotFound if the session has ended.
        """
        return self._on_the_loop("reload", self._reload)

    def increment(self, key: str, by: float = 1) -> Coroutine[Any, Any, Any]:
        """Add `by` to the number under the key, and return the sum; no addition is lost.

        A missing number counts as 0.
        """
        add = adding(key, by)
        return self._on_the_loop("increment", lambda: self._update_with(key, add))

    def take(self, key: str, default: Any = None) -> Coroutine[Any, Any, Any]:
        """Remove a value and return it; of several concurrent requests, only one receives the
        value.
        """
        return self._on_the_loop("take", lambda: self._take(key, default))

    def update_with(self, key: str, function: Callable[[Any], T]) -> Coroutine[Any, Any, T]:
        """Replace a value by the function's result for it, and return the result.

        The function receives None if there is no value. It runs again if another request has
        changed the value in the meantime. Raises SessionNotFound if the session has ended.
        """
        check_plain(function)
        return self._on_the_loop("update_with", lambda: self._update_with(key, function))

    async def _load(self) -> None:
        state = self._state
        if state.values is None:
            state.check_open()
            try:
                await self._driver.load(state)
            except SessionError:
                # A failed load counts as a use of the session.
                state.accessed = True
                raise

    async def _save(self) -> None:
        self._writable()
        await self._driver.run(self._state, self._driver.sessions.save(self._state))

    async def _delete(self) -> bool:
        self._check_open()
        flow = self._driver.sessions.delete(self._state)
        ended = await self._driver.run(self._state, flow)
        self._tell_of_other_values()
        return ended

    async def _reload(self) -> None:
        self._writable()
        await self._driver.run(self._state, self._driver.sessions.reload(self._state))
        self._tell_of_other_values()

    async def _take(self, key: str, default: Any) -> Any:
        self._writable()
        flow = self._driver.sessions.take(self._state, plain_key(key), default)
        return await self._driver.run(self._state, flow)

    async def _update_with(self, key: str, function: Callable[[Any], T]) -> T:
        self._writable()
        flow = self._driver.sessions.update(self._state, plain_key(key), function)
        result: T = await self._driver.run(self._state, flow)
        return result

    def _on_the_loop(
        self, verb: str, start: Callable[[], Coroutine[Any, Any, T]]
    ) -> Coroutine[Any, Any, T]:
        """Return the coroutine of a method; raise SessionError if no event loop can run it."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise SessionError(
                f"session.{verb}() of an AsyncSession was called in a thread without an event loop,"
                f" where no code can await it. Fix: write `await session.{verb}()` in an `async"
                " def`, or take the blocking session in a `def` (manager.face(session, Session))"
            ) from None
        work: Any = start()
        # Then Python's warning about a forgotten `await` shows the method that the user called.
        work.__qualname__ = f"AsyncSession.{verb}"
        coroutine: Coroutine[Any, Any, T] = work
        return coroutine


def adding(key: str, by: float) -> Callable[[Any], Any]:
    """Return a function that adds to a number, or to 0 if the number is absent."""
    if isinstance(by, bool) or not isinstance(by, int | float):
        raise TypeError(
            f"session.increment({key!r}, by={by!r}) has a step that is not a number. Fix: give a"
            " number such as 1"
        )

    def add(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise TypeError(
                f"session[{key!r}] is {value!r}, not a number, so nothing can be added. Fix: store"
                " a number first, or use another key"
            )
        return by if value is None else value + by

    return add


def check_plain(function: Callable[[Any], Any]) -> None:
    """Raise TypeError for a coroutine function, because its result would never be awaited."""
    if not callable(function):
        raise TypeError(
            f"update_with was given {function!r}. Fix: give a function of the old value, such as"
            " lambda value: (value or 0) + 1"
        )
    if iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__):
        raise TypeError(
            f"update_with was given the coroutine function {function!r}. Fix: do the `await` first,"
            " and give a plain function of the old value"
        )


def mixed_kind(edge: type[F] | None, own: type[F], base: type) -> type[F]:
    """Return one class with the methods of `edge` (of a gateway) and `own` (of the application)."""
    if edge is not None and not (isinstance(edge, type) and issubclass(edge, base)):
        raise TypeError(
            f"face={edge!r} is not a session class. Fix: give {base.__name__} or a subclass of it"
        )
    if edge is None or issubclass(own, edge) or issubclass(edge, own):
        return own if edge is None or issubclass(own, edge) else edge
    mixed: Any = type(edge.__name__, (edge, own), {"__slots__": ()})
    return cast("type[F]", mixed)
