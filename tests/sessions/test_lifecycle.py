"""Login, logout, errors and the end of a response: what is kept, and what is dropped."""

from typing import Any

import pytest

from sessions import Ended, Session, SessionNotFound
from sessions.testing import ManualClock
from tests.support.apps import Browser, everything, in_turn, writes
from tests.support.ids import an_id


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a cart, with the store's calls forgotten."""
    browser.visit(writes(cart=["tea"]))
    browser.site.store_calls().clear()
    return browser


def fails(session: Session) -> None:
    """Write to the session, and raise an error before the response begins."""
    session["cart"].append("lost")
    session["lost"] = True
    raise LookupError("a bug of the application")


# reload


def test_reload_sees_what_another_request_committed(customer: Browser) -> None:
    """reload() drops the unsaved changes of this request."""

    def handler(session: Session) -> dict[str, Any]:
        session["mine"] = "unsaved"
        customer.site.visit(writes(theirs="saved"), customer.cookie)
        session.reload()
        return dict(session)

    assert customer.visit(handler).value == {"cart": ["tea"], "theirs": "saved"}


def test_reload_of_a_new_session_empties_it(browser: Browser) -> None:
    """A new session has no stored values."""

    def handler(session: Session) -> dict[str, Any]:
        session["mine"] = "unsaved"
        session.reload()
        return dict(session)

    answer = browser.visit(handler)

    assert answer.value == {}
    assert answer.set_cookies == []


def test_reload_says_that_the_session_has_ended(customer: Browser) -> None:
    """Later writes are dropped, and no cookie is sent."""

    def handler(session: Session) -> None:
        session["mine"] = 1
        customer.site.manager.delete(session.id)
        with pytest.raises(SessionNotFound, match="another request ended"):
            session.reload()
        session["mine"] = 2

    answer = customer.visit(handler)

    assert answer.set_cookies == []
    assert customer.holds() == {}


def test_reload_after_destroy_says_so(customer: Browser) -> None:
    """reload() raises an error, because this request ended its session."""

    def handler(session: Session) -> None:
        session.destroy()
        with pytest.raises(SessionNotFound, match="this request ended"):
            session.reload()

    assert customer.visit(handler).clears


# 4xx, 5xx, exceptions


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 404, 409, 422, 429])
def test_a_chosen_4xx_keeps_the_changes(customer: Browser, status: int) -> None:
    """A login throttle can count its refusals."""
    customer.visit(writes(attempts=1), status=status)

    assert customer.holds() == {"cart": ["tea"], "attempts": 1}


@pytest.mark.parametrize("status", [500, 502, 503, 599])
def test_a_5xx_discards_the_changes(customer: Browser, status: int) -> None:
    """The session is as before, and no cookie is sent."""
    answer = customer.visit(lambda s: (s["cart"].append("lost"), s.update(x=1)), status=status)

    assert answer.set_cookies == []
    assert customer.holds() == {"cart": ["tea"]}


def test_an_exception_discards_the_changes(customer: Browser) -> None:
    """The exception goes on to the server."""
    with pytest.raises(LookupError, match="a bug of the application"):
        customer.visit(fails)

    assert customer.site.store.writes == []
    assert customer.holds() == {"cart": ["tea"]}


def test_a_failing_first_request_leaves_nothing(browser: Browser) -> None:
    """A 5xx and an exception both leave no record and no cookie."""
    answer = browser.visit(writes(a=1), status=500)
    with pytest.raises(LookupError):
        browser.visit(in_turn(writes(cart=[]), fails))

    assert answer.set_cookies == []
    assert browser.site.store_calls() == []


def test_values_that_were_saved_before_the_failure_stay(customer: Browser) -> None:
    """save() has already stored the values."""

    def handler(session: Session) -> None:
        session["saved"] = True
        session.save()
        fails(session)

    with pytest.raises(LookupError):
        customer.visit(handler)
    assert customer.holds() == {"cart": ["tea"], "saved": True}


@pytest.mark.parametrize("status", [200, 404, 500])
def test_logout_holds_for_any_status(customer: Browser, status: int) -> None:
    """The session has ended, so the client's cookie is cleared."""
    cookie = customer.cookie

    answer = customer.visit(Session.destroy, status=status)

    assert answer.clears
    assert customer.site.visit(everything, cookie).value == {}


