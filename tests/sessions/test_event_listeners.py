"""Listeners: the handles and reasons of events, and listeners that fail, wait or are slow."""

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from types import FrameType

import pytest

from sessions import (
    AsyncSessionManager,
    AsyncStore,
    ConfigurationError,
    EndReason,
    MemoryStore,
    Session,
    SessionContainer,
    SessionEvent,
    SessionManager,
    Store,
)
from sessions.core.face import state_of
from sessions.core.signing import IdSigner
from sessions.testing import ManualClock
from tests.sessions.conftest import SiteMaker
from tests.support.apps import KEY, Browser, Site, everything, in_turn, writes
from tests.support.ids import an_id
from tests.support.loops import a_manager, on_a_loop
from tests.support.suspending_store import SuspendingStore

SIGNER = IdSigner([KEY], purpose="session id:session")


def handle_of(session: Session) -> str:
    """Return the public name of the session."""
    return session.handle


def kinds(site: Site) -> list[tuple[str, str | None]]:
    """Return the kinds and reasons of all events."""
    return [(event.kind, event.reason) for event in site.events]


def test_every_event_of_a_session_has_its_handle(browser: Browser) -> None:
    """The handle is the same from creation to end, under every id."""
    handle = browser.visit(in_turn(writes(a=1), handle_of)).value
    for act in (
        everything,
        Session.regenerate,
        lambda session: session.regenerate(grace=timedelta(seconds=30)),
        lambda session: session.set_user("ann"),
        Session.clear_user,
        Session.destroy,
    ):
        browser.visit(act)

    events = [event for event in browser.site.events if event.kind != "loaded"]

    assert {event.handle for event in browser.site.events} == {handle}
    assert [event.kind for event in events] == [
        "created",
        *("regenerated",),
        *("regenerated", "renewed"),
        *("regenerated", "signed_in"),
        "signed_out",
        "destroyed",
    ]
    assert [event.user_id for event in events[5:7]] == ["ann", "ann"]
    assert events[-1].reason is EndReason.LOGOUT


def test_a_load_has_one_event_in_a_request(browser: Browser) -> None:
    """There is one event if the request uses the session, and none otherwise."""
    browser.visit(writes(a=1))
    browser.visit(in_turn(everything, everything, Session.reload, everything))
    browser.visit(lambda session: None)

    assert kinds(browser.site) == [("created", None), ("loaded", None)]


REJECTED: dict[str, tuple[str, str]] = {
    "unknown": (SIGNER.sign(an_id()), "unknown"),
    "changed": (SIGNER.sign(an_id())[:-1] + "!", "malformed"),
    "of other keys": (IdSigner(["k" * 20 + KEY], purpose="x").sign(an_id()), "tampered"),
    "another text": ("nonsense", "malformed"),
    "too big": ("a" * 17 * 1024, "too_big"),
}


@pytest.mark.parametrize("token", REJECTED)
def test_a_rejected_token_has_a_reason(site: Site, token: str) -> None:
    """There is one event in a request, however often it uses the session."""
    text, reason = REJECTED[token]

    site.visit(in_turn(everything, everything), f"session={text}")

    assert kinds(site) == [("rejected", reason)]


def test_more_ids_than_are_looked_up_are_ambiguous(site: Site) -> None:
    """All ids are signed, but no normal client sends so many."""
    site.visit(everything, "; ".join(f"session={SIGNER.sign(an_id())}" for _ in range(40)))

    assert kinds(site) == [("rejected", "ambiguous")]


