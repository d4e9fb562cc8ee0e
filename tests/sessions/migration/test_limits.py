"""Sessions of another system count in the limit of sessions per user."""

from typing import Any

import pytest

from sessions.migration import HexSignatureCookie
from sessions.testing import ManualClock, in_parallel
from sessions.users import SessionLimit
from tests.sessions.migration.cookies import (
    HEADERS,
    OldSystem,
    SiteOf,
    cleared,
    native,
    user_and_values,
)
from tests.support.apps import Browser, Site

MOST = 2


def signed_in(site: Site, clock: ManualClock) -> list[Browser]:
    """Sign Ada in, in as many browsers as she may have, one after the other."""
    browsers = [site.browser() for _ in range(MOST)]
    for browser in browsers:
        clock.advance(1)
        browser.visit(lambda session: session.set_user("ada"))
    clock.advance(1)
    return browsers


def users(browsers: list[Browser]) -> list[str | None]:
    """Return who is signed in, in each browser."""
    return [browser.visit(lambda session: session.user_id).value for browser in browsers]


def test_a_session_that_moves_ends_the_oldest(
    site_of: SiteOf, old: OldSystem, clock: ManualClock
) -> None:
    """The user goes on with it, and has no session too many."""
    site = site_of(old.cookies(), sessions_per_user=SessionLimit(MOST))
    browsers = signed_in(site, clock)

    answer = site.visit(user_and_values, HEADERS["hex"])

    assert answer.value == ("ada", {"items": "Dog"})
    assert users(browsers) == [None, "ada"]
    assert site.visit(user_and_values, native(answer)).value[0] == "ada"
    assert len(site.manager.sessions_of("ada")) == MOST
    assert [event.reason for event in site.events if event.kind == "destroyed"] == ["evicted"]


def test_a_session_beyond_the_limit_does_not_move(
    site_of: SiteOf, old: OldSystem, clock: ManualClock
) -> None:
    """Its request has no session, and it moves as soon as there is a place."""
    site = site_of(old.cookies(end=old.end), sessions_per_user=SessionLimit(MOST, "refuse"))
    browsers = signed_in(site, clock)
    site.events.clear()

    answer = site.visit(user_and_values, HEADERS["hex"])

    assert (answer.status, answer.value, answer.set_cookies) == (200, (None, {}), [])
    assert [(event.kind, event.reason) for event in site.events] == [("rejected", "too_many")]
    assert users(browsers) == ["ada"] * MOST
    assert old.ended == []
    browsers[0].visit(lambda session: session.destroy())
    moved = site.visit(user_and_values, HEADERS["hex"])
    assert moved.value == ("ada", {"items": "Dog"})
    assert cleared(moved) == ["sid", "sid_sig"]


@pytest.mark.parametrize("beyond", ["end_oldest", "refuse"])
def test_requests_with_one_cookie_count_once(site_of: SiteOf, old: OldSystem, beyond: Any) -> None:
    """All requests of a page share the session that moves."""
    site = site_of(
        [HexSignatureCookie("sid", keys=["secret"], load=old.load)],
        sessions_per_user=SessionLimit(1, beyond),
    )

    answers = in_parallel(10, lambda _: site.visit(user_and_values, HEADERS["hex"]).value)

    assert answers == [("ada", {"items": "Dog"})] * 10
    assert len(site.manager.sessions_of("ada")) == 1
    assert {*site.told} <= {"created", "signed_in", "loaded"}
