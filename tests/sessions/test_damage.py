"""Records that cannot be read: their session begins again, and all others go on."""

import logging
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sessions import Session, SQLiteStore
from sessions.core.codec import encode
from sessions.core.ids import new_id, random_secret
from sessions.core.signing import IdSigner
from sessions.record import FORMAT_VERSION
from sessions.testing import ManualClock, a_record, loaded_from, some_changes
from tests.support.apps import KEY, Browser, Handler, Site, everything, in_turn, writes
from tests.support.watched import WatchedStore

# Of encrypted sessions, tests/sessions/encryption has the same.
pytestmark = pytest.mark.plain_values

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
    key = browser.visit(lambda s: (s.update(a=1, b=2), s.handle)).value[1]
    secret = loaded_from(browser.site.store, key).secret
    damage = some_changes(clock, secret=secret, set={"a": b"\xc1 no value"})
    browser.site.store.commit(key, damage)
    browser.site.store_calls().clear()
    browser.site.events.clear()
    return browser


def with_version(site: Site, clock: ManualClock, version: int) -> Browser:
    """Return a browser whose session was stored by a release of another format."""
    made = new_id(random_secret)
    record = a_record(clock, {"a": encode(1)}, secret=made.secret, version=version)
    site.store.create(made.key, record)
    site.store_calls().clear()
    browser = site.browser()
    browser.cookie = f"session={SIGNER.sign(made.text)}"
    return browser


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_damaged_value_resets_its_session(customer: Browser, read: Handler) -> None:
    """A reader sees an empty session, and no cookie is set or cleared."""
    answer = customer.visit(lambda session: (read(session), dict(session)))

    assert answer.value[0] is None
    assert "b" not in answer.value[1]
    assert answer.status == 200


def test_a_damaged_value_raises_keyerror_where_a_missing_one_does(customer: Browser) -> None:
    """The errors are the same as for a session without the key."""

    def handler(session: Session) -> None:
        with pytest.raises(KeyError, match="a"):
            session["a"]

    assert customer.visit(handler).set_cookies == []


@pytest.mark.parametrize(
    "look",
    [lambda s: "a" in s and s["a"], everything, lambda s: list(s.items()), lambda s: s == {}],
    ids=["in", "dict", "items", "comparison"],
)
def test_a_damaged_value_is_not_in_the_session(customer: Browser, look: Handler) -> None:
    """The first access raises no KeyError, which would make every later request fail too."""
    assert not customer.visit(in_turn(look, everything)).value
    assert customer.site.told == ["unreadable"]


def test_damage_is_reported_once(customer: Browser, caplog: pytest.LogCaptureFixture) -> None:
    """There is one event in a request."""
    customer.visit(lambda session: [session.get("a") for _ in range(3)])

    assert customer.site.told == ["unreadable"]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "10 stored bytes cannot be decoded to a value" in record.getMessage()


def test_writes_after_the_damage_go_to_a_new_session(customer: Browser) -> None:
    """The new session has a new id, and the damaged record stays as it is."""
    before = customer.cookie

    answer = customer.visit(lambda session: (session.get("a"), session.update(c=3)))

    assert len(answer.set_cookies) == 1
    assert customer.cookie != before
    assert customer.holds() == {"c": 3}
    assert customer.site.store.writes == ["create"]


def test_writes_before_the_damage_was_found_are_kept(customer: Browser) -> None:
    """The write goes to the new session, and is not lost."""
    answer = customer.visit(lambda session: (session.update(c=3), session.get("a")))

    assert answer.value[1] is None
    assert customer.holds() == {"c": 3}


def test_values_beside_a_damaged_value_can_be_read(customer: Browser) -> None:
    """Only touched values are decoded."""
    assert customer.visit(lambda session: session["b"]).value == 2
    assert customer.site.told == []


def test_other_sessions_are_fine(customer: Browser) -> None:
    """The damage affects only one session."""
    other = customer.site.browser()
    other.visit(writes(a=1))
    customer.visit(lambda session: session.get("a"))

    assert other.holds() == {"a": 1}


def test_a_damaged_session_can_be_ended(customer: Browser) -> None:
    """destroy() removes the record, before and after the damage was found."""
    answer = customer.visit(in_turn(lambda session: session.get("a"), Session.destroy))

    assert answer.clears
    assert customer.site.store.writes == ["delete"]


