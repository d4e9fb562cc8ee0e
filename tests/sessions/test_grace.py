"""regenerate(grace=...): the old id may be used for a short time after the renewal."""

from datetime import timedelta
from typing import Any

import pytest

from sessions import Session
from sessions.testing import MICROSECOND, START, ManualClock
from tests.support.apps import Answer, Browser, Handler, everything, in_turn, writes
from tests.support.loops import a_head
from tests.support.users import signs_in

MINUTE, HOUR = 60.0, 3600.0
GRACE = timedelta(seconds=30)


def renews(session: Session) -> None:
    """Renew the id."""
    session.regenerate(grace=GRACE)


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a value."""
    browser.visit(writes(a=1))
    return browser


@pytest.fixture
def old(customer: Browser) -> str:
    """Return the customer's old cookie, after its id was renewed."""
    cookie = customer.cookie
    customer.visit(renews)
    customer.site.store_calls().clear()
    customer.site.events.clear()
    return cookie


def test_a_renewal_changes_the_id(customer: Browser) -> None:
    """The renewal keeps the data, and costs one cookie, one commit and one event."""
    before = customer.cookie
    customer.site.store_calls().clear()

    answer = customer.visit(renews)

    assert customer.site.store_calls() == ["load", "commit"]
    assert (len(answer.set_cookies), answer.cookie == before) == (1, False)
    assert customer.site.told == ["created", "regenerated", "renewed"]
    assert customer.holds() == {"a": 1}


def test_the_old_id_reads_and_writes(customer: Browser, old: str) -> None:
    """Requests with the old id go on, and their answers send no cookie."""
    answer = customer.site.visit(in_turn(writes(b=2), everything), old)

    assert (answer.value, answer.set_cookies) == ({"a": 1, "b": 2}, [])
    assert customer.site.store_calls() == ["load", "commit"]
    assert customer.holds() == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "act",
    [lambda s: s.increment("n"), lambda s: s.take("a"), in_turn(writes(b=2), Session.save)],
    ids=["increment", "take", "save"],
)
def test_the_old_id_may_change_values_at_once(customer: Browser, old: str, act: Handler) -> None:
    """Atomic verbs are allowed, because they change only values."""
    before = customer.holds()
    answer = customer.site.visit(act, old)

    assert answer.set_cookies == []
    assert customer.holds() != before
    assert "gone" not in customer.site.told


def test_a_request_with_the_old_id_keeps_its_id(customer: Browser, old: str) -> None:
    """The old id is not renewed in the store, and its own request keeps it."""

    def handler(session: Session) -> bool:
        before = session.id
        session.regenerate()
        return session.id == before

    assert customer.site.visit(handler, old).value
    assert customer.site.store_calls() == ["load"]


def test_a_sign_out_with_the_old_id_is_seen_at_once(customer: Browser) -> None:
    """Afterwards, the request sees no user and no user data."""
    customer.visit(signs_in())
    cookie = customer.cookie
    customer.visit(renews)

    def handler(session: Session) -> tuple[str | None, bool]:
        session.clear_user()
        return session.user_id, session.is_new

    assert customer.site.visit(handler, cookie).value == (None, True)


def test_a_logout_after_a_sign_in_clears_the_cookie_of_a_failed_request(
    customer: Browser, old: str
) -> None:
    """The session of the old id has ended, and the discarded sign-in does not bring it back."""
    answer = customer.site.visit(in_turn(signs_in(), Session.destroy), old, status=500)

    assert answer.clears
    assert customer.holds() == {}


@pytest.mark.parametrize(
    ("after", "values"), [(30 - MICROSECOND, {"a": 1}), (30, {}), (31, {}), (HOUR, {})]
)
def test_the_old_id_ends_with_its_grace(
    customer: Browser, clock: ManualClock, old: str, after: float, values: dict[str, Any]
) -> None:
    """The old id is valid a microsecond before the end, and not at the end."""
    clock.set(START + after)

    assert customer.site.visit(everything, old).value == values
    assert customer.holds() == {"a": 1}


