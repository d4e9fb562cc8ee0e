"""A broken store is a 503, and nobody is logged out: everything stays as it was."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sessions import MemoryStore, Session, SQLiteStore, StoreUnavailable
from sessions.core.limits import DEADLINE
from sessions.testing import ManualClock
from tests.support.apps import Answer, Browser, Handler, Site, everything, in_turn, writes
from tests.support.watched import WatchedStore


def login(session: Session) -> None:
    """Sign ada in."""
    session.set_user("ada")


WORK: dict[str, tuple[str, Handler]] = {
    "load": ("load", everything),
    "write": ("commit", writes(a=2)),
    "logout": ("delete", Session.destroy),
    "new id": ("commit", Session.regenerate),
    "login": ("commit", login),
    "sign out": ("commit", Session.clear_user),
}


def swallows(act: Handler) -> Handler:
    """Make a handler that ignores a failure of the store."""

    def handler(session: Session) -> None:
        with pytest.raises(StoreUnavailable):
            act(session)

    return handler


def assert_refused(answer: Answer) -> None:
    """Check that an answer is a 503 and does not change the cookie."""
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


@pytest.mark.parametrize(("call", "work"), WORK.values(), ids=WORK)
def test_a_broken_store_is_a_503(customer: Browser, call: str, work: Handler) -> None:
    """No cookie is cleared, and the session is there when the store works again."""
    customer.site.store.broken = {call}

    answer = customer.visit(work)

    assert_refused(answer)
    customer.site.store.broken = set()
    assert customer.holds() == {"a": 1}


def test_a_broken_store_refuses_a_new_session(browser: Browser) -> None:
    """The 503 has no cookie, because no record was created."""
    browser.site.store.broken = {"create"}

    assert_refused(browser.visit(writes(a=1)))


def test_an_untouched_request_does_not_notice(customer: Browser) -> None:
    """A page that does not use the session works without the store."""
    customer.site.store.broken = {"load", "create", "commit", "touch", "delete"}

    assert customer.visit(repr).status == 200


def test_a_503_to_head_has_no_body(customer: Browser) -> None:
    """The answer to HEAD has the headers of the answer to GET."""
    customer.site.store.broken = {"load"}

    answer = customer.visit(everything, method="HEAD")

    assert (answer.status, answer.body, answer.all("Retry-After")) == (503, b"", ["1"])


@pytest.mark.parametrize("what", [name for name in WORK if name != "load"])
def test_a_swallowed_failure_is_a_503_all_the_same(customer: Browser, what: str) -> None:
    """A handler cannot report a logout, a login or a save that did not happen."""
    call, work = WORK[what]
    customer.site.store.broken = {call}

    answer = customer.visit(swallows(in_turn(work, Session.save)))

    assert_refused(answer)
    customer.site.store.broken = set()
    assert customer.holds() == {"a": 1}


def test_a_store_that_is_back_does_not_hide_the_failure(customer: Browser) -> None:
    """The request that saw the failure answers 503, although the store works again."""
    customer.site.store.broken = {"delete"}

    def handler(session: Session) -> None:
        swallows(in_turn(Session.destroy, Session.save))(session)
        customer.site.store.broken = set()
        swallows(Session.save)(session)

    assert_refused(customer.visit(handler))


@pytest.mark.parametrize(
    "act",
    [
        in_turn(writes(b=2), Session.save),
        lambda session: session.increment("n"),
        lambda session: session.take("a"),
        in_turn(Session.destroy, writes(b=2), Session.save),
    ],
    ids=["save", "increment", "take", "save after a logout"],
)
def test_writes_before_a_failed_read_are_answered_as_done(customer: Browser, act: Handler) -> None:
    """A handler may ignore a failed read after its writes were saved."""

    def handler(session: Session) -> None:
        act(session)
        customer.site.store.broken = {"load"}
        swallows(Session.reload)(session)

    assert customer.visit(handler).status == 200


@pytest.mark.parametrize("is_new", [False, True])
def test_a_write_that_may_be_stored_is_not_answered_as_undone(
    customer: Browser, is_new: bool
) -> None:
    """The reply was lost and the handler removed the value again, but the store may have it."""
    browser = customer.site.browser() if is_new else customer
    browser.site.store.loses_reply = {"create", "commit"}

    def handler(session: Session) -> None:
        session["b"] = 2
        swallows(Session.save)(session)
        del session["b"]

    assert_refused(browser.visit(handler))


def test_a_failed_load_never_becomes_an_empty_session(customer: Browser) -> None:
    """Each use raises the error again, so nothing replaces the stored session."""
    customer.site.store.broken = {"load"}

    def handler(session: Session) -> None:
        for act in (everything, writes(a=2), Session.clear, Session.save, Session.regenerate):
            swallows(act)(session)

    answer = customer.visit(handler)

    assert answer.set_cookies == []
    assert customer.site.store.writes == ["create"]


def test_a_handler_may_do_without_the_session(customer: Browser) -> None:
    """The handler catches the error, and the cookie stays."""
    customer.site.store.broken = {"load"}

    answer = customer.visit(swallows(everything))

    assert (answer.status, answer.set_cookies) == (200, [])


@pytest.mark.parametrize("new_id", [Session.regenerate, login])
def test_a_login_that_cannot_be_saved_changes_nothing(customer: Browser, new_id: Handler) -> None:
    """Id, user and data are one commit, so the old id still has the old data."""
    customer.site.store.broken = {"commit"}

    answer = customer.visit(in_turn(new_id, writes(theme="dark")))

    customer.site.store.broken = set()
    assert_refused(answer)
    assert customer.visit(lambda session: (session.user_id, dict(session))).value == (
        None,
        {"a": 1},
    )


class TestLostReplies:
    """The store has made the change, but its reply was lost."""

    def test_a_login_can_be_tried_again(self, customer: Browser) -> None:
        """The answer is 503; the second try has a past id, and still signs the user in."""
        customer.site.store.loses_reply = {"commit"}
        refused = customer.visit(login)
        customer.site.store.loses_reply = set()

        answer = customer.visit(login)

        assert_refused(refused)
        assert len(answer.set_cookies) == 1
        assert customer.visit(lambda session: session.user_id).value == "ada"

    def test_a_logout_can_be_tried_again(self, customer: Browser) -> None:
        """The answer is 503, and the session has ended; the second try clears the cookie."""
        customer.site.store.loses_reply = {"delete"}
        refused = customer.visit(Session.destroy)
        customer.site.store.loses_reply = set()

        assert_refused(refused)
        assert customer.holds() == {}
        assert customer.visit(Session.destroy).status == 200

    def test_a_taken_value_is_not_returned_twice(self, customer: Browser) -> None:
        """The second try is a 503, too: it returns neither the value nor the default."""
        store = customer.site.store
        store.loses_reply = {"commit"}

        def handler(session: Session) -> None:
            swallows(lambda it: it.take("a"))(session)
            store.loses_reply = set()
            swallows(lambda it: it.take("a"))(session)

        assert_refused(customer.visit(handler))

    def test_a_first_value_leaves_no_second_record(self, browser: Browser) -> None:
        """There is one record, however often the handler saves."""
        browser.site.store.loses_reply = {"create"}
        save = swallows(in_turn(writes(a=1), Session.save))

        answer = browser.visit(in_turn(save, save))

        assert_refused(answer)
        assert browser.site.store_calls() == ["create"]


def test_a_logout_whose_next_session_cannot_be_saved_is_a_logout(customer: Browser) -> None:
    """The answer is 503 for the new data, and the old cookie is cleared."""
    customer.site.store.broken = {"create"}

    answer = customer.visit(in_turn(Session.destroy, writes(theme="dark")))

    assert answer.status == 503
    assert answer.clears


def test_a_5xx_of_the_application_is_not_replaced(customer: Browser, clock: ManualClock) -> None:
    """The application's error says more than the error of the store."""
    customer.site.store.broken = {"touch", "delete"}
    clock.advance(60)

    assert customer.visit(in_turn(everything, Session.destroy), status=502).status == 502


