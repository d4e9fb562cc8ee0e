"""The transports of this package keep the contract of transports."""

from urllib.parse import urlencode

from sessions import (
    CookieSettings,
    CookieTransport,
    HeaderTransport,
    SessionContainer,
    URLTransport,
)
from sessions.testing import TransportContract, a_head
from sessions.transports.base import Headers, RequestHead, Transport
from tests.support.apps import KEY


class TestCookie(TransportContract):
    """The default transport."""

    def make_transport(self) -> Transport:
        return CookieTransport("session", CookieSettings())

    def request(self, *tokens: str) -> RequestHead:
        cookies = [f"__Host-session={token}" for token in tokens]
        return a_head({"Cookie": "; ".join(cookies)} if tokens else {})

    def received(self, headers: Headers) -> str | None:
        texts = [value for name, value in headers if name == "Set-Cookie"]
        return texts[0].partition("=")[2].partition(";")[0] if texts else None


class TestBareCookie(TestCookie):
    """A transport that the container completes."""

    def make_transport(self) -> Transport:
        container = SessionContainer(keys=[KEY])
        return CookieTransport().completed(container)


class TestHeader(TransportContract):
    """A header with a name of the user's choice."""

    def make_transport(self) -> Transport:
        return HeaderTransport("X-Session-Id")

    def request(self, *tokens: str) -> RequestHead:
        return a_head({"X-Session-Id": ", ".join(tokens)} if tokens else {})

    def received(self, headers: Headers) -> str | None:
        return dict(headers).get("X-Session-Id")


class TestBearer(TransportContract):
    """The header Authorization."""

    carries_one = True

    def make_transport(self) -> Transport:
        return HeaderTransport.bearer()

    def request(self, *tokens: str) -> RequestHead:
        return a_head({"Authorization": f"Bearer {tokens[0]}"} if tokens else {})

    def received(self, headers: Headers) -> str | None:
        value = dict(headers).get("Authorization")
        return None if value is None else value.removeprefix("Bearer ")


class TestURL(TransportContract):
    """Links and forms; no header sends the token to the client."""

    def make_transport(self) -> Transport:
        return URLTransport("wSession")

    def request(self, *tokens: str) -> RequestHead:
        return a_head(query="&".join(["x=1", *(urlencode({"wSession": text}) for text in tokens)]))

    def received(self, headers: Headers) -> str | None:
        return None
