"""What a response can do to the session while it streams."""

from collections.abc import Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from sessions import CookieSettings, MemoryStore, SessionClosed, SessionContainer
from sessions.wsgi import EnvironHead, SessionMiddleware
from tests.support.applications import TEXT
from tests.support.apps import KEY, Handler, everything, session_of, untouched, writes
from tests.support.gateway import Reply, serve
from tests.support.watched import WatchedStore


class StreamingSite:
    """Serve responses that run one handler before each of their chunks."""

    def __init__(self, **settings: Any) -> None:
        self.store = WatchedStore(MemoryStore())
        container = SessionContainer(keys=[KEY], store=self.store, **settings)
        self.middleware = SessionMiddleware(self._app, container)

    def visit(self, *steps: Handler, cookie: str = "", status: str = "200 OK") -> Reply:
        """Send a request whose response takes these steps."""
        return serve(self.middleware, HTTP_COOKIE=cookie, steps=steps, status=status)

    def holds(self, cookie: str) -> dict[str, Any]:
        """Return all that the session of the cookie holds."""
        return dict(session_of(self.middleware.manager, cookie))

    def _app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response(environ["status"], TEXT)
        for step in environ["steps"]:
            step(environ["sessions.session"])
            yield b"."


@pytest.fixture
def streaming() -> StreamingSite:
    """Return a site whose responses stream."""
    return StreamingSite()


LATE: dict[str, Handler] = {
    "set": writes(b=2),
    "delete": lambda session: session.__delitem__("a"),
    "clear": lambda session: session.clear(),
    "pop": lambda session: session.pop("a"),
    "timeout": lambda session: setattr(session, "timeout", session.timeout),
    "regenerate": lambda session: session.regenerate(),
    "destroy": lambda session: session.destroy(),
    "save": lambda session: session.save(),
    "reload": lambda session: session.reload(),
}
READS: dict[str, Handler] = {"get": lambda session: session.get("a"), "len": len, "all": everything}


def test_changes_before_the_first_byte_are_saved(streaming: StreamingSite) -> None:
    """A generator runs up to its first byte before the headers leave."""
    reply = streaming.visit(writes(a=1), untouched)

    assert streaming.holds(reply.cookie) == {"a": 1}
    assert reply.body == b".."


@pytest.mark.parametrize("late", LATE.values(), ids=LATE)
def test_changes_after_the_first_byte_are_refused(streaming: StreamingSite, late: Handler) -> None:
    """The change raises SessionClosed, and the store does not change."""
    with pytest.raises(SessionClosed, match=r"before the first byte of the response body"):
        streaming.visit(writes(a=1), late)

    assert streaming.store.calls == ["create"]


@pytest.mark.parametrize("late", (LATE | READS).values(), ids=LATE | READS)
def test_a_first_use_after_the_first_byte_is_refused(
    streaming: StreamingSite, late: Handler
) -> None:
    """A read is refused, too, because the sent headers have no Vary."""
    with pytest.raises(SessionClosed):
        streaming.visit(untouched, late)

    assert streaming.store.calls == []


def test_reading_goes_on_while_the_response_streams(streaming: StreamingSite) -> None:
    """All loaded values can be read, even for the first time."""
    cookie = streaming.visit(writes(a=1, list=[1])).cookie
    seen: list[dict[str, Any]] = []

    streaming.visit(READS["get"], lambda session: seen.append(everything(session)), cookie=cookie)

    assert seen == [{"a": 1, "list": [1]}]


@pytest.mark.parametrize("late", [2, object()], ids=["another value", "one that cannot be saved"])
def test_a_late_change_of_a_nested_value_is_logged(
    streaming: StreamingSite, late: object, caplog: pytest.LogCaptureFixture
) -> None:
    """The change raises no error, so the log names its key, but not its value."""
    reply = streaming.visit(
        writes(list=["secret"], other=[]), lambda session: session["list"].append(late)
    )

    assert streaming.holds(reply.cookie) == {"list": ["secret"], "other": []}
    (record,) = caplog.records
    assert record.getMessage().startswith(
        "changes came after the response headers, so they are lost: ["
    )
    assert "'list'" in record.getMessage()
    assert "other" not in record.getMessage()
    assert "secret" not in record.getMessage()


@pytest.mark.parametrize("status", ["200 OK", "500 Oh"])
@pytest.mark.parametrize("first", [writes(a=1), untouched])
def test_only_late_changes_are_logged(
    streaming: StreamingSite, first: Handler, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Saved changes and the discarded changes of a failed response are not late."""
    cookie = streaming.visit(writes(a=0)).cookie

    streaming.visit(first, untouched, status=status)
    streaming.visit(first, untouched, status=status, cookie=cookie)

    assert caplog.records == []


def test_a_session_lost_over_plain_http_is_not_reported_as_late(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """There is one report, about the session that the client could not get."""
    streaming = StreamingSite(cookie=CookieSettings(secure=True))

    streaming.visit(writes(a=1), untouched)

    (record,) = caplog.records
    assert record.getMessage().startswith("session insecure: ")


def test_a_late_change_is_neither_checked_nor_forgotten(
    streaming: StreamingSite, caplog: pytest.LogCaptureFixture
) -> None:
    """The log still names the late change after check() and discard()."""
    manager = streaming.middleware.manager
    session = manager.open(EnvironHead({"wsgi.url_scheme": "http"}))
    session["list"] = [1]
    manager.close(session)

    session["list"].append(object())
    manager.check(session)
    manager.discard(session)
    manager.report_late_changes(session)

    assert "changes came after the response headers, so they are lost" in caplog.text
