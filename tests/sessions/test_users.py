"""Signing in: the user, the user data, and that no sign-in is dropped."""

from datetime import timedelta

import pytest

from sessions import Session, SessionNotFound
from sessions.testing import START, ManualClock, loaded_from
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Browser, Site, everything, in_turn, writes
from tests.support.users import signs_in, who

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a cart, with the store's calls forgotten."""
    browser.visit(writes(cart=["tea"]))
    browser.site.store_calls().clear()
    return browser


def test_a_new_session_has_no_user(browser: Browser, customer: Browser) -> None:
    """This holds for a new session and for one with data."""
    assert browser.site.browser().visit(who).value == (None, {})
    assert customer.visit(who).value == (None, {})


def test_a_sign_in_is_seen_by_the_next_requests(customer: Browser) -> None:
    """They have the user and the user data, and the session keeps its values."""
    customer.visit(signs_in("ada", name="Ada", roles=["admin"]))

    assert customer.visit(who).value == ("ada", {"name": "Ada", "roles": ["admin"]})
    assert customer.visit(lambda session: session["cart"]).value == ["tea"]


def test_a_sign_in_is_seen_by_its_own_request(customer: Browser) -> None:
    """The user is there at once, before anything is stored."""
    answer = customer.visit(in_turn(signs_in("ada", name="Ada"), who))

    assert answer.value == ("ada", {"name": "Ada"})


def test_a_sign_in_is_one_load_and_one_commit(customer: Browser) -> None:
    """The commit has the user, the new id and all other changes."""
    answer = customer.visit(in_turn(writes(theme="dark"), signs_in()))

    assert customer.site.store_calls() == ["load", "commit"]
    assert len(answer.set_cookies) == 1


def test_a_sign_in_of_a_visitor_makes_one_record(browser: Browser) -> None:
    """This holds also without any values."""
    answer = browser.visit(signs_in())

    assert browser.site.store_calls() == ["create"]
    assert len(answer.set_cookies) == 1
    assert browser.visit(who).value == ("ada", {})


def test_a_sign_in_changes_the_id(customer: Browser) -> None:
    """The id that an attacker may know is past when the answer leaves."""
    old = customer.cookie
    before = customer.visit(lambda session: session.id).value

    after = customer.visit(in_turn(signs_in(), lambda session: session.id)).value

    assert after != before
    assert customer.cookie != old
    assert customer.site.visit(in_turn(everything, who), old).value == (None, {})


def test_a_sign_in_begins_the_absolute_timeout_again(customer: Browser, clock: ManualClock) -> None:
    """A user who signs in on the last day of a session is not logged out soon."""
    for _ in range(13):
        clock.advance(DAY - 1)
        customer.visit(everything)
    customer.visit(signs_in())
    for _ in range(13):
        clock.advance(DAY - 1)
        customer.visit(everything)

    assert customer.visit(who).value == ("ada", {})
    clock.advance(DAY)
    assert customer.visit(who).value == (None, {})


def test_a_sign_in_begins_the_absolute_timeout_again_with_rolling(
    make_site: SiteMaker, clock: ManualClock
) -> None:
    """With `rolling`, the same commit renews the cookie."""
    browser = make_site(rolling=True).browser()
    browser.visit(writes(cart=["tea"]))
    clock.advance(10 * MINUTE)

    browser.visit(signs_in())

    began = browser.visit(lambda session: session.created_at.timestamp()).value
    assert began == START + 10 * MINUTE


def test_a_sign_in_changes_expires_at_at_once(customer: Browser, clock: ManualClock) -> None:
    """expires_at counts from the sign-in, before its commit and after."""
    clock.advance(10 * MINUTE)
    customer.visit(lambda session: setattr(session, "timeout", timedelta(days=100)))

    def handler(session: Session) -> list[float]:
        ends = [session.expires_at.timestamp()]
        session.set_user("ada")
        ends.append(session.expires_at.timestamp())
        session.save()
        return [*ends, session.expires_at.timestamp()]

    anew = START + 10 * MINUTE + 14 * DAY
    assert customer.visit(handler).value == [START + 14 * DAY, anew, anew]


def test_a_sign_in_in_the_last_hour_gets_the_whole_idle_timeout(
    customer: Browser, clock: ManualClock
) -> None:
    """The commit gives the session the whole idle timeout."""
    for _ in range(14):
        clock.advance(DAY - HOUR / 14)
        customer.visit(everything)
    customer.visit(signs_in())

    clock.advance(2 * HOUR)

    assert customer.visit(who).value == ("ada", {})


