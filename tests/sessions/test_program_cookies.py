"""Programs without middleware: the verbs of a session, and its cookies on any response."""

import asyncio
import sys
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from starlette.responses import PlainTextResponse
from werkzeug.test import Client
from werkzeug.wrappers import Response

from sessions import (
    AsyncSessionManager,
    CookieSettings,
    MemoryStore,
    Session,
    SessionContainer,
    SessionError,
    SessionManager,
    SessionNotFound,
)
from sessions.stateless import SignedToken
from sessions.transports.cookie import CookieHead
from tests.support import django_views
from tests.support.apps import KEY

Headers = list[tuple[str, str]]


def a_manager(**settings: Any) -> SessionManager:
    """Return a manager of its own."""
    return SessionManager(SessionContainer(keys=[KEY], **settings))


@pytest.fixture
def manager() -> SessionManager:
    """Return a manager over a memory store."""
    return a_manager()


def in_list(add: Callable[[Any], None], headers: Headers) -> Headers:
    """Add the cookie to the header list of `start_response`."""
    given = [*headers]
    add(given)
    return given


def in_werkzeug(add: Callable[[Any], None], headers: Headers) -> Headers:
    """Add the cookie to a response of Werkzeug."""
    response = Response(headers=headers)
    add(response)
    return list(response.headers)


def in_flask(add: Callable[[Any], None], headers: Headers) -> Headers:
    """Add the cookie to a response of Flask."""
    flask = pytest.importorskip("flask", reason="flask is not installed")
    response = flask.Response(headers=headers)
    add(response)
    return [*response.headers]


def in_starlette(add: Callable[[Any], None], headers: Headers) -> Headers:
    """Add the cookie to a response of Starlette."""
    response = PlainTextResponse("")
    for name, value in headers:
        response.headers.append(name, value)
    add(response)
    return response.headers.items()


def in_bottle(add: Callable[[Any], None], headers: Headers) -> Headers:
    """Add the cookie to a response of Bottle."""
    bottle = pytest.importorskip("bottle", reason="bottle is not installed")
    response = bottle.HTTPResponse()
    for name, value in headers:
        response.add_header(name, value)
    add(response)
    return [*response.headerlist]


def in_django(add: Callable[[Any], None], headers: Headers) -> Headers:
    """Add the cookie to a response of Django, which is sent as its WSGI handler does."""
    django_views.configured()
    from django.http import HttpResponse

    response = HttpResponse()
    for name, value in headers:
        if name == "Set-Cookie":
            response.set_cookie(*value.split("; ")[0].split("="))
        else:
            response[name] = value
    add(response)
    cookies = [("Set-Cookie", morsel.OutputString()) for morsel in response.cookies.values()]
    return [*response.items(), *cookies]


RESPONSES = [in_list, in_werkzeug, in_flask, in_starlette, in_bottle, in_django]


def all_of(headers: Headers, name: str) -> list[str]:
    """Return all values of a header."""
    return [value for given, value in headers if given.lower() == name.lower()]


def parts(cookie: str) -> set[str]:
    """Return the parts of a Set-Cookie header as a set."""
    return set(cookie.split("; "))


@pytest.mark.parametrize("sent", RESPONSES)
def test_a_cookie_is_added_to_a_response(sent: Any, manager: SessionManager) -> None:
    """The response has the middleware's headers and its own."""
    session = manager.create({"a": 1})

    own = [("Vary", "Accept"), ("Cache-Control", "max-age=60"), ("Set-Cookie", "theme=dark")]
    headers = sent(lambda response: session.add_cookie(response), own)

    theme, cookie = sorted(all_of(headers, "Set-Cookie"), reverse=True)
    assert theme.startswith("theme=dark")
    token = manager.token(session)
    expected = f"__Host-session={token}; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert parts(cookie) == parts(expected)
    assert all_of(headers, "Vary") == ["Accept, Cookie"]
    assert all_of(headers, "Cache-Control") == ["no-store"]
    found = manager.from_cookie(cookie.partition(";")[0])
    assert found is not None
    assert dict(found) == {"a": 1}


@pytest.mark.parametrize("sent", RESPONSES)
def test_a_cookie_is_cleared_on_a_response(sent: Any, manager: SessionManager) -> None:
    """The cookie has an empty value, the same attributes and Max-Age 0."""
    session = manager.create()

    headers = sent(lambda response: session.clear_cookie(response, scheme="http"), [])

    (cookie,) = all_of(headers, "Set-Cookie")
    expected = parts("session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax")
    assert parts(cookie.replace('""', "")) == expected
    assert all_of(headers, "Cache-Control") == ["no-store"]


