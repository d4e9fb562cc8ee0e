"""`from_cookie` finds the live session of a raw Cookie header, without a request."""

from datetime import timedelta
from typing import Any

import pytest

from sessions import CookieSettings, Session, SessionManager
from sessions.testing import ManualClock
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Browser, Site, writes


@pytest.fixture
def manager(site: Site) -> SessionManager:
    """Return the manager of the site."""
    return site.manager


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a value, with the store's calls forgotten."""
    browser.visit(writes(a=1))
    browser.site.store_calls().clear()
    return browser


def test_from_cookie_finds_the_session(manager: SessionManager, customer: Browser) -> None:
    """The header may come from the first request of a WebSocket."""
    session = manager.from_cookie(f"theme=dark; {customer.cookie}")
    assert session is not None
    session["socket"] = True
    manager.close(session)

    assert customer.holds() == {"a": 1, "socket": True}


def test_from_cookie_finds_no_session_in_a_wrong_header(
    manager: SessionManager, customer: Browser
) -> None:
    """The result is None, and only a valid token with an unknown id asks the store."""
    token = customer.cookie.removeprefix("session=")
    unsigned, _, signature = token.rpartition(".")
    wrong = f"{unsigned}.{signature[::-1]}"
    headers = [None, "", "theme=dark", "session=", "session=forged"]
    headers += [f"session={unsigned}", f"session={wrong}", f"other={token}"]

    assert [manager.from_cookie(header) for header in headers] == [None] * len(headers)
    assert customer.site.store_calls() == []
    manager.delete(customer.visit(lambda session: session.id).value)
    assert manager.from_cookie(customer.cookie) is None


def test_from_cookie_finds_no_expired_session(
    manager: SessionManager, customer: Browser, clock: ManualClock
) -> None:
    """The result is None."""
    clock.advance(86_400)

    assert manager.from_cookie(customer.cookie) is None


def test_from_cookie_finds_no_session_of_an_earlier_id(
    manager: SessionManager, customer: Browser
) -> None:
    """The id before regenerate() finds nothing, even just afterwards."""
    earlier = customer.cookie
    customer.visit(Session.regenerate)

    assert manager.from_cookie(earlier) is None
    assert manager.from_cookie(customer.cookie) is not None


def test_a_program_sends_no_earlier_id_in_its_grace(
    manager: SessionManager, customer: Browser
) -> None:
    """Another response has sent the present id, which must stay in the browser."""
    earlier, earlier_id = customer.cookie, customer.visit(lambda session: session.id).value
    customer.visit(lambda session: session.regenerate(grace=timedelta(seconds=30)))
    session = manager.from_cookie(earlier)
    assert session is not None
    headers: list[tuple[str, str]] = []
    session.add_cookie(headers)

    assert headers == [("Vary", "Cookie")]
    assert manager.get(earlier_id)["a"] == 1


@pytest.mark.parametrize("secure", ["auto", True], ids=repr)
def test_from_cookie_finds_a_secure_cookie(make_site: SiteMaker, secure: Any) -> None:
    """The cookie has another name over https."""
    browser = make_site(cookie=CookieSettings(secure=secure)).browser()
    browser.visit(writes(a=1), scheme="https")

    assert browser.cookie.startswith("__Host-session=")
    session = browser.site.manager.from_cookie(browser.cookie)
    assert session is not None
    assert session["a"] == 1
