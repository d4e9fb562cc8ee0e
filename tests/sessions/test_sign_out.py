"""Signing out: the session stays without its user, whatever becomes of the request."""

from datetime import timedelta

import pytest

from sessions import Session, SessionNotFound
from sessions.testing import ManualClock, loaded_from
from tests.support.apps import Browser, Handler, in_turn, writes
from tests.support.users import signs_in, who
from tests.support.watched import WatchedStore

MINUTE = 60.0


def lives_for(days: int) -> Handler:
    """Make a handler that gives the session a timeout of its own."""
    return lambda session: setattr(session, "timeout", timedelta(days=days))


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a cart, with the store's calls forgotten."""
    browser.visit(writes(cart=["tea"]))
    browser.site.store_calls().clear()
    return browser


def test_clear_user_signs_out_and_keeps_the_session(customer: Browser) -> None:
    """The cart stays, and the user and the user data are removed, in one commit."""
    customer.visit(signs_in(name="Ada"))
    customer.site.store_calls().clear()

    customer.visit(Session.clear_user)

    assert customer.site.store_calls() == ["load", "commit"]
    assert customer.visit(who).value == (None, {})
    assert customer.holds() == {"cart": ["tea"]}
    handle = customer.visit(lambda session: session.handle).value
    assert loaded_from(customer.site.store, handle).user_id is None


def test_a_sign_out_that_loses_to_a_renewal_is_not_dropped(customer: Browser) -> None:
    """The old id has grace for values, and the sign-out still counts."""
    customer.visit(signs_in(name="Ada"))
    other = customer.site.browser()
    other.cookie = customer.cookie

    def handler(session: Session) -> None:
        session["x"] = 1
        other.visit(lambda renewed: renewed.regenerate(grace=timedelta(seconds=30)))
        session.clear_user()

    customer.visit(handler)

    assert other.visit(who).value == (None, {})


def test_a_sign_out_takes_back_a_sign_in_of_its_own_request(browser: Browser) -> None:
    """This holds also for a visitor without a session."""
    browser.visit(in_turn(writes(cart=["tea"]), signs_in(name="Ada"), Session.clear_user))

    assert browser.visit(who).value == (None, {})
    assert browser.holds() == {"cart": ["tea"]}


@pytest.mark.parametrize("status", [404, 500])
def test_a_sign_out_holds_for_any_status(customer: Browser, status: int) -> None:
    """A failed request commits the sign-out, and discards other changes."""
    customer.visit(signs_in(name="Ada"))

    customer.visit(in_turn(Session.clear_user, writes(x=1)), status=status)

    assert customer.visit(who).value == (None, {})
    assert ("x" in customer.holds()) is (status == 404)


def test_a_sign_out_holds_when_the_handler_raises(customer: Browser) -> None:
    """The exception does not undo the sign-out."""
    customer.visit(signs_in())

    def handler(session: Session) -> None:
        session.clear_user()
        session["x"] = 1
        raise LookupError

    with pytest.raises(LookupError):
        customer.visit(handler)
    assert customer.visit(who).value == (None, {})
    assert customer.holds() == {"cart": ["tea"]}


def test_signing_out_and_in_again_is_a_sign_in(customer: Browser) -> None:
    """The last call counts."""
    customer.visit(signs_in("ada"))
    customer.visit(in_turn(Session.clear_user, signs_in("bob")))
    after = customer.visit(who).value
    customer.visit(in_turn(signs_in("eve"), Session.clear_user))

    assert after == ("bob", {})
    assert customer.visit(who).value == (None, {})


@pytest.mark.parametrize("rotate", [Session.regenerate, signs_in("ada")], ids=["renewal", "login"])
def test_a_sign_out_after_a_saved_new_id_keeps_the_session(
    customer: Browser, rotate: Handler
) -> None:
    """The session goes on under the id that this request gave it."""
    customer.visit(in_turn(rotate, Session.save, Session.clear_user))

    assert customer.visit(who).value == (None, {})
    assert customer.holds() == {"cart": ["tea"]}


def test_a_new_session_that_is_signed_out_again_is_not_stored(browser: Browser) -> None:
    """The session is empty at the end."""
    answer = browser.visit(in_turn(signs_in(), Session.clear_user))

    assert answer.set_cookies == []
    assert browser.site.store_calls() == []


@pytest.mark.parametrize("rotate", [Session.regenerate, signs_in("ada")], ids=["renewal", "login"])
def test_a_sign_out_beside_a_new_id_signs_out(customer: Browser, rotate: Handler) -> None:
    """The commit comes too late, so the session ends."""
    customer.visit(signs_in("ada"))
    rotated: list[str] = []

    def handler(session: Session) -> None:
        session.clear_user()
        rotated.append(customer.site.visit(rotate, customer.cookie).cookie)

    customer.site.visit(handler, customer.cookie)

    assert customer.site.visit(who, rotated[0]).value == (None, {})


