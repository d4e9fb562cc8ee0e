"""What somebody changes in a store is found, and the session begins afresh."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from sessions import Ended, Session, SessionExpired, SessionNotFound
from sessions.core.codec import encode
from sessions.record import ENCRYPTED_VERSION, FORMAT_VERSION
from tests.support.apps import Browser, Handler, everything, in_turn, writes
from tests.support.encrypting import id_of, kept_for, put, put_values, wrapped_names
from tests.support.users import signs_in, who

NAMES = ["cart", "count", "\0user_data", "\0sealed.user", "the data key"]


def name_in(browser: Browser, name: str) -> str:
    """Return the name of a value in the store."""
    return next(iter(wrapped_names(browser))) if name == "the data key" else name


def is_refused(browser: Browser) -> bool:
    """Return whether the session begins afresh, is told, and works again with the next write."""
    browser.site.events.clear()
    read = browser.visit(lambda session: (dict(session), session.user_id, session.user_data))
    told = browser.site.told.copy()
    browser.visit(writes(new=1))
    is_empty = (read.status, read.value, read.set_cookies) == (200, ({}, None, {}), [])
    return is_empty and told == ["unreadable"] and browser.holds() == {"new": 1}


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_byte_is_found(customer: Browser, name: str) -> None:
    """Each byte of each sealed text is changed, and each text is cut or made longer."""
    site, cookie, name = customer.site, customer.cookie, name_in(customer, name)
    sealed = kept_for(customer).values[name]
    damaged = [
        *(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))),
        *(sealed[:size] for size in range(len(sealed))),
        sealed + b"\0",
        encode(1),
    ]
    for value in damaged:
        put_values(customer, {name: value})
        assert site.visit(everything, cookie).value == {}
    assert site.told == ["unreadable"] * len(damaged)

    put_values(customer, {name: sealed})
    assert customer.holds() == {"cart": ["tea"], "count": 0}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("other", NAMES)
def test_values_in_each_other_s_place_are_found(customer: Browser, name: str, other: str) -> None:
    """Each sealed text is bound to its name, so two values of one session cannot be exchanged."""
    if name == other:
        return
    first, second = name_in(customer, name), name_in(customer, other)
    values = kept_for(customer).values
    put_values(customer, {first: values[second], second: values[first]})

    assert is_refused(customer)


@pytest.mark.parametrize("name", [*NAMES, "everything"])
def test_values_of_another_session_are_found(customer: Browser, name: str) -> None:
    """Each sealed text is bound to its session, although the keys of the server are the same."""
    other = customer.site.browser()
    other.visit(in_turn(writes(cart=["gold"], count=9), signs_in("eve", role="admin")))
    theirs, own = kept_for(other).values, name_in(customer, name)
    if name == "everything":
        put(customer, values=theirs)
    elif name == "the data key":
        put_values(customer, {own: theirs[name_in(other, name)]})
    else:
        put_values(customer, {own: theirs[own]})

    assert is_refused(customer)


def test_a_record_in_the_place_of_another_is_found(customer: Browser) -> None:
    """The session is refused also if the record has the right hash of the id."""
    other = customer.site.browser()
    other.visit(in_turn(writes(cart=["gold"]), signs_in("eve")))
    theirs = kept_for(other)
    put(customer, values=theirs.values, user_id=theirs.user_id)

    assert is_refused(customer)


@pytest.mark.parametrize("user_id", ["eve", None, ""])
def test_another_user_is_found(customer: Browser, user_id: str | None) -> None:
    """Write access to the store is not enough to sign anybody in."""
    put(customer, user_id=user_id)

    assert is_refused(customer)


def test_a_user_in_the_session_of_a_visitor_is_found(browser: Browser) -> None:
    """A user that was written into the record of a visitor signs nobody in."""
    browser.visit(writes(a=1))
    put(browser, user_id="admin")

    assert is_refused(browser)


def test_an_earlier_user_of_the_session_is_found(customer: Browser) -> None:
    """A sign-in takes another data key, so the sealed user of the time before cannot be opened."""
    earlier = kept_for(customer)
    customer.visit(signs_in("bob"))
    put_values(customer, {"\0sealed.user": earlier.values["\0sealed.user"]})
    put(customer, user_id="ada")

    assert is_refused(customer)


@pytest.mark.parametrize("name", ["\0sealed.user", "the data key"])
def test_a_removed_seal_is_found(customer: Browser, name: str) -> None:
    """A record without its sealed user or its data key is refused."""
    put_values(customer, {name_in(customer, name): None})

    assert is_refused(customer)


def test_a_plain_value_among_sealed_ones_is_found(customer: Browser) -> None:
    """A value that is not sealed is never read."""
    put_values(customer, {"is_admin": encode(True)})

    assert is_refused(customer)


def test_a_plain_record_is_refused(customer: Browser) -> None:
    """A plain record that claims to be encrypted is refused, and the reverse, too."""
    sealed = kept_for(customer)
    plain = {"cart": encode(["gold"])}
    for values, version in (
        (plain, FORMAT_VERSION),
        (plain, 0),
        (plain, ENCRYPTED_VERSION),
        (sealed.values, FORMAT_VERSION),
    ):
        put(customer, values=values, version=version)
        assert customer.site.visit(everything, customer.cookie).value == {}
    assert customer.site.told == ["unreadable"] * 4


def test_an_older_value_of_the_name_is_not_found(customer: Browser) -> None:
    """Each value is sealed by itself, so that requests can be merged; this is the price."""
    earlier = kept_for(customer).values["count"]
    customer.visit(writes(count=5))
    put_values(customer, {"count": earlier})

    assert customer.visit(lambda session: session["count"]).value == 0


def test_the_log_says_which_value_it_was(
    customer: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has one line of the level ERROR, without the value."""
    put_values(customer, {"cart": b"\xc1\x01" + bytes(60)})

    customer.visit(everything)

    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert "session['cart'] cannot be decrypted" in line.getMessage()