def test_a_sign_in_of_a_visitor_shows_the_stored_times(
    browser: Browser, clock: ManualClock
) -> None:
    """The session began at the commit, however long the request had run."""

    def handler(session: Session) -> float:
        session.set_user("ada")
        clock.advance(MINUTE)
        session.save()
        return session.created_at.timestamp()

    told = browser.visit(handler).value

    assert told == browser.visit(lambda session: session.created_at.timestamp()).value


def test_a_sign_in_after_a_lost_write_is_not_dropped(customer: Browser) -> None:
    """The user gets a fresh session, as after a late commit."""

    def handler(session: Session) -> None:
        customer.site.manager.delete(session.id)
        with pytest.raises(SessionNotFound):
            session.increment("n")
        session.set_user("ada")

    answer = customer.visit(handler)

    assert len(answer.set_cookies) == 1
    assert customer.visit(who).value == ("ada", {})


def test_signing_in_again_is_a_sign_in(customer: Browser) -> None:
    """The same user keeps the data, and the id changes each time."""
    customer.visit(signs_in())
    first = customer.cookie
    customer.visit(signs_in(name="Ada"))

    assert customer.cookie != first
    assert customer.visit(who).value == ("ada", {"name": "Ada"})
    assert customer.visit(lambda session: session["cart"]).value == ["tea"]


def test_another_user_does_not_see_the_data_of_the_first(customer: Browser) -> None:
    """The first user's data are dropped; later values belong to the new user."""
    customer.visit(in_turn(signs_in("ada", name="Ada"), writes(draft="private")))

    customer.visit(in_turn(signs_in("bob"), writes(theme="dark")))

    assert customer.visit(who).value == ("bob", {})
    assert customer.holds() == {"theme": "dark"}


def test_an_equal_value_of_another_user_is_stored(customer: Browser) -> None:
    """The new user's value is stored, although the first user had the same one."""
    customer.visit(in_turn(signs_in("ada"), writes(theme="dark", size=[1])))

    customer.visit(in_turn(signs_in("bob"), writes(theme="dark", size=[1])))

    assert customer.visit(who).value == ("bob", {})
    assert customer.holds() == {"theme": "dark", "size": [1]}


def test_a_write_during_a_sign_in_of_another_user_is_dropped(customer: Browser) -> None:
    """The write came between the load and the commit of the sign-in, and is dropped."""
    customer.visit(signs_in("ada"))

    def handler(session: Session) -> None:
        assert session.user_id == "ada"
        customer.site.visit(writes(draft="private"), customer.cookie)
        session.set_user("bob")

    customer.visit(handler)

    assert customer.visit(who).value == ("bob", {})
    assert customer.holds() == {}


def test_signing_in_as_another_user_is_one_load_and_one_commit(customer: Browser) -> None:
    """The same commit removes the old data."""
    customer.visit(signs_in("ada"))
    customer.site.store_calls().clear()

    customer.visit(signs_in("bob"))

    assert customer.site.store_calls() == ["load", "commit"]


def test_signing_in_as_another_user_that_fails_changes_nothing(customer: Browser) -> None:
    """The first user is still signed in, with all data."""
    customer.visit(signs_in("ada", name="Ada"))

    def handler(session: Session) -> None:
        session.set_user("bob")
        session["theme"] = "dark"

    customer.visit(handler, status=500)

    assert customer.visit(who).value == ("ada", {"name": "Ada"})
    assert customer.visit(lambda session: session["cart"]).value == ["tea"]


def test_a_user_who_signs_in_over_a_visitors_session_keeps_the_cart(customer: Browser) -> None:
    """The data of a visitor belong to the user who signs in."""
    customer.visit(signs_in())

    assert customer.holds() == {"cart": ["tea"]}


def test_set_user_replaces_all_user_data(customer: Browser) -> None:
    """user_data has exactly the values of the last set_user()."""
    customer.visit(signs_in(name="Ada", role="admin"))
    customer.visit(signs_in(name="Ada"))
    known = customer.visit(who).value
    customer.visit(signs_in())

    assert known == ("ada", {"name": "Ada"})
    assert customer.visit(who).value == ("ada", {})


def test_a_change_inside_user_data_is_saved(customer: Browser) -> None:
    """A nested change is saved as in any other value."""
    customer.visit(signs_in(name="Ada"))
    customer.visit(lambda session: session.user_data.update(name="Ada L."))

    assert customer.visit(who).value == ("ada", {"name": "Ada L."})


