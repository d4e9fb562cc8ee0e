"""The promises of sessions over ASGI, for stores in memory, in threads and on the event loop."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sessions import AsyncSession, Record, SessionNotLoaded
from sessions.testing import ManualClock
from tests.sessions.asgi.site import (
    AsgiBrowser,
    AsgiSite,
    SiteMaker,
    leaves_alone,
    load_everything,
    load_handle,
    reads,
    sets,
)
from tests.support.apps import Answer


@pytest.fixture(params=["eager", "on_demand"])
def site(make_site: SiteMaker, request: pytest.FixtureRequest) -> AsgiSite:
    """Return a site with the default settings, with each way of loading in turn."""
    return make_site(load=request.param)


def assert_silent(answer: Answer) -> None:
    """Check that an answer has no header of the session."""
    assert answer.set_cookies == []
    assert answer.all("Vary") == []
    assert answer.all("Cache-Control") == []


# Creation and laziness


def test_the_first_write_makes_one_record_and_one_cookie(site: AsgiSite) -> None:
    """The answer has the headers that stop caches from keeping it."""
    answer = site.browser().visit(sets(a=1))

    assert len(answer.set_cookies) == 1
    assert answer.all("Vary") == ["Cookie"]
    assert answer.all("Cache-Control") == ["no-store"]
    assert site.store.calls == ["create"]


def test_an_untouched_request_of_a_visitor_costs_nothing(site: AsgiSite) -> None:
    """There is no store call, no cookie and no Vary."""
    answer = site.visit(leaves_alone)

    assert_silent(answer)
    assert site.store.calls == []


def test_an_eager_load_without_use_sends_no_header(
    customer: AsgiBrowser, clock: ManualClock
) -> None:
    """An eager load is no touch: neither Vary nor an expiry write, also when that is due."""
    clock.advance(3600)

    answer = customer.visit(leaves_alone)

    assert_silent(answer)
    assert customer.site.store.writes == []


def test_loading_on_demand_asks_no_store_for_an_untouched_request(make_site: SiteMaker) -> None:
    """This holds also for a client that has a session."""
    site = make_site(load="on_demand")
    cookie = site.visit(sets(a=1)).cookie
    site.store.calls.clear()

    site.visit(leaves_alone, cookie)

    assert site.store.calls == []


def test_a_visitor_who_reads_gets_no_session(site: AsgiSite) -> None:
    """The answer depends on the cookie, and nothing is stored."""
    answer = site.visit(reads)

    assert answer.set_cookies == []
    assert answer.all("Vary") == ["Cookie"]
    assert site.store.calls == []


def test_a_session_that_is_emptied_again_is_not_stored(site: AsgiSite) -> None:
    """The first request wrote a value and removed it again."""

    async def fickle(session: AsyncSession) -> None:
        await session.load()
        session["a"] = 1
        del session["a"]

    answer = site.visit(fickle)

    assert answer.set_cookies == []
    assert site.store.calls == []


def test_a_use_before_loading_names_the_remedy(make_site: SiteMaker) -> None:
    """With loading on demand, `await session.load()` must come first."""
    site = make_site(load="on_demand")

    with pytest.raises(SessionNotLoaded, match=r"await session\.load\(\)"):
        site.visit(lambda session: session.get("a"))


def test_a_forged_cookie_is_not_looked_up(site: AsgiSite) -> None:
    """The store is not asked, and a write begins a session of our own."""
    forged = "session=" + "x" * 65 + "." + "y" * 43

    answer = site.visit(sets(a=1), forged)

    assert site.store.calls == ["create"]
    assert answer.cookie != forged
    assert site.told == ["rejected", "created"]


# Reading back and changing


@pytest.mark.parametrize("value", [[1, {"b": "ż"}], 'a;b"c\0', 2**70], ids=["nested", "odd", "big"])
def test_a_value_is_there_in_the_next_request(site: AsgiSite, value: object) -> None:
    """The value is equal and has the same type."""
    browser = site.browser()

    browser.visit(sets(a=value))

    assert browser.visit(reads).value == value


def test_reading_writes_nothing(customer: AsgiBrowser) -> None:
    """A read costs one load, and sends no cookie."""
    answer = customer.visit(reads)

    assert (answer.value, answer.set_cookies) == (1, [])
    assert customer.site.store.calls == ["load"]


def test_reading_notes_the_use_now_and_then(customer: AsgiBrowser, clock: ManualClock) -> None:
    """So the session of an active user does not expire."""
    clock.advance(60)

    customer.visit(reads)

    assert customer.site.store.calls == ["load", "touch"]


def test_a_touch_that_fails_does_not_fail_the_page(
    customer: AsgiBrowser, clock: ManualClock
) -> None:
    """The failure is logged, and the next request tries again."""
    customer.site.store.broken = {"touch"}
    clock.advance(60)

    answer = customer.visit(reads)

    assert (answer.status, answer.value) == (200, 1)
    assert customer.site.told == ["store_failed"]


def test_a_nested_change_is_saved_without_a_flag(site: AsgiSite) -> None:
    """Appending to a list in the session is enough."""
    browser = site.browser()
    browser.visit(sets(cart=["tea"]))

    async def appends(session: AsyncSession) -> None:
        await session.load()
        session["cart"].append("milk")

    browser.visit(appends)

    assert browser.holds() == {"cart": ["tea", "milk"]}


def test_save_and_the_end_of_the_request_write_once(customer: AsgiBrowser) -> None:
    """After save() without a later change, the end of the request writes nothing."""

    async def saves(session: AsyncSession) -> None:
        await session.load()
        session["b"] = 2
        await session.save()

    customer.visit(saves)

    assert customer.site.store.calls == ["load", "commit"]
    assert customer.holds() == {"a": 1, "b": 2}


def test_a_value_that_cannot_be_saved_is_the_applications_error(customer: AsgiBrowser) -> None:
    """The error names the key, and the stored values stay."""
    with pytest.raises(TypeError, match=r"session\['b'\] cannot be saved"):
        customer.visit(sets(b=object()))

    assert customer.holds() == {"a": 1}


@pytest.mark.parametrize("status", [200, 204, 302, 304, 404, 422])
def test_an_answer_below_500_keeps_the_changes(customer: AsgiBrowser, status: int) -> None:
    """A login throttle can count its answers of 4xx."""
    customer.visit(sets(b=2), status=status)

    assert customer.holds() == {"a": 1, "b": 2}


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_failure_discards_the_changes(customer: AsgiBrowser, status: int) -> None:
    """The application's answer is sent unchanged."""
    answer = customer.visit(sets(a=2), status=status)

    assert (answer.status, answer.body) == (status, b"answered")
    assert customer.holds() == {"a": 1}


