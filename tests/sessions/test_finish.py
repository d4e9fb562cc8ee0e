"""Each way in which a session ends: one event `destroyed`, and one call of `finish`."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    MemoryStore,
    Session,
    SessionContainer,
    SessionEvent,
    SessionManager,
)
from sessions.edges import RequestHead
from sessions.stateless import SignedToken
from sessions.stores.base import wall_clock
from sessions.testing import ManualClock
from sessions.users import SessionLimit
from tests.support.apps import KEY
from tests.support.dictionary_store import DictionaryStore, ExpiringDictionaryStore
from tests.support.loops import a_head

FINISHED: list[tuple[str, str]] = []


@pytest.fixture(autouse=True)
def calls() -> list[tuple[str, str]]:
    """Return the calls of `finish`, empty before each test."""
    FINISHED.clear()
    return FINISHED


class Tracked(Session):
    """A session that notes its end, and may be refused."""

    def resume(self, request: RequestHead) -> bool:
        return not self.get("locked", False)

    def finish(self, reason: str) -> None:
        FINISHED.append((self.handle, reason))


class AsyncTracked(AsyncSession):
    """The same for an event loop."""

    async def resume(self, request: RequestHead) -> bool:
        await asyncio.sleep(0)
        return not self.get("locked", False)

    async def finish(self, reason: str) -> None:
        await asyncio.sleep(0)
        FINISHED.append((self.handle, reason))


Ending = Callable[[AsyncSessionManager, Any, ManualClock], Coroutine[Any, Any, object]]


class Awaitable:
    """A blocking manager or session, whose results can be awaited as those of the other kind."""

    def __init__(self, blocking: Any) -> None:
        self.blocking = blocking

    def __getattr__(self, name: str) -> Any:
        """Return the attribute; a method returns a coroutine with its result."""
        found = getattr(self.blocking, name)
        return in_place(found) if callable(found) else found


def in_place(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a coroutine function that calls the method."""

    async def call(*arguments: Any, **options: Any) -> Any:
        given = [getattr(one, "blocking", one) for one in arguments]
        result = method(*given, **options)
        return Awaitable(result) if isinstance(result, Session) else result

    return call


def blocking(session: Any) -> Any:
    """Return the session itself, for its methods that are plain in both kinds."""
    return getattr(session, "blocking", session)


async def used(manager: Any, session: Any) -> Any:
    """Return the loaded session of a request of the same client."""
    token = manager.blocking.token(session.blocking) if isinstance(manager, Awaitable) else ""
    request = manager.open(a_head(f"session={token or manager.token(session)}"))
    request = await request if isinstance(manager, Awaitable) else request
    await request.load()
    return request


async def log_out(manager: Any, session: Any, clock: ManualClock) -> None:
    """Call `destroy` in a request."""
    request = await used(manager, session)
    blocking(request).destroy()
    await manager.close(request)


async def delete_itself(manager: Any, session: Any, clock: ManualClock) -> None:
    """Call `delete` in a request, twice."""
    request = await used(manager, session)
    assert [await request.delete(), await request.delete()] == [True, False]


async def delete(manager: Any, session: Any, clock: ManualClock) -> None:
    """Let a program end it."""
    assert [await manager.delete(session.id), await manager.delete(session.id)] == [True, False]


async def end_all(manager: Any, session: Any, clock: ManualClock) -> None:
    """End all sessions of the user."""
    assert await manager.end_sessions_of("ada") == 1


async def end_one(manager: Any, session: Any, clock: ManualClock) -> None:
    """End this session in the list of the user's sessions."""
    assert await manager.end_session_of("ada", session.handle)
    assert not await manager.end_session_of("ada", session.handle)


async def end_anybodys(manager: Any, session: Any, clock: ManualClock) -> None:
    """Let an administrator end it."""
    assert await manager.end_session(session.handle)
    assert not await manager.end_session(session.handle)


async def evict(manager: Any, session: Any, clock: ManualClock) -> None:
    """Let the user sign in elsewhere."""
    clock.advance(1)
    other = await manager.create()
    blocking(other).set_user("ada")
    await manager.close(other)


