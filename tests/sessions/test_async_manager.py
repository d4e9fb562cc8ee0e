"""Sessions without middleware, on an event loop, over every kind of store."""

from collections.abc import Callable
from typing import Any

import pytest

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    ConfigurationError,
    MemoryStore,
    Session,
    SessionClosed,
    SessionContainer,
    SessionNotFound,
    StoreUnavailable,
)
from sessions.testing import ManualClock
from tests.support.apps import KEY
from tests.support.ids import an_id
from tests.support.loops import (
    a_cookie,
    a_head,
    a_manager,
    an_id_of,
    cookie_of,
    holds,
    on_a_loop,
    opened,
)
from tests.support.suspending_store import SuspendingStore

DAY = 86400.0


# open, close


@on_a_loop
async def test_an_untouched_request_costs_nothing(clock: ManualClock) -> None:
    """There is no store call, no header and no task."""
    store = SuspendingStore(MemoryStore(clock=clock))
    manager = a_manager(store, clock)
    session = manager.open(a_head(await a_cookie(manager, a=1)))
    store.calls.clear()

    assert manager.close_now(session) == []
    assert await manager.close(session) == []
    assert store.calls == []


@on_a_loop
async def test_close_now_returns_none_if_the_store_is_needed(
    async_manager: AsyncSessionManager,
) -> None:
    """`close_now` returns None, and the session accepts no more writes."""
    session = async_manager.open(a_head())
    await session.load()
    session["a"] = 1
    at_once = async_manager.close_now(session)

    with pytest.raises(SessionClosed):
        session["b"] = 2
    headers = await async_manager.close(session)
    assert at_once is None
    assert [name for name, _ in headers] == ["Vary", "Set-Cookie", "Cache-Control"]
    assert await holds(async_manager, session.id) == {"a": 1}


@on_a_loop
async def test_close_is_idempotent(async_manager: AsyncSessionManager) -> None:
    """The second call returns the headers of the first."""
    session = async_manager.open(a_head())
    await session.load()
    session["a"] = 1
    first = await async_manager.close(session)

    assert await async_manager.close(session) == first
    assert async_manager.close_now(session) == first


@on_a_loop
async def test_a_failed_request_discards_its_changes(async_manager: AsyncSessionManager) -> None:
    """The session keeps its id and its stored values."""
    cookie = await a_cookie(async_manager, a=1)
    session = await opened(async_manager, cookie)
    session["a"] = 2
    session.regenerate()

    headers = await async_manager.close(session, failed=True)

    assert headers == [("Vary", "Cookie")]
    assert dict(await opened(async_manager, cookie)) == {"a": 1}


@on_a_loop
async def test_abandon_performs_a_logout_and_nothing_else(
    async_manager: AsyncSessionManager,
) -> None:
    """Unsaved changes are discarded, and destroyed sessions end."""
    kept, ended = await a_cookie(async_manager, a=1), await a_cookie(async_manager, a=1)
    for cookie in (kept, ended):
        session = await opened(async_manager, cookie)
        session["a"] = 2
        if cookie == ended:
            session.destroy()
        await async_manager.abandon(session)

    assert dict(await opened(async_manager, kept)) == {"a": 1}
    assert dict(await opened(async_manager, ended)) == {}


