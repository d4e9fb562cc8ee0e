"""`renew_every`: a session gets a new id from time to time, by itself."""

from datetime import timedelta

import pytest

from sessions import (
    CookieTransport,
    HeaderTransport,
    Session,
    SessionContainer,
    URLTransport,
    testing,
)
from sessions.core.limits import RENEWAL_GRACE
from sessions.stateless import SignedToken
from sessions.testing import MICROSECOND, ManualClock, in_parallel
from tests.sessions.conftest import SiteMaker
from tests.support.apps import KEY, Browser, Site, everything, in_turn, untouched, writes
from tests.support.loops import a_head
from tests.support.refusals import problems
from tests.support.users import signs_in

HOUR = 3600.0
GRACE = RENEWAL_GRACE.total_seconds()


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """Return a site that renews ids each hour."""
    return make_site(renew_every=timedelta(hours=1))


@pytest.fixture
def customer(site: Site) -> Browser:
    """Return a browser whose session holds a value."""
    browser = site.browser()
    browser.visit(writes(a=1))
    return browser


@pytest.mark.parametrize(
    "uses",
    [everything, writes(b=2), in_turn(writes(b=2), Session.save)],
    ids=["reads", "writes", "saves"],
)
def test_the_id_is_renewed_when_it_is_due(
    customer: Browser, clock: ManualClock, uses: object
) -> None:
    """By the next use, of each kind, and not a microsecond before."""
    old = customer.cookie
    clock.advance(HOUR - MICROSECOND)
    early = customer.visit(everything)
    clock.advance(MICROSECOND)
    answer = customer.visit(uses)  # type: ignore[arg-type]

    assert early.set_cookies == []
    assert len(answer.set_cookies) == 1
    assert customer.cookie != old
    assert customer.holds()["a"] == 1


def test_the_earlier_id_reads_and_writes_for_a_moment(
    customer: Browser, clock: ManualClock
) -> None:
    """Other requests of the page are on their way; after the grace it is dead."""
    site, old = customer.site, customer.cookie
    clock.advance(HOUR)
    customer.visit(everything)
    clock.advance(GRACE - MICROSECOND)
    late = site.visit(in_turn(writes(late=True), everything), old)
    clock.advance(MICROSECOND)

    assert (late.value["a"], late.set_cookies) == (1, [])
    assert customer.holds() == {"a": 1, "late": True}
    assert site.visit(everything, old).value == {}


def test_the_id_is_renewed_each_time_that_it_is_due(customer: Browser, clock: ManualClock) -> None:
    """Once for each hour."""
    cookies = []
    for _ in range(6):
        clock.advance(HOUR / 2)
        cookies.append(len(customer.visit(everything).set_cookies))

    assert cookies == [0, 1, 0, 1, 0, 1]


def test_parallel_requests_lose_nothing(customer: Browser, clock: ManualClock) -> None:
    """Each of twenty requests of one page wants to renew; one does."""
    site, old = customer.site, customer.cookie
    clock.advance(HOUR)
    site.events.clear()
    answers = in_parallel(20, lambda n: site.visit(writes(**{f"k{n}": n}), old))
    (customer.cookie,) = [answer.cookie for answer in answers if answer.set_cookies]

    assert [answer.status for answer in answers] == [200] * 20
    assert customer.holds() == {"a": 1, **{f"k{n}": n for n in range(20)}}
    assert site.told.count("renewed") == 1
    assert "gone" not in site.told


def test_parallel_readers_of_a_renewal_have_no_events(
    customer: Browser, clock: ManualClock
) -> None:
    """Who comes second has lost nothing."""
    site, old = customer.site, customer.cookie
    clock.advance(HOUR)
    site.store.before["commit"] = lambda: site.visit(everything, old)
    site.events.clear()
    answer = site.visit(everything, old)

    assert (answer.status, answer.set_cookies, answer.value) == (200, [], {"a": 1})
    assert "gone" not in site.told