@pytest.mark.parametrize("end", [Session.destroy, Session.clear_user])
def test_a_damaged_session_can_be_ended(customer: Browser, end: Handler) -> None:
    """destroy() removes the damaged record."""
    put(customer, user_id="eve")

    key = id_of(customer).key

    customer.visit(end)

    assert isinstance(customer.site.store.load(key), Ended)


def test_a_manager_finds_no_damaged_session(customer: Browser) -> None:
    """get() says that the record cannot be read."""
    id = customer.visit(lambda session: session.id).value
    put(customer, user_id="eve")

    with pytest.raises(SessionExpired, match="cannot be read"):
        customer.site.manager.get(id)


def test_damage_during_a_request_is_reported(customer: Browser) -> None:
    """reload() finds the damage."""

    def handler(session: Session) -> None:
        assert session["count"] == 0
        put(customer, user_id="eve")
        customer.site.events.clear()
        session.reload()

    with pytest.raises(SessionNotFound, match="Fix:"):
        customer.visit(handler)

    assert "unreadable" in customer.site.told


def test_a_past_id_is_not_damage(customer: Browser) -> None:
    """A past id reads nothing, and no event or log line speaks of damage."""
    earlier = customer.cookie
    customer.visit(Session.regenerate)
    customer.site.events.clear()

    answer = customer.site.visit(who, earlier)

    assert answer.value == (None, {})
    assert customer.site.told == []


Look = Callable[[Any], object]


@pytest.mark.parametrize(
    "name", ["\0sealed.user", "\0sealed.key.0", "\0sealed.anything", "\0user_data"]
)
@pytest.mark.parametrize(
    "touch",
    [
        lambda session, name: session.__setitem__(name, 1),
        lambda session, name: session.update({name: 1}),
        lambda session, name: session.setdefault(name, 1),
        lambda session, name: session.increment(name),
        lambda session, name: session.take(name),
        lambda session, name: session.update_with(name, lambda value: value),
    ],
    ids=["set", "update", "setdefault", "increment", "take", "update_with"],
)
def test_reserved_names_are_refused(
    browser: Browser, name: str, touch: Callable[[Session, str], object]
) -> None:
    """A key from a form cannot become a data key or a user."""
    with pytest.raises(TypeError, match=r"Fix: use another key"):
        browser.visit(lambda session: touch(session, name))


@pytest.mark.parametrize("look", [dict, len, list, lambda mapping: [*mapping.items()]])
def test_reserved_names_are_not_seen(customer: Browser, look: Look) -> None:
    """The data of the session are its values alone."""
    seen = customer.visit(lambda session: [look(session)]).value

    assert seen == [look({"cart": ["tea"], "count": 0})]
