"""Sign-ins as another user: nothing of the earlier user matters or stays."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from sessions import Session, SessionNotFound
from sessions.testing import loaded_from, some_changes
from tests.support.apps import Browser, Handler, everything, in_turn, writes
from tests.support.users import signs_in, who


@pytest.fixture
def of_bob(browser: Browser) -> Browser:
    """Return a browser in which Bob is signed in, with a cart."""
    browser.visit(in_turn(writes(cart=["tea"]), signs_in("bob")))
    return browser


def test_data_of_the_earlier_user_do_not_count_for_the_size_limit(of_bob: Browser) -> None:
    """The earlier user's data are dropped, so their size does not count."""
    of_bob.visit(writes(big="x" * 60_000))

    of_bob.visit(in_turn(signs_in("ada"), writes(cart="y" * 10_000)))

    assert of_bob.visit(who).value == ("ada", {})
    assert of_bob.holds() == {"cart": "y" * 10_000}


def test_the_timeout_that_a_request_sets_is_the_new_users(of_bob: Browser) -> None:
    """It may be set before the sign-in or after it."""
    of_bob.visit(in_turn(lives_for(5), signs_in("eve")))
    before = of_bob.visit(lambda session: session.timeout).value
    of_bob.visit(in_turn(signs_in("ada"), lives_for(3)))

    assert before == timedelta(days=5)
    assert of_bob.visit(lambda session: session.timeout).value == timedelta(days=3)


def lives_for(days: int) -> Handler:
    """Make a handler that gives the session a timeout of its own."""
    return lambda session: setattr(session, "timeout", timedelta(days=days))


def renews(browser: Browser) -> object:
    """Give the session another id, in another request; the earlier id has a grace time."""
    return browser.visit(lambda session: session.regenerate(grace=timedelta(seconds=30)))


def ends(browser: Browser) -> object:
    """End the session in another request."""
    return browser.visit(Session.destroy)


def gives_a_new_id(browser: Browser) -> object:
    """Give the session another id, in another request; the earlier id is over."""
    return browser.visit(Session.regenerate)


@pytest.mark.parametrize("before", [None, renews], ids=["present id", "earlier id"])
@pytest.mark.parametrize("meanwhile", [None, renews, gives_a_new_id, ends])
@pytest.mark.parametrize("saves", [False, True], ids=["at the end", "at once"])
def test_what_the_request_wrote_for_the_earlier_user_is_dropped(
    of_bob: Browser,
    before: Callable[[Browser], object] | None,
    meanwhile: Callable[[Browser], object] | None,
    *,
    saves: bool,
) -> None:
    """Whatever happens to the session of the earlier user beside this request."""
    cookie, site = of_bob.cookie, of_bob.site
    if before is not None:
        before(of_bob)

    def handler(session: Session) -> None:
        session["draft"] = "of Bob"
        if meanwhile is not None:
            meanwhile(of_bob)
        if saves:
            with suppress(SessionNotFound):
                session.save()
        session.set_user("ada")
        session["page"] = "of Ada"

    answer = site.visit(handler, cookie)

    assert site.visit(everything, answer.cookie).value == {"page": "of Ada"}
    assert site.visit(who, answer.cookie).value == ("ada", {})


# An update of one value

UPDATES: dict[str, Handler] = {
    "increment": lambda session: session.increment("n"),
    "update_with": lambda session: session.update_with("n", lambda value: (value or 0) + 1),
    "take": lambda session: (session.update_with("n", lambda value: 1), session.take("n")),
}


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES)
def test_the_earlier_id_never_opens_an_update_after_a_sign_in(
    browser: Browser, update: Handler
) -> None:
    """Another person may know the id of the visitor, also if the request fails then."""
    browser.visit(writes(cart=["tea"]))
    old, seen = browser.cookie, []

    def handler(session: Session) -> None:
        session.set_user("ada")
        update(session)
        seen.append(browser.site.visit(everything, old).value)
        raise LookupError("a bug of the handler")

    with pytest.raises(LookupError):
        browser.site.visit(handler, old)

    assert seen == [{}]
    assert browser.site.visit(everything, old).value == {}


# A value that cannot be read


@pytest.fixture
def damaged(of_bob: Browser) -> Browser:
    """Return the browser, after a byte of Bob's cart was changed."""
    handle = of_bob.visit(lambda session: session.handle).value
    clock, store = of_bob.site.container.clock, of_bob.site.store
    secret = loaded_from(store, handle).secret
    store.commit(handle, some_changes(clock, secret=secret, set={"cart": b"\xc1 no value"}))
    return of_bob


def reads(session: Session) -> object:
    """Read the damaged value."""
    return session.get("cart")


def test_a_sign_out_is_kept_when_a_damaged_value_is_read(damaged: Browser) -> None:
    """Neither the new cookie nor the old one has a user."""
    old = damaged.cookie

    damaged.visit(in_turn(Session.clear_user, reads))

    assert damaged.visit(who).value == damaged.site.visit(who, old).value == (None, {})


def test_a_sign_in_is_kept_when_a_damaged_value_is_read(damaged: Browser) -> None:
    """The new session has the user and the timeout."""
    damaged.visit(in_turn(signs_in("bob"), lives_for(5), reads))

    assert damaged.visit(who).value == ("bob", {})
    assert damaged.visit(lambda session: session.timeout).value == timedelta(days=5)


def test_a_new_id_is_kept_when_a_damaged_value_is_read(damaged: Browser) -> None:
    """The old id has no session any more."""
    old = damaged.cookie

    damaged.visit(in_turn(Session.regenerate, reads, writes(n=1)))

    assert damaged.cookie != old
    assert damaged.holds() == {"n": 1}
    assert damaged.site.visit(who, old).value == (None, {})


def test_another_user_gets_no_values_of_a_session_that_has_ended(of_bob: Browser) -> None:
    """The request has changed a value of the earlier user, and could not save it."""

    def handler(session: Session) -> object:
        session["cart"].append("milk")
        of_bob.visit(Session.regenerate)
        with suppress(SessionNotFound):
            session.save()
        session.set_user("ada")
        return dict(session)

    assert of_bob.visit(handler).value == {}
    assert of_bob.visit(who).value == ("ada", {})
