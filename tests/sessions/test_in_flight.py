"""Another request or thread changes the session while a handler has it."""

from datetime import timedelta
from typing import Any

import pytest

from sessions import Session, SessionNotFound
from sessions.testing import ManualClock, in_parallel
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Answer, Browser, Handler, everything, in_turn, untouched, writes

MINUTE, DAY = 60.0, 86400.0

SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "rolling": {"rolling": True},
    "resave": {"resave": True},
    "save_uninitialized": {"save_uninitialized": True},
}
IN_FLIGHT: dict[str, Handler] = {
    "untouched": untouched,
    "reader": everything,
    "writer": writes(late=True),
    "own timeout": lambda session: setattr(session, "timeout", timedelta(days=3)),
    "saved": in_turn(writes(late=True), Session.save),
    "saved own timeout": in_turn(
        lambda session: setattr(session, "timeout", timedelta(days=3)), Session.save
    ),
}


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a value, with the store's calls forgotten."""
    browser.visit(writes(a=1))
    browser.site.store_calls().clear()
    return browser


def visit_during(browser: Browser, handler: Handler, meanwhile: Handler) -> tuple[Answer, Answer]:
    """Send a request inside the handler of another; return the late answer and the quick one."""
    answers: list[Answer] = []

    def slow(session: Session) -> object:
        value = handler(session)
        answers.append(browser.site.visit(meanwhile, browser.cookie))
        return value

    late = browser.site.visit(slow, browser.cookie)
    return late, answers[0]


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("handler", IN_FLIGHT.values(), ids=IN_FLIGHT)
def test_no_setting_brings_an_ended_session_back(
    make_site: SiteMaker, settings: dict[str, Any], handler: Handler
) -> None:
    """Settings that save or send a cookie with every response do not do so here."""
    browser = make_site(**settings).browser()
    browser.visit(writes(a=1))

    late, _ = visit_during(browser, handler, Session.destroy)

    sent = [cookie.partition(";")[0] for cookie in late.set_cookies]
    assert browser.cookie not in sent
    assert late.clears is False
    assert browser.site.visit(everything, browser.cookie).value == {}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_an_error_page_brings_no_ended_session_back_either(
    make_site: SiteMaker, settings: dict[str, Any]
) -> None:
    """Values that were saved before the error belong to an ended session."""
    browser = make_site(**settings).browser()
    browser.visit(writes(a=1))

    def slow(session: Session) -> None:
        session.timeout = timedelta(days=3)
        session.save()
        browser.site.visit(Session.destroy, browser.cookie)

    assert browser.site.visit(slow, browser.cookie, status=500).set_cookies == []


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("handler", [everything, writes(late=True)], ids=["reader", "writer"])
def test_no_setting_replaces_a_new_id(
    make_site: SiteMaker, settings: dict[str, Any], handler: Handler
) -> None:
    """The late answer with the old id sends no cookie."""
    browser = make_site(**settings).browser()
    browser.visit(writes(a=1))

    late, login = visit_during(browser, handler, Session.regenerate)

    assert late.set_cookies == []
    assert browser.site.visit(everything, login.cookie).value == {"a": 1}


def test_a_lost_new_id_is_not_tried_again(customer: Browser) -> None:
    """The request learns that its id is past, and asks the store no more."""
    late = in_turn(everything, lambda session: setattr(session, "timeout", timedelta(days=3)))

    def handler(session: Session) -> None:
        late(session)
        customer.visit(Session.regenerate)
        customer.site.store_calls().clear()
        session.regenerate()
        session.regenerate()
        with pytest.raises(SessionNotFound, match="another request"):
            session.save()
        session["later"] = 1

    answer = customer.site.visit(handler, customer.cookie)

    assert answer.set_cookies == []
    assert customer.site.store_calls() == ["commit"]
    assert customer.site.told == ["created", "regenerated", "gone"]


def test_a_sign_in_that_comes_too_late_keeps_its_own_timeout(customer: Browser) -> None:
    """Its fresh session has the timeout that the request has set."""

    def handler(session: Session) -> None:
        session.timeout = timedelta(days=3)
        session.set_user("ada")
        customer.site.manager.delete(session.id)

    answer = customer.visit(handler)

    assert answer.attributes["max-age"] == f"{3 * DAY:.0f}"
    assert customer.visit(lambda session: session.user_id).value == "ada"


