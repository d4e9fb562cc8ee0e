"""CSRF also protects a request with ids of several sessions, which another site may have added."""

from collections.abc import Iterator

import pytest

from framework import Application, Middleware, component, configuration, controller, post, session
from framework.csrf import CSRF
from framework.testing import Client
from sessions import CookieTransport, HeaderTransport, SessionContainer, URLTransport
from tests.support.apps import KEY

FOREIGN = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
OWN = {"Sec-Fetch-Site": "same-origin"}


@controller("/")
class Site:
    @post("/login/<user>")
    def log_in(self, user: str, session: session) -> None:
        session.set_user(user)

    @post("/logout")
    def log_out(self, session: session) -> None:
        session.destroy()

    @post("/who")
    def who(self, session: session) -> str:
        return f"{session.user_id}"


@configuration
class WithCSRF:
    @component
    def session_container(self) -> SessionContainer:
        transports = [CookieTransport(), HeaderTransport(), URLTransport()]
        return SessionContainer(keys=[KEY], transports=transports)

    @component
    def middleware(self) -> list[Middleware]:
        return [CSRF()]


@pytest.fixture
def ada() -> Iterator[Client]:
    """Return the browser of a user who has signed in."""
    with Application(Site, WithCSRF).test() as client:
        client.post("/login/ada", headers=OWN)
        yield client


def _tokens(client: Client, count: int) -> list[str]:
    """Return tokens of sessions that the other site has begun."""
    manager = client.app.sessions
    assert manager is not None
    tokens = []
    for number in range(count):
        with manager.create({"number": number}) as session:
            tokens.append(manager.token(session))
    return tokens


@pytest.mark.parametrize("headers", [FOREIGN, {}])
@pytest.mark.parametrize("count", [1, 32])
@pytest.mark.parametrize("path", ["/logout", "/login/mallory"])
def test_a_session_that_an_attacker_adds_does_not_avoid_the_check(
    ada: Client, path: str, count: int, headers: dict[str, str]
) -> None:
    """A logout ends both sessions, and a sign-in replaces both, so they need the same proof."""
    added = "&".join(f"wSession={token}" for token in _tokens(ada, count))

    in_url = ada.post(f"{path}?{added}", headers=headers)
    kind = "application/x-www-form-urlencoded"
    in_form = ada.post(path, data=added, content_type=kind, headers=headers)

    assert (in_url.status_code, in_form.status_code) == (403, 403)
    assert ada.post("/who", headers=OWN).text == "ada"


def test_a_page_of_this_site_can_end_both_sessions(ada: Client) -> None:
    """The user must be able to leave this state."""
    (token,) = _tokens(ada, 1)

    assert ada.post(f"/logout?wSession={token}", headers=OWN).status_code == 204
    assert ada.post("/who", headers=OWN).text == "None"


def test_the_header_of_an_ended_session_does_not_exempt_a_cookie(ada: Client) -> None:
    """Only a session that came in the header itself needs no token."""
    manager = ada.app.sessions
    assert manager is not None
    dead = manager.create({"a": 1})
    manager.close(dead)
    token = manager.token(dead)
    manager.delete(dead.id)

    answer = ada.post("/who", headers={"X-Session-Id": token, **FOREIGN})

    assert answer.status_code == 403


def test_the_cookie_of_an_ended_session_does_not_block_a_header(ada: Client) -> None:
    """A browser keeps old cookies, also where a script sends the header."""
    (token,) = _tokens(ada, 1)
    cookie = ada.get_cookie("session")
    assert cookie is not None
    ada.post("/logout", headers=OWN)
    ada.set_cookie("session", cookie.value)

    answer = ada.post("/who", headers={"X-Session-Id": token, **FOREIGN})

    assert (answer.status_code, answer.text) == (200, "None")


def test_an_earlier_id_in_a_header_gives_no_right_to_a_cookie(ada: Client) -> None:
    """Another person may know an id that the session had before the user signed in."""
    cookie = ada.get_cookie("session")
    assert cookie is not None
    ada.post("/login/ada", headers=OWN)

    answer = ada.post("/who", headers={"X-Session-Id": cookie.value, **FOREIGN})
    present = ada.get_cookie("session")
    assert present is not None
    both = ada.post("/who", headers={"X-Session-Id": present.value, **FOREIGN})

    assert present.value.partition(".")[0] != cookie.value.partition(".")[0]
    assert (answer.status_code, both.text) == (403, "ada")