@pytest.mark.parametrize("version", [0, FORMAT_VERSION])
def test_known_formats_open(site: Site, clock: ManualClock, version: int) -> None:
    """Records of older releases can be read and written."""
    browser = with_version(site, clock, version)

    browser.visit(writes(b=2))

    assert browser.holds() == {"a": 1, "b": 2}


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, 1000])
def test_an_unknown_newer_format_is_anonymous(site: Site, clock: ManualClock, version: int) -> None:
    """There is no error, and the record stays for the newer release."""
    browser = with_version(site, clock, version)
    newer = browser.cookie

    answer = browser.visit(everything)
    browser.visit(writes(b=2))

    assert (answer.value, answer.set_cookies) == ({}, [])
    assert site.told == ["unreadable", "unreadable", "created"]
    assert browser.cookie != newer
    assert site.store.writes == ["create"]
    assert browser.holds() == {"b": 2}


COLUMNS = [
    "version",
    "created_at",
    "accessed_at",
    "updated_at",
    "expires_at",
    "timeout",
    "user_id",
    "secret",
    "secret_since",
    "grace_secret",
    "grace_until",
    "data",
]
DAMAGE = {"bytes": "x'C1FF'", "no text": "CAST(x'FFFE' AS TEXT)", "nothing": "NULL"}
DAMAGED_COLUMNS = [
    (column, damage)
    for column in COLUMNS
    for damage in DAMAGE.values()
    # A session without a user or a timeout of its own is not damaged.
    if damage != "NULL" or column not in ("timeout", "user_id")
]
TIMES = ["created_at", "last_access", "last_update", "expires_at", "timeout"]


class TestDamagedColumns:
    """If any column of a row is damaged, the session begins again, and there is no 500."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """Return where the database goes."""
        return tmp_path / "damaged.db"

    @pytest.fixture
    def member(self, path: Path, clock: ManualClock) -> Browser:
        """Return a browser whose session has a user, a timeout and a grace in a SQLite file."""
        site = Site(WatchedStore(SQLiteStore(path, clock=clock)), clock)
        browser = site.browser()
        browser.visit(sign_in)
        browser.visit(lambda session: session.regenerate(grace=timedelta(minutes=1)))
        site.events.clear()
        return browser

    @pytest.mark.parametrize(("column", "damage"), DAMAGED_COLUMNS)
    def test_a_damaged_session_begins_again_with_an_event(
        self, member: Browser, path: Path, column: str, damage: str
    ) -> None:
        """The next request finds new values, and other sessions are unchanged."""
        other = member.site.browser()
        other.visit(writes(b=2))
        member.site.events.clear()
        damage_column(path, column, damage, member)

        read = member.visit(lambda session: (dict(session), session.user_id))
        member.visit(writes(c=3))

        assert (read.status, read.value, read.set_cookies) == (200, ({}, None), [])
        assert member.site.told == ["unreadable", "unreadable", "created"]
        assert (member.holds(), other.holds()) == ({"c": 3}, {"b": 2})

    @pytest.mark.parametrize("seconds", ["1e15", "1e300", "9e999", "-9e18"])
    @pytest.mark.parametrize("column", ["created_at", "accessed_at", "updated_at", "timeout"])
    def test_an_impossible_stored_time_is_not_an_error(
        self, member: Browser, path: Path, column: str, seconds: str
    ) -> None:
        """The attributes have other times, and the session can be written."""
        damage_column(path, column, seconds, member)

        seen = member.visit(lambda session: [getattr(session, name) for name in TIMES])
        member.visit(writes(c=3))

        assert (seen.status, len(seen.value)) == (200, len(TIMES))
        assert member.holds()["c"] == 3

    @pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
    @pytest.mark.parametrize("column", ["secret", "expires_at", "data"])
    @pytest.mark.parametrize("end", [Session.destroy, Session.clear_user])
    def test_a_session_with_damaged_times_can_be_ended(
        self, member: Browser, path: Path, column: str, damage: str, end: Handler
    ) -> None:
        """A logout works, and the next sign-in has a session."""
        damage_column(path, column, damage, member)

        ended = member.visit(end)
        member.visit(sign_in)

        assert ended.status == 200
        assert member.visit(lambda session: session.user_id).value == "ada"


def sign_in(session: Session) -> None:
    """Sign ada in, with a timeout of her own."""
    session.set_user("ada")
    session.timeout = timedelta(hours=48)
    session["a"] = 1


def damage_column(path: Path, column: str, damage: str, browser: Browser) -> None:
    """Replace the value of one column in the browser's row."""
    key = browser.visit(lambda session: session.handle).value
    browser.site.events.clear()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        changed = connection.execute(
            f"UPDATE sessions SET {column} = {damage} WHERE key = ?",  # noqa: S608
            (key,),
        )
        assert changed.rowcount == 1
