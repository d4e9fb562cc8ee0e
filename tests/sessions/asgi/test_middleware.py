"""The ASGI middleware: what it puts into the scope, reads from it, and passes on."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import trio
from starlette.requests import HTTPConnection, Request

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    ConfigurationError,
    MemoryStore,
    SessionClosed,
    SessionContainer,
    SessionError,
)
from sessions.asgi import (
    ASGIApp,
    Message,
    Receive,
    Scope,
    Send,
    SessionMiddleware,
    session_of,
)
from tests.sessions.asgi.server import Exchange, attempt, request_scope, serve
from tests.support.apps import KEY, Answer
from tests.support.suspending_store import SuspendingStore


def a_container(**settings: Any) -> SessionContainer:
    """Return a container with a store of its own."""
    return SessionContainer(keys=[KEY], **settings)


async def says_fine(send: Send, status: int = 200, headers: Any = ()) -> None:
    """Send a whole response."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"fine"})


def app_that(act: Callable[[Scope], Any], **answer: Any) -> ASGIApp:
    """Make an application that acts on its scope, and answers."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        act(scope)
        await says_fine(send, **answer)

    return app


def visit(app: ASGIApp, cookie: str = "", **more: Any) -> Answer:
    """Send one request on an event loop of its own."""
    return asyncio.run(serve(app, cookie, **more))


# Construction


def test_the_application_comes_first() -> None:
    """Arguments in the wrong order are an error that says what to write and shows no key."""
    with pytest.raises(TypeError, match=r"SessionMiddleware\(app, container=") as caught:
        SessionMiddleware(a_container(), says_fine)  # type: ignore[arg-type]

    assert KEY not in str(caught.value)


def test_an_unknown_value_of_load_is_refused() -> None:
    """The error names the values that `load` can have."""
    with pytest.raises(ConfigurationError, match=r"load='lazy' is unknown. Fix: give \"eager\" or"):
        SessionMiddleware(app_that(len), a_container(), load="lazy")  # type: ignore[arg-type]


# The scope


def test_the_scope_holds_the_session_and_its_manager() -> None:
    """The session has the key that frameworks know, and a key of this package."""
    seen: list[Any] = []
    middleware = SessionMiddleware(app_that(seen.append), a_container())

    visit(middleware)

    assert isinstance(seen[0]["session"], AsyncSession)
    assert seen[0]["sessions.manager"] is middleware.manager
    assert isinstance(middleware.manager, AsyncSessionManager)


def test_session_of_takes_a_request_and_a_scope() -> None:
    """`session_of` returns the session for a scope, a request and a connection."""
    seen: list[Any] = []

    def look(scope: Scope) -> None:
        connections = [scope, Request(scope), HTTPConnection(scope)]
        seen.extend(session_of(connection) is scope["session"] for connection in connections)

    visit(SessionMiddleware(app_that(look), a_container()))

    assert seen == [True, True, True]


@pytest.mark.parametrize("session", [None, {}])
def test_session_of_a_scope_without_one_names_the_remedy(session: object) -> None:
    """The scope has no session if there is no middleware, or another middleware."""
    with pytest.raises(SessionError, match=r"Fix: add SessionMiddleware\(app"):
        session_of({"type": "http", "session": session})


def test_a_second_middleware_of_the_same_container_does_nothing() -> None:
    """There is one session and one cookie."""
    container = a_container()
    inner = SessionMiddleware(app_that(lambda scope: scope["session"].update(a=1)), container)

    answer = visit(SessionMiddleware(inner, container))

    assert len(answer.set_cookies) == 1
    assert answer.all("Vary") == ["Cookie"]


def test_a_second_middleware_of_another_container_serves_its_own_session() -> None:
    """The outer middleware keeps its own session, also while the inner response leaves."""
    inside = a_container(session_prefix="inner")
    inner = SessionMiddleware(app_that(lambda scope: scope["session"].update(a="inner")), inside)

    async def between(scope: Scope, receive: Receive, send: Send) -> None:
        async def sends(message: Message) -> None:
            scope["session"]["b"] = "outer"
            await send(message)

        await inner(scope, receive, lambda message: _first(message, sends, send))

    answer = visit(SessionMiddleware(between, a_container(session_prefix="outer")))

    assert [text.partition("=")[0] for text in answer.set_cookies] == ["inner", "outer"]


async def _first(message: Message, first: Send, send: Send) -> None:
    await (first if message["type"] == "http.response.start" else send)(message)


def test_keys_that_the_application_adds_to_the_scope_are_visible_outside() -> None:
    """Starlette puts its route and its user into the scope."""
    scope = request_scope()
    exchange = Exchange()

    def routes(scope: Scope) -> None:
        scope["route"] = "/items"

    middleware = SessionMiddleware(app_that(routes), a_container())
    asyncio.run(middleware(scope, exchange.receive, exchange.send))

    assert scope["route"] == "/items"


# What goes out


def test_headers_of_the_application_are_kept_and_merged() -> None:
    """Header values stay bytes; Vary and Cache-Control are merged."""
    headers = [
        (b"Content-Type", b"text/plain"),
        (b"vary", b"Accept"),
        (b"cache-control", b"max-age=60"),
        (b"set-cookie", b"theme=d\xe4rk"),
    ]
    middleware = SessionMiddleware(
        app_that(lambda scope: scope["session"].update(a=1), headers=headers), a_container()
    )

    answer = visit(middleware)

    assert answer.all("vary") == ["Accept, Cookie"]
    assert answer.all("cache-control") == ["no-store"]
    assert answer.all("content-type") == ["text/plain"]
    assert answer.set_cookies[0] == "theme=d\xe4rk"
    assert len(answer.set_cookies) == 2


def test_the_applications_own_message_stays_as_it_is() -> None:
    """The application may send the same message again."""
    headers = [(b"content-type", b"text/plain")]
    middleware = SessionMiddleware(
        app_that(lambda scope: scope["session"].update(a=1), headers=headers), a_container()
    )

    visit(middleware)

    assert headers == [(b"content-type", b"text/plain")]


# What a framework may put in the session's place


def replaced_by(value: object, status: int = 200) -> tuple[Answer, dict[str, Any]]:
    """Replace a stored session in the scope; return the answer and what is stored afterwards."""
    container = a_container(store=SuspendingStore(MemoryStore()))
    first = visit(
        SessionMiddleware(app_that(lambda scope: scope["session"].update(a=1)), container)
    )

    def replaces(scope: Scope) -> None:
        scope["session"] = value

    middleware = SessionMiddleware(app_that(replaces, status=status), container, load="on_demand")
    answer = visit(middleware, first.cookie)
    held: list[dict[str, Any]] = []
    look = app_that(lambda scope: held.append(scope["session"].copy()))
    visit(SessionMiddleware(look, container), first.cookie)
    return answer, held[0]


def test_a_dict_in_place_of_the_session_replaces_its_values() -> None:
    """The session keeps none of its earlier values."""
    assert replaced_by({"b": 2})[1] == {"b": 2}


def test_a_dict_in_place_of_the_session_is_discarded_by_a_failure() -> None:
    """A failed request discards this change like any other."""
    assert replaced_by({"b": 2}, status=500)[1] == {"a": 1}


@pytest.mark.parametrize("status", [200, 500])
def test_none_in_place_of_the_session_ends_the_session(status: int) -> None:
    """None in the scope ends the session, and the cookie is cleared."""
    answer, held = replaced_by(None, status=status)

    assert answer.clears
    assert held == {}


def test_the_scope_has_the_session_again_after_the_answer() -> None:
    """A background task that writes learns that it is too late."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["session"] = {"b": 2}
        await says_fine(send)
        with pytest.raises(SessionClosed):
            scope["session"]["c"] = 3

    assert visit(SessionMiddleware(app, a_container())).status == 200


