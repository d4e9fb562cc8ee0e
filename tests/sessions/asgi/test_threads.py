"""Threads beside the event loop: blocking stores, and functions that use a session in a thread."""

import asyncio
import inspect
import threading
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sessions import AsyncSession, MemoryStore, Session, SessionContainer, SessionError
from sessions.asgi import SessionMiddleware, session_of
from sessions.core.limits import WORKER_THREADS
from tests.sessions.asgi.server import serve
from tests.sessions.asgi.site import AsgiBrowser, AsgiSite, SiteMaker, be_patient
from tests.support.apps import KEY
from tests.support.watched import WatchedStore

SECONDS = 20.0
"""How long a test waits for what must happen before it gives up."""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no request run out of time on a busy machine."""
    be_patient(monkeypatch)


@pytest.fixture
def site(make_site: SiteMaker) -> AsgiSite:
    """Return a site with loading on demand."""
    return make_site(load="on_demand")


class SlowStore(WatchedStore):
    """Be a blocking store whose loads wait until the test releases them."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self.is_asked = threading.Event()
        self.may_answer = threading.Event()
        self.busy = 0
        self.most_busy = 0
        self._counting = threading.Lock()

    def load(self, key: str) -> Any:
        with self._counting:
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
        self.is_asked.set()
        assert self.may_answer.wait(SECONDS)
        with self._counting:
            self.busy -= 1
        return super().load(key)


async def visits(request: Request) -> Response:
    """Count the visits of a session."""
    session = session_of(request)
    session["visits"] = session.get("visits", 0) + 1
    return PlainTextResponse(f"{session['visits']}")


async def health(request: Request) -> Response:
    """Need no session."""
    return PlainTextResponse("alive")


def slow_site() -> tuple[SessionMiddleware, SlowStore]:
    """Return an application over a slow blocking store."""
    store = SlowStore()
    app = Starlette(routes=[Route("/", visits), Route("/health", health)])
    return SessionMiddleware(app, SessionContainer(keys=[KEY], store=store)), store


def test_a_slow_blocking_store_does_not_delay_other_requests() -> None:
    """While one request waits for its load, another request is answered."""
    app, store = slow_site()

    async def work() -> tuple[bool, bytes, bytes]:
        cookie = (await serve(app)).cookie
        waiting = asyncio.create_task(serve(app, cookie))
        async with asyncio.timeout(SECONDS):
            while not store.is_asked.is_set():
                await asyncio.sleep(0)
            other = await serve(app, path="/health")
            was_waiting = not waiting.done()
            store.may_answer.set()
            answer = await waiting
        await app.manager.aclose()
        return was_waiting, other.body, answer.body

    assert asyncio.run(work()) == (True, b"alive", b"2")


def test_the_threads_of_a_blocking_store_are_bounded() -> None:
    """The number of threads has a limit, and every request is answered in the end."""
    app, store = slow_site()

    async def work() -> list[int]:
        cookies = [(await serve(app)).cookie for _ in range(20)]
        waiting = [asyncio.create_task(serve(app, cookie)) for cookie in cookies]
        async with asyncio.timeout(SECONDS):
            while store.busy < WORKER_THREADS:
                await asyncio.sleep(0)
            store.may_answer.set()
            answers = await asyncio.gather(*waiting)
        await app.manager.aclose()
        return [answer.status for answer in answers]

    assert asyncio.run(work()) == [200] * 20
    assert store.most_busy == WORKER_THREADS


def test_a_thread_and_a_task_share_one_session(customer: AsgiBrowser) -> None:
    """A dependency loads on the loop, and the endpoint reads in a thread: one load in all."""
    manager = customer.site.manager

    async def endpoint(session: AsyncSession) -> Any:
        blocking = manager.face(session, Session)
        loading = asyncio.create_task(_loaded(session))
        value = await run_in_threadpool(lambda: blocking.get("a"))
        await loading
        return value

    assert customer.visit(endpoint).value == 1
    assert customer.site.store.calls == ["load"]


async def _loaded(session: AsyncSession) -> None:
    await session.load()


def test_changes_of_a_thread_are_saved(customer: AsgiBrowser) -> None:
    """The request commits the changes of its threads and of its tasks."""
    manager = customer.site.manager

    async def endpoint(session: AsyncSession) -> None:
        blocking = manager.face(session, Session)
        await run_in_threadpool(blocking.update, b=2)
        session["c"] = 3

    customer.visit(endpoint)

    assert customer.site.store.calls == ["load", "commit"]
    assert customer.holds() == {"a": 1, "b": 2, "c": 3}


def test_verbs_work_in_a_thread(customer: AsgiBrowser) -> None:
    """save(), increment(), take() and reload() work in a thread."""
    manager = customer.site.manager

    def function(session: Session) -> tuple[Any, Any, dict[str, Any]]:
        session["b"] = 2
        session.save()
        sum = session.increment("n", 3)
        taken = session.take("a")
        session.reload()
        return sum, taken, session.copy()

    async def endpoint(session: AsyncSession) -> Any:
        return await run_in_threadpool(function, manager.face(session, Session))

    assert customer.visit(endpoint).value == (3, 1, {"b": 2, "n": 3})


def test_many_threads_and_tasks_of_one_request_corrupt_nothing(customer: AsgiBrowser) -> None:
    """They use the session one after the other."""
    manager = customer.site.manager

    async def endpoint(session: AsyncSession) -> None:
        blocking = manager.face(session, Session)
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(
                *[asyncio.to_thread(blocking.increment, "n") for _ in range(8)],
                *[_incremented(session) for _ in range(8)],
            )

    customer.visit(endpoint)

    assert customer.holds() == {"a": 1, "n": 16}
    assert customer.site.store.calls.count("commit") == 16


async def _incremented(session: AsyncSession) -> None:
    await session.load()
    await session.increment("n")


def test_a_blocking_face_on_the_loop_is_refused(customer: AsgiBrowser) -> None:
    """The call would block the loop for which it waits."""
    manager = customer.site.manager

    async def endpoint(session: AsyncSession) -> str:
        with pytest.raises(SessionError, match="would block the loop for ever") as caught:
            _ = manager.face(session, Session)["a"]
        return str(caught.value)

    assert "use the AsyncSession on the event loop" in customer.visit(endpoint).value


def test_an_asynchronous_verb_in_a_thread_is_refused(customer: AsgiBrowser) -> None:
    """A `def` endpoint that calls `session.save()` would save nothing, and nobody would know."""

    async def endpoint(session: AsyncSession) -> str:
        with pytest.raises(SessionError, match="without an event loop") as caught:
            await run_in_threadpool(lambda: inspect.iscoroutine(session.save()))
        return str(caught.value)

    assert "await session.save()" in customer.visit(endpoint).value
