"""`RecentLogin`: pages that need a login a short time ago."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from framework import (
    Response,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
    post,
    session,
)
from framework.logins import LoginTooOld, RecentLogin
from framework.redirects import redirect
from framework.testing import Client, SessionClock, open_client, replace
from sessions import SessionContainer
from sessions.migration import KeygripCookie, LegacySession
from sessions.testing import ManualClock
from tests.support.apps import KEY
from tests.support.small_applications import client_of


@controller("/account")
class Account:
    @post("/login/<user>")
    def log_in(self, user: str, session: session) -> None:
        session.set_user(user)

    @post("/logout")
    def log_out(self, session: session) -> None:
        session.clear_user()

    @post("/renew")
    def renew(self, session: session) -> None:
        session.regenerate()

    @get("/key")
    @guard(RecentLogin(minutes=5))
    def key(self) -> str:
        return "key"


@pytest.fixture
def clock() -> ManualClock:
    """Return the clock of the sessions."""
    return ManualClock()


@pytest.fixture
def client(clock: ManualClock) -> Iterator[Client]:
    """Return a client of the page."""
    with open_client((Account,), [replace(SessionClock).to(clock)]) as client:
        yield client


def test_a_visitor_and_an_anonymous_session_are_refused(client: Client) -> None:
    """The answer says what to do."""
    refused = client.get("/account/key", headers={"Accept": "application/json"})
    client.post("/account/login/ada")
    client.post("/account/logout")

    assert (refused.status_code, refused.json["detail"]) == (403, LoginTooOld.description)
    assert client.get("/account/key").status_code == 403


def test_a_login_is_recent_for_exactly_its_time(client: Client, clock: ManualClock) -> None:
    """A use of the session does not make it longer, and a new id does not either."""
    client.post("/account/login/ada")
    clock.advance(300)
    client.post("/account/renew")
    in_time = client.get("/account/key").status_code
    clock.advance(0.001)

    assert in_time == 200
    assert client.get("/account/key").status_code == 403


def test_a_second_login_of_the_same_user_is_recent(client: Client, clock: ManualClock) -> None:
    """A second login counts as a new sign-in (step-up)."""
    client.post("/account/login/ada")
    clock.advance(3600)
    client.post("/account/login/ada")

    assert client.get("/account/key").status_code == 200


def test_an_exception_handler_sends_users_to_the_login() -> None:
    """The guard raises LoginTooOld, and not another 403."""

    @controller("/vault")
    class Vault:
        @get("/")
        @guard(RecentLogin(minutes=0.5))
        def show(self) -> str:
            return "vault"

        @catch(LoginTooOld)
        def log_in(self, error: LoginTooOld) -> Response:
            return redirect("/account/login")

    with client_of(Vault) as client:
        assert client.get("/vault").headers["Location"] == "/account/login"


@pytest.mark.parametrize("minutes", [0, -1, float("inf"), float("nan"), True, "5", 1e300], ids=repr)
def test_a_wrong_number_of_minutes_is_refused(minutes: Any) -> None:
    """A wrong number of minutes would let everybody pass, or nobody."""
    with pytest.raises(ValueError, match=r"is not a time\. Fix: "):
        RecentLogin(minutes=minutes)


def test_a_guard_shows_its_time() -> None:
    """The repr of the guard is what `framework explain` prints."""
    assert repr(RecentLogin(minutes=5)) == "RecentLogin(minutes=5)"


@pytest.mark.parametrize("minutes", [None, 4, 6])
def test_a_session_of_another_system_is_not_a_recent_login(minutes: int | None) -> None:
    """Its old cookie does not prove who sends it; the other system may know the time."""
    at = None if minutes is None else datetime.now(UTC) - timedelta(minutes=minutes)
    loaded = LegacySession({}, user_id="ada", authenticated_at=at)
    old = KeygripCookie("koa.sess", keys=["old"], load=lambda _: loaded)

    @configuration
    class Settings:
        @component
        def session_container(self) -> SessionContainer:
            return SessionContainer(keys=[KEY], legacy_cookies=[old])

    with open_client((Account, Settings), []) as client:
        client.set_cookie("koa.sess", "AAAA")
        client.set_cookie("koa.sess.sig", old.signature(b"old", "koa.sess=AAAA"))
        moved = client.get("/account/key")
        client.post("/account/login/ada")

        assert moved.status_code == (200 if minutes == 4 else 403)
        assert client.get("/account/key").status_code == 200
