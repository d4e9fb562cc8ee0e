"""Typed values of the session: validated when read, stored when changed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import pytest
from werkzeug.exceptions import NotFound

from framework import Session, component, controller, get, session_value
from framework.testing import Client
from tests.support.small_applications import client_of, echo_of, only_problem_of


@dataclass
class Item:
    name: str
    count: int = 1


@dataclass
class Cart:
    items: list[Item] = field(default_factory=list)
    since: datetime | None = None
    codes: set[str] = field(default_factory=set)


class Theme(msgspec.Struct, rename="camel", tag=True):
    main_colour: str = "red"


CartValue = Annotated[Cart, session_value("cart")]


@controller("/")
class Shop:
    @get("/show")
    def show(self, cart: CartValue = Cart()) -> Cart:
        return cart

    @get("/add/<name>")
    def add(self, name: str, cart: CartValue = Cart()) -> int:
        cart.items.append(Item(name))
        return len(cart.items)

    @get("/more")
    def more(self, cart: CartValue = Cart()) -> None:
        cart.items[0].count += 1

    @get("/missing")
    def missing(self, cart: CartValue = Cart()) -> None:
        cart.codes.add("tried")
        raise NotFound

    @get("/fails")
    def fails(self, cart: CartValue = Cart()) -> None:
        cart.codes.add("failed")
        raise ValueError

    @get("/logout")
    def logout(self, session: Session, cart: CartValue = Cart()) -> None:
        cart.items.clear()
        session.destroy()

    @get("/remove")
    def remove(self, session: Session, cart: CartValue = Cart()) -> None:
        cart.items.clear()
        session.pop("cart", None)

    @get("/spoil")
    def spoil(self, session: Session, cart: CartValue = Cart()) -> None:
        cart.items.clear()
        session["cart"] = object()

    @get("/stream")
    def stream(self, cart: CartValue = Cart()) -> Iterator[str]:
        cart.codes.add("early")
        yield "1"
        cart.codes.add("late")
        yield "2"

    @get("/required")
    def required(self, cart: CartValue) -> Cart:
        return cart

    @get("/theme")
    def theme(self, theme: Annotated[Theme, session_value("theme")] = Theme()) -> None:
        theme.main_colour += "!"


@pytest.fixture
def client() -> Iterator[Client]:
    """Give a client of the shop."""
    with client_of(Shop) as client:
        yield client


def stored(client: Client) -> Any:
    """Return the cart in the session."""
    with client.session() as session:
        return session.get("cart")


def put(client: Client, cart: Any) -> None:
    """Put a cart into the session."""
    with client.session() as session:
        session["cart"] = cart


def test_an_absent_value_is_a_copy_of_the_default(client: Client) -> None:
    """Reading a default stores nothing, and no request sees another's changes of it."""
    assert client.get("/show").json == {"items": [], "since": None, "codes": []}
    assert client.get("/add/milk").json == 1
    with client_of(Shop) as other:
        assert other.get("/add/milk").json == 1


def test_a_value_that_is_only_read_is_not_stored(client: Client) -> None:
    """No cookie is sent for a default, and no write happens for a value."""
    assert "Set-Cookie" not in client.get("/show").headers
    assert stored(client) is None


def test_a_change_in_place_is_stored(client: Client) -> None:
    """The next request finds the changed value, nested changes included."""
    client.get("/add/milk")
    client.get("/more")

    assert client.get("/show").get_json()["items"] == [{"name": "milk", "count": 2}]


def test_plain_values_are_stored(client: Client) -> None:
    """The session holds dicts, dates and sets, not objects of the application."""
    put(client, {"since": datetime(2026, 1, 2, tzinfo=UTC), "codes": {"a"}})

    client.get("/add/milk")

    assert stored(client) == {
        "items": [{"name": "milk", "count": 1}],
        "since": datetime(2026, 1, 2, tzinfo=UTC),
        "codes": {"a"},
    }


def test_a_struct_is_stored_by_its_outer_names(client: Client) -> None:
    """A struct is written the way it is read, with its tag."""
    client.get("/theme")
    client.get("/theme")

    with client.session() as session:
        assert session["theme"] == {"type": "Theme", "mainColour": "red!!"}


