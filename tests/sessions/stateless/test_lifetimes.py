"""How long a session in a token lives: the server decides."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.stateless import TokenFormat
from sessions.testing import ManualClock
from tests.sessions.stateless.conftest import SiteMaker
from tests.support.apps import Browser, Site, everything, writes
from tests.support.thoroughness import examples

DAY = timedelta(days=1)


@pytest.mark.parametrize(("after", "lives"), [(DAY - timedelta(seconds=1), True), (DAY, False)])
def test_the_idle_timeout_is_enforced_by_the_server(
    site: Site, clock: ManualClock, after: timedelta, lives: bool
) -> None:
    """An old token is refused, although the client still sends it."""
    cookie = site.visit(writes(a=1)).cookie
    clock.advance(after)

    assert site.visit(everything, cookie).value == ({"a": 1} if lives else {})


def test_the_absolute_timeout_is_enforced_by_the_server(
    browser: Browser, clock: ManualClock
) -> None:
    """A session in constant use ends 14 days after it began."""
    browser.visit(writes(a=1))
    for _ in range(14 * 24 - 1):
        clock.advance(timedelta(hours=1))
        assert browser.holds() == {"a": 1}

    clock.advance(timedelta(hours=1))

    assert browser.holds() == {}


def test_shorter_timeouts_count_for_tokens_that_are_out(
    make_site: SiteMaker, clock: ManualClock
) -> None:
    """The present settings decide, and not the settings when the token was made."""
    cookie = make_site().visit(writes(a=1)).cookie
    clock.advance(timedelta(hours=2))

    assert make_site().visit(everything, cookie).value == {"a": 1}
    assert make_site(idle_timeout=timedelta(hours=1)).visit(everything, cookie).value == {}


def test_a_use_is_written_down_once_in_an_interval(browser: Browser, clock: ManualClock) -> None:
    """A read sends a new token if the last one is a minute old, so a used session stays alive."""
    browser.visit(writes(a=1))
    clock.advance(59)
    assert not browser.visit(everything).set_cookies

    clock.advance(1)
    assert browser.visit(everything).set_cookies
    clock.advance(DAY - timedelta(seconds=1))
    assert browser.holds() == {"a": 1}


@given(ahead=st.floats(-3 * 86400, 30 * 86400))
@settings(max_examples=examples(60))
def test_a_wrong_clock_of_another_server(ahead: float, kind: TokenFormat) -> None:
    """A token of a server whose clock is wrong lives by the clock of the server that reads it."""
    wrong, right = ManualClock(), ManualClock()
    wrong.advance(ahead)
    cookie = Site(kind, wrong).visit(writes(a=1)).cookie
    site = Site(kind, right)
    browser = site.browser()
    browser.cookie = cookie

    # Sealed in the past, it is as old as it says. Sealed in the future, it counts as new.
    assert browser.holds() == ({"a": 1} if ahead > -86400 else {})
    if ahead > 60:
        # The next answer puts the times right.
        right.advance(86400)
        assert browser.holds() == {}
