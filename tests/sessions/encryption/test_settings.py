"""The keys that encrypt sessions: which keys and settings are refused."""

import sys
from dataclasses import replace
from typing import Any

import pytest

from sessions import ConfigurationError, MemoryStore, SessionContainer
from sessions.errors import WrongSettings
from sessions.stateless import SignedToken
from tests.support.apps import KEY
from tests.support.encrypting import NEW, OLD

MAKE_KEY = "make a key with `framework secret` or secrets.token_urlsafe(32)"


def problems(**settings: Any) -> tuple[str, ...]:
    """Return what is refused about a container with the settings."""
    with pytest.raises(ConfigurationError) as refused:
        SessionContainer(**{"keys": [KEY], **settings})
    return refused.value.problems


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (NEW, "encryption_keys is of type str. Fix: give a list, the newest key first"),
        ([], f"encryption_keys is empty. Fix: {MAKE_KEY}"),
        (
            ["short"],
            "encryption_keys[0] has 5 bytes, but a key needs at least 32. Fix: " + MAKE_KEY,
        ),
        (
            [NEW, None],
            f"encryption_keys[1] is of type NoneType, not str or bytes. Fix: {MAKE_KEY}",
        ),
        (
            ["e" * 40],
            f"encryption_keys[0] repeats one character, so anybody can guess the key. Fix: "
            f"{MAKE_KEY}",
        ),
        (
            [NEW, OLD, NEW.encode()],
            "encryption_keys[2] is the same as encryption_keys[0]. Fix: remove one of the two",
        ),
        (
            [NEW, KEY.encode()],
            "encryption_keys[1] is the same as keys[0]. Fix: make another one with `framework"
            " secret` or secrets.token_urlsafe(32)",
        ),
    ],
    ids=["a text", "no key", "short", "no text", "repeated", "twice", "a signing key"],
)
def test_unfit_keys_are_refused(keys: object, problem: str) -> None:
    """The rules are those of signing keys; an empty list does not turn encryption off."""
    assert problems(encryption_keys=keys) == (f"SessionContainer: {problem}",)


def test_no_message_shows_a_key() -> None:
    """Neither an error nor the repr of the container shows a key."""
    told = f"{problems(encryption_keys=[KEY, NEW, NEW])}"

    assert KEY not in told
    assert NEW not in told
    assert NEW not in repr(SessionContainer(keys=[KEY], encryption_keys=[NEW]))


def test_sessions_in_their_tokens_are_refused() -> None:
    """The message says how their tokens are encrypted."""
    (told,) = problems(encryption_keys=[NEW], store=SignedToken())

    assert "keeps the sessions in their tokens" in told
    assert "store=EncryptedToken()" in told


def test_tokens_with_revocations_are_refused_too() -> None:
    """Their store keeps no values."""
    (told,) = problems(encryption_keys=[NEW], store=SignedToken(revocations=MemoryStore()))

    assert "store=EncryptedToken()" in told


def test_a_missing_package_is_reported_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the extra."""
    monkeypatch.setitem(sys.modules, "cryptography", None)

    (told,) = problems(encryption_keys=[NEW])

    assert told.endswith("Fix: pip install 'satsuma[encryption]'")


def test_without_keys_the_package_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is needed only for encrypted sessions."""
    monkeypatch.setitem(sys.modules, "cryptography", None)

    assert SessionContainer(keys=[KEY]).encryption_keys is None


def test_a_copy_of_the_container_keeps_the_keys() -> None:
    """A test that replaces one setting still encrypts sessions."""
    container = SessionContainer(keys=[KEY], encryption_keys=[NEW])

    assert replace(container, session_prefix="shop").encryption_keys == [NEW]


@pytest.mark.parametrize("name", ["encryption_key", "encrypt", "fernet_key"])
def test_other_names_of_the_setting_are_answered_with_its_name(name: str) -> None:
    """The error says what the setting is called here."""
    with pytest.raises(WrongSettings, match="encryption_keys"):
        SessionContainer(**{"keys": [KEY], name: NEW})  # type: ignore[arg-type]
