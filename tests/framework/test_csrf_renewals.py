"""The CSRF tokens of pages that are older than the present id of their session."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from framework import Middleware, component, configuration, controller, get, post, session
from framework.csrf import CSRF, csrf_token
from framework.testing import Client, SessionClock, open_client, replace
from sessions.testing import ManualClock

HOUR = 3600.0


@controller("/")
class Bank:
    @get("/form")
    def form(self, session: session) -> str:
        return csrf_token(session)

    @get("/read")
    def read(self, session: session) -> str:
        return f"{session.user_id}"

    @post("/transfer")
    def transfer(self, session: session) -> str:
        return f"{session.user_id}"

    @get("/login/<user>")
    def log_in(self, user: str, session: session) -> None:
        session.set_user(user)

    @get("/renew")
    def renew(self, session: session, grace: int = 0) -> None:
        session.regenerate(grace=timedelta(seconds=grace) if grace else None)


@configuration
class Renewing:
    @component
    def session_container(self) -> dict[str, Any]:
        return {"renew_every": timedelta(seconds=HOUR)}

    @component
    def middleware(self) -> list[Middleware]:
        return [CSRF()]


@pytest.fixture
def clock() -> ManualClock:
    """Return the clock of the sessions."""
    return ManualClock()


@pytest.fixture
def ada(clock: ManualClock) -> Iterator[Client]:
    """Return the browser of a user who has signed in; it sends no headers about the origin."""
    with open_client((Bank, Renewing), [replace(SessionClock).to(clock)]) as client:
        client.get("/login/ada")
        yield client


def status(client: Client, token: str) -> int:
    """Return the status of the answer to a form with this token."""
    return client.post("/transfer", data={"csrf_token": token}).status_code


def test_the_form_of_the_page_that_renewed_the_id_is_accepted(
    ada: Client, clock: ManualClock
) -> None:
    """The page was written before the response changed the id."""
    clock.advance(HOUR + 1)
    page = ada.get("/form")

    assert "Set-Cookie" in page.headers
    assert status(ada, page.text) == 200


def test_the_form_of_a_page_before_the_renewal_is_accepted(ada: Client, clock: ManualClock) -> None:
    """Another request of the page may have renewed the id; the page may stay open for long."""
    token = ada.get("/form").text
    clock.advance(HOUR + 1)
    ada.get("/read")
    clock.advance(HOUR / 2)

    assert status(ada, token) == 200


def test_the_form_of_a_page_with_the_earlier_id_is_accepted(
    ada: Client, clock: ManualClock
) -> None:
    """Two requests come at once: one renews the id, and the other has the earlier id in grace."""
    clock.advance(HOUR + 1)
    earlier = ada.get_cookie("session")
    assert earlier is not None
    ada.get("/read")
    present = ada.get_cookie("session")
    ada.set_cookie("session", earlier.value)
    token = ada.get("/form").text
    assert present is not None
    assert present.value != earlier.value
    ada.set_cookie("session", present.value)

    assert status(ada, token) == 200


def test_a_form_older_than_two_renewals_is_refused(ada: Client, clock: ManualClock) -> None:
    """A page that is older than two renewals has to be loaded again."""
    token = ada.get("/form").text
    for _ in range(2):
        clock.advance(HOUR + 1)
        ada.get("/read")

    assert status(ada, token) == 403


@pytest.mark.parametrize(
    ("path", "accepted"),
    [("/renew?grace=30", 200), ("/renew", 403), ("/login/ada", 403), ("/login/bob", 403)],
)
@pytest.mark.parametrize("renewed", [False, True])
def test_a_new_id_without_grace_makes_older_forms_invalid(
    ada: Client, clock: ManualClock, path: str, accepted: int, *, renewed: bool
) -> None:
    """Without a grace time, no earlier page counts; at a sign-in, there never is one."""
    token = ada.get("/form").text
    if renewed:
        clock.advance(HOUR + 1)
        token = ada.get("/form").text
    ada.get(path)

    assert status(ada, token) == (403 if renewed else accepted)
