"""Threads and tasks of one request share one session: threads block, and tasks await."""

import asyncio
import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    MemoryStore,
    Session,
    SessionClosed,
    SessionError,
    SessionEvent,
    SessionNotFound,
    Store,
    StoreUnavailable,
)
from sessions.edges import RequestHead
from sessions.testing import ManualClock
from tests.support.loops import a_cookie, a_head, a_manager, on_a_loop, opened
from tests.support.suspending_store import SuspendingStore
from tests.support.watched import WatchedStore

VERBS: dict[str, Callable[[Session], object]] = {
    "save": lambda session: session.save(),
    "reload": lambda session: session.reload(),
    "increment": lambda session: session.increment("n"),
    "take": lambda session: session.take("a"),
    "update_with": lambda session: session.update_with("a", str),
}


@on_a_loop
async def test_a_thread_and_a_task_share_one_load(clock: ManualClock, store: Store) -> None:
    """The second of the two waits for the load of the first, over a blocking store."""
    watched = WatchedStore(store)
    manager = a_manager(watched, clock)
    cookie = await a_cookie(manager, a=1)

    for _ in range(30):
        watched.calls.clear()
        session = manager.open(a_head(cookie))
        blocking = manager.face(session, Session)
        await asyncio.gather(session.load(), asyncio.to_thread(blocking.load))
        assert (blocking["a"], session["a"], watched.calls) == (1, 1, ["load"])
    await manager.aclose()


