"""Requests with several valid tokens: two live sessions, or more ids than are looked up."""

import pytest

from sessions import EndReason, Session
from sessions.core.limits import MOST_IDS
from sessions.core.signing import IdSigner
from tests.support.apps import KEY, Browser, Handler, Site, everything, in_turn, writes
from tests.support.ids import an_id
from tests.support.users import signs_in, who

SIGNER = IdSigner([KEY], purpose="session id:session")


@pytest.fixture
def victim(browser: Browser) -> Browser:
    """Return a browser in which Ada is signed in."""
    browser.visit(in_turn(writes(a=1), signs_in("ada")))
    return browser


@pytest.fixture
def planted(site: Site) -> str:
    """Return the cookie of another person's session."""
    return site.visit(writes(a="planted")).cookie


@pytest.fixture
def two(victim: Browser, planted: str) -> str:
    """Return the Cookie header of a request with two live sessions, the store's calls forgotten."""
    victim.site.store_calls().clear()
    victim.site.events.clear()
    return f"{planted}; {victim.cookie}"


@pytest.fixture
def many(victim: Browser) -> str:
    """Return the Cookie header of a request with a live session and too many other ids."""
    others = [f"session={SIGNER.sign(an_id())}" for _ in range(MOST_IDS)]
    victim.site.store_calls().clear()
    victim.site.events.clear()
    return "; ".join([victim.cookie, *others])


# Two live sessions


@pytest.mark.parametrize("act", [writes(x=1), Session.clear, lambda s: s.flash("hello")])
def test_a_write_with_two_live_sessions_stores_nothing(
    victim: Browser, two: str, act: Handler
) -> None:
    """A new cookie would replace a good one; an event says that the write was dropped."""
    for _ in range(3):
        answer = victim.site.visit(in_turn(act, writes(n=1)), two)
        assert answer.set_cookies == []

    assert victim.site.store.writes == []
    assert victim.site.told.count("gone") == 3
    assert victim.holds() == {"a": 1}


def test_an_unused_request_with_two_live_sessions_stores_nothing(victim: Browser, two: str) -> None:
    """This holds also if every visitor gets a session."""
    site = Site(
        victim.site.store,
        victim.site.container.clock,
        encryption_keys=victim.site.container.encryption_keys,
        save_uninitialized=True,
    )

    assert site.visit(everything, two).set_cookies == []
    assert site.store.writes == []


@pytest.mark.parametrize(
    "act",
    [signs_in("ada"), in_turn(Session.regenerate, writes(x=1))],
    ids=["sign-in", "a new id and a write"],
)
def test_a_sign_in_ends_two_ambiguous_sessions(
    victim: Browser, two: str, planted: str, act: Handler
) -> None:
    """Otherwise nobody could sign in after an attacker has set a cookie."""
    old = victim.cookie

    answer = victim.site.visit(act, two)

    ends = [event.reason for event in victim.site.events if event.kind == "destroyed"]
    assert ends == [EndReason.REPLACED] * 2
    assert victim.site.visit(lambda s: s.is_new, answer.cookie).value is False
    for ended in (old, planted):
        assert victim.site.visit(who, ended).value == (None, {})
        assert victim.site.visit(everything, ended).value == {}


@pytest.mark.parametrize("live_first", [True, False], ids=["live first", "dead first"])
def test_the_live_session_of_two_tokens_is_used_in_any_order(
    victim: Browser, planted: str, live_first: bool
) -> None:
    """The other token belongs to an ended session."""
    victim.site.visit(Session.destroy, planted)
    pair = [victim.cookie, planted] if live_first else [planted, victim.cookie]

    answer = victim.site.visit(lambda s: (s.user_id, dict(s)), "; ".join(pair))

    assert (answer.value, answer.set_cookies) == (("ada", {"a": 1}), [])


@pytest.mark.parametrize("planted_first", [True, False])
def test_a_logout_with_two_live_sessions_ends_both(
    victim: Browser, planted: str, planted_first: bool
) -> None:
    """Neither session is read, and both have ended."""
    pair = [planted, victim.cookie] if planted_first else [victim.cookie, planted]

    def looks_and_leaves(session: Session) -> object:
        seen = session.user_id, dict(session)
        session.destroy()
        return seen

    answer = victim.site.visit(looks_and_leaves, "; ".join(pair))

    assert (answer.value, answer.clears) == ((None, {}), True)
    assert victim.site.visit(everything, planted).value == {}
    assert victim.holds() == {}


# More ids than are looked up


def test_many_ids_cost_no_call_and_read_nothing(victim: Browser, many: str) -> None:
    """So a client with many cookies does not slow the server down."""
    answer = victim.site.visit(lambda s: (s.user_id, dict(s)), many)

    assert (answer.value, answer.set_cookies) == ((None, {}), [])
    assert victim.site.store_calls() == []
    assert victim.site.told == ["rejected"]


@pytest.mark.parametrize("act", [Session.destroy, Session.clear_user], ids=["logout", "sign-out"])
@pytest.mark.parametrize("looks_first", [True, False])
def test_a_logout_beside_many_ids_ends_the_session(
    victim: Browser, many: str, act: Handler, looks_first: bool
) -> None:
    """An attacker's cookies must not prevent a logout."""
    handler = in_turn(who, act) if looks_first else act

    victim.site.visit(handler, many)

    assert victim.visit(who).value == (None, {})


def test_a_sign_in_beside_many_ids_is_possible(victim: Browser, many: str) -> None:
    """The user gets a fresh session, and the earlier session ends."""
    answer = victim.site.visit(signs_in("ada"), many)

    assert victim.site.visit(who, answer.cookie).value == ("ada", {})
    assert victim.visit(who).value == (None, {})
