"""Neither a copy of the store nor a copy of the store and the server's keys opens a session."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sessions import Record, Session, SQLiteStore
from sessions.core.codec import encode
from sessions.testing import ManualClock
from tests.support.apps import KEY, Browser, Site, in_turn, writes
from tests.support.encrypting import NEW, id_of, kept_for, wrapped_names
from tests.support.loops import a_head
from tests.support.users import signs_in
from tests.support.watched import WatchedStore

SECRETS = ("a very private text", "an address of Ada's")
PURPOSE = b"session data key:session"


def test_a_store_sees_no_value(browser: Browser) -> None:
    """Neither a value of the session nor what set_user() was told."""
    browser.visit(in_turn(writes(note=SECRETS[0]), signs_in("ada", address=SECRETS[1])))

    stored = b"".join(kept_for(browser).values.values())

    assert not any(text.encode() in stored for text in SECRETS)
    assert browser.holds() == {"note": SECRETS[0]}


def test_each_commit_gives_the_store_sealed_values_only(customer: Browser) -> None:
    """This holds for every verb that commits."""
    customer.visit(writes(plain=1))
    customer.visit(in_turn(lambda s: s.increment("count"), writes(saved=2), Session.save))
    customer.visit(lambda session: session.take("saved"))

    commits = customer.site.store.commits
    known = [value for changes in commits for value in changes.expected.values() if value]
    sealed = chain.from_iterable(changes.set.values() for changes in commits)

    assert len(commits) == 4
    assert all(value.startswith(b"\xc1\x01") for value in [*known, *sealed])


def test_a_normal_write_is_not_reported_as_late(
    customer: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """The stored values are sealed, so the check for late changes compares the plain values."""
    manager = customer.site.manager
    session = manager.open(a_head(customer.cookie))
    session["cart"].append("milk")
    manager.close(session)
    manager.report_late_changes(session)

    assert caplog.messages == []


def test_no_page_of_a_database_holds_a_value(tmp_path: Path, clock: ManualClock) -> None:
    """No file has a plain value, not even one that was changed or removed since."""
    store = SQLiteStore(tmp_path / "sessions.db", clock=clock)
    browser = Site(WatchedStore(store), clock, encryption_keys=[NEW]).browser()

    browser.visit(writes(note=SECRETS[0], more=SECRETS[1]))
    browser.visit(in_turn(writes(note="short"), lambda session: session.pop("more")))

    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not any(text.encode() in files for text in SECRETS)
    with closing(sqlite3.connect(tmp_path / "sessions.db")) as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (1,)


def test_the_record_and_the_keys_of_the_server_open_nothing(customer: Browser) -> None:
    """No key that a thief can derive from both opens a sealed text; with the id, a key does."""
    record, id = kept_for(customer), id_of(customer)
    name = next(iter(wrapped_names(customer)))
    place = b"\xc1\x01" + id.key.encode() + name.encode()

    opened = [key for key in thief_keys(record, id.key) if opens(key, record.values[name], place)]

    assert opened == []
    assert opens(key_from(NEW.encode(), id.text.encode()), record.values[name], place)


def test_no_sealed_text_opens_with_a_key_of_the_server(customer: Browser) -> None:
    """Each value is sealed with the random data key of its session."""
    record, id = kept_for(customer), id_of(customer)

    for name, sealed in record.values.items():
        place = b"\xc1\x01" + id.key.encode() + name.encode()
        assert not any(opens(key, sealed, place) for key in thief_keys(record, id.key))


def test_the_id_without_a_key_of_the_server_opens_nothing(customer: Browser) -> None:
    """A thief with the store and the cookie still needs a key of the server."""
    other = Site(customer.site.store, customer.site.store.clock, encryption_keys=[NEW[::-1]])
    other.events.clear()

    assert other.visit(dict, customer.cookie).value == {}
    assert other.told == ["unreadable"]


def test_equal_values_are_sealed_differently(customer: Browser) -> None:
    """The sealed texts of two sessions, and of two writes in one session, differ."""
    other = customer.site.browser()
    other.visit(writes(count=0))
    before = kept_for(customer).values["count"]
    customer.visit(writes(count=1))
    customer.visit(writes(count=0))

    assert len({before, kept_for(customer).values["count"], kept_for(other).values["count"]}) == 3


def test_two_sessions_have_two_data_keys(customer: Browser) -> None:
    """A data key opens only one session."""
    other = customer.site.browser()
    other.visit(writes(count=0))

    assert data_key(customer) != data_key(other)


def test_the_size_limit_counts_plain_values(browser: Browser) -> None:
    """Encryption does not reduce the limit of 64 KiB."""
    # A name of one byte, and three bytes before the text.
    text = "x" * (64 * 1024 - 1 - 3)
    assert len(encode(text)) == 64 * 1024 - 1

    browser.visit(writes(a=text))

    assert browser.holds() == {"a": text}


def data_key(browser: Browser) -> bytes:
    """Return the data key of a browser's session, from its id, its record and the server's key."""
    id = id_of(browser)
    (name,) = wrapped_names(browser)
    sealed = kept_for(browser).values[name]
    cipher = AESGCM(key_from(NEW.encode(), id.text.encode()))
    return cipher.decrypt(sealed[2:14], sealed[14:], b"\xc1\x01" + id.key.encode() + name.encode())


def key_from(salt: bytes, text: bytes) -> bytes:
    """Return the key that HKDF derives."""
    return HKDF(SHA256(), 32, salt=salt, info=PURPOSE).derive(text)


def thief_keys(record: Record, key: str) -> Iterator[bytes]:
    """Yield the keys that a thief can derive from a record and the server's keys."""
    known = [key, record.secret, key + record.secret, record.secret + key, "ada", ""]
    texts = [text.encode() for text in known]
    texts += [bytes.fromhex(key), bytes.fromhex(record.secret), *record.values.values()]
    for server in (NEW.encode(), KEY.encode()):
        yield hash_of(server)
        for text in texts:
            yield key_from(server, text)
            yield key_from(text, server)


def hash_of(data: bytes) -> bytes:
    """Return the hash of a key."""

    return hashlib.sha256(data).digest()


def opens(key: bytes, sealed: bytes, place: bytes) -> bool:
    """Return whether a key opens a sealed text."""
    try:
        AESGCM(key).decrypt(sealed[2:14], sealed[14:], place)
    except InvalidTag:
        return False
    return True


@pytest.mark.parametrize("name", ["sealed", "\0", "\0sealed", "", "\0user_dat"])
def test_other_names_are_free(browser: Browser, name: str) -> None:
    """Only names that begin as the reserved names do are refused."""
    browser.visit(writes(**{name: 1}))

    assert browser.holds() == {name: 1}
