"""Sessions of WebSockets: saved with the handshake, or with the refusal of the connection."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from sessions import AsyncSession, SessionClosed, StoreUnavailable
from sessions.asgi import Message, Receive, Scope, Send, SessionMiddleware, session_of
from sessions.testing import ManualClock
from tests.sessions.asgi.server import Exchange, request_scope, text_headers
from tests.sessions.asgi.site import AsgiBrowser, AsgiSite, leaves_alone

App = Callable[[Scope, Receive, Send], Any]

ACCEPT: Message = {"type": "websocket.accept", "headers": [(b"x-own", b"1")]}
CLOSE: Message = {"type": "websocket.close", "code": 1008}
DENIAL: dict[str, Any] = {"extensions": {"websocket.http.response": {}}}


def connect(browser: AsgiBrowser, app: App, **more: Any) -> list[Message]:
    """Open a WebSocket of the browser; return what the application sent."""
    exchange = Exchange(incoming=[{"type": "websocket.connect"}])
    sent: list[Message] = []

    async def send(message: Message) -> None:
        await asyncio.sleep(0)
        sent.append(message)

    scope = request_scope(browser.cookie, **{"type": "websocket", "scheme": "ws", **more})
    middleware = SessionMiddleware(app, browser.site.container)
    browser.site.run(middleware(scope, exchange.receive, send))
    return sent


def that(
    before: Callable[[Any], Any], answer: Message, after: Callable[[Any], Any] = leaves_alone
) -> App:
    """Make an application that runs one function before it accepts, and one after."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        before(scope["session"])
        await send(answer)
        later = after(scope["session"])
        if later is not None:
            await later

    return app


def cookie_of(message: Message) -> str:
    """Return the one cookie that a message sets."""
    (text,) = [value for name, value in text_headers(message) if name == "set-cookie"]
    return text.partition(";")[0]


# Accepted


def test_a_new_session_leaves_with_the_handshake(site: AsgiSite) -> None:
    """The handshake has the cookie and the application's own headers."""
    browser = site.browser()

    (accept,) = connect(browser, that(lambda session: session.update(a=1), ACCEPT))

    browser.cookie = cookie_of(accept)
    assert ("x-own", "1") in text_headers(accept)
    assert browser.holds() == {"a": 1}


def test_an_untouched_session_leaves_nothing(customer: AsgiBrowser, clock: ManualClock) -> None:
    """A handshake that does not use its session sends no header and writes no touch."""
    clock.advance(3600)

    assert connect(customer, that(leaves_alone, ACCEPT)) == [ACCEPT]
    assert customer.site.store.writes == []


def test_a_logout_holds_where_the_connection_then_fails(customer: AsgiBrowser) -> None:
    """A failed connection does not undo the logout."""

    def fails(session: AsyncSession) -> None:
        session.destroy()
        raise LookupError("of the application")

    with pytest.raises(LookupError):
        connect(customer, that(leaves_alone, ACCEPT, fails))

    assert customer.holds() == {}


def test_a_stored_session_can_be_saved_while_the_connection_lasts(customer: AsgiBrowser) -> None:
    """save() stores the changes at once."""
    held: list[dict[str, Any]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        scope["session"]["b"] = 2
        await scope["session"].save()
        async with scope["sessions.manager"].get(scope["session"].id) as other:
            held.append(other.copy())

    connect(customer, app)

    assert held == [{"a": 1, "b": 2}]


def test_a_stored_session_is_saved_when_the_connection_ends(customer: AsgiBrowser) -> None:
    """Changes are saved at the end without save()."""
    connect(customer, that(leaves_alone, ACCEPT, lambda session: session.update(b=2)))

    assert customer.holds() == {"a": 1, "b": 2}


def test_an_exception_discards_unsaved_changes(customer: AsgiBrowser) -> None:
    """A logout before the exception is still carried out."""

    def fails(session: Any) -> None:
        session["b"] = 2
        raise LookupError("of the application")

    with pytest.raises(LookupError):
        connect(customer, that(leaves_alone, ACCEPT, fails))

    assert customer.holds() == {"a": 1}


def test_a_session_can_be_ended_while_the_connection_lasts(customer: AsgiBrowser) -> None:
    """The client keeps a cookie that has no session."""
    connect(customer, that(leaves_alone, ACCEPT, lambda session: session.destroy()))

    assert customer.holds() == {}


@pytest.mark.parametrize(
    "late",
    [lambda session: session.regenerate(), lambda session: session.set_user("ada")],
    ids=["regenerate", "set_user"],
)
def test_no_id_changes_after_the_handshake(
    customer: AsgiBrowser, late: Callable[[Any], Any]
) -> None:
    """The client could not learn a new id."""
    with pytest.raises(SessionClosed, match="headers of the handshake were sent already"):
        connect(customer, that(leaves_alone, ACCEPT, late))

    assert customer.holds() == {"a": 1}


def test_a_new_session_after_the_handshake_is_not_stored(site: AsgiSite) -> None:
    """No answer could send its cookie, and an event says so."""
    connect(site.browser(), that(leaves_alone, ACCEPT, lambda session: session.update(a=1)))

    assert site.store.writes == []
    assert site.told == ["gone"]


def test_a_session_outlives_a_store_failure_during_the_connection(customer: AsgiBrowser) -> None:
    """After a failed use, the next use asks the store again."""
    store = customer.site.store

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        store.broken = {"commit"}
        scope["session"]["b"] = 2
        with pytest.raises(StoreUnavailable):
            await scope["session"].save()
        store.broken = set()
        await scope["session"].save()

    connect(customer, app)

    assert customer.holds() == {"a": 1, "b": 2}


# Refused


def test_a_refusal_keeps_the_changes_of_a_stored_session(customer: AsgiBrowser) -> None:
    """A refusal is a 403, and a login throttle can count it."""
    sent = connect(customer, that(lambda session: session.update(b=2), CLOSE))

    assert sent == [CLOSE]
    assert customer.holds() == {"a": 1, "b": 2}


def test_a_refusal_carries_headers_where_the_server_can_send_them(site: AsgiSite) -> None:
    """The 403 has the cookie of a new session."""
    browser = site.browser()

    start, body = connect(browser, that(lambda session: session.update(a=1), CLOSE), **DENIAL)

    browser.cookie = cookie_of(start)
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 403)
    assert body == {"type": "websocket.http.response.body", "body": b""}
    assert browser.holds() == {"a": 1}


