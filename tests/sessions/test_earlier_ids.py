"""Requests with an id that its session no longer has, or whose session has ended."""

from datetime import timedelta

import pytest

from sessions import Session, SessionNotFound
from sessions.testing import ManualClock
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Browser, Handler, everything, in_turn, untouched, writes
from tests.support.loops import a_head

REMEMBERED = 60.0


def login(session: Session) -> None:
    """Sign ada in."""
    session.set_user("ada")


def who(session: Session) -> tuple[str | None, dict[str, object]]:
    """Return who is signed in, and the data."""
    return session.user_id, dict(session)


ENDINGS: dict[str, Handler] = {
    "logout": Session.destroy,
    "a new id": Session.regenerate,
    "a sign-in": login,
    "a new id, then logout": in_turn(Session.regenerate, Session.save, Session.destroy),
}
ENDED = ["logout", "a new id, then logout"]


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a value."""
    browser.visit(writes(a=1))
    return browser


@pytest.fixture(params=ENDINGS)
def late(request: pytest.FixtureRequest, customer: Browser, clock: ManualClock) -> Browser:
    """Return a browser with an id that another request has just replaced."""
    customer.site.visit(ENDINGS[request.param], customer.cookie)
    clock.advance(REMEMBERED - 1)
    customer.site.events.clear()
    customer.site.store_calls().clear()
    return customer


USES: dict[str, Handler] = {
    "read": everything,
    "write": writes(b=2),
    "clear": Session.clear,
    "new id": Session.regenerate,
    "own timeout": lambda session: setattr(session, "timeout", timedelta(hours=48)),
    "flash": lambda session: session.flash("hello"),
}


class TestJustAfterIt:
    """For a minute the id is past: it has no session, and it clears no cookie."""

    @pytest.mark.parametrize("use", USES.values(), ids=USES)
    def test_a_write_with_an_earlier_id_is_not_stored(self, late: Browser, use: Handler) -> None:
        """The new cookie may be on its way to the browser in another answer."""
        answer = late.visit(use)

        assert (answer.status, answer.set_cookies) == (200, [])
        assert late.site.store_calls() == ["load"]

    @pytest.mark.parametrize("setting", ["rolling", "resave", "save_uninitialized"])
    def test_no_setting_stores_or_sends_with_an_earlier_id(
        self, make_site: SiteMaker, setting: str
    ) -> None:
        """This holds also for settings that send a cookie with each response."""
        browser = make_site(**{setting: True}).browser()
        browser.visit(writes(a=1))
        browser.site.visit(Session.regenerate, browser.cookie)
        browser.site.store_calls().clear()

        for handler in (untouched, everything):
            assert browser.visit(handler).set_cookies == []
        assert browser.site.store.writes == []

    def test_a_request_with_an_earlier_id_reads_nothing(self, late: Browser) -> None:
        """The session is empty and new."""
        answer = late.visit(lambda session: (everything(session), session.is_new))

        assert answer.value == ({}, True)
        assert answer.all("Vary") == ["Cookie"]
        assert late.site.told == []

    def test_a_dropped_write_is_reported(self, late: Browser) -> None:
        """An event tells of the lost write, and the request has an empty session."""
        late.visit(writes(b=2))

        assert late.site.told == ["gone"]
        assert late.holds() == {}

    @pytest.mark.parametrize(
        "verb",
        [
            in_turn(writes(b=2), Session.save),
            lambda session: session.increment("n"),
            lambda session: session.take("a"),
            lambda session: session.update_with("a", repr),
            lambda session: session.reload(),
        ],
    )
    def test_verbs_that_return_a_result_raise_an_error_with_an_earlier_id(
        self, late: Browser, verb: Handler
    ) -> None:
        """Verbs that return a result raise an error, because nothing was stored."""

        def handler(session: Session) -> None:
            with pytest.raises(SessionNotFound, match="nothing was changed"):
                verb(session)

        assert late.visit(handler).set_cookies == []

    def test_a_save_that_came_too_late_is_an_error(self, late: Browser) -> None:
        """save() raises the error at once, because a failed request would hide it."""

        def handler(session: Session) -> bool:
            session["b"] = 2
            with pytest.raises(SessionNotFound):
                session.save()
            return session.gone

        assert late.visit(handler, status=500).value
        assert late.site.told == ["gone"]

    def test_a_sign_in_is_not_dropped(self, late: Browser) -> None:
        """The sign-in gets a fresh session with the request's own values, and its cookie."""
        answer = late.visit(in_turn(writes(b=2), login))

        assert len(answer.set_cookies) == 1
        assert late.visit(who).value == ("ada", {"b": 2})

    def test_a_login_by_regenerate_with_an_earlier_id_is_not_dropped(self, late: Browser) -> None:
        """So a login without set_user() works, too."""
        late.visit(in_turn(Session.regenerate, writes(user="ada")))

        assert late.holds() == {"user": "ada"}

    def test_a_sign_in_leaves_the_other_session_alone(self, customer: Browser) -> None:
        """The session under the new id does not change."""
        renewed = customer.site.visit(Session.regenerate, customer.cookie).cookie

        customer.visit(login)

        assert customer.site.visit(who, renewed).value == (None, {"a": 1})

    @pytest.mark.parametrize("status", [500, 503])
    def test_a_sign_in_that_fails_leaves_nothing(self, late: Browser, status: int) -> None:
        """A failed request discards the sign-in."""
        answer = late.visit(login, status=status)

        assert (answer.set_cookies, late.site.store.writes) == ([], [])


