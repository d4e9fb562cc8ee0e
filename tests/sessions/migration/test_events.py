"""The events of sessions that move here: each creation and each end, once."""

from threading import Barrier
from typing import Any

from sessions import EndReason, MemoryStore, Session
from sessions.migration import LegacySession
from sessions.testing import ManualClock, in_parallel
from sessions.users import SessionLimit
from tests.sessions.migration.cookies import HEADERS, OldSystem, SiteOf
from tests.support.apps import Site, everything


def lives(site: Site) -> list[tuple[str, str | None]]:
    """Return the kinds and reasons of the events of creations and ends."""
    kinds = ("created", "destroyed")
    return [(event.kind, event.reason) for event in site.events if event.kind in kinds]


def test_a_creation_has_an_event_even_if_the_store_fails_later(
    site_of: SiteOf, old: OldSystem
) -> None:
    """The next request finds the session, and has nothing to create."""

    def end(content: Any) -> None:
        site.store.broken.add("load")

    site = site_of(old.cookies(end=end))
    first = site.visit(everything, HEADERS["hex"]).status
    site.store.broken.clear()
    second = site.visit(everything, HEADERS["hex"]).status

    assert (first, second) == (503, 200)
    assert lives(site) == [("created", None)]


def test_a_failure_after_the_move_does_not_fail_the_page(site_of: SiteOf, old: OldSystem) -> None:
    """The sign-in stays in the queue of a limit for a while; the session is there."""
    site = site_of(old.cookies(), sessions_per_user=SessionLimit(5, "refuse"))
    site.store.broken = {"commit"}
    answer = site.visit(everything, HEADERS["hex"])

    assert (answer.status, answer.value) == (200, {"items": "Dog"})
    assert sorted(site.told) == ["created", "store_failed"]


def test_parallel_moves_are_one_creation(site_of: SiteOf, old: OldSystem) -> None:
    """Also if each request stores the session, and the store says yes to all of them."""
    barrier = Barrier(8)

    def load(content: Any) -> LegacySession | None:
        barrier.wait(5)
        return old.load(content)

    site = site_of(old.cookies(load=load))
    values = in_parallel(8, lambda _: site.visit(everything, HEADERS["hex"]).value)

    assert values == [{"items": "Dog"}] * 8
    assert lives(site) == [("created", None)]


def test_a_session_that_expired_here_may_move_here_again(
    memory: MemoryStore, old: OldSystem, clock: ManualClock
) -> None:
    """The end of the first one is told, although the second one takes its place."""
    site = Site(memory, clock, legacy_cookies=old.cookies())  # type: ignore[arg-type]
    for _ in range(2):
        assert site.visit(everything, HEADERS["hex"]).value == {"items": "Dog"}
        clock.advance(100_000)

    assert lives(site) == [
        ("created", None),
        ("destroyed", EndReason.TIMEOUT),
        ("created", None),
    ]


def test_a_logout_beside_the_move_is_reported(site_of: SiteOf, old: OldSystem) -> None:
    """The session was stored for a moment, so it has a creation and an end."""

    def load(content: Any) -> LegacySession | None:
        site.visit(Session.destroy, HEADERS["hex"])
        return old.load(content)

    site = site_of(old.cookies(load=load))
    assert site.visit(everything, HEADERS["hex"]).value == {}

    assert lives(site) == [("created", None), ("destroyed", EndReason.LOGOUT)]
