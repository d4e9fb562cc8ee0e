"""What a response over ASGI can do to the session after its headers have left."""

from collections.abc import Callable
from typing import Any

import pytest

from sessions import AsyncSession, SessionClosed
from sessions.asgi import Message, Receive, Scope, Send, SessionMiddleware
from tests.sessions.asgi.server import Exchange, request_scope, serve
from tests.sessions.asgi.site import AsgiBrowser, AsgiHandler, AsgiSite


def sets(**values: object) -> AsgiHandler:
    """Make a handler that sets the values."""
    return lambda session: session.update(values)


def leaves_alone(session: AsyncSession) -> None:
    """Touch nothing."""


def reads(session: AsyncSession) -> Any:
    """Return one value."""
    return session.get("a")


LATE: dict[str, Callable[[AsyncSession], Any]] = {
    "set": lambda session: session.update(b=2),
    "clear": lambda session: session.clear(),
    "regenerate": lambda session: session.regenerate(),
    "destroy": lambda session: session.destroy(),
    "save": lambda session: session.save(),
    "reload": lambda session: session.reload(),
    "increment": lambda session: session.increment("a"),
}


def streaming(*steps: AsgiHandler) -> Callable[[Scope, Receive, Send], Any]:
    """Make an application that runs one step before each chunk."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await _awaited(steps[0](scope["session"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for step in steps[1:]:
            await _awaited(step(scope["session"]))
            await send({"type": "http.response.body", "body": b".", "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app


async def _awaited(value: Any) -> None:
    if hasattr(value, "__await__"):
        await value


def test_a_stream_leaves_with_the_session_saved(site: AsgiSite) -> None:
    """Each chunk leaves after the headers of the session."""
    app = SessionMiddleware(streaming(sets(a=1), leaves_alone, leaves_alone), site.container)

    answer = site.run(serve(app))

    assert answer.body == b".."
    assert AsgiBrowser(site, answer.cookie).holds() == {"a": 1}


@pytest.mark.parametrize("late", LATE.values(), ids=LATE)
def test_a_change_after_the_headers_is_refused(
    site: AsgiSite, late: Callable[[AsyncSession], Any]
) -> None:
    """The change raises SessionClosed, and the store does not change."""
    app = SessionMiddleware(streaming(sets(a=1), late), site.container)

    with pytest.raises(SessionClosed, match="headers of its response were sent"):
        site.run(serve(app))

    assert site.store.calls == ["create"]


def test_reading_goes_on_after_the_headers(customer: AsgiBrowser) -> None:
    """Loaded values can still be read."""
    seen: list[object] = []
    app = SessionMiddleware(
        streaming(reads, lambda session: seen.append(session.copy())), customer.site.container
    )

    customer.site.run(serve(app, customer.cookie))

    assert seen == [{"a": 1}]


def test_a_nested_change_after_the_headers_is_logged(
    site: AsgiSite, caplog: pytest.LogCaptureFixture
) -> None:
    """A nested change raises no error, so the log names its key at the end."""
    app = SessionMiddleware(
        streaming(sets(cart=[]), lambda session: session["cart"].append(1)), site.container
    )

    site.run(serve(app))

    assert "changes came after the response headers, so they are lost: ['cart']" in caplog.text


def test_a_write_while_the_commit_runs_is_refused(site: AsgiSite) -> None:
    """The session closes before the commit, so no write can be lost."""
    found: list[AsyncSession] = []
    refused: list[bool] = []

    def writes_meanwhile() -> None:
        try:
            found[0]["late"] = 1
        except SessionClosed:
            refused.append(True)

    async def handler(session: AsyncSession) -> None:
        found.append(session)
        session["a"] = 1
        site.store.before["create"] = writes_meanwhile

    answer = site.visit(handler)

    assert refused == [True]
    assert AsgiBrowser(site, answer.cookie).holds() == {"a": 1}


def test_messages_of_other_types_pass(site: AsgiSite) -> None:
    """Early hints, files and trailers are passed on."""
    messages: list[Message] = [
        {"type": "http.response.start", "status": 200, "headers": []},
        {"type": "http.response.pathsend", "path": "/srv/page"},
        {"type": "http.response.trailers", "headers": [], "more_trailers": False},
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["session"]["a"] = 1
        await send({"type": "http.response.debug", "info": {}})
        for message in messages:
            await send(message)

    class Tolerant(Exchange):
        async def send(self, message: Message) -> None:
            self.sent.append(message)

    exchange = Tolerant()
    site.run(
        SessionMiddleware(app, site.container)(request_scope(), exchange.receive, exchange.send)
    )

    assert exchange.types == ["http.response.debug", *[message["type"] for message in messages]]
    assert messages[0]["headers"] == []
