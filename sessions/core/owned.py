"""Sessions outside of a request: a program opens and closes them itself."""

from collections.abc import Coroutine, Generator, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar
from warnings import warn

from sessions.core.ids import Id, is_id, read_id
from sessions.core.persistence import Flow, Persistence
from sessions.core.standing import Standing
from sessions.core.state import State
from sessions.core.token_formats import TokenFormat
from sessions.errors import SessionError, SessionExpired, SessionNotFound
from sessions.stores.expired import KeepsExpired

_UNKNOWN_ID = (
    "no live session has this id. Fix: if the text is a signed token and not an id, call"
    " from_token()"
)


class Enterable(Protocol):
    """An object that `async with` accepts."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


A = TypeVar("A", bound=Enterable)


class OwnedState(State):
    """The state of a session outside of a request; it warns if the session is never closed."""

    scheme: str = ""
    """The scheme of the request whose Cookie header had the token of the session."""

    def __del__(self) -> None:
        if self.values is not None and not self.closed and (self.to_end or self.has_changes()):
            warn(
                "a session from a manager was never closed, so its changes are lost. Fix: use it in"
                " a `with`, or call manager.close(session)",
                ResourceWarning,
                stacklevel=2,
            )


class Opening(AbstractAsyncContextManager[A]):
    """The result of a method that opens a session: `await` it, or use it in an `async with`."""

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


def checked_id(id: object, store: object) -> Id:
    """Return the id with its key and hash; raise SessionNotFound for a text that is not an id."""
    found = id_in(id, store)
    if found is None:
        raise SessionNotFound(_UNKNOWN_ID)
    return found


def id_in(text: object, store: object) -> Id | None:
    """Return the id with its key and hash, or None for a text that is not an id.

    Raises SessionError for stateless sessions.
    """
    if not isinstance(text, str):
        raise TypeError(
            f"a session's id is a str, not a value of type {type(text).__name__}. Fix: give"
            " session.id"
        )
    if isinstance(store, TokenFormat):
        raise SessionError(
            "these sessions are stored in their tokens, not on a server, so an id cannot find or"
            " end them. Fix: read a session with manager.from_token(token), or give the container a"
            " store"
        )
    return read_id(text) if is_id(text) else None


def live(sessions: Persistence, state: State, store: object = None) -> Flow[None]:
    """Load the session of an id; raise SessionNotFound, or SessionExpired, if it is not live.

    The `store` decides which of the two errors is right, if it can say whether a record has
    expired.
    """
    yield from sessions.loading(state)
    if state.record is not None:
        return
    # The session is closed here, so that no warning about an unclosed session follows.
    state.closed = True
    ((id, standing, record),) = state.found
    is_over = state.is_damaged or (standing is Standing.UNKNOWN and record is not None)
    if not is_over and standing is Standing.UNKNOWN and isinstance(store, KeepsExpired):
        is_over = yield ("has_expired", id.key)
    if is_over:
        raise SessionExpired("the session has expired, or its record cannot be read")
    raise SessionNotFound(_UNKNOWN_ID)


def mapping_of(data: object) -> Mapping[str, Any]:
    """Return the data as a mapping, empty for None; raise TypeError for anything else."""
    if data is not None and not isinstance(data, Mapping):
        raise TypeError(f"create({data!r}) takes a mapping, such as a dict of the first values")
    return data or {}
