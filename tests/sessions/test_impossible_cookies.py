"""`add_cookie` and `clear_cookie`: a cookie that no browser would take is an error."""

from typing import Any

import pytest

from sessions import (
    CookieSettings,
    SessionContainer,
    SessionError,
    SessionManager,
    SessionTooLarge,
)
from sessions.stateless import EncryptedToken, SignedToken
from tests.support.apps import KEY

Headers = list[tuple[str, str]]


@pytest.mark.parametrize("verb", ["add_cookie", "clear_cookie"])
@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_secure_cookie_needs_https(verb: str, scheme: str) -> None:
    """The response stays as it is."""
    manager = SessionManager(SessionContainer(keys=[KEY], cookie=CookieSettings(secure=True)))
    session = manager.create({"a": 1})
    headers: Headers = []

    with pytest.raises(SessionError, match=rf"a response over {scheme} .* Fix: "):
        getattr(session, verb)(headers, scheme=scheme)
    assert headers == []
    getattr(session, verb)(headers, scheme="https")
    assert [name for name, _ in headers] == ["Vary", "Set-Cookie", "Cache-Control"]


@pytest.mark.parametrize("token", [SignedToken(), EncryptedToken()], ids=repr)
def test_a_session_in_its_token_must_fit_into_a_cookie(token: Any) -> None:
    """The error names the biggest value, and the response stays as it is."""
    session = SessionManager(SessionContainer(keys=[KEY], store=token)).create({"a": "x" * 6000})
    headers: Headers = []

    with pytest.raises(SessionTooLarge, match=r"session\['a'\].* Fix: |Fix: .*session\['a'\]"):
        session.add_cookie(headers)
    assert headers == []
