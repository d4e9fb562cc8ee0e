"""Whose ids are used, and when they change."""

from itertools import chain, repeat
from typing import Any

import pytest

from sessions import ConfigurationError, Session, SessionError
from sessions.record import new_id, random_id
from sessions.signing import IdSigner
from tests.sessions.apps import KEY, Browser, Site, everything, in_turn, writes
from tests.sessions.conftest import SiteMaker

# The first id is made when the settings are, to try whether it is fit.
TRIED = "tried-" * 4
SIGNER = IdSigner([KEY], purpose="session id:session")


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds a cart, with the store's calls forgotten."""
    browser.visit(writes(cart=["tea"]))
    browser.site.store_calls().clear()
    return browser


@pytest.mark.parametrize(
    "made",
    [
        "",
        "a" * 21,
        "a" * 129,
        "a" * 21 + "é",
        "a" * 21 + ";",
        "a" * 21 + "\n",
        "a" * 22 + "\n",
        None,
        b"a" * 32,
        7,
    ],
    ids=repr,
)
def test_s6_an_unfit_id_is_refused(make_site: SiteMaker, made: Any) -> None:
    """It must be text, of the alphabet, and long enough; nothing is stored under it."""
    ids = chain([TRIED], repeat(made))
    site = make_site(gen_id=lambda: next(ids))

    with pytest.raises(ConfigurationError, match=r"gen_id returned .*secrets\.token_urlsafe"):
        site.visit(writes(a=1))
    assert site.store_calls() == []


def test_s6_the_message_about_an_unfit_id_does_not_show_it() -> None:
    """An id is a secret, a bad one may be a good one's beginning."""
    with pytest.raises(ConfigurationError) as refusal:
        new_id(lambda: "tell-nobody!" * 4)

    assert "tell-nobody" not in str(refusal.value)


@pytest.mark.parametrize("made", ["a" * 22, "_-09azAZ" * 16], ids=["shortest", "longest"])
def test_s6_a_fit_id_is_used(make_site: SiteMaker, made: str) -> None:
    """A custom id travels and finds its session again."""
    browser = make_site(gen_id=lambda: made).browser()
    browser.visit(writes(a=1))

    answer = browser.visit(lambda session: (session.id, session["a"]))

    assert answer.value == (made, 1)


def test_s6_a_collision_leads_to_another_id(make_site: SiteMaker) -> None:
    """Never to an overwrite: both sessions live."""
    ids = chain([TRIED, "a" * 22, "a" * 22, "b" * 22], repeat("c" * 22))
    site = make_site(gen_id=lambda: next(ids))
    first, second = site.browser(), site.browser()
    first.visit(writes(owner="first"))
    second.visit(writes(owner="second"))

    assert first.holds() == {"owner": "first"}
    assert second.holds() == {"owner": "second"}


def test_s42_colliding_for_ever_ends_in_a_typed_error(make_site: SiteMaker) -> None:
    """The attempts are bounded, and the session in the way is unharmed."""
    site = make_site(gen_id=lambda: "a" * 22)
    first = site.browser()
    first.visit(writes(owner="first"))
    site.store_calls().clear()

    with pytest.raises(SessionError, match="gen_id returned 3 ids that other sessions have"):
        site.visit(writes(owner="second"))

    assert site.store_calls() == ["create"] * 3
    assert first.holds() == {"owner": "first"}


def test_s42_regenerate_colliding_for_ever_ends_in_a_typed_error(make_site: SiteMaker) -> None:
    """The session keeps its id and its data."""
    ids = chain([TRIED, "a" * 22], repeat("b" * 22))
    site = make_site(gen_id=lambda: next(ids))
    first, second = site.browser(), site.browser()
    first.visit(writes(owner="first"))
    second.visit(writes(owner="second"))

    with pytest.raises(SessionError, match="gen_id returned 3 ids"):
        first.visit(Session.regenerate)

    assert first.holds() == {"owner": "first"}
    assert second.holds() == {"owner": "second"}


def test_s10_a_thousand_unknown_ids_leave_the_store_empty(site: Site) -> None:
    """A well-formed, even a well-signed id that nobody has makes no record."""
    for _ in range(1000):
        answer = site.visit(everything, f"session={SIGNER.sign(random_id())}")
        assert (answer.value, answer.set_cookies) == ({}, [])

    assert set(site.store_calls()) == {"load"}


def test_s49_an_id_that_we_did_not_sign_is_not_looked_up(site: Site) -> None:
    """The store is not asked, no cookie is cleared, and a write begins a session of its own."""
    foreign = IdSigner(["another key of 32 bytes and more"], purpose="session id:session")
    elsewhere = IdSigner([KEY], purpose="session id:elsewhere")
    own = random_id()
    unsigned = [own, f"{own}.", f"{own}.{'A' * 43}", foreign.sign(own), elsewhere.sign(own)]

    for token in unsigned:
        answer = site.visit(everything, f"session={token}")
        assert (answer.value, answer.set_cookies) == ({}, [])
    assert site.store_calls() == []
    assert site.told == ["rejected"] * len(unsigned)


def test_s49_a_write_never_uses_the_id_that_came(site: Site) -> None:
    """Neither an unsigned one nor a well-signed one that has no record."""
    for token in ["a" * 43, SIGNER.sign("a" * 43)]:
        browser = site.browser()
        browser.cookie = f"session={token}"
        browser.visit(writes(a=1))

        assert "a" * 43 not in browser.cookie
        assert site.visit(everything, f"session={token}").value == {}


# regenerate


def test_s50_regenerate_keeps_the_data_under_a_new_id(customer: Browser) -> None:
    """One Set-Cookie; the old id is dead."""
    old = customer.cookie

    def handler(session: Session) -> tuple[str, str]:
        before = session.id
        session["user"] = "ada"
        session.regenerate()
        session["cart"].append("milk")
        return before, session.id

    answer = customer.visit(handler)

    assert len(set(answer.value)) == 2
    assert len(answer.set_cookies) == 1
    assert customer.holds() == {"cart": ["tea", "milk"], "user": "ada"}
    assert customer.site.visit(everything, old).value == {}


def test_s50_the_old_id_is_dead_at_once(customer: Browser) -> None:
    """Before the request that regenerates has ended."""
    old = customer.cookie

    def handler(session: Session) -> object:
        session.regenerate()
        return customer.site.visit(everything, old).value

    assert customer.visit(handler).value == {}


@pytest.mark.parametrize("times", [2, 5])
def test_s50_regenerating_often_sends_one_cookie(customer: Browser, times: int) -> None:
    """The last id's."""
    answer = customer.visit(in_turn(*[Session.regenerate] * times))

    assert len(answer.set_cookies) == 1
    assert customer.holds() == {"cart": ["tea"]}


def test_s50_regenerating_a_new_session_stores_it_once(browser: Browser) -> None:
    """Nothing is to be moved, and no id of before is used."""

    def handler(session: Session) -> str:
        session["user"] = "ada"
        before = session.id
        session.regenerate()
        return before

    answer = browser.visit(handler)

    assert browser.site.store_calls() == ["create"]
    assert answer.value not in browser.cookie
    assert browser.holds() == {"user": "ada"}


def test_s50_regenerate_does_not_make_an_empty_session(browser: Browser) -> None:
    """A visitor without data stays one."""
    answer = browser.visit(Session.regenerate)

    assert answer.set_cookies == []
    assert browser.site.store_calls() == []
