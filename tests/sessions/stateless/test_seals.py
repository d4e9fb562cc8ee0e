"""The seal of a token: which tokens are accepted."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions import Session, SessionManager
from sessions.core import payloads
from sessions.core.ids import new_id, random_secret
from sessions.stateless import SignedToken, TokenFormat
from sessions.testing import ManualClock, a_record
from tests.sessions.stateless.conftest import KINDS, SiteMaker
from tests.support.apps import KEY, Site, everything, writes
from tests.support.thoroughness import examples

NEW = "a newer key of the tests, 32 bytes and more"
OTHER = "a key of somebody else, 32 bytes and more"
DAY = timedelta(days=1)


def value_of(cookie: str) -> str:
    """Return the token in a cookie."""
    return cookie.partition("=")[2]


@given(data=st.data())
@settings(max_examples=examples(150))
def test_any_flipped_bit_is_rejected(data: st.DataObject, kind: TokenFormat) -> None:
    """The session is empty, an event tells of it, and there is no exception."""
    site = Site(kind, ManualClock())
    token = value_of(site.visit(writes(a="secret")).cookie).encode()
    place = data.draw(st.integers(0, len(token) - 1))
    flipped = token[place] ^ (1 << data.draw(st.integers(0, 6)))
    changed = token[:place] + bytes((flipped,)) + token[place + 1 :]

    answer = site.visit(everything, f"session={changed.decode()}")

    assert (answer.status, answer.value) == (200, {})


@given(data=st.data())
@settings(max_examples=examples(100))
def test_any_flipped_bit_under_the_base64_is_rejected(data: st.DataObject) -> None:
    """Each bit of the sealed bytes is authenticated."""
    pytest.importorskip("cryptography")
    site = Site(KINDS["encrypted"](), ManualClock())
    token = value_of(site.visit(writes(a="secret")).cookie)
    sealed = bytearray(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    changed = urlsafe_b64encode(sealed).rstrip(b"=").decode()

    assert site.visit(everything, f"session={changed}").value == {}
    assert site.told[-1] == "rejected"


@pytest.mark.parametrize("keys", [[KEY], [NEW, KEY]])
def test_the_first_key_signs(keys: list[str], clock: ManualClock) -> None:
    """The test computes the exact signature from its definition."""
    site = Site(SignedToken(), clock, keys=keys, session_prefix="shop")
    text, _, signature = value_of(site.visit(writes(a=1)).cookie).partition(".")

    derived = hmac.digest(keys[0].encode(), b"signed session token:shop", "sha256")
    expected = urlsafe_b64encode(hmac.digest(derived, text.encode(), "sha256"))
    assert signature == expected.decode().rstrip("=")


def test_every_truncation_is_rejected(site: Site) -> None:
    """A token of every shorter length, and one that is a character longer, is refused."""
    token = value_of(site.visit(writes(a=1)).cookie)
    wrong = [token[:length] for length in range(1, len(token))]
    wrong += [token[length:] for length in range(1, len(token))]
    wrong += [f"{token}A", f"{token}=", f"A{token}", f"{token}.{token}"]

    assert all(site.manager.from_token(text) is None for text in wrong)
    assert site.manager.from_token(token) is not None


@given(text=st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
@settings(max_examples=examples(200))
def test_no_text_breaks_the_reader(text: str, kind: TokenFormat) -> None:
    """A text that is not a token gives no session, and no exception."""
    manager = SessionManager(Site(kind, ManualClock()).container)

    assert manager.from_token(text) is None


@pytest.mark.parametrize("text", ["\ud800" * 80, "é" * 80, "=" * 80, "A" * 1_000_000, ".", ""])
def test_odd_texts_are_not_tokens(site: Site, text: str) -> None:
    """Examples are lone surrogates, letters outside of ASCII, and very long texts."""
    assert site.manager.from_token(text) is None


def test_each_token_has_one_spelling(site: Site) -> None:
    """Unused bits, padding and white space are refused."""
    token = value_of(site.visit(writes(a=1)).cookie)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    others = [token[:-1] + letter for letter in alphabet if letter != token[-1]]

    assert all(site.manager.from_token(other) is None for other in others)
    assert all(
        site.manager.from_token(other) is None
        for other in (f" {token}", f"{token}\n", token[:9] + " " + token[9:], f"{token}==")
    )


def test_an_old_key_opens_and_the_newest_seals(make_site: SiteMaker) -> None:
    """A token of an old key is valid, and the next token is made with the newest key."""
    token = make_site().visit(writes(a=1)).cookie
    rotated = make_site(keys=[NEW, KEY])

    assert rotated.visit(everything, token).value == {"a": 1}
    renewed = rotated.visit(writes(b=2), token).cookie

    assert make_site(keys=[NEW]).visit(everything, renewed).value == {"a": 1, "b": 2}
    assert make_site().visit(everything, renewed).value == {}


def test_a_read_seals_anew_with_the_next_use_that_is_written_down(
    make_site: SiteMaker, clock: ManualClock
) -> None:
    """So an old key can be removed some time after its replacement."""
    browser = make_site().browser()
    browser.visit(writes(a=1))
    browser.site = make_site(keys=[NEW, KEY])
    clock.advance(60)

    browser.visit(everything)

    assert make_site(keys=[NEW]).visit(everything, browser.cookie).value == {"a": 1}


def test_a_foreign_key_is_anonymous(make_site: SiteMaker) -> None:
    """A token of an unknown key gives no session, and an event says so."""
    token = make_site(keys=[OTHER]).visit(writes(a=1)).cookie
    site = make_site()

    assert site.visit(everything, token).value == {}
    assert site.told == ["rejected"]


def test_the_token_of_another_name_is_not_accepted(make_site: SiteMaker) -> None:
    """Two containers with the same keys and other prefixes do not share sessions."""
    token = value_of(make_site(session_prefix="shop").visit(writes(a=1)).cookie)
    site = make_site(session_prefix="admin")

    assert site.visit(everything, f"admin={token}").value == {}


@pytest.mark.parametrize("made", KINDS)
@pytest.mark.parametrize("read", KINDS)
def test_each_kind_reads_only_its_own_tokens(made: str, read: str, clock: ManualClock) -> None:
    """In particular, encrypted tokens are required where sessions are encrypted."""
    cookie = Site(KINDS[made](), clock).visit(writes(a=1)).cookie

    found = Site(KINDS[read](), clock).visit(everything, cookie).value

    assert found == ({"a": 1} if made == read else {})


def test_a_plain_record_is_refused(site: Site) -> None:
    """A record without a signature is refused, and so are other bytes in place of the signature."""
    plain = payloads.packed(new_id(random_secret), a_record(ManualClock()))
    text = urlsafe_b64encode(plain).rstrip(b"=").decode()

    for wrong in (text, f"{text}.", f"{text}.{'A' * 43}", f".{text}"):
        assert site.manager.from_token(wrong) is None


def test_equal_sessions_have_different_tokens() -> None:
    """Two encrypted tokens of equal sessions are different."""
    pytest.importorskip("cryptography")
    site = Site(KINDS["encrypted"](), ManualClock())
    session = site.manager.create({"a": 1})
    seal = KINDS["encrypted"]().sealer([KEY], "session").seal
    found = site.manager.from_token(site.manager.token(session))
    assert found is not None
    id, record = new_id(random_secret), a_record(ManualClock())

    tokens = {seal(id, record) for _ in range(100)}

    assert len(tokens) == 100
    # Not even their beginnings are equal, but for the version.
    assert len({token[4:20] for token in tokens}) == 100


def test_the_encrypted_token_shows_nothing() -> None:
    """The values, the user and the id cannot be read; in a signed token they can."""
    pytest.importorskip("cryptography")

    def secret(session: Session) -> str:
        session.set_user("ada.lovelace")
        session["note"] = "a very private note"
        return session.id

    for kind, is_readable in ((KINDS["encrypted"](), False), (SignedToken(), True)):
        answer = Site(kind, ManualClock()).visit(secret)
        text = value_of(answer.cookie).partition(".")[0]
        plain = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        for word in (b"ada.lovelace", b"a very private note", answer.value.encode()):
            assert (word in plain) is is_readable
