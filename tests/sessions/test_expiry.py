"""When a session expires, and what keeps it alive."""

from datetime import timedelta
from typing import Any

import pytest

from sessions import (
    ConfigurationError,
    CookieSettings,
    Session,
    SessionContainer,
    SessionManager,
    Store,
)
from sessions.testing import MICROSECOND, START, ManualClock
from tests.sessions.conftest import SiteMaker
from tests.support.apps import KEY, Browser, Handler, Site, everything, in_turn, untouched, writes

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a value, with the store's calls forgotten."""
    browser.visit(writes(a=1))
    browser.site.store_calls().clear()
    return browser


@pytest.mark.parametrize(
    ("after", "alive"), [(DAY - MICROSECOND, True), (DAY, False), (DAY + HOUR, False)]
)
def test_an_idle_session_ends_exactly_at_its_timeout(
    customer: Browser, clock: ManualClock, after: float, alive: bool
) -> None:
    """The session is still there a microsecond before."""
    clock.set(START + after)

    assert customer.holds() == ({"a": 1} if alive else {})


def test_an_expired_session_is_not_adopted(customer: Browser, clock: ManualClock) -> None:
    """A write begins another session with another id."""
    before = customer.cookie
    clock.advance(DAY)

    customer.visit(writes(b=2))

    assert customer.cookie != before
    assert customer.holds() == {"b": 2}
    assert customer.site.visit(everything, before).value == {}


def test_a_session_after_a_logout_has_its_own_absolute_timeout(
    customer: Browser, clock: ManualClock
) -> None:
    """The absolute timeout of the new session begins at its own start."""
    clock.advance(HOUR)

    customer.visit(in_turn(everything, Session.destroy, writes(b=2)))

    began = customer.visit(lambda session: session.created_at.timestamp()).value
    assert began == START + HOUR


def test_rolling_renews_the_cookie_also_after_a_verb_that_wrote(make_site: SiteMaker) -> None:
    """An atomic verb commits a value, and the end of the request still renews the cookie."""
    browser = make_site(rolling=True).browser()
    browser.visit(writes(n=1))

    answer = browser.visit(lambda session: session.increment("n"))

    assert len(answer.set_cookies) == 1


def test_changed_timeouts_apply_to_existing_sessions(
    customer: Browser, make_site: SiteMaker, clock: ManualClock
) -> None:
    """A shorter timeout counts at once for all sessions."""
    clock.advance(2 * HOUR)

    stricter = make_site(idle_timeout=timedelta(hours=2))
    usual = make_site()

    assert stricter.visit(everything, customer.cookie).value == {}
    assert usual.visit(everything, customer.cookie).value == {"a": 1}


@pytest.mark.parametrize("visit", [everything, writes(b=2)], ids=["reading", "writing"])
def test_activity_extends_the_idle_timeout(
    customer: Browser, clock: ManualClock, visit: Handler
) -> None:
    """The idle timeout begins again at the last use."""
    clock.advance(20 * HOUR)
    customer.visit(visit)
    clock.advance(20 * HOUR)

    assert customer.holds()["a"] == 1


@pytest.mark.parametrize("status", [404, 500])
def test_an_error_page_is_activity_too(customer: Browser, clock: ManualClock, status: int) -> None:
    """A failed request is still a use by its user."""
    clock.advance(20 * HOUR)
    customer.visit(everything, status=status)
    clock.advance(20 * HOUR)

    assert customer.holds() == {"a": 1}


def test_an_untouched_request_does_not_extend_it(customer: Browser, clock: ManualClock) -> None:
    """A request that does not use its session is not a use."""
    clock.advance(20 * HOUR)
    customer.visit(untouched)
    clock.advance(4 * HOUR)

    assert customer.holds() == {}


def test_rolling_extends_it_at_every_request(make_site: SiteMaker, clock: ManualClock) -> None:
    """Each request renews the cookie, even if it does not use the session."""
    browser = make_site(rolling=True, cookie=CookieSettings(max_age=timedelta(days=1))).browser()
    browser.visit(writes(a=1))
    clock.advance(20 * HOUR)
    answer = browser.visit(untouched)
    clock.advance(20 * HOUR)

    assert answer.attributes["max-age"] == "86400"
    assert browser.holds() == {"a": 1}


@pytest.mark.parametrize("act", [untouched, everything, writes(b=2)], ids=["none", "get", "set"])
def test_rolling_renews_the_cookie_with_every_response(
    make_site: SiteMaker, clock: ManualClock, act: Handler
) -> None:
    """This holds for whatever the request did with a live session."""
    browser = make_site(rolling=True).browser()
    first = browser.visit(writes(a=1)).cookie
    clock.advance(1)

    assert browser.visit(act).cookie == first


@pytest.mark.parametrize("act", [untouched, everything], ids=["untouched", "reading"])
def test_rolling_gives_a_visitor_nothing(make_site: SiteMaker, act: Handler) -> None:
    """A visitor has no session that could be renewed."""
    site = make_site(rolling=True)

    assert site.visit(act).set_cookies == []
    assert site.store_calls() == []


