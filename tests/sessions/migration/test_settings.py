"""The settings of legacy cookies: wrong settings are refused at once, and each kind has its own."""

from collections.abc import Callable, Iterator
from hmac import compare_digest
from typing import Any

import pytest

from sessions import ConfigurationError, MemoryStore, SessionContainer, SessionManager
from sessions.migration import (
    HexSignatureCookie,
    IdInNameCookie,
    KeygripCookie,
    LegacyCookie,
    Pairs,
    Signed,
    SignedPayloadCookie,
)
from sessions.stateless import SignedToken
from tests.sessions.migration.cookies import keygrip_cookie, payload_cookie
from tests.support.apps import KEY


def as_values(id: str) -> dict[str, str]:
    """Return a session for every id."""
    return {"id": id}


def load(content: Any) -> None:
    """Return no session for any id."""


WRONG: dict[str, Callable[[], object]] = {
    "no name": lambda: KeygripCookie("", keys=["key1"], load=load),
    "a name with =": lambda: HexSignatureCookie("a=b", keys=["key1"], load=load),
    "a name with a line": lambda: IdInNameCookie("a\nb", keys=["key1"], load=load),
    "no keys": lambda: KeygripCookie("s", keys=[], load=load),
    "one key": lambda: KeygripCookie("s", keys="key1", load=load),
    "an empty key": lambda: KeygripCookie("s", keys=["key1", ""], load=load),
    "a number as key": lambda: KeygripCookie("s", keys=[1], load=load),  # type: ignore[list-item]
    "no load": lambda: KeygripCookie("s", keys=["key1"]),
    "no function": lambda: KeygripCookie("s", keys=["key1"], load="load"),  # type: ignore[arg-type]
    "no end": lambda: KeygripCookie("s", keys=["key1"], load=load, end=1),  # type: ignore[arg-type]
    "another digest": lambda: KeygripCookie("s", keys=["key1"], load=load, digest="md5"),  # type: ignore[arg-type]
    "other contents": lambda: KeygripCookie("s", keys=["key1"], load=load, holds="xml"),  # type: ignore[arg-type]
    "a path": lambda: SignedPayloadCookie("s", keys=["key1"], path="/; Secure"),
    "a domain": lambda: SignedPayloadCookie("s", keys=["key1"], domain="a\r\nb"),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_a_wrong_setting_is_refused(make: Callable[[], object]) -> None:
    """The error says what to do, and shows no key."""
    with pytest.raises(ConfigurationError, match="Fix: ") as error:
        make()

    assert "key1" not in str(error.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"legacy_cookies": 1},
        {"legacy_cookies": ["sid"]},
        {"legacy_cookies": [SignedPayloadCookie("session", keys=["key1"])]},
        {"legacy_cookies": [SignedPayloadCookie("__Host-session", keys=["key1"])]},
        {"legacy_cookies": [SignedPayloadCookie("a", keys=["key1"])] * 2},
        {
            "legacy_cookies": [SignedPayloadCookie("a", keys=["key1"], end=load)],
            "store": SignedToken(),
        },
    ],
    ids=[
        "a number",
        "a text",
        "our name",
        "our name over https",
        "one name twice",
        "an end without a store",
    ],
)
def test_a_container_refuses_wrong_cookies(settings: dict[str, Any]) -> None:
    """All mistakes are found at start-up."""
    with pytest.raises(ConfigurationError, match=r"legacy|LegacyCookie|PayloadCookie") as error:
        SessionContainer(keys=[KEY], **settings)

    assert "Fix: " in str(error.value)
    assert "key1" not in str(error.value)


def a_manager(*cookies: LegacyCookie) -> SessionManager:
    """Return a manager that reads the cookies."""
    return SessionManager(SessionContainer(keys=[KEY], store=MemoryStore(), legacy_cookies=cookies))


def values(manager: SessionManager, header: str) -> dict[str, Any] | None:
    """Return the values of the session of a Cookie header, or None."""
    session = manager.from_cookie(header)
    return None if session is None else dict(session)


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_a_keygrip_cookie_has_one_of_three_digests(digest: Any) -> None:
    """The digest is a setting of Keygrip."""
    manager = a_manager(KeygripCookie("s", keys=["key1"], load=as_values, digest=digest))

    assert values(manager, keygrip_cookie("abc", digest=digest)) == {"id": "abc"}
    assert values(manager, keygrip_cookie("abc", digest="sha384")) is None


