"""What the tests of encrypted sessions share: sites that encrypt, over each store."""

from collections.abc import Callable
from typing import Any

import pytest

from sessions.testing import ManualClock
from tests.support.apps import Browser, Site
from tests.support.encrypting import NEW
from tests.support.watched import WatchedStore

SiteMaker = Callable[..., Site]


@pytest.fixture
def make_site(watched: WatchedStore, clock: ManualClock) -> SiteMaker:
    """Return a maker of sites that share one store and encrypt; it takes settings."""

    def make(**settings: Any) -> Site:
        return Site(watched, clock, **{"encryption_keys": [NEW], **settings})

    return make


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser with a session of three values, in which Ada is signed in."""

    def begin(session: Any) -> None:
        session.update(cart=["tea"], count=0)
        session.set_user("ada", role="reader")

    browser.visit(begin)
    browser.site.events.clear()
    browser.site.store_calls().clear()
    return browser
