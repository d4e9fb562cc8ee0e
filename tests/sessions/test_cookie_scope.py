"""Where a session cookie counts: on its scheme, on its path, for the proxies that are trusted."""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from sessions import CookieSettings, MemoryStore, SessionContainer, SessionEvent
from sessions.wsgi import SessionMiddleware
from tests.sessions.apps import KEY
from tests.sessions.gateway import serve

HTTP, HTTPS = "http://shop.example", "https://shop.example"


class Shop:
    """Count visits, log out at /logout, sign in at /login; keep what happened."""

    def __init__(self, **cookie: Any) -> None:
        self.store = MemoryStore()
        self.told: list[SessionEvent] = []
        self.app = SessionMiddleware(
            self._app,
            SessionContainer(
                keys=[KEY],
                store=self.store,
                cookie=CookieSettings(**cookie),
                listeners=[self.told.append],
            ),
        )

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of the events so far."""
        return [event.kind for event in self.told]

    def _app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        session = environ["sessions.session"]
        if environ["PATH_INFO"] == "/logout":
            session.destroy()
        elif environ["PATH_INFO"] == "/login":
            session.regenerate()
        else:
            session["visits"] = session.get("visits", 0) + 1
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{session.get('visits')}".encode()]


def visits(client: Client, path: str = "/", base: str = HTTP, **headers: str) -> str:
    """Send a request and return the number of visits that it counts."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(path, base_url=base, headers=sent).text


def held(client: Client) -> list[str]:
    """Return the names of the session cookies that the client holds."""
    names = ["session", "__Host-session"]
    return [name for name in names if client.get_cookie(name, domain="shop.example")]


def test_s69_http_and_https_have_different_sessions() -> None:
    """A cookie planted over http is none over https: there its name is another."""
    shop = Shop()
    client = Client(shop.app)

    assert [visits(client), visits(client)] == ["1", "2"]
    assert [visits(client, base=HTTPS), visits(client, base=HTTPS)] == ["1", "2"]

    assert held(client) == ["session", "__Host-session"]


@pytest.mark.parametrize(
    ("settings", "base"),
    [
        ({}, HTTP),
        ({}, HTTPS),
        ({"secure": True, "same_site": "None", "partitioned": True}, HTTPS),
        ({"secure": False}, HTTPS),
        ({"domain": "shop.example"}, HTTPS),
    ],
)
def test_s70_logout_takes_the_cookie_away(settings: dict[str, Any], base: str) -> None:
    """A client finds nothing left to send."""
    shop = Shop(**settings)
    client = Client(shop.app)
    visits(client, base=base)
    before = held(client)

    client.get("/logout", base_url=base)

    assert (len(before), held(client), len(shop.store)) == (1, [], 0)


@pytest.mark.parametrize("path", ["/", "/login"])
def test_s73_a_secure_cookie_over_http_is_reported(path: str) -> None:
    """It is not sent, no record is made for it, and the event says what to do."""
    shop = Shop(secure=True)
    cookie = serve(shop.app, wsgi__url_scheme="https").cookie
    shop.told.clear()

    reply = serve(shop.app, path, HTTP_COOKIE=cookie if path == "/login" else "")

    assert reply.all("Set-Cookie") == []
    assert len(shop.store) == 1
    assert shop.kinds[-1] == "insecure"
    assert "plain http" in shop.told[-1].detail


@pytest.mark.parametrize("header", ["X_Forwarded_Proto", "Forwarded", "X_Forwarded_Ssl"])
def test_s73_a_client_cannot_claim_https(header: str) -> None:
    """Only the server's scheme counts."""
    shop = Shop(secure=True)

    reply = Client(shop.app).get(
        "/", base_url=HTTP, headers={header.replace("_", "-"): "https", "Forwarded": "proto=https"}
    )

    assert "Set-Cookie" not in reply.headers
    assert shop.kinds == ["insecure"]


def test_s73_a_trusted_proxy_can() -> None:
    """Whoever trusts it says so with Werkzeug's ProxyFix."""
    client = Client(ProxyFix(Shop(secure=True).app, x_proto=1))

    reply = client.get("/", base_url=HTTP, headers={"X-Forwarded-Proto": "https"})

    assert reply.headers["Set-Cookie"].startswith("__Host-session=")
    assert "; Secure" in reply.headers["Set-Cookie"]


def test_s72_a_session_lives_on_its_path() -> None:
    """`/foobar` is not below `/foo`."""
    client = Client(Shop(path="/foo").app)

    assert [visits(client, path) for path in ("/foo", "/foo/bar", "/foo/")] == ["1", "2", "3"]
    assert [visits(client, path) for path in ("/foobar", "/")] == ["1", "1"]


def test_s72_a_cookie_sent_elsewhere_does_not_count() -> None:
    """A client that ignores the path gets no session for it."""
    shop = Shop(path="/foo")
    cookie = serve(shop.app, "/foo").cookie

    seen = {path: serve(shop.app, path, HTTP_COOKIE=cookie) for path in ("/foo", "/foobar")}

    assert {path: reply.body for path, reply in seen.items()} == {"/foo": b"2", "/foobar": b"1"}


def test_s72_the_mount_prefix_is_part_of_the_path() -> None:
    """Two applications of one host, each with the path of its mount as its scope."""
    blog, shop = Shop(path="/blog"), Shop(path="/shop")

    def nowhere(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("404 Not Found", [])
        return []

    client = Client(DispatcherMiddleware(nowhere, {"/blog": blog.app, "/shop": shop.app}))

    assert [visits(client, "/blog"), visits(client, "/blog/a")] == ["1", "2"]
    assert [visits(client, "/shop/"), visits(client, "/shop/a")] == ["1", "2"]


def test_s72_a_path_that_needs_escapes_has_a_session() -> None:
    """The gateway has decoded the request's path, the cookie's is encoded."""
    shop = Shop(path="/caf%C3%A9")
    cookie = serve(shop.app, "/caf\xc3\xa9").cookie

    assert serve(shop.app, "/caf\xc3\xa9/menu", HTTP_COOKIE=cookie).body == b"2"
    assert shop.app.manager.from_cookie(cookie)["visits"] == 2


@pytest.mark.parametrize("settings", [{}, {"secure": True}, {"secure": False}])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_raw_cookie_header_opens_the_session(settings: dict[str, Any], scheme: str) -> None:
    """Whatever the scheme was that the cookie was set on."""
    if settings.get("secure") is True and scheme == "http":
        return
    shop = Shop(**settings)
    reply = serve(shop.app, wsgi__url_scheme=scheme)

    assert shop.app.manager.from_cookie(f"a=b; {reply.cookie}")["visits"] == 1


def test_of_two_cookies_the_secure_one_opens_the_session() -> None:
    """The other one could have been planted over http."""
    shop = Shop()
    plain = serve(shop.app).cookie
    secure = serve(shop.app, wsgi__url_scheme="https").cookie
    serve(shop.app, HTTP_COOKIE=secure, wsgi__url_scheme="https")

    for header in (f"{plain}; {secure}", f"{secure}; {plain}"):
        assert shop.app.manager.from_cookie(header)["visits"] == 2


def test_s73_a_secure_session_begins_without_a_cookie() -> None:
    """A raw header tells no scheme: what has no cookie yet is not taken for plain http."""
    shop = Shop(secure=True)
    manager = shop.app.manager

    session = manager.from_cookie("")
    session["visits"] = 7
    ((_, _), (_, cookie), _) = manager.close(session)

    assert cookie.startswith("__Host-session=")
    assert len(shop.store) == 1
