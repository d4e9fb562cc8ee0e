"""Keys of session data that look like the key of the user data: they do not change the user."""

import pytest

from sessions import Session
from sessions.core.values import RESERVED, WAITING
from sessions.errors import UnencodableValue
from tests.support.apps import Browser, Handler, everything, in_turn, writes
from tests.support.users import signs_in, who

NAMES = ["_user_data", "user_data", "user_id", "_user", "id"]
"""Names that a form's field may have, say."""


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser in which Ada is signed in."""
    browser.visit(in_turn(writes(a=1), signs_in("ada", role="user")))
    return browser


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_looks_like_it_changes_no_user(customer: Browser, name: str) -> None:
    """Such a key is stored as normal data, and the user stays as it was."""
    customer.visit(writes(**{name: {"role": "admin"}}))

    assert customer.visit(who).value == ("ada", {"role": "user"})
    assert customer.holds() == {"a": 1, name: {"role": "admin"}}


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_looks_like_it_makes_no_user(browser: Browser, name: str) -> None:
    """A visitor who writes such a key is still not signed in."""
    browser.visit(writes(**{name: {"role": "admin"}}))

    assert browser.visit(who).value == (None, {})


@pytest.mark.parametrize(
    "look",
    [
        len,
        lambda session: len([*session]),
        lambda session: len(session.copy()),
        lambda session: len(dict(session)),
        lambda session: len(session | {}),
    ],
    ids=["len", "iteration", "copy", "dict", "or"],
)
def test_user_data_is_not_among_the_values(customer: Browser, look: Handler) -> None:
    """A page that sends the session as JSON does not send the user data."""
    assert customer.visit(look).value == 1


def test_clear_leaves_the_user_as_it_is(customer: Browser) -> None:
    """clear() removes the data, and not the user."""
    seen = customer.visit(in_turn(Session.clear, who)).value

    assert seen == customer.visit(who).value == ("ada", {"role": "user"})
    assert customer.visit(everything).value == {}


@pytest.mark.parametrize("key", sorted(RESERVED))
def test_code_cannot_remove_the_key_of_the_user_data(customer: Browser, key: str) -> None:
    """The key may come from a client."""

    def remove(session: Session) -> None:
        for call in (session.__delitem__, session.pop):
            with pytest.raises(KeyError):
                call(key)

    customer.visit(remove)

    assert customer.visit(who).value == ("ada", {"role": "user"})


@pytest.mark.parametrize("key", [*sorted(RESERVED), WAITING])
def test_code_cannot_set_the_key_of_the_user_data(customer: Browser, key: str) -> None:
    """The error says whose key it is."""

    def write(session: Session) -> None:
        with pytest.raises(
            UnencodableValue, match=r"is reserved: under this key, .* Fix: use another"
        ):
            session[key] = 1
        for atomic in (session.increment, session.take):
            with pytest.raises(
                UnencodableValue, match=r"is reserved: under this key, .* Fix: use another"
            ):
                atomic(key)

    customer.visit(write)

    assert customer.visit(who).value == ("ada", {"role": "user"})