def test_a_detached_cookie_may_hold_json() -> None:
    """The cookie-session of Express writes the whole session, so `load` is not needed."""
    payload = payload_cookie({"views": 3, "user": "ada"}).partition("=")[2].partition(".")[0]
    manager = a_manager(KeygripCookie("s", keys=["key1"], holds="json"))

    assert values(manager, keygrip_cookie(payload)) == {"views": 3, "user": "ada"}
    assert values(manager, keygrip_cookie(payload.rstrip("="))) == {"views": 3, "user": "ada"}


def test_load_may_refuse_a_payload() -> None:
    """`load` may refuse a payload whose own time is over."""
    manager = a_manager(
        SignedPayloadCookie(
            "data", keys=["secretkey"], load=lambda data: data if data["exp"] > 100 else None
        )
    )

    assert values(manager, payload_cookie({"exp": 100})) is None
    assert values(manager, payload_cookie({"exp": 101})) == {"exp": 101}


def test_a_custom_kind_of_cookie_is_a_subclass() -> None:
    """The subclass finds the parts of the cookie, and signs the text."""

    class Reversed(LegacyCookie):
        """A cookie `signature-value`, whose signature is the reversed value."""

        def names(self, pairs: Pairs) -> list[str]:
            return [name for name, _ in pairs if name == self.name]

        def claims(self, pairs: Pairs) -> Iterator[Signed]:
            for name, value in pairs:
                if name == self.name:
                    signature, _, text = value.partition("-")
                    yield Signed(text, text, signature)

        def signature(self, key: bytes, signed: str) -> str:
            return signed[::-1]

    manager = a_manager(Reversed("old", keys=["key1"], load=as_values))

    assert values(manager, "old=cba-abc") == {"id": "abc"}
    assert values(manager, "old=abc-abc") is None


@pytest.mark.parametrize("text", ["\ud800", "ł", "a b", '"a"'])
def test_characters_that_no_id_has_give_no_session(text: str) -> None:
    """A program may pass any text."""
    manager = a_manager(KeygripCookie("s", keys=["key1"], load=as_values))

    assert values(manager, f"s={text}; s.sig=x") is None
    assert values(manager, f"s=x; s.sig={text}") is None


def test_a_request_verifies_a_bounded_number_of_cookies() -> None:
    """Each verified cookie costs time for a signature."""
    verified = []

    class Counting(SignedPayloadCookie):
        """Count the signatures."""

        def signature(self, key: bytes, signed: str) -> str:
            verified.append(signed)
            return super().signature(key, signed)

    manager = a_manager(Counting("data", keys=["one", "two"]))
    header = "; ".join(payload_cookie({"n": number}, b"other") for number in range(100))

    assert values(manager, header) is None
    assert len(verified) == 2 * 8
    verified.clear()
    assert values(manager, f"{header}; {'a=b; ' * 200}") is None
    assert verified == []


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """With each key, also after one has fitted: the time says nothing of the keys."""
    compared: list[bool] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(is_equal := compare_digest(one, other))
        return is_equal

    monkeypatch.setattr("sessions.core.legacy_cookies.hmac.compare_digest", compare)
    manager = a_manager(KeygripCookie("s", keys=["key1", "key2", "key3"], load=as_values))

    assert values(manager, keygrip_cookie("abc")) == {"id": "abc"}
    assert compared == [True, False, False]


def test_equal_ids_of_two_systems_are_two_sessions() -> None:
    """Each system counts for itself."""
    manager = a_manager(
        KeygripCookie("s", keys=["key1"], load=as_values),
        KeygripCookie("t", keys=["key1"], load=lambda _: {"other": 1}),
    )
    signature = KeygripCookie("t", keys=["key1"], load=as_values).signature(b"key1", "t=abc")

    assert values(manager, keygrip_cookie("abc")) == {"id": "abc"}
    assert values(manager, f"t=abc; t.sig={signature}") == {"other": 1}
