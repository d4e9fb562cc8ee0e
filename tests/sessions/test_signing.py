"""Tokens: only the exact text that one of the keys signed for this purpose is accepted."""

import hashlib
import hmac
import itertools
import sys
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions import CookieSettings, MemoryStore, Session
from sessions.core.ids import LONGEST_ID, SHORTEST_ID, new_id, random_secret, read_id
from sessions.core.limits import REMEMBERED_TOKENS
from sessions.core.signing import IdSigner, Signature
from sessions.core.tokens import SignedIds
from sessions.testing import ManualClock
from sessions.transports.cookie import CookieTransport
from tests.support.apps import Site, session_of, writes
from tests.support.watched import WatchedStore

NEW = "the newest key, 32 bytes and more of it"
OLD = b"an older key as bytes: \x00\xff, 32 and more"
LOST = "a key that was removed, 32 bytes and more"
ID = "an-id_of_44_characters_0123456789ABCDEFGHIJK"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture
def store() -> WatchedStore:
    """Return an empty store, with its calls counted."""
    return WatchedStore(MemoryStore(clock=ManualClock()))


def signature(key: str | bytes, session_id: str, purpose: str) -> str:
    """Compute a signature from its definition: HMAC-SHA256 with a key derived for the purpose."""
    secret = key.encode() if isinstance(key, str) else key
    derived = hmac.new(secret, purpose.encode(), hashlib.sha256).digest()
    signed = hmac.new(derived, session_id.encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(signed).decode().rstrip("=")


def a_signer(*keys: str | bytes, purpose: str = "tests") -> IdSigner:
    """Make a signer with the keys, the newest by default."""
    return IdSigner(keys or (NEW,), purpose=purpose)


def a_site(store: WatchedStore, *keys: str | bytes, prefix: str = "session") -> Site:
    """Make a site whose container has the keys."""
    return Site(store, ManualClock(), keys=keys, session_prefix=prefix)


def remember_id(session: Session) -> str:
    """Write to the session and return its id."""
    session["a"] = 1
    return session.id


def value_of(site: Site, cookie: str) -> object:
    """Return the session's value of `a` behind the cookie."""
    return site.visit(lambda session: session.get("a"), cookie).value


def test_the_first_key_signs() -> None:
    """The test computes the exact signature from its definition."""
    token = a_signer(NEW, OLD).sign(ID)

    assert token == f"{ID}.{signature(NEW, ID, 'tests')}"


@pytest.mark.parametrize("keys", [[NEW], [NEW, OLD], [NEW, OLD, LOST], [OLD, NEW]])
def test_the_cookie_is_signed_by_the_newest_key(
    store: WatchedStore, keys: list[str | bytes]
) -> None:
    """The first key signs, for the purpose that the prefix names."""
    answer = a_site(store, *keys, prefix="shop").visit(remember_id)

    signed = signature(keys[0], answer.value, "session id:shop")
    assert answer.cookie == f"shop={answer.value}.{signed}"


def test_every_key_verifies() -> None:
    """Each key verifies, at any place in the list."""
    every: list[str | bytes] = [NEW, OLD, LOST]
    for keys in itertools.permutations(every):
        for key in keys:
            assert a_signer(*keys).unsign(a_signer(key).sign(ID)) == read_id(ID)


def test_a_key_that_is_not_ours_does_not_verify() -> None:
    """The request has no session, and there is no error."""
    assert a_signer(NEW, OLD).unsign(a_signer(LOST).sign(ID)) is None


def test_a_cookie_of_an_old_key_is_signed_again_when_next_sent(store: WatchedStore) -> None:
    """The cookie works, and its next renewal has the newest signature."""
    old_cookie = a_site(store, OLD).visit(writes(a=1)).cookie
    site = a_site(store, NEW, OLD)

    assert value_of(site, old_cookie) == 1
    assert site.visit(writes(a=2), old_cookie).set_cookies == []
    sent = site.visit(lambda session: session.regenerate(), old_cookie)
    session_id, _, signed = sent.cookie.removeprefix("session=").partition(".")
    assert signed == signature(NEW, session_id, "session id:session")
    assert value_of(a_site(store, NEW), sent.cookie) == 2


def test_a_cookie_of_a_removed_key_is_anonymous(store: WatchedStore) -> None:
    """The request has no session, and the store is not asked."""
    cookie = a_site(store, LOST).visit(writes(a=1)).cookie
    site = a_site(store, NEW, OLD)

    assert value_of(site, cookie) is None
    assert site.told == ["rejected"]
    assert store.calls == ["create"]


def test_any_flipped_bit_is_rejected() -> None:
    """The bits of the id, the separator and the signature all count."""
    signer = a_signer()
    token = signer.sign(ID)

    for position, bit in itertools.product(range(len(token)), range(8)):
        flipped = chr(ord(token[position]) ^ (1 << bit))
        changed = token[:position] + flipped + token[position + 1 :]
        assert signer.unsign(changed) is None, changed


def test_other_spellings_of_a_signature_are_refused() -> None:
    """Two bits of the last character are unused, and must be zero."""
    signer = a_signer()
    token = signer.sign(ID)

    accepted = [last for last in ALPHABET if signer.unsign(token[:-1] + last)]

    assert accepted == [token[-1]]


VARIANTS = {
    "padded": "{token}=",
    "percent": "%41{token}",
    "white space before": " {token}",
    "white space after": "{token} ",
    "a line feed": "{token}\n",
    "quoted": '"{token}"',
    "twice": "{token}.{token}",
    "an empty part": "{id}..{signature}",
    "no signature": "{id}",
    "an empty signature": "{id}.",
    "no id": ".{signature}",
    "signature first": "{signature}.{id}",
    "a shorter signature": "{id}.{short}",
    "a signature of a signature": "{id}.{signature}.{signature}",
    "another separator": "{id}:{signature}",
    "full width": "\uff21{token}",
    "nothing": "",
}


@pytest.mark.parametrize("form", VARIANTS.values(), ids=VARIANTS)
def test_variants_of_a_token_are_refused(form: str) -> None:
    """Every variant is refused without an exception."""
    signer = a_signer()
    signed = signature(NEW, ID, "tests")
    parts = {"token": f"{ID}.{signed}", "id": ID, "signature": signed, "short": signed[:-1]}

    assert signer.unsign(f"{ID}.{signed}") == read_id(ID)
    assert signer.unsign(form.format(**parts)) is None


@pytest.mark.parametrize(
    "unfit",
    [
        "short",
        "a" * (SHORTEST_ID - 1),
        "a" * (LONGEST_ID + 1),
        "a" * SHORTEST_ID + ".b",
        "a" * SHORTEST_ID + "é",
    ],
    ids=["short", "shorter", "longer", "another character", "a letter beyond ASCII"],
)
def test_a_signed_text_that_is_not_an_id_is_rejected(unfit: str) -> None:
    """The signature alone is not enough."""
    assert a_signer().unsign(f"{unfit}.{signature(NEW, unfit, 'tests')}") is None


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    """Any other text is refused without an exception."""
    assert a_signer().unsign(text) is None


@given(st.from_regex(r"[A-Za-z0-9_-]{44,150}", fullmatch=True))
def test_every_signed_id_is_verified(session_id: str) -> None:
    """This holds for every possible id."""
    assert a_signer().unsign(a_signer().sign(session_id)) == read_id(session_id)


@pytest.mark.parametrize(
    "purpose", ["session id:shop", "tests ", "test", "", "tests\0", "flash:tests"]
)
def test_a_token_of_another_purpose_is_rejected(purpose: str) -> None:
    """The key is the same, but the purpose is another."""
    assert a_signer().unsign(a_signer(purpose=purpose).sign(ID)) is None


def test_a_cookie_of_another_name_is_not_accepted(store: WatchedStore) -> None:
    """Two applications share keys and store, and one gets the other's token."""
    shop = a_site(store, NEW, prefix="shop")
    blog = a_site(store, NEW, prefix="blog")
    token = shop.visit(writes(a=1)).cookie.removeprefix("shop=")

    assert value_of(shop, f"shop={token}") == 1
    assert value_of(blog, f"blog={token}") is None
    assert value_of(blog, f"shop={token}") is None
    assert blog.told == ["rejected"]


def test_a_cookie_of_another_application_is_not_accepted(store: WatchedStore) -> None:
    """The name is the same, but the keys are others."""
    cookie = a_site(store, NEW).visit(writes(a=1)).cookie

    assert value_of(a_site(store, OLD), cookie) is None


def test_a_key_is_its_bytes() -> None:
    """Text and its UTF-8 octets are the same key."""
    text = "ein Schlüssel mit 32 Bytes oder mehr"

    assert a_signer(text).sign(ID) == a_signer(text.encode()).sign(ID)


def test_neither_ids_nor_keys_are_shown(store: WatchedStore) -> None:
    """No repr of a container, manager, session, signer or event shows an id or a key."""
    site = a_site(store, NEW)
    answer = site.visit(remember_id)
    session = session_of(site.manager, answer.cookie)

    assert session.id == answer.value
    shown = f"{site.container!r} {site.manager!r} {session!r} {a_signer()!r} {site.events!r}"
    assert NEW not in shown
    assert answer.value not in shown
    assert answer.cookie not in shown


def test_new_tokens_are_not_remembered_for_ever() -> None:
    """A container that makes many tokens drops its references to the ids of the earlier tokens."""
    tokens = SignedIds(a_signer(), [CookieTransport("session", CookieSettings())])
    first = new_id(random_secret)
    unused = sys.getrefcount(first)
    token = tokens.token(first)
    assert sys.getrefcount(first) > unused

    for _ in range(REMEMBERED_TOKENS):
        tokens.token(new_id(random_secret))

    assert sys.getrefcount(first) == unused
    assert tokens.read(token) == first


def test_a_new_token_is_read_without_another_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """The container that has made a token knows its id, so it does not sign the id once more."""
    signer = a_signer()
    tokens = SignedIds(signer, [CookieTransport("session", CookieSettings())])
    id = new_id(random_secret)
    token = tokens.token(id)
    monkeypatch.setattr(Signature, "of", None)

    assert tokens.read(token) is id