def test_a_login_that_ends_in_a_5xx_keeps_the_old_id(customer: Browser) -> None:
    """The new id is discarded, so the old id still works, and no cookie is sent."""
    answer = customer.visit(in_turn(Session.regenerate, writes(user="ada")), status=500)

    assert answer.set_cookies == []
    assert customer.holds() == {"cart": ["tea"]}


def test_a_login_that_ends_in_an_exception_keeps_the_old_id(customer: Browser) -> None:
    """The new id is discarded without a store call."""
    with pytest.raises(LookupError):
        customer.visit(in_turn(Session.regenerate, fails))

    assert customer.site.store.writes == []
    assert customer.holds() == {"cart": ["tea"]}


# destroy


def test_destroy_removes_the_record_and_clears_the_cookie(customer: Browser) -> None:
    """This costs one store call and one cookie."""
    handle = customer.visit(lambda session: session.handle).value
    customer.site.store_calls().clear()

    answer = customer.visit(Session.destroy)

    assert customer.site.store_calls() == ["delete"]
    assert answer.clears
    assert len(answer.set_cookies) == 1
    assert isinstance(customer.site.store.load(handle), Ended)


def test_after_destroy_the_session_is_fresh_and_empty(customer: Browser) -> None:
    """Reads of the new session in the same request store nothing."""

    def handler(session: Session) -> tuple[dict[str, Any], bool, bool]:
        before = session.id
        session.destroy()
        return dict(session), session.is_new, session.id == before

    answer = customer.visit(handler)

    assert answer.value == ({}, True, False)
    assert answer.clears


def test_a_write_after_destroy_begins_another_session(customer: Browser) -> None:
    """The answer sends one cookie with a new id, and the old session has ended."""
    cookie = customer.cookie

    answer = customer.visit(in_turn(Session.destroy, writes(theme="dark")))

    assert len(answer.set_cookies) == 1
    assert customer.cookie != cookie
    assert customer.holds() == {"theme": "dark"}
    assert customer.site.visit(everything, cookie).value == {}


def test_destroy_takes_unsaved_changes_with_it(customer: Browser) -> None:
    """Nested changes and changes after save() are dropped, too."""

    def handler(session: Session) -> None:
        session["cart"].append("milk")
        session.save()
        session["cart"].append("honey")
        session.destroy()

    customer.visit(handler)

    assert customer.holds() == {}


def test_destroy_without_a_session_does_nothing(browser: Browser) -> None:
    """One call or two: there is no store call and no cookie."""
    answer = browser.visit(in_turn(Session.destroy, Session.destroy))

    assert answer.set_cookies == []
    assert browser.site.store_calls() == []


def test_destroying_twice_ends_the_session_once(customer: Browser) -> None:
    """The second call ends the new session, which was not stored."""
    answer = customer.visit(in_turn(Session.destroy, writes(a=1), Session.destroy))

    assert answer.clears
    assert set(customer.site.store_calls()) == {"delete"}


def test_delete_of_an_unknown_id_raises_no_error(customer: Browser) -> None:
    """delete() returns False, and no other session changes."""
    assert customer.site.manager.delete(an_id()) is False
    assert customer.holds() == {"cart": ["tea"]}


def test_the_old_cookie_after_logout_is_anonymous(customer: Browser, clock: ManualClock) -> None:
    """A write begins a session with another id."""
    cookie = customer.cookie
    customer.visit(Session.destroy)
    clock.advance(60)

    again = customer.site.visit(lambda s: (dict(s), s.is_new, s.update(a=1)), cookie)

    assert again.value[:2] == ({}, True)
    assert again.cookie != cookie
    assert customer.site.visit(everything, cookie).value == {}


def test_the_old_cookie_just_after_logout_begins_nothing(
    customer: Browser, clock: ManualClock
) -> None:
    """A write is dropped with an event, because its cookie could replace a better one."""
    cookie = customer.cookie
    customer.visit(Session.destroy)
    customer.site.events.clear()
    customer.site.store_calls().clear()
    clock.advance(59)

    again = customer.site.visit(lambda s: (dict(s), s.is_new, s.update(a=1)), cookie)

    assert again.value[:2] == ({}, True)
    assert (again.set_cookies, customer.site.told) == ([], ["gone"])
    assert customer.site.store_calls() == ["load"]
