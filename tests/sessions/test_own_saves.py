"""What a request does while one of its store calls is under way is not lost."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sessions import AsyncSession, AsyncSessionManager, Session, SessionNotFound
from tests.support.apps import Browser, in_turn, writes
from tests.support.loops import a_cookie, a_head, cookie_of, on_a_loop, opened
from tests.support.suspending_store import SuspendingStore
from tests.support.users import signs_in, who

Headers = list[tuple[str, str]]
AnySession = Session | AsyncSession

LOOKS: dict[str, tuple[Callable[[Any], object], Callable[[Any], object], object]] = {
    "sign-in": (lambda s: s.set_user("ada", role="user"), who, ("ada", {"role": "user"})),
    "sign-out": (lambda s: s.clear_user(), who, (None, {})),
    "timeout": (
        lambda s: setattr(s, "timeout", timedelta(minutes=5)),
        lambda s: s.timeout,
        timedelta(minutes=5),
    ),
    "write": (lambda s: s.update(x=2), lambda s: s["x"], 2),
    "removal": (lambda s: s.pop("a"), lambda s: "a" in s, False),
}
"""What is done during a save, what to look at in the next request, and what is to be seen."""


def during(store: SuspendingStore, verb: str, act: Callable[[], object]) -> None:
    """Call a function once, just before the store replies to the verb."""

    def hook() -> None:
        del store.before[verb]
        act()

    store.before[verb] = hook


def newest(headers: Headers, cookie: str) -> str:
    """Return the browser's cookie after the answer."""
    return cookie_of(headers) if any(name == "Set-Cookie" for name, _ in headers) else cookie


async def a_cookie_of_ann(manager: AsyncSessionManager) -> str:
    """Store a session in which Ann is signed in, and return its cookie."""
    session = await opened(manager)
    session.update(a=1, n=1, log=[1])
    session.set_user("ann")
    return cookie_of(await manager.close(session))


# During a save


@pytest.mark.parametrize(("act", "look", "seen"), LOOKS.values(), ids=LOOKS)
@on_a_loop
async def test_changes_of_a_task_during_a_save_are_kept(
    slow_manager: AsyncSessionManager,
    suspending: SuspendingStore,
    act: Callable[[AsyncSession], object],
    look: Callable[[AsyncSession], object],
    seen: object,
) -> None:
    """The end of the request commits it, and the saved values stay."""
    cookie = await a_cookie_of_ann(slow_manager)
    session = await opened(slow_manager, cookie)
    session["x"] = 1
    during(suspending, "commit", lambda: act(session))

    await session.save()
    headers = await slow_manager.close(session)

    assert look(await opened(slow_manager, newest(headers, cookie))) == seen


@pytest.mark.parametrize(("act", "look", "seen"), LOOKS.values(), ids=LOOKS)
def test_changes_of_a_thread_during_a_save_are_kept(
    browser: Browser,
    act: Callable[[Session], object],
    look: Callable[[Session], object],
    seen: object,
) -> None:
    """A thread is like a task here."""
    browser.visit(in_turn(writes(a=1), signs_in("ann")))

    def handler(session: Session) -> None:
        session["x"] = 1
        browser.site.store.before["commit"] = lambda: act(session)
        session.save()

    browser.visit(handler)

    assert browser.visit(look).value == seen


