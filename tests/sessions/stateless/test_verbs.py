"""Each verb of a session in a token, over several requests."""

from datetime import timedelta

import pytest

from sessions import (
    CookieSettings,
    Session,
    SessionClosed,
    SessionError,
    SessionManager,
    SessionNotFound,
)
from sessions.stateless import TokenFormat
from sessions.testing import ManualClock
from tests.sessions.stateless.conftest import SiteMaker
from tests.support.apps import (
    KEY,
    Browser,
    Site,
    everything,
    in_turn,
    session_of,
    untouched,
    writes,
)
from tests.support.loops import a_head, cookie_of

LEFT = "the session is closed"


def signs_in(session: Session) -> None:
    """Sign a user in."""
    session.set_user("ada", name="Ada")


def who(session: Session) -> tuple[str | None, dict[str, object]]:
    """Return who is signed in."""
    return session.user_id, session.user_data


def test_values_come_back(browser: Browser) -> None:
    """The values are equal, of the same types, and in the order in which they were set."""
    browser.visit(writes(b=1, a=("x", 2.5), c={"ä": {1, 2}}))
    browser.visit(writes(a=None))

    assert [*browser.holds().items()] == [("b", 1), ("a", None), ("c", {"ä": {1, 2}})]


def test_nested_changes_are_saved(browser: Browser) -> None:
    """A change inside of a value needs no flag."""
    browser.visit(writes(cart=[]))
    browser.visit(lambda session: session["cart"].append("apple"))

    assert browser.holds() == {"cart": ["apple"]}


def test_values_are_removed(browser: Browser) -> None:
    """A removed key is gone, and clear() leaves the user alone."""
    browser.visit(in_turn(writes(a=1, b=2), signs_in))

    browser.visit(lambda session: session.pop("a"))
    assert browser.holds() == {"b": 2}

    browser.visit(lambda session: session.clear())
    assert browser.visit(lambda s: (dict(s), *who(s))).value == ({}, "ada", {"name": "Ada"})


def test_an_untouched_session_costs_nothing(site: Site, browser: Browser) -> None:
    """The response has no header for the session, with a token and without."""
    assert not site.visit(untouched).all("Vary")
    browser.visit(writes(a=1))

    answer = browser.visit(untouched)

    assert not answer.set_cookies
    assert not answer.all("Vary")


def test_a_read_sends_no_token(browser: Browser) -> None:
    """The response only has the header Vary."""
    browser.visit(writes(a=1))

    answer = browser.visit(everything)

    assert not answer.set_cookies
    assert answer.all("Vary") == ["Cookie"]


def test_a_write_is_sent_with_no_store(browser: Browser) -> None:
    """No cache may keep an answer with a token."""
    answer = browser.visit(writes(a=1))

    assert answer.all("Cache-Control") == ["no-store"]
    assert answer.all("Vary") == ["Cookie"]


def test_a_sign_in_changes_the_id(browser: Browser) -> None:
    """The values of the visitor and the handle stay."""
    before = browser.visit(in_turn(writes(cart=[1]), lambda s: (s.id, s.handle))).value

    browser.visit(signs_in)

    after = browser.visit(lambda session: (session.id, session.handle)).value
    assert before[0] != after[0]
    assert before[1] == after[1]
    assert browser.visit(who).value == ("ada", {"name": "Ada"})
    assert browser.holds() == {"cart": [1]}


def test_the_data_of_another_user_are_dropped(browser: Browser) -> None:
    """A user who signs in over the session of another user sees none of its data."""
    browser.visit(in_turn(signs_in, writes(letters=["private"])))

    browser.visit(lambda session: session.set_user("bob"))

    assert browser.visit(lambda s: (dict(s), *who(s))).value == ({}, "bob", {})


def test_a_sign_out_keeps_the_values(browser: Browser) -> None:
    """clear_user() removes the user and the user data, even if the request fails afterwards."""
    browser.visit(in_turn(signs_in, writes(a=1)))

    browser.visit(in_turn(lambda s: s.clear_user(), writes(b=2)), status=500)

    assert browser.visit(lambda s: (dict(s), *who(s))).value == ({"a": 1}, None, {})


@pytest.mark.parametrize("status", [200, 404, 500])
def test_destroy_takes_the_token_away(site: Site, browser: Browser, status: int) -> None:
    """The cookie is cleared for every status of the response."""
    browser.visit(writes(a=1))

    answer = browser.visit(lambda session: session.destroy(), status=status)

    assert answer.clears
    assert site.told[-1] == "destroyed"
    assert browser.holds() == {}


