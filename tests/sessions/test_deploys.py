"""After a deploy with other cookie settings, newer keys or another prefix, nobody is locked out."""

from collections.abc import Iterable
from http.cookies import SimpleCookie
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from sessions import CookieSettings, MemoryStore, Session, SessionContainer
from sessions.wsgi import SessionMiddleware
from tests.support.apps import KEY, Handler
from tests.support.gateway import serve

DOMAIN = {"domain": "shop.example", "secure": True}
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a domain": ({"secure": True, "path": "/shop"}, {**DOMAIN, "path": "/shop"}),
    "a path": (DOMAIN, {**DOMAIN, "path": "/shop"}),
    "partitioned": (DOMAIN, {**DOMAIN, "partitioned": True}),
    "secure": ({"domain": "shop.example", "secure": False}, DOMAIN),
    "the host prefix": ({"secure": False}, {"secure": True}),
    "auto": ({"secure": "auto"}, {"secure": True}),
    "same site": (DOMAIN, {**DOMAIN, "same_site": "None"}),
}
BOTH_WAYS = {
    **{f"{name} comes": change for name, change in CHANGES.items()},
    **{f"{name} goes": (after, before) for name, (before, after) in CHANGES.items()},
}


class Jar:
    """Keep cookies as a browser does: by name, domain, path and partition."""

    def __init__(self, *, oldest_first: bool) -> None:
        self._cookies: dict[tuple[str, ...], str] = {}
        self._oldest_first = oldest_first

    def header(self, path: str) -> str:
        """Return the Cookie header of a request for the path."""
        pairs = [pair for (*_, scope, _), pair in self._cookies.items() if path.startswith(scope)]
        return "; ".join(pairs if self._oldest_first else pairs[::-1])

    def take(self, set_cookies: list[str]) -> None:
        """Do what the Set-Cookie headers say."""
        for text in set_cookies:
            (morsel,) = SimpleCookie(text.replace("; Partitioned", "")).values()
            key = (morsel.key, morsel["domain"], morsel["path"], f"{'Partitioned' in text}")
            self._cookies.pop(key, None)
            if morsel["max-age"] != "0":
                self._cookies[key] = text.partition(";")[0]


class Deploys:
    """Serve one browser's requests for https://shop.example/shop/cart, by one deploy at a time."""

    def __init__(self, jar: Jar) -> None:
        self.jar = jar
        self._store = MemoryStore()
        self._handler: Handler = repr
        self._value: object = None

    def deploy(self, *, cookie: dict[str, Any] | None = None, **settings: Any) -> None:
        """Run the application with these settings from now on."""
        made = {"keys": [KEY], "store": self._store, **settings}
        self._app = SessionMiddleware(
            self._answer, SessionContainer(cookie=CookieSettings(**cookie or {}), **made)
        )

    def visit(self, handler: Handler, path: str = "/shop/cart") -> Any:
        """Send a request with the cookies of the jar; return what the handler returned."""
        self._handler = handler
        how = {"HTTP_COOKIE": self.jar.header(path), "HTTP_HOST": "shop.example"}
        reply = serve(self._app, path, wsgi__url_scheme="https", **how)
        self.jar.take(reply.all("Set-Cookie"))
        return self._value

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._value = self._handler(environ["sessions.session"])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"answered"]


def login(session: Session) -> None:
    """Sign ada in."""
    session.set_user("ada")


def user(session: Session) -> str | None:
    """Return who is signed in."""
    return session.user_id


@pytest.fixture(params=[True, False], ids=["oldest first", "newest first"])
def site(request: pytest.FixtureRequest) -> Deploys:
    """Return a browser's requests, whose cookies come in this order."""
    return Deploys(Jar(oldest_first=request.param))


@pytest.mark.parametrize(("before", "after"), BOTH_WAYS.values(), ids=BOTH_WAYS)
def test_a_signed_in_user_can_go_on_after_a_deploy(
    site: Deploys, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """A user may need a new sign-in, but no old cookie of the browser prevents it."""
    site.deploy(cookie=before)
    site.visit(login)
    site.deploy(cookie=after)

    site.visit(login)
    signed_in = site.visit(user)
    site.visit(Session.regenerate)
    renewed = site.visit(user)

    assert [signed_in, renewed] == ["ada", "ada"]


@pytest.mark.parametrize(("before", "after"), BOTH_WAYS.values(), ids=BOTH_WAYS)
def test_a_logout_holds_and_the_next_sign_in_too(
    site: Deploys, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """The cookie of an ended session from the time before does not matter."""
    site.deploy(cookie=before)
    site.visit(login)
    site.deploy(cookie=after)
    site.visit(login)

    site.visit(Session.destroy)
    signed_out = site.visit(user)
    site.visit(login)

    assert (signed_out, site.visit(user)) == (None, "ada")


@pytest.mark.parametrize(("before", "after"), CHANGES.values(), ids=CHANGES)
def test_a_deploy_that_is_rolled_back_locks_nobody_out(
    site: Deploys, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """The settings change, and then change back."""
    for cookie in (before, after, before):
        site.deploy(cookie=cookie)
        site.visit(login)

    assert site.visit(user) == "ada"


def test_a_sign_in_ends_the_sessions_that_stand_beside_it(site: Deploys) -> None:
    """Two live sessions of one request do not count; a sign-in ends both."""
    site.deploy(cookie={**DOMAIN, "path": "/shop"})
    site.visit(lambda session: session.update(a="below the path of the time before"))
    site.deploy(cookie=DOMAIN)
    site.visit(lambda session: session.update(a="elsewhere"), "/")

    ambiguous = site.visit(dict)
    site.visit(login)

    assert ambiguous == {}
    assert site.visit(user) == "ada"


def test_a_new_key_keeps_everybody_signed_in(site: Deploys) -> None:
    """The old key still verifies tokens, and the new key signs new ones."""
    site.deploy(keys=[KEY])
    site.visit(login)
    site.deploy(keys=[KEY[::-1], KEY])

    with_old_token = site.visit(user)
    site.visit(Session.regenerate)
    site.deploy(keys=[KEY[::-1]])

    assert (with_old_token, site.visit(user)) == ("ada", "ada")


def test_another_prefix_asks_for_a_sign_in_only(site: Deploys) -> None:
    """The cookie has another name, and the old cookie does not matter."""
    site.deploy(session_prefix="shop")
    site.visit(login)
    site.deploy(session_prefix="store")

    before = site.visit(user)
    site.visit(login)

    assert (before, site.visit(user)) == (None, "ada")
