"""The id of a user: which texts and other values are refused, and when."""

from typing import Any

import pytest

from sessions import Session, SessionManager
from sessions.errors import UnencodableValue
from tests.support.apps import Browser
from tests.support.users import who


@pytest.mark.parametrize("user_id", ["", None, 7, b"ada", ["ada"]], ids=repr)
def test_a_user_is_named_by_text(browser: Browser, user_id: Any) -> None:
    """Another value is refused at once, and the error says what to do."""

    def handler(session: Session) -> None:
        with pytest.raises(TypeError, match=r"give a text such as str\("):
            session.set_user(user_id)

    assert browser.visit(handler).set_cookies == []
    assert browser.visit(who).value == (None, {})


@pytest.mark.parametrize(
    "user_id", ["\ud800", "ada\udfff", "a" * 10_001], ids=["half", "end", "long"]
)
def test_a_text_that_no_store_can_keep_is_refused_at_once(browser: Browser, user_id: str) -> None:
    """No index of users gets an entry, and no request fails later."""

    def handler(session: Session) -> None:
        with pytest.raises(UnencodableValue, match="Fix: give"):
            session.set_user(user_id)

    assert browser.visit(handler).set_cookies == []
    assert browser.visit(who).value == (None, {})
    manager = SessionManager(browser.site.container)
    for ask in (manager.sessions_of, manager.end_sessions_of):
        with pytest.raises(UnencodableValue, match="Fix: give"):
            ask(user_id)
