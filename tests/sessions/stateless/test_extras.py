"""Sessions in tokens when an optional package is missing."""

import sys
from collections.abc import Callable

import pytest

from sessions import ConfigurationError
from sessions.stateless import EncryptedToken, JWTToken, SignedToken, TokenFormat
from sessions.testing import ManualClock
from tests.support.apps import Site, everything, writes


@pytest.mark.parametrize(
    ("package", "make", "extra"),
    [
        ("cryptography", EncryptedToken, "encryption"),
        ("jwt", lambda: JWTToken(issuer="shop", audience="shop"), "jwt"),
        (
            "cryptography",
            lambda: JWTToken(issuer="shop", audience="shop", algorithm="ES256"),
            "jwt",
        ),
    ],
    ids=["encrypted", "jwt", "key pairs"],
)
def test_the_message_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, package: str, make: Callable[[], TokenFormat], extra: str
) -> None:
    """The error comes at start-up, and not in a request."""
    if package == "cryptography":
        pytest.importorskip("jwt")
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ConfigurationError, match=rf"{package}.*satsuma\[{extra}\]"):
        make()


def test_signed_tokens_need_no_extra(monkeypatch: pytest.MonkeyPatch, clock: ManualClock) -> None:
    """Signed tokens need only the packages that are always installed."""
    for package in ("cryptography", "jwt"):
        monkeypatch.setitem(sys.modules, package, None)
    site = Site(SignedToken(), clock)

    cookie = site.visit(writes(a=1)).cookie

    assert site.visit(everything, cookie).value == {"a": 1}
