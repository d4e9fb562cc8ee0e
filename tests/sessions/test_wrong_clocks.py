"""Clocks that were wrong: sessions that they wrote lock nobody out, and do not live for ever."""

from datetime import timedelta

import pytest

from sessions import MemoryStore
from sessions.testing import START, ManualClock
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Browser, Handler, Site, everything, in_turn, writes
from tests.support.watched import WatchedStore

IDLE, ABSOLUTE = timedelta(hours=24), timedelta(days=14)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
AHEAD = [timedelta(minutes=2), timedelta(hours=3), timedelta(days=400), timedelta(days=36_500)]
FAR_AHEAD = [timedelta(days=2), *AHEAD[2:]]


@pytest.fixture(params=AHEAD, ids=str)
def visitor(request: pytest.FixtureRequest, browser: Browser, clock: ManualClock) -> Browser:
    """Return a browser whose session was made before a clock that was far ahead was put right."""
    clock.advance(request.param)
    browser.visit(writes(a=1))
    clock.set(START)
    return browser


def test_a_session_from_the_future_is_live(visitor: Browser) -> None:
    """The user can use the session."""
    visitor.visit(writes(b=2))

    assert visitor.holds() == {"a": 1, "b": 2}


@pytest.mark.parametrize("use", [everything, writes(b=2)], ids=["read", "written"])
@pytest.mark.parametrize(("after", "lives"), [(IDLE - SECOND, True), (IDLE, False)])
def test_a_session_from_the_future_ends_when_it_is_idle(
    visitor: Browser, clock: ManualClock, use: Handler, after: timedelta, lives: bool
) -> None:
    """The idle time counts from the first use with a right clock."""
    visitor.visit(use)
    clock.advance(after)

    assert bool(visitor.holds()) == lives


def test_a_session_from_the_future_never_outlives_the_absolute_timeout(
    visitor: Browser, clock: ManualClock
) -> None:
    """Uses do not extend the session beyond it."""
    lived = timedelta(0)
    while lived < ABSOLUTE:
        assert visitor.holds() == {"a": 1}
        clock.advance(IDLE / 2)
        lived += IDLE / 2

    assert visitor.holds() == {}


def test_its_times_are_put_right_once(visitor: Browser) -> None:
    """One touch corrects the times, and later requests do not."""
    visitor.site.store_calls().clear()

    for _ in range(3):
        visitor.visit(everything)

    assert visitor.site.store_calls() == ["load", "touch", "load", "load"]


def test_a_use_by_a_wrong_clock_is_put_right_once(browser: Browser, clock: ManualClock) -> None:
    """This holds also if a right clock made the session."""
    browser.visit(writes(a=1))
    clock.advance(HOUR)
    browser.visit(everything)
    clock.set(START)
    browser.site.store_calls().clear()

    for _ in range(3):
        browser.visit(everything)

    assert browser.site.store_calls() == ["load", "touch", "load", "load"]


def test_a_write_that_renews_the_cookie_puts_them_right(
    make_site: SiteMaker, clock: ManualClock
) -> None:
    """So the session lives as long as a new one."""
    browser = make_site(rolling=True).browser()
    clock.advance(HOUR)
    browser.visit(writes(a=1))
    clock.set(START)

    browser.visit(writes(b=2))

    began = browser.visit(lambda session: session.created_at.timestamp()).value
    assert began == START


def test_two_clocks_may_differ_by_a_minute(browser: Browser, clock: ManualClock) -> None:
    """The times are not corrected, and the later time stays."""
    clock.advance(59)
    browser.visit(writes(a=1))
    clock.set(START)
    browser.site.store_calls().clear()

    browser.visit(everything)

    assert browser.site.store_calls() == ["load"]
    clock.advance(IDLE + timedelta(seconds=58))
    assert browser.holds() == {"a": 1}


def test_a_slow_clock_ends_no_session_early(make_site: SiteMaker, clock: ManualClock) -> None:
    """A request with a clock that is behind does not set a time back."""
    browser = make_site(idle_timeout=timedelta(minutes=10)).browser()
    browser.visit(writes(a=1))
    clock.advance(-timedelta(seconds=59))
    browser.visit(writes(b=2))
    clock.set(START + 599)

    assert browser.holds() == {"a": 1, "b": 2}


@pytest.mark.parametrize("ahead", FAR_AHEAD, ids=str)
def test_a_grace_time_of_a_wrong_clock_is_over(
    browser: Browser, clock: ManualClock, ahead: timedelta
) -> None:
    """The earlier id does not work until the wrong time comes, and the present id works."""
    clock.advance(ahead)
    browser.visit(writes(a=1, b=2))
    earlier = browser.cookie
    browser.visit(lambda session: session.regenerate(grace=timedelta(seconds=30)))
    in_grace = browser.site.visit(everything, earlier).value
    clock.set(START)

    assert in_grace == browser.holds() == {"a": 1, "b": 2}
    assert browser.site.visit(in_turn(writes(c=3), everything), earlier).value == {"c": 3}
    assert browser.holds() == {"a": 1, "b": 2}


@pytest.mark.parametrize("ahead", FAR_AHEAD, ids=str)
def test_an_id_of_a_wrong_clock_is_renewed(
    make_site: SiteMaker, clock: ManualClock, ahead: timedelta
) -> None:
    """It is not older than `renew_every`, but nobody knows how old it is."""
    browser = make_site(renew_every=timedelta(hours=1)).browser()
    clock.advance(ahead)
    browser.visit(writes(a=1))
    clock.set(START)
    before = browser.cookie

    cookies = []
    for _ in range(3):
        browser.visit(everything)
        cookies.append(browser.cookie)

    assert before not in cookies
    assert len(set(cookies)) == 1


@pytest.mark.parametrize("ahead", [timedelta(minutes=2), timedelta(hours=3)], ids=str)
def test_a_store_whose_clock_is_ahead_renews_no_id_in_each_request(ahead: timedelta) -> None:
    """Such a store sets the time of a new id; the earlier id still has its grace time."""
    clock = ManualClock()
    store = MemoryStore(clock=lambda: clock() + ahead.total_seconds())
    site = Site(WatchedStore(store), clock, renew_every=timedelta(hours=1))
    browser = site.browser()
    browser.visit(writes(a=1))
    clock.advance(3601)
    earlier = browser.cookie

    cookies = []
    for _ in range(3):
        assert browser.holds() == {"a": 1}
        cookies.append(browser.cookie)
        assert site.visit(everything, earlier).value == {"a": 1}

    assert earlier not in cookies
    assert len(set(cookies)) == 1
