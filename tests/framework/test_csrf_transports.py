"""CSRF protects sessions that a browser sends by itself, and no others."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from framework import (
    Application,
    Middleware,
    component,
    configuration,
    controller,
    get,
    post,
    session,
)
from framework.csrf import CSRF
from sessions import CookieTransport, HeaderTransport, SessionContainer, Transport, URLTransport
from sessions.migration import KeygripCookie
from tests.support.apps import KEY

FOREIGN = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


@controller("/")
class Bank:
    @get("/token")
    def enter(self, session: session) -> str:
        session.set_user("ada")
        return session.rewrite("/transfer")

    @post("/transfer")
    def transfer(self, session: session) -> str:
        return f"{session.user_id}"


@contextmanager
def bank(
    *transports: Transport, visitors: bool = False, **settings: Any
) -> Iterator[Callable[..., TestResponse]]:
    """Open a bank, and return the function that sends a transfer."""

    @configuration
    class Configuration:
        @component
        def session_container(self) -> SessionContainer:
            return SessionContainer(keys=[KEY], transports=transports, **settings)

        @component
        def middleware(self) -> list[Middleware]:
            return [CSRF(visitors=visitors)]

    with Application(Bank, Configuration).test() as client:
        plain = Client(client.app, use_cookies=False)

        def send(*ways: str, **headers: str) -> TestResponse:
            answer = plain.get("/token", buffered=True)
            cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
            found = [
                answer.headers[name].removeprefix("Bearer ")
                for name in ("X-Session-Id", "Authorization")
                if name in answer.headers
            ]
            token = cookie.partition("=")[2] or "".join(found)
            link = answer.text if "link" in ways else "/transfer"
            given = {
                "cookie": ("Cookie", f"session={token}"),
                "header": ("X-Session-Id", token),
                "bearer": ("Authorization", f"Bearer {token}"),
                "other cookie": ("Cookie", "theme=dark"),
            }
            sent = [*(given[way] for way in ways if way in given), *headers.items()]
            return plain.post(link, headers=sent, buffered=True)

        yield send


@pytest.mark.parametrize("headers", [{}, FOREIGN, {"Origin": "null"}])
@pytest.mark.parametrize("way", ["header", "bearer"])
def test_a_session_of_a_header_needs_no_token(way: str, headers: dict[str, str]) -> None:
    """Another cookie of the browser does not matter."""
    transport = HeaderTransport() if way == "header" else HeaderTransport.bearer()
    for visitors in (False, True):
        with bank(transport, visitors=visitors) as send:
            answers = [send(way, **headers), send(way, "other cookie", **headers)]

        assert [answer.text for answer in answers] == ["ada", "ada"]


@pytest.mark.parametrize("headers", [{}, FOREIGN])
def test_a_session_of_a_cookie_still_needs_a_token(headers: dict[str, str]) -> None:
    """A token is needed also if the container reads a header, too."""
    with bank(CookieTransport(), HeaderTransport()) as send:
        refused = send("cookie", **headers)
        passed = send("cookie", "header", **headers)

    assert refused.status_code == 403
    assert passed.text == "ada"


def test_a_malformed_token_is_refused_by_the_handler() -> None:
    """A malformed token has no session, so CSRF has nothing to protect."""
    with bank(HeaderTransport.bearer()) as send:
        answer = send(Authorization="Bearer x", **FOREIGN)

    assert answer.status_code == 401


@pytest.mark.parametrize("headers", [{}, FOREIGN])
def test_a_session_of_a_link_needs_a_token(headers: dict[str, str]) -> None:
    """A form of another site could be sent to a URL that it knows."""
    with bank(URLTransport()) as send:
        answer = send("link", **headers)

    assert answer.status_code == 403


@pytest.mark.parametrize("headers", [{}, FOREIGN])
def test_a_session_of_another_system_needs_a_token(headers: dict[str, str]) -> None:
    """Its cookie is sent by the browser, too, and the session moves here with this request."""
    cookie = KeygripCookie("koa.sess", keys=["old"], load=lambda _: {"views": 5})
    signed = hmac.digest(b"old", b"koa.sess=AAAA", "sha1")
    signature = urlsafe_b64encode(signed).decode().rstrip("=")
    with bank(CookieTransport(), legacy_cookies=[cookie]) as send:
        refused = send(Cookie=f"koa.sess=AAAA; koa.sess.sig={signature}", **headers)
        anonymous = send(Cookie="koa.sess=AAAA; koa.sess.sig=wrong", **headers)

    assert (refused.status_code, anonymous.text) == (403, "None")
