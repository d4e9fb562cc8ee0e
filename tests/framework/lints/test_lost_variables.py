"""A guard or resolver that takes a path variable is a mistake on a path without it."""

from typing import Annotated, Any

import pytest

from framework import (
    Inject,
    Query,
    Session,
    catch,
    configuration,
    controller,
    get,
    guard,
    query,
    service,
)
from tests.support.small_applications import client_of, only_problem_of


class Owner:
    def check(self, item_id: int) -> bool:
        return item_id == 1


class OwnerOrQuery:
    def check(self, item_id: Query[int]) -> bool:
        return item_id == 1


class OwnerOrLimited:
    def check(self, item_id: Annotated[int, query(ge=1)]) -> bool:
        return item_id == 1


class Chosen:
    def check(self, wanted: Annotated[int, query("item_id")]) -> bool:
        return wanted == 1


class OwnerOrNobody:
    def check(self, item_id: int | None = None) -> bool:
        return item_id in (1, None)


class Item:
    def resolve(self, item_id: int) -> str:
        return f"item {item_id}"


class Nested:
    def resolve(self, item: Annotated[str, Item]) -> str:
        return f"nested {item}"


class ByNested:
    def check(self, item: Annotated[str, Nested]) -> bool:
        return item == "nested item 1"


@pytest.mark.parametrize(("chosen", "where"), [(Owner, "Owner.check"), (ByNested, "Item.resolve")])
@pytest.mark.parametrize("place", ["handler", "controller", "base", "configuration"])
def test_a_variable_that_a_route_lacks_is_a_mistake(chosen: type, where: str, place: str) -> None:
    """The guard may be named anywhere, and the parameter may be deep inside resolvers."""
    kept = guard(chosen)

    class Base:
        @get("/<int:item_id>")
        @guard(chosen)
        def show(self, item_id: int) -> int:
            return item_id

        def index(self) -> str:
            return "listed"

    if place == "base":
        kept(Base)
    of_handler: Any = kept(Base.index) if place == "handler" else Base.index
    Base.index = get("/list")(of_handler)  # type: ignore[method-assign]

    @controller("/items")
    class Items(Base): ...

    if place == "controller":
        kept(Items)

    @configuration
    class Web: ...

    if place == "configuration":
        kept(Web)

    problem = only_problem_of(Items, *[Web] * (place == "configuration"))

    assert problem.where.startswith(f"{where} (")
    assert problem.what == (
        "parameter 'item_id' is a variable of some paths, but not of GET /items/list. There, the"
        " value would come from the query, where the client chooses the value"
    )
    assert "give it a default" in problem.remedy
    assert 'give it another name and write Annotated[int, query("item_id")].' in problem.remedy


@pytest.mark.parametrize("chosen", [OwnerOrQuery, OwnerOrLimited])
def test_a_marked_parameter_is_read_from_the_query(chosen: type) -> None:
    """With a marker, the guard reads the query on every route."""

    @controller("/items")
    @guard(chosen)
    class Items:
        @get("/list")
        def index(self) -> str:
            return "listed"

    with client_of(Items) as client:
        assert client.get("/items/list?item_id=1").status_code == 200
        assert client.get("/items/list?item_id=2").status_code == 403


def test_another_name_reads_the_query_on_every_route() -> None:
    """The alias does not depend on the path."""

    @controller("/items")
    @guard(Chosen)
    class Items:
        @get("/<int:item_id>")
        def show(self, item_id: int) -> int:
            return item_id

        @get("/list")
        def index(self) -> str:
            return "listed"

    with client_of(Items) as client:
        assert client.get("/items/7?item_id=1").status_code == 200
        assert client.get("/items/1?item_id=7").status_code == 403
        assert client.get("/items/list?item_id=1").status_code == 200


def test_a_parameter_with_a_default_may_be_absent() -> None:
    """The guard decides what the default means."""

    @controller("/items")
    @guard(OwnerOrNobody)
    class Items:
        @get("/<int:item_id>")
        def show(self, item_id: int) -> int:
            return item_id

        @get("/list")
        def index(self) -> str:
            return "listed"

    with client_of(Items) as client:
        assert client.get("/items/list").status_code == 200
        assert client.get("/items/2").status_code == 403