def test_a_session_after_destroy_is_a_new_one(browser: Browser) -> None:
    """The new session has another handle, and none of the values."""
    first = browser.visit(in_turn(writes(a=1), lambda session: session.handle)).value

    second = browser.visit(
        in_turn(lambda session: session.destroy(), writes(b=2), lambda session: session.handle)
    ).value

    assert first != second
    assert browser.holds() == {"b": 2}


def test_a_failed_request_changes_nothing(browser: Browser) -> None:
    """A 5xx discards what was not saved, and a 4xx keeps it."""
    browser.visit(writes(a=1))
    browser.visit(writes(a=2), status=500)
    assert browser.holds() == {"a": 1}

    browser.visit(writes(a=3), status=403)
    assert browser.holds() == {"a": 3}


def test_a_saved_change_is_sent_with_a_failed_answer(browser: Browser) -> None:
    """What save() stored is sent, even if the request fails after that."""
    handler = in_turn(writes(a=1), lambda session: session.save(), writes(a=2))

    browser.visit(handler, status=500)

    assert browser.holds() == {"a": 1}


def test_reload_drops_unsaved_changes(browser: Browser) -> None:
    """The session is again as in its token."""
    browser.visit(writes(a=1))

    handler = in_turn(writes(a=2, b=3), lambda session: session.reload(), everything)

    assert browser.visit(handler).value == {"a": 1}


def test_reload_after_destroy_finds_nothing(browser: Browser) -> None:
    """reload() raises the same error as for a stored session."""
    browser.visit(writes(a=1))

    with pytest.raises(SessionNotFound, match="this request ended"):
        browser.visit(in_turn(lambda s: s.destroy(), lambda s: s.reload()))


@pytest.mark.parametrize(
    "verb",
    [
        lambda session: session.increment("n"),
        lambda session: session.take("n"),
        lambda session: session.update_with("n", lambda value: value),
    ],
    ids=["increment", "take", "update_with"],
)
def test_atomic_verbs_are_refused(site: Site, verb: object) -> None:
    """A token cannot keep the promise of an atomic verb; the error says what to do."""
    with pytest.raises(SessionError, match=r"'n'.*Fix: give the container a store"):
        site.visit(verb)  # type: ignore[arg-type]


def test_is_revocable_is_false(site: Site) -> None:
    """A kept copy of a token stays valid after a logout."""
    browser = site.browser()
    browser.visit(writes(a=1))
    kept = browser.cookie
    browser.visit(lambda session: session.destroy())

    assert site.visit(everything, kept).value == {"a": 1}
    assert site.visit(lambda session: session.revocable).value is False


def test_the_latest_answer_wins(site: Site, browser: Browser) -> None:
    """Two parallel requests begin with one token, and do not see each other's changes."""
    browser.visit(writes(a=0, b=0))
    start = browser.cookie

    site.visit(writes(a=1), start)
    browser.cookie = site.visit(writes(b=1), start).cookie

    assert browser.holds() == {"a": 0, "b": 1}


def test_a_flash_is_shown_once(browser: Browser) -> None:
    """The next page shows the message, and the page after it does not."""
    browser.visit(lambda session: session.flash("saved"))

    pages = [browser.visit(lambda s: [f"{flash}" for flash in s.take_flashes()]) for _ in range(2)]

    assert [bool(page.value) for page in pages] == [True, False]


def test_a_timeout_of_its_own_shows_in_max_age(browser: Browser, clock: ManualClock) -> None:
    """The token and the cookie have the timeout, and the server enforces it."""

    def remember(session: Session) -> None:
        session["a"] = 1
        session.timeout = timedelta(days=3)

    assert browser.visit(remember).attributes["max-age"] == f"{3 * 86400}"
    clock.advance(timedelta(days=3) - timedelta(seconds=1))
    assert browser.holds() == {"a": 1}
    clock.advance(timedelta(days=3))
    assert browser.holds() == {}


@pytest.mark.parametrize("setting", ["rolling", "resave"])
def test_settings_that_renew_the_token(make_site: SiteMaker, setting: str) -> None:
    """With `rolling` each answer sends a token, and with `resave` each answer after a read."""
    browser = make_site(**{setting: True}).browser()
    browser.visit(writes(a=1))

    assert browser.visit(everything).set_cookies
    assert bool(browser.visit(untouched).set_cookies) is (setting == "rolling")


