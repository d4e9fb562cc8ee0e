"""How many calls to the store each request makes."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from sessions import Session, Store, StoreUnavailable
from sessions.core.limits import DEADLINE
from sessions.testing import ManualClock
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Browser, Handler, Site, everything, in_turn, untouched, writes
from tests.support.watched import ExpiringWatched


def append(session: Session) -> None:
    """Change a nested value."""
    session["cart"].append(1)


def login(session: Session) -> None:
    """Sign ada in."""
    session.set_user("ada")


def renew(session: Session) -> None:
    """Give the session a new id, with a grace time for the earlier id."""
    session.regenerate(grace=timedelta(seconds=30))


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a cart, with the store's calls forgotten."""
    browser.visit(writes(cart=[]))
    browser.site.store_calls().clear()
    return browser


BUDGET: dict[str, tuple[Handler, list[str]]] = {
    "untouched": (untouched, []),
    "read": (everything, ["load"]),
    "read often": (in_turn(everything, len, everything), ["load"]),
    "changed": (writes(a=1), ["load", "commit"]),
    "changed often": (in_turn(writes(a=1), append, writes(b=2, c=3)), ["load", "commit"]),
    "changed and read": (in_turn(everything, append, everything), ["load", "commit"]),
    "cleared": (Session.clear, ["load", "commit"]),
    "logout": (Session.destroy, ["delete"]),
    "logout after reading": (in_turn(everything, Session.destroy), ["load", "delete"]),
    "logout after writing": (in_turn(writes(a=1), Session.destroy), ["load", "delete"]),
    "logout and a new session": (
        in_turn(Session.destroy, writes(a=1)),
        ["delete", "create"],
    ),
    "new id": (Session.regenerate, ["load", "commit"]),
    "login": (in_turn(login, writes(theme="dark")), ["load", "commit"]),
    "login by a new id": (in_turn(Session.regenerate, writes(user="ada")), ["load", "commit"]),
    "renewal": (renew, ["load", "commit"]),
    "sign out": (Session.clear_user, ["load", "commit"]),
    "sign out after reading": (in_turn(everything, Session.clear_user), ["load", "commit"]),
    "logout, saved": (in_turn(Session.destroy, Session.save), ["delete"]),
    "increment": (lambda session: session.increment("n"), ["load", "commit"]),
    "take": (lambda session: session.take("cart"), ["load", "commit"]),
    "take of nothing": (lambda session: session.take("missing"), ["load"]),
    "reload": (in_turn(everything, Session.reload), ["load", "load"]),
}
VISITOR: dict[str, tuple[Handler, list[str]]] = {
    "untouched": (untouched, []),
    "read": (everything, []),
    "new": (writes(a=1), ["create"]),
    "new, saved": (in_turn(writes(a=1), Session.save), ["create"]),
    "new id": (in_turn(Session.regenerate, writes(a=1)), ["create"]),
    "login": (in_turn(login, writes(theme="dark")), ["create"]),
    "increment": (lambda session: session.increment("n"), ["create"]),
    "logout": (Session.destroy, []),
    "sign out": (Session.clear_user, []),
}


@pytest.mark.parametrize(("handler", "calls"), BUDGET.values(), ids=BUDGET)
def test_the_budget_of_a_session(customer: Browser, handler: Handler, calls: list[str]) -> None:
    """Untouched 0, read 1, changed 2, login 2, logout 1 (plus the load if it was read)."""
    customer.visit(handler)

    assert customer.site.store_calls() == calls


@pytest.mark.parametrize(("handler", "calls"), VISITOR.values(), ids=VISITOR)
def test_the_budget_of_a_visitor(browser: Browser, handler: Handler, calls: list[str]) -> None:
    """A new session costs one call, and a visitor without data costs none."""
    browser.visit(handler)

    assert browser.site.store_calls() == calls


@pytest.mark.parametrize(("handler", "calls"), BUDGET.values(), ids=BUDGET)
def test_listeners_cost_no_call(
    store: Store, clock: ManualClock, handler: Handler, calls: list[str]
) -> None:
    """A store that gives out its expired records is asked for them only if no session is live."""
    site = Site(ExpiringWatched(store), clock, listeners=[lambda event: None])
    browser = site.browser()
    browser.visit(writes(cart=[]))
    site.store_calls().clear()

    browser.visit(handler)

    assert site.store_calls() == calls


@pytest.mark.parametrize(("handler", "calls"), BUDGET.values(), ids=BUDGET)
def test_the_touch_is_throttled(
    customer: Browser, clock: ManualClock, handler: Handler, calls: list[str]
) -> None:
    """If a touch is due, a read costs one more call; a write already stores the times."""
    clock.advance(60)
    reads_only = calls in (["load"], ["load", "load"])

    customer.visit(handler)
    customer.visit(handler)

    assert customer.site.store_calls().count("touch") == int(reads_only)


def test_the_budget_of_a_login_that_is_saved_early(customer: Browser) -> None:
    """It costs one more touch, to send the cookie only if the session has not ended since."""
    customer.visit(in_turn(login, Session.save))

    assert customer.site.store_calls() == ["load", "commit", "touch"]


@pytest.mark.parametrize("status", [500, 503])
def test_the_budget_of_a_failure(customer: Browser, status: int) -> None:
    """A failed request costs only its load."""
    customer.visit(in_turn(writes(a=1), append), status=status)

    assert customer.site.store_calls() == ["load"]


def test_the_budget_of_a_rolling_session(make_site: SiteMaker) -> None:
    """Each response costs one load, and one touch or one commit."""
    site = make_site(rolling=True)
    browser = site.browser()
    browser.visit(writes(a=1))

    calls: list[list[str]] = []
    for handler in (untouched, everything, writes(b=2)):
        site.store_calls().clear()
        browser.visit(handler)
        calls.append([*site.store_calls()])

    assert calls == [["load", "touch"], ["load", "touch"], ["load", "commit"]]


def test_a_visitor_of_a_rolling_site_costs_nothing(make_site: SiteMaker) -> None:
    """A visitor has no session that could be renewed."""
    browser = make_site(rolling=True).browser()

    answer = browser.visit(untouched)

    assert (answer.set_cookies, browser.site.store_calls()) == ([], [])


def test_after_a_failure_the_store_is_not_asked_again(customer: Browser) -> None:
    """After one failed call, the request does not ask the store again."""
    customer.site.store.broken = {"load"}

    def handler(session: Session) -> None:
        for _ in range(5):
            with pytest.raises(StoreUnavailable):
                session.get("cart")

    customer.visit(handler)

    assert customer.site.store_calls() == ["load"]


def test_a_request_waits_for_its_store_one_second_in_all(
    customer: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow store is not asked again after the deadline of the request."""
    stopwatch = ManualClock(began := 1000.0)
    monkeypatch.setattr("sessions.core.driving.monotonic", stopwatch)
    slow: dict[str, Callable[[], object]] = {"load": lambda: stopwatch.advance(0.35)}

    def handler(session: Session) -> None:
        for _ in range(9):
            customer.site.store.before = dict(slow)
            session.reload()

    answer = customer.visit(handler)

    assert answer.status == 503
    assert stopwatch() - began <= DEADLINE
