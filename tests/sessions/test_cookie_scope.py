"""Where a session cookie counts: its scheme, its path, and behind trusted proxies."""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from sessions import CookieSettings, MemoryStore, SessionContainer, SessionEvent
from sessions.wsgi import SessionMiddleware
from tests.support.apps import KEY, told_of
from tests.support.gateway import Reply, serve

HTTP, HTTPS = "http://shop.example", "https://shop.example"


class Shop:
    """Count visits; log out at …/logout, get a new id at …/login, sign in at …/sign-in."""

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
        """Return the kinds of the events so far, but those of everyday loads."""
        return told_of(self.told)

    def visits_of(self, header: str) -> int | None:
        """Return the visits in the session that a program finds in a raw Cookie header."""
        session = self.app.manager.from_cookie(header)
        return None if session is None else session["visits"]

    def _app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        session = environ["sessions.session"]
        path = environ["PATH_INFO"]
        if path.endswith("/logout"):
            session.destroy()
        elif path.endswith("/login"):
            session.regenerate()
        elif path.endswith("/sign-in"):
            session.set_user("ada")
        else:
            session["visits"] = session.get("visits", 0) + 1
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{session.get('visits')}".encode()]


def visits(client: Client, path: str = "/", base: str = HTTP, **headers: str) -> str:
    """Send a request and return the number of visits that it counts."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(path, base_url=base, headers=sent).text


def get(shop: Shop, url: str, cookie: str = "") -> Reply:
    """Send a request with a raw Cookie header."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    how = {"HTTP_HOST": host, "wsgi__url_scheme": scheme, "HTTP_COOKIE": cookie}
    return serve(shop.app, f"/{path}", **how)


def held(client: Client) -> list[str]:
    """Return the names of the session cookies that the client holds."""
    names = ["session", "__Host-session"]
    return [name for name in names if client.get_cookie(name, domain="shop.example")]


def test_http_and_https_have_different_sessions() -> None:
    """A cookie that was set over http has another name, so it does not count over https."""
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
def test_logout_takes_the_cookie_away(settings: dict[str, Any], base: str) -> None:
    """The client has no session cookie afterwards."""
    shop = Shop(**settings)
    client = Client(shop.app)
    visits(client, base=base)
    before = held(client)

    client.get("/logout", base_url=base)

    assert (len(before), held(client), len(shop.store)) == (1, [], 0)


@pytest.mark.parametrize("path", ["/", "/login"])
def test_a_secure_cookie_over_http_is_reported(path: str) -> None:
    """No cookie is sent, no record is created, and the event says what to do."""
    shop = Shop(secure=True)
    cookie = serve(shop.app, wsgi__url_scheme="https").cookie
    shop.told.clear()

    reply = serve(shop.app, path, HTTP_COOKIE=cookie if path == "/login" else "")

    assert reply.all("Set-Cookie") == []
    assert len(shop.store) == 1
    assert shop.kinds[-1] == "insecure"
    assert "plain http" in shop.told[-1].detail


@pytest.mark.parametrize("header", ["X_Forwarded_Proto", "Forwarded", "X_Forwarded_Ssl"])
def test_a_client_cannot_claim_https(header: str) -> None:
    """Only the scheme of the server counts, and no header of the client."""
    shop = Shop(secure=True)

    reply = Client(shop.app).get(
        "/", base_url=HTTP, headers={header.replace("_", "-"): "https", "Forwarded": "proto=https"}
    )

    assert "Set-Cookie" not in reply.headers
    assert shop.kinds == ["insecure"]


def test_a_trusted_proxy_can() -> None:
    """An application behind a trusted proxy uses Werkzeug's ProxyFix."""
    client = Client(ProxyFix(Shop(secure=True).app, x_proto=1))

    reply = client.get("/", base_url=HTTP, headers={"X-Forwarded-Proto": "https"})

    assert reply.headers["Set-Cookie"].startswith("__Host-session=")
    assert "; Secure" in reply.headers["Set-Cookie"]


def test_a_session_lives_on_its_path() -> None:
    """The path `/foobar` is not inside `/foo`."""
    shop = Shop(path="/foo")
    client = Client(shop.app)

    assert [visits(client, path) for path in ("/foo", "/foo/bar", "/foo/")] == ["1", "2", "3"]
    assert [visits(client, path) for path in ("/foobar", "/")] == ["1", "1"]
    assert len(shop.store) == 1


OUTSIDE: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "path": ({"path": "/foo"}, "http://shop.example/foobar", "misplaced", "path='/foo'"),
    "domain": ({"domain": "a.example"}, "http://b.example/foo", "misplaced", "domain='a.example'"),
    "sibling": ({"domain": "a.example"}, "http://ba.example/foo", "misplaced", "'ba.example'"),
    "parent": ({"domain": "b.a.example"}, "http://a.example/foo", "misplaced", "X-Forwarded-Host"),
    "scheme": ({"secure": True}, "http://shop.example/foo", "insecure", "plain http"),
}
INSIDE = {
    "path": "http://shop.example/foo",
    "domain": "http://a.example/foo",
    "sibling": "http://www.a.example/foo",
    "parent": "http://c.b.a.example:8080/foo",
    "scheme": "https://shop.example/foo",
}


