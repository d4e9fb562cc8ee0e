"""A broken store is an error, not a logout: 503, and everything stays as it was."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sessions import MemoryStore, Session, SQLiteStore, StoreUnavailable
from sessions.calls import DEADLINE
from sessions.testing import ManualClock
from tests.sessions.apps import Answer, Browser, Handler, Site, everything, in_turn, writes
from tests.sessions.watched import WatchedStore

WORK: dict[str, Handler] = {
    "load": everything,
    "commit": writes(a=2),
    "delete": Session.destroy,
    "rename": Session.regenerate,
}


def swallows(act: Handler) -> Handler:
    """Make a handler that hides the failure of what it does."""

    def handler(session: Session) -> None:
        with pytest.raises(StoreUnavailable):
            act(session)

    return handler


def assert_refused(answer: Answer) -> None:
    """Hold an answer to be a 503 that takes nothing away."""
    assert answer.status == 503
    assert answer.all("Retry-After") == ["1"]
    assert answer.all("Vary") == ["Cookie"]
    assert answer.set_cookies == []
    assert answer.body == b"Service Unavailable\n"


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a value."""
    browser.visit(writes(a=1))
    return browser


@pytest.mark.parametrize("call", WORK)
def test_s56_a_broken_store_is_a_503(customer: Browser, call: str) -> None:
    """No anonymous user, no cleared cookie; once the store is back, so is the session."""
    customer.site.store.broken = {call}

    answer = customer.visit(WORK[call])

    assert_refused(answer)
    customer.site.store.broken = set()
    assert customer.holds() == {"a": 1}


def test_s56_a_broken_store_refuses_a_new_session(browser: Browser) -> None:
    """No cookie for a record that was never made."""
    browser.site.store.broken = {"create"}

    assert_refused(browser.visit(writes(a=1)))


def test_a_touch_that_fails_is_a_503(customer: Browser, clock: ManualClock) -> None:
    """The session would end although its user is there."""
    customer.site.store.broken = {"touch"}
    clock.advance(60)

    assert_refused(customer.visit(everything))


def test_an_untouched_request_does_not_notice(customer: Browser) -> None:
    """Where the session is not used the store may be down."""
    customer.site.store.broken = {*WORK, "touch", "create"}

    assert customer.visit(repr).status == 200


def test_a_503_to_head_has_no_body(customer: Browser) -> None:
    """But the headers of a GET."""
    customer.site.store.broken = {"load"}

    answer = customer.visit(everything, method="HEAD")

    assert (answer.status, answer.body, answer.all("Retry-After")) == (503, b"", ["1"])


@pytest.mark.parametrize("call", ["commit", "delete", "rename"])
def test_s56_a_swallowed_failure_is_a_503_all_the_same(customer: Browser, call: str) -> None:
    """A handler cannot report a logout, a login or a save that did not happen."""
    customer.site.store.broken = {call}

    answer = customer.visit(swallows(in_turn(WORK[call], Session.save)))

    assert_refused(answer)
    customer.site.store.broken = set()
    assert customer.holds() == {"a": 1}


def test_s56_a_store_that_is_back_does_not_hide_the_failure(customer: Browser) -> None:
    """The request in which it failed answers 503, also for what it does afterwards."""
    customer.site.store.broken = {"delete"}

    def handler(session: Session) -> None:
        swallows(Session.destroy)(session)
        customer.site.store.broken = set()
        swallows(everything)(session)

    assert_refused(customer.visit(handler))


def test_a_failed_load_never_becomes_an_empty_session(customer: Browser) -> None:
    """Each use in the request raises again: nothing is saved over a session that was not seen."""
    customer.site.store.broken = {"load"}

    def handler(session: Session) -> None:
        for act in (everything, writes(a=2), Session.clear, Session.save, Session.regenerate):
            swallows(act)(session)

    answer = customer.visit(handler)

    assert answer.set_cookies == []
    assert customer.site.store.writes == ["create"]


def test_a_handler_may_do_without_the_session(customer: Browser) -> None:
    """It says so by catching the error; the cookie stays."""
    customer.site.store.broken = {"load"}

    answer = customer.visit(swallows(everything))

    assert (answer.status, answer.set_cookies) == (200, [])


def test_a_login_whose_data_cannot_be_saved_brings_the_new_id(customer: Browser) -> None:
    """The old id is dead already; the 503 must not log the user out."""
    customer.site.store.broken = {"commit"}

    answer = customer.visit(in_turn(Session.regenerate, writes(user="ada")))

    customer.site.store.broken = set()
    assert answer.status == 503
    assert len(answer.set_cookies) == 1
    assert customer.holds() == {"a": 1}


def test_a_logout_whose_next_session_cannot_be_saved_is_a_logout(customer: Browser) -> None:
    """503 for the new data, and the cookie of the ended session is cleared."""
    customer.site.store.broken = {"create"}

    answer = customer.visit(in_turn(Session.destroy, writes(theme="dark")))

    assert answer.status == 503
    assert answer.clears


def test_a_5xx_of_the_application_is_not_replaced(customer: Browser, clock: ManualClock) -> None:
    """Its own error tells more than that the touch failed too."""
    customer.site.store.broken = {"touch"}
    clock.advance(60)

    assert customer.visit(everything, status=502).status == 502


def test_a_full_memory_store_is_a_503(clock: ManualClock) -> None:
    """It drops no live session to make room."""
    site = Site(WatchedStore(MemoryStore(max_sessions=1, clock=clock)), clock)
    first = site.browser()
    first.visit(writes(a=1))

    assert_refused(site.visit(writes(b=2)))
    assert first.holds() == {"a": 1}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database goes."""
    return tmp_path / "locked.db"


@pytest.fixture
def reader(path: Path, clock: ManualClock) -> Browser:
    """Return a browser with a session in a SQLite file."""
    browser = Site(WatchedStore(SQLiteStore(path, clock=clock)), clock).browser()
    browser.visit(writes(a=1))
    return browser


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """Return another program's connection to the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def test_a_locked_database_is_a_503_within_the_deadline(
    reader: Browser, other: sqlite3.Connection
) -> None:
    """However often the handler tries; readers are served, and the old state is intact."""
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    save = in_turn(writes(a=2), Session.save)

    answer = reader.visit(in_turn(*[swallows(save)] * 20))

    assert_refused(answer)
    assert time.monotonic() - began < DEADLINE
    assert reader.holds() == {"a": 1}


def test_a_database_that_is_free_again_is_used_again(
    reader: Browser, other: sqlite3.Connection
) -> None:
    """A failure concerns one request."""
    other.execute("BEGIN IMMEDIATE")
    refused = reader.visit(Session.destroy)
    other.execute("ROLLBACK")

    assert_refused(refused)
    assert reader.visit(writes(b=2)).status == 200
    assert reader.holds() == {"a": 1, "b": 2}


def test_a_database_without_its_tables_is_a_503(reader: Browser, other: sqlite3.Connection) -> None:
    """What SQLite says of it goes into the log, not to the client."""
    other.execute("ALTER TABLE sessions RENAME TO moved")

    refused = reader.visit(everything)
    other.execute("ALTER TABLE moved RENAME TO sessions")

    assert_refused(refused)
    assert reader.holds() == {"a": 1}
