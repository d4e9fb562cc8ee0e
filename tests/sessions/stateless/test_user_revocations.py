"""With a list of revocations, all sessions of a user in tokens end at once, or all but one."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sessions import AsyncSessionManager, MemoryStore, Session, SessionContainer, SessionError
from sessions.core.user_cuts import cut_key
from sessions.stateless import SignedToken
from sessions.testing import ManualClock, a_record
from tests.sessions.stateless.conftest import SiteMaker
from tests.sessions.stateless.revoking import NOBODY, content, regenerates, signs_out
from tests.support.apps import KEY, Browser, Site, everything, in_turn, untouched, writes
from tests.support.users import signs_in
from tests.support.watched import WatchedStore

ADA: Any = ({}, "ada")


@pytest.fixture
def site(revocable: Site) -> Site:
    """Return a site whose tokens can be revoked."""
    return revocable


def login(site: Site, user_id: str = "ada") -> Browser:
    """Return a browser in which the user is signed in."""
    browser = site.browser()
    browser.visit(signs_in(user_id))
    return browser


def test_all_sessions_end_in_every_process(site: Site, make_revocable: SiteMaker) -> None:
    """Every token of the user is invalid; other users and visitors notice nothing."""
    browsers = [login(site) for _ in range(3)]
    cookies = [browser.cookie for browser in browsers]
    for browser in browsers:
        browser.visit(writes(a=1))
    bobs, visitor = login(site, "bob"), site.browser()
    visitor.visit(writes(a=1))

    assert make_revocable().manager.end_sessions_of("ada") is None
    cookies += [browser.cookie for browser in browsers]
    assert [content(site, cookie) for cookie in cookies] == [NOBODY] * 6
    assert content(site, bobs.cookie) == ({}, "bob")
    assert content(site, visitor.cookie) == ({"a": 1}, None)


@pytest.mark.parametrize("by", ["session", "handle"])
def test_all_other_sessions_of_a_user_are_ended(site: Site, by: str) -> None:
    """The session of the request stays, whatever its token is in the end."""
    others, current = [login(site), login(site)], login(site)

    def handler(session: Session) -> None:
        keep = session if by == "session" else session.handle
        session["seen"] = True
        session.regenerate()
        site.manager.end_sessions_of("ada", keep=keep)

    current.visit(handler)
    assert content(site, current.cookie) == ({"seen": True}, "ada")
    current.visit(writes(more=1))
    assert content(site, current.cookie) == ({"seen": True, "more": 1}, "ada")
    assert [content(site, other.cookie) for other in others] == [NOBODY] * 2


def test_a_sign_in_that_ends_all_others(site: Site) -> None:
    """A new session can be kept before its token is sent."""
    other, current = login(site), site.browser()
    current.visit(writes(a=1))

    def handler(session: Session) -> None:
        session.set_user("ada")
        site.manager.end_sessions_of("ada", keep=session)

    current.visit(handler)

    assert content(site, current.cookie) == ({"a": 1}, "ada")
    assert content(site, other.cookie) == NOBODY


def test_a_session_that_was_ended_cannot_be_kept_later(site: Site) -> None:
    """`keep` with the handle of an ended session does not revive it."""
    first, second = login(site), login(site)
    handles = [browser.visit(lambda session: session.handle).value for browser in (first, second)]
    site.manager.end_sessions_of("ada", keep=handles[0])
    assert [content(site, browser.cookie) for browser in (first, second)] == [ADA, NOBODY]
    site.manager.end_sessions_of("ada", keep=handles[0])
    assert [content(site, browser.cookie) for browser in (first, second)] == [ADA, NOBODY]

    site.manager.end_sessions_of("ada", keep=handles[1])
    assert [content(site, browser.cookie) for browser in (first, second)] == [NOBODY, NOBODY]


def test_a_login_at_the_same_moment_survives(site: Site) -> None:
    """A login just after the end of all sessions counts, even if no time has passed."""
    older = login(site)
    site.manager.end_sessions_of("ada")
    newer = login(site)

    assert [content(site, older.cookie), content(site, newer.cookie)] == [NOBODY, ADA]
    newer.visit(writes(a=1))
    assert content(site, newer.cookie) == ({"a": 1}, "ada")


def test_a_login_survives_a_clock_that_is_behind(
    site: Site, make_revocable: SiteMaker, clock: ManualClock
) -> None:
    """The server that ended the sessions has a clock that is ahead."""
    ahead = ManualClock(clock() + 30)
    site.manager.end_sessions_of("ada")
    container = replace(make_revocable().container, clock=ahead)
    type(site.manager)(container).end_sessions_of("ada")

    assert content(site, login(site).cookie) == ADA


def test_a_login_under_way_survives(site: Site, listed: WatchedStore) -> None:
    """The list is read just before the token is made."""
    older = login(site)
    visitor = site.browser()
    visitor.visit(writes(a=1))

    def handler(session: Session) -> None:
        session.set_user("ada")
        site.manager.end_sessions_of("ada")

    visitor.visit(handler)

    assert content(site, visitor.cookie) == ({"a": 1}, "ada")
    assert content(site, older.cookie) == NOBODY


@pytest.mark.parametrize("handler", [writes(a=1), regenerates, untouched])
def test_a_request_under_way_sends_no_token(site: Site, handler: Any) -> None:
    """Its write is lost, and an event tells of it."""
    browser = login(site)

    def overtaken(session: Session) -> None:
        assert session.user_id == "ada"
        handler(session)
        site.manager.end_sessions_of("ada")

    answer = site.visit(overtaken, browser.cookie)

    assert answer.set_cookies == []
    assert content(site, browser.cookie) == NOBODY


def test_a_session_of_another_user_by_then_stays(site: Site) -> None:
    """A session whose user has changed or signed out does not end."""
    became_bob, signed_out = login(site), login(site)
    became_bob.visit(signs_in("bob"))
    signed_out.visit(in_turn(writes(a=1), signs_out))
    site.manager.end_sessions_of("ada")

    assert content(site, became_bob.cookie) == ({}, "bob")
    assert content(site, signed_out.cookie) == ({"a": 1}, None)


def test_the_entry_stays_as_long_as_a_session_could_live(
    site: Site, listed: WatchedStore, clock: ManualClock
) -> None:
    """The entry stays as long as a session could live, and then nothing is left."""
    cookies = [login(site).cookie]
    site.manager.end_sessions_of("ada")
    for _ in range(14):
        clock.advance(24 * 3600 - 1)
        listed.purge(1000)
        assert [content(site, cookie) for cookie in cookies] == [NOBODY]
    clock.advance(24 * 3600)
    listed.purge(1000)

    assert len(listed._inner) == 0  # type: ignore[arg-type]


def test_an_unreachable_list_is_an_error(site: Site, listed: WatchedStore) -> None:
    """The caller must not believe that all sessions have ended."""
    browser = login(site)
    listed.broken = {"load"}
    with pytest.raises(SessionError, match="the test broke load"):
        site.manager.end_sessions_of("ada")
    assert browser.visit(everything).status == 503
    listed.broken = set()

    assert content(site, browser.cookie) == ADA


def test_sessions_in_tokens_cannot_be_listed(site: Site) -> None:
    """The server does not have the sessions, so it cannot list them."""
    with pytest.raises(SessionError, match=r"nobody can list the sessions of a user\. Fix: "):
        site.manager.sessions_of("ada")


def test_without_a_revocation_list_the_sessions_of_a_user_cannot_be_ended(
    make_site: SiteMaker,
) -> None:
    """The error says which setting is missing."""
    with pytest.raises(SessionError, match=r"cannot be ended\. Fix: give the tokens a list"):
        make_site().manager.end_sessions_of("ada")


def test_listeners_get_one_event(site: Site) -> None:
    """There is one event, because the number of sessions is not known."""
    login(site)
    site.events.clear()
    site.manager.end_sessions_of("ada")

    assert site.told == ["destroyed"]


def test_on_an_event_loop(clock: ManualClock) -> None:
    """An asynchronous manager has the same verb as a coroutine."""
    token = SignedToken(revocations=MemoryStore(clock=clock))
    manager = AsyncSessionManager(SessionContainer(keys=[KEY], store=token, clock=clock))

    async def work() -> None:
        async with await manager.create() as session:
            session.set_user("ada")
        text = manager.token(session)
        assert await manager.from_token(text) is not None
        await manager.end_sessions_of("ada")
        assert await manager.from_token(text) is None

    asyncio.run(work())


def test_a_remembered_session_stays_ended(clock: ManualClock) -> None:
    """The list keeps the end for as long as a token of the longest timeout lives."""
    revocations = MemoryStore(clock=clock)
    site = Site(SignedToken(revocations=revocations), clock, longest_timeout=timedelta(days=90))
    browser = site.browser()
    browser.visit(in_turn(signs_in("ada"), lambda s: setattr(s, "timeout", timedelta(days=80))))
    other = login(site, "bob")
    other.visit(lambda s: setattr(s, "timeout", timedelta(days=80)))
    site.manager.end_sessions_of("ada")
    clock.advance(60 * 86_400)
    site.manager.purge()

    assert content(site, browser.cookie) == NOBODY
    assert content(site, other.cookie) == ({}, "bob")


def test_a_damaged_entry_ends_the_sessions_before_it(
    site: Site, listed: WatchedStore, clock: ManualClock
) -> None:
    """Nobody can know which session it kept, so a user signs in again."""
    browser = login(site)
    clock.advance(1)
    listed.create(cut_key("ada"), a_record(clock, {"cut": b"damaged"}))
    clock.advance(1)

    assert content(site, browser.cookie) == NOBODY
    assert content(site, login(site).cookie) == ADA
