"""`authenticated_at`: the time at which the signed-in user has signed in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sessions import Session
from sessions.testing import MICROSECOND, ManualClock
from tests.support.apps import Browser, in_turn, writes
from tests.support.users import signs_in

MINUTES = timedelta(minutes=5)


def at(session: Session) -> datetime | None:
    """Return the time of the sign-in."""
    return session.authenticated_at


def recently(session: Session) -> bool:
    """Return whether the sign-in is recent."""
    return session.signed_in_within(MINUTES)


@pytest.mark.parametrize("time", [300, 300.0, "300", None])
@pytest.mark.parametrize("is_signed_in", [False, True])
def test_a_time_is_a_timedelta(browser: Browser, time: Any, *, is_signed_in: bool) -> None:
    """The message is the same for visitors and for users."""

    def handler(session: Session) -> None:
        with pytest.raises(TypeError, match=r"signed_in_within\(.*needs a timedelta. Fix: write"):
            session.signed_in_within(time)

    if is_signed_in:
        browser.visit(signs_in())
    assert browser.visit(handler).status == 200


def test_authenticated_at_is_none_without_a_user(browser: Browser) -> None:
    """The time is None in a new session, in one without a user, and after a sign-out."""
    seen = [browser.visit(in_turn(writes(a=1), at)).value, browser.visit(at).value]
    browser.visit(signs_in())
    seen += [browser.visit(in_turn(Session.clear_user, at)).value, browser.visit(at).value]

    assert seen == [None] * 4
    assert browser.visit(recently).value is False


def test_authenticated_at_is_the_time_of_the_sign_in(browser: Browser, clock: ManualClock) -> None:
    """The time is there at once and stays; uses and new ids do not change it."""
    browser.visit(writes(a=1))
    clock.advance(100)
    now = datetime.fromtimestamp(clock(), UTC)
    seen = [browser.visit(in_turn(signs_in(), at)).value]
    for handler in (writes(b=2), Session.regenerate, Session.clear):
        clock.advance(100)
        browser.visit(handler)
        seen.append(browser.visit(at).value)

    assert seen == [now] * 4


@pytest.mark.parametrize("user_id", ["ada", "bob"])
def test_a_second_sign_in_sets_authenticated_at_again(
    browser: Browser, clock: ManualClock, user_id: str
) -> None:
    """The second sign-in may be of the same user or of another one."""
    browser.visit(signs_in("ada"))
    clock.advance(1000)
    browser.visit(signs_in(user_id))

    assert browser.visit(at).value == datetime.fromtimestamp(clock(), UTC)


def test_signed_in_within_is_exact(browser: Browser, clock: ManualClock) -> None:
    """A sign-in is not recent one microsecond after the time is over."""
    browser.visit(signs_in())
    clock.advance(300)
    before = browser.visit(recently).value
    clock.advance(2 * MICROSECOND)

    assert (before, browser.visit(recently).value) == (True, False)


def test_a_sign_in_by_a_clock_far_ahead_is_not_recent(browser: Browser, clock: ManualClock) -> None:
    """The true time of such a sign-in is not known."""
    clock.advance(1000)
    browser.visit(signs_in())
    clock.advance(-1000)

    assert browser.visit(recently).value is False


def test_authenticated_at_cannot_be_set(browser: Browser) -> None:
    """The error names the method that sets it."""

    def handler(session: Session) -> None:
        session.authenticated_at = datetime.now(UTC)  # type: ignore[misc]

    with pytest.raises(
        AttributeError, match=r"cannot be set\. Fix: sign in with session\.set_user"
    ):
        browser.visit(handler)
