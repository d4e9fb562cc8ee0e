"""What the tests of sessions share: a clock, every store, and a site on them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from sessions import MemoryStore, SQLiteStore, Store
from sessions.testing import ManualClock
from tests.sessions.apps import Browser, Site
from tests.sessions.watched import WatchedStore

settings.register_profile(
    "sessions",
    deadline=None,
    # Each example begins afresh, whatever the fixtures of the test are.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("sessions")

SiteMaker = Callable[..., Site]


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that the test moves."""
    return ManualClock()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Store:
    """Return an empty store, each kind in turn."""
    if request.param == "memory":
        return MemoryStore(clock=clock)
    return SQLiteStore(tmp_path / "sessions.db", clock=clock)


@pytest.fixture
def watched(store: Store) -> WatchedStore:
    """Return the store, with its calls counted."""
    return WatchedStore(store)


@pytest.fixture
def make_site(watched: WatchedStore, clock: ManualClock) -> SiteMaker:
    """Return a maker of sites on the watched store; it takes the container's settings."""

    def make(**settings: Any) -> Site:
        return Site(watched, clock, **settings)

    return make


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """Return a site with the default settings."""
    return make_site()


@pytest.fixture
def browser(site: Site) -> Browser:
    """Return a visitor without a cookie."""
    return site.browser()