def test_any_other_object_in_place_of_the_session_is_an_error() -> None:
    """One example is the session of another middleware, whose changes would be lost."""

    class Other(dict[str, Any]):
        pass

    with pytest.raises(SessionError, match="replaced by a Other, which cannot be saved"):
        replaced_by(Other(b=2))


def test_any_object_in_place_of_the_session_is_discarded_by_a_failure() -> None:
    """The wrong value does not make the error page fail, too."""

    class Other(dict[str, Any]):
        pass

    answer, held = replaced_by(Other(b=2), status=500)

    assert (answer.status, held) == (500, {"a": 1})


def test_a_session_that_was_replaced_ends_even_if_the_request_fails() -> None:
    """Nobody stays signed in with the replaced session."""
    container = a_container()
    first = visit(
        SessionMiddleware(app_that(lambda scope: scope["session"].update(a=1)), container)
    )

    def fails(scope: Scope) -> None:
        scope["session"] = None
        raise LookupError("of the application")

    asyncio.run(attempt(SessionMiddleware(app_that(fails), container), first.cookie))
    held: list[dict[str, Any]] = []
    look = app_that(lambda scope: held.append(scope["session"].copy()))
    visit(SessionMiddleware(look, container), first.cookie)

    assert held == [{}]


# Other scopes, other loops