def test_a_sign_in_or_a_new_id_begins_the_time_again(customer: Browser, clock: ManualClock) -> None:
    """The id is young again, and grace is never given with a sign-in."""
    for handler in (signs_in(), Session.regenerate):
        old = customer.cookie
        clock.advance(HOUR)
        customer.visit(handler)
        assert customer.site.visit(everything, old).value == {}
        clock.advance(HOUR - 1)
        assert customer.visit(everything).set_cookies == []


def test_a_broken_store_serves_readers(customer: Browser, clock: ManualClock) -> None:
    """Nobody has asked for the renewal, so the next request tries it again."""
    clock.advance(HOUR)
    customer.site.store.broken = {"commit"}
    answer = customer.visit(everything)
    written = customer.visit(writes(b=2))
    customer.site.store.broken = set()

    assert (answer.status, answer.set_cookies, answer.value) == (200, [], {"a": 1})
    assert (written.status, written.set_cookies) == (503, [])
    assert len(customer.visit(everything).set_cookies) == 1


def test_requests_that_do_not_renew_the_id(customer: Browser, clock: ManualClock) -> None:
    """A failed request, one that any cache may keep, and one that does not use the session."""
    clock.advance(HOUR)
    public = [("Cache-Control", "public, max-age=60")]
    answers = [
        customer.visit(everything, status=500),
        customer.visit(everything, headers=public),
        customer.visit(untouched),
        customer.visit(lambda session: session.destroy()),
    ]

    assert [answer.set_cookies for answer in answers[:3]] == [[], [], []]
    assert answers[3].clears


@pytest.mark.parametrize("transport", [HeaderTransport("X-Session-Id"), URLTransport()])
def test_other_transports_keep_their_ids(
    make_site: SiteMaker, clock: ManualClock, transport: object
) -> None:
    """A program would go on with the earlier id, which then is dead."""
    site = make_site(renew_every=timedelta(hours=1), transports=[transport])
    session = site.manager.create({"a": 1})
    token = site.manager.token(session)
    site.manager.close(session)
    clock.advance(HOUR)
    head = HeadWith(token)
    for _ in range(2):
        session = site.manager.open(head)
        assert session["a"] == 1
        site.manager.close(session)
        clock.advance(2 * GRACE)


def test_a_client_with_a_cookie_and_a_header_keeps_its_id(
    make_site: SiteMaker, clock: ManualClock
) -> None:
    """Nobody knows whether the program that sets the header takes the new id."""
    transports = [CookieTransport(), HeaderTransport("X-Session-Id")]
    site = make_site(renew_every=timedelta(hours=1), transports=transports)
    session = site.manager.create({"a": 1})
    token = site.manager.token(session)
    clock.advance(HOUR)
    head = testing.a_head({"Cookie": f"session={token}", "X-Session-Id": token}, scheme="http")
    again = site.manager.open(head)
    assert again["a"] == 1

    assert site.manager.close(again) == [("Vary", "Cookie"), ("Vary", "X-Session-Id")]


class HeadWith:
    """The head of a request with a token in each place."""

    scheme, path, client, cookies = "http", "/", None, ""

    def __init__(self, token: str) -> None:
        self.query = f"wSession={token}"
        self._token = token

    def header(self, name: str) -> str | None:
        """Return the token for its header."""
        return self._token if name == "X-Session-Id" else None


def test_sessions_in_tokens_refuse_the_setting() -> None:
    """It would renew nothing."""
    (problem,) = problems(
        SessionContainer, keys=[KEY], renew_every=timedelta(hours=1), store=SignedToken()
    )

    assert "has no effect for stateless sessions" in problem


def test_a_connection_that_goes_on_keeps_its_id(customer: Browser, clock: ManualClock) -> None:
    """After the handshake of a WebSocket, no header could tell the client a new id."""
    manager = customer.site.manager
    session = manager.open(a_head(customer.cookie))
    manager.handshake(session)
    clock.advance(HOUR)
    session["b"] = 2
    manager.close(session)
    clock.advance(GRACE)

    assert customer.site.visit(everything, customer.cookie).value == {"a": 1, "b": 2}
