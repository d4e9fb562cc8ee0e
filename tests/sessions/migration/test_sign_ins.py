"""When the user of a moved session signed in: only the other system can know it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sessions import MemoryStore, Session, Store
from sessions.migration import LegacySession
from sessions.stateless import EncryptedToken, JWTToken, SignedToken, TokenFormat
from sessions.testing import ManualClock
from tests.sessions.migration.cookies import HEADERS, OldSystem, SiteOf, native
from tests.support.apps import Answer, Site, in_turn, writes
from tests.support.encrypting import NEW
from tests.support.users import signs_in

MINUTES = timedelta(minutes=5)
STORES: dict[str, Callable[[ManualClock], Any]] = {
    "plain": lambda clock: MemoryStore(clock=clock),
    "encrypted": lambda clock: MemoryStore(clock=clock),
    "signed token": lambda _: SignedToken(),
    "encrypted token": lambda _: EncryptedToken(),
    "JWT": lambda _: JWTToken(issuer="https://shop.example", audience="shop"),
    "revocable token": lambda clock: SignedToken(revocations=MemoryStore(clock=clock)),
}


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest) -> str:
    """Return each way to keep sessions in turn."""
    name: str = request.param
    return name


@pytest.fixture
def site_of(place: str, clock: ManualClock) -> SiteOf:
    """Return a maker of sites that read legacy cookies."""
    store: Store | TokenFormat = STORES[place](clock)
    encryption = {"encryption_keys": [NEW]} if place == "encrypted" else {}
    return lambda cookies: Site(store, clock, legacy_cookies=cookies, **encryption)  # type: ignore[arg-type]


def at_and_recent(session: Session) -> tuple[datetime | None, bool, str | None, int]:
    """Return what is known of the sign-in, and what code sees of the values."""
    recent = session.signed_in_within(MINUTES)
    return session.authenticated_at, recent, session.user_id, len(session)


def again(site: Site, answer: Answer, *handlers: Any) -> Any:
    """Return what the next request with the new cookie sees."""
    return site.visit(in_turn(*handlers, at_and_recent), native(answer)).value


def test_a_moved_session_does_not_count_as_a_recent_sign_in(
    site_of: SiteOf, old: OldSystem
) -> None:
    """The cookie may be old or stolen; only a new sign-in is recent."""
    site = site_of(old.cookies())

    answer = site.visit(at_and_recent, HEADERS["hex"])

    assert answer.value == again(site, answer) == (None, False, "ada", 1)
    assert again(site, answer, writes(b=2), Session.clear, writes(c=3)) == (None, False, "ada", 1)


@pytest.mark.parametrize("user_id", ["ada", "bob"])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_new_sign_in_is_recent(
    site_of: SiteOf, old: OldSystem, clock: ManualClock, user_id: str, *, at_once: bool
) -> None:
    """In the request that moves the session, or in a later one."""
    site = site_of(old.cookies())
    if at_once:
        answer = site.visit(signs_in(user_id), HEADERS["hex"])
    else:
        answer = site.visit(signs_in(user_id), native(site.visit(at_and_recent, HEADERS["hex"])))

    now = datetime.fromtimestamp(clock(), UTC)
    assert again(site, answer)[:3] == (now, True, user_id)


def test_a_sign_out_forgets_the_time(site_of: SiteOf, old: OldSystem) -> None:
    """Nobody is signed in then."""
    site = site_of(old.cookies())
    answer = site.visit(at_and_recent, HEADERS["hex"])

    assert again(site, answer, Session.clear_user) == (None, False, None, 1)


def test_the_other_system_may_know_the_time(site_of: SiteOf, clock: ManualClock) -> None:
    """The time stays, and ends to be recent as that of a sign-in here."""
    then = datetime.fromtimestamp(clock() - 200, UTC)
    session = LegacySession({"a": 1}, user_id="ada", authenticated_at=then)
    site = site_of(OldSystem().cookies(load=lambda _: session))

    answer = site.visit(at_and_recent, HEADERS["hex"])
    assert answer.value == (then, True, "ada", 1)
    clock.advance(100)
    assert again(site, answer) == (then, True, "ada", 1)
    clock.advance(1)
    assert again(site, answer) == (then, False, "ada", 1)


@pytest.mark.parametrize("at", [datetime(2026, 1, 1), 1.5, "2026-01-01"])
def test_a_wrong_time_says_so(site_of: SiteOf, at: Any) -> None:
    """A time without a zone could mean another hour."""
    session = LegacySession({}, user_id="ada", authenticated_at=at)
    site = site_of(OldSystem().cookies(load=lambda _: session))

    with pytest.raises(TypeError, match=r"authenticated_at=.* Fix: give a datetime with a time"):
        site.visit(at_and_recent, HEADERS["hex"])
