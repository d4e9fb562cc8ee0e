"""Cookies of other systems: they are read, and their sessions move here with the first request."""

import logging
from typing import Any

import pytest

from sessions import (
    CookieSettings,
    MemoryStore,
    Session,
    SessionContainer,
    SessionError,
    SessionManager,
    StoreUnavailable,
)
from sessions.migration import (
    HexSignatureCookie,
    KeygripCookie,
    LegacySession,
    SignedPayloadCookie,
)
from sessions.testing import ManualClock
from tests.sessions.migration.cookies import (
    BAD,
    HEADERS,
    NAMES,
    PAYLOAD,
    UUID,
    VALUES,
    OldSystem,
    SiteOf,
    cleared,
    keygrip_cookie,
    native,
    payload_cookie,
    user_and_values,
)
from tests.support.apps import Site, everything, untouched, writes


@pytest.mark.parametrize("kind", HEADERS)
def test_nobody_is_logged_out(site: Site, old: OldSystem, kind: str) -> None:
    """The session has its user, and the answer sends the new cookie and clears the old ones."""
    answer = site.visit(user_and_values, HEADERS[kind])

    values = VALUES if kind == "payload" else {"items": "Dog"}
    assert answer.value == ("ada", values)
    assert cleared(answer) == NAMES[kind]
    assert answer.all("Cache-Control") == ["no-store"]
    assert site.told == ["created"]
    assert site.visit(user_and_values, native(answer)).value == ("ada", values)
    assert len(old.loaded) == 1


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize("position", [3, -2])
def test_a_changed_character_gives_no_session(
    site: Site, old: OldSystem, kind: str, position: int
) -> None:
    """A change in the value or the signature causes an event, and no call to the other system."""
    value = HEADERS[kind].index("=") + position if position > 0 else position
    text = list(HEADERS[kind])
    text[value] = "B" if text[value] != "B" else "C"

    answer = site.visit(user_and_values, "".join(text))

    assert answer.value == (None, {})
    assert answer.set_cookies == []
    assert site.told == ["rejected"]
    assert old.loaded == []


@pytest.mark.parametrize("kind", HEADERS)
def test_another_key_gives_no_session(site_of: SiteOf, kind: str) -> None:
    """A cookie with another name gives no session either."""
    old = OldSystem()
    site = site_of(
        [
            KeygripCookie("s", keys=["other"], load=old.load),
            HexSignatureCookie("sid", keys=["other"], load=old.load),
            SignedPayloadCookie("data", keys=["other"]),
        ]
    )

    assert site.visit(everything, HEADERS[kind]).value == {}
    assert site.told == ([] if kind == "name" else ["rejected"])
    assert old.loaded == []


@pytest.mark.parametrize("header", BAD.values(), ids=BAD)
def test_bad_input_gives_no_session(
    site: Site, old: OldSystem, header: str, memory: MemoryStore
) -> None:
    """There is no error, no record, no cookie, and no call to the other system."""
    answer = site.visit(everything, header)

    assert (answer.status, answer.value, answer.set_cookies) == (200, {}, [])
    assert site.told in ([], ["rejected"])
    assert old.loaded == []
    assert memory.count() == 0


def test_an_unknown_id_gives_no_session(site: Site, old: OldSystem) -> None:
    """The other system has ended the session, and a write begins a new one here."""
    old.sessions.clear()

    answer = site.visit(writes(a=1), HEADERS["hex"])

    assert (site.events[0].reason, site.told) == ("unknown", ["created"])
    assert site.visit(everything, native(answer)).value == {"a": 1}
    assert cleared(answer) == NAMES["hex"]


def test_a_live_session_of_ours_comes_first(site: Site, old: OldSystem) -> None:
    """With a live session here, the legacy cookie is not read."""
    ours = site.visit(writes(a=1)).cookie

    answer = site.visit(everything, f"{HEADERS['hex']}; {ours}")

    assert answer.value == {"a": 1}
    assert old.loaded == []


def test_a_session_that_has_just_ended_stays_ended(site: Site, old: OldSystem) -> None:
    """A late request with both cookies gets no session."""
    ours = site.visit(everything, HEADERS["hex"])
    site.visit(Session.destroy, native(ours))

    for header in (f"{HEADERS['hex']}; {native(ours)}", HEADERS["hex"]):
        assert site.visit(everything, header).value == {}
        assert site.visit(writes(a=1), header).set_cookies == []
    assert len(old.loaded) == 1
    assert site.told.count("gone") == 2


def test_a_logout_is_not_followed_by_the_old_session(site: Site, old: OldSystem) -> None:
    """An old session does not replace one that has just ended, or two live ones."""
    ours = site.visit(writes(a=1)).cookie
    one, two = (site.visit(writes(a=1)).cookie for _ in range(2))
    site.visit(Session.destroy, ours)

    for header in (f"{HEADERS['hex']}; {ours}", f"{one}; {HEADERS['hex']}; {two}"):
        assert site.visit(everything, header).value == {}
    assert old.loaded == []


