"""Cookies with Max-Age: a browser in use keeps its cookie, and public answers send none."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions import CookieSettings, MemoryStore, Session
from sessions.core.headers import is_public
from sessions.testing import ManualClock
from tests.sessions.asgi.site import leaves_alone, sets, site_maker
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Handler, Site, everything, in_turn, untouched, writes
from tests.support.watched import WatchedStore

LIFETIME = timedelta(minutes=20)
AGED = CookieSettings(max_age=LIFETIME)


def writes_each_time(session: Session) -> None:
    """Set a value that differs from the stored one."""
    session["n"] = session.get("n", 0) + 1


def adds(session: Session) -> None:
    """Change a value by a verb that asks the store."""
    session.increment("m")


def keeps_for_long(session: Session) -> None:
    """Give the session a timeout of its own, as "remember me" does."""
    session.timeout = LIFETIME


ACTS: list[Handler] = [
    everything,
    writes_each_time,
    adds,
    in_turn(writes_each_time, Session.save),
    in_turn(writes_each_time, Session.save, everything),
]
USES = st.lists(
    st.tuples(st.sampled_from([1, 29, 30, 31, 59, 60, 61, 600, 1000]), st.sampled_from(ACTS)),
    max_size=40,
)


@pytest.mark.parametrize("begins", [keeps_for_long, untouched], ids=["own timeout", "max_age"])
@given(uses=USES)
def test_a_browser_in_use_keeps_its_cookie(
    begins: Handler, uses: list[tuple[int, Handler]]
) -> None:
    """Reads, writes and atomic verbs all renew the cookie."""
    clock = ManualClock()
    settings = {} if begins is keeps_for_long else {"cookie": AGED}
    site = Site(WatchedStore(MemoryStore(clock=clock)), clock, **settings)
    answer = site.visit(in_turn(writes(a=1), begins))
    cookie, kept_until = answer.cookie, clock() + int(answer.attributes["max-age"])
    for gap, act in uses:
        clock.advance(gap)
        assert clock() < kept_until
        answer = site.visit(act, cookie)
        if answer.set_cookies:
            cookie, kept_until = answer.cookie, clock() + int(answer.attributes["max-age"])

    assert site.visit(everything, cookie).value["a"] == 1


@pytest.mark.parametrize("act", [everything, writes_each_time, adds], ids=["get", "set", "add"])
def test_the_cookie_is_renewed_once_in_each_touch_interval(
    make_site: SiteMaker, clock: ManualClock, act: Handler
) -> None:
    """Most answers have no cookie, so that caches may keep them."""
    browser = make_site(cookie=AGED).browser()
    browser.visit(writes(a=1))
    answers = []
    for _ in range(60):
        clock.advance(10)
        answers.append(browser.visit(act))

    renewed = sum(len(answer.set_cookies) for answer in answers)
    assert 8 <= renewed <= 10


def test_a_cookie_of_a_few_seconds_is_renewed_in_time(
    make_site: SiteMaker, clock: ManualClock
) -> None:
    """Its Max-Age is shorter than the interval between two touches."""
    cookie = CookieSettings(max_age=timedelta(seconds=30))
    browser = make_site(cookie=cookie).browser()
    browser.visit(writes(a=1))
    clock.advance(20)

    assert browser.visit(everything).attributes["max-age"] == "30"


def test_a_cookie_without_an_age_is_not_renewed(make_site: SiteMaker, clock: ManualClock) -> None:
    """The browser keeps such a cookie until it closes."""
    browser = make_site().browser()
    browser.visit(writes(a=1))
    clock.advance(600)

    assert browser.visit(everything).set_cookies == []


PUBLIC = {
    "public": "public, max-age=60",
    "immutable": "max-age=31536000, immutable",
    "another case": "Max-Age=1,PUBLIC",
    "beside quotes": 'no-cache="set-cookie, x", public',
    "both": "public, immutable",
}
NOT_PUBLIC = {
    "nothing": "",
    "an age": "max-age=60",
    "a quoted word": 'private="x, public, y"',
    "an open quote": 'private="public, immutable',
    "a longer word": "publicly, not-immutable",
    "a value": "public=1",
}


@pytest.mark.parametrize("value", PUBLIC.values(), ids=PUBLIC)
def test_a_public_response_is_recognised(value: str) -> None:
    """Any Cache-Control header may have the directive."""
    assert is_public([("cache-control", "max-age=1"), ("CACHE-CONTROL", value)])


@pytest.mark.parametrize("value", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
def test_other_responses_are_not_public(value: str) -> None:
    """A word inside of quotation marks is no directive."""
    assert not is_public([("Cache-Control", value), ("X-Cache-Contr", "public")])


SETTINGS = {
    "rolling": {"rolling": True},
    "rolling, with an age": {"rolling": True, "cookie": AGED},
    "an age": {"cookie": AGED},
    "save_uninitialized": {"save_uninitialized": True},
}


@pytest.mark.parametrize("value", PUBLIC.values(), ids=PUBLIC)
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_an_untouched_public_answer_is_left_alone(
    make_site: SiteMaker, clock: ManualClock, settings: dict[str, object], value: str
) -> None:
    """The store is not asked, and the answer is not changed."""
    browser = make_site(**settings).browser()
    browser.visit(writes(a=1))
    browser.site.store_calls().clear()
    clock.advance(600)

    answer = browser.visit(untouched, headers=[("Cache-Control", value)])

    assert browser.site.store_calls() == []
    assert [name for name, _ in answer.headers] == ["Content-Type", "Cache-Control"]


@pytest.mark.parametrize("act", [everything, writes(b=2)], ids=["get", "set"])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_public_answer_renews_no_cookie(
    make_site: SiteMaker, clock: ManualClock, settings: dict[str, object], act: Handler
) -> None:
    """The use is still noted, and changes are saved."""
    browser = make_site(**settings).browser()
    browser.visit(writes(a=1))
    clock.advance(600)
    answer = browser.visit(act, headers=[("Cache-Control", "public")])
    clock.advance(24 * 3600 - 1)

    assert (answer.set_cookies, answer.all("Cache-Control")) == ([], ["public"])
    assert answer.all("Vary") == ["Cookie"]
    assert browser.holds()["a"] == 1


@pytest.mark.parametrize(
    "act",
    [Session.regenerate, keeps_for_long, Session.destroy, lambda session: session.set_user("ada")],
    ids=["new id", "own timeout", "logout", "sign-in"],
)
def test_a_new_id_is_sent_also_with_a_public_response(make_site: SiteMaker, act: Handler) -> None:
    """An answer with a new id gets `no-store`, even if the handler allowed caches."""
    browser = make_site(rolling=True).browser()
    browser.visit(writes(a=1))

    answer = browser.visit(act, headers=[("Cache-Control", "public")])

    assert len(answer.set_cookies) == 1
    assert answer.all("Cache-Control") == ["no-store"]


@pytest.mark.parametrize(("value", "renewed"), [("public", 0), ("max-age=60", 1)])
def test_the_asgi_middleware_looks_at_the_answer_too(
    clock: ManualClock, tmp_path: Path, value: str, renewed: int
) -> None:
    """The ASGI middleware reads the answer's headers before it closes the session."""
    with site_maker("memory", clock, tmp_path) as make_site:
        site = make_site(rolling=True)
        cookie = site.visit(sets(a=1)).cookie
        headers = [(b"cache-control", value.encode())]
        answer = site.visit(leaves_alone, cookie, reply_headers=headers)

    assert len(answer.set_cookies) == renewed
