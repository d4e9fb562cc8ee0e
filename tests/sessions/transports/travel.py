"""Clients that carry a token in any way, and each edge that can serve them."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import Client as WsgiClient

from framework import Application, component, configuration, controller, get, post, session
from sessions import MemoryStore, SessionContainer, SessionEvent
from sessions.asgi import Receive, Scope, Send
from sessions.asgi import SessionMiddleware as AsgiMiddleware
from sessions.wsgi import SessionMiddleware
from tests.sessions.asgi.server import Exchange, request_scope
from tests.support.apps import KEY, Answer, told_of


@dataclass(frozen=True)
class Sent:
    """What one request carries besides its path."""

    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""
    form: str = ""


@dataclass(frozen=True)
class Way:
    """One way for a token: how a client sends it, and how it learns of another."""

    name: str
    send: Callable[[str], Sent]
    receive: Callable[[Answer], str | None]


def _from_cookie(answer: Answer) -> str | None:
    found = [text for text in answer.set_cookies if text.startswith("session=")]
    return found[-1].partition("=")[2].partition(";")[0] if found else None


def _from_header(name: str) -> Callable[[Answer], str | None]:
    def receive(answer: Answer) -> str | None:
        found = answer.all(name)
        return found[-1].removeprefix("Bearer ") if found else None

    return receive


COOKIE = Way("cookie", lambda token: Sent({"Cookie": f"session={token}"}), _from_cookie)
HEADER = Way("header", lambda token: Sent({"X-Session-Id": token}), _from_header("X-Session-Id"))
BEARER = Way(
    "bearer",
    lambda token: Sent({"Authorization": f"Bearer {token}"}),
    _from_header("Authorization"),
)


def act(verb: str, session: Any) -> dict[str, Any]:
    """Do a verb with a session, and tell what the session has then."""
    if verb == "count":
        session["n"] = session.get("n", 0) + 1
    elif verb == "login":
        session.set_user("ada")
    elif verb == "regenerate":
        session.regenerate()
    elif verb == "logout":
        session.destroy()
    elif verb == "untouched":
        return {}
    return {"n": session.get("n"), "user": session.user_id}


@dataclass
class Server:
    """An edge with its application: `ask` sends one request."""

    ask: Callable[[str, Sent], Answer]
    events: list[SessionEvent]

    @property
    def told(self) -> list[str]:
        """Return the kinds of all events."""
        return told_of(self.events)


@contextmanager
def serve(edge: str, **settings: Any) -> Iterator[Server]:
    """Serve the verbs of `act` over an edge."""
    events: list[SessionEvent] = []
    settings = {"keys": [KEY], "listeners": [events.append], "store": MemoryStore(), **settings}
    with EDGES[edge](SessionContainer(**settings)) as ask:
        yield Server(ask, events)


@contextmanager
def _wsgi(container: SessionContainer) -> Iterator[Callable[[str, Sent], Answer]]:
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(act(environ["PATH_INFO"].strip("/"), environ["sessions.session"]))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"done"]

    client = WsgiClient(SessionMiddleware(app, container), use_cookies=False)
    yield lambda verb, sent: _asked(client, verb, sent, lambda _: seen.pop())


def _asked(client: WsgiClient, verb: str, sent: Sent, value: Callable[[Any], Any]) -> Answer:
    options: dict[str, Any] = {"headers": sent.headers, "query_string": sent.query}
    if sent.form:
        form = "application/x-www-form-urlencoded"
        options |= {"method": "POST", "data": sent.form, "content_type": form}
    response = client.open(f"/{verb}", buffered=True, **options)
    found = value(response) if response.status_code == 200 else None
    return Answer(response.status_code, list(response.headers), response.data, found)


@contextmanager
def _asgi(container: SessionContainer) -> Iterator[Callable[[str, Sent], Answer]]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        verb = scope["path"].strip("/")
        if verb != "untouched":
            await scope["session"].load()
        scope["tests.seen"].append(act(verb, scope["session"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    middleware = AsgiMiddleware(app, container)
    with asyncio.Runner() as runner:

        async def ask(verb: str, sent: Sent) -> Answer:
            exchange, seen = Exchange(), list[Any]()
            headers = {name.lower(): value for name, value in sent.headers.items()}
            more: dict[str, Any] = {"method": "GET", "tests.seen": seen}
            if sent.form:
                headers["content-type"] = "application/x-www-form-urlencoded"
                exchange.incoming[0]["body"] = sent.form.encode()
                more["method"] = "POST"
            scope = request_scope(
                path=f"/{verb}",
                query_string=sent.query.encode(),
                headers=[(name.encode(), value.encode()) for name, value in headers.items()],
                **more,
            )
            await middleware(scope, exchange.receive, exchange.send)
            return exchange.answer(seen[0] if seen else None)

        yield lambda verb, sent: runner.run(ask(verb, sent))


@contextmanager
def _framework(container: SessionContainer) -> Iterator[Callable[[str, Sent], Answer]]:
    @controller("/")
    class Verbs:
        @get("/<verb>")
        @post("/<verb>")
        def run(self, verb: str, session: session) -> dict[str, Any]:
            return act(verb, session)

    @configuration
    class Sessions:
        @component
        def session_container(self) -> SessionContainer:
            return container

    with Application(Verbs, Sessions).test() as client:
        plain = WsgiClient(client.app, use_cookies=False)
        yield lambda verb, sent: _asked(plain, verb, sent, lambda response: response.json)


EDGES = {"WSGI": _wsgi, "ASGI": _asgi, "framework": _framework}
