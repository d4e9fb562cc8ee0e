"""Attributes that can or cannot be set on a session or a subclass, and copies of a session."""

import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sessions import AsyncSession, AsyncSessionManager, Session, SessionManager
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Browser, Site, writes
from tests.support.loops import a_head, on_a_loop, opened

READ_ONLY = [
    "id",
    "handle",
    "is_new",
    "accessed",
    "modified",
    "loaded",
    "saved",
    "ended",
    "gone",
    "closed",
    "created_at",
    "last_access",
    "last_update",
    "expires_at",
    "user_id",
    "user_data",
]


@pytest.fixture
def session(site: Site) -> Session:
    """Return the session of a request."""
    return site.manager.open(a_head())


class Shop(Session):
    """Have a cart, and a flag that can be set."""

    @property
    def cart(self) -> list[str]:
        """Return the cart."""
        cart: list[str] = self.setdefault("cart", [])
        return cart

    @property
    def is_permanent(self) -> bool:
        """Return whether the session outlives the browser."""
        return "permanent" in self

    @is_permanent.setter
    def is_permanent(self, is_permanent: bool) -> None:
        self["permanent"] = is_permanent
        self.timeout = timedelta(days=7) if is_permanent else None


class Remembering(Session):
    """Have a private attribute for the request."""

    _seen: int

    def look(self) -> int:
        """Count the looks of this request."""
        self._seen = getattr(self, "_seen", 0) + 1
        return self._seen


class SlottedShop(Shop):
    """Add no attributes at all."""

    __slots__ = ()


class AsyncShop(AsyncSession):
    """Have a cart."""

    @property
    def cart(self) -> list[str]:
        """Return the cart."""
        cart: list[str] = self.setdefault("cart", [])
        return cart


# What cannot be set


@pytest.mark.parametrize("name", ["user", "visits", "data", "Timeout", "__x__"])
def test_an_unknown_attribute_cannot_be_set(session: Session, name: str) -> None:
    """The value would be lost, and the error says what to write."""
    with pytest.raises(AttributeError) as caught:
        setattr(session, name, "ada")

    assert str(caught.value) == (
        f"session.{name} = 'ada' cannot be stored, because a session has no attribute {name!r}."
        " Fix: write"
        f" session[{name!r}] = 'ada'"
    )


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("permanent", "session.timeout"),
        ("expiry", "session.timeout"),
        ("modified", "notices every change"),
        ("accessed", "notices every access"),
        ("user_id", "session.set_user(user_id)"),
    ],
)
def test_an_attribute_of_another_session_says_what_to_write(
    session: Session, name: str, instead: str
) -> None:
    """The error names the verb here for an attribute of another library's session."""
    with pytest.raises(AttributeError) as caught:
        setattr(session, name, True)

    assert instead in str(caught.value)
    assert f"session[{name!r}]" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("set", 'session["key"] = value'),
        ("setAttribute", 'session["key"] = value'),
        ("getAttribute", 'session.get("key")'),
        ("unset", 'session.pop("key", None)'),
        ("has", '"key" in session'),
        ("all", "session.copy()"),
        ("commit", "session.save()"),
        ("logout", "session.destroy()"),
    ],
)
def test_a_method_of_another_session_says_what_to_write(
    session: Session, name: str, instead: str
) -> None:
    """The error names the verb of a Python mapping instead."""
    with pytest.raises(AttributeError) as caught:
        getattr(session, name)

    assert instead in str(caught.value)
    assert not hasattr(session, name)


@pytest.mark.parametrize("name", READ_ONLY)
def test_read_only_attributes_cannot_be_set(session: Session, name: str) -> None:
    """Attributes such as is_new are facts of the request."""
    with pytest.raises(AttributeError):
        setattr(session, name, True)


@pytest.mark.parametrize("name", ["save", "get", "destroy", "items"])
@pytest.mark.parametrize("kind", [Session, Shop, SlottedShop, Remembering])
def test_a_method_is_not_replaced(make_site: SiteMaker, name: str, kind: type[Session]) -> None:
    """A value cannot be assigned to the name of a method."""
    session = make_site(session_class=kind).manager.open(a_head())

    with pytest.raises(AttributeError):
        setattr(session, name, "ada")


def test_an_unknown_attribute_is_missing(session: Session) -> None:
    """An attribute that does not exist cannot be read."""
    session["user"] = "ada"

    assert not hasattr(session, "user")


def test_the_timeout_can_be_set(session: Session) -> None:
    """`timeout` is the only attribute that can be set."""
    session.timeout = timedelta(days=7)

    assert session.timeout == timedelta(days=7)


@on_a_loop
async def test_an_asynchronous_session_refuses_unknown_attributes_too(
    async_manager: AsyncSessionManager,
) -> None:
    """An asynchronous session has the same attributes."""
    session = await opened(async_manager)

    with pytest.raises(AttributeError, match=r"write session\['user'\] = 'ada'"):
        session.user = "ada"  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match=r"use session\.copy\(\)"):
        copy.copy(session)


