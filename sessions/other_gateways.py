"""Refuse WSGI in place of ASGI, ASGI in place of WSGI, and trio in place of asyncio."""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Self

from sessions.errors import SessionError

OF_WSGI = (
    "sessions.wsgi.SessionMiddleware is for WSGI, and the server speaks ASGI. Fix: for an ASGI"
    " application, write `from sessions.asgi import SessionMiddleware`; for a WSGI application,"
    " choose WSGI, as in `uvicorn --interface wsgi shop.app:app`, or use a server for WSGI, such as"
    " gunicorn or waitress"
)
_OF_ASGI = (
    "sessions.asgi.SessionMiddleware is for ASGI, and the server speaks WSGI. Fix: for a WSGI"
    " application, write `from sessions.wsgi import SessionMiddleware`; for an ASGI application,"
    " use a server for ASGI, as in `uvicorn shop.app:app` or `gunicorn -k"
    " uvicorn_worker.UvicornWorker shop.app:app`"
)
_AN_OBJECT = (
    "an object of sessions.asgi.SessionMiddleware was called with an application, as a class would"
    " be. Fix: give the class and its settings: app.add_middleware(SessionMiddleware,"
    " container=SessionContainer(keys=[...])), or Middleware(SessionMiddleware, container=...)"
)
_Receive = Callable[[], Awaitable[object]]
_Send = Callable[[dict[str, str]], Awaitable[object]]


def refuse_asgi(
    advice: str, scope: Mapping[str, Any], receive: Any = None, send: Any = None
) -> Any:
    """Refuse an ASGI server; version 3 gives all three arguments, and version 2 only the scope."""
    if "type" not in scope:
        raise TypeError(advice)

    async def refuse(receive: _Receive, send: _Send) -> None:
        if scope["type"] != "lifespan":
            raise TypeError(advice)
        await receive()
        # The server stops with this message.
        await send({"type": "lifespan.startup.failed", "message": advice})

    return refuse if send is None else refuse(receive, send)


class ForASGI:
    """The base class of ASGI applications; it refuses a WSGI server with a clear error."""

    def __new__(cls, *_: object, **__: object) -> Self:
        """Mark the object as a coroutine function, so that servers recognize version 3 of ASGI."""
        self = super().__new__(cls)
        if cls.__call__ is ForASGI.__call__:
            # Servers look at `__call__` of the object, but a call uses the method of the class.
            vars(self)["__call__"] = self._serve
        return self

    def __call__(
        self, scope: Any, receive: Any = None, send: Any = None
    ) -> Coroutine[Any, Any, None]:
        """Serve one connection; raise TypeError for a WSGI server, which gives two arguments."""
        if callable(scope):
            raise TypeError(_AN_OBJECT)
        if send is None:
            raise TypeError(_OF_ASGI)
        return self._serve(scope, receive, send)

    @abstractmethod
    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""


def require_asyncio() -> None:
    """Raise SessionError if the event loop is not one of asyncio."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise SessionError(
            "sessions run on asyncio's event loop only, but this request runs on another event"
            " loop, such as trio's. Fix: run the server with asyncio"
        ) from None
