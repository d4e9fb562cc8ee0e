"""After a value could not be saved, an error handler can still use the session and close it."""

from collections.abc import Callable

import pytest

from sessions import AsyncSessionManager, SessionContainer, SessionManager
from sessions.asgi import Receive, Scope, Send, SessionMiddleware
from sessions.errors import UnencodableValue
from tests.sessions.asgi.server import serve
from tests.support.apps import KEY, Browser, writes
from tests.support.loops import a_cookie, a_head, on_a_loop, opened

Close = Callable[[SessionManager], Callable[..., object]]


@pytest.mark.parametrize(
    "closing",
    [lambda manager: manager.close, lambda manager: manager.close_now],
    ids=["close", "close_now"],
)
def test_a_refused_close_leaves_the_session_open(browser: Browser, closing: Close) -> None:
    """The handler can remove the value, and save another one."""
    browser.visit(writes(a=1))
    manager = browser.site.manager
    session = manager.open(a_head(browser.cookie))
    session["x"] = object()

    with pytest.raises(UnencodableValue):
        closing(manager)(session)
    del session["x"]
    session.flash("too big")
    manager.close(session)

    assert [text for _, text in browser.visit(lambda s: s.take_flashes()).value] == ["too big"]


@pytest.mark.parametrize("at_once", [True, False], ids=["close_now", "close"])
@on_a_loop
async def test_a_refused_close_on_a_loop_leaves_the_session_open(
    async_manager: AsyncSessionManager, at_once: bool
) -> None:
    """An asynchronous session does the same."""
    cookie = await a_cookie(async_manager, a=1)
    session = await opened(async_manager, cookie)
    session["x"] = object()

    with pytest.raises(UnencodableValue):
        _ = async_manager.close_now(session) if at_once else await async_manager.close(session)
    del session["x"]
    session["b"] = 2
    await async_manager.close(session)

    assert dict(await opened(async_manager, cookie)) == {"a": 1, "b": 2}


@on_a_loop
async def test_an_application_answers_it_over_asgi() -> None:
    """The answer has the application's status and the headers of what was saved."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["session"]["x"] = object()
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        except UnencodableValue:
            del scope["session"]["x"]
            scope["session"]["error"] = "too big"
            await send({"type": "http.response.start", "status": 422, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    middleware = SessionMiddleware(app, SessionContainer(keys=[KEY]))

    answer = await serve(middleware)

    assert answer.status == 422
    assert dict(await opened(middleware.manager, answer.cookie)) == {"error": "too big"}
