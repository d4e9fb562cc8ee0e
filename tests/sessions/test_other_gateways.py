"""A middleware under a server of the other interface: the error names the right one."""

import asyncio
import inspect
from typing import Any

import pytest

from framework import Application, controller, get
from sessions import SessionContainer, asgi, wsgi
from sessions.asgi import Receive, Scope, Send

KEYS = ["a key of the tests, which is long enough"]
HTTP = {"type": "http", "method": "GET", "path": "/"}


def around_wsgi(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"shown"]


async def around_asgi(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def container() -> SessionContainer:
    return SessionContainer(keys=KEYS)


async def _say_nothing(*_: object) -> None: ...


@pytest.mark.parametrize("version", [2, 3])
def test_the_middleware_for_wsgi_refuses_a_server_for_asgi(version: int) -> None:
    """Version 2 of ASGI gives the scope first, version 3 everything at once."""
    middleware: Any = wsgi.SessionMiddleware(around_wsgi, container())

    async def ask() -> None:
        if version == 2:
            await middleware(HTTP)(_say_nothing, _say_nothing)
        else:
            await middleware(HTTP, _say_nothing, _say_nothing)

    with pytest.raises(TypeError, match=r"from sessions\.asgi import SessionMiddleware"):
        asyncio.run(ask())


def test_a_server_for_asgi_that_starts_the_middleware_for_wsgi_ends() -> None:
    """It ends before it takes a request."""
    middleware: Any = wsgi.SessionMiddleware(around_wsgi, container())
    sent: list[dict[str, str]] = []

    async def send(message: dict[str, str]) -> None:
        sent.append(message)

    asyncio.run(middleware({"type": "lifespan"}, _say_nothing, send))

    assert sent[0]["type"] == "lifespan.startup.failed"
    assert "from sessions.asgi import SessionMiddleware" in sent[0]["message"]


def test_the_middleware_for_asgi_refuses_a_server_for_wsgi() -> None:
    """Otherwise the server would say that a coroutine is not iterable."""
    middleware: Any = asgi.SessionMiddleware(around_asgi, container())

    with pytest.raises(TypeError, match=r"from sessions\.wsgi import SessionMiddleware"):
        middleware({"REQUEST_METHOD": "GET"}, print)


def test_servers_see_that_the_middleware_for_asgi_is_of_version_3() -> None:
    """uvicorn, hypercorn and Starlette look for a coroutine function."""
    middleware = asgi.SessionMiddleware(around_asgi, container())

    assert inspect.iscoroutinefunction(middleware.__call__)


def test_a_subclass_of_the_middleware_for_asgi_is_called() -> None:
    """This holds also for a server that first gets `__call__` and calls it later."""
    called: list[str] = []

    class Counting(asgi.SessionMiddleware):
        async def __call__(  # type: ignore[override]
            self, scope: Scope, receive: Receive, send: Send
        ) -> None:
            called.append(scope["type"])
            await super().__call__(scope, receive, send)

    middleware = Counting(around_asgi, container())
    scope = {**HTTP, "headers": [], "query_string": b"", "scheme": "http"}
    asyncio.run(middleware.__call__(scope, _say_nothing, _say_nothing))  # type: ignore[arg-type]

    assert called == ["http"]


@controller("/")
class Page:
    @get("/")
    def show(self) -> str:
        return "shown"


def test_an_application_is_not_put_into_the_middleware_of_the_other_interface() -> None:
    """The constructor says so, before a server is there."""
    for app in (Application(Page), wsgi.SessionMiddleware(around_wsgi, container()), around_wsgi):
        with pytest.raises(TypeError, match=r"Fix: write `from sessions\.wsgi import"):
            asgi.SessionMiddleware(app, container())  # type: ignore[arg-type]
    for inner in (asgi.SessionMiddleware(around_asgi, container()), around_asgi):
        with pytest.raises(TypeError, match=r"Fix: write `from sessions\.asgi import"):
            wsgi.SessionMiddleware(inner, container())  # type: ignore[arg-type]
