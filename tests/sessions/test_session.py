"""A session begins with its first write."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import create_environ, run_wsgi_app

from sessions import Session
from sessions.errors import UnencodableValue
from sessions.testing import ManualClock
from sessions.wsgi import SessionMiddleware
from tests.support.apps import Browser, Site, everything, untouched, writes
from tests.support.watched import WatchedStore

NAMES = [
    "id",
    "user_id",
    "__x__",
    "$set",
    "a.b",
    "",
    "\0",
    "values",
    "timeout",
    "version",
    "ż",
    "😀",
]
TEXTS = [
    "a;b=c",
    '"quoted"',
    "'",
    "back\\slash",
    "żółć",
    "😀🏳️‍🌈",
    "nul\0nul",
    "\r\n",
    "",
    " ",
    "%00",
]


def test_the_first_write_makes_one_record_and_one_cookie(browser: Browser) -> None:
    """The next request finds the value."""
    answer = browser.visit(writes(visits=1))

    assert len(answer.set_cookies) == 1
    assert browser.site.store_calls() == ["create"]
    assert browser.holds() == {"visits": 1}


def test_many_writes_of_one_request_make_one_record(browser: Browser) -> None:
    """The session is saved once, at the end."""

    def handler(session: Session) -> None:
        for n in range(20):
            session[f"k{n}"] = n

    answer = browser.visit(handler)

    assert browser.site.store_calls() == ["create"]
    assert len(answer.set_cookies) == 1


@pytest.mark.parametrize("known", [False, True], ids=["visitor", "session"])
def test_an_untouched_request_costs_nothing(browser: Browser, known: bool) -> None:
    """There is no cookie, no record, no store call and no Vary."""
    if known:
        browser.visit(writes(a=1))
    browser.site.store_calls().clear()

    answer = browser.visit(untouched)

    assert answer.headers == [("Content-Type", "text/plain")]
    assert browser.site.store_calls() == []


def test_attributes_without_data_do_not_load_the_session(browser: Browser) -> None:
    """`accessed`, `modified` and the repr need no load."""
    browser.visit(writes(a=1))
    browser.site.store_calls().clear()

    answer = browser.visit(lambda s: (s.accessed, s.modified, "untouched" in repr(s)))

    assert answer.value == (False, False, True)
    assert browser.site.store_calls() == []
    assert answer.all("Vary") == []


@pytest.mark.parametrize(
    "reads",
    [everything, len, list, bool, lambda s: s.get("a"), lambda s: "a" in s, lambda s: s.is_new],
    ids=["dict", "len", "list", "bool", "get", "in", "is_new"],
)
def test_a_visitor_who_reads_gets_nothing(browser: Browser, reads: Any) -> None:
    """There is no cookie and no record, but the response has Vary."""
    answer = browser.visit(reads)

    assert answer.set_cookies == []
    assert answer.all("Vary") == ["Cookie"]
    assert browser.site.store_calls() == []


def test_reading_the_id_of_a_visitor_stores_nothing(browser: Browser) -> None:
    """To read `id` creates no record."""
    answer = browser.visit(lambda session: session.id)

    assert len(answer.value) == 65
    assert answer.set_cookies == []
    assert browser.site.store_calls() == []


@pytest.mark.parametrize("empties", [Session.clear, lambda s: s.pop("a"), lambda s: s.popitem()])
def test_written_and_emptied_within_the_first_request(browser: Browser, empties: Any) -> None:
    """The session is empty at the end, so nothing is stored."""

    def handler(session: Session) -> None:
        session["a"] = 1
        empties(session)

    answer = browser.visit(handler)

    assert answer.set_cookies == []
    assert browser.site.store_calls() == []


def test_a_second_middleware_does_nothing(watched: WatchedStore, clock: ManualClock) -> None:
    """The application sees the session of the outer middleware, and one cookie is set."""
    site = Site(watched, clock)
    site.middleware.app = SessionMiddleware(site.middleware.app, site.container)
    browser = site.browser()

    answer = browser.visit(writes(a=1))

    assert len(answer.set_cookies) == 1
    assert watched.calls == ["create"]
    assert browser.holds() == {"a": 1}


def test_a_value_survives_to_the_next_request(browser: Browser) -> None:
    """A request with the cookie finds the value, and one without the cookie does not."""
    browser.visit(writes(name="ada", cart=[1, {"two": 3}]))

    assert browser.holds() == {"name": "ada", "cart": [1, {"two": 3}]}
    assert browser.site.browser().holds() == {}


def test_keys_keep_the_order_in_which_they_were_first_set(browser: Browser) -> None:
    """A key that is set again keeps its place; a removed key comes back at the end."""
    browser.visit(writes(c=1, a=1, b=1))
    browser.visit(writes(a=2, z=2, b=2))
    browser.visit(lambda session: session.pop("c"))

    browser.visit(writes(y=3, c=3, a=3))

    assert list(browser.holds()) == ["a", "b", "z", "y", "c"]


def test_keys_that_look_like_metadata_are_keys(browser: Browser) -> None:
    """Such keys do not change the metadata, and cause no error."""
    values = {name: f"mine {name}" for name in NAMES}
    session_id = browser.visit(lambda s: (s.update(values), s.id)).value[1]

    found = browser.visit(lambda s: (dict(s), s.id, s.created_at, s.timeout)).value

    assert found[0] == values
    assert found[1] == session_id
    assert found[2:] == (datetime(2027, 1, 15, 8, tzinfo=UTC), timedelta(hours=24))


@pytest.mark.parametrize("text", TEXTS, ids=repr)
def test_any_text_comes_back(browser: Browser, text: str) -> None:
    """Any text can be a value, a part of a value, or a key."""
    browser.visit(writes(**{"plain": text, "nested": [text, {text: text}], f"key {text}": 1}))

    assert browser.holds() == {"plain": text, "nested": [text, {text: text}], f"key {text}": 1}


@pytest.mark.parametrize("key", [1, None, b"bytes", ("a", "b"), True], ids=repr)
def test_a_key_is_text(browser: Browser, key: Any) -> None:
    """Another key is refused at once, because it would come back as text."""

    def handler(session: Session) -> None:
        with pytest.raises(UnencodableValue, match="use a str"):
            session[key] = 1

    assert browser.visit(handler).set_cookies == []


def test_a_key_of_a_kind_of_text_becomes_text(browser: Browser) -> None:
    """A key of a subclass of str is stored as plain text."""

    class Name(str):
        __slots__ = ()

    kinds = browser.visit(lambda s: (s.update({Name("a"): 1}), [type(key) for key in s])).value[1]

    assert kinds == [str]
    assert browser.holds() == {"a": 1}


def test_the_session_has_its_times(browser: Browser, clock: ManualClock) -> None:
    """The four times are aware datetimes in UTC; the end counts from the present use."""
    born = datetime.fromtimestamp(clock(), UTC)
    browser.visit(writes(a=1))
    clock.advance(100)
    browser.visit(everything)
    clock.advance(100)

    times = browser.visit(
        lambda s: (s.created_at, s.last_access, s.last_update, s.expires_at)
    ).value

    used, now = born + timedelta(seconds=100), born + timedelta(seconds=200)
    assert times == (born, used, born, now + timedelta(hours=24))


def test_is_new_accessed_and_modified_follow_the_request(browser: Browser) -> None:
    """is_new, accessed and modified follow the request."""

    def handler(session: Session) -> list[bool]:
        told = [session.accessed, session.is_new, session.accessed, session.modified]
        session["a"] = 1
        return [*told, session.modified]

    first = browser.visit(handler).value
    second = browser.visit(handler).value

    assert first == [False, True, True, False, True]
    assert second == [False, False, True, False, False]


def test_the_session_is_where_the_docs_say(site: Site) -> None:
    """`environ["sessions.session"]` is the Session."""
    found: list[object] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        found.append(environ["sessions.session"])
        start_response("200 OK", [])
        return []

    run_wsgi_app(SessionMiddleware(app, site.container), create_environ())

    assert [type(session) for session in found] == [Session]
