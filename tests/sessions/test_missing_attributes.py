"""An attribute that a session does not have is missing, and the error says what to write."""

import copy
import inspect
import pickle
from typing import Any

import pytest

from sessions import AsyncSessionManager, Session
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Browser, Site, writes
from tests.support.loops import a_head, on_a_loop, opened

PUBLIC = [name for name in dir(Session) if not name.startswith("_")]


@pytest.fixture
def session(site: Site) -> Session:
    """Return the session of a request."""
    return site.manager.open(a_head())


class Shop(Session):
    """Have a cart, and properties that fail."""

    asked = 0

    @property
    def cart(self) -> object:
        """Fail because of a mistake inside the property."""
        type(self).asked += 1
        return self.basket  # type: ignore[attr-defined]

    @property
    def total(self) -> int:
        """Fail because a value has another type."""
        return self["total"].amount  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["user", "visits", "cart", "Timeout", "ünïcode"])
def test_the_error_names_the_key(session: Session, name: str) -> None:
    """The error shows how to read the value of this key."""
    session[name] = 1

    with pytest.raises(AttributeError) as caught:
        getattr(session, name)

    assert str(caught.value).startswith(
        f"a session has no attribute {name!r}. Fix: write session[{name!r}] for the value of that"
        " key"
    )
    assert (caught.value.name, caught.value.obj) == (name, session)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("user", "user_id"),
        ("userid", "user_id"),
        ("exipres_at", "expires_at"),
        ("set_usr", "set_user"),
        ("take_flash", "take_flashes"),
        ("regnerate", "regenerate"),
        ("permanent", "timeout"),
        ("new", "is_new"),
        ("sid", "id"),
        ("session_key", "id"),
    ],
)
def test_the_error_suggests_a_similar_name(session: Session, name: str, meant: str) -> None:
    """The error suggests the right spelling, or the name of the verb here."""
    with pytest.raises(
        AttributeError, match=rf"; did you mean session\.{meant}\?".replace("()", r"\(\)")
    ):
        getattr(session, name)


@pytest.mark.parametrize("name", ["cart", "xyz", "basket", "messages"])
def test_an_unlike_name_gets_no_suggestion(session: Session, name: str) -> None:
    """A wrong suggestion would mislead."""
    with pytest.raises(AttributeError, match=r"for the value of that key$"):
        getattr(session, name)


def test_hasattr_and_getattr_find_no_unknown_attribute(session: Session) -> None:
    """`hasattr` returns False, and `getattr` its default."""
    assert not hasattr(session, "user")
    assert getattr(session, "user", "nobody") == "nobody"
    assert not session.accessed


@pytest.mark.parametrize("name", ["__html__", "__json__", "_repr_html_", "__wrapped__", "_x"])
def test_protocols_of_python_and_of_tools_find_nothing(session: Session, name: str) -> None:
    """For names of protocols, the error is Python's own."""
    with pytest.raises(AttributeError, match=f"'Session' object has no attribute '{name}'"):
        getattr(session, name)


def test_python_inspects_a_session(session: Session) -> None:
    """inspect and dir() work as for any object, and a copy is still refused."""
    assert inspect.unwrap(session) is session  # type: ignore[arg-type]
    assert not callable(session)
    assert "take_flashes" in dict(inspect.getmembers(session, callable))
    with pytest.raises(TypeError, match=r"session\.copy\(\)"):
        copy.copy(session)
    with pytest.raises(TypeError, match=r"session\.copy\(\)"):
        pickle.dumps(session)


def test_a_property_of_a_subclass_keeps_its_own_error(make_site: SiteMaker) -> None:
    """The error names what the property could not find, and not the property."""
    session: Any = make_site(session_class=Shop).manager.open(a_head())
    session["total"] = 5

    with pytest.raises(AttributeError, match="a session has no attribute 'basket'"):
        session.cart  # noqa: B018
    with pytest.raises(AttributeError, match="'int' object has no attribute 'amount'"):
        session.total  # noqa: B018


@on_a_loop
async def test_an_asynchronous_session_says_the_same(async_manager: AsyncSessionManager) -> None:
    """The error is the same before and after loading."""
    for session in (async_manager.open(a_head()), await opened(async_manager)):
        with pytest.raises(AttributeError, match=r"write session\['user'\] .*session\.user_id\?"):
            session.user  # type: ignore[attr-defined]  # noqa: B018


# Keys that are named like attributes


@pytest.mark.parametrize("name", PUBLIC)
def test_a_key_may_have_the_name_of_an_attribute(
    session: Session, browser: Browser, name: str
) -> None:
    """The key and the attribute exist side by side."""
    browser.visit(writes(**{name: "a value"}))
    session[name] = "a value"

    assert browser.holds() == {name: "a value"}
    assert session[name] == session.get(name) == session.copy()[name] == "a value"
    assert getattr(session, name) != "a value"


# The small things of a dict


def test_a_session_joins_a_mapping_on_either_side(session: Session) -> None:
    """`|` returns a plain dict, and the right side wins."""
    session.update(a=1, b=2)

    left, right = session | {"b": 3}, {"b": 3, "c": 4} | session

    assert (left, right) == ({"a": 1, "b": 3}, {"b": 2, "c": 4, "a": 1})
    assert (type(left), type(right)) == (dict, dict)
    assert session == {"a": 1, "b": 2}


@pytest.mark.parametrize("other", [[("a", 1)], 1, None, "text"])
def test_a_session_joins_nothing_but_a_mapping(session: Session, other: Any) -> None:
    """`|` with another type raises Python's own TypeError."""
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \|"):
        session | other
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \|"):
        other | session


@pytest.mark.parametrize(
    ("name", "verb"),
    [
        ("flush", "session.destroy(), or session.clear()"),
        ("invalidate", "session.destroy()"),
        ("cycle_key", "session.regenerate()"),
        ("cycle_id", "session.regenerate()"),
    ],
)
def test_a_method_of_another_framework_is_not_explained_as_a_key(
    session: Session, name: str, verb: str
) -> None:
    """A name that only a method has is answered with the method here, not with a key."""
    with pytest.raises(AttributeError) as caught:
        getattr(session, name)

    assert f"Fix: write {verb}" in str(caught.value)
    assert f"session[{name!r}]" not in str(caught.value)
