"""The verbs of a session on an event loop: each verb is awaited, or says what to do."""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    Session,
    SessionContainer,
    SessionError,
    SessionManager,
    SessionNotFound,
)
from tests.support.apps import KEY
from tests.support.loops import SECONDS, a_cookie, a_head, cookie_of, on_a_loop, opened, steps
from tests.support.suspending_store import SuspendingStore

Verb = Callable[[AsyncSession], Any]

VERBS: dict[str, Verb] = {
    "load": lambda session: session.load(),
    "save": lambda session: session.save(),
    "reload": lambda session: session.reload(),
    "increment": lambda session: session.increment("n"),
    "take": lambda session: session.take("a"),
    "update_with": lambda session: session.update_with("a", str),
}
# Verbs


@on_a_loop
async def test_written_values_are_in_the_next_requests(async_manager: AsyncSessionManager) -> None:
    """Values and nested changes are there in the next requests."""
    first = await opened(async_manager)
    first.update(name="ada", cart=["tea"])
    cookie = cookie_of(await async_manager.close(first))
    second = await opened(async_manager, cookie)
    second["cart"].append("milk")
    del second["name"]
    await async_manager.close(second)

    third = await opened(async_manager, cookie)
    assert dict(third) == {"cart": ["tea", "milk"]}


@on_a_loop
async def test_save_commits_at_once(async_manager: AsyncSessionManager) -> None:
    """Other requests see the changes before the request ends."""
    session = await opened(async_manager, await a_cookie(async_manager, a=1))
    session["b"] = 2
    before = session.saved
    await session.save()

    assert (before, session.saved, session.modified) == (False, True, False)
    assert dict(await async_manager.get(session.id)) == {"a": 1, "b": 2}


@on_a_loop
async def test_reload_sees_what_another_request_committed(
    async_manager: AsyncSessionManager,
) -> None:
    """reload() drops the changes that this request did not save."""
    cookie = await a_cookie(async_manager, a=1)
    session = await opened(async_manager, cookie)
    session["mine"] = 1
    other = await opened(async_manager, cookie)
    other["theirs"] = 2
    await async_manager.close(other)

    await session.reload()

    assert dict(session) == {"a": 1, "theirs": 2}


@on_a_loop
async def test_atomic_verbs_return_what_they_made(async_manager: AsyncSessionManager) -> None:
    """The new value is in the store when the verb returns."""
    session = await opened(async_manager, await a_cookie(async_manager, n=1, once="code"))

    made = [
        await session.increment("n"),
        await session.increment("new", by=2.5),
        await session.take("once"),
        await session.take("once", "nothing"),
        await session.update_with("list", lambda old: [*(old or []), "x"]),
    ]

    assert made == [2, 2.5, "code", "nothing", ["x"]]
    assert dict(await async_manager.get(session.id)) == {"n": 2, "new": 2.5, "list": ["x"]}


