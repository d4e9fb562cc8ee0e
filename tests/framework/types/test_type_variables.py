"""Generic base controllers: a subclass names the types."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, cast

import pytest

from framework import (
    Body,
    Inject,
    Query,
    catch,
    component,
    configuration,
    controller,
    get,
    guard,
    post,
    put,
)
from framework.report import Mistake, location
from tests.support.small_applications import client_of, only_problem_of

T = TypeVar("T")
K = TypeVar("K")


@dataclass
class Tea:
    name: str


class Shelf(Generic[T]):
    def __init__(self, items: list[T]) -> None:
        self.items = items


class Reading(Generic[K]):
    @get("/<key>")
    def show(self, key: K, marks: "Query[list[K]]") -> dict[str, object]:
        return {"type": type(key).__name__, "marks": marks}


class Crud(Reading[int], Generic[T]):
    @post("/")
    def create(self, item: Body[T]) -> dict[str, object]:
        return {"item": item, "type": type(item).__name__}

    @put("/")
    @staticmethod
    def replace(items: "Body[list[T]]") -> int:
        return len(items)


@controller("/teas")
class Teas(Crud[Tea]): ...


@controller("/words")
class Words(Crud[str]): ...


class Pairs(Crud[dict[str, T]], Generic[T]):
    """A class that uses the type variable for something else."""


@controller("/pairs")
class Numbers(Pairs[int]): ...


@pytest.mark.parametrize(
    ("path", "item", "kind"),
    [
        ("/teas", {"name": "assam"}, "Tea"),
        ("/words", "assam", "str"),
        ("/pairs", {"one": 1}, "dict"),
    ],
)
def test_a_body_is_of_the_type_of_the_subclass(path: str, item: Any, kind: str) -> None:
    """Each subclass has its own type."""
    with client_of(Teas, Words, Numbers) as client:
        assert client.post(path, json=item).json == {"item": item, "type": kind}
        assert client.post(path, json=[1]).status_code == 422


def test_a_type_inside_another_is_found() -> None:
    """It may be in a string, in a static method, or in a base of the base."""
    with client_of(Teas) as client:
        assert client.put("/teas", json=[{"name": "assam"}]).json == 1
        assert client.put("/teas", json=[{}]).status_code == 422
        assert client.get("/teas/7?marks=1&marks=2").json == {"type": "int", "marks": [1, 2]}
        assert client.get("/teas/seven?marks=1").status_code == 404


def test_a_constructor_asks_for_the_type_of_the_subclass() -> None:
    """A generic component is found by its whole type."""

    class Showing(Generic[T]):
        def __init__(self, shelf: Shelf[T]) -> None:
            self._shelf = shelf

        @get("/")
        def show(self) -> list[Any]:
            return self._shelf.items

    @controller("/")
    class ShowingTeas(Showing[Tea]): ...

    @configuration
    class Shelves:
        @component
        def teas(self) -> Shelf[Tea]:
            return Shelf([Tea("assam")])

        @component
        def words(self) -> Shelf[str]:
            return Shelf(["assam"])

    with client_of(ShowingTeas, Shelves) as client:
        assert client.get("/").json == [{"name": "assam"}]


def test_a_type_variable_need_not_be_known_to_the_module() -> None:
    """An example is `class Crud[V]` of Python 3.12, also with string annotations."""
    V = TypeVar("V")

    class Base(Generic[V]):
        @post("/")
        def create(self, item: "Body[list[V]]") -> int:
            return len(item)

    @controller("/")
    class Words(Base[str]): ...

    with client_of(Words) as client:
        assert client.post("/", json=["one"]).json == 1
        assert client.post("/", json=[1]).status_code == 422


@component
class FromBody(Generic[T]):
    def resolve(self, body: Body[list[T]]) -> list[T]:
        return body


@component
class TeasFromBody(FromBody[Tea]): ...


class Marked(Generic[K]):
    def check(self, mark: Query[K]) -> bool:
        return mark == 1


class MarkedOne(Marked[int]): ...


class Catching(Generic[T]):
    @catch(LookupError)
    def missing(self, error: LookupError, marks: Query[list[T]]) -> list[T]:
        return marks

    @component
    def shelf(self) -> Iterator[Shelf[T]]:
        yield Shelf([])

    def on_start(self, shelf: Shelf[T]) -> None:
        shelf.items.append(cast(T, "started"))


@configuration
class CatchingNumbers(Catching[int]): ...


def test_a_type_argument_reaches_guards_and_resolvers() -> None:
    """Resolvers, guards, exception handlers, component methods and hooks may be generic."""

    @controller("/")
    class Pages:
        @post("/")
        @guard(MarkedOne)
        def names(self, teas: Annotated[list[Tea], TeasFromBody]) -> list[str]:
            return [tea.name for tea in teas]

        @get("/")
        def fail(self, shelf: Inject[Shelf[int]]) -> None:
            raise LookupError(shelf.items)

        @get("/shelf")
        def shelf(self, shelf: Inject[Shelf[int]]) -> list[int]:
            return shelf.items

    with client_of(Pages, CatchingNumbers) as client:
        assert client.post("/?mark=1", json=[{"name": "assam"}]).json == ["assam"]
        assert client.post("/?mark=1", json=[{}]).status_code == 422
        assert client.post("/?mark=one", json=[]).status_code == 422
        assert client.get("/?marks=1&marks=2").json == [1, 2]
        assert client.get("/shelf").json == ["started"]


def test_an_async_handler_of_a_generic_base_is_a_problem() -> None:
    """The mistake is the same as for any async handler."""

    class Base(Generic[T]):
        @post("/")
        async def create(self, item: Body[T]) -> None: ...

    @controller("/")
    class Notes(Base[str]): ...

    assert only_problem_of(Notes).what.startswith("the handler is an async function")


def _nothing_given() -> tuple[type, Callable[..., object]]:
    class Base(Generic[T]):
        @post("/")
        def create(self, item: Body[list[T]]) -> None: ...

    @controller("/")
    class Notes(Base): ...  # type: ignore[type-arg]

    return Notes, Base.create


def test_a_type_variable_without_a_type_is_a_problem() -> None:
    """Without a type, any value would fit."""
    notes, create = _nothing_given()

    assert only_problem_of(notes) == Mistake(
        "the annotation of parameter 'item' holds T, but no class says which type it is",
        "Write the type in the base class, as in class Notes(Crud[Note]).",
        where=location(create),
    )
