"""Requests that are no use of the session, such as polling: they do not make it live on."""

from datetime import timedelta
from typing import Any

import pytest

from sessions import Session, SessionContainer
from sessions.stateless import SignedToken
from sessions.testing import MICROSECOND, ManualClock
from tests.sessions.conftest import SiteMaker
from tests.support.apps import KEY, Browser, Handler, Site, everything, in_turn, writes
from tests.support.refusals import problems
from tests.support.users import signs_in, who

HOUR, DAY = 3600.0, 86400.0

quiet: Handler = Session.keep_expiry


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a value, with the store's calls forgotten."""
    browser.visit(writes(a=1))
    browser.site.store_calls().clear()
    return browser


@pytest.mark.parametrize(
    "polls",
    [
        in_turn(quiet, everything),
        in_turn(everything, quiet),
        in_turn(quiet, writes(b=2)),
        in_turn(quiet, lambda session: session.increment("n")),
        in_turn(quiet, writes(c=3), Session.save),
        in_turn(quiet, Session.regenerate),
    ],
    ids=["reads", "reads first", "writes", "increments", "saves", "regenerates"],
)
def test_polling_does_not_keep_a_session_alive(
    customer: Browser, clock: ManualClock, polls: Handler
) -> None:
    """It ends a day after its last use, to the microsecond."""
    for _ in range(23):
        clock.advance(HOUR)
        customer.visit(polls)
    clock.advance(HOUR - MICROSECOND)
    before = customer.visit(in_turn(quiet, everything)).value
    clock.advance(MICROSECOND)

    assert before["a"] == 1
    assert customer.holds() == {}


def test_a_poll_that_reads_writes_nothing(customer: Browser, clock: ManualClock) -> None:
    """No touch, however late."""
    clock.advance(HOUR)
    customer.visit(in_turn(quiet, everything))

    assert customer.site.store_calls() == ["load"]


def test_changes_of_a_background_request_are_kept(customer: Browser, clock: ManualClock) -> None:
    """Only the times stay."""
    clock.advance(HOUR)
    customer.visit(in_turn(quiet, writes(b=2)))

    assert customer.holds() == {"a": 1, "b": 2}


def test_a_background_request_can_read_when_the_session_ends(
    customer: Browser, clock: ManualClock
) -> None:
    """A page that counts down asks without an effect."""
    before = customer.visit(lambda session: session.expires_at).value
    clock.advance(HOUR)
    told = customer.visit(in_turn(quiet, lambda session: session.expires_at)).value

    assert told == before


def test_another_request_is_still_a_use(customer: Browser, clock: ManualClock) -> None:
    """A poll that began before a use does not take the time of the use back."""
    clock.advance(HOUR)

    def polls(session: Session) -> None:
        session.keep_expiry()
        session["polled"] = True
        customer.site.visit(writes(used=True), customer.cookie)

    customer.visit(polls)
    clock.advance(DAY - MICROSECOND)

    assert customer.holds() == {"a": 1, "used": True, "polled": True}


def test_a_sign_in_is_always_a_use(customer: Browser, clock: ManualClock) -> None:
    """Somebody was there."""
    clock.advance(23 * HOUR)
    customer.visit(in_turn(quiet, signs_in()))
    clock.advance(DAY - MICROSECOND)

    assert customer.visit(who).value[0] == "ada"


def test_rolling_sends_no_cookie_with_a_background_request(
    make_site: SiteMaker, clock: ManualClock
) -> None:
    """The cookie would live longer than the session."""
    browser = make_site(rolling=True).browser()
    browser.visit(writes(a=1))
    clock.advance(HOUR)
    answer = browser.visit(in_turn(quiet, everything))

    assert answer.set_cookies == []
    assert len(browser.visit(everything).set_cookies) == 1


def test_a_cookie_with_a_time_stays_as_it_is(customer: Browser, clock: ManualClock) -> None:
    """It must not live longer than its session, whatever a poll writes."""
    customer.visit(lambda session: setattr(session, "timeout", timedelta(days=2)))
    clock.advance(DAY)
    answer = customer.visit(in_turn(quiet, writes(b=2)))

    assert answer.set_cookies == []
    assert "max-age" in customer.visit(writes(c=3)).attributes


@pytest.mark.parametrize("rolling", [False, True])
def test_a_header_of_the_client_marks_a_background_request(
    make_site: SiteMaker, clock: ManualClock, rolling: bool
) -> None:
    """The handlers need not know."""
    # The head of the test requests has this header already.
    site = make_site(background_header="Host", rolling=rolling)
    browser = site.browser()
    browser.visit(writes(a=1))
    clock.advance(23 * HOUR)
    browser.visit(everything)
    clock.advance(HOUR)

    assert browser.holds() == {}


def test_a_request_without_the_header_is_a_use(make_site: SiteMaker, clock: ManualClock) -> None:
    """As without the setting."""
    browser = make_site(background_header="X-Background").browser()
    browser.visit(writes(a=1))
    clock.advance(23 * HOUR)
    browser.visit(everything)
    clock.advance(DAY - MICROSECOND)

    assert browser.holds() == {"a": 1}


def test_sessions_in_tokens_get_no_new_token(clock: ManualClock) -> None:
    """Unless a value changes, and then with the times of before."""
    browser = Site(SignedToken(), clock).browser()
    browser.visit(writes(a=1))
    clock.advance(23 * HOUR)
    answer = browser.visit(in_turn(quiet, everything))
    browser.visit(in_turn(quiet, writes(b=2)))
    clock.advance(HOUR - MICROSECOND)
    before = browser.visit(in_turn(quiet, everything)).value
    clock.advance(MICROSECOND)

    assert answer.set_cookies == []
    assert before == {"a": 1, "b": 2}
    assert browser.holds() == {}


@pytest.mark.parametrize("name", ["", "X Background", "X:", 7, "X-Bäckground"])
def test_an_invalid_header_name_is_refused(name: Any) -> None:
    """No request could ever have it."""
    (problem,) = problems(SessionContainer, keys=[KEY], background_header=name)

    assert "is not the name of a header. Fix: " in problem
