"""What the tests of sessions share: a clock, every store, and a site on them."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from sessions import (
    AsyncSessionManager,
    AsyncStore,
    MemoryStore,
    SessionContainer,
    SQLiteStore,
    Store,
)
from sessions.testing import ManualClock
from tests.support.apps import KEY, Browser, Site
from tests.support.encrypting import NEW
from tests.support.loops import ASYNC_STORES
from tests.support.suspending_store import SuspendingStore
from tests.support.thoroughness import EVERYTHING, examples
from tests.support.watched import WatchedStore

settings.register_profile(
    "sessions",
    deadline=None,
    max_examples=examples(100),
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
def encryption(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the settings that encrypt sessions, for tests that are run with and without them."""
    return {"encryption_keys": [NEW]} if getattr(request, "param", False) else {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test also with encrypted sessions, if everything is to be tested."""
    is_plain = metafunc.definition.get_closest_marker("plain_values")
    if EVERYTHING and "encryption" in metafunc.fixturenames and not is_plain:
        ids = ["plain", "encrypted"]
        metafunc.parametrize("encryption", [False, True], ids=ids, indirect=True)


@pytest.fixture
def make_site(watched: WatchedStore, clock: ManualClock, encryption: dict[str, Any]) -> SiteMaker:
    """Return a maker of sites on the watched store; it takes the container's settings."""

    def make(**settings: Any) -> Site:
        return Site(watched, clock, **encryption, **settings)

    return make


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """Return a site with the default settings."""
    return make_site()


@pytest.fixture
def browser(site: Site) -> Browser:
    """Return a visitor without a cookie."""
    return site.browser()


@pytest.fixture(params=ASYNC_STORES)
def any_store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> Store | AsyncStore:
    """Return an empty store for an event loop, each kind in turn."""
    return ASYNC_STORES[request.param](tmp_path, clock)


@pytest.fixture
def async_manager(
    any_store: Store | AsyncStore, clock: ManualClock, encryption: dict[str, Any]
) -> Iterator[AsyncSessionManager]:
    """Return an asynchronous manager over the store."""
    container = SessionContainer(keys=[KEY], store=any_store, clock=clock, **encryption)
    manager = AsyncSessionManager(container)
    yield manager
    asyncio.run(manager.aclose())


@pytest.fixture
def suspending(clock: ManualClock) -> SuspendingStore:
    """Return a store whose calls really suspend, with its calls counted."""
    return SuspendingStore(MemoryStore(clock=clock))


@pytest.fixture
def slow_manager(
    suspending: SuspendingStore, clock: ManualClock, encryption: dict[str, Any]
) -> AsyncSessionManager:
    """Return a manager over the store that suspends."""
    container = SessionContainer(keys=[KEY], store=suspending, clock=clock, **encryption)
    return AsyncSessionManager(container)