def test_a_session_of_ours_that_is_long_over_may_be_replaced(
    site: Site, clock: ManualClock
) -> None:
    """A site may go back to the old system, and switch a second time."""
    ours = site.visit(writes(a=1)).cookie
    clock.advance(100_000)

    assert site.visit(everything, f"{HEADERS['hex']}; {ours}").value == {"items": "Dog"}


def test_outside_of_our_cookie_nothing_moves(site_of: SiteOf, old: OldSystem) -> None:
    """Outside of the cookie's scope, the response could not send the new cookie."""
    site = site_of(old.cookies(), cookie=CookieSettings(path="/shop"))

    assert site.visit(everything, HEADERS["hex"]).value == {}
    assert old.loaded == []
    assert site.visit(everything, HEADERS["hex"], path="/shop").value == {"items": "Dog"}


def test_an_expired_session_does_not_come_back(
    site_of: SiteOf, old: OldSystem, clock: ManualClock
) -> None:
    """The other system has ended the session."""
    site = site_of(old.cookies(end=old.end))
    site.visit(everything, HEADERS["hex"])
    clock.advance(86_400)

    assert site.visit(everything, HEADERS["hex"]).value == {}


def test_a_new_id_leaves_the_legacy_cookie_behind(site: Site, clock: ManualClock) -> None:
    """After a login here, a copy of the legacy cookie never opens the session."""
    ours = native(site.visit(everything, HEADERS["hex"]))
    renewed = native(site.visit(lambda session: session.set_user("bob"), ours))

    assert site.visit(everything, HEADERS["hex"]).value == {}
    clock.advance(3_600)
    assert site.visit(everything, HEADERS["hex"]).value == {}
    assert site.visit(user_and_values, renewed).value[0] == "bob"


@pytest.mark.parametrize("kind", HEADERS)
def test_requests_with_one_legacy_cookie_share_a_session(
    site: Site, kind: str, memory: MemoryStore
) -> None:
    """A page sends several requests at once with the old cookie, and no write is lost."""

    def inner(session: Session) -> str:
        session["inner"] = 1
        return session.handle

    def outer(session: Session) -> tuple[str, str]:
        handle = session.handle
        other: str = site.visit(inner, HEADERS[kind]).value
        session["outer"] = 1
        return handle, other

    one, other = site.visit(outer, HEADERS[kind]).value

    assert one == other
    assert memory.count() == 1
    held = site.visit(everything, HEADERS[kind]).value
    assert (held["inner"], held["outer"]) == (1, 1)


@pytest.mark.parametrize("ends", [False, True])
def test_requests_that_store_at_one_moment_share_a_session(
    site_of: SiteOf, old: OldSystem, memory: MemoryStore, ends: bool
) -> None:
    """Another request with the cookie is served while this one asks the other system."""
    nested: list[Any] = []

    def load(content: Any) -> LegacySession | None:
        if not nested:
            nested.append(None)
            nested[0] = shop.visit(writes(inner=1), HEADERS["hex"]).status
        return old.load(content)

    shop = site_of(old.cookies(load=load, end=old.end if ends else None))
    answer = shop.visit(everything, HEADERS["hex"])

    assert nested == [200]
    assert answer.value == {"items": "Dog", "inner": 1}
    assert memory.count() == 1
    assert shop.visit(writes(outer=1), native(answer)).status == 200
    assert shop.visit(everything, native(answer)).value == {"items": "Dog", "inner": 1, "outer": 1}


def test_equal_payloads_of_two_people_are_two_sessions(site_of: SiteOf) -> None:
    """The cookies are equal, so the sessions must not be joined."""
    site = site_of([SignedPayloadCookie("data", keys=["secretkey"])])
    header = payload_cookie({"theme": "dark"})

    handles = {site.visit(lambda session: session.handle, header).value for _ in range(2)}

    assert len(handles) == 2
    assert site.visit(everything, header).value == {"theme": "dark"}


def test_two_valid_legacy_cookies_are_ambiguous(site: Site, old: OldSystem) -> None:
    """Neither of the two cookies counts."""
    old.sessions["B"] = {"items": "Cat"}

    answer = site.visit(everything, f"{keygrip_cookie('A' * 40)}; {keygrip_cookie('B')}")

    assert answer.value == {}
    assert site.told == ["ambiguous"]
    assert old.loaded == []