# Copies


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, pickle.dumps, lambda session: pickle.dumps({"it": session})],
    ids=["copy", "deepcopy", "pickle", "pickle inside"],
)
@pytest.mark.parametrize("kind", [Session, Shop, Remembering])
def test_a_session_is_not_duplicated(
    make_site: SiteMaker, duplicate: Callable[[Any], object], kind: type[Session]
) -> None:
    """A copy could not be saved correctly, so copy.copy() raises an error that says what to do."""
    session = make_site(session_class=kind).manager.open(a_head())
    session["a"] = [1]

    with pytest.raises(TypeError, match=r"session\.copy\(\), a plain dict"):
        duplicate(session)


def test_copy_is_a_plain_dict(session: Session) -> None:
    """The dict can be used anywhere, and its changes do not reach the session."""
    session.update(a=1, b=[2])
    copied = session.copy()
    copied["a"] = 3

    assert type(copied) is dict
    assert json.dumps(copied) == '{"a": 3, "b": [2]}'
    assert session["a"] == 1


def test_a_session_has_its_identity(site: Site, browser: Browser) -> None:
    """Two sessions with equal data are equal, but they are different objects."""
    browser.visit(writes(a=1))
    one = site.manager.open(a_head(browser.cookie))
    two = site.manager.open(a_head(browser.cookie))

    assert one == two == {"a": 1}
    assert one is not two


# Subclasses


@pytest.mark.parametrize("kind", [Shop, SlottedShop])
def test_a_subclass_adds_properties(make_site: SiteMaker, kind: type[Shop]) -> None:
    """The properties work in requests and jobs, and their changes are saved."""
    site = make_site(session_class=kind)
    browser = site.browser()
    browser.visit(lambda session: session.cart.append("tea"))  # type: ignore[attr-defined]

    assert browser.visit(type).value is kind
    assert browser.holds() == {"cart": ["tea"]}
    assert type(site.manager.create()) is kind


def test_a_property_with_a_setter_can_be_set(make_site: SiteMaker) -> None:
    """Flask's `session.permanent = True` is an example."""
    browser = make_site(session_class=Shop).browser()

    answer = browser.visit(lambda session: setattr(session, "is_permanent", True))
    told = browser.visit(lambda session: session.is_permanent).value  # type: ignore[attr-defined]

    assert answer.attributes["max-age"] == "604800"
    assert told is True


def test_a_subclass_still_refuses_what_it_does_not_have(make_site: SiteMaker) -> None:
    """A subclass accepts only attributes that its class names."""
    session = make_site(session_class=Shop).manager.open(a_head())

    with pytest.raises(AttributeError, match=r"write session\['user'\]"):
        session.user = "ada"  # type: ignore[attr-defined]


def test_a_subclass_may_keep_private_attributes(make_site: SiteMaker) -> None:
    """They last for one request, and are not session data."""
    browser = make_site(session_class=Remembering).browser()

    def handler(session: Session) -> int:
        assert isinstance(session, Remembering)
        session.look()
        return session.look()

    assert [browser.visit(handler).value, browser.visit(handler).value] == [2, 2]
    assert browser.holds() == {}


def test_a_middleware_may_combine_its_class_with_the_users_class(make_site: SiteMaker) -> None:
    """The session has the attributes of both classes."""

    class EdgeSession(Session):
        """Add the attribute that a framework expects of its session."""

        @property
        def new(self) -> bool:
            """Return whether the session is new."""
            return self.is_new

    container = make_site(session_class=Shop).container
    session = SessionManager(container, face=EdgeSession).open(a_head())

    assert isinstance(session, EdgeSession)
    assert isinstance(session, Shop)
    assert (session.new, session.cart) == (True, [])


@on_a_loop
async def test_an_asynchronous_subclass_adds_properties(make_site: SiteMaker) -> None:
    """By `async_session_class`; the blocking class stays what it is."""
    container = make_site(async_session_class=AsyncShop, session_class=Shop).container
    manager = AsyncSessionManager(container)
    session = await opened(manager)
    assert isinstance(session, AsyncShop)
    session.cart.append("tea")
    await manager.close(session)

    async with manager.get(session.id) as again:
        assert type(again) is AsyncShop
        assert again.cart == ["tea"]
    assert type(SessionManager(container).get(session.id)) is Shop
    await manager.aclose()


def test_times_are_aware(session: Session) -> None:
    """The times can be compared with datetime.now(UTC)."""
    for moment in (session.created_at, session.last_access, session.last_update):
        assert moment.tzinfo is UTC
    assert session.expires_at - session.created_at == timedelta(days=1)
    assert session.created_at == datetime(2027, 1, 15, 8, tzinfo=UTC)


# What is likely to be set by mistake


@pytest.mark.parametrize(
    ("name", "remedy"), [("user_id", "set_user"), ("id", "regenerate"), ("expires_at", "timeout")]
)
def test_the_error_names_the_verb_that_does_it(session: Session, name: str, remedy: str) -> None:
    """The error shows the verb with the value."""
    with pytest.raises(
        AttributeError, match=rf"session\.{name} = 'ada' cannot be set\. Fix: .*{remedy}"
    ):
        setattr(session, name, "ada")


@pytest.mark.parametrize("timeout", [timedelta.max, timedelta(days=4000), timedelta(0)], ids=str)
def test_a_timeout_that_never_ends_is_refused(session: Session, timeout: timedelta) -> None:
    """The rule is the same as for the container."""
    before = session.timeout

    with pytest.raises(ValueError, match="of at most 3650 days"):
        session.timeout = timeout
    assert session.timeout == before
