"""The timeout of a single session: for "remember me", or a shorter one."""

from datetime import timedelta
from typing import Any

import pytest

from sessions import Session
from sessions.testing import MICROSECOND, START, ManualClock
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Browser, Handler, Site, everything, in_turn, writes

MINUTE, DAY = 60.0, 86400.0


def lives_for(lifetime: timedelta) -> Handler:
    """Make a handler that gives the session a timeout of its own."""
    return lambda session: setattr(session, "timeout", lifetime)


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a value, with the store's calls forgotten."""
    browser.visit(writes(a=1))
    browser.site.store_calls().clear()
    return browser


def test_a_sessions_own_timeout_is_stored(customer: Browser, clock: ManualClock) -> None:
    """It replaces the container's idle timeout, and begins again at each use."""
    customer.visit(lives_for(timedelta(days=3)))
    clock.advance(2 * DAY)
    told = customer.visit(lambda session: session.timeout).value
    clock.advance(3 * DAY - MICROSECOND)

    assert told == timedelta(days=3)
    assert customer.holds() == {"a": 1}


def test_a_shorter_timeout_of_a_session_wins(customer: Browser, clock: ManualClock) -> None:
    """The session ends exactly at its own timeout."""
    customer.visit(lives_for(timedelta(minutes=5)))
    clock.advance(5 * MINUTE - MICROSECOND)
    before = customer.visit(everything).value
    clock.advance(5 * MINUTE)

    assert before == {"a": 1}
    assert customer.holds() == {}


@pytest.mark.parametrize(
    ("lifetime", "max_age"),
    [
        (timedelta(hours=1), "3600"),
        (timedelta(days=14), "1209600"),
        (timedelta(days=100), "1209600"),
        (timedelta(milliseconds=1), "1"),
    ],
)
def test_a_timeout_of_its_own_shows_in_max_age(
    customer: Browser, lifetime: timedelta, max_age: str
) -> None:
    """There is one commit and one cookie, never longer than the absolute timeout."""
    answer = customer.visit(lives_for(lifetime))

    assert customer.site.store.writes == ["commit"]
    assert answer.attributes["max-age"] == max_age


def test_reads_keep_a_session_with_a_short_timeout_alive(
    customer: Browser, clock: ManualClock
) -> None:
    """A tenth of its own timeout is its touch interval, and not that of the container."""
    customer.visit(lambda session: setattr(session, "timeout", timedelta(seconds=40)))
    for _ in range(10):
        clock.advance(30)
        assert customer.visit(everything).value == {"a": 1}
    clock.advance(40)

    assert customer.visit(everything).value == {}


def test_expires_at_follows_the_timeout_that_applies(browser: Browser, clock: ManualClock) -> None:
    """It follows the container's timeout, a new timeout at once, and the absolute timeout."""

    def handler(session: Session) -> list[float]:
        told = [session.expires_at.timestamp()]
        for days in (3, 100):
            session.timeout = timedelta(days=days)
            told.append(session.expires_at.timestamp())
        return told

    answer = browser.visit(handler)

    assert answer.value == [START + DAY, START + 3 * DAY, START + 14 * DAY]


def test_setting_the_timeout_to_none_restores_the_containers(
    customer: Browser, clock: ManualClock
) -> None:
    """The container's timeout counts again, and the cookie has no Max-Age."""
    customer.visit(lives_for(timedelta(days=3)))

    answer = customer.visit(lambda session: setattr(session, "timeout", None))
    told = customer.visit(lambda session: session.timeout).value
    clock.advance(DAY)

    assert "max-age" not in answer.attributes
    assert told == timedelta(days=1)
    assert customer.holds() == {}


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=-1), 3600], ids=repr)
def test_a_timeout_must_be_a_time(customer: Browser, lifetime: Any) -> None:
    """Another value is refused where it is set."""
    with pytest.raises(ValueError, match="is not a timeout"):
        customer.visit(lives_for(lifetime))


def test_remember_me_makes_only_that_session_persistent(site: Site, clock: ManualClock) -> None:
    """Other sessions still end with the browser, or at the container's timeout."""
    remembered, other = site.browser(), site.browser()
    first = remembered.visit(in_turn(writes(a=1), lives_for(timedelta(days=7))))
    second = other.visit(writes(b=2))
    clock.advance(6 * DAY)

    assert first.attributes["max-age"] == "604800"
    assert "max-age" not in second.attributes
    assert remembered.holds() == {"a": 1}
    assert other.holds() == {}


def test_with_rolling_each_answer_renews_the_cookie(make_site: SiteMaker) -> None:
    """A session with its own timeout follows the setting, too."""
    browser = make_site(rolling=True).browser()
    browser.visit(lives_for(timedelta(days=3)))

    answers = [browser.visit(use) for use in (everything, writes(b=2))]

    assert [len(answer.set_cookies) for answer in answers] == [1, 1]


def test_a_new_id_keeps_the_session_persistent(customer: Browser, clock: ManualClock) -> None:
    """Max-Age is the rest of the session's time."""
    customer.visit(lives_for(timedelta(days=10)))
    clock.advance(6 * DAY)

    answer = customer.visit(Session.regenerate)

    assert answer.attributes["max-age"] == f"{8 * 86400}"
