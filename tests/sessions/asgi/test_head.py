"""The head of a request, as the ASGI middleware gives it to transports."""

import asyncio
import gc
import weakref
from contextlib import suppress
from typing import Any

import pytest

from sessions import CookieSettings, SessionContainer
from sessions.asgi import ASGIApp, Receive, Scope, ScopeHead, Send, SessionMiddleware
from sessions.edges import RequestHead
from tests.sessions.asgi.server import request_scope, serve
from tests.support.apps import KEY, Answer


def a_container(**settings: Any) -> SessionContainer:
    """Return a container with a store of its own."""
    return SessionContainer(keys=[KEY], **settings)


async def counts(scope: Scope, receive: Receive, send: Send) -> None:
    """Count the visits of a session."""
    session = scope["session"]
    session["visits"] = session.get("visits", 0) + 1
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"fine"})


def visit(app: SessionMiddleware, cookie: str = "", **more: Any) -> Answer:
    """Send one request on an event loop of its own."""
    return asyncio.run(serve(app, cookie, **more))


def test_the_head_is_what_transports_expect() -> None:
    """The head has the scheme, query, client, cookies and headers of the request."""
    head: RequestHead = ScopeHead(
        request_scope(
            "b=2",
            headers=[(b"cookie", b"a=1"), (b"x-twice", b"1"), (b"x-twice", b"2")],
            query_string=b"q=%20",
            scheme="https",
        )
    )

    assert (head.scheme, head.query, head.client) == ("https", "q=%20", "192.0.2.7")
    assert head.cookies == "a=1; b=2"
    assert head.header("Cookie") == "a=1; b=2"
    assert (head.header("X-Twice"), head.header("Host")) == ("1,2", "shop.example")
    assert head.header("X-None") is None


def test_optional_keys_of_a_scope_may_be_missing() -> None:
    """Few keys of a scope are required; the others may be missing."""
    head = ScopeHead({"type": "http", "path": "/", "headers": []})

    assert (head.scheme, head.path, head.query, head.client) == ("http", "/", "", None)
    assert head.cookies == ""


@pytest.mark.parametrize(
    ("root", "path", "asked"),
    [
        ("", "/a", "/a"),
        ("/shop", "/shop/a", "/shop/a"),
        ("/shop", "/shop", "/shop"),
        ("/shop", "/a", "/shop/a"),
        ("/shop", "/shopping", "/shop/shopping"),
        ("/shop/", "/shop/a", "/shop/a"),
        ("", "/ż", "/\xc5\xbc"),
    ],
)
def test_the_path_is_that_of_the_client(root: str, path: str, asked: str) -> None:
    """The path has the mount prefix once, and one character for each byte, as under WSGI."""
    assert ScopeHead({"root_path": root, "path": path}).path == asked


@pytest.mark.parametrize(
    ("path", "cookies"), [("/shop", 1), ("/shop/a", 1), ("/shopping", 0), ("/", 0)]
)
def test_the_cookies_path_counts(path: str, cookies: int) -> None:
    """A request outside of the cookie's path has no session."""
    container = a_container(cookie=CookieSettings(path="/shop"))
    middleware = SessionMiddleware(counts, container)

    assert len(visit(middleware, path=path).set_cookies) == cookies


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_the_cookie_is_secure_where_the_request_is(scheme: str) -> None:
    """Over https, the cookie is Secure and has the name with the `__Host-` prefix."""
    middleware = SessionMiddleware(counts, a_container())

    answer = visit(middleware, scheme=scheme)

    assert answer.cookie.startswith("__Host-session=" if scheme == "https" else "session=")


def test_a_token_in_the_second_cookie_header_is_found() -> None:
    """HTTP/2 may send a header for each cookie."""
    middleware = SessionMiddleware(counts, a_container())
    first = visit(middleware)

    second = visit(middleware, first.cookie, headers=[(b"cookie", b"theme=dark")])

    assert second.set_cookies == []


async def fails(scope: Scope, receive: Receive, send: Send) -> None:
    """Write to the session, and fail."""
    scope["session"]["visits"] = 1
    raise LookupError("of the application")


@pytest.mark.parametrize("app", [counts, fails])
def test_a_request_leaves_nothing_to_the_garbage_collector(app: ASGIApp) -> None:
    """The objects in the scope are freed at once when the request ends."""

    class Marker:
        pass

    middleware = SessionMiddleware(app, a_container())

    async def work() -> object:
        marker = Marker()
        seen = weakref.ref(marker)
        with suppress(LookupError):
            await serve(middleware, state=marker)
        del marker
        return seen()

    gc.disable()
    try:
        left = asyncio.run(work())
    finally:
        gc.enable()

    assert left is None