def test_old_ids_have_an_event_but_no_log_line(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Browsers keep cookies for longer than servers keep sessions."""
    caplog.set_level(logging.INFO, "sessions")

    site.visit(everything, f"session={SIGNER.sign(an_id())}")

    assert site.events[0].handle is not None
    assert caplog.records == []


def test_the_event_of_a_sign_in_follows_the_event_of_the_creation(browser: Browser) -> None:
    """One commit causes two events."""
    browser.visit(lambda session: session.set_user("ann"))

    assert kinds(browser.site) == [("created", None), ("signed_in", None)]


def test_a_program_ends_a_session(browser: Browser) -> None:
    """The reason says that a program ended the session."""
    session_id = browser.visit(in_turn(writes(a=1), lambda session: session.id)).value

    assert browser.site.manager.delete(session_id)
    assert not browser.site.manager.delete(session_id)
    assert kinds(browser.site)[1:] == [("destroyed", EndReason.DELETED)]


def test_the_end_of_all_sessions_of_a_user_has_a_reason(store: Store, clock: ManualClock) -> None:
    """A page "sign out everywhere" ends sessions for this reason."""
    told: list[SessionEvent] = []
    manager = SessionManager(
        SessionContainer(keys=[KEY], store=store, clock=clock, listeners=[told.append])
    )
    with manager.create() as session:
        session.set_user("ann")

    manager.end_sessions_of("ann")

    assert [event.kind for event in told[-2:]] == ["signed_in", "destroyed"]
    assert told[-1].reason is EndReason.ENDED_BY_USER


def test_a_conflict_has_an_event(browser: Browser) -> None:
    """Another request changed the value in the meantime; the second try succeeds."""
    site = browser.site
    browser.visit(writes(hits=1))

    def increments(session: Session) -> None:
        session.load()
        site.store.before["commit"] = lambda: site.visit(writes(hits=5), browser.cookie)
        session.increment("hits")

    browser.visit(increments)

    assert site.told == ["created", "conflict"]
    assert browser.holds() == {"hits": 6}


def test_each_failed_call_of_the_store_has_one_event(browser: Browser) -> None:
    """The event names the call, and comes once although the request tries again."""
    browser.visit(writes(a=1))
    browser.site.store.broken = {"load"}

    assert browser.visit(everything).status == 503
    assert kinds(browser.site) == [("created", None), ("store_failed", "load")]


def test_no_event_comes_before_the_store_acknowledged(browser: Browser) -> None:
    """A listener that reads the store finds what the event says."""
    site = browser.site
    found: list[object] = []

    def looks(event: SessionEvent) -> None:
        if event.kind == "created" and event.handle is not None:
            found.append(site.store.load(event.handle))

    observed = Site(site.store, site.container.clock, listeners=[looks])
    observed.visit(writes(a=1))

    assert len(found) == 1
    assert found[0] is not None


def test_listeners_are_called_outside_of_the_turn(make_site: SiteMaker) -> None:
    """Another thread of the request can use the session meanwhile."""
    sessions: list[Session] = []
    saved: list[bool] = []

    def listener(event: SessionEvent) -> None:
        other = threading.Thread(target=sessions[0].save)
        other.start()
        other.join(5)
        saved.append(not other.is_alive())

    def handler(session: Session) -> None:
        sessions.append(session)
        session["a"] = 1
        session.save()

    make_site(listeners=[listener]).visit(handler)

    assert saved == [True]


def test_failed_and_slow_calls_are_counted(
    make_site: SiteMaker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The response does not change, and the log names the listener."""
    stopwatch = ManualClock(1000.0)
    monkeypatch.setattr("sessions.core.listening.monotonic", stopwatch)

    def sleepy(event: SessionEvent) -> None:
        stopwatch.advance(2)

    def broken(event: SessionEvent) -> None:
        raise LookupError("a bug of the listener")

    site = make_site(listeners=[sleepy, broken])

    assert site.visit(writes(a=1)).status == 200
    assert (site.manager.failed_listeners, site.manager.slow_listeners) == (1, 1)
    assert "sleepy" in caplog.text
    assert "broken" in caplog.text


async def hears(event: SessionEvent) -> None:
    """Do nothing."""


class Hears:
    """A listener with a coroutine as its call."""

    async def __call__(self, event: SessionEvent) -> None:
        """Do nothing."""


@pytest.mark.parametrize("listener", [hears, Hears()], ids=["function", "object"])
def test_a_blocking_manager_refuses_coroutine_functions(
    listener: Callable[[SessionEvent], object],
) -> None:
    """The error comes when the manager is made, and says what to do."""
    container = SessionContainer(keys=[KEY], listeners=[listener])

    with pytest.raises(ConfigurationError, match="Fix: make it a plain `def`"):
        SessionManager(container)


def test_a_coroutine_that_a_function_returns_is_a_failure(make_site: SiteMaker) -> None:
    """A blocking application cannot await it."""
    site = make_site(listeners=[lambda event: hears(event)])

    assert site.visit(writes(a=1)).status == 200
    assert site.manager.failed_listeners == 1


def test_coroutines_receive_the_events_of_a_session_in_order(
    any_store: Store | AsyncStore, clock: ManualClock
) -> None:
    """A slow coroutine delays no response, and the manager waits for it when it closes."""
    told: list[str] = []
    may_go_on = asyncio.Event()

    async def listener(event: SessionEvent) -> None:
        await may_go_on.wait()
        told.append(event.kind)

    async def lives() -> None:
        container = SessionContainer(keys=[KEY], store=any_store, clock=clock, listeners=[listener])
        manager = AsyncSessionManager(container)
        async with await manager.create({"a": 1}) as session:
            session.regenerate()
            await session.save()
            session.destroy()
        assert told == []
        may_go_on.set()
        await manager.aclose()

    asyncio.run(lives())

    assert told == ["created", "regenerated", "destroyed"]


def test_a_coroutine_that_fails_is_counted(clock: ManualClock) -> None:
    """The failure is counted and logged, like that of a plain function."""

    async def listener(event: SessionEvent) -> None:
        raise LookupError("a bug of the listener")

    async def lives() -> int:
        container = SessionContainer(keys=[KEY], clock=clock, listeners=[listener])
        manager = AsyncSessionManager(container)
        await manager.create({"a": 1})
        await manager.aclose()
        return manager.failed_listeners

    assert asyncio.run(lives()) == 1


def test_events_of_a_thread_reach_coroutine_listeners(clock: ManualClock) -> None:
    """A thread uses the session of a request, and the coroutine runs on the event loop."""
    told: list[tuple[str, bool]] = []

    async def listener(event: SessionEvent) -> None:
        told.append((event.kind, threading.current_thread() is threading.main_thread()))

    async def lives() -> None:
        container = SessionContainer(keys=[KEY], clock=clock, listeners=[listener])
        manager = AsyncSessionManager(container)
        session = await manager.create({"a": 1})
        blocking = manager.face(session, Session)

        def renews() -> None:
            blocking.regenerate()
            blocking.save()

        await asyncio.to_thread(renews)
        await manager.close(session)
        await manager.aclose()

    asyncio.run(lives())

    assert told == [("created", True), ("regenerated", True)]


def test_threads_of_one_request_send_each_event_once(make_site: SiteMaker) -> None:
    """One thread sends the events at the moment when another thread adds one."""
    site = make_site()
    browser = site.browser()
    browser.visit(writes(n=1))
    is_adding, is_sent = threading.Event(), threading.Event()

    def pause(frame: FrameType, event: str, argument: object) -> None:
        """Let the other thread send the events while this thread makes an event."""
        if frame.f_code is SessionEvent.__init__.__code__ and not is_adding.is_set():
            is_adding.set()
            is_sent.wait(1)

    def handler(session: Session) -> None:
        def conflicting(value: int) -> int:
            if not is_adding.is_set():
                site.manager.get(session.id).increment("n")
                sys.settrace(pause)
            return value + 1

        def change() -> None:
            session.update_with("n", conflicting)
            sys.settrace(None)

        # A call that failed left an event, which nobody has sent yet.
        state_of(session).note("gone", "of the first thread")
        other = threading.Thread(target=change)
        other.start()
        is_adding.wait(5)
        session._driver.tell(state_of(session))
        is_sent.set()
        other.join()

    browser.visit(in_turn(everything, handler))

    told = [event.kind for event in site.events if event.kind in ("gone", "conflict")]
    assert told == ["gone", "conflict"]


@on_a_loop
async def test_a_commit_is_told_although_the_session_is_destroyed_meanwhile(
    clock: ManualClock,
) -> None:
    """The store has signed the user out, and then it has ended the session."""
    told: list[str] = []
    store = SuspendingStore(MemoryStore(clock=clock))
    manager = a_manager(store, clock, listeners=[lambda event: told.append(event.kind)])
    session = await manager.create()
    session.set_user("ada")
    await session.save()
    told.clear()
    session.clear_user()
    store.before["commit"] = session.destroy
    await session.save()
    await manager.close(session)

    assert told == ["signed_out", "destroyed"]