def test_a_failure_gives_a_visitor_no_cookie(site: AsgiSite) -> None:
    """The failed request created no record."""
    answer = site.visit(sets(a=1), status=500)

    assert answer.set_cookies == []
    assert site.store.calls == []


def test_an_exception_discards_the_changes(customer: AsgiBrowser) -> None:
    """The middleware raises the same exception again."""

    async def fails(session: AsyncSession) -> None:
        await session.load()
        session["a"] = 2
        raise LookupError("of the application")

    with pytest.raises(LookupError, match="of the application"):
        customer.visit(fails)

    assert customer.holds() == {"a": 1}


def test_a_request_to_head_follows_the_rules_of_get(site: AsgiSite) -> None:
    """HEAD saves the session and sends the cookie."""
    browser = site.browser()

    answer = browser.visit(sets(a=1), method="HEAD")

    assert (answer.body, len(answer.set_cookies)) == (b"", 1)
    assert browser.holds() == {"a": 1}


# Expiry and settings


def test_an_expired_session_is_a_fresh_one(customer: AsgiBrowser, clock: ManualClock) -> None:
    """The session is over exactly at its expiry."""
    clock.advance(timedelta(hours=24))

    assert customer.holds() == {}


def test_rolling_renews_the_cookie_with_every_answer(make_site: SiteMaker) -> None:
    """A request that does not use the session renews the cookie, too."""
    browser = make_site(rolling=True).browser()
    browser.visit(sets(a=1))

    answer = browser.visit(leaves_alone)

    assert len(answer.set_cookies) == 1


def test_an_uninitialized_session_is_saved_where_that_is_wished(make_site: SiteMaker) -> None:
    """With save_uninitialized, each visitor gets a session."""
    site = make_site(save_uninitialized=True)

    answer = site.visit(leaves_alone)

    assert len(answer.set_cookies) == 1
    assert site.store.calls == ["create"]


def test_a_damaged_record_is_a_fresh_session(customer: AsgiBrowser) -> None:
    """A damaged record causes an event, and never a 500."""
    store = customer.site.store
    handle = customer.visit(load_handle).value
    record = store.load(handle)
    assert isinstance(record, Record)
    store.delete(handle)
    store.create(handle, replace(record, values={"a": b"\xc1"}))

    assert customer.holds() == {}
    assert "unreadable" in customer.site.told


# Beside and in requests


def test_a_session_of_the_manager_works_beside_requests(customer: AsgiBrowser) -> None:
    """A background task gets the session by its id."""
    manager = customer.site.manager

    async def job(session: AsyncSession) -> str:
        await session.load()
        return session.id

    async def work(id: str) -> None:
        async with manager.get(id) as session:
            session["b"] = 2

    seen = customer.visit(job).value
    customer.site.run(work(seen))

    assert customer.holds() == {"a": 1, "b": 2}


def test_the_whole_session_is_loaded_by_its_handler(customer: AsgiBrowser) -> None:
    """A request needs one load for all values."""
    assert customer.visit(load_everything).value == {"a": 1}
    assert customer.site.store.calls == ["load"]
