"""Flash messages wait in the session for the next page, which shows them once."""

from functools import partial
from typing import Any

import pytest
from markupsafe import Markup

from sessions import Outcome, Session
from sessions.testing import ManualClock, loaded_from, some_changes
from tests.support.apps import Browser, writes


def _takes(session: Session) -> list[tuple[str, str]]:
    return [(flash.category, flash.message) for flash in session.take_flashes()]


def test_a_message_is_shown_by_the_next_page(browser: Browser) -> None:
    """The message is there after a redirect, with its category; the default is "info"."""

    def handler(session: Session) -> None:
        session.flash("Saved.")
        session.flash("The disk is nearly full.", "warning")

    browser.visit(handler)

    assert browser.visit(_takes).value == [
        ("info", "Saved."),
        ("warning", "The disk is nearly full."),
    ]


def test_a_message_is_shown_once(browser: Browser) -> None:
    """Messages are removed from the session when they are read."""
    browser.visit(lambda session: session.flash("Saved."))
    browser.visit(_takes)

    assert browser.visit(_takes).value == []
    assert browser.holds() == {}


def test_many_messages_keep_their_order(browser: Browser) -> None:
    """The oldest message comes first, also across requests."""
    numbers = [f"{number}" for number in range(12)]
    for number in numbers:
        browser.visit(partial(Session.flash, message=number))

    assert [message for _, message in browser.visit(_takes).value] == numbers


def test_messages_keep_their_order_in_any_store(browser: Browser) -> None:
    """A store may give the values of a session back in any order."""

    def handler(session: Session) -> Any:
        session.flash("first")
        session.flash("second")
        values = list(session.items())
        session.clear()
        session.update(reversed(values))
        return _takes(session)

    assert browser.visit(handler).value == [("info", "first"), ("info", "second")]


def test_messages_of_two_requests_at_once_both_survive(browser: Browser) -> None:
    """Two requests that each leave a message do not lose one."""
    browser.visit(lambda session: session.flash("first"))

    def handler(session: Session) -> None:
        session.flash("outer")
        browser.visit(lambda other: other.flash("inner"))

    browser.visit(handler)

    assert {message for _, message in browser.visit(_takes).value} == {"first", "outer", "inner"}


def test_a_message_that_comes_while_others_are_shown_survives(browser: Browser) -> None:
    """Taking messages removes those that were there, and no later one."""
    browser.visit(lambda session: session.flash("shown"))

    def handler(session: Session) -> Any:
        taken = _takes(session)
        browser.visit(lambda other: other.flash("later"))
        return taken

    assert browser.visit(handler).value == [("info", "shown")]
    assert browser.visit(_takes).value == [("info", "later")]


def test_looking_for_messages_writes_nothing(browser: Browser) -> None:
    """A visitor without messages gets no cookie and no record."""
    answer = browser.visit(_takes)

    assert answer.set_cookies == []
    assert browser.site.store_calls() == []


def test_a_failed_page_keeps_the_messages(browser: Browser) -> None:
    """A 5xx does not remove the messages, so the next page shows them."""
    browser.visit(lambda session: session.flash("Saved."))
    browser.visit(_takes, status=500)

    assert browser.visit(_takes).value == [("info", "Saved.")]


def test_markup_becomes_text(browser: Browser) -> None:
    """A message comes back as plain text, which a template escapes."""
    browser.visit(lambda session: session.flash(Markup("<b>Saved</b>")))

    [(_, message)] = browser.visit(_takes).value
    assert type(message) is str
    assert message == "<b>Saved</b>"