@on_a_loop
async def test_abandon_logs_errors(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    """`abandon` raises nothing, because its caller could not handle the error."""
    store = SuspendingStore(MemoryStore(clock=clock))
    manager = a_manager(store, clock)
    session = await opened(manager, await a_cookie(manager, a=1))
    session.destroy()
    store.broken = {"delete"}

    await manager.abandon(session)

    assert (
        "no response was sent, and the session could not be closed: delete is broken" in caplog.text
    )


# Without a request


@on_a_loop
async def test_get_can_be_awaited(async_manager: AsyncSessionManager) -> None:
    """get() loads the session, and `close` saves the changes."""
    session_id = await an_id_of(async_manager, a=1)
    session = await async_manager.get(session_id)
    session["b"] = 2
    await async_manager.close(session)

    assert type(session) is AsyncSession
    assert await holds(async_manager, session_id) == {"a": 1, "b": 2}


@on_a_loop
async def test_get_can_be_entered(async_manager: AsyncSessionManager) -> None:
    """The end of the `async with` block saves the changes."""
    session_id = await an_id_of(async_manager, a=1)
    async with async_manager.get(session_id) as session:
        session["b"] = 2

    assert session.closed
    assert await holds(async_manager, session_id) == {"a": 1, "b": 2}


@on_a_loop
async def test_a_created_session_is_a_context_manager(async_manager: AsyncSessionManager) -> None:
    """Every session of a manager is a context manager."""
    async with await async_manager.create({"a": 1}) as session:
        session["b"] = 2

    assert await holds(async_manager, session.id) == {"a": 1, "b": 2}


@on_a_loop
async def test_an_exception_in_the_block_discards(async_manager: AsyncSessionManager) -> None:
    """Changes are dropped, and a logout is carried out, as in a failed request."""
    kept, ended = await an_id_of(async_manager, a=1), await an_id_of(async_manager, a=1)

    async def fail(session_id: str, act: Callable[[AsyncSession], object]) -> None:
        async with async_manager.get(session_id) as session:
            act(session)
            raise LookupError

    with pytest.raises(LookupError):
        await fail(kept, lambda session: session.update(a=2))
    with pytest.raises(LookupError):
        await fail(ended, AsyncSession.destroy)

    assert await holds(async_manager, kept) == {"a": 1}
    with pytest.raises(SessionNotFound):
        await async_manager.get(ended)


@pytest.mark.parametrize("session_id", ["", "short", an_id(), "x" * 200], ids=len)
@on_a_loop
async def test_get_of_an_unknown_id_raises_an_error(
    async_manager: AsyncSessionManager, session_id: str
) -> None:
    """`await` and `async with` both raise SessionNotFound."""
    with pytest.raises(SessionNotFound):
        await async_manager.get(session_id)
    with pytest.raises(SessionNotFound):
        async with async_manager.get(session_id):
            pytest.fail("there is no such session")


@on_a_loop
async def test_tokens_and_cookies_find_the_session(async_manager: AsyncSessionManager) -> None:
    """A signed token finds its session, and any other text finds no session."""
    token = async_manager.token(await async_manager.create({"a": 1}))

    by_token = await async_manager.from_token(token)
    by_cookie = await async_manager.from_cookie(f"theme=dark; session={token}")
    nobody = [
        await async_manager.from_token(text) for text in ("", token[:-1], f"{token}x", an_id())
    ]

    assert by_token is not None
    assert by_cookie is not None
    assert by_token["a"] == by_cookie["a"] == 1
    assert nobody == [None] * 4
    for header in (None, "", "session=forged"):
        assert await async_manager.from_cookie(header) is None


@on_a_loop
async def test_the_token_of_an_ended_session_finds_nothing(
    async_manager: AsyncSessionManager,
) -> None:
    """The result is None, not an error."""
    session = await async_manager.create({"a": 1})
    token = async_manager.token(session)
    await async_manager.delete(session.id)

    assert await async_manager.from_token(token) is None


@on_a_loop
async def test_delete_and_purge(async_manager: AsyncSessionManager, clock: ManualClock) -> None:
    """delete() says whether a session ended, and purge() how many records were removed."""
    session_id = await an_id_of(async_manager, a=1)
    await an_id_of(async_manager, b=1)
    deleted = [await async_manager.delete(session_id), await async_manager.delete(session_id)]
    clock.advance(DAY + 61)

    assert deleted == [True, False]
    assert [await async_manager.purge(), await async_manager.purge()] == [1, 0]


@on_a_loop
async def test_a_failing_store_fails_the_job(clock: ManualClock) -> None:
    """Every method of the manager raises StoreUnavailable."""
    store = SuspendingStore(MemoryStore(clock=clock))
    manager = a_manager(store, clock)
    session_id = await an_id_of(manager, a=1)
    store.broken = {"load", "create", "delete", "purge"}

    for call in (
        lambda: manager.get(session_id),
        lambda: manager.create({}),
        lambda: manager.delete(session_id),
        lambda: manager.purge(),
    ):
        with pytest.raises(StoreUnavailable):
            await call()


# Classes of one's own


@on_a_loop
async def test_a_custom_async_session_class_is_used(clock: ManualClock) -> None:
    """Requests and jobs get sessions of this class."""

    class Shop(AsyncSession):
        """Know the cart."""

        @property
        def cart(self) -> list[str]:
            """Return the cart."""
            cart: list[str] = self.setdefault("cart", [])
            return cart

    manager = a_manager(MemoryStore(clock=clock), clock, async_session_class=Shop)
    session = manager.open(a_head())
    await session.load()
    assert isinstance(session, Shop)
    session.cart.append("tea")
    cookie = cookie_of(await manager.close(session))

    found = await manager.from_cookie(cookie)
    assert isinstance(found, Shop)
    assert found.cart == ["tea"]
    assert type(await manager.create()) is Shop


@on_a_loop
async def test_a_request_waits_for_its_store_one_second_in_all(
    slow_manager: AsyncSessionManager,
    suspending: SuspendingStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A slow store is not asked again after the deadline of the request."""
    session = slow_manager.open(a_head(await a_cookie(slow_manager, a=1)))
    stopwatch = ManualClock(began := 1000.0)
    monkeypatch.setattr("sessions.core.async_driving.monotonic", stopwatch)
    suspending.before = {"load": lambda: stopwatch.advance(0.35)}
    await session.load()
    await session.reload()

    with pytest.raises(StoreUnavailable, match=r"took 0\.7 s .* at most 1\.0 s"):
        await session.reload()

    assert stopwatch() - began <= 1.0


@on_a_loop
async def test_a_job_asks_a_failed_store_again(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """No client waits for a job, so the store deadline does not apply."""
    session = await slow_manager.get(await an_id_of(slow_manager, a=1))
    suspending.broken = {"load"}
    with pytest.raises(StoreUnavailable):
        await session.reload()
    suspending.broken = set()

    await session.reload()

    assert session["a"] == 1


@on_a_loop
async def test_a_job_has_no_deadline(
    slow_manager: AsyncSessionManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job may take longer than the deadline of a request."""
    session_id = await an_id_of(slow_manager, a=1)
    monkeypatch.setattr("sessions.core.async_driving.DEADLINE", 0.0)

    assert await holds(slow_manager, session_id) == {"a": 1}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("session_class", AsyncSession), ("async_session_class", Session), ("session_class", dict)],
)
def test_a_class_of_the_other_kind_is_refused(name: str, kind: type) -> None:
    """The container refuses a blocking class as an asynchronous one when it is made."""
    settings: dict[str, Any] = {name: kind}

    with pytest.raises(ConfigurationError, match=f"{name}=.* is not a session class. Fix: give"):
        SessionContainer(keys=[KEY], **settings)
