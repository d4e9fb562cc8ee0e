"""The open store that a command uses, whether the store is blocking or asynchronous."""

import asyncio
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

import click

from framework.report import short_repr
from sessions.container import SessionContainer
from sessions.core.token_formats import TokenFormat
from sessions.core.values import WAITING
from sessions.errors import StoreUnavailable, UnreadableValue
from sessions.record import Ended, Record
from sessions.stores.base import AsyncStore, Store, wall_clock
from sessions.stores.listing import AsyncListable, Listable, Page
from sessions.stores.memory import MemoryStore

T = TypeVar("T")

PAGE_SIZE = 100
_SHORTEST_HANDLE, _LONGEST_HANDLE = 8, 64
_TRIES = 5
_PAUSE = 0.1
"""Seconds before the second try of a call; each further pause is twice as long."""


class OpenedStore:
    """Call a store, blocking or asynchronous, and close it at the end of a `with`."""

    def __init__(self, store: Any) -> None:
        self.store: Store | AsyncStore = store
        self._is_async = isinstance(store, AsyncStore)
        # It makes an event loop only for the first coroutine.
        self._runner = asyncio.Runner()

    def __str__(self) -> str:
        return short_repr(self.store)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._close()
        finally:
            self._runner.close()

    def has(self, verb: str) -> bool:
        """Return whether the store has this method."""
        return callable(getattr(self.store, verb, None))

    def ask(self, verb: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of the store, and return its answer."""
        answer = getattr(self.store, verb)(*arguments, **options)
        return self._runner.run(answer) if self._is_async else answer

    def _close(self) -> None:
        self.ask("close")

    def found(self, key: str) -> Record | Ended | None:
        """Return what the store has under a key; None if there is nothing or a damaged record."""
        try:
            found: Record | Ended | None = self.ask("load", key)
        except UnreadableValue:
            # No request can use the record, and a creation replaces it.
            return None
        return found

    def records(self) -> Iterator[tuple[str, Record]]:
        """Yield the live records with their keys."""
        if not isinstance(self.store, Listable | AsyncListable):
            raise click.ClickException(
                f"{self} cannot list its sessions. Fix: give the store a method page(after, limit),"
                " as in sessions.stores.listing.Listable."
            )
        after: str | None = None
        while True:
            page: Page = patiently(self.ask, "page", after, PAGE_SIZE)
            yield from page.records
            if page.after is None:
                return
            after = page.after

    def sessions(self) -> Iterator[tuple[str, Record]]:
        """Yield each live session with its key.

        A record that belongs to no session is left out, such as the queue of a user's sign-ins.
        """
        return (pair for pair in self.records() if WAITING not in pair[1].values)

    def named(self, handle: str) -> tuple[str, Record]:
        """Return the only live session whose handle begins with this text."""
        if len(handle) < _SHORTEST_HANDLE:
            raise click.ClickException(
                f"{handle!r} is too short for the handle of a session. Fix: write its first"
                f" {_SHORTEST_HANDLE} characters or more."
            )
        if len(handle) == _LONGEST_HANDLE:
            found = self.found(handle)
            candidates = {handle: found} if isinstance(found, Record) else {}
        else:
            candidates = {key: record for key, record in self.records() if key.startswith(handle)}
        if len(candidates) != 1:
            raise click.ClickException(_unclear(handle, sorted(candidates)))
        return candidates.popitem()


def stored(container: SessionContainer) -> SessionContainer:
    """Return the container; refuse stateless sessions, and sessions in another process's memory."""
    if isinstance(container.store, TokenFormat):
        raise click.ClickException(
            f"{short_repr(container.store)} keeps each session in its own token, on the side"
            " of the client. So the server has no list of sessions."
        )
    _require_reach(container.store)
    return container


def opened(container: SessionContainer) -> OpenedStore:
    """Open the store in which a container keeps its sessions."""
    store: Any = stored(container).store
    if container.clock is not wall_clock:
        store.clock = container.clock
    return OpenedStore(store)


def reachable(store: Store | AsyncStore) -> OpenedStore:
    """Open a store; refuse a MemoryStore, because its sessions are in another process."""
    _require_reach(store)
    return OpenedStore(store)


def _require_reach(store: object) -> None:
    if isinstance(store, MemoryStore):
        raise click.ClickException(
            "The sessions of a MemoryStore are in the memory of the server's process, which no"
            " command can reach. Fix: use another store, such as SQLiteStore."
        )


def patiently(work: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """Call the function; if the store is unavailable, call it again a few times."""
    for number in range(_TRIES):
        try:
            return work(*arguments, **options)
        except StoreUnavailable:
            if number == _TRIES - 1:
                raise
            time.sleep(_PAUSE * 2**number)
    raise AssertionError("the last try has returned or raised")


def _unclear(handle: str, found: list[str]) -> str:
    if not found:
        return f"No live session has a handle that begins with {handle!r}."
    return (
        f"{len(found)} handles begin with {handle!r}: {', '.join(key[:16] for key in found[:5])}."
        " Fix: write more characters."
    )
