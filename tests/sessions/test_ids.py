"""Which ids are used, and when an id changes."""

from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import pytest

from sessions import ConfigurationError, Record, Session, SessionError, Store
from sessions.core.ids import new_id
from sessions.core.limits import LINEAGE_LENGTH
from sessions.core.signing import IdSigner
from sessions.testing import OTHER_SECRET, ManualClock, a_record, loaded_from
from tests.sessions.conftest import SiteMaker
from tests.support.apps import KEY, Browser, Site, everything, in_turn, writes
from tests.support.ids import an_id
from tests.support.watched import WatchedStore

# The first secret is made when the settings are, to try whether it is fit.
TRIED = "tried-" * 4
SIGNER = IdSigner([KEY], purpose="session id:session")


class CrowdedStore(WatchedStore):
    """Give each new id to another session just before its creation."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.crowd = inner

    def create(self, key: str, record: Record) -> bool:
        self.crowd.create(key, replace(record, secret=OTHER_SECRET))
        return super().create(key, record)


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
def test_an_unfit_id_is_refused(make_site: SiteMaker, made: Any) -> None:
    """An id is text of the alphabet, and long enough; nothing is stored under another one."""
    ids = chain([TRIED], repeat(made))
    site = make_site(gen_id=lambda: next(ids))

    with pytest.raises(ConfigurationError, match=r"gen_id returned .*secrets\.token_urlsafe"):
        site.visit(writes(a=1))
    assert site.store_calls() == []


def test_the_message_about_an_unfit_id_does_not_show_it() -> None:
    """A bad id may be the beginning of a good one, so it is secret."""
    with pytest.raises(ConfigurationError) as refusal:
        new_id(lambda: "tell-nobody!" * 4)

    assert "tell-nobody" not in str(refusal.value)


@pytest.mark.parametrize("made", ["a" * 22, "_-09azAZ" * 16], ids=["shortest", "longest"])
def test_a_fit_id_is_used(make_site: SiteMaker, made: str) -> None:
    """A secret of gen_id follows the lineage in the id, and the id finds its session again."""
    browser = make_site(gen_id=lambda: made).browser()
    browser.visit(writes(a=1))

    session_id, value = browser.visit(lambda session: (session.id, session["a"])).value

    assert (session_id[LINEAGE_LENGTH:], value) == (made, 1)


def test_two_sessions_may_have_the_same_secret(make_site: SiteMaker) -> None:
    """The lineages of the two sessions differ."""
    site = make_site(gen_id=lambda: "a" * 22)
    first, second = site.browser(), site.browser()
    first.visit(writes(owner="first"))
    second.visit(writes(owner="second"))

    assert first.holds() == {"owner": "first"}
    assert second.holds() == {"owner": "second"}


def test_a_collision_leads_to_another_id(
    site: Site, watched: WatchedStore, clock: ManualClock
) -> None:
    """No session is overwritten, and both sessions work."""
    other = a_record(clock, {"owner": b"another"})

    def handler(session: Session) -> str:
        session["owner"] = "mine"
        watched.create(session.handle, other)
        return session.handle

    browser = site.browser()
    taken = browser.visit(handler).value

    assert browser.holds() == {"owner": "mine"}
    assert loaded_from(watched, taken) == other


def test_colliding_for_ever_ends_in_a_typed_error(store: Store, clock: ManualClock) -> None:
    """The number of tries is limited."""
    site = Site(CrowdedStore(store), clock)

    with pytest.raises(SessionError, match="gen_id returned ids that other sessions have, 3 times"):
        site.visit(writes(owner="second"))

    assert site.store_calls() == ["create"] * 3


def test_regenerate_colliding_for_ever_ends_in_a_typed_error(make_site: SiteMaker) -> None:
    """The same secret is no new id; the session keeps its id and its data."""
    browser = make_site(gen_id=lambda: "a" * 22).browser()
    browser.visit(writes(owner="first"))

    with pytest.raises(SessionError, match="gen_id returned the present secret"):
        browser.visit(Session.regenerate)

    assert browser.holds() == {"owner": "first"}


def test_a_thousand_unknown_ids_leave_the_store_empty(site: Site) -> None:
    """An unknown id creates no record, even if it is signed."""
    for _ in range(1000):
        answer = site.visit(everything, f"session={SIGNER.sign(an_id())}")
        assert (answer.value, answer.set_cookies) == ({}, [])

    assert set(site.store_calls()) == {"load"}


def test_an_id_that_we_did_not_sign_is_not_looked_up(site: Site) -> None:
    """The store is not asked, no cookie is cleared, and a write begins a new session."""
    foreign = IdSigner(["another key of 32 bytes and more"], purpose="session id:session")
    elsewhere = IdSigner([KEY], purpose="session id:elsewhere")
    own = an_id()
    unsigned = [own, f"{own}.", f"{own}.{'A' * 43}", foreign.sign(own), elsewhere.sign(own)]

    for token in unsigned:
        answer = site.visit(everything, f"session={token}")
        assert (answer.value, answer.set_cookies) == ({}, [])
    assert site.store_calls() == []
    assert site.told == ["rejected"] * len(unsigned)


def test_a_write_never_uses_the_id_that_came(site: Site) -> None:
    """This holds for unsigned ids, and for signed ids without a record."""
    for token in ["a" * 65, SIGNER.sign("a" * 65)]:
        browser = site.browser()
        browser.cookie = f"session={token}"
        browser.visit(writes(a=1))

        assert "a" * 65 not in browser.cookie
        assert site.visit(everything, f"session={token}").value == {}


# regenerate


def test_regenerate_keeps_the_data_under_a_new_id(customer: Browser) -> None:
    """There is one cookie, and the old id is past."""
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


def test_the_old_id_is_invalid_as_soon_as_the_new_id_is_committed(customer: Browser) -> None:
    """save() ends the old id before the end of the request; `id` is the new id at once."""
    old = customer.cookie

    def handler(session: Session) -> list[Any]:
        before = session.id
        session.regenerate()
        told = [session.id != before, customer.site.visit(everything, old).value]
        session.save()
        return [*told, customer.site.visit(everything, old).value]

    assert customer.visit(handler).value == [True, {"cart": ["tea"]}, {}]


def test_regenerate_is_one_commit(customer: Browser) -> None:
    """The new id and all other changes are stored together."""
    customer.visit(in_turn(Session.regenerate, writes(user="ada")))

    assert customer.site.store_calls() == ["load", "commit"]


@pytest.mark.parametrize("times", [2, 5])
def test_regenerating_often_sends_one_cookie(customer: Browser, times: int) -> None:
    """The cookie has the last id."""
    answer = customer.visit(in_turn(*[Session.regenerate] * times))

    assert len(answer.set_cookies) == 1
    assert customer.holds() == {"cart": ["tea"]}


def test_regenerating_a_new_session_stores_it_once(browser: Browser) -> None:
    """There is no record to change yet, so only the last id is used."""

    def handler(session: Session) -> str:
        session["user"] = "ada"
        before = session.id
        session.regenerate()
        return before

    answer = browser.visit(handler)

    assert browser.site.store_calls() == ["create"]
    assert answer.value not in browser.cookie
    assert browser.holds() == {"user": "ada"}


def test_regenerate_does_not_make_an_empty_session(browser: Browser) -> None:
    """A visitor without data still has no session."""
    answer = browser.visit(Session.regenerate)

    assert answer.set_cookies == []
    assert browser.site.store_calls() == []
