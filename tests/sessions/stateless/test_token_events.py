"""The events of sessions that live in their tokens."""

import pytest

from sessions import EndReason, MemoryStore, Session
from sessions.stateless import EncryptedToken, SignedToken
from sessions.testing import ManualClock
from tests.support.apps import Site, everything, in_turn, writes

twice = in_turn(everything, everything)


def events_of(site: Site) -> list[tuple[str, str | None]]:
    """Return the kinds and reasons of all events."""
    return [(event.kind, event.reason) for event in site.events]


@pytest.mark.parametrize("kind", [SignedToken, EncryptedToken])
@pytest.mark.parametrize("revocable", [False, True])
def test_a_load_and_an_expired_token_cause_one_event_each(
    clock: ManualClock, kind: type[SignedToken] | type[EncryptedToken], revocable: bool
) -> None:
    """However often the request uses its session; the handle stays the same."""
    revocations = MemoryStore(clock=clock) if revocable else None
    site = Site(kind(revocations=revocations), clock)
    cookie = site.visit(writes(a=1)).cookie
    site.visit(twice, cookie)
    clock.advance(86_400)
    site.visit(twice, cookie)

    assert events_of(site) == [("created", None), ("loaded", None), ("rejected", "expired")]
    assert len({event.handle for event in site.events}) == 1


def test_a_revoked_token_is_unknown(clock: ManualClock) -> None:
    """It is not expired: somebody has ended the session."""
    site = Site(SignedToken(revocations=MemoryStore(clock=clock)), clock)
    cookie = site.visit(writes(a=1)).cookie
    site.visit(Session.destroy, cookie)
    clock.advance(100)
    site.visit(twice, cookie)

    assert events_of(site)[1:] == [("destroyed", EndReason.LOGOUT), ("rejected", "unknown")]
