"""Base controllers with type variables: a subclass says what they stand for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

from framework import Body, Query, component, configuration, controller, get, post, put
from framework.startup import Problem, location
from tests.framework.trials import client_of, only_problem_of

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
    """Use the type variable of the base for something else."""


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
    """Each subclass has its own."""
    with client_of(Teas, Words, Numbers) as client:
        assert client.post(path, json=item).json == {"item": item, "type": kind}
        assert client.post(path, json=[1]).status_code == 422


def test_a_type_inside_another_is_found() -> None:
    """In a string, of a static method, and in a base of the base."""
    with client_of(Teas) as client:
        assert client.put("/teas", json=[{"name": "assam"}]).json == 1
        assert client.put("/teas", json=[{}]).status_code == 422
        assert client.get("/teas/7?marks=1&marks=2").json == {"type": "int", "marks": [1, 2]}
        assert client.get("/teas/seven?marks=1").status_code == 404


def test_a_constructor_asks_for_the_type_of_the_subclass() -> None:
    """A generic component is provided by its whole type."""

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
    """As with `class Crud[V]` of Python 3.12, also where annotations are texts."""
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


def _nothing_given() -> tuple[type, Callable[..., object]]:
    class Base(Generic[T]):
        @post("/")
        def create(self, item: Body[list[T]]) -> None: ...

    @controller("/")
    class Notes(Base): ...  # type: ignore[type-arg]

    return Notes, Base.create


def test_a_type_variable_without_a_type_is_a_problem() -> None:
    """Anything would fit it."""
    notes, create = _nothing_given()

    assert only_problem_of(notes) == Problem(
        location(create),
        "the annotation of parameter 'item' holds T, for which no class gives a type",
        "Give it in the bases of the controller, as in class Notes(Crud[Note]).",
    )
