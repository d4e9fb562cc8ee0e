"""What the tests of legacy cookies share: another session system, and a site that reads its
cookies."""

from typing import Any

import pytest

from sessions import MemoryStore
from sessions.testing import ManualClock
from tests.sessions.migration.cookies import OldSystem, SiteOf
from tests.support.apps import Site
from tests.support.encrypting import NEW
from tests.support.watched import WatchedIndex


@pytest.fixture
def old() -> OldSystem:
    """Return the other system."""
    return OldSystem()


@pytest.fixture
def memory(clock: ManualClock) -> MemoryStore:
    """Return the store behind the site."""
    return MemoryStore(clock=clock)


@pytest.fixture(params=[False, True], ids=["plain", "encrypted"])
def site_of(request: pytest.FixtureRequest, clock: ManualClock, memory: MemoryStore) -> SiteOf:
    """Return a maker of sites that read legacy cookies."""
    encryption = {"encryption_keys": [NEW]} if request.param else {}

    def make(cookies: Any, **settings: Any) -> Site:
        return Site(WatchedIndex(memory), clock, legacy_cookies=cookies, **encryption, **settings)

    return make


@pytest.fixture
def site(site_of: SiteOf, old: OldSystem) -> Site:
    """Return a site that reads each kind of cookie."""
    return site_of(old.cookies())
