"""`resume`, `suspend` and `finish` of a class of sessions: when they are called, and how often."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    AsyncStore,
    ConfigurationError,
    EndReason,
    Session,
    SessionContainer,
    SessionError,
    SessionEvent,
    SessionExpired,
    SessionManager,
    Store,
)
from sessions.edges import RequestHead
from sessions.testing import ManualClock
from sessions.transports.cookie import CookieHead
from tests.support.apps import KEY, Browser, Site, everything, in_turn, untouched, writes

CALLS: list[tuple[Any, ...]] = []


@pytest.fixture(autouse=True)
def calls() -> list[tuple[Any, ...]]:
    """Return the calls of the methods, empty before each test."""
    CALLS.clear()
    return CALLS


class Tracked(Session):
    """A session that notes the calls of its methods, and keeps the path."""

    def resume(self, request: RequestHead) -> bool:
        self._path = request.path
        CALLS.append(("resume", self.get("a")))
        return not self.get("locked", False)

    def suspend(self) -> None:
        CALLS.append(("suspend", self.copy(), self.closed))

    def finish(self, reason: EndReason) -> None:
        CALLS.append(("finish", self.handle, reason, self.copy()))


class AsyncTracked(AsyncSession):
    """The same for an event loop, with coroutines."""

    async def resume(self, request: RequestHead) -> bool:
        await asyncio.sleep(0)
        CALLS.append(("resume", self.get("a")))
        return not self.get("locked", False)

    async def suspend(self) -> None:
        await asyncio.sleep(0)
        CALLS.append(("suspend", self.copy(), self.closed))

    async def finish(self, reason: EndReason) -> None:
        await asyncio.sleep(0)
        CALLS.append(("finish", self.handle, reason, self.copy()))


@pytest.fixture
def tracked(store: Store, clock: ManualClock) -> Site:
    """Return a site whose sessions note their calls, over a plain store."""
    return Site(store, clock, session_class=Tracked)  # type: ignore[arg-type]


@pytest.fixture
def browser(tracked: Site) -> Browser:
    """Return a browser with a session."""
    browser = tracked.browser()
    browser.visit(writes(a=1))
    CALLS.clear()
    tracked.events.clear()
    return browser


def handle(session: Session) -> str:
    """Return the public name of the session."""
    return session.handle


def finished(reason: EndReason) -> list[tuple[Any, ...]]:
    """Return the calls of `finish` with the reason."""
    return [call for call in CALLS if call[0] == "finish" and call[2] is reason]


def test_resume_and_suspend_are_around_each_request(browser: Browser) -> None:
    """`suspend` sees the saved values of the closed session."""
    browser.visit(in_turn(everything, writes(a=2)))

    assert CALLS == [("resume", 1), ("suspend", {"a": 2}, True)]


def test_a_server_may_close_a_response_twice(browser: Browser) -> None:
    """`suspend` is called once for a request."""
    manager = browser.site.manager
    session = manager.open(CookieHead(browser.cookie, "/", "http", None))
    session["a"] = 2
    manager.close(session)
    for _ in range(2):
        manager.suspend(session)

    assert CALLS == [("resume", 1), ("suspend", {"a": 2}, True)]


def test_a_request_that_does_not_use_the_session_calls_nothing(browser: Browser) -> None:
    """Nothing was loaded."""
    browser.visit(untouched)

    assert CALLS == []


def test_a_new_session_is_not_resumed(tracked: Site) -> None:
    """There is nothing yet that could be refused, but something to suspend."""
    tracked.visit(writes(a=1))

    assert CALLS == [("suspend", {"a": 1}, True)]


def test_attributes_that_resume_sets_stay(browser: Browser) -> None:
    """Handler and methods see the same object."""
    seen = browser.visit(lambda session: (session.get("a"), dict(vars(session)))).value

    assert seen == (1, {"_path": "/"})


def test_a_refused_session_ends(browser: Browser) -> None:
    """The handler gets an empty session, and the cookie is cleared."""
    handle = browser.visit(in_turn(writes(locked=True), lambda session: session.handle)).value
    old = browser.cookie
    CALLS.clear()

    answer = browser.visit(everything)

    assert answer.value == {}
    assert answer.clears
    assert [
        ("resume", 1),
        ("finish", handle, EndReason.RESUME_REFUSED, {"a": 1, "locked": True}),
    ] == CALLS
    assert browser.site.events[-1].reason is EndReason.RESUME_REFUSED
    assert browser.site.visit(everything, old).value == {}
    assert len(CALLS) == 2


def test_a_write_after_a_refusal_begins_another_session(browser: Browser) -> None:
    """The refused one is not stored again."""
    browser.visit(writes(locked=True))
    browser.visit(writes(b=2))

    assert browser.holds() == {"b": 2}
    assert len(finished(EndReason.RESUME_REFUSED)) == 1


def test_a_logout_finishes_once(browser: Browser) -> None:
    """With the last values, also those that the request did not load."""
    browser.visit(Session.destroy)
    browser.visit(Session.destroy)

    assert [(name, reason, values) for name, _, reason, values in CALLS] == [
        ("finish", EndReason.LOGOUT, {"a": 1})
    ]


def test_programs_finish_sessions_too(browser: Browser) -> None:
    """`delete`, "sign out everywhere", and the sign-out of one device."""
    manager = browser.site.manager
    session_id = browser.visit(lambda session: session.id).value
    handles = [
        browser.site.browser().visit(in_turn(lambda session: session.set_user("ann"), handle)).value
        for _ in range(2)
    ]
    CALLS.clear()

    assert manager.delete(session_id)
    assert not manager.delete(session_id)
    assert manager.end_session_of("ann", handles[0])
    assert not manager.end_session_of("ann", handles[0])
    assert manager.end_sessions_of("ann") == 1
    assert [call[2] for call in CALLS] == [
        *(EndReason.DELETED, EndReason.ENDED_BY_USER, EndReason.ENDED_BY_USER)
    ]
    assert [call[1] for call in CALLS[1:]] == handles


def test_a_timeout_is_found_by_the_next_request(browser: Browser, clock: ManualClock) -> None:
    """Once, also if two requests come with the old cookie, and a purge follows."""
    clock.advance(24 * 3600)
    answers = [browser.site.visit(everything, browser.cookie).value for _ in range(2)]
    clock.advance(3600)
    browser.site.manager.purge()

    assert answers == [{}, {}]
    assert [call[3] for call in finished(EndReason.TIMEOUT)] == [{"a": 1}]
    assert [(event.kind, event.reason) for event in browser.site.events] == [
        ("destroyed", EndReason.TIMEOUT),
        ("rejected", "expired"),
        ("rejected", "unknown"),
    ]


def test_a_timeout_is_found_by_a_purge(browser: Browser, clock: ManualClock) -> None:
    """For users who never come back."""
    clock.advance(24 * 3600 + 120)

    assert browser.site.manager.purge() == 1
    assert browser.site.manager.purge() == 0
    assert browser.site.visit(everything, browser.cookie).value == {}
    assert len(finished(EndReason.TIMEOUT)) == 1


def test_creations_remove_expired_sessions_with_their_events(
    tracked: Site, clock: ManualClock
) -> None:
    """A site that nobody purges does not grow for ever."""
    for _ in range(5):
        tracked.visit(writes(a=1))
    clock.advance(24 * 3600 + 120)
    for _ in range(20):
        tracked.visit(writes(b=1))

    assert len(finished(EndReason.TIMEOUT)) == 5
    assert tracked.manager.purge() == 0


def test_an_earlier_id_ends_nothing(browser: Browser, clock: ManualClock) -> None:
    """The session lives, although the id of the request is worth nothing any more."""
    old = browser.cookie
    browser.visit(Session.regenerate)
    clock.advance(3600)

    assert browser.site.visit(everything, old).value == {}
    assert browser.holds() == {"a": 1}
    assert finished(EndReason.TIMEOUT) == []


def test_get_says_that_the_session_has_expired(browser: Browser, clock: ManualClock) -> None:
    """The store still had the record."""
    session_id = browser.visit(lambda session: session.id).value
    clock.advance(24 * 3600)

    with pytest.raises(SessionExpired):
        browser.site.manager.get(session_id)

    assert len(finished(EndReason.TIMEOUT)) == 1


def test_errors_of_suspend_and_finish_are_counted(
    store: Store, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The response was sent, or the session has ended."""

    class Broken(Session):
        def suspend(self) -> None:
            raise LookupError("a bug of suspend")

        def finish(self, reason: EndReason) -> None:
            raise LookupError("a bug of finish")

    site = Site(store, clock, session_class=Broken)  # type: ignore[arg-type]
    browser = site.browser()

    assert browser.visit(writes(a=1)).status == 200
    assert browser.visit(Session.destroy).status == 200
    assert site.manager.failed_listeners == 2
    assert "a bug of suspend" in caplog.text
    assert "a bug of finish" in caplog.text