@on_a_loop
async def test_parallel_requests_lose_no_increment(
    async_manager: AsyncSessionManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """50 requests add 50, and one of 20 requests takes a value."""
    # The last ones try again dozens of times, and the machine may be busy.
    monkeypatch.setattr("sessions.core.budget.LATEST_ASK", SECONDS)
    monkeypatch.setattr("sessions.core.async_driving.DEADLINE", SECONDS)
    cookie = await a_cookie(async_manager, n=0, once="code")

    async def add() -> None:
        session = await opened(async_manager, cookie)
        await session.increment("n")
        await async_manager.close(session)

    async def take() -> Any:
        session = await opened(async_manager, cookie)
        taken = await session.take("once")
        await async_manager.close(session)
        return taken

    await asyncio.gather(*[add() for _ in range(50)])
    taken = await asyncio.gather(*[take() for _ in range(20)])

    assert (await opened(async_manager, cookie))["n"] == 50
    assert sorted(filter(None, taken)) == ["code"]


@on_a_loop
async def test_login_and_logout(async_manager: AsyncSessionManager) -> None:
    """The sign-in changes the id, the logout ends the session."""
    cookie = await a_cookie(async_manager, cart=["tea"])
    session = await opened(async_manager, cookie)
    session.set_user("ada", role="admin")
    signed_in = cookie_of(await async_manager.close(session))
    inside = await opened(async_manager, signed_in)
    told = (inside.user_id, inside.user_data, inside["cart"])
    inside.destroy()
    headers = await async_manager.close(inside)

    assert told == ("ada", {"role": "admin"}, ["tea"])
    assert cookie_of(headers) == "session="
    for dead in (cookie, signed_in):
        assert (await opened(async_manager, dead)).is_new


@pytest.mark.parametrize("verb", ["save", "reload", "increment", "take", "update_with"])
@on_a_loop
async def test_a_verb_on_an_ended_session_says_so(
    async_manager: AsyncSessionManager, verb: str
) -> None:
    """Each verb raises an error, because its caller acts upon the result."""
    session = await opened(async_manager, await a_cookie(async_manager, a=1, n=1))
    session["b"] = 2
    await async_manager.delete(session.id)

    with pytest.raises(SessionNotFound, match="another request"):
        await VERBS[verb](session)
    assert session.gone


@on_a_loop
async def test_a_write_while_a_commit_is_under_way_is_not_lost(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """The write waits for the next commit, also if it sets the same key again."""
    session = await opened(slow_manager, await a_cookie(slow_manager, a=1))
    session["x"] = "first"

    async def write() -> None:
        await steps(2)
        session["x"] = "second"
        session["y"] = 1

    await asyncio.gather(session.save(), write())
    await slow_manager.close(session)

    assert suspending.calls.count("commit") == 2
    found = await slow_manager.get(session.id)
    assert dict(found) == {"a": 1, "x": "second", "y": 1}


@on_a_loop
async def test_two_requests_that_write_different_keys_both_survive(
    async_manager: AsyncSessionManager,
) -> None:
    """Both changes survive, in either order of the commits."""
    cookie = await a_cookie(async_manager, a=1)
    first, second = await opened(async_manager, cookie), await opened(async_manager, cookie)
    first["x"], second["y"] = 1, 2

    await asyncio.gather(async_manager.close(first), async_manager.close(second))

    assert dict(await opened(async_manager, cookie)) == {"a": 1, "x": 1, "y": 2}


# Wrong calls


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_a_verb_without_a_loop_says_what_to_do(
    async_manager: AsyncSessionManager, verb: Verb
) -> None:
    """In a thread, the call raises an error at once, and leaves no coroutine behind."""
    session = async_manager.open(a_head())

    with pytest.raises(SessionError) as caught:
        verb(session)
    gc.collect()

    assert "in a thread without an event loop" in str(caught.value)
    assert "`await session." in str(caught.value)
    assert "manager.face(session, Session)" in str(caught.value)


def call_in_vain(session: AsyncSession, verb: str) -> None:
    """Call a verb and do not await it."""
    VERBS[verb](session)
    gc.collect()


@pytest.mark.parametrize("verb", ["save", "increment", "take", "update_with"])
@on_a_loop
async def test_a_verb_that_is_not_awaited_does_nothing(
    async_manager: AsyncSessionManager, verb: str
) -> None:
    """Python warns of it, and the end of the request still saves the values."""
    session = await opened(async_manager, await a_cookie(async_manager, a=1, n=1))
    session["b"] = 2

    with pytest.warns(RuntimeWarning, match="was never awaited"):
        call_in_vain(session, verb)
    saved_before = session.saved
    await async_manager.close(session)

    assert not saved_before
    assert dict(await async_manager.get(session.id)) == {"a": 1, "n": 1, "b": 2}


@on_a_loop
async def test_update_with_refuses_a_coroutine_function(async_manager: AsyncSessionManager) -> None:
    """Its coroutine would never be awaited; the message names the function."""

    async def later(value: Any) -> Any:
        return value

    session = await opened(async_manager, await a_cookie(async_manager, a=1))

    with pytest.raises(
        TypeError, match=r"the coroutine function .*later.*. Fix: do the `await` first"
    ):
        _ = session.update_with("a", later)


def test_a_blocking_update_with_refuses_a_coroutine_function_too() -> None:
    """This coroutine would never be awaited either."""

    async def later(value: Any) -> Any:
        return value

    with SessionManager(SessionContainer(keys=[KEY])).create({"a": 1}) as session:
        with pytest.raises(TypeError, match="coroutine function"):
            _ = session.update_with("a", later)
        assert dict(session) == {"a": 1}


def test_a_blocking_manager_refuses_an_asynchronous_store(suspending: SuspendingStore) -> None:
    """The error comes at start-up and says what to do."""
    container = SessionContainer(keys=[KEY], store=suspending)

    with pytest.raises(SessionError, match=r"is an AsyncStore.*use AsyncSessionManager"):
        SessionManager(container)


def test_the_two_faces_are_different_kinds() -> None:
    """A blocking session is not an asynchronous one, so neither is injected for the other."""
    assert not issubclass(AsyncSession, Session)
    assert not issubclass(Session, AsyncSession)