def test_a_sign_out_with_an_earlier_id_signs_out(customer: Browser, clock: ManualClock) -> None:
    """Any earlier id names the session, however old it is."""
    customer.visit(signs_in("ada"))
    old = customer.cookie
    customer.visit(Session.regenerate)
    clock.advance(10 * MINUTE)

    customer.site.visit(Session.clear_user, old)

    assert customer.visit(who).value == (None, {})


def test_a_store_error_while_signing_out_is_a_503(customer: Browser, watched: WatchedStore) -> None:
    """The answer never claims a sign-out that did not happen."""
    customer.visit(signs_in())
    watched.broken = {"commit"}

    assert customer.visit(Session.clear_user).status == 503
    watched.broken = set()
    assert customer.visit(who).value == ("ada", {})


def test_a_sign_out_keeps_the_cookie_beside_one_of_an_ended_session(
    customer: Browser, clock: ManualClock
) -> None:
    """The other cookie belongs to an earlier deploy, and the session goes on."""
    dead = customer.site.browser()
    dead.visit(writes(old=1))
    leftover = dead.cookie
    dead.visit(Session.destroy)
    clock.advance(5 * MINUTE)
    customer.visit(signs_in(name="Ada"))

    answer = customer.site.visit(Session.clear_user, f"{leftover}; {customer.cookie}")

    assert answer.set_cookies == []
    assert customer.holds() == {"cart": ["tea"]}


@pytest.mark.parametrize("follows", [Session.reload, Session.save], ids=["reload", "save"])
def test_nothing_that_asks_the_store_undoes_a_sign_out(customer: Browser, follows: Handler) -> None:
    """The user stays signed out, in the request and after it."""
    customer.visit(signs_in())

    seen = customer.visit(in_turn(Session.clear_user, follows, who)).value

    assert seen == customer.visit(who).value == (None, {})


def test_a_failed_sign_in_after_a_sign_out_leaves_nobody_signed_in(customer: Browser) -> None:
    """The failed request discards the sign-in, and carries out the sign-out."""
    customer.visit(signs_in("ada"))

    customer.visit(in_turn(Session.clear_user, signs_in("bob")), status=500)

    assert customer.visit(who).value == (None, {})


@pytest.mark.parametrize("ends", [Session.clear_user, in_turn(Session.clear_user, Session.destroy)])
@pytest.mark.parametrize("status", [200, 500])
def test_a_sign_out_does_not_undo_a_sign_in_that_was_saved_after_it(
    customer: Browser, ends: Handler, status: int
) -> None:
    """A saved sign-in stays, also after reload() and in a failed request."""
    customer.visit(signs_in("ada"))
    handler = in_turn(ends, signs_in("bob"), Session.save, Session.reload, who)

    seen = customer.visit(handler, status=status).value

    assert seen == customer.visit(who).value == ("bob", {})


def test_a_sign_out_after_a_lost_write_ends_the_session(customer: Browser) -> None:
    """The handler learns that its write came too late, and signs the new id out, too."""
    customer.visit(signs_in("ada"))
    rotated: list[str] = []

    def handler(session: Session) -> None:
        assert session.user_id == "ada"
        rotated.append(customer.site.visit(Session.regenerate, customer.cookie).cookie)
        with pytest.raises(SessionNotFound):
            session.increment("n")
        session.clear_user()

    customer.site.visit(handler, customer.cookie)

    assert customer.site.visit(who, rotated[0]).value == (None, {})


def test_a_save_that_drops_a_write_beside_a_sign_out_says_so(customer: Browser) -> None:
    """save() raises an error, because it stored only the sign-out."""
    customer.visit(signs_in("ada"))
    rotated: list[str] = []

    def handler(session: Session) -> None:
        session.clear_user()
        session["n"] = 7
        rotated.append(customer.site.visit(Session.regenerate, customer.cookie).cookie)
        with pytest.raises(SessionNotFound):
            session.save()

    customer.site.visit(handler, customer.cookie)

    assert customer.site.visit(who, rotated[0]).value == (None, {})


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_sign_out_keeps_the_timeout_that_its_request_has_set(
    customer: Browser, signed_in: bool
) -> None:
    """The timeout belongs to the session that goes on."""
    if signed_in:
        customer.visit(signs_in())

    customer.visit(in_turn(lives_for(5), Session.clear_user))

    assert customer.visit(lambda session: session.timeout).value == timedelta(days=5)


def test_a_sign_out_of_nobody_keeps_the_timeout_of_a_visitor(customer: Browser) -> None:
    """The timeout did not belong to a user."""
    customer.visit(lives_for(5))

    customer.visit(Session.clear_user)

    assert customer.visit(lambda session: session.timeout).value == timedelta(days=5)


def test_a_write_after_a_late_sign_out_begins_a_session_with_its_own_time(
    customer: Browser, clock: ManualClock
) -> None:
    """The session has expired in the meantime, and its absolute timeout counts no more."""

    def handler(session: Session) -> None:
        session.get("cart")
        session.clear_user()
        clock.advance(timedelta(days=400).total_seconds())
        session.save()
        session["cart"] = ["milk"]

    customer.visit(handler)

    assert customer.holds() == {"cart": ["milk"]}