@pytest.mark.parametrize("answer", [None, 1, "yes"])
def test_resume_must_say_yes_or_no(store: Store, clock: ManualClock, answer: Any) -> None:
    """Another answer is an error, and the session is neither used nor ended."""
    answers: list[Any] = [answer, True]

    class Unclear(Session):
        def resume(self, request: RequestHead) -> bool:
            said: bool = answers.pop(0)
            return said

    site = Site(store, clock, session_class=Unclear)  # type: ignore[arg-type]
    browser = site.browser()
    browser.visit(writes(a=1))

    with pytest.raises(TypeError, match=r"resume\(\) returned .* Fix: "):
        browser.visit(everything)
    assert browser.holds() == {"a": 1}


def test_resume_cannot_ask_the_store(store: Store, clock: ManualClock) -> None:
    """It would wait for itself."""

    class Nested(Session):
        def resume(self, request: RequestHead) -> bool:
            self.save()
            return True

    site = Site(store, clock, session_class=Nested)  # type: ignore[arg-type]
    browser = site.browser()
    browser.visit(writes(a=1))

    with pytest.raises(SessionError, match=r"resume\(\), called a session method"):
        browser.site.manager.from_cookie(browser.cookie)


def test_a_blocking_class_with_coroutines_is_refused() -> None:
    """At construction, with the remedy."""

    class Wrong(Session):
        async def suspend(self) -> None:  # type: ignore[override]
            """Do nothing."""

    with pytest.raises(ConfigurationError, match=r"coroutine function 'suspend'.*Fix: "):
        SessionContainer(keys=[KEY], session_class=Wrong)


