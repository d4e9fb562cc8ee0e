"""Sessions in tokens with a list of revocations: an ended session is ended for every copy."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions import (
    MemoryStore,
    Session,
    SessionError,
    SessionNotFound,
)
from sessions.stateless import SignedToken
from sessions.testing import ManualClock
from tests.sessions.stateless.conftest import SiteMaker
from tests.sessions.stateless.revoking import (
    NOBODY,
    content,
    destroys,
    regenerates,
    signs_in,
    signs_out,
)
from tests.support.apps import Handler, Site, in_turn, untouched, writes
from tests.support.thoroughness import examples


def test_a_logout_holds_for_every_copy(site: Site, make_revocable: SiteMaker) -> None:
    """The logout counts in every process with the list, for every earlier token."""
    browser = site.browser()
    browser.visit(writes(a=1))
    copies = [browser.cookie]
    for handler in (signs_in, writes(b=2), regenerates):
        browser.visit(handler)
        copies.append(browser.cookie)

    answer = browser.visit(destroys)

    assert answer.clears
    assert site.told[-1] == "destroyed"
    assert [content(make_revocable(), copy) for copy in copies] == [NOBODY] * 4


@pytest.fixture
def site(revocable: Site) -> Site:
    """Return a site whose tokens can be revoked."""
    return revocable


@pytest.mark.parametrize("handler", [signs_in, regenerates, signs_out])
def test_the_token_before_is_dead(site: Site, handler: Handler) -> None:
    """After a sign-in, a new id or a sign-out, only the new token is valid."""
    before = site.visit(in_turn(writes(a=1), lambda session: session.set_user("bob"))).cookie
    assert content(site, before) == ({"a": 1}, "bob")

    after = site.visit(handler, before).cookie

    assert content(site, before) == NOBODY
    assert content(site, after) != NOBODY


def test_writes_leave_earlier_tokens_alive(site: Site) -> None:
    """After a write, the token before it is still valid, so atomic verbs are refused."""
    before = site.visit(writes(a=1)).cookie
    site.visit(writes(a=2), before)

    assert content(site, before) == ({"a": 1}, None)
    with pytest.raises(SessionError, match="Fix: give the container a store"):
        site.visit(lambda session: session.increment("a"), before)


def test_is_revocable_is_true(site: Site) -> None:
    """`is_revocable` is true, as for a stored session."""
    assert site.visit(lambda session: session.revocable).value is True


def test_an_earlier_token_ends_the_session(site: Site) -> None:
    """destroy() with an earlier token ends the session, even after later changes."""
    before = site.visit(writes(a=1)).cookie
    after = site.visit(regenerates, before).cookie

    site.visit(destroys, before)

    assert content(site, after) == NOBODY


def test_an_earlier_family_does_not_end_a_sign_in(site: Site) -> None:
    """A person with the visitor's earlier token cannot log the user out."""
    before = site.visit(writes(a=1)).cookie
    after = site.visit(signs_in, before).cookie

    site.visit(destroys, before)

    assert content(site, after) == ({"a": 1}, "ada")


@pytest.mark.parametrize("handler", [destroys, signs_out])
def test_a_failed_request_ends_it_all_the_same(site: Site, handler: Handler) -> None:
    """A logout counts, although its request ends in a 500."""
    before = site.visit(in_turn(writes(a=1), signs_in)).cookie

    site.visit(in_turn(handler, writes(b=2)), before, status=500)

    assert content(site, before) == NOBODY


def test_save_ends_it_at_once(site: Site) -> None:
    """save() carries out the logout, even if no answer ever leaves."""
    before = site.visit(writes(a=1)).cookie

    with pytest.raises(ZeroDivisionError):
        site.visit(in_turn(destroys, lambda s: s.save(), lambda _: 1 / 0), before)

    assert content(site, before) == NOBODY


def test_two_live_sessions_end_together(site: Site) -> None:
    """A sign-in with two live sessions in the request ends both and leaves one."""
    first, second = (site.visit(writes(n=n)).cookie for n in (1, 2))

    cookie = site.visit(signs_in, f"{first}; {second}").cookie

    assert content(site, cookie) == ({}, "ada")
    assert [content(site, old) for old in (first, second)] == [NOBODY, NOBODY]


# Requests in flight


def in_flight(site: Site, cookie: str, other: Handler, handler: Handler) -> Any:
    """Make a handler that lets another request act after its own session is loaded."""

    def both(session: Session) -> object:
        session.load()
        site.visit(other, cookie)
        return handler(session)

    return site.visit(both, cookie)