def test_a_write_under_way_when_the_id_is_renewed_is_kept(customer: Browser) -> None:
    """The request has loaded the session with the old id."""

    def handler(session: Session) -> None:
        session["late"] = session["a"]
        customer.visit(renews)

    answer = customer.site.visit(handler, customer.cookie)

    assert answer.set_cookies == []
    assert customer.holds() == {"a": 1, "late": 1}


def test_the_values_of_the_loser_of_two_renewals_are_kept(customer: Browser) -> None:
    """One new id is valid, and the other answer sends no cookie."""
    before = customer.cookie

    def handler(session: Session) -> None:
        session["late"] = session["a"]
        session.regenerate(grace=GRACE)
        customer.visit(renews)

    loser = customer.site.visit(handler, before)

    assert loser.set_cookies == []
    assert customer.holds() == {"a": 1, "late": 1}
    assert customer.site.told.count("renewed") == 1


@pytest.mark.parametrize("renewal", [renews, in_turn(writes(b=2), renews)], ids=["idle", "busy"])
def test_a_late_answer_does_not_replace_the_new_cookie(
    customer: Browser, clock: ManualClock, renewal: Handler
) -> None:
    """A late answer sends no cookie, even with `rolling`, because it has the old id."""
    customer.visit(lambda session: setattr(session, "timeout", timedelta(days=3)))
    clock.advance(HOUR)

    def handler(session: Session) -> None:
        session["late"] = session["a"]
        customer.visit(renewal)

    late = customer.site.visit(handler, customer.cookie)

    assert late.set_cookies == []
    assert customer.holds()["late"] == 1


def test_the_old_id_renews_no_cookie(customer: Browser, clock: ManualClock) -> None:
    """Another answer has already sent the new cookie."""
    customer.visit(lambda session: setattr(session, "timeout", timedelta(days=3)))
    before = customer.cookie
    customer.visit(lambda session: session.regenerate(grace=timedelta(hours=2)))
    clock.advance(HOUR)

    for act in (everything, writes(b=2)):
        assert customer.site.visit(act, before).set_cookies == []
        clock.advance(MINUTE)
    assert customer.holds() == {"a": 1, "b": 2}


def test_a_timeout_that_is_lost_to_a_renewal_loses_no_value(customer: Browser) -> None:
    """The values are stored because of the grace, and the timeout is dropped."""

    def handler(session: Session) -> None:
        session["late"] = session["a"]
        session.timeout = timedelta(days=3)
        customer.visit(renews)

    customer.site.visit(handler, customer.cookie)

    assert customer.holds() == {"a": 1, "late": 1}
    assert customer.visit(lambda session: session.timeout).value == timedelta(days=1)


@pytest.mark.parametrize(
    "act",
    [
        Session.regenerate,
        renews,
        lambda session: setattr(session, "timeout", timedelta(days=3)),
        lambda session: setattr(session, "timeout", None),
    ],
    ids=["regenerate", "renewal", "timeout", "no timeout"],
)
def test_the_old_id_changes_neither_id_nor_timeout(
    customer: Browser, old: str, act: Handler
) -> None:
    """Its values are kept, and the present id does not change."""
    answer = customer.site.visit(in_turn(writes(b=2), act), old)

    assert answer.set_cookies == []
    assert customer.holds() == {"a": 1, "b": 2}
    assert customer.visit(lambda session: session.timeout).value == timedelta(days=1)


def test_a_sign_in_with_the_old_id_gets_a_fresh_session(customer: Browser, old: str) -> None:
    """The sign-in is not dropped, and does not change the user of the present id."""
    answer = customer.site.visit(lambda session: session.set_user("eve"), old)

    assert customer.site.visit(lambda s: (s.user_id, dict(s)), answer.cookie).value == ("eve", {})
    assert customer.visit(lambda s: (s.user_id, dict(s))).value == (None, {"a": 1})


