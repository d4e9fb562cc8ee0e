"""An eager load is not a use of the session: it causes no write, and its failure no error."""

from collections.abc import Callable
from typing import Any

import pytest

from sessions import AsyncSessionManager, MemoryStore, SessionContainer
from sessions.asgi import Receive, Scope, Send, SessionMiddleware
from sessions.testing import ManualClock
from tests.sessions.asgi.server import serve
from tests.support.apps import KEY
from tests.support.loops import a_cookie, a_head, on_a_loop
from tests.support.suspending_store import SuspendingStore
from tests.support.watched import WatchedStore


async def fine(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without the session."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"fine"})


@pytest.mark.parametrize("settings", [{"resave": True}, {}], ids=["resave", "default"])
@on_a_loop
async def test_an_eager_load_without_use_writes_nothing(
    clock: ManualClock, settings: dict[str, Any]
) -> None:
    """No touch is written, even where each use would be written."""
    store = SuspendingStore(MemoryStore(clock=clock))
    container = SessionContainer(keys=[KEY], store=store, clock=clock, **settings)
    manager = AsyncSessionManager(container)
    cookie = await a_cookie(manager, a=1)
    clock.advance(3600)
    store.calls.clear()
    session = manager.open(a_head(cookie))

    await manager.preload(session)
    headers = await manager.close(session)

    assert (headers, session.accessed, store.calls) == ([], False, ["load"])


def raises(error: Exception) -> Callable[[], None]:
    """Return a function that raises this error."""

    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    "error", [KeyError("x"), ConnectionRefusedError(), TimeoutError()], ids=repr
)
@pytest.mark.parametrize("suspends", [True, False])
@on_a_loop
async def test_an_unknown_error_of_a_store_fails_no_page_without_session_use(
    clock: ManualClock, error: Exception, suspends: bool
) -> None:
    """For example, the health check of a site still works."""
    watched = WatchedStore(MemoryStore(clock=clock))
    store = SuspendingStore(watched) if suspends else watched
    container = SessionContainer(keys=[KEY], store=store, clock=clock)
    middleware = SessionMiddleware(fine, container)
    cookie = await a_cookie(middleware.manager, a=1)
    watched.before["load"] = raises(error)

    answer = await serve(middleware, cookie)

    assert (answer.status, answer.body) == (200, b"fine")
    assert "load" not in watched.before
    await middleware.manager.aclose()