@pytest.mark.parametrize("status", [500, 503])
def test_a_sign_in_that_ends_in_a_5xx_is_discarded(customer: Browser, status: int) -> None:
    """The id and the data are the old ones, and no cookie is sent."""
    answer = customer.visit(in_turn(signs_in(), writes(x=1)), status=status)

    assert answer.set_cookies == []
    assert customer.visit(in_turn(everything, who)).value == (None, {})
    assert customer.holds() == {"cart": ["tea"]}


def test_a_sign_in_that_a_client_chose_to_refuse_is_kept(customer: Browser) -> None:
    """A 4xx is a decision of the handler, and keeps the sign-in."""
    customer.visit(signs_in(), status=404)

    assert customer.visit(who).value == ("ada", {})


@pytest.mark.parametrize("name", ["user_id", "self", "session", "grace"])
def test_user_data_may_have_any_name(customer: Browser, name: str) -> None:
    """No name of user data collides with a parameter of set_user()."""
    customer.visit(lambda session: session.set_user("ada", **{name: 1}))

    assert customer.visit(who).value == ("ada", {name: 1})


@pytest.mark.parametrize("user_id", ["é😀", "a" * 1000, "0", "$set", "a\0b"], ids=ascii)
def test_any_text_can_name_a_user(customer: Browser, user_id: str) -> None:
    """The id of a user comes back exactly."""
    customer.visit(signs_in(user_id))

    assert customer.visit(who).value == (user_id, {})


def test_user_id_cannot_be_assigned(customer: Browser) -> None:
    """`user_id` cannot be set, because set_user() does more."""

    def handler(session: Session) -> None:
        with pytest.raises(AttributeError):
            session.user_id = "ada"  # type: ignore[misc]

    customer.visit(handler)
    assert customer.visit(who).value == (None, {})


# A sign-in is never dropped


def test_a_sign_in_with_a_superseded_id_gets_a_fresh_session(customer: Browser) -> None:
    """The session has the request's own values and a cookie; the other session is unchanged."""
    old = customer.cookie
    customer.visit(in_turn(signs_in("ada"), writes(secret=1)))

    answer = customer.site.visit(in_turn(writes(theme="dark"), signs_in("bob")), old)

    assert customer.site.visit(who, answer.cookie).value == ("bob", {})
    assert customer.site.visit(everything, answer.cookie).value == {"theme": "dark"}
    assert customer.visit(who).value == ("ada", {})


def test_a_sign_in_just_after_a_logout_gets_a_fresh_session(customer: Browser) -> None:
    """A login form that was already open can be sent."""
    old = customer.cookie
    customer.visit(Session.destroy)

    answer = customer.site.visit(signs_in(), old)

    assert customer.site.visit(who, answer.cookie).value == ("ada", {})


def test_a_sign_in_that_is_overtaken_gets_a_fresh_session(customer: Browser) -> None:
    """Both users are signed in, and the second has no data of the first."""
    first: list[str] = []

    def handler(session: Session) -> None:
        assert session["cart"] == ["tea"]
        session["theme"] = "dark"
        login = in_turn(signs_in("ada"), writes(secret=1))
        first.append(customer.site.visit(login, customer.cookie).cookie)
        session.set_user("bob")

    second = customer.site.visit(handler, customer.cookie)

    assert customer.site.visit(who, first[0]).value == ("ada", {})
    assert customer.site.visit(who, second.cookie).value == ("bob", {})
    assert customer.site.visit(everything, second.cookie).value == {"theme": "dark"}


def test_a_sign_in_during_a_logout_gets_a_fresh_session(customer: Browser) -> None:
    """The record is gone, and the user is signed in."""

    def handler(session: Session) -> None:
        session.set_user("ada")
        customer.site.visit(Session.destroy, customer.cookie)

    answer = customer.site.visit(handler, customer.cookie)

    assert customer.site.visit(who, answer.cookie).value == ("ada", {})


def test_a_sign_in_that_save_stores_is_complete(customer: Browser) -> None:
    """The answer has the cookie, also if the rest of the request fails."""
    old = customer.cookie

    answer = customer.visit(in_turn(signs_in(), Session.save), status=500)

    assert customer.visit(who).value == ("ada", {})
    assert len(answer.set_cookies) == 1
    assert customer.site.visit(who, old).value == (None, {})


@pytest.mark.plain_values
def test_the_record_names_the_user(customer: Browser, site: Site) -> None:
    """The user is a field of the record, so all sessions of a user can be found."""
    customer.visit(signs_in("ada"))

    handle = customer.visit(lambda session: session.handle).value
    record = loaded_from(site.store, handle)

    assert record.user_id == "ada"
    assert set(record.values) == {"cart"}