class TestLongAfterIt:
    """After a minute the id is unknown: the request is like one without an id."""

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_a_write_begins_a_session(
        self, customer: Browser, clock: ManualClock, ending: str
    ) -> None:
        """The new session has its own cookie, and no data of the other session."""
        other = customer.site.browser()
        other.cookie = customer.cookie
        other.visit(ENDINGS[ending])
        clock.advance(REMEMBERED)

        answer = customer.visit(writes(b=2))

        assert len(answer.set_cookies) == 1
        assert customer.holds() == {"b": 2}
        assert other.holds() == ({} if ending in ENDED else {"a": 1})

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_an_id_of_long_ago_reads_nothing(
        self, customer: Browser, clock: ManualClock, ending: str
    ) -> None:
        """An old id never gets a session again."""
        customer.site.visit(ENDINGS[ending], customer.cookie)

        for days in (0.1, 1, 13):
            clock.advance(timedelta(days=days))
            assert customer.visit(everything).value == {}


class TestLogout:
    """Every id that a session ever had can end it, at any time."""

    @pytest.mark.parametrize("after", [0, REMEMBERED, 3600])
    @pytest.mark.parametrize("end", [Session.destroy, Session.clear_user])
    def test_an_earlier_id_can_end_the_session(
        self, customer: Browser, clock: ManualClock, end: Handler, after: float
    ) -> None:
        """A tab that was left open ends a later sign-in of the same session."""
        member = customer.site.browser()
        member.cookie = customer.cookie
        member.visit(login)
        clock.advance(after)

        customer.visit(end)

        assert member.visit(who).value == (None, {})

    @pytest.mark.parametrize("generations", [1, 3])
    def test_the_manager_can_end_a_session_by_an_earlier_id(
        self, customer: Browser, generations: int
    ) -> None:
        """An admin page may have an old id of the session."""
        first = customer.visit(lambda session: session.id).value
        for _ in range(generations):
            customer.visit(Session.regenerate)

        assert customer.site.manager.delete(first)
        assert customer.holds() == {}

    def test_a_second_logout_clears_no_cookie(self, customer: Browser) -> None:
        """There may have been a sign-in between the two logouts."""
        second = customer.cookie
        first = customer.visit(Session.destroy)

        again = customer.site.visit(Session.destroy, second)

        assert (first.clears, again.set_cookies) == (True, [])

    def test_one_with_an_unknown_id_clears_the_cookie(
        self, customer: Browser, clock: ManualClock
    ) -> None:
        """The cookie is of no use, and no other request has cleared it."""
        stale = customer.cookie
        customer.visit(Session.destroy)
        clock.advance(REMEMBERED)

        assert customer.site.visit(Session.destroy, stale).clears

    def test_one_that_began_before_a_new_id_clears_it(self, customer: Browser) -> None:
        """The logout ended a live session, so it clears the cookie."""
        member = customer.site.browser()
        member.cookie = customer.cookie
        member.visit(login)

        assert customer.visit(Session.destroy).clears


def renew(session: Session) -> None:
    """Give the session a new id, and the earlier id half a minute of grace."""
    session.regenerate(grace=timedelta(seconds=30))


class TestGrace:
    """An earlier id with grace reads and writes, and its answers never send that id."""

    @pytest.mark.parametrize("use", [untouched, everything, writes(b=2)])
    def test_an_earlier_id_is_never_sent_again(self, make_site: SiteMaker, use: Handler) -> None:
        """This holds also for settings that renew the cookie with each response."""
        browser = make_site(rolling=True).browser()
        browser.visit(writes(a=1))
        browser.site.visit(renew, browser.cookie)

        assert browser.visit(use).set_cookies == []

    @pytest.mark.parametrize("earlier_first", [True, False])
    def test_an_earlier_id_beside_the_present_one_is_ignored(
        self, customer: Browser, earlier_first: bool
    ) -> None:
        """Both ids name one session, and the request uses the present id."""
        earlier = customer.cookie
        present = customer.site.visit(renew, earlier).cookie
        both = [earlier, present] if earlier_first else [present, earlier]

        answer = customer.site.visit(in_turn(login, writes(b=2)), "; ".join(both))

        assert customer.site.visit(who, answer.cookie).value == ("ada", {"a": 1, "b": 2})
        assert "ambiguous" not in customer.site.told


def test_a_request_that_began_before_the_end_of_its_session_stores_nothing(
    customer: Browser, clock: ManualClock
) -> None:
    """A slow upload that uses its session at the end stores nothing."""

    def slow(session: Session) -> None:
        customer.site.visit(Session.regenerate, customer.cookie)
        clock.advance(10 * REMEMBERED)
        session["late"] = True

    answer = customer.visit(slow)

    assert answer.set_cookies == []
    assert customer.site.told[-1] == "gone"


@pytest.mark.parametrize("act", [Session.regenerate, login], ids=["new id", "sign-in"])
def test_a_discarded_change_leaves_the_good_cookie_alone(customer: Browser, act: Handler) -> None:
    """An error handler writes to the session, and the good cookie of another answer stays."""
    past = customer.cookie
    customer.visit(Session.regenerate)
    manager = customer.site.manager
    customer.site.events.clear()
    session = manager.open(a_head(past))
    act(session)

    manager.discard(session)
    is_past = session.is_past
    session["flash"] = 1
    headers = manager.close(session)

    assert (is_past, headers) == (True, [("Vary", "Cookie")])
    assert customer.site.told == ["gone"]
    assert customer.holds() == {"a": 1}
