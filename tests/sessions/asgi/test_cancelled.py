"""A cancelled request leaves the session as it was or as committed, and no task or thread."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from sessions import AsyncSession, SessionContainer
from sessions.asgi import ASGIApp, Receive, Scope, Send, SessionMiddleware
from sessions.testing import ManualClock
from tests.sessions.asgi.server import Exchange, request_scope, serve
from tests.sessions.asgi.site import (
    KINDS,
    AsgiBrowser,
    AsgiSite,
    Place,
    open_place,
    site_maker,
)
from tests.support.apps import KEY

SECONDS = 20.0
"""How long a test waits for what must happen before it gives up."""

MOST_TURNS = 200
"""More turns of the event loop than any request of these tests takes."""


@pytest.fixture(params=["memory", "suspending"])
def loop_site(
    request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path
) -> Iterator[AsgiSite]:
    """Return a site that uses no threads, so that a test can count the turns of the loop."""
    with site_maker(request.param, clock, tmp_path) as make:
        yield make()


class Acting:
    """Be an application that uses its session between two awaits, and notes this."""

    def __init__(self, act: Callable[[AsyncSession], Any], status: int = 200) -> None:
        self._act = act
        self._status = status
        self.has_acted = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)
        self._act(scope["session"])
        self.has_acted = True
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": self._status, "headers": []})
        await send({"type": "http.response.body", "body": b"fine"})


def new_customer(site: AsgiSite) -> AsgiBrowser:
    """Return a browser whose session holds a value."""
    browser = site.browser()
    browser.visit(lambda session: session.update(a=1))
    return browser


def request_to(app: ASGIApp, browser: AsgiBrowser) -> Coroutine[Any, Any, Any]:
    """Return the request of a browser to an application behind the site's sessions."""
    exchange = Exchange()
    middleware = SessionMiddleware(app, browser.site.container)
    work = middleware(request_scope(browser.cookie), exchange.receive, exchange.send)
    assert asyncio.iscoroutine(work)
    return work


async def cancelled_after(turns: int, work: Coroutine[Any, Any, Any]) -> bool:
    """Cancel the work after some turns of the loop; return whether it was cancelled."""
    task = asyncio.create_task(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await until_idle()
    return task.cancelled()


async def until_idle() -> None:
    """Wait until no other task is left; fail if a task stays."""
    async with asyncio.timeout(SECONDS):
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)


def test_a_request_can_be_cancelled_at_each_await(loop_site: AsgiSite) -> None:
    """A change is stored as a whole or not at all."""
    found = []
    for turns in range(MOST_TURNS):
        browser = new_customer(loop_site)
        app = Acting(lambda session: session.update(a=2, b=2))
        cancelled = loop_site.run(cancelled_after(turns, request_to(app, browser)))
        found.append(browser.holds())
        if not cancelled:
            break

    assert not cancelled
    assert all(held in ({"a": 1}, {"a": 2, "b": 2}) for held in found)
    assert (found[0], found[-1]) == ({"a": 1}, {"a": 2, "b": 2})


@pytest.mark.parametrize("status", [200, 500])
def test_a_logout_that_is_cancelled_at_any_await_is_done(loop_site: AsgiSite, status: int) -> None:
    """After destroy() the session is ended, wherever the request is cancelled."""
    for turns in range(MOST_TURNS):
        browser = new_customer(loop_site)
        app = Acting(AsyncSession.destroy, status)
        cancelled = loop_site.run(cancelled_after(turns, request_to(app, browser)))

        assert browser.holds() == ({} if app.has_acted else {"a": 1})
        if not cancelled:
            break

    assert not cancelled


@pytest.mark.parametrize("verb", ["load", "commit"])
def test_a_request_can_be_cancelled_while_the_store_works(site: AsgiSite, verb: str) -> None:
    """A change is stored only if the call of the store was carried out."""
    browser = new_customer(site)
    app = Acting(lambda session: session.update(b=2))

    site.run(cancelled_during(verb, site, request_to(app, browser)))

    assert browser.holds() == ({"a": 1} if verb == "load" else {"a": 1, "b": 2})


def test_a_logout_can_be_cancelled_while_the_store_works(site: AsgiSite) -> None:
    """The logout is still carried out."""
    browser = new_customer(site)

    site.run(cancelled_during("delete", site, request_to(Acting(AsyncSession.destroy), browser)))

    assert browser.holds() == {}


async def cancelled_during(verb: str, site: AsgiSite, work: Coroutine[Any, Any, Any]) -> None:
    """Cancel the work while the store carries out this call."""
    loop, task = asyncio.get_running_loop(), asyncio.create_task(work)
    home = threading.get_ident()

    def cancel() -> None:
        if threading.get_ident() == home:
            task.cancel()
            return
        # The worker thread goes on once the event loop has cancelled the request.
        is_cancelled = threading.Event()
        loop.call_soon_threadsafe(task.cancel)
        loop.call_soon_threadsafe(is_cancelled.set)
        assert is_cancelled.wait(SECONDS)

    site.store.before[verb] = cancel
    await asyncio.wait([task])
    await until_idle()
    assert verb not in site.store.before