@on_a_loop
async def test_threads_and_tasks_share_one_load_of_an_asynchronous_store(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """The threads wait for the event loop."""
    cookie = await a_cookie(slow_manager, a=1)

    for _ in range(30):
        suspending.calls.clear()
        session = slow_manager.open(a_head(cookie))
        blocking = slow_manager.face(session, Session)
        seen = await asyncio.gather(
            *[asyncio.to_thread(blocking.get, "a") for _ in range(3)],
            session.load(),
            session.load(),
        )
        assert (seen, suspending.calls) == ([1, 1, 1, None, None], ["load"])


@on_a_loop
async def test_threads_and_tasks_lose_nothing(async_manager: AsyncSessionManager) -> None:
    """All of them count, write and save; the store has every change, and both sessions agree."""
    cookie = await a_cookie(async_manager, n=0)
    session = await opened(async_manager, cookie)
    blocking = async_manager.face(session, Session)

    def in_thread(number: int) -> None:
        blocking[f"thread {number}"] = number
        blocking.increment("n")
        blocking.save()

    async def in_task(number: int) -> None:
        session[f"task {number}"] = number
        await session.increment("n")
        await session.save()

    await asyncio.gather(
        *[asyncio.to_thread(in_thread, number) for number in range(6)],
        *[in_task(number) for number in range(6)],
    )
    await async_manager.close(session)

    expected = {f"{kind} {number}": number for kind in ("thread", "task") for number in range(6)}
    assert dict(await opened(async_manager, cookie)) == {"n": 12, **expected} == dict(blocking)


@on_a_loop
async def test_every_verb_works_in_a_thread(async_manager: AsyncSessionManager) -> None:
    """The verbs in a thread are those of a blocking session."""
    session = async_manager.open(a_head(await a_cookie(async_manager, n=1, once="code")))
    blocking = async_manager.face(session, Session)

    def in_thread() -> list[Any]:
        blocking.load()
        made = [
            blocking.increment("n"),
            blocking.take("once"),
            blocking.update_with("list", lambda old: [*(old or []), "x"]),
        ]
        blocking["mine"] = 1
        blocking.save()
        blocking["dropped"] = 1
        blocking.reload()
        return [*made, dict(blocking)]

    made = await asyncio.to_thread(in_thread)

    assert made == [2, "code", ["x"], {"n": 2, "list": ["x"], "mine": 1}]
    assert dict(session) == made[-1]


@on_a_loop
async def test_events_of_a_thread_are_sent_at_once(clock: ManualClock, store: Store) -> None:
    """Events are sent at once, because a connection may last for hours."""
    told: list[SessionEvent] = []
    manager = a_manager(store, clock, listeners=[told.append])
    blocking = manager.face(await opened(manager), Session)

    def in_thread() -> list[str]:
        blocking["a"] = 1
        blocking.save()
        return [event.kind for event in told]

    assert await asyncio.to_thread(in_thread) == ["created"]


@on_a_loop
async def test_the_blocking_and_the_asynchronous_session_have_the_same_data(
    async_manager: AsyncSessionManager,
) -> None:
    """The blocking and the asynchronous session have the same data."""
    session = await opened(async_manager, await a_cookie(async_manager, a=1))
    blocking = async_manager.face(session, Session)
    blocking["b"] = 2
    blocking.set_user("ada")
    again = async_manager.face(session, AsyncSession)

    for face in (session, again):
        assert (face["b"], face.user_id, face.id) == (2, "ada", blocking.id)
    await async_manager.close(session)
    assert blocking.closed
    with pytest.raises(SessionClosed):
        blocking["c"] = 3


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
@on_a_loop
async def test_a_blocking_verb_on_the_loop_says_what_to_do(
    async_manager: AsyncSessionManager, verb: Callable[[Session], object]
) -> None:
    """The verb would block the loop for which it waits."""
    session = await opened(async_manager, await a_cookie(async_manager, a=1, n=1))

    with pytest.raises(SessionError, match=r"on the event loop.*use the AsyncSession on"):
        verb(async_manager.face(session, Session))
    assert dict(session) == {"a": 1, "n": 1}


@pytest.mark.parametrize(
    "use",
    [lambda s: s.load(), lambda s: s["a"], lambda s: s.id, lambda s: s.update(a=2)],
    ids=["load", "read", "id", "write"],
)
@on_a_loop
async def test_a_first_use_of_the_blocking_face_on_the_loop_says_what_to_do(
    async_manager: AsyncSessionManager, use: Callable[[Session], object]
) -> None:
    """The first use would load, and block the loop."""
    session = async_manager.open(a_head(await a_cookie(async_manager, a=1)))

    with pytest.raises(SessionError, match=r"on the event loop.*use the AsyncSession on"):
        use(async_manager.face(session, Session))


@on_a_loop
async def test_a_thread_may_have_a_loop_of_its_own(async_manager: AsyncSessionManager) -> None:
    """The thread waits for the loop of the request, and not for its own."""
    session = async_manager.open(a_head(await a_cookie(async_manager, a=1)))
    blocking = async_manager.face(session, Session)

    async def reads() -> Any:
        return blocking["a"]

    assert await asyncio.to_thread(lambda: asyncio.run(reads())) == 1


@on_a_loop
async def test_a_loaded_blocking_face_can_be_read_on_the_loop(
    async_manager: AsyncSessionManager,
) -> None:
    """A read in memory does not block the event loop."""
    session = await opened(async_manager, await a_cookie(async_manager, a=1))

    assert async_manager.face(session, Session)["a"] == 1


@on_a_loop
async def test_a_borrowed_face_does_not_close_the_session(
    async_manager: AsyncSessionManager,
) -> None:
    """Only the request closes the session; the error says how to commit at once."""
    session = await opened(async_manager, await a_cookie(async_manager, a=1))
    blocking = async_manager.face(session, Session)

    def in_thread() -> None:
        with blocking:
            blocking["b"] = 2

    with pytest.raises(SessionError, match=r"belongs to a request .* save\(\)"):
        await asyncio.to_thread(in_thread)
    assert not session.closed


@on_a_loop
async def test_a_custom_session_class_works_from_a_thread(
    async_manager: AsyncSessionManager,
) -> None:
    """The blocking session has the properties of the user's class."""

    class Shop(Session):
        """Have a cart."""

        @property
        def cart(self) -> list[str]:
            """Return the cart."""
            cart: list[str] = self.setdefault("cart", [])
            return cart

    session = await opened(async_manager, await a_cookie(async_manager, a=1))
    shop = async_manager.face(session, Shop)
    shop.cart.append("tea")

    assert session["cart"] == ["tea"]


@on_a_loop
async def test_a_thread_gets_the_error_of_a_failed_store(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """A thread gets the same error as a task."""
    session = slow_manager.open(a_head(await a_cookie(slow_manager, a=1)))
    blocking = slow_manager.face(session, Session)
    suspending.broken = {"load"}

    with pytest.raises(StoreUnavailable, match="load is broken"):
        await asyncio.to_thread(blocking.load)


@on_a_loop
async def test_a_thread_learns_that_the_session_has_ended(
    async_manager: AsyncSessionManager,
) -> None:
    """save() raises the same error in a thread as on the loop."""
    session = await opened(async_manager, await a_cookie(async_manager, a=1))
    blocking = async_manager.face(session, Session)
    blocking["b"] = 2
    await async_manager.delete(session.id)

    with pytest.raises(SessionNotFound):
        await asyncio.to_thread(blocking.save)
    assert session.gone


@on_a_loop
async def test_a_blocking_face_over_a_blocking_store_stays_in_its_thread(
    clock: ManualClock, store: Store
) -> None:
    """The call uses no other thread."""
    threads: list[int] = []
    watched = WatchedStore(store)
    manager = a_manager(watched, clock)
    session = manager.open(a_head(await a_cookie(manager, a=1)))
    blocking = manager.face(session, Session)
    watched.before["load"] = lambda: threads.append(threading.get_ident())

    def in_thread() -> int:
        blocking.load()
        return threading.get_ident()

    mine = await asyncio.to_thread(in_thread)
    await manager.aclose()

    assert threads == [mine]


@on_a_loop
async def test_a_face_leaves_nothing_to_the_garbage_collector(
    slow_manager: AsyncSessionManager,
) -> None:
    """Each request of a `def` function makes a blocking session, which is freed at once."""
    count = 50
    gc.collect()
    gc.disable()
    try:
        for _ in range(count):
            session = slow_manager.open(a_head())
            slow_manager.face(session, Session)
            await slow_manager.close(session)
        left = gc.collect()
    finally:
        gc.enable()

    assert left < count


@on_a_loop
async def test_another_face_does_not_take_the_lifecycle_methods(clock: ManualClock) -> None:
    """`suspend` is called on the session that was resumed, which has its own attributes."""
    calls: list[str] = []

    class Tracked(AsyncSession):
        async def resume(self, request: RequestHead) -> bool:
            self._path = request.path
            return True

        async def suspend(self) -> None:
            calls.append(self._path)

    class Other(AsyncSession):
        """The class of another framework."""

    manager = a_manager(MemoryStore(clock=clock), clock, async_session_class=Tracked)
    session = await opened(manager, await a_cookie(manager, a=1))
    assert manager.face(session, Other)["a"] == 1
    await manager.close(session)
    await manager.suspend(session)

    assert calls == [""]