@pytest.mark.parametrize("other", [destroys, regenerates, signs_in])
@pytest.mark.parametrize("handler", [writes(b=1), regenerates])
def test_a_write_in_flight_brings_nothing_back(
    site: Site, other: Handler, handler: Handler
) -> None:
    """The late answer sends no token, and an event tells of the lost write."""
    before = site.visit(writes(a=1)).cookie

    answer = in_flight(site, before, other, handler)

    assert not answer.set_cookies
    assert site.told[-1] == "gone"


def test_a_read_in_flight_renews_nothing(site: Site, clock: ManualClock) -> None:
    """The late read sends no token, although a new one would be due."""
    before = site.visit(writes(a=1)).cookie
    clock.advance(120)

    assert not in_flight(site, before, destroys, untouched).set_cookies


def test_a_saved_write_is_not_sent_after_a_logout(site: Site) -> None:
    """The list is read again just before the token is sent."""
    before = site.visit(writes(a=1)).cookie

    def handler(session: Session) -> None:
        session["b"] = 2
        session.save()
        site.visit(destroys, before)

    assert not site.visit(handler, before).set_cookies


def test_save_and_reload_tell_that_it_has_ended(site: Site) -> None:
    """Both raise an error, because their callers act upon the result."""
    for verb in (lambda s: s.save(), lambda s: s.reload()):
        before = site.visit(writes(a=1)).cookie
        with pytest.raises(SessionNotFound):
            in_flight(site, before, destroys, in_turn(writes(b=1), verb))


def test_a_sign_in_is_never_dropped(site: Site) -> None:
    """If the session has ended in the meantime, the sign-in gets a fresh session."""
    before = site.visit(writes(a=1)).cookie

    answer = in_flight(site, before, destroys, signs_in)

    assert content(site, answer.cookie)[1] == "ada"
    assert content(site, site.visit(signs_in, before).cookie) == ({}, "ada")


def test_a_sign_out_in_flight_ends_the_new_token_too(site: Site) -> None:
    """clear_user() also ends the token that another request got meanwhile."""
    before = site.visit(in_turn(writes(a=1), signs_in)).cookie
    renewed: list[str] = []

    in_flight(site, before, untouched, lambda session: renewed.append(before))

    def handler(session: Session) -> None:
        session.load()
        renewed.append(site.visit(regenerates, before).cookie)
        session.clear_user()

    site.visit(handler, before)

    assert [content(site, cookie) for cookie in renewed] == [NOBODY, NOBODY]


def test_two_parallel_new_ids_leave_one(site: Site) -> None:
    """Two requests change the id of one token at the same moment."""
    before = site.visit(writes(a=1)).cookie
    answers: list[Any] = []

    answers.append(in_flight(site, before, lambda s: s.regenerate(), regenerates))

    assert not answers[0].set_cookies


# Random requests against a model


VERBS: dict[str, Handler] = {
    "write": lambda session: session.update(n=session.get("n", 0) + 1),
    "regenerate": regenerates,
    "sign in": signs_in,
    "sign out": signs_out,
    "destroy": destroys,
}


@given(steps=st.lists(st.tuples(st.sampled_from([*VERBS]), st.integers(0, 30)), max_size=14))
@settings(max_examples=examples(80))
def test_random_requests_with_copied_tokens_follow_the_model(steps: list[tuple[str, int]]) -> None:
    """Requests use all tokens in any order; ended sessions stay ended, and others live."""
    clock = ManualClock()
    site = Site(SignedToken(revocations=MemoryStore(clock=clock)), clock)
    least: dict[int, int] = {0: 0}
    tokens = [(site.visit(in_turn(writes(n=0), signs_in)).cookie, 0, 0)]
    for verb, number in steps:
        cookie, family, generation = tokens[number % len(tokens)]
        lives = generation >= least[family]
        answer = site.visit(VERBS[verb], cookie)
        if verb == "destroy" or (verb == "sign in" and lives) or (verb == "sign out" and not lives):
            least[family] = 1000
        elif verb in ("regenerate", "sign out") and lives:
            least[family] = generation = generation + 1
        if verb == "sign in":
            family, generation = len(least), 0
            least[family] = 0
        if any("=;" not in cookie for cookie in answer.set_cookies):
            tokens.append((answer.cookie, family, generation))

    found = [site.manager.from_token(cookie.partition("=")[2]) for cookie, _, _ in tokens]
    alive = [session is not None for session in found]

    assert alive == [generation >= least[family] for _, family, generation in tokens]