@pytest.mark.parametrize("sent", RESPONSES)
def test_adding_two_cookies_repeats_no_header_value(sent: Any, manager: SessionManager) -> None:
    """Vary and Cache-Control have each value once."""
    session = manager.create()

    def add_twice(response: Any) -> None:
        session.add_cookie(response)
        session.add_cookie(response)

    headers = sent(add_twice, [("Vary", "Cookie")])

    assert all_of(headers, "Vary") == ["Cookie"]
    assert all_of(headers, "Cache-Control") == ["no-store"]


def test_max_age_and_attributes_are_the_containers() -> None:
    """The cookie follows the CookieSettings of the container."""
    cookie = CookieSettings(secure=False, domain="shop.example", path="/shop", same_site="Strict")
    session = a_manager(cookie=cookie).create()

    headers: Headers = []
    session.add_cookie(headers)

    assert all_of(headers, "Set-Cookie")[0].endswith(
        "; Path=/shop; Domain=shop.example; HttpOnly; SameSite=Strict"
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_session_of_a_cookie_knows_its_scheme(manager: SessionManager, scheme: str) -> None:
    """The cookie has another name over https; a closed session knows it, too."""
    first: Headers = []
    manager.create().add_cookie(first, scheme=scheme)
    (given,) = all_of(first, "Set-Cookie")
    session = manager.from_cookie(given.partition(";")[0])
    assert session is not None

    before: Headers = []
    session.add_cookie(before)
    manager.close(session)
    after: Headers = []
    session.add_cookie(after)

    assert all_of(before, "Set-Cookie") == all_of(after, "Set-Cookie") == [given]


def test_a_partitioned_cookie_of_django_is_right_or_refused() -> None:
    """http.cookies in older Pythons does not know the attribute."""
    session = a_manager(cookie=CookieSettings(partitioned=True, secure=True)).create()

    if sys.version_info < (3, 14):
        with pytest.raises(SessionError, match=r"Partitioned\. Fix: "):
            in_django(lambda response: session.add_cookie(response), [])
    else:
        headers = in_django(lambda response: session.add_cookie(response), [])
        assert "Partitioned" in parts(all_of(headers, "Set-Cookie")[0])


@pytest.mark.parametrize(
    "response",
    [None, object, {}, "200 OK", [b"a"], [(b"vary", b"cookie")], [["Vary", "Cookie"]]],
    ids=repr,
)
def test_an_object_without_headers_is_refused(manager: SessionManager, response: Any) -> None:
    """The error says what to do, and does not show the cookie."""
    session = manager.create()

    with pytest.raises(TypeError, match="Fix: ") as error:
        session.add_cookie(response)

    assert manager.token(session) not in str(error.value)


def test_headers_that_hold_one_cookie_are_refused(manager: SessionManager) -> None:
    """A second Set-Cookie would replace the first one."""

    class Reply:
        """A response whose headers are a dict."""

        def __init__(self) -> None:
            self.headers = {"Set-Cookie": "theme=dark"}

    reply = Reply()
    with pytest.raises(TypeError, match="would replace the first"):
        manager.create().add_cookie(reply)

    assert reply.headers == {"Set-Cookie": "theme=dark"}


def test_a_wrong_scheme_is_refused(manager: SessionManager) -> None:
    """Otherwise the scheme would be taken for http."""
    with pytest.raises(ValueError, match="Fix: "):
        manager.create().add_cookie([], scheme="HTTPS")


def test_an_unsaved_session_has_no_cookie(manager: SessionManager) -> None:
    """An unsaved session, an unsaved id and an ended session are errors."""
    new = manager.open(CookieHead("", "/", "http", None))
    new["a"] = 1
    renewed = manager.create({"a": 1})
    renewed.regenerate()
    ended = manager.create({"a": 1})
    ended.delete()

    for session, error, message in [
        (new, SessionError, "never saved"),
        (renewed, SessionError, "not saved yet"),
        (ended, SessionNotFound, "clear_cookie"),
    ]:
        headers: Headers = []
        with pytest.raises(error, match=message):
            session.add_cookie(headers)
        assert headers == []
    renewed.save()
    new.save()
    for session in (renewed, new):
        session.add_cookie([])
        manager.close(session)


def test_tokens_without_a_server_have_cookies_too() -> None:
    """The cookie has the whole session."""
    manager = a_manager(store=SignedToken())
    session = manager.create({"a": 1})
    headers: Headers = []
    session.add_cookie(headers, scheme="http")

    found = manager.from_cookie(all_of(headers, "Set-Cookie")[0].partition(";")[0])

    assert found is not None
    assert dict(found) == {"a": 1}
    assert [session.delete(), session.delete()] == [True, False]


# delete()


def test_delete_ends_the_session_now(manager: SessionManager) -> None:
    """The first call returns True, and the session is then new and empty."""
    session = manager.create({"a": 1})
    other = manager.get(session.id)
    id = session.id

    assert [session.delete(), session.delete(), other.delete()] == [True, False, False]
    assert (dict(session), session.ended) == ({}, True)
    with pytest.raises(SessionNotFound):
        manager.get(id)


def test_delete_in_a_with_block_is_enough(manager: SessionManager) -> None:
    """The end of the block stores nothing."""
    with manager.create({"a": 1}) as session:
        session["b"] = 2
        assert session.delete() is True

    assert manager.count() == 0


def test_delete_in_a_request_clears_the_cookie(manager: SessionManager) -> None:
    """It is like destroy(), but the record is removed at once."""
    token = manager.token(manager.create({"a": 1}))
    session = manager.open(CookieHead(f"session={token}", "/", "http", None))

    assert session.delete() is True
    assert manager.count() == 0
    headers = manager.close(session)

    assert all_of(headers, "Set-Cookie")[0].startswith("session=; Max-Age=0")


def test_the_asynchronous_verbs_do_the_same() -> None:
    """`save()` and `delete()` are awaited, but the methods for cookies are not."""

    async def program() -> None:
        manager = AsyncSessionManager(SessionContainer(keys=[KEY], store=MemoryStore()))
        session = await manager.create({"a": 1})
        session["b"] = 2
        await session.save()
        headers: Headers = []
        session.add_cookie(headers)
        (cookie,) = all_of(headers, "Set-Cookie")
        found = await manager.from_cookie(cookie.partition(";")[0])
        assert found is not None
        assert dict(found) == {"a": 1, "b": 2}
        assert [await found.delete(), await found.delete(), await session.delete()] == [
            True,
            False,
            False,
        ]
        found.clear_cookie(headers)
        assert all_of(headers, "Set-Cookie")[1].startswith("__Host-session=; Max-Age=0")
        assert await manager.from_cookie(cookie.partition(";")[0]) is None
        await manager.close(found)

    asyncio.run(program())


# A whole program


class Counter:
    """A plain WSGI application that opens, saves and ends its sessions itself."""

    def __init__(self) -> None:
        self.manager = a_manager()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Count visits; end the session at /logout."""
        headers = [("Content-Type", "text/plain")]
        session = self.manager.from_cookie(environ.get("HTTP_COOKIE"))
        if environ["PATH_INFO"] == "/logout":
            body = self._logout(session, headers)
        else:
            body = self._visit(session, environ, headers)
        start_response("200 OK", headers)
        return [body.encode()]

    def _visit(self, session: Session | None, environ: WSGIEnvironment, headers: Headers) -> str:
        is_new = session is None
        session = session or self.manager.create()
        with session:
            session["visits"] = session.get("visits", 0) + 1
        if is_new:
            session.add_cookie(headers, scheme=environ["wsgi.url_scheme"])
        return f"{session['visits']}"

    def _logout(self, session: Session | None, headers: Headers) -> str:
        if session is None:
            return "nobody"
        ended = session.delete()
        session.clear_cookie(headers)
        return f"{ended}"


@pytest.mark.parametrize("base", ["http://shop.example", "https://shop.example"])
def test_a_program_without_a_middleware_keeps_its_sessions(base: str) -> None:
    """Two browsers have two sessions, and a logout ends one of them."""
    app = Counter()
    one, other = Client(app), Client(app)

    def get(client: Client, path: str = "/") -> str:
        return client.get(path, base_url=base).text

    assert [get(one), get(one), get(other)] == ["1", "2", "1"]
    assert [get(one, "/logout"), get(one, "/logout"), get(other)] == ["True", "nobody", "2"]
    assert get(one) == "1"
