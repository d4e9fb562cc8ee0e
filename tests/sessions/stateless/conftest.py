"""What the tests of sessions in tokens share: each kind of token, and a site for it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sessions import MemoryStore
from sessions.stateless import EncryptedToken, JWTToken, SignedToken, TokenFormat
from sessions.testing import ManualClock
from tests.support.apps import Browser, Site
from tests.support.watched import WatchedStore

SiteMaker = Callable[..., Site]


def _encrypted() -> TokenFormat:
    pytest.importorskip("cryptography")
    return EncryptedToken()


def _jwt() -> TokenFormat:
    pytest.importorskip("jwt")
    return JWTToken(issuer="https://shop.example", audience="shop")


KINDS: dict[str, Callable[[], TokenFormat]] = {
    "encrypted": _encrypted,
    "signed": SignedToken,
    "jwt": _jwt,
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> TokenFormat:
    """Return each kind of token in turn."""
    return KINDS[request.param]()


@pytest.fixture
def make_site(kind: TokenFormat, clock: ManualClock) -> SiteMaker:
    """Return a maker of sites whose sessions live in tokens; it takes the container's settings."""

    def make(**settings: Any) -> Site:
        return Site(kind, clock, **settings)

    return make


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """Return a site whose sessions live in tokens."""
    return make_site()


@pytest.fixture
def browser(site: Site) -> Browser:
    """Return a new visitor of the site."""
    return site.browser()


@pytest.fixture
def listed(clock: ManualClock) -> WatchedStore:
    """Return the list of revocations, with its calls counted."""
    return WatchedStore(MemoryStore(clock=clock))


@pytest.fixture
def make_revocable(kind: TokenFormat, listed: WatchedStore, clock: ManualClock) -> SiteMaker:
    """Return a maker of sites that share the list."""

    def make(**more: Any) -> Site:
        return Site(replace(kind, revocations=listed), clock, **more)  # type: ignore[type-var]

    return make


@pytest.fixture
def revocable(make_revocable: SiteMaker) -> Site:
    """Return a site whose tokens can be revoked."""
    return make_revocable()
