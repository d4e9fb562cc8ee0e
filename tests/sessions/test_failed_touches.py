"""A touch or a setting's write fails: the page is served, and an event tells of the failure."""

import pytest

from sessions.testing import ManualClock
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Browser, everything, untouched, writes


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a value."""
    browser.visit(writes(a=1))
    return browser


def test_a_touch_that_fails_does_not_fail_the_page(
    customer: Browser, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """There is an event, a line in the log, and no cookie."""
    customer.site.store.broken = {"touch"}
    clock.advance(60)

    answer = customer.visit(everything)

    assert (answer.status, answer.value, answer.set_cookies) == (200, {"a": 1}, [])
    assert customer.site.told == ["created", "store_failed"]
    assert "was not stored" in caplog.text


def test_a_failed_touch_is_tried_again_by_the_next_request(
    customer: Browser, clock: ManualClock
) -> None:
    """So a session in use does not expire."""
    customer.site.store.broken = {"touch"}
    clock.advance(60)
    customer.visit(everything)
    customer.site.store.broken = set()

    customer.visit(everything)
    clock.advance(24 * 3600 - 1)

    assert customer.holds() == {"a": 1}


@pytest.mark.parametrize("settings", [{"rolling": True}, {"resave": True}])
def test_a_failed_touch_renews_no_cookie(
    make_site: SiteMaker, clock: ManualClock, settings: dict[str, bool]
) -> None:
    """A renewed cookie would live longer than the session in the store."""
    browser = make_site(**settings).browser()
    browser.visit(writes(a=1))
    browser.site.store.broken = {"touch"}
    clock.advance(60)

    answer = browser.visit(everything)

    assert (answer.status, answer.set_cookies) == (200, [])


@pytest.mark.parametrize("call", ["load", "create", "commit", "touch"])
@pytest.mark.parametrize("setting", ["rolling", "resave", "save_uninitialized"])
def test_a_failed_write_that_only_a_setting_wants_does_not_fail_the_page(
    make_site: SiteMaker, clock: ManualClock, setting: str, call: str
) -> None:
    """If only a setting asks for the write, the page is served."""
    site = make_site(**{setting: True})
    cookie = site.visit(writes(a=1)).cookie
    site.store.broken = {call}
    clock.advance(60)

    answers = [site.visit(untouched, cookie), site.visit(untouched)]

    assert [answer.status for answer in answers] == [200, 200]
    site.store.broken = set()
    assert site.visit(everything, cookie).value == {"a": 1}


def test_a_failed_resave_is_reported(
    make_site: SiteMaker, caplog: pytest.LogCaptureFixture
) -> None:
    """With `resave`, the handler changed nothing, so no change is lost."""
    browser = make_site(resave=True).browser()
    browser.visit(writes(a=1))
    browser.site.store.broken = {"commit"}

    answer = browser.visit(everything)

    assert (answer.status, answer.value) == (200, {"a": 1})
    assert browser.site.told == ["created", "store_failed"]
    assert "was not stored" in caplog.text


def test_a_failed_creation_that_a_handler_needs_is_a_503(make_site: SiteMaker) -> None:
    """The page may have a CSRF token of the session, so the answer is a 503."""
    site = make_site(save_uninitialized=True)
    site.store.broken = {"create"}

    assert site.visit(lambda session: session.id).status == 503