def test_a_sign_in_with_the_old_id_that_is_discarded_goes_back(customer: Browser, old: str) -> None:
    """The request has the session again that it had loaded."""
    manager = customer.site.manager
    session = manager.open(a_head(old))
    session["b"] = 2
    session.set_user("eve")
    manager.discard(session)

    assert (session.user_id, dict(session)) == (None, {"a": 1})
    assert manager.close(session) == [("Vary", "Cookie")]


def test_a_logout_with_the_old_id_is_a_logout(customer: Browser, old: str) -> None:
    """The session ends, whatever its present id is."""
    answer = customer.site.visit(Session.destroy, old)

    assert answer.clears
    assert customer.holds() == {}


def test_a_sign_out_with_the_old_id_signs_out(customer: Browser, old: str) -> None:
    """The session ends, because the old id may not change the user."""
    customer.site.visit(Session.clear_user, old)

    assert customer.visit(lambda session: session.user_id).value is None


@pytest.mark.parametrize(
    "act", [Session.regenerate, lambda session: session.set_user("ada")], ids=["plain", "sign-in"]
)
def test_a_change_of_privilege_ends_the_grace(customer: Browser, old: str, act: Handler) -> None:
    """A sign-in or a sign-out ends the grace of earlier ids."""
    customer.visit(act)

    assert customer.site.visit(everything, old).value == {}


def test_a_second_renewal_ends_the_first_ones_grace(customer: Browser, old: str) -> None:
    """Only the last earlier id may be used."""
    second = customer.cookie
    customer.visit(renews)

    assert customer.site.visit(everything, old).value == {}
    assert customer.site.visit(everything, second).value == {"a": 1}
    assert customer.holds() == {"a": 1}


def test_a_plain_regenerate_gives_no_grace(customer: Browser) -> None:
    """A login must end the id that an attacker may know."""
    before = customer.cookie
    customer.visit(Session.regenerate)

    assert customer.site.visit(everything, before).value == {}


@pytest.mark.parametrize("status", [500, 503])
def test_a_failed_request_renews_nothing(customer: Browser, status: int) -> None:
    """The id stays the present one, without a time limit."""
    answer: Answer = customer.visit(renews, status=status)

    assert answer.set_cookies == []
    assert customer.holds() == {"a": 1}
    assert customer.site.told == ["created"]


@pytest.mark.parametrize("grace", [timedelta(0), timedelta(seconds=-1), 30, 30.0, "30"], ids=repr)
def test_grace_is_a_time(customer: Browser, grace: Any) -> None:
    """A value that is not a timedelta is refused, and nothing changes."""

    def handler(session: Session) -> None:
        with pytest.raises(
            ValueError, match=r"is refused. Fix: (give a positive timedelta of|write timedelta)"
        ):
            session.regenerate(grace=grace)

    assert customer.visit(handler).set_cookies == []


@pytest.mark.parametrize("other", [signs_in(), Session.regenerate], ids=["sign-in", "plain"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_sign_in_or_a_plain_renewal_beside_it_leaves_no_grace(
    customer: Browser, other: Handler, is_first: bool
) -> None:
    """A middleware that renews ids must not keep the id from before a login valid."""
    old = customer.cookie

    customer.visit(in_turn(*([renews, other] if is_first else [other, renews])))

    assert customer.site.visit(lambda s: (s.user_id, dict(s)), old).value == (None, {})


@pytest.mark.parametrize("grace", [timedelta(days=36_500), timedelta.max], ids=str)
def test_a_grace_that_outlives_the_session_is_refused(customer: Browser, grace: timedelta) -> None:
    """A grace time must be short."""
    with pytest.raises(ValueError, match="of at most"):
        customer.visit(lambda session: session.regenerate(grace=grace))
