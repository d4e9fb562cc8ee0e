"""A session that moved here and has ended: a copy of the old cookie does not bring it back."""

from collections.abc import Callable
from typing import Any

import pytest

from sessions import MemoryStore, Session, SessionContainer, SessionManager
from sessions.migration import HexSignatureCookie, LegacySession, SignedPayloadCookie
from sessions.testing import ManualClock
from sessions.users import SessionLimit
from tests.sessions.migration.cookies import (
    HEADERS,
    OldSystem,
    SiteOf,
    native,
    payload_cookie,
    user_and_values,
)
from tests.support.apps import KEY, Site, everything, in_turn, writes

LONG = 100_000
"""Seconds after which no store remembers an end by itself."""


def signs_in_as_bob(session: Session) -> None:
    """Sign another user in."""
    session.set_user("bob")


def _by_delete(site: Site, cookie: str) -> None:
    site.manager.delete(site.visit(lambda session: session.id, cookie).value)


def _by_limit(site: Site, cookie: str) -> None:
    site.browser().visit(lambda session: session.set_user("ada"))


ENDS: dict[str, Callable[[Site, str], object]] = {
    "a logout": lambda site, cookie: site.visit(Session.destroy, cookie),
    "a logout of a used session": lambda site, cookie: site.visit(
        in_turn(everything, Session.destroy), cookie
    ),
    "a logout with the old cookie": lambda site, _: site.visit(Session.destroy, HEADERS["hex"]),
    "a logout after a sign-in as another user": lambda site, cookie: site.visit(
        Session.destroy, native(site.visit(signs_in_as_bob, cookie))
    ),
    "a logout after a sign-out": lambda site, cookie: (
        site.visit(Session.clear_user, cookie),
        site.visit(Session.destroy, cookie),
    ),
    "delete": _by_delete,
    "end_sessions_of": lambda site, _: site.manager.end_sessions_of("ada"),
    "end_session_of": lambda site, _: site.manager.end_session_of(
        "ada", site.manager.sessions_of("ada")[0].handle
    ),
    "end_session": lambda site, _: site.manager.end_session(
        site.manager.sessions_of("ada")[0].handle
    ),
    "the limit of sessions": _by_limit,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("listens", [True, False], ids=["events", "no events"])
def test_a_session_that_has_ended_does_not_come_back(
    site_of: SiteOf,
    old: OldSystem,
    clock: ManualClock,
    end: Callable[[Site, str], object],
    listens: bool,
) -> None:
    """Whoever ended it; the other system, which nothing has told of the end, is not asked."""
    silent: dict[str, Any] = {} if listens else {"listeners": []}
    site = site_of(old.cookies(), sessions_per_user=SessionLimit(1), **silent)
    ours = native(site.visit(everything, HEADERS["hex"]))
    clock.advance(1)
    end(site, ours)
    clock.advance(LONG)
    site.manager.purge()

    assert site.visit(user_and_values, HEADERS["hex"]).value == (None, {})
    assert len(old.loaded) == 1
    assert site.visit(user_and_values, HEADERS["name"]).value == ("ada", {"items": "Dog"})


def test_a_logout_as_first_request_is_remembered(
    site: Site, old: OldSystem, clock: ManualClock
) -> None:
    """The session was never here."""
    site.visit(Session.destroy, HEADERS["hex"])
    clock.advance(LONG)

    assert site.visit(user_and_values, HEADERS["hex"]).value == (None, {})
    assert old.loaded == []


def test_a_logout_beside_the_move_is_remembered(site_of: SiteOf, old: OldSystem) -> None:
    """A request that asks the other system at that moment gets no session."""
    logged_out: list[Any] = []

    def load(content: Any) -> LegacySession | None:
        if not logged_out:
            logged_out.append(site.visit(Session.destroy, HEADERS["hex"]).status)
        return old.load(content)

    site = site_of(old.cookies(load=load))
    answer = site.visit(writes(a=1), HEADERS["hex"])

    assert logged_out == [200]
    assert site.visit(everything, native(answer)).value == {"a": 1}
    assert site.visit(everything, HEADERS["hex"]).value == {}
    assert site.manager.sessions_of("ada") == []


def test_a_payload_that_has_ended_does_not_come_back(site_of: SiteOf, clock: ManualClock) -> None:
    """The whole session is in the cookie, and `id_key` names it."""
    site = site_of([SignedPayloadCookie("data", keys=["secretkey"], id_key="sid")])
    site.visit(Session.destroy, native(site.visit(everything, HEADERS["payload"])))
    clock.advance(LONG)

    assert site.visit(everything, HEADERS["payload"]).value == {}


@pytest.mark.parametrize(
    ("sid", "is_an_id"),
    [
        ("7", True),
        (7, True),
        (-(2**70), True),
        (7.5, False),
        (True, False),
        (None, False),
        ("", False),
    ],
)
def test_the_id_of_a_payload_is_a_text_or_a_whole_number(
    site_of: SiteOf, clock: ManualClock, sid: object, *, is_an_id: bool
) -> None:
    """Another value names no session, so its cookie opens the session again."""
    site = site_of([SignedPayloadCookie("data", keys=["secretkey"], id_key="sid")])
    cookie = payload_cookie({"sid": sid, "a": 1})
    other = payload_cookie({"sid": "8", "a": 2})
    site.visit(Session.destroy, native(site.visit(everything, cookie)))
    clock.advance(LONG)

    assert (site.visit(everything, cookie).value == {}) == is_an_id
    assert site.visit(everything, other).value == {"sid": "8", "a": 2}


def test_a_new_key_of_the_container_changes_nothing(site_of: SiteOf, old: OldSystem) -> None:
    """The old cookie finds its session, and opens nothing after the end."""
    before = site_of(old.cookies())
    after = site_of(old.cookies(), keys=["a newer key of the tests, 32 bytes or more", KEY])
    for kind in ("hex", "name"):
        before.visit(everything, HEADERS[kind])
    after.visit(writes(a=1), HEADERS["hex"])
    after.visit(Session.destroy, HEADERS["name"])

    assert after.visit(everything, HEADERS["hex"]).value == {"items": "Dog", "a": 1}
    assert after.visit(everything, HEADERS["name"]).value == {}
    assert len(old.loaded) == 2


def test_the_mark_is_hidden(site_of: SiteOf, memory: MemoryStore, old: OldSystem) -> None:
    """Code does not see it, also after the legacy cookies were removed from the settings."""
    ours = native(site_of(old.cookies()).visit(everything, HEADERS["hex"]))
    later = site_of([])

    seen = later.visit(lambda s: (dict(s), len(s), s.copy(), "\0moved" in s), ours).value

    assert seen == ({"items": "Dog"}, 1, {"items": "Dog"}, False)


def test_only_ends_that_matter_are_remembered(
    site_of: SiteOf, old: OldSystem, memory: MemoryStore, clock: ManualClock
) -> None:
    """Other sessions leave nothing behind, and neither do those that ended in the other system."""
    ending = site_of(old.cookies(end=old.end))
    ending.visit(Session.destroy, native(ending.visit(everything, HEADERS["hex"])))
    site = site_of(old.cookies())
    site.visit(Session.destroy, site.visit(writes(a=1)).cookie)
    assert memory.count() == 0

    site.visit(Session.destroy, native(site.visit(everything, HEADERS["name"])))
    assert memory.count() == 1
    told: list[object] = []
    settings: dict[str, Any] = {"store": memory, "clock": clock, "listeners": [told.append]}
    clock.advance(400 * 24 * 3600 + 120)
    assert SessionManager(SessionContainer(keys=[KEY], **settings)).purge() == 1
    assert (memory.count(), told) == (0, [])


def test_a_store_that_fails_ends_nothing(site_of: SiteOf, old: OldSystem) -> None:
    """The logout is a 503, and the next one works."""
    site = site_of([HexSignatureCookie("sid", keys=["secret"], load=old.load)])
    ours = native(site.visit(everything, HEADERS["hex"]))
    site.store.broken = {"create"}

    assert site.visit(Session.destroy, ours).status == 503
    site.store.broken = set()
    assert site.visit(everything, ours).value == {"items": "Dog"}
    assert site.visit(Session.destroy, ours).status == 200
    assert site.visit(everything, HEADERS["hex"]).value == {}


def test_a_use_costs_no_more_calls(site_of: SiteOf, old: OldSystem) -> None:
    """Only the logout has one call more."""
    site = site_of(old.cookies())
    ours = native(site.visit(everything, HEADERS["hex"]))
    calls = site.store_calls()

    calls.clear()
    site.visit(writes(a=1), ours)
    assert [*calls] == ["load", "commit"]
    calls.clear()
    site.visit(in_turn(everything, Session.destroy), ours)
    assert [*calls] == ["load", "create", "delete"]