def test_a_message_has_names(browser: Browser) -> None:
    """A template may write `flash.message` and `flash.category`."""

    def handler(session: Session) -> Any:
        session.flash("Saved.", "success")
        [flash] = session.take_flashes()
        return flash.category, flash.message

    assert browser.visit(handler).value == ("success", "Saved.")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ((3,), "the message of a flash is 3. Fix: give a text: str(3)"),
        ((b"Saved.",), "the message of a flash is b'Saved.'"),
        (("Saved.", None), "the category of a flash is None"),
    ],
)
def test_a_message_that_is_not_a_text_is_refused(
    browser: Browser, arguments: tuple[Any, ...], what: str
) -> None:
    """The error comes where the message is left."""

    def handler(session: Session) -> str:
        with pytest.raises(TypeError) as caught:
            session.flash(*arguments)
        return str(caught.value)

    assert what in browser.visit(handler).value


def test_a_message_outlives_another_id(browser: Browser) -> None:
    """A message stays, before and after regenerate()."""

    def handler(session: Session) -> None:
        session.flash("before")
        session.regenerate()
        session.flash("after")

    browser.visit(handler)

    assert [message for _, message in browser.visit(_takes).value] == ["before", "after"]


def test_a_message_of_a_logout_is_left_after_it(browser: Browser) -> None:
    """destroy() removes messages, and later messages belong to the next session."""
    browser.visit(lambda session: session.flash("old"))

    def handler(session: Session) -> None:
        session.flash("before")
        session.destroy()
        session.flash("after")

    browser.visit(handler)

    assert browser.visit(_takes).value == [("info", "after")]


def test_a_value_with_a_similar_key_is_not_a_message(browser: Browser) -> None:
    """Other values with such keys stay where they are."""
    own = {"_flash": 1, "_flash.x": 2, "_flash.000000": 3}

    def handler(session: Session) -> Any:
        session.update(own)
        session.flash("Saved.")
        return _takes(session)

    assert browser.visit(handler).value == [("info", "Saved.")]
    assert browser.holds() == own


def test_a_damaged_message_raises_no_error(browser: Browser, clock: ManualClock) -> None:
    """The page is shown without messages, and the session begins again."""
    browser.visit(partial(Session.flash, message="Saved."))
    handle = browser.visit(lambda session: session.handle).value
    [key] = browser.holds()
    secret = loaded_from(browser.site.store, handle).secret
    damage = some_changes(clock, secret=secret, set={key: b"\xc1 no value"})
    assert browser.site.store.commit(handle, damage) is Outcome.APPLIED

    assert browser.visit(_takes).value == []


@pytest.mark.parametrize("damage", [5, None, "text", ("one",), ("a", 5), {"a": 1}, ["a", "b", "c"]])
def test_another_value_under_the_key_of_a_message_is_ignored(
    browser: Browser, damage: object
) -> None:
    """A value of another program under a message's key is ignored."""
    key = "_flash.000000.abcdabcd"
    browser.visit(lambda session: session.update({key: damage}))
    browser.visit(lambda session: session.flash("Saved."))

    assert browser.visit(_takes).value == [("info", "Saved.")]
    assert browser.holds() == {}


def test_the_number_of_messages_is_not_limited(browser: Browser) -> None:
    """The number of a message may have more than six digits, and the order stays."""
    browser.visit(writes(**{"_flash.999999.abcdabcd": ("info", "first")}))

    browser.visit(lambda session: session.flash("second"))

    texts = browser.visit(lambda session: [text for _, text in session.take_flashes()]).value
    assert texts == ["first", "second"]
    assert browser.holds() == {}


@pytest.mark.parametrize("digits", [6, 17, 18, 19, 5000])
def test_long_message_numbers_lose_no_message(browser: Browser, digits: int) -> None:
    """A key with a very long number hides no message of the application."""
    browser.visit(writes(**{f"_flash.{'9' * digits}.abcdabcd": ("info", "theirs")}))

    browser.visit(lambda session: session.flash("first"))
    browser.visit(lambda session: session.flash("second"))

    texts = browser.visit(lambda session: [text for _, text in session.take_flashes()]).value
    assert {"first", "second"} <= set(texts)
    assert browser.visit(_takes).value == []