async def refuse(manager: Any, session: Any, clock: ManualClock) -> None:
    """Let `resume` return False."""
    blocking(session)["locked"] = True
    await session.save()
    request = await used(manager, session)
    assert dict(blocking(request)) == {}
    await manager.close(request)


async def expire(manager: Any, session: Any, clock: ManualClock) -> None:
    """Let a request with an old cookie find it, then a purge."""
    clock.advance(timedelta(hours=1))
    await manager.close(await used(manager, session))
    clock.advance(timedelta(hours=1))
    await manager.purge()


async def expire_unnoticed(manager: Any, session: Any, clock: ManualClock) -> None:
    """Let a purge find it."""
    clock.advance(timedelta(hours=2))
    await manager.purge()


async def expire_in_the_list(manager: Any, session: Any, clock: ManualClock) -> None:
    """Let somebody end it in a list that was shown before."""
    clock.advance(timedelta(hours=1))
    assert not await manager.end_session_of("ada", session.handle)


async def delete_the_expired(manager: Any, session: Any, clock: ManualClock) -> None:
    """End it in a request that began before its timeout was over: too late."""
    request = await used(manager, session)
    clock.advance(timedelta(hours=1))
    assert await request.delete() is False


ENDINGS: list[tuple[Ending, str]] = [
    (log_out, "logout"),
    (delete_itself, "logout"),
    (delete, "deleted"),
    (end_all, "ended_by_user"),
    (end_one, "ended_by_user"),
    (end_anybodys, "deleted"),
    (evict, "evicted"),
    (refuse, "resume_refused"),
    (expire, "timeout"),
    (expire_unnoticed, "timeout"),
    (expire_in_the_list, "timeout"),
    (delete_the_expired, "timeout"),
]


@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "asynchronous"])
@pytest.mark.parametrize(("end", "reason"), ENDINGS, ids=lambda one: getattr(one, "__name__", ""))
def test_every_end_has_one_event_and_one_finish(
    end: Ending, reason: str, clock: ManualClock, *, is_async: bool
) -> None:
    """With the same reason, whoever ended the session."""
    told: list[SessionEvent] = []
    container = SessionContainer(
        keys=[KEY],
        store=MemoryStore(clock=clock),
        clock=clock,
        listeners=[told.append],
        session_class=Tracked,
        async_session_class=AsyncTracked,
        sessions_per_user=SessionLimit(1),
        idle_timeout=timedelta(minutes=30),
    )

    async def lives() -> str:
        kind = AsyncSessionManager if is_async else SessionManager
        manager: Any = kind(container)
        manager = manager if is_async else Awaitable(manager)
        session = await manager.create({"a": 1})
        blocking(session).set_user("ada")
        await session.save()
        await end(manager, session, clock)
        if is_async:
            await manager.aclose()
        return f"{session.handle}"

    handle = asyncio.run(lives())

    ends = [(event.handle, event.reason) for event in told if event.kind == "destroyed"]
    assert ends == [(handle, reason)]
    assert [(handle, reason)] == FINISHED


@pytest.mark.parametrize(
    ("store", "settings", "lines"),
    [
        (lambda: DictionaryStore(wall_clock), {"session_class": Tracked}, 1),
        (lambda: DictionaryStore(wall_clock), {"async_session_class": AsyncTracked}, 1),
        (lambda: ExpiringDictionaryStore(wall_clock), {"session_class": Tracked}, 0),
        (SignedToken, {"session_class": Tracked}, 1),
        (MemoryStore, {"session_class": Tracked}, 0),
        (lambda: DictionaryStore(wall_clock), {}, 0),
    ],
)
def test_the_log_warns_of_a_store_that_does_not_give_out_expired_sessions(
    caplog: pytest.LogCaptureFixture, store: Callable[[], Any], settings: Any, lines: int
) -> None:
    """With this store, `finish` is called for all other ends, and never for a timeout."""
    SessionContainer(keys=[KEY], store=store(), **settings)

    logged = [record.message for record in caplog.records]
    assert len(logged) == lines
    assert all("finish() is not called for sessions that expire" in line for line in logged)