def test_the_absolute_timeout_cannot_be_extended(customer: Browser, clock: ManualClock) -> None:
    """Uses, a timeout of the session and a new id do not extend it."""
    customer.visit(lambda session: setattr(session, "timeout", timedelta(days=100)))
    for _ in range(14):
        assert customer.holds()["a"] == 1
        clock.advance(DAY - 1)
        customer.visit(in_turn(Session.regenerate, writes(now=clock())))
    clock.set(START + 14 * DAY - MICROSECOND)
    last = customer.holds()
    clock.set(START + 14 * DAY)

    assert last["a"] == 1
    assert customer.holds() == {}


@pytest.mark.parametrize(
    ("idle", "interval"), [(timedelta(days=1), 60), (timedelta(seconds=100), 10)]
)
def test_a_touch_inside_the_touch_interval_writes_nothing(
    make_site: SiteMaker, clock: ManualClock, idle: timedelta, interval: float
) -> None:
    """The interval is a tenth of the idle timeout, at most 60 seconds."""
    site = make_site(idle_timeout=idle)
    browser = site.browser()
    browser.visit(writes(a=1))
    site.store_calls().clear()

    for after in (0, interval - MICROSECOND, interval, interval + 1, 2 * interval):
        clock.set(START + after)
        browser.visit(everything)

    assert site.store.writes == ["touch", "touch"]


def test_a_write_is_a_touch(customer: Browser, clock: ManualClock) -> None:
    """The commit brings the times, so no touch is due until the interval is over again."""
    clock.advance(MINUTE)
    customer.visit(writes(b=2))
    customer.visit(everything)

    assert customer.site.store.writes == ["commit"]


def test_a_browser_session_cookie_has_no_age(browser: Browser, clock: ManualClock) -> None:
    """The cookie has neither Max-Age nor Expires, and the server's timeout counts."""
    answer = browser.visit(writes(a=1))
    clock.advance(DAY)

    assert {"max-age", "expires"}.isdisjoint(answer.attributes)
    assert browser.holds() == {}


def test_the_servers_timeout_wins_over_a_longer_cookie(
    make_site: SiteMaker, clock: ManualClock
) -> None:
    """The browser still sends the cookie, but the session has expired."""
    browser = make_site(cookie=CookieSettings(max_age=timedelta(days=365))).browser()
    answer = browser.visit(writes(a=1))
    clock.advance(DAY)

    assert answer.attributes["max-age"] == "31536000"
    assert browser.holds() == {}


def test_purge_removes_expired_sessions_only(site: Site, clock: ManualClock) -> None:
    """purge() removes a limited number at a time, and live sessions stay."""
    old = [site.browser() for _ in range(5)]
    for browser in old:
        browser.visit(writes(a=1))
    clock.advance(DAY)
    live = site.browser()
    live.visit(writes(b=2))
    clock.advance(MINUTE + 1)

    batches = [site.manager.purge(2) for _ in range(4)]

    assert batches == [2, 2, 1, 0]
    assert live.holds() == {"b": 2}
    assert [browser.holds() for browser in old] == [{}] * 5


def test_purge_under_traffic_loses_no_live_session(site: Site, clock: ManualClock) -> None:
    """A session that is used during the purge stays."""
    browser = site.browser()
    browser.visit(writes(a=1))
    clock.advance(DAY - 1)

    def handler(session: Session) -> None:
        session["b"] = 2
        session.save()
        clock.advance(MINUTE + 2)
        site.manager.purge()

    browser.visit(handler)

    assert browser.holds() == {"a": 1, "b": 2}


LIFETIMES = [
    timedelta(0),
    timedelta(seconds=-1),
    timedelta(microseconds=1),
    timedelta.max,
    60,
    None,
]


@pytest.mark.parametrize("name", ["idle_timeout", "absolute_timeout"])
@pytest.mark.parametrize("lifetime", LIFETIMES, ids=repr)
def test_impossible_lifetimes_are_refused(name: str, lifetime: Any) -> None:
    """The error has the name and the value; the absolute timeout cannot be turned off."""
    with pytest.raises(ConfigurationError, match=rf"{name}=.* (is|give)"):
        SessionContainer(keys=[KEY], **{name: lifetime})


@pytest.mark.parametrize("lifetime", LIFETIMES[:-1], ids=repr)
def test_impossible_cookie_ages_are_refused(lifetime: Any) -> None:
    """Zero or less would clear the cookie, and browsers shorten very long ages."""
    with pytest.raises(ConfigurationError, match="max_age="):
        CookieSettings(max_age=lifetime)


@pytest.mark.parametrize("listeners", [[], [lambda _: None]], ids=["no listener", "a listener"])
def test_delete_says_that_an_expired_session_had_ended(
    store: Store, clock: ManualClock, listeners: list[Any]
) -> None:
    """The answer does not depend on whether anybody listens."""
    container = SessionContainer(keys=[KEY], store=store, clock=clock, listeners=listeners)
    session = SessionManager(container).create({"a": 1})
    clock.advance(timedelta(days=30).total_seconds())

    assert session.delete() is False
