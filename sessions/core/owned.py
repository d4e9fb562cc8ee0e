"""Sessions that belong to no request: a program opens them by their id, and closes them itself."""

from collections.abc import Coroutine, Generator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar
from warnings import warn

from sessions.core.state import State


class Enterable(Protocol):
    """What an asynchronous session can do here."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


A = TypeVar("A", bound=Enterable)


class OwnedState(State):
    """Be the state of a session that no request closes; say so if nobody does."""

    def __del__(self) -> None:
        if self.values is not None and not self.closed and (self.doomed or self.has_changes()):
            warn(
                "a session that a manager gave out was thrown away with unsaved changes; use it in"
                " a `with`, or call manager.close(session)",
                ResourceWarning,
                stacklevel=2,
            )


class Opening(AbstractAsyncContextManager[A]):
    """Be a session that is under way: `await` it, or enter it."""

    def __init__(self, opening: Coroutine[Any, Any, A]) -> None:
        self._opening = opening
        self._session: A | None = None

    def __await__(self) -> Generator[Any, None, A]:
        return self._opening.__await__()

    async def __aenter__(self) -> A:
        self._session = await self._opening
        return await self._session.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.__aexit__(kind, error, traceback)