@pytest.mark.parametrize("old", [["milk"], {"items": [{"count": 2}]}, {"since": "2026-01-02"}, 3])
def test_another_shape_is_the_default_and_a_log_line(
    client: Client, old: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A value of an older deployment does no harm, and stays until a new one is stored."""
    put(client, old)

    assert client.get("/show").json == {"items": [], "since": None, "codes": []}
    assert "session['cart'] in the store does not fit the type of the parameter" in caplog.text
    assert stored(client) == old


def test_a_value_without_a_default_is_required(client: Client) -> None:
    """Without a default, a missing value is a 422, as from any other source."""
    errors = client.get("/required").get_json()["errors"]

    assert errors == [{"where": "session:cart", "what": "is required"}]


@component
class Checkout:
    def resolve(self, cart: CartValue = Cart()) -> int:
        cart.codes.add("checked")
        return len(cart.items)


def test_a_resolver_and_the_handler_share_a_value() -> None:
    """Both change the same object, so no change is lost."""

    @controller("/")
    class Pages:
        @get("/")
        def page(self, count: Annotated[int, Checkout], cart: CartValue = Cart()) -> int:
            cart.items.append(Item("bag"))
            return count

    with client_of(Pages) as client:
        client.get("/")

        assert stored(client) == {
            "items": [{"name": "bag", "count": 1}],
            "since": None,
            "codes": {"checked"},
        }


def test_a_4xx_keeps_the_change_and_a_5xx_discards_it(client: Client) -> None:
    """A value follows the rule of the whole session."""
    client.get("/missing")
    client.get("/fails")

    assert client.get("/show").get_json()["codes"] == ["tried"]


def test_a_logout_is_kept(client: Client) -> None:
    """A changed value of an ended session does not begin a new session."""
    client.get("/add/milk")

    answer = client.get("/logout")

    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert stored(client) is None


def test_direct_changes_of_the_session_win(client: Client) -> None:
    """A key that the handler removed stays removed, also if the value changed."""
    client.get("/add/milk")

    client.get("/remove")

    assert stored(client) is None


def test_a_value_that_the_handler_made_unstorable_is_named(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """A value that cannot be stored is an error that names the key; the old value stays."""
    client.get("/add/milk")

    assert client.get("/spoil").status_code == 500
    assert "session['cart'] cannot be saved: it holds an object" in caplog.text
    assert stored(client)["items"] == [{"name": "milk", "count": 1}]


def test_changes_before_the_first_byte_are_stored(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Changes before the first chunk are stored; later changes are logged."""
    assert client.get("/stream", buffered=True).text == "12"

    assert stored(client)["codes"] == {"early"}
    assert (
        "session['cart'] changed after the headers were sent, so the change is lost" in caplog.text
    )


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(list[int], [1, 2]), (dict[str, Item], {"a": {"name": "b", "count": 1}}), (int, 3)],
)
def test_any_plain_type_is_a_value(annotation: Any, value: Any) -> None:
    """Lists, dicts and scalars are read as well."""
    with client_of(echo_of(Annotated[annotation, session_value("x")])) as client:
        with client.session() as session:
            session["x"] = value

        assert client.get("/").get_json()["x"] == value


def test_a_default_that_cannot_be_stored_is_a_problem() -> None:
    """Start-up reports the default."""
    echo = echo_of(Annotated[Any, session_value("x")], object)

    assert only_problem_of(echo).what.startswith(
        "the default of parameter 'x' cannot be a value of a session: it holds a type"
    )


def test_a_type_that_no_session_holds_is_a_problem() -> None:
    """Start-up reports a class that cannot be made from plain values."""

    class Thing: ...

    echo = echo_of(Annotated[Thing, session_value("x")])

    assert only_problem_of(echo).what == (
        "parameter 'x' cannot be a value of the session: a stored value cannot be converted to"
        " Thing"
    )


def test_a_marker_without_its_key_is_refused() -> None:
    """A missing key is reported where the marker is written."""
    with pytest.raises(TypeError, match=r'write session_value\("cart"\)'):
        session_value(Cart)  # type: ignore[arg-type]


Things = Annotated[list[str], session_value("things")]


def reloading(before: str, others: list[str], after: str) -> Any:
    """Change the list before and after a reload that finds what another request committed."""

    @controller("/")
    class Pages:
        @get("/")
        def show(self, session: Session, things: Things) -> None:
            things.extend(before)
            with visitor.session() as other:
                other["things"] = others
            session.reload()
            things.extend(after)

    with client_of(Pages) as visitor:
        with visitor.session() as session:
            session["things"] = ["old"]
        assert visitor.get("/").status_code == 204
        with visitor.session() as session:
            return session["things"]


@pytest.mark.parametrize("others", [["old"], ["old", "other"]])
def test_a_reload_drops_changes_of_session_values(others: list[str]) -> None:
    """The values that another request has committed are not overwritten."""
    assert reloading("a", others, "") == others


def test_changes_after_a_reload_are_stored() -> None:
    """The object still has the stored value, so its changes count."""
    assert reloading("", ["old"], "b") == ["old", "b"]


@pytest.mark.parametrize(
    ("before", "others"), [("a", ["old"]), ("", ["old", "other"]), ("a", ["old", "a"])]
)
def test_an_outdated_object_overwrites_nothing(
    before: str, others: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The object does not have the reloaded value, so it is not stored."""
    assert reloading(before, others, "b") == others
    assert "session.reload() replaced session['things']. Then the handler" in caplog.text


@pytest.mark.parametrize("key", ["things", "seen"])
def test_a_changed_value_brings_no_ended_session_back(key: str) -> None:
    """This holds for a new session and for a stored one."""

    @controller("/")
    class Pages:
        @get("/")
        def leave(self, session: Session, things: Things = []) -> None:  # noqa: B006
            things.append("x")
            session.destroy()
            things.append("y")

    with client_of(Pages) as client:
        if key == "seen":
            with client.session() as session:
                session[key] = True
        response = client.get("/")

        assert "Max-Age=0" in response.headers.get("Set-Cookie", "Max-Age=0")
        with client.session() as session:
            assert dict(session) == {}