def test_a_refusal_without_headers_stores_no_new_session(site: AsgiSite) -> None:
    """No answer could send its cookie, and an event says so."""
    sent = connect(site.browser(), that(lambda session: session.update(a=1), CLOSE))

    assert sent == [CLOSE]
    assert site.store.writes == []
    assert site.told == ["gone"]


def test_a_refusal_without_headers_changes_no_id(customer: AsgiBrowser) -> None:
    """The client would lose its session."""
    connect(customer, that(lambda session: session.regenerate(), CLOSE))

    assert customer.holds() == {"a": 1}


@pytest.mark.parametrize("extensions", [{}, DENIAL], ids=["bare", "with headers"])
def test_a_refusal_may_be_a_logout(customer: AsgiBrowser, extensions: dict[str, Any]) -> None:
    """The session ends, whether or not the client gets the headers."""
    connect(customer, that(lambda session: session.destroy(), CLOSE), **extensions)

    assert customer.holds() == {}


def test_a_refusal_of_the_applications_own_is_a_response(site: AsgiSite) -> None:
    """The session is saved before the headers of the application's own refusal leave."""
    browser = site.browser()
    denial: Message = {"type": "websocket.http.response.start", "status": 401, "headers": []}

    (start,) = connect(browser, that(lambda session: session.update(a=1), denial), **DENIAL)

    browser.cookie = cookie_of(start)
    assert start["status"] == 401
    assert browser.holds() == {"a": 1}


# A broken store


BROKEN: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "load": ("load", lambda session: session.get("a")),
    "commit": ("commit", lambda session: session.update(b=2)),
}


@pytest.mark.parametrize("answer", [ACCEPT, CLOSE], ids=["accepted", "refused"])
@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_store_is_a_503(customer: AsgiBrowser, broken: str, answer: Message) -> None:
    """The connection gets a 503 if the server can send a response to a refusal."""
    verb, act = BROKEN[broken]
    customer.site.store.broken = {verb}

    start, body = connect(customer, that(act, answer), **DENIAL)

    assert start["status"] == 503
    assert ("retry-after", "1") in text_headers(start)
    assert body["body"] == b"Service Unavailable\n"


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_store_refuses_the_connection(customer: AsgiBrowser, broken: str) -> None:
    """A server that cannot send a 503 closes the connection."""
    verb, act = BROKEN[broken]
    customer.site.store.broken = {verb}

    (close,) = connect(customer, that(act, ACCEPT))

    assert (close["type"], close["code"]) == ("websocket.close", 1013)


def test_an_application_that_gives_up_leaves_the_session_alone(customer: AsgiBrowser) -> None:
    """An application that neither accepts nor refuses changes no session."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["session"]["b"] = 2

    assert connect(customer, app) == []
    assert customer.holds() == {"a": 1}


# Starlette


def test_starlette_serves_a_websocket(site: AsgiSite) -> None:
    """Starlette accepts with a cookie, refuses with a cookie, and reads the session next time."""

    async def endpoint(websocket: WebSocket) -> None:
        session = session_of(websocket)
        session["visits"] = session.get("visits", 0) + 1
        if websocket.query_params.get("refuse"):
            return await websocket.close(1008)
        await websocket.accept()
        await websocket.send_json(session.copy())
        return await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    app.add_middleware(SessionMiddleware, container=site.container)
    client = TestClient(app)
    with client.websocket_connect("/") as first:
        assert first.receive_json() == {"visits": 1}

    client.cookies["session"] = cookie_of({"headers": first.extra_headers}).partition("=")[2]
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/?refuse=1"):
        pass
    with client.websocket_connect("/") as third:
        assert third.receive_json() == {"visits": 3}

    assert isinstance(refused.value, WebSocketDenialResponse)
    assert refused.value.status_code == 403
