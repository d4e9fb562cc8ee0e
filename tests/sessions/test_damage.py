"""Records that cannot be read: that session resets, the others go on."""

import logging

import pytest

from sessions import Session
from sessions.codec import encode
from sessions.record import FORMAT_VERSION, random_id, storage_key
from sessions.signing import IdSigner
from sessions.specimens import a_record, some_changes
from sessions.testing import ManualClock
from tests.sessions.apps import KEY, Browser, Handler, Site, everything, in_turn, writes

SIGNER = IdSigner([KEY], purpose="session id:session")

READS: dict[str, Handler] = {
    "get": lambda session: session.get("a"),
    "get with a default": lambda session: session.get("a", None),
    "pop": lambda session: session.pop("a", None),
    "setdefault": lambda session: session.setdefault("a", None),
}


@pytest.fixture
def customer(browser: Browser, clock: ManualClock) -> Browser:
    """Return a browser whose session holds two values, one of them damaged."""
    session_id = browser.visit(lambda s: (s.update(a=1, b=2), s.id)).value[1]
    damage = some_changes(clock, set={"a": b"\xc1 no value"})
    browser.site.store.commit(storage_key(session_id), damage)
    browser.site.store_calls().clear()
    browser.site.events.clear()
    return browser


def with_version(site: Site, clock: ManualClock, version: int) -> Browser:
    """Return a browser whose session was stored by a release of another format."""
    session_id = random_id()
    record = a_record(clock, {"a": encode(1)})
    record.version = version
    site.store.create(storage_key(session_id), record)
    site.store_calls().clear()
    browser = site.browser()
    browser.cookie = f"session={SIGNER.sign(session_id)}"
    return browser


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_s87_a_damaged_value_resets_its_session(customer: Browser, read: Handler) -> None:
    """To a reader it is a session without data; no cookie is sent or cleared."""
    answer = customer.visit(lambda session: (read(session), dict(session)))

    assert answer.value[0] is None
    assert "b" not in answer.value[1]
    assert answer.status == 200


def test_s87_a_damaged_value_raises_keyerror_where_a_missing_one_does(customer: Browser) -> None:
    """No other error than a session without the key raises."""

    def handler(session: Session) -> None:
        with pytest.raises(KeyError, match="a"):
            session["a"]

    assert customer.visit(handler).set_cookies == []


@pytest.mark.parametrize(
    "look",
    [lambda s: "a" in s and s["a"], everything, lambda s: list(s.items()), lambda s: s == {}],
    ids=["in", "dict", "items", "comparison"],
)
def test_s87_a_damaged_value_is_not_there(customer: Browser, look: Handler) -> None:
    """Whoever asks first gets no KeyError, with which every request would fail again."""
    assert not customer.visit(in_turn(look, everything)).value
    assert customer.site.told == ["unreadable"]


def test_s87_the_damage_is_told_once(customer: Browser, caplog: pytest.LogCaptureFixture) -> None:
    """However often the request asks."""
    customer.visit(lambda session: [session.get("a") for _ in range(3)])

    assert customer.site.told == ["unreadable"]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "10 stored bytes are no value" in record.getMessage()


def test_s87_what_is_written_then_is_another_session(customer: Browser) -> None:
    """With a new id; the damaged record is left as it is, for whoever looks into it."""
    before = customer.cookie

    answer = customer.visit(lambda session: (session.get("a"), session.update(c=3)))

    assert len(answer.set_cookies) == 1
    assert customer.cookie != before
    assert customer.holds() == {"c": 3}
    assert customer.site.store.writes == ["create"]


def test_s87_what_was_written_before_the_damage_was_seen_is_kept(customer: Browser) -> None:
    """In the new session: a write never vanishes."""
    answer = customer.visit(lambda session: (session.update(c=3), session.get("a")))

    assert answer.value[1] is None
    assert customer.holds() == {"c": 3}


def test_s87_the_values_beside_it_can_be_read(customer: Browser) -> None:
    """Only touched values are decoded."""
    assert customer.visit(lambda session: session["b"]).value == 2
    assert customer.site.told == []


def test_s87_other_sessions_are_fine(customer: Browser) -> None:
    """The damage is one session's."""
    other = customer.site.browser()
    other.visit(writes(a=1))
    customer.visit(lambda session: session.get("a"))

    assert other.holds() == {"a": 1}


def test_s87_a_damaged_session_can_be_ended(customer: Browser) -> None:
    """Its record is removed, before and after the damage was seen."""
    answer = customer.visit(in_turn(lambda session: session.get("a"), Session.destroy))

    assert answer.clears
    assert customer.site.store.writes == ["delete"]


@pytest.mark.parametrize("version", [0, FORMAT_VERSION])
def test_s86_known_formats_open(site: Site, clock: ManualClock, version: int) -> None:
    """Also those of older releases, and they can be written on."""
    browser = with_version(site, clock, version)

    browser.visit(writes(b=2))

    assert browser.holds() == {"a": 1, "b": 2}


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, 1000])
def test_s86_an_unknown_newer_format_is_anonymous(
    site: Site, clock: ManualClock, version: int
) -> None:
    """Not a crash; the record stays for the release that knows it."""
    browser = with_version(site, clock, version)
    newer = browser.cookie

    answer = browser.visit(everything)
    browser.visit(writes(b=2))

    assert (answer.value, answer.set_cookies) == ({}, [])
    assert site.told == ["unreadable", "unreadable", "created"]
    assert browser.cookie != newer
    assert site.store.writes == ["create"]
    assert browser.holds() == {"b": 2}