def test_a_class_without_these_methods_costs_nothing() -> None:
    """Its manager has the usual driver."""

    class Shop(Session):
        @property
        def cart(self) -> Any:
            return self["cart"]

    usual, tracked = (
        SessionManager(SessionContainer(keys=[KEY], session_class=kind)) for kind in (Shop, Tracked)
    )

    assert (usual.suspends, tracked.suspends) == (False, True)


Step = Callable[[AsyncSessionManager], Any]


def test_coroutines_of_an_async_class(any_store: Store | AsyncStore, clock: ManualClock) -> None:
    """All three methods, with any store; closing the manager waits for `finish`."""
    told: list[SessionEvent] = []

    async def lives() -> None:
        container = SessionContainer(
            keys=[KEY],
            store=any_store,
            clock=clock,
            listeners=[told.append],
            async_session_class=AsyncTracked,
            idle_timeout=timedelta(hours=1),
        )
        manager = AsyncSessionManager(container)
        created = await manager.create({"a": 1})
        cookie = f"session={manager.token(created)}"
        used = await manager.from_cookie(cookie)
        assert used is not None
        await manager.close(used)
        await manager.suspend(used)
        await manager.suspend(used)
        assert CALLS == [("resume", 1), ("suspend", {"a": 1}, True)]
        created["locked"] = True
        await manager.close(created)
        assert await manager.from_cookie(cookie) is None
        await manager.aclose()

    asyncio.run(lives())

    assert [call[0] for call in CALLS] == ["resume", "suspend", "resume", "finish"]
    assert told[-1].reason is EndReason.RESUME_REFUSED


def test_a_coroutine_of_resume_cannot_ask_the_store(clock: ManualClock) -> None:
    """It would wait for itself for ever."""

    class Nested(AsyncSession):
        async def resume(self, request: RequestHead) -> bool:
            await self.save()
            return True

    async def lives() -> None:
        container = SessionContainer(keys=[KEY], clock=clock, async_session_class=Nested)
        manager = AsyncSessionManager(container)
        session = await manager.create({"a": 1})
        with pytest.raises(SessionError, match=r"resume\(\), called a session method"):
            await manager.from_cookie(f"session={manager.token(session)}")

    asyncio.run(lives())