def test_a_resolver_of_a_handler_is_checked() -> None:
    """This also holds for a resolver of only one route."""

    @controller("/items")
    class Items:
        @get("/<int:item_id>")
        def show(self, item_id: int) -> int:
            return item_id

        @get("/list")
        def index(self, item: Annotated[str, Item]) -> str:
            return item

    assert "but not of GET /items/list. There, the value" in only_problem_of(Items).what


def test_a_use_in_another_controller_is_checked() -> None:
    """A guard that takes a variable in one controller takes it in all controllers."""

    @controller("/items")
    class Items:
        @get("/<int:item_id>")
        @guard(Owner)
        def show(self, item_id: int) -> int:
            return item_id

    @controller("/others")
    class Others:
        @get("/")
        @guard(Owner)
        def index(self) -> str:
            return "others"

    assert "but not of GET /others. There, the value" in only_problem_of(Items, Others).what


def test_a_name_that_no_path_has_is_read_from_the_query() -> None:
    """An unmarked scalar is a value of the query."""

    @controller("/items")
    @guard(Owner)
    class Items:
        @get("/")
        def index(self, item: Annotated[str, Item]) -> str:
            return item

    @controller("/others")
    class Others:
        @get("/<int:item_id>")
        def show(self, item_id: int) -> int:
            return item_id

    with client_of(Items, Others) as client:
        assert client.get("/items?item_id=1").text == "item 1"


def test_a_handler_reads_its_own_query() -> None:
    """A handler with one path does not run for the other paths of its controller."""

    @controller("/items")
    class Items:
        @get("/<int:item_id>")
        def show(self, item_id: int) -> int:
            return item_id

        @get("/list")
        def index(self, item_id: int) -> int:
            return item_id

    with client_of(Items) as client:
        assert client.get("/items/list?item_id=7").json == 7


def test_a_handler_with_several_paths_is_like_a_guard() -> None:
    """A guard that sees no value, and a handler that reads it from the query, would disagree."""

    @controller("/items")
    class Items:
        @get("/list")
        @get("/<int:item_id>")
        @get("/by/<name>")
        def show(self, item_id: int | None = None, name: str = "", page: int = 1) -> list[Any]:
            return [item_id, name, page]

    with client_of(Items) as client:
        assert client.get("/items/list?item_id=9&name=x&page=2").json == [None, "", 2]
        assert client.get("/items/7?item_id=9&name=x").json == [7, "", 1]
        assert client.get("/items/by/me?item_id=9&name=x").json == [None, "me", 1]


def test_a_required_parameter_of_a_handler_with_several_paths_is_a_mistake() -> None:
    """With a marker and another name, the handler may read the query."""

    @controller("/items")
    class Items:
        @get("/list")
        @get("/<int:item_id>")
        def show(self, item_id: int) -> int:
            return item_id

    problem = only_problem_of(Items)

    assert problem.where.startswith("Items.show (")
    assert "'item_id' is a variable of some paths, but not of GET /items/list." in problem.what


def test_a_resolver_of_an_exception_handler_is_checked() -> None:
    """Such a resolver runs for every route of its controller."""

    @controller("/items")
    class Items:
        @get("/<int:item_id>")
        def show(self, item_id: int) -> int:
            return item_id

        @get("/list")
        def index(self) -> str:
            return "listed"

        @catch(KeyError)
        def caught(self, error: KeyError, item: Annotated[str, Item]) -> str:
            return item

    assert "There, the value would come from the query" in only_problem_of(Items).what


def test_a_component_of_the_request_reads_the_query() -> None:
    """A component never reads the path."""

    @service(scope="request")
    class Basket:
        def __init__(self, item: Annotated[str, Item]) -> None:
            self.item = item

    @controller("/items")
    class Items:
        @get("/<int:item_id>")
        def show(self, item_id: int, basket: Inject[Basket]) -> str:
            return f"{item_id} {basket.item}"

    with client_of(Items, Basket) as client:
        assert client.get("/items/1?item_id=2").text == "1 item 2"


def test_many_routes_are_one_mistake() -> None:
    """The mistake shows three of the routes."""

    @controller("/items")
    @guard(Owner)
    class Items:
        @get("/<int:item_id>")
        def show(self, item_id: int) -> int:
            return item_id

        @get("/a")
        @get("/b")
        @get("/c")
        @get("/d")
        def index(self, session: Session) -> str:
            return "listed"

    assert "/items/c and others. There, the value" in only_problem_of(Items).what
