"""A form can still be sent if its session has just ended or changed its id."""

from collections.abc import Iterator

import pytest

from framework import Middleware, Session, component, configuration, controller, get, post
from framework.csrf import CSRF, csrf_token
from framework.testing import Client, SessionClock, open_client, replace
from sessions.testing import ManualClock

OURS = {"Sec-Fetch-Site": "same-origin"}
FOREIGN = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


@configuration
class Protection:
    @component
    def middleware(self) -> list[Middleware]:
        return [CSRF()]


@controller("/")
class Shop:
    @get("/form")
    def form(self, session: Session) -> str:
        session.setdefault("cart", ["tea"])
        return csrf_token(session)

    @post("/login/<name>")
    def login(self, session: Session, name: str) -> None:
        session.set_user(name)

    @post("/logout")
    def logout(self, session: Session) -> None:
        session.destroy()

    @get("/me")
    def me(self, session: Session) -> str:
        return session.user_id or "nobody"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def client(clock: ManualClock) -> Iterator[Client]:
    with open_client((Shop, Protection), [replace(SessionClock).to(clock)]) as client:
        yield client


def late_form(client: Client, path: str) -> str:
    """Get a form, let another tab post to the path, and return the form's token.

    The client has the cookie again that it had when it got the form.
    """
    token = client.get("/form").text
    cookie = client.get_cookie("session")
    assert cookie is not None
    client.post(path, headers=OURS)
    client.set_cookie("session", cookie.value)
    return token


@pytest.mark.parametrize("path", ["/login/bob", "/logout"])
def test_an_older_form_signs_in(client: Client, path: str) -> None:
    """The token is valid, and the sign-in gets a fresh session."""
    token = late_form(client, path)
    response = client.post("/login/ada", data={"csrf_token": token})

    assert response.status_code == 204
    assert "session=" in response.headers["Set-Cookie"]
    assert client.get("/me").text == "ada"


@pytest.mark.parametrize("path", ["/login/bob", "/logout"])
@pytest.mark.parametrize(
    ("headers", "data"), [({}, {}), ({}, {"csrf_token": "c" * 64}), (FOREIGN, {})]
)
def test_a_forged_request_is_refused(
    client: Client, path: str, headers: dict[str, str], data: dict[str, str]
) -> None:
    """A session that has just ended also requires a token."""
    late_form(client, path)
    response = client.post("/login/ada", headers=headers, data=data)

    assert response.status_code == 403
    assert "Set-Cookie" not in response.headers


def test_the_token_of_another_session_is_refused(client: Client) -> None:
    """Each ended session has its own tokens."""
    client.post("/login/eve", headers=OURS)
    other = client.get("/form").text
    client.delete_cookie("session")
    late_form(client, "/logout")

    assert client.post("/login/ada", data={"csrf_token": other}).status_code == 403


def test_a_form_of_long_ago_is_sent_by_a_visitor(client: Client, clock: ManualClock) -> None:
    """The session is long gone, so an attacker gains nothing."""
    late_form(client, "/logout")
    clock.advance(3600)

    assert client.post("/login/ada").status_code == 204
    assert client.get("/me").text == "ada"
