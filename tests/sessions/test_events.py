"""The events of sessions; no event and no log line shows an id."""

import logging
import re
from pathlib import Path

import pytest

from sessions import (
    CookieSettings,
    Session,
    SessionEvent,
    SessionNotFound,
    SQLiteStore,
    StoreUnavailable,
)
from sessions.core.ids import read_id
from sessions.core.signing import IdSigner
from sessions.testing import ManualClock
from tests.sessions.conftest import SiteMaker
from tests.support.apps import KEY, Browser, Site, everything, in_turn, untouched, writes
from tests.support.ids import an_id
from tests.support.watched import WatchedStore

SIGNER = IdSigner([KEY], purpose="session id:session")


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser with a session; the event of its creation is already forgotten."""
    browser.visit(writes(a=1))
    browser.site.events.clear()
    return browser


def test_a_first_write_has_an_event(browser: Browser) -> None:
    """The event comes once, however much is written."""
    browser.visit(in_turn(writes(a=1), Session.save, writes(b=2)))

    assert browser.site.told == ["created"]


def test_use_has_no_event(customer: Browser, clock: ManualClock) -> None:
    """Reads, writes, touches and unused sessions cause no event."""
    for act in (untouched, everything, writes(b=2)):
        clock.advance(60)
        customer.visit(act)

    assert customer.site.told == []


def test_login_and_logout_have_events(customer: Browser) -> None:
    """Each of them has an event of its own name."""
    customer.visit(Session.regenerate)
    customer.visit(Session.destroy)

    assert customer.site.told == ["regenerated", "destroyed"]


def test_logout_without_a_session_has_no_event(browser: Browser) -> None:
    """There is no event, because no session ended."""
    browser.visit(Session.destroy)

    assert browser.site.told == []


def test_a_dropped_write_is_reported(customer: Browser, caplog: pytest.LogCaptureFixture) -> None:
    """An event says that the session ended while the request ran."""
    caplog.set_level(logging.INFO, "sessions")

    def handler(session: Session) -> None:
        session["b"] = 2
        customer.site.manager.delete(session.id)

    customer.visit(handler)

    assert customer.site.told == ["destroyed", "gone"]
    assert [record.getMessage()[:13] for record in caplog.records] == ["session gone:"]


def test_events_before_a_failed_close_are_sent(customer: Browser) -> None:
    """The events come also if no code closes the session again."""
    manager = customer.site.manager
    session = manager.get(customer.visit(lambda session: session.id).value)
    session.destroy()
    session["b"] = 2
    customer.site.store.broken = {"create"}

    with pytest.raises(StoreUnavailable):
        manager.close(session)

    assert customer.site.told == ["destroyed", "store_failed"]


def test_a_foreign_token_has_an_event(site: Site) -> None:
    """The event comes when the session is used, once in a request."""
    site.visit(untouched, "session=forged")
    site.visit(in_turn(everything, everything), "session=forged")

    assert site.told == ["rejected"]


def test_tokens_of_other_keys_that_keep_coming_are_a_warning(
    make_site: SiteMaker, caplog: pytest.LogCaptureFixture
) -> None:
    """The log warns once and names the likely cause; cookies of another form do not count."""
    other = "another key of the tests, 32 bytes and more"
    ours, theirs = make_site(), make_site(keys=[other])
    caplog.set_level("WARNING", "sessions")
    for _ in range(50):
        ours.visit(everything, "session=nonsense")
    for number in range(10):
        assert len(caplog.records) == (number > 2)
        ours.visit(everything, theirs.visit(writes(a=1)).cookie)

    assert "Fix: give all workers the same keys" in caplog.text


def test_two_live_sessions_have_an_event(customer: Browser) -> None:
    """An event tells of two live sessions, and neither of them is used."""
    site = customer.site
    other = site.visit(writes(a=2)).cookie
    site.events.clear()
    site.store_calls().clear()

    answer = site.visit(everything, f"{customer.cookie}; {other}")

    assert (site.told, answer.value, answer.set_cookies) == (["ambiguous"], {}, [])
    assert site.store.writes == []


def test_two_valid_ids_without_sessions_are_not_logged(site: Site) -> None:
    """Old cookies are everyday life, and neither of them counts."""
    both = f"session={SIGNER.sign(an_id())}; session={SIGNER.sign(an_id())}"

    answer = site.visit(everything, both)

    assert (site.told, answer.value, answer.set_cookies) == ([], {}, [])


def test_a_secure_cookie_over_plain_http_has_an_event(make_site: SiteMaker) -> None:
    """Nothing is stored, for the client could not come back."""
    site = make_site(cookie=CookieSettings(secure=True))

    answer = site.visit(in_turn(writes(a=1), Session.save, writes(b=1), Session.save))

    assert (site.told, answer.set_cookies, site.store_calls()) == (["insecure"], [], [])


def test_a_failing_listener_does_not_disturb_others(
    make_site: SiteMaker, caplog: pytest.LogCaptureFixture
) -> None:
    """The request goes on, the other listeners are told, the failure is logged."""
    told: list[SessionEvent] = []

    def fails(event: SessionEvent) -> None:
        raise LookupError("a bug of the listener")

    browser = make_site(listeners=[fails, told.append]).browser()
    browser.visit(writes(a=1))

    assert browser.holds() == {"a": 1}
    assert [event.kind for event in told] == ["created", "loaded"]
    assert "a bug of the listener" in caplog.text


def test_no_event_and_no_log_line_shows_an_id(
    site: Site, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """No event, log line, repr or message has an id, whatever happens."""
    caplog.set_level(logging.DEBUG)
    browser = site.browser()
    secrets: set[str] = set()
    texts: list[str] = []

    def look(session: Session) -> None:
        secrets.update({session.id, read_id(session.id).secret, site.manager.token(session)})
        texts.extend([repr(session), f"{session}", repr(session.items())])

    def is_ended(session: Session) -> None:
        site.manager.delete(session.id)
        clock.advance(60)
        for act in (session.reload, lambda: site.manager.get(session.id)):
            with pytest.raises(SessionNotFound) as error:
                act()
            texts.append(repr(error.value))

    def is_ambiguous(session: Session) -> None:
        site.visit(everything, f"{browser.cookie}; {site.visit(writes(a=2)).cookie}")

    for act in (writes(a=1), look, Session.regenerate, look, is_ambiguous, is_ended, writes(b=1)):
        browser.visit(act)
        secrets.add(browser.cookie.partition("=")[2])
    browser.visit(in_turn(look, Session.destroy))
    site.store.broken = {"load"}
    browser.visit(everything)
    texts.extend(map(repr, [*site.events, site.manager, site.container, site.store]))

    told = "\n".join([caplog.text, *texts])
    assert len(secrets) > 6
    assert {"ambiguous", "regenerated", "gone", "destroyed"} <= {*site.told}
    assert [secret for secret in secrets if secret in told] == []
    assert KEY not in told


def test_the_store_sees_hashes_only(customer: Browser) -> None:
    """The store gets 64 hexadecimal digits and never an id; the key of a session never changes."""
    for act in (writes(b=1), Session.regenerate, everything, Session.destroy):
        customer.visit(act)

    assert len(customer.site.store.keys) == 1
    assert all(re.fullmatch(r"[0-9a-f]{64}", key) for key in customer.site.store.keys)


def test_the_database_holds_no_id(tmp_path: Path, clock: ManualClock) -> None:
    """A copy of the file is not enough to take over a session."""
    store = SQLiteStore(tmp_path / "sessions.db", clock=clock)
    browser = Site(WatchedStore(store), clock).browser()
    session_id = browser.visit(lambda s: (s.update(a=1), s.id)).value[1]

    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())

    assert read_id(session_id).key.encode() in written
    assert read_id(session_id).secret.encode() in written
    assert session_id.encode() not in written
    assert browser.cookie.rpartition(".")[2].encode() not in written


def test_a_failed_commit_has_no_event_of_a_failed_touch(
    customer: Browser, clock: ManualClock
) -> None:
    """A failed commit is a 503, and there is no second event for a touch that was not tried."""
    clock.advance(3600)
    customer.site.events.clear()
    customer.site.store.broken = {"commit", "touch"}
    customer.site.store_calls().clear()

    answer = customer.visit(writes(a=2))

    assert answer.status == 503
    assert customer.site.store.writes == ["commit"]
    assert [event.reason for event in customer.site.events] == [None, "commit"]