def test_an_empty_session_is_sent_if_that_is_wanted(make_site: SiteMaker) -> None:
    """With save_uninitialized, each visitor gets a token."""
    assert make_site(save_uninitialized=True).visit(untouched).set_cookies
    assert not make_site().visit(everything).set_cookies


def test_a_shared_cache_gets_no_token_unasked(make_site: SiteMaker) -> None:
    """An answer that any cache may keep does not renew the token."""
    browser = make_site(rolling=True).browser()
    browser.visit(writes(a=1))

    answer = browser.visit(everything, headers=[("Cache-Control", "public, max-age=60")])

    assert not answer.set_cookies


def test_no_token_where_the_client_would_not_send_it(make_site: SiteMaker) -> None:
    """A Secure cookie is not sent over http, so no session begins, and an event says so."""
    site = make_site(cookie=CookieSettings(secure=True))

    assert not site.visit(writes(a=1)).set_cookies
    assert site.told == ["insecure"]


def test_a_connection_that_goes_on_is_read_only(site: Site, browser: Browser) -> None:
    """After the handshake no token can be sent, so a write is an error."""
    browser.visit(writes(a=1))
    session = site.manager.open(a_head(browser.cookie))
    session["b"] = 2

    headers = site.manager.handshake(session)

    assert dict(session_of(site.manager, cookie_of(headers))) == {"a": 1, "b": 2}
    assert session["a"] == 1
    with pytest.raises(SessionClosed, match=LEFT):
        session["c"] = 3
    site.manager.close_unanswered(session)


def test_a_write_that_no_answer_can_send_is_reported(site: Site, browser: Browser) -> None:
    """A refusal without headers cannot send the token, so the write is lost with an event."""
    browser.visit(writes(a=1))
    session = site.manager.open(a_head(browser.cookie))
    session["b"] = 2

    site.manager.close_unanswered(session)

    assert site.told[-1] == "gone"
    assert browser.holds() == {"a": 1}


def test_a_program_makes_and_reads_tokens(site: Site) -> None:
    """create(), token() and from_token() need no request."""
    manager: SessionManager = site.manager
    with manager.create({"a": 1}) as session:
        session.set_user("ada")
    token = manager.token(session)

    found = manager.from_token(token)

    assert found is not None
    assert (dict(found), found.user_id) == ({"a": 1}, "ada")
    assert manager.from_token("rubbish") is None
    assert manager.from_token(None) is None


def test_a_session_that_was_never_saved_has_no_token(site: Site) -> None:
    """There is no token before the first save."""
    with pytest.raises(SessionError, match=r"Fix: call session\.save\(\)"):
        site.manager.token(site.manager.open(a_head()))


def test_no_server_knows_an_id(site: Site) -> None:
    """get() and delete() find nothing, and there is nothing to purge or to close."""
    manager = site.manager
    id = manager.create().id

    for verb in (manager.get, manager.delete):
        with pytest.raises(SessionError, match="stored in their tokens, not on a server"):
            verb(id)
    assert manager.purge() == 0
    manager.close_all()


def test_a_token_is_sealed_for_each_answer(kind: TokenFormat, site: Site) -> None:
    """Two answers with one session have different tokens, and the repr shows no key."""
    site.browser().visit(writes(a=1))

    assert KEY not in f"{kind!r} {site.container!r}"


def test_two_live_sessions_are_ambiguous(site: Site) -> None:
    """Neither session counts, nothing is saved, and destroy() ends both."""
    first, second = (site.visit(writes(n=n)).cookie for n in (1, 2))
    both = f"{first}; {second}"

    assert site.visit(everything, both).value == {}
    assert site.told[-1] == "ambiguous"
    assert not site.visit(writes(a=1), both).set_cookies
    assert site.visit(lambda session: session.destroy(), both).clears


def test_the_later_of_two_tokens_of_one_session_wins(site: Site, clock: ManualClock) -> None:
    """The later token counts in both orders in the request."""
    first = site.visit(writes(n=1)).cookie
    clock.advance(1)
    second = site.visit(writes(n=2), first).cookie

    for cookies in (f"{first}; {second}", f"{second}; {first}"):
        assert site.visit(everything, cookies).value == {"n": 2}