@on_a_loop
async def test_a_sign_in_while_a_new_id_is_saved_has_its_own_id(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """The cookie has an id that is in the store."""
    session = await opened(slow_manager, await a_cookie(slow_manager, a=1))
    session.regenerate()
    during(suspending, "commit", lambda: session.set_user("ada"))

    await session.save()
    told = session.id
    cookie = cookie_of(await slow_manager.close(session))

    found = await opened(slow_manager, cookie)
    assert (found.id, found.user_id, dict(found)) == (told, "ada", {"a": 1})


@on_a_loop
async def test_a_sign_out_while_a_sign_in_is_saved_is_kept(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """The sign-out came later, so nobody is signed in."""
    session = await opened(slow_manager, await a_cookie(slow_manager, a=1))
    session.set_user("ada")
    during(suspending, "commit", session.clear_user)

    await session.save()
    cookie = cookie_of(await slow_manager.close(session))

    found = await opened(slow_manager, cookie)
    assert (found.user_id, dict(found)) == (None, {"a": 1})


@on_a_loop
async def test_a_logout_during_the_first_save_leaves_no_session(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """The created session is ended, and its cookie is not sent."""
    session = await opened(slow_manager)
    session["secret"] = 1
    created = session.id
    during(suspending, "create", session.destroy)

    await session.save()
    headers = await slow_manager.close(session)

    assert not any("=" + created in value for _, value in headers)
    with pytest.raises(SessionNotFound):
        await slow_manager.get(created)


@on_a_loop
async def test_a_write_after_a_logout_during_a_save_has_a_new_id(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """The old cookie has no session any more."""
    cookie = await a_cookie_of_ann(slow_manager)
    session = await opened(slow_manager, cookie)
    ended = session.handle
    session["x"] = 1
    during(suspending, "commit", session.destroy)

    await session.save()
    session["after"] = 2
    fresh = cookie_of(await slow_manager.close(session))

    found, old = await opened(slow_manager, fresh), await opened(slow_manager, cookie)
    assert (dict(found), found.user_id, found.handle == ended) == ({"after": 2}, None, False)
    assert (dict(old), old.user_id) == ({}, None)


def test_a_write_after_a_logout_by_another_thread_has_a_new_id(browser: Browser) -> None:
    """A logout by another thread is like one by another task."""
    browser.visit(in_turn(writes(a=1), signs_in("ann")))
    old = browser.cookie

    def handler(session: Session) -> None:
        session["x"] = 1
        browser.site.store.before["commit"] = session.destroy
        session.save()
        session["after"] = 2

    browser.visit(handler)

    assert browser.cookie != old
    assert browser.holds() == {"after": 2}
    assert browser.site.visit(who, old).value == (None, {})


@pytest.mark.parametrize("verb", [AsyncSession.load, AsyncSession.reload], ids=["load", "reload"])
@on_a_loop
async def test_a_logout_during_a_load_leaves_nothing_to_read(
    slow_manager: AsyncSessionManager,
    suspending: SuspendingStore,
    verb: Callable[[AsyncSession], Any],
) -> None:
    """Later writes belong to a new session."""
    cookie = await a_cookie_of_ann(slow_manager)
    session = slow_manager.open(a_head(cookie))
    if verb is AsyncSession.reload:
        await session.load()
    during(suspending, "load", session.destroy)

    await verb(session)
    seen = (dict(session), session.user_id)
    session["after"] = 1
    fresh = cookie_of(await slow_manager.close(session))

    assert seen == ({}, None)
    assert dict(await opened(slow_manager, fresh)) == {"after": 1}
    assert (await opened(slow_manager, cookie)).user_id is None


@pytest.mark.parametrize(
    "act",
    [AsyncSession.regenerate, lambda session: session.set_user("ada")],
    ids=["new id", "sign-in"],
)
@on_a_loop
async def test_the_id_that_is_read_during_the_first_save_is_the_final_one(
    slow_manager: AsyncSessionManager,
    suspending: SuspendingStore,
    act: Callable[[AsyncSession], object],
) -> None:
    """An id that was read during the save finds the session."""
    session = await opened(slow_manager)
    session["a"] = 1
    told: list[str] = []

    def change() -> None:
        act(session)
        told.append(session.id)

    during(suspending, "create", change)

    await session.save()
    cookie = cookie_of(await slow_manager.close(session))

    assert [(await opened(slow_manager, cookie)).id] == told


@on_a_loop
async def test_two_closes_at_once_give_the_same_headers(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """The session is stored once."""
    session = await opened(slow_manager)
    session["a"] = 1

    first, second = await asyncio.gather(slow_manager.close(session), slow_manager.close(session))

    assert first == second == await slow_manager.close(session)
    assert cookie_of(first)
    assert suspending.calls == ["create"]


@on_a_loop
async def test_a_write_during_a_handshake_is_kept(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """The end of the connection commits it."""
    session = await opened(slow_manager)
    session["a"] = 1
    during(suspending, "create", lambda: session.update(b=2))

    cookie = cookie_of(await slow_manager.handshake(session))
    session["c"] = 3
    await slow_manager.close(session)

    assert dict(await opened(slow_manager, cookie)) == {"a": 1, "b": 2, "c": 3}


# During an atomic change


@pytest.mark.parametrize(
    ("change", "stored"),
    [
        (lambda session: session.update_with("log", lambda log: [*log, 2]), [1, 2]),
        (lambda session: session.take("log"), None),
    ],
    ids=["update_with", "take"],
)
@on_a_loop
async def test_a_read_during_an_atomic_change_does_not_undo_it(
    slow_manager: AsyncSessionManager,
    suspending: SuspendingStore,
    change: Callable[[AsyncSession], Any],
    stored: object,
) -> None:
    """The value that the read decoded is not written back."""
    cookie = await a_cookie_of_ann(slow_manager)
    session = await opened(slow_manager, cookie)
    during(suspending, "commit", lambda: session.get("log"))

    await change(session)
    seen = (session.get("log"), session.modified)
    await slow_manager.close(session)

    assert seen == (stored, False)
    assert (await opened(slow_manager, cookie)).get("log") == stored


@on_a_loop
async def test_a_read_during_an_increment_does_not_hide_it(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """The session has the number that the verb returned."""
    session = await opened(slow_manager, await a_cookie(slow_manager, n=1))
    during(suspending, "commit", lambda: session["n"])

    counted = await session.increment("n")

    assert (counted, session["n"]) == (2, 2)


@on_a_loop
async def test_a_write_during_an_increment_is_kept(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """The write came later, and the end of the request commits it."""
    cookie = await a_cookie(slow_manager, n=1)
    session = await opened(slow_manager, cookie)
    during(suspending, "commit", lambda: session.update(n=100))

    counted = await session.increment("n")
    seen = session["n"]
    await slow_manager.close(session)

    assert (counted, seen) == (2, 100)
    assert (await opened(slow_manager, cookie))["n"] == 100


@on_a_loop
async def test_a_logout_during_an_increment_ends_the_session(
    slow_manager: AsyncSessionManager, suspending: SuspendingStore
) -> None:
    """The session stays ended, whatever the increment returns."""
    cookie = await a_cookie_of_ann(slow_manager)
    session = await opened(slow_manager, cookie)
    during(suspending, "commit", session.destroy)

    await session.increment("n")
    seen = dict(session)
    await slow_manager.close(session)

    found = await opened(slow_manager, cookie)
    assert (seen, dict(found), found.user_id) == ({}, {}, None)
