"""The sites and browsers that tests of the ASGI edge have in common."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sessions.testing import ManualClock
from tests.sessions.asgi.site import KINDS, AsgiBrowser, AsgiSite, SiteMaker, sets, site_maker


@pytest.fixture(params=KINDS)
def make_site(
    request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path
) -> Iterator[SiteMaker]:
    """Return a maker of sites on each kind of store in turn."""
    with site_maker(request.param, clock, tmp_path) as make:
        yield make


@pytest.fixture
def site(make_site: SiteMaker) -> AsgiSite:
    """Return a site with the default settings."""
    return make_site()


@pytest.fixture
def customer(site: AsgiSite) -> AsgiBrowser:
    """Return a browser whose session holds a value."""
    browser = site.browser()
    browser.visit(sets(a=1))
    site.store.calls.clear()
    site.events.clear()
    return browser
