"""An ASGI server as a function: it sends one request and returns what a client would see."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sessions.asgi import ASGIApp, Message, Scope
from tests.support.apps import Answer


def request_scope(cookie: str = "", **more: Any) -> Scope:
    """Make the scope of a request; `headers` come before the cookie, the rest replaces keys."""
    headers = [(b"host", b"shop.example"), *more.pop("headers", [])]
    if cookie:
        headers.append((b"cookie", cookie.encode("latin-1")))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": ("192.0.2.7", 4711),
        "server": ("shop.example", 80),
        "extensions": {},
    } | more


@dataclass
class Exchange:
    """Be the server's side of one request; hold it to the rules of ASGI."""

    incoming: list[Message] = field(
        default_factory=lambda: [{"type": "http.request", "body": b"", "more_body": False}]
    )
    sent: list[Message] = field(default_factory=list)
    client_left: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Message:
        """Give the application the next message; after the last, wait until the client leaves."""
        if self.incoming:
            return self.incoming.pop(0)
        await self.client_left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a message of the application; another task may run meanwhile, as at a server."""
        await asyncio.sleep(0)
        if message["type"] == "http.response.start":
            if "http.response.start" in self.types:
                raise RuntimeError("http.response.start was sent twice")
            check_headers(message.get("headers", ()))
        elif message["type"].startswith("http.response.") and not self.types:
            raise RuntimeError(f"{message['type']} was sent before http.response.start")
        self.sent.append(message)

    @property
    def types(self) -> list[str]:
        """Return the types of what was sent."""
        return [message["type"] for message in self.sent]

    def answer(self, value: Any = None) -> Answer:
        """Return what the client saw, if the response is complete."""
        start = next(message for message in self.sent if message["type"].endswith(".start"))
        body = b"".join(message.get("body", b"") for message in self.sent)
        assert not self.sent[-1].get("more_body", False)
        return Answer(start["status"], text_headers(start), body, value)


async def serve(app: ASGIApp, cookie: str = "", **more: Any) -> Answer:
    """Send a request and read the whole response; raise an exception of the application."""
    exchange = Exchange()
    await app(request_scope(cookie, **more), exchange.receive, exchange.send)
    return exchange.answer()


async def attempt(app: ASGIApp, cookie: str = "", **more: Any) -> tuple[Answer, Exception | None]:
    """Send a request as a server does; return what the client saw and what was logged."""
    exchange, logged = Exchange(), None
    try:
        await app(request_scope(cookie, **more), exchange.receive, exchange.send)
    # A server logs whatever it is.
    except Exception as error:  # noqa: BLE001
        logged = error
    if not exchange.sent:
        return Answer(500, [], b"the server's own", None), logged
    return exchange.answer(), logged


def text_headers(message: Message) -> list[tuple[str, str]]:
    """Return the headers of a message as text."""
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in message.get("headers", ())
    ]


def check_headers(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Check that headers are bytes, and that their names are in lower case."""
    for name, value in headers:
        if type(name) is not bytes or type(value) is not bytes or name != name.lower():
            raise RuntimeError(f"{name!r}: {value!r} is no header of ASGI")
