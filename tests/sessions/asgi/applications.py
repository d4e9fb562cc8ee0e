"""Applications that differ in which part of them catches an error first."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sessions import StoreUnavailable
from sessions.asgi import ASGIApp, Receive, Scope, Send, session_of
from tests.sessions.asgi.site import AsgiHandler

Wrapped = Callable[[ASGIApp], ASGIApp]
"""What puts the session middleware around an application."""


def bare(handler: AsgiHandler, done: list[str], wrapped: Wrapped) -> ASGIApp:
    """Return a bare application."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await handler(session_of(scope))  # type: ignore[misc]
        await PlainTextResponse("fine", background=_noted(done))(scope, receive, send)

    return wrapped(app)


def starlette(handler: AsgiHandler, done: list[str], wrapped: Wrapped) -> ASGIApp:
    """Return a Starlette application without handlers of its own."""
    return wrapped(Starlette(routes=[_route(handler, done)]))


def catches(*kinds: type[Exception]) -> Callable[..., ASGIApp]:
    """Return a maker of applications with exception handlers for these kinds of errors."""

    async def answer(request: Request, error: Exception) -> Response:
        return PlainTextResponse("caught", 500)

    def make(handler: AsgiHandler, done: list[str], wrapped: Wrapped) -> ASGIApp:
        handlers: dict[Any, Any] = dict.fromkeys(kinds, answer)
        return wrapped(Starlette(routes=[_route(handler, done)], exception_handlers=handlers))

    return make


class Passing(BaseHTTPMiddleware):
    """Run the application in a separate task, as BaseHTTPMiddleware does."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers["x-passed"] = "yes"
        return response


def middleware_inside(handler: AsgiHandler, done: list[str], wrapped: Wrapped) -> ASGIApp:
    """Return an application with a BaseHTTPMiddleware inside of the sessions."""
    inside = Starlette(routes=[_route(handler, done)], middleware=[Middleware(Passing)])
    return wrapped(inside)


def middleware_outside(handler: AsgiHandler, done: list[str], wrapped: Wrapped) -> ASGIApp:
    """Return an application with a BaseHTTPMiddleware outside of the sessions."""
    return Passing(wrapped(Starlette(routes=[_route(handler, done)])))


def streams(handler: AsgiHandler, done: list[str], wrapped: Wrapped) -> ASGIApp:
    """Return a Starlette application whose response streams."""

    async def chunks() -> AsyncIterator[str]:
        yield "fine"

    async def endpoint(request: Request) -> Response:
        await handler(session_of(request))  # type: ignore[misc]
        return StreamingResponse(chunks(), background=_noted(done))

    return wrapped(Starlette(routes=[Route("/", endpoint)]))


APPLICATIONS: dict[str, Callable[..., ASGIApp]] = {
    "bare": bare,
    "starlette": starlette,
    "catches Exception": catches(Exception),
    "catches StoreUnavailable": catches(StoreUnavailable),
    "catches both": catches(Exception, StoreUnavailable),
    "BaseHTTPMiddleware inside": middleware_inside,
    "BaseHTTPMiddleware outside": middleware_outside,
    "streaming": streams,
}


def _route(handler: AsgiHandler, done: list[str]) -> Route:
    async def endpoint(request: Request) -> Response:
        await handler(session_of(request))  # type: ignore[misc]
        return PlainTextResponse("fine", background=_noted(done))

    return Route("/", endpoint)


def _noted(done: list[str]) -> BackgroundTask:
    return BackgroundTask(done.append, "the background task ran")
