"""One session value that a handler and the guards around it take."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from framework import (
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
    session_value,
)
from tests.support.small_applications import client_of, only_problem_of, problems_of


@dataclass
class Cart:
    items: list[str] = field(default_factory=list)


@dataclass
class Basket:
    items: list[str] = field(default_factory=list)


CartValue = Annotated[Cart, session_value("cart")]
BasketValue = Annotated[Basket, session_value("cart")]


class Filling:
    def check(self, cart: CartValue = Cart()) -> bool:
        cart.items.append("gift")
        return True


@component
class Counted:
    def resolve(self, cart: CartValue = Cart()) -> int:
        return len(cart.items)


@configuration
class Errors:
    @catch(LookupError)
    def lost(self, cart: CartValue = Cart()) -> Cart:
        return cart


@configuration
@guard(Filling)
class Guarded: ...


@controller("/")
class Baskets:
    @get("/")
    def show(self, basket: BasketValue = Basket()) -> Basket:
        return basket


@controller("/")
class Mixed:
    @get("/")
    def show(self, count: Annotated[int, Counted], basket: BasketValue = Basket()) -> int:
        return count


@pytest.mark.parametrize(
    ("parts", "other"),
    [
        ([Baskets, Guarded], "Filling.check"),
        ([Baskets, Errors], "Errors.lost"),
        ([Mixed, Counted], "Counted.resolve"),
    ],
)
def test_two_types_of_one_session_value_are_a_problem(parts: list[type], other: str) -> None:
    """One value would overwrite the other, so start-up names both places."""
    problem = only_problem_of(*parts)

    assert problem.where.startswith(
        f"{parts[0].__name__}.show (tests/framework/lints/test_session_value_clashes.py:"
    )
    assert problem.what.startswith(
        "parameter 'basket' takes session['cart'] as Basket, but parameter 'cart' of"
        f" {other} (tests/framework/lints/test_session_value_clashes.py:"
    )
    assert problem.what.endswith(
        ") takes this value as Cart, so a change by one parameter would overwrite a change by the"
        " other"
    )
    assert problem.remedy == (
        "Annotate both parameters with the same type, or use two different keys."
    )


def test_one_clash_with_many_handlers_is_one_problem() -> None:
    """All handlers share one cause."""

    @controller("/more")
    class More(Baskets):
        @get("/other")
        def other(self, basket: BasketValue = Basket()) -> Basket:
            return basket

    what = only_problem_of(Baskets, More, Guarded).what
    assert what.endswith("overwrite a change by the other; the same is in 1 other handler")


def test_other_limits_of_a_session_value_are_another_type() -> None:
    """One parameter may store a value that the other may not read."""

    @controller("/")
    class Pages:
        @get("/")
        def show(
            self,
            one: Annotated[list[int], Meta(max_length=1), session_value("x")],
            two: Annotated[list[int], session_value("x")],
        ) -> None: ...

    assert "list[int] with msgspec.Meta(max_length=1)" in only_problem_of(Pages).what


def test_an_optional_type_shares_the_session_value() -> None:
    """A guard with an optional type shares the object with the handler."""

    class HasCart:
        def check(self, cart: Annotated[Cart | None, "read", session_value("cart")] = None) -> bool:
            if cart is not None:
                cart.items.append("checked")
            return True

    @controller("/")
    class Pages:
        @get("/")
        @guard(HasCart)
        def show(self, cart: CartValue = Cart()) -> Cart:
            cart.items.append("shown")
            return cart

    with client_of(Pages) as client:
        assert client.get("/").get_json()["items"] == ["shown"]
        assert client.get("/").get_json()["items"] == ["shown", "checked", "shown"]
        with client.session() as session:
            assert session["cart"] == {"items": ["shown", "checked", "shown"]}


def test_each_has_its_own_default_unless_it_could_be_changed() -> None:
    """A default that can be changed is shared; a number is not."""

    class Defaults:
        def check(
            self,
            count: Annotated[int, session_value("count")] = 1,
            cart: CartValue = Cart(["of the guard"]),
        ) -> bool:
            return count == 1

    @controller("/")
    class Pages:
        @get("/")
        @guard(Defaults)
        def show(
            self,
            cart: CartValue,
            count: Annotated[int | None, session_value("count")] = None,
        ) -> list[object]:
            return [count, *cart.items]

    with client_of(Pages) as client:
        assert client.get("/").json == [None, "of the guard"]


def test_a_stored_none_gives_the_default_to_a_type_without_none() -> None:
    """One parameter gets None, and another parameter of the key gets its default."""

    @controller("/")
    class Pages:
        @get("/")
        def show(
            self,
            one: Annotated[Cart | None, session_value("cart")],
            two: CartValue = Cart(["default"]),
        ) -> list[object]:
            return [one, two]

    with client_of(Pages) as client:
        with client.session() as session:
            session["cart"] = None

        assert client.get("/").json == [None, {"items": ["default"]}]


class Role(StrEnum):
    ADMIN = "admin"


@dataclass(frozen=True)
class Place:
    name: str


class Capital(Place):
    """A subclass of a dataclass without new fields."""


@dataclass(frozen=True)
class Route:
    places: list[Place]


Range = tuple[int, ...]


@pytest.mark.parametrize(
    ("kind", "other", "value"),
    [
        (Role | None, str, "admin"),
        (str, Literal["admin", "user"], "admin"),
        (int, Annotated[int, Meta(ge=1)], 2),
        (Range, tuple[int | str, str | int], [1, 2]),
        (Place, frozenset[str], {"name": "Oslo"}),
        (Place, Capital, {"name": "Oslo"}),
    ],
)
def test_two_types_that_cannot_be_changed_share_a_value(kind: Any, other: Any, value: Any) -> None:
    """Neither value can change, so no change is lost."""

    class Checking:
        def check(self, x: Annotated[kind, session_value("x")]) -> bool:
            return x is not None

    @controller("/")
    class Pages:
        @get("/")
        @guard(Checking)
        def show(self, x: Annotated[other | None, session_value("x")] = None) -> Any:
            return [x]

    with client_of(Pages) as client:
        with client.session() as session:
            session["x"] = value
        answer = client.get("/")

    assert answer.json == [None if other == frozenset[str] else value]


@pytest.mark.parametrize("kind", [Cart, Route, list[str], tuple[list[int], ...], dict | None, Any])
def test_a_type_that_can_be_changed_beside_another_is_a_problem(kind: Any) -> None:
    """A change would overwrite the other value, or be lost."""

    @controller("/")
    class Pages:
        @get("/")
        def show(
            self,
            one: Annotated[str, session_value("x")],
            two: Annotated[kind, session_value("x")],
        ) -> None: ...

    assert only_problem_of(Pages).what.endswith("would overwrite a change by the other")


def test_a_description_makes_no_other_type() -> None:
    """Both parameters get the same object."""

    @controller("/")
    class Pages:
        @get("/")
        def show(
            self,
            one: Annotated[list[int], Meta(description="Marks", min_length=0), session_value("x")],
            two: Annotated[list[int], Meta(min_length=0), session_value("x")],
        ) -> bool:
            return one is two

    with client_of(Pages) as client:
        with client.session() as session:
            session["x"] = [1]

        assert client.get("/").json is True


def test_limits_of_an_optional_session_value_do_not_apply_to_none() -> None:
    """The limits do not apply to None."""

    @controller("/")
    class Pages:
        @get("/")
        def show(
            self, x: Annotated[Annotated[int, Meta(ge=1)] | None, session_value("x")] = 5
        ) -> int | None:
            return x

    with client_of(Pages) as client:
        with client.session() as session:
            session["x"] = 0

        assert client.get("/").json == 5


@dataclass
class Note:
    """A class with no changeable field that can itself be changed."""

    text: str = ""


class Marks(msgspec.Struct, frozen=True, array_like=True):
    numbers: list[int]


@dataclass(frozen=True)
class Tree:
    name: str
    left: "Tree | None" = None


@dataclass(frozen=True)
class Forest:
    first: "Forest | None"
    names: list[str]


def taking_two(kind: Any) -> type:
    """Make a controller that takes one value of the session as a text and as another type."""

    @controller("/")
    class Pages:
        @get("/")
        def show(
            self,
            one: Annotated[str, session_value("x")],
            two: Annotated[kind, session_value("x")],
        ) -> None: ...

    return Pages


@pytest.mark.parametrize("kind", [Note, Marks, Forest])
def test_a_mutable_session_value_cannot_have_two_types(kind: type) -> None:
    """A change would overwrite the other value, or be lost."""
    problem = only_problem_of(taking_two(kind))

    assert problem.what.endswith("would overwrite a change by the other")


def test_a_frozen_type_that_holds_itself_cannot_be_changed() -> None:
    """The check of a recursive type ends."""
    assert problems_of(taking_two(Tree)) == ()