class TestOutsideOfTheCookiesScope:
    """Outside of the scope, the session is neither read nor replaced, and one event says why."""

    @pytest.fixture(params=OUTSIDE)
    def where(self, request: pytest.FixtureRequest) -> str:
        """Return the name of a case."""
        name: str = request.param
        return name

    @pytest.fixture
    def shop(self, where: str) -> Shop:
        """Return a shop with the cookie of the case."""
        return Shop(**OUTSIDE[where][0])

    @pytest.mark.parametrize("page", ["", "/logout", "/login", "/sign-in"])
    def test_a_valid_cookie_outside_of_its_scope_is_ignored(
        self, shop: Shop, where: str, page: str
    ) -> None:
        """This holds for every use of the session, even if the client sends a valid cookie."""
        cookie = get(shop, INSIDE[where]).cookie
        shop.told.clear()

        reply = get(shop, f"{OUTSIDE[where][1]}{page}", cookie)

        assert reply.all("Set-Cookie") == []
        assert shop.kinds == [OUTSIDE[where][2]]
        assert OUTSIDE[where][3] in shop.told[0].detail
        assert (len(shop.store), get(shop, INSIDE[where], cookie).body) == (1, b"2")

    def test_a_visitor_is_served_without_a_session(self, shop: Shop, where: str) -> None:
        """No record is made, because no client could send its id."""
        reply = get(shop, OUTSIDE[where][1])

        assert (reply.body, reply.all("Set-Cookie"), len(shop.store)) == (b"1", [], 0)
        assert shop.kinds == [OUTSIDE[where][2]]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_localhost_is_accepted_for_every_domain(host: str, scheme: str) -> None:
    """Developers open a site under names such as localhost, where browsers refuse its domain."""
    shop = Shop(domain="shop.example")
    site = f"{scheme}://{host}"

    reply = get(shop, f"{site}/")
    seen = get(shop, f"{site}/", reply.cookie).body
    [cleared] = get(shop, f"{site}/logout", reply.cookie).all("Set-Cookie")

    assert seen == b"2"
    assert "Domain" not in reply.all("Set-Cookie")[0] + cleared
    assert cleared.startswith("session=; Max-Age=0;")
    assert shop.kinds == ["created", "destroyed"]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Forwarded-Proto"])
def test_a_proxy_that_keeps_the_name_to_itself_is_not_this_machine(header: str) -> None:
    """Its browser has asked for the site by name, so the cookie is for the whole domain."""
    shop = Shop(domain="shop.example")
    sent = {f"HTTP_{header.upper().replace('-', '_')}": "192.0.2.1"}

    [cookie] = serve(shop.app, HTTP_HOST="localhost:8000", **sent).all("Set-Cookie")

    assert "; Domain=shop.example;" in cookie


def test_a_cookie_outside_of_its_path_is_ignored() -> None:
    """A client that ignores the cookie's path gets no session."""
    shop = Shop(path="/foo")
    cookie = serve(shop.app, "/foo").cookie

    seen = {path: serve(shop.app, path, HTTP_COOKIE=cookie) for path in ("/foo", "/foobar")}

    assert {path: reply.body for path, reply in seen.items()} == {"/foo": b"2", "/foobar": b"1"}


def test_the_mount_prefix_is_part_of_the_path() -> None:
    """Two applications of one host use the paths of their mounts as scopes."""
    blog, shop = Shop(path="/blog"), Shop(path="/shop")

    def nowhere(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("404 Not Found", [])
        return []

    client = Client(DispatcherMiddleware(nowhere, {"/blog": blog.app, "/shop": shop.app}))

    assert [visits(client, "/blog"), visits(client, "/blog/a")] == ["1", "2"]
    assert [visits(client, "/shop/"), visits(client, "/shop/a")] == ["1", "2"]


def test_a_path_that_needs_escapes_has_a_session() -> None:
    """The path of the request is decoded, and the path of the cookie is encoded."""
    shop = Shop(path="/caf%C3%A9")
    cookie = serve(shop.app, "/caf\xc3\xa9").cookie

    assert serve(shop.app, "/caf\xc3\xa9/menu", HTTP_COOKIE=cookie).body == b"2"
    assert shop.visits_of(cookie) == 2


@pytest.mark.parametrize("settings", [{}, {"secure": True}, {"secure": False}])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_raw_cookie_header_opens_the_session(settings: dict[str, Any], scheme: str) -> None:
    """This holds for cookies that were set over http and over https."""
    if settings.get("secure") is True and scheme == "http":
        return
    shop = Shop(**settings)
    reply = serve(shop.app, wsgi__url_scheme=scheme)

    assert shop.visits_of(f"a=b; {reply.cookie}") == 1


def test_the_secure_cookie_wins_over_a_plain_one() -> None:
    """An attacker could have set the other one over http."""
    shop = Shop()
    plain = serve(shop.app).cookie
    secure = serve(shop.app, wsgi__url_scheme="https").cookie
    serve(shop.app, HTTP_COOKIE=secure, wsgi__url_scheme="https")

    for header in (f"{plain}; {secure}", f"{secure}; {plain}"):
        assert shop.visits_of(header) == 2