def test_the_first_system_that_knows_the_session_counts(site: Site, old: OldSystem) -> None:
    """The systems are asked in the order of the settings."""
    del old.sessions["A" * 40]

    answer = site.visit(everything, f"{HEADERS['name']}; {HEADERS['keygrip']}")

    assert answer.value == {"items": "Dog"}
    assert old.loaded == ["A" * 40, UUID]
    assert sorted(cleared(answer)) == sorted([*NAMES["name"], *NAMES["keygrip"]])


def test_an_untouched_request_reads_no_cookie(site: Site, old: OldSystem) -> None:
    """A request that does not use its session costs nothing."""
    answer = site.visit(untouched, HEADERS["hex"])

    assert (answer.set_cookies, answer.all("Vary"), old.loaded) == ([], [], [])
    assert site.store_calls() == []


def test_a_failed_request_moves_the_session_too(site: Site) -> None:
    """Its own changes are discarded, and the answer sends our cookie."""
    answer = site.visit(writes(items="Cat"), HEADERS["hex"], status=500)

    assert site.visit(everything, native(answer)).value == {"items": "Dog"}


def test_a_broken_other_system_is_unavailable(site_of: SiteOf) -> None:
    """The answer is 503, the cookie stays, and the next request tries again."""
    answers: list[Any] = [OSError("no connection"), {"a": 1}]

    def load(content: Any) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    site = site_of([HexSignatureCookie("sid", keys=["secret"], load=load)])

    answer = site.visit(everything, HEADERS["hex"])
    assert (answer.status, answer.all("Retry-After"), answer.set_cookies) == (503, ["1"], [])
    assert site.visit(everything, HEADERS["hex"]).value == {"a": 1}


def test_a_value_that_cannot_be_saved_says_so(site_of: SiteOf) -> None:
    """Every use of the session in the request raises an error that names the key."""
    site = site_of([HexSignatureCookie("sid", keys=["secret"], load=lambda _: {"a": object()})])

    def use_twice(session: Session) -> None:
        for _ in range(2):
            with pytest.raises(SessionError, match=r"session\['a'\] cannot be saved"):
                session.get("a")
        raise LookupError("of the application")

    with pytest.raises(LookupError):
        site.visit(use_twice, HEADERS["hex"])


def test_a_session_error_of_load_is_not_wrapped(site_of: SiteOf) -> None:
    """The error keeps its own Retry-After."""
    error = StoreUnavailable("the old system is closed for an hour")
    error.retry_after = 3_600

    def load(content: Any) -> None:
        raise error

    site = site_of([HexSignatureCookie("sid", keys=["secret"], load=load)])

    assert site.visit(everything, HEADERS["hex"]).all("Retry-After") == ["3600"]


@pytest.mark.parametrize("result", ["ada", 1, LegacySession(user_id=""), [("a", 1)]], ids=repr)
def test_a_wrong_result_says_so(site_of: SiteOf, result: Any) -> None:
    """The error says what `load` may return."""
    site = site_of([HexSignatureCookie("sid", keys=["secret"], load=lambda _: result)])

    with pytest.raises(TypeError, match=r"Fix: (return|give)"):
        site.visit(everything, HEADERS["hex"])


def test_a_raw_cookie_header_finds_the_session(site: Site) -> None:
    """from_cookie() in a program moves the session as a request does."""
    session = _of(site.manager, HEADERS["keygrip"])

    assert session is not None
    assert user_and_values(session) == ("ada", {"items": "Dog"})
    assert _of(site.manager, BAD["no signature"]) is None


def test_no_secret_is_shown(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """No event, no log line and no repr shows a secret."""
    with caplog.at_level(logging.DEBUG, "sessions"):
        for header in [*HEADERS.values(), BAD["no signature"], payload_cookie([1])]:
            site.visit(everything, header)

    shown = f"{site.events!r} {site.container.legacy_cookies!r} {caplog.text}"
    for secret in ("A" * 40, "abc123", UUID, PAYLOAD, "key1", "secretkey", "Dog"):
        assert secret not in shown


def _of(manager: SessionManager, header: str) -> Session | None:
    return manager.from_cookie(header)


def test_the_attributes_of_the_old_cookie_are_those_of_the_deletion(old: OldSystem) -> None:
    """Otherwise the browser would keep the cookie; over https it may be Secure."""
    cookie = HexSignatureCookie(
        "sid", keys=["secret"], load=old.load, path="/shop", domain="shop.example"
    )
    manager = SessionManager(
        SessionContainer(keys=["a key of the tests, 32 bytes and more"], legacy_cookies=[cookie])
    )
    session = manager.from_cookie(HEADERS["hex"])
    assert session is not None
    assert session["items"] == "Dog"

    texts = [value for name, value in manager.close(session) if name == "Set-Cookie"]

    expected = "sid=; Max-Age=0; Path=/shop; Domain=shop.example; Secure"
    assert texts[1:] == [expected, expected.replace("sid", "sid_sig")]
