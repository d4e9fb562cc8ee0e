"""Parameters of resolvers: their defaults, and mistakes that follow from other mistakes."""

from typing import Annotated, Any

from framework import Application, Body, Form, catch, controller, get, guard
from tests.support.small_applications import problems_of


class Words(str):
    """Be a type of its own."""

    __slots__ = ()


NOTHING: Any = None


class Language:
    """Resolve without anything."""

    def resolve(self) -> Words:
        """Say the language."""
        return Words("en")


def test_the_default_of_a_resolved_parameter_may_be_of_another_type() -> None:
    """A resolver always gives a value, so its parameter's default is never used."""

    @controller("/")
    class Page:
        @get("/")
        def show(self, language: Annotated[Words, Language] = NOTHING) -> str:
            return str(language)

    with Application(Page).test() as client:
        assert client.get("/").text == "en"


def test_a_resolver_with_a_mistake_may_take_the_variable_of_the_path() -> None:
    """Only the mistake itself is reported, not the unused variable."""

    class Item:
        def resolve(self, item_id: int, wrong: Body[int], too: Form[int]) -> str:
            return ""

    @controller("/")
    class Page:
        @get("/<int:item_id>")
        def show(self, item: Annotated[str, Item]) -> str:
            return item

    assert not any("but no parameter has this name" in each.what for each in problems_of(Page))


def test_a_resolver_with_a_variable_and_without_it_has_two_results() -> None:
    """An exception handler of several paths gets the default, also after a guard got the value."""

    class Item:
        def resolve(self, item_id: int | None = None) -> str:
            return f"item {item_id}"

    class Owner:
        def check(self, item: Annotated[str, Item]) -> bool:
            return item in ("item 7", "item None")

    @controller("/items")
    @guard(Owner)
    class Items:
        @get("/<int:item_id>")
        def show(self, item_id: int) -> str:
            raise LookupError(item_id)

        @get("/list")
        def index(self) -> str:
            raise LookupError

        @catch(LookupError)
        def caught(self, item: Annotated[str, Item]) -> str:
            return item

    with Application(Items).test() as client:
        assert client.get("/items/7?item_id=9").text == "item None"
        assert client.get("/items/list?item_id=9").text == "item None"
        assert client.get("/items/8?item_id=7").status_code == 403