def test_a_full_memory_store_is_a_503(clock: ManualClock) -> None:
    """The store drops no live session to make room."""
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
    """The deadline holds for many tries; readers are served, and nothing changes."""
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    save = in_turn(writes(a=2), Session.save)

    answer = reader.visit(in_turn(*[swallows(save)] * 20))

    assert_refused(answer)
    assert time.monotonic() - began < DEADLINE
    assert reader.holds() == {"a": 1}


def test_a_bug_of_the_store_is_raised_also_where_the_request_has_failed(customer: Browser) -> None:
    """A failed request logs the errors of the store contract, and raises all other errors."""

    def fails() -> None:
        raise LookupError("a bug of the store")

    customer.site.store.before["delete"] = fails

    with pytest.raises(LookupError, match="a bug of the store"):
        customer.visit(Session.destroy, status=500)


def test_a_database_that_is_free_again_is_used_again(
    reader: Browser, other: sqlite3.Connection
) -> None:
    """The failure of one request does not affect the next."""
    other.execute("BEGIN IMMEDIATE")
    refused = reader.visit(Session.destroy)
    other.execute("ROLLBACK")

    assert_refused(refused)
    assert reader.visit(writes(b=2)).status == 200
    assert reader.holds() == {"a": 1, "b": 2}


def test_an_error_of_sqlite_is_a_503(reader: Browser, other: sqlite3.Connection) -> None:
    """SQLite's error goes to the log, and not to the client."""
    other.execute("ALTER TABLE sessions RENAME COLUMN expires_at TO moved")

    refused = reader.visit(everything)
    other.execute("ALTER TABLE sessions RENAME COLUMN moved TO expires_at")

    assert_refused(refused)
    assert reader.holds() == {"a": 1}


def test_a_dropped_table_is_made_again(reader: Browser, other: sqlite3.Connection) -> None:
    """All users are signed out, and the site works again."""
    other.execute("DROP TABLE sessions")

    dropped = reader.holds()
    reader.visit(writes(b=2))

    assert (dropped, reader.holds()) == ({}, {"b": 2})


def test_an_update_that_fails_after_a_conflict_is_a_503(customer: Browser) -> None:
    """The second try needs the new value, and the handler catches the error."""
    store = customer.site.store

    def handler(session: Session) -> None:
        assert session["a"] == 1
        customer.visit(writes(a=2))
        store.broken = {"load"}
        swallows(lambda session: session.increment("a"))(session)

    assert_refused(customer.site.visit(handler, customer.cookie))
    store.broken = set()
    assert customer.holds() == {"a": 2}