def test_a_scope_of_another_kind_passes() -> None:
    """The middleware passes on a kind of scope that it does not know."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    exchange = Exchange()
    scope: Scope = {"type": "webtransport"}
    asyncio.run(SessionMiddleware(app, a_container())(scope, exchange.receive, exchange.send))

    assert seen == [{"type": "webtransport"}]


class ClosingStore(MemoryStore):
    """Note in a list when it is closed."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self.log = log

    def close(self) -> None:
        self.log.append("store closed")


@pytest.mark.parametrize("ending", ["lifespan.shutdown.complete", "lifespan.shutdown.failed"])
def test_the_store_is_closed_after_the_applications_own_shutdown(ending: str) -> None:
    """The store is closed before the server learns that the shutdown is complete."""
    log: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for answer in ("lifespan.startup.complete", ending):
            log.append(f"application got {(await receive())['type']}")
            await send({"type": answer})

    async def send(message: Message) -> None:
        log.append(f"server got {message['type']}")

    messages: list[Message] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    exchange = Exchange(incoming=messages)
    middleware = SessionMiddleware(app, a_container(store=ClosingStore(log)))
    asyncio.run(middleware({"type": "lifespan"}, exchange.receive, send))

    assert log == [
        "application got lifespan.startup",
        "server got lifespan.startup.complete",
        "application got lifespan.shutdown",
        "store closed",
        f"server got {ending}",
    ]


@pytest.mark.parametrize("load", ["eager", "on_demand"])
def test_trio_is_refused_at_the_first_request(load: Any) -> None:
    """The message names asyncio."""
    middleware = SessionMiddleware(app_that(len), a_container(), load=load)

    async def work() -> None:
        async def nothing(message: Message) -> None:
            raise AssertionError("nothing is answered")

        await middleware(request_scope(), Exchange().receive, nothing)

    with pytest.raises(SessionError, match="asyncio's event loop only"):
        trio.run(work)


@pytest.mark.parametrize(
    ("value", "name"), [(object(), "UnencodableValue"), ("x" * 70_000, "SessionTooLarge")]
)
def test_a_value_that_cannot_be_saved_is_not_a_503(value: object, name: str) -> None:
    """The framework answers 500, as for any other error."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["session"]["a"] = value
        try:
            await says_fine(send)
        except SessionError as error:
            await says_fine(send, 500, [(b"x-error", type(error).__name__.encode())])

    answer = visit(SessionMiddleware(app, a_container()))

    assert (answer.status, answer.set_cookies) == (500, [])
    assert answer.all("X-Error") == [name]


@pytest.mark.parametrize("status", [200, 304, 500])
@pytest.mark.parametrize(
    "act",
    [
        lambda session: None,
        lambda session: session.get("visits"),
        lambda session: session.update(visits=1),
    ],
    ids=["unused", "read", "changed"],
)
def test_the_headers_of_a_response_may_be_an_iterator(
    act: Callable[[AsyncSession], object], status: int
) -> None:
    """ASGI allows every iterable; each header is sent once, whatever the session adds."""
    headers = iter([(b"x-a", b"1"), (b"x-a", b"2")])
    app = app_that(lambda scope: act(scope["session"]), status=status, headers=headers)

    assert visit(SessionMiddleware(app, a_container())).all("x-a") == ["1", "2"]