def test_writes_after_a_late_logout_go_to_a_new_session(customer: Browser) -> None:
    """Later writes belong to a new session."""

    def handler(session: Session) -> None:
        customer.site.manager.delete(session.id)
        with pytest.raises(SessionNotFound):
            session.increment("n")
        session.destroy()
        session["b"] = 2

    customer.visit(handler)

    assert customer.holds() == {"b": 2}


def test_a_dropped_write_costs_one_call(customer: Browser) -> None:
    """The failed commit is not tried again, and save() raises an error each time."""

    def handler(session: Session) -> None:
        session["late"] = 0
        customer.site.manager.delete(session.id)
        for late in (1, 2):
            session["late"] = late
            with pytest.raises(SessionNotFound):
                session.save()

    customer.visit(handler)

    assert customer.site.store_calls() == ["load", "delete", "commit"]
    assert customer.site.told.count("gone") == 1


def test_a_logout_within_a_lost_session_is_a_logout(customer: Browser, clock: ManualClock) -> None:
    """The cookie is cleared by the request that ended the session, or else by this one."""
    late, first = visit_during(customer, in_turn(writes(late=1)), Session.destroy)
    again = customer.visit(Session.destroy)
    clock.advance(MINUTE)
    much_later = customer.visit(Session.destroy)

    assert late.set_cookies == []
    assert [first.clears, again.set_cookies, much_later.clears] == [True, [], True]


@pytest.mark.parametrize("handler", [everything, writes(late=True)], ids=["reader", "writer"])
def test_expiry_between_load_and_commit(
    customer: Browser, clock: ManualClock, handler: Handler
) -> None:
    """The write is dropped, no cookie is sent, and no new session gets the data."""

    def slow(session: Session) -> None:
        handler(session)
        clock.advance(DAY)

    before = customer.cookie
    answer = customer.visit(slow)

    assert (answer.status, answer.set_cookies) == (200, [])
    assert customer.holds() == {}
    customer.visit(writes(b=2))
    assert customer.holds() == {"b": 2}
    assert customer.cookie != before


def test_a_slow_request_keeps_anothers_timeout(customer: Browser, clock: ManualClock) -> None:
    """The slow request loaded the old timeout, and must not end the session earlier."""
    for handler in (everything, writes(b=2)):
        clock.advance(60)
        visit_during(customer, handler, IN_FLIGHT["own timeout"])
        clock.advance(2 * DAY)

        assert customer.holds()["a"] == 1


def test_threads_of_one_request_share_one_load(customer: Browser) -> None:
    """There is one load, however many threads read first."""

    def handler(session: Session) -> list[Any]:
        return in_parallel(8, lambda n: session["a"])

    assert customer.visit(handler).value == [1] * 8
    assert customer.site.store_calls() == ["load"]


def test_threads_of_one_request_lose_no_write(customer: Browser) -> None:
    """Each thread sets and removes its own keys, and one commit has all changes."""

    def work(session: Session, n: int) -> None:
        for turn in range(50):
            session[f"kept {n}"] = turn
            session[f"gone {n}"] = turn
            del session[f"gone {n}"]

    customer.visit(lambda session: in_parallel(8, lambda n: work(session, n)))

    assert customer.holds() == {"a": 1, **{f"kept {n}": 49 for n in range(8)}}
    assert customer.site.store.writes == ["commit"]


def test_threads_of_one_request_see_one_id(browser: Browser) -> None:
    """This holds also for a new session, and if all threads save."""

    def work(session: Session, n: int) -> str:
        before = session.id
        session[f"k{n}"] = n
        session.save()
        return before

    answer = browser.visit(lambda session: in_parallel(8, lambda n: work(session, n)))

    assert len(set(answer.value)) == 1
    assert browser.site.store_calls().count("create") == 1
    assert browser.holds() == {f"k{n}": n for n in range(8)}


def test_threads_of_one_request_write_while_others_save(customer: Browser) -> None:
    """A commit has the changes from before its beginning, and no thread fails."""

    def work(session: Session, n: int) -> None:
        for turn in range(200):
            session[f"k{n}.{turn}"] = turn
            if n == 0:
                session.save()

    customer.visit(lambda session: in_parallel(4, lambda n: work(session, n)))

    assert len(customer.holds()) == 1 + 4 * 200


def test_threads_of_one_request_end_it_once(customer: Browser) -> None:
    """The verbs of the threads run one after the other."""
    acts = [Session.regenerate, Session.destroy] * 4

    answer = customer.visit(lambda session: in_parallel(8, lambda n: acts[n](session)))

    assert answer.clears
    assert customer.holds() == {}
