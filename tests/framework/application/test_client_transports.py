"""The session of a test client whose container carries tokens in headers or in links."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from framework import Application, Form, controller, get, post, replace, session
from framework.redirects import redirect
from framework.testing import Client
from sessions import (
    CookieTransport,
    HeaderTransport,
    SessionContainer,
    SessionError,
    Store,
    Transport,
    URLTransport,
)
from sessions.stateless import SignedToken
from sessions.transports.base import Headers, RequestHead

KEYS = ["k" * 10 + "0123456789abcdefghijklmnopqrstuvwxyz"]


class PrefixedHeader(Transport):
    """A transport of an application, whose header has a text before the token."""

    vary = "X-Token"

    def read(self, head: RequestHead) -> list[str]:
        """Return the token."""
        header = head.header("X-Token")
        return [header.removeprefix("v1:")] if header else []

    def send(self, head: RequestHead, token: str, max_age: int | None) -> Headers:
        """Return the header with the token."""
        return [("X-Token", f"v1:{token}"), ("Cache-Control", "no-store")]

    def clear(self, head: RequestHead) -> Headers:
        """Return the header that removes the token."""
        return [("X-Token", "none"), ("Cache-Control", "no-store")]


class InThePath(PrefixedHeader):
    """A transport whose token comes in another way than it goes."""

    def read(self, head: RequestHead) -> list[str]:
        """Return the last part of the path."""
        return [head.path.rpartition("/")[2]]


@controller("/")
class Visits:
    """Count visits, and link to itself."""

    @get("/visits")
    def visits(self, session: session) -> int:
        session["visits"] = session.get("visits", 0) + 1
        return int(session["visits"])

    @get("/user")
    def user(self, session: session) -> str | None:
        return session.user_id

    @get("/page")
    def page(self, session: session) -> list[str]:
        session["page"] = 1
        return [session.rewrite("/visits?x=1#top")]

    @get("/form")
    def form(self, session: session) -> list[str]:
        session["page"] = 1
        return [session.hidden_input()]

    @post("/login")
    def login(self, user: Form[str], session: session) -> object:
        session.set_user(user)
        return redirect(session.rewrite("/user"))

    @post("/logout")
    def logout(self, session: session) -> None:
        session.destroy()


WAYS: dict[str, list[Transport]] = {
    "header": [HeaderTransport()],
    "bearer": [HeaderTransport.bearer()],
    "links": [URLTransport("sid")],
    "own header": [PrefixedHeader()],
    "cookie or links": [CookieTransport(), URLTransport("sid")],
    "cookie or header": [CookieTransport(), HeaderTransport()],
    "header or cookie": [HeaderTransport(), CookieTransport()],
    "links or header": [URLTransport("sid"), HeaderTransport()],
    "header or links": [HeaderTransport(), URLTransport("sid")],
    "cookie, header or links": [CookieTransport(), HeaderTransport(), URLTransport("sid")],
}
every_way = pytest.mark.parametrize("way", WAYS)


@contextmanager
def client_of(*transports: Transport, store: Store | SignedToken | None = None) -> Iterator[Client]:
    """Return a client of the application, with these transports."""
    stored = {} if store is None else {"store": store}
    container = SessionContainer(keys=KEYS, transports=transports, **stored)  # type: ignore[arg-type]
    with Application(Visits).test(replace(SessionContainer).to(container)) as client:
        yield client


@every_way
def test_a_session_can_be_prepared_and_inspected(way: str) -> None:
    """The next requests have the session, and the test sees what they did."""
    with client_of(*WAYS[way]) as client:
        with client.session() as session:
            session["visits"] = 41

        assert [client.get("/visits").json for _ in range(2)] == [42, 43]
        with client.session() as session:
            assert session["visits"] == 43
            session.set_user("ada")
        assert client.get("/user").text == "ada"
        assert client.get("/visits").json == 44


@every_way
def test_a_session_that_is_only_inspected_is_not_made(way: str) -> None:
    """A test that only looks for a session does not make one."""
    with client_of(*WAYS[way]) as client:
        with client.session() as session:
            assert dict(session) == {}

        assert client.get("/visits").json == 1


@every_way
def test_a_session_of_the_application_can_be_inspected(way: str) -> None:
    """The client opens the session of the last response."""
    with client_of(*WAYS[way]) as client:
        client.get("/page")
        with client.session() as session:
            assert dict(session) == {"page": 1}
            session["visits"] = 1

        assert client.get("/visits").json == 2


def test_a_form_has_the_session_of_its_field() -> None:
    """The client reads the hidden fields of a page, too."""
    with client_of(URLTransport("sid")) as client:
        client.get("/form")
        with client.session() as session:
            assert dict(session) == {"page": 1}


@every_way
def test_a_login_and_a_logout_of_the_application_are_followed(way: str) -> None:
    """The client takes over the new token, and gives an ended session up."""
    with client_of(*WAYS[way]) as client:
        with client.session() as session:
            session["visits"] = 1
            before = session.handle
        answer = client.post("/login", data={"user": "ada"}, follow_redirects=True)

        assert answer.text == "ada"
        with client.session() as session:
            assert (session.user_id, session.handle) == ("ada", before)
        client.post("/logout")
        assert client.get("/user").status_code == 204
        with client.session() as session:
            assert dict(session) == {}
            session["visits"] = 10
        assert client.get("/visits").json == 11


@every_way
def test_a_test_can_end_a_session(way: str) -> None:
    """After the end of its session, the client is a stranger."""
    with client_of(*WAYS[way]) as client:
        with client.session() as session:
            session["visits"] = 1
        with client.session() as session:
            session.destroy()

        assert client.get("/visits").json == 1


@pytest.mark.parametrize("way", ["header", "bearer", "links", "own header"])
def test_a_token_of_the_test_comes_first(way: str) -> None:
    """And before `client.session()`, the client sends only what the test gives it."""
    with client_of(*WAYS[way]) as client:
        manager = client.app.sessions
        assert manager is not None
        with manager.create({"visits": 70}) as other:
            token = manager.token(other)
        sent = {
            "header": {"headers": {"X-Session-Id": token}},
            "bearer": {"headers": {"Authorization": f"Bearer {token}"}},
            "own header": {"headers": {"X-Token": f"v1:{token}"}},
            "links": {"query_string": {"sid": token, "x": "1"}},
        }[way]

        assert [client.get("/visits").json for _ in range(2)] == [1, 1]
        with client.session() as session:
            session["visits"] = 41
        assert client.get("/visits", **sent).json == 71
        assert client.get("/visits", query_string={"x": "1"}).json == 42
        assert client.get("/visits", **sent).json == 72


def test_a_session_in_its_token_can_be_prepared() -> None:
    """The token changes with each write, and the client keeps the last one."""
    with client_of(HeaderTransport(), store=SignedToken()) as client:
        with client.session() as session:
            session["visits"] = 41

        assert [client.get("/visits").json for _ in range(2)] == [42, 43]


def test_a_transport_that_the_client_does_not_know_is_refused() -> None:
    """The error says how to send the token; other requests of the client work."""
    with client_of(InThePath()) as client:
        assert client.get("/visits").json == 1
        with pytest.raises(SessionError, match=r"cannot send the token of .*Fix: .*create\(\)"):
            client.session().__enter__()
