"""Clients that send a token in any way, and each middleware that can serve them."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import Client as WsgiClient

from framework import (
    Application,
    Request,
    Response,
    component,
    configuration,
    controller,
    get,
    post,
    session,
)
from framework.results import encode_json
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
    """One way for a token: how a client sends it, and how the client receives a new one."""

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


def _from_link(answer: Answer) -> str | None:
    link = (answer.value or {}).get("link")
    return None if link is None else link.partition("wSession=")[2].partition("#")[0]


URL = Way("URL", lambda token: Sent(query=f"x=1&wSession={token}&y=2"), _from_link)
FORM = Way("form", lambda token: Sent(form=f"x=1&wSession={token}&y=2"), _from_link)


def act(verb: str, session: Any, seen: dict[str, str]) -> dict[str, Any]:
    """Do a verb with a session, and tell what the session has then.

    `seen` is the query and the form that the application sees.
    """
    if verb == "count":
        session["n"] = session.get("n", 0) + 1
    elif verb == "login":
        session.set_user("ada")
    elif verb == "regenerate":
        session.regenerate()
    elif verb == "logout":
        session.destroy()
    elif verb == "much":
        session["text"] = "x" * 8000
    elif verb == "only rewrite":
        return _in_links(session)
    elif verb == "bad link":
        session.rewrite(7)
    elif verb in ("untouched", "weak policy"):
        return {}
    told = {"n": session.get("n"), "user": session.user_id, "seen": seen}
    if verb == "links":
        session["n"] = 1
        told["links"] = [session.rewrite(url) for url in OWN_AND_FOREIGN]
    return told | _in_links(session)


def _in_links(session: Any) -> dict[str, str]:
    return {"link": session.rewrite("/next#top"), "field": f"{session.hidden_input()}"}


OWN_AND_FOREIGN = (
    "http://shop.example/a", "//shop.example:80/a", "https://shop.example/a", "//evil.example/a",
)  # fmt: skip

WEAK = ("Referrer-Policy", "unsafe-url")
"""The header of an application that would tell its URLs to everybody."""


@dataclass
class Server:
    """A middleware with its application; `ask` sends one request."""

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
        verb = environ["PATH_INFO"].strip("/")
        form = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
        given = {"query": environ["QUERY_STRING"], "form": form}
        seen.append(act(verb, environ["sessions.session"], given))
        headers = [("Content-Type", "text/plain"), *([WEAK] if verb == "weak policy" else [])]
        start_response("200 OK", headers)
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
        if verb not in ("untouched", "weak policy", "only rewrite"):
            await scope["session"].load()
        form, more = b"", True
        while more:
            message = await receive()
            form, more = form + message["body"], message["more_body"]
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        if lengths and int(lengths[0]) != len(form):
            raise ValueError("the length of the body is wrong")
        given = {"query": scope["query_string"].decode(), "form": form.decode()}
        scope["tests.seen"].append(act(verb, scope["session"], given))
        weak = [(WEAK[0].lower().encode(), WEAK[1].encode())] if verb == "weak policy" else []
        await send({"type": "http.response.start", "status": 200, "headers": weak})
        await send({"type": "http.response.body", "body": b"done"})

    middleware = AsgiMiddleware(app, container)
    with asyncio.Runner() as runner:

        async def ask(verb: str, sent: Sent) -> Answer:
            exchange, seen = Exchange(), list[Any]()
            headers = {name.lower(): value for name, value in sent.headers.items()}
            more: dict[str, Any] = {"method": "GET", "tests.seen": seen}
            if sent.form:
                headers["content-type"] = "application/x-www-form-urlencoded"
                headers["content-length"] = f"{len(sent.form)}"
                half = len(sent.form) // 2
                exchange.incoming[0] = {**exchange.incoming[0], "more_body": True}
                exchange.incoming[0]["body"] = sent.form[:half].encode()
                rest = {"type": "http.request", "body": sent.form[half:].encode()}
                exchange.incoming.append({**rest, "more_body": False})
                more["method"] = "POST"
            scope = request_scope(
                path=f"/{verb}",
                query_string=sent.query.encode(),
                headers=[(name.encode(), value.encode()) for name, value in headers.items()],
                **more,
            )
            if "host" in headers:
                scope["headers"].remove((b"host", b"shop.example"))
            await middleware(scope, exchange.receive, exchange.send)
            return exchange.answer(seen[0] if seen else None)

        yield lambda verb, sent: runner.run(ask(verb, sent))


@contextmanager
def _framework(container: SessionContainer) -> Iterator[Callable[[str, Sent], Answer]]:
    @controller("/")
    class Verbs:
        @get("/<verb>")
        @post("/<verb>")
        def run(self, verb: str, session: session, request: Request) -> Response:
            given = {
                "query": request.query_string.decode(),
                "form": request.get_data().decode() if request.method == "POST" else "",
            }
            value = act(verb, session, given)
            return Response(
                encode_json(value),
                headers=[WEAK] if verb == "weak policy" else [],
                content_type="application/json",
            )

    @configuration
    class Sessions:
        @component
        def session_container(self) -> SessionContainer:
            return container

    with Application(Verbs, Sessions).test() as client:
        plain = WsgiClient(client.app, use_cookies=False)
        yield lambda verb, sent: _asked(plain, verb, sent, lambda response: response.json)


EDGES = {"WSGI": _wsgi, "ASGI": _asgi, "framework": _framework}