def test_a_time_limit_around_the_application_undoes_no_logout(site: AsgiSite) -> None:
    """AnyIO cancels every await inside the limit, also those that clean up."""
    browser = new_customer(site)

    async def never_ends(scope: Scope, receive: Receive, send: Send) -> None:
        scope["session"].destroy()
        await asyncio.Event().wait()

    async def limited() -> bool:
        with anyio.move_on_after(0.01) as limit:
            await request_to(never_ends, browser)
        await until_idle()
        return limit.cancelled_caught

    assert site.run(limited())
    assert browser.holds() == {}


def test_a_time_limit_inside_of_the_sessions_may_answer(site: AsgiSite) -> None:
    """The page of the time limit is a normal response, and clears the cookie after a logout."""
    browser = new_customer(site)

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        with anyio.move_on_after(0.01):
            scope["session"].destroy()
            await asyncio.Event().wait()
        await send({"type": "http.response.start", "status": 504, "headers": []})
        await send({"type": "http.response.body", "body": b"too slow"})

    answer = site.run(serve(SessionMiddleware(limited, site.container), browser.cookie))

    assert (answer.status, answer.clears) == (504, True)
    assert browser.holds() == {}


def test_the_answer_after_a_cancelled_commit_has_its_headers(site: AsgiSite) -> None:
    """After a limit cancels the commit, the next answer has the headers of what was committed."""
    browser = new_customer(site)
    home, second_has_begun = threading.get_ident(), threading.Event()

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        scope["session"].regenerate()
        loop = asyncio.get_running_loop()
        start = {"type": "http.response.start", "status": 200, "headers": []}
        sending = asyncio.ensure_future(send(start))

        def strike() -> None:
            loop.call_soon_threadsafe(sending.cancel)
            if threading.get_ident() != home:
                # The worker thread commits while the second answer waits for its turn.
                assert second_has_begun.wait(SECONDS)

        site.store.before["commit"] = strike
        await asyncio.wait([sending])
        assert sending.cancelled()
        loop.call_soon(second_has_begun.set)
        await send({**start, "status": 504})
        await send({"type": "http.response.body", "body": b"too slow"})

    answer = site.run(serve(SessionMiddleware(limited, site.container), browser.cookie))
    browser.cookie = answer.cookie

    assert answer.status == 504
    assert browser.holds() == {"a": 1}


def test_no_thread_stays_when_the_site_has_ended(clock: ManualClock, tmp_path: Path) -> None:
    """No worker thread of the manager and no task is left."""
    before = {*threading.enumerate()}
    with site_maker("threads", clock, tmp_path) as make:
        site = make()
        browser = new_customer(site)
        site.run(cancelled_during("commit", site, browser.serve(renews)))
        mine = {*threading.enumerate()} - before

        site.run(site.manager.aclose())

    assert mine
    for thread in {*threading.enumerate()} - before:
        thread.join(SECONDS)
        assert not thread.is_alive()


def renews(session: AsyncSession) -> None:
    """Give the session a new id."""
    session.regenerate()


def test_a_client_that_leaves_during_the_stream_has_its_session(site: AsgiSite) -> None:
    """The session was saved before the first byte."""
    browser, exchange = new_customer(site), Exchange()

    async def streams(scope: Scope, receive: Receive, send: Send) -> None:
        scope["session"]["b"] = 2
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        exchange.client_left.set()
        assert await receive() == {"type": "http.disconnect"}
        raise OSError("the client has left")

    async def work() -> None:
        middleware = SessionMiddleware(streams, site.container)
        with pytest.raises(OSError, match="the client has left"):
            await middleware(request_scope(browser.cookie), exchange.receive, exchange.send)
        await until_idle()

    site.run(work())

    assert browser.holds() == {"a": 1, "b": 2}


def test_a_client_that_leaves_before_the_answer_changes_nothing(site: AsgiSite) -> None:
    """The application stops, and its unsaved changes are discarded."""
    browser, exchange = new_customer(site), Exchange()
    exchange.client_left.set()

    async def gives_up(scope: Scope, receive: Receive, send: Send) -> None:
        scope["session"]["b"] = 2
        await receive()
        assert await receive() == {"type": "http.disconnect"}

    async def work() -> None:
        middleware = SessionMiddleware(gives_up, site.container)
        await middleware(request_scope(browser.cookie), exchange.receive, exchange.send)
        await until_idle()

    site.run(work())

    assert browser.holds() == {"a": 1}


# Event loops


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Iterator[Place]:
    """Return each kind of store in turn."""
    with open_place(request.param, clock, tmp_path) as opened:
        yield opened


async def visits(scope: Scope, receive: Receive, send: Send) -> None:
    """Count the visits."""
    session = scope["session"]
    session["visits"] = session.get("visits", 0) + 1
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % session["visits"]})


def test_one_middleware_serves_loop_after_loop(place: Place, clock: ManualClock) -> None:
    """Test clients make a new event loop for each request."""
    container = SessionContainer(keys=[KEY], store=place.store, clock=clock)
    middleware = SessionMiddleware(visits, container)

    first = asyncio.run(serve(middleware))
    second = asyncio.run(serve(middleware, first.cookie))
    asyncio.run(middleware.manager.aclose())
    third = asyncio.run(serve(middleware, first.cookie))
    asyncio.run(middleware.manager.aclose())

    assert [first.body, second.body, third.body] == [b"1", b"2", b"3"]
