"""Several texts of one name: sets, tuples and sequences, in the query, headers and forms."""

from collections import deque
from collections.abc import Collection, Iterable, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any, Generic, TypedDict, TypeVar

import attrs
import pydantic
import pytest
from msgspec import Meta, Struct
from pydantic import BaseModel, Field, Json, RootModel

from framework import Form, Header, Query, controller, form, post, query
from tests.support.small_applications import (
    asked,
    client_of,
    echo_of,
    marked,
    only_problem_of,
    posted,
    problems_of,
)

URLENCODED = "application/x-www-form-urlencoded"
T = TypeVar("T")


class Colour(Enum):
    RED = "red"


# A type, the texts, the value, and a text that does not fit.
KINDS: dict[str, tuple[Any, str, Any, str]] = {
    "list": (list[int], "x=1&x=2", [1, 2], "a"),
    "set": (set[int], "x=1&x=2&x=1", [1, 2], "a"),
    "frozenset": (frozenset[date], "x=2026-11-22", ["2026-11-22"], "5"),
    "tuple": (tuple[int, ...], "x=2&x=1&x=2", [2, 1, 2], "a"),
    "sequence": (Sequence[float], "x=1.5", [1.5], "a"),
    "mutable sequence": (MutableSequence[bool], "x=true", [True], "a"),
    "collection": (Collection[Colour], "x=red", ["red"], "blue"),
    "iterable": (Iterable[int], "x=1", [1], "a"),
    "abstract set": (AbstractSet[int], "x=1&x=1", [1], "a"),
    "optional": (set[int] | None, "x=1&x=1", [1], "a"),
}


@pytest.mark.parametrize(("kind", "sent", "value", "wrong"), KINDS.values(), ids=KINDS)
def test_every_collection_takes_all_values(kind: Any, sent: str, value: Any, wrong: str) -> None:
    """Each text becomes an item, and an error names the place of a wrong item."""
    in_query, in_form = echo_of(marked(Query, kind)), echo_of(marked(Form, kind))

    assert asked(in_query, f"/?{sent}") == value
    assert posted(in_form, sent.encode(), URLENCODED) == value
    assert all(place.startswith("query:x/") for place in asked(in_query, f"/?{sent}&x={wrong}"))
    assert list(posted(in_form, f"x={wrong}".encode(), URLENCODED)) == ["form:x/0"]


def test_a_header_is_a_set() -> None:
    """The values of a header are separated by commas."""
    assert asked(echo_of(Header[set[str]]), "/", headers={"X": "a, a"}) == ["a"]


@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[set[int], query(min_length=2, max_length=3)],
        Annotated[tuple[int, ...], query(min_length=2, max_length=3)],
        Query[Annotated[Sequence[int], Meta(min_length=2, max_length=3)]],
        Query[Annotated[frozenset[int], Meta(min_length=2, max_length=3)]],
    ],
)
def test_a_collection_has_limits_of_length(annotation: Any) -> None:
    """The limits are about the collection as the handler gets it."""
    echo = echo_of(annotation)

    assert sorted(asked(echo, "/?x=1&x=2")) == [1, 2]
    assert list(asked(echo, "/?x=1")) == ["query:x"]
    assert list(asked(echo, "/?x=1&x=2&x=3&x=4")) == ["query:x"]


def test_a_set_counts_a_repeated_value_once() -> None:
    """Two equal values are one item."""
    echo = echo_of(Annotated[set[int], form(min_length=2)])

    assert posted(echo, b"x=1&x=1", URLENCODED) == {
        "form:x": "expected array of length >= 2, got 1 item"
    }


def test_a_default_takes_the_place_of_no_values() -> None:
    """A collection without values is absent."""
    assert asked(echo_of(Query[set[int]], set()), "/") == []
    assert asked(echo_of(Query[tuple[int, ...]], (7,)), "/") == [7]
    assert asked(echo_of(Query[set[int]]), "/") == {"query:x": "is required"}


@dataclass
class Tags:
    x: set[int]
    y: tuple[str, ...] = ()


class TagsStruct(Struct):
    x: frozenset[int]
    y: Sequence[str] = ()


@attrs.define
class TagsAttrs:
    x: set[int]
    y: tuple[str, ...] = ()


class TagsDict(TypedDict):
    x: set[int]
    y: list[str]


class TagsModel(BaseModel):
    x: set[int]
    y: tuple[str, ...] = ()


class Deque(BaseModel):
    x: deque[int]
    y: Sequence[str] = ()


class Pair(BaseModel):
    x: tuple[int] | None = None
    y: frozenset[str] = frozenset()


class Bare(BaseModel):
    x: Annotated[list[int], Field(max_length=1)]
    y: list  # type: ignore[type-arg]


@dataclass
class Page(Generic[T]):
    x: list[T]
    y: tuple[str, ...]


class Numbers(Page[int]):
    """Give the page its type."""


class PageStruct(Struct, Generic[T]):
    x: set[T]
    y: list[str]


@pytest.mark.parametrize(
    "kind",
    [
        Tags,
        TagsStruct,
        TagsAttrs,
        TagsDict,
        TagsModel,
        Deque,
        Pair,
        Bare,
        Page[int],
        Numbers,
        PageStruct[int],
    ],
)
def test_a_class_of_a_form_may_have_collections(kind: Any) -> None:
    """Dataclasses, structs, attrs classes, typed dictionaries, models and generic classes."""
    echo = echo_of(marked(Form, kind))

    assert posted(echo, b"x=1&y=a&y=b", URLENCODED)["x"] == [1]
    assert sorted(posted(echo, b"x=1&y=a&y=b", URLENCODED)["y"]) == ["a", "b"]
    assert list(posted(echo, b"x=z&y=a", URLENCODED)) == ["form:x/0"]


class Lazy(BaseModel):
    x: Iterable[int]


def test_a_model_may_read_several_values_late() -> None:
    """Pydantic gives the model an iterator, which converts each item as the item is read."""

    @controller("/")
    class Sums:
        @post("/")
        def add(self, numbers: Form[Lazy]) -> int:
            return sum(numbers.x)

    with client_of(Sums) as client:
        assert client.post("/", data={"x": ["1", "2"]}).json == 3


class Inner(BaseModel):
    a: int


class OfDict(BaseModel):
    a: int
    x: dict[str, int]


class OfModel(BaseModel):
    x: Inner | None = None


class OfModels(BaseModel):
    x: list[Inner]


class OfLists(BaseModel):
    x: tuple[list[int], ...]


class OfDataclass(BaseModel):
    x: set[Tags]


@pytest.mark.parametrize("model", [OfDict, OfModel, OfModels, OfLists, OfDataclass])
def test_a_field_that_no_form_fills_is_a_problem(model: Any) -> None:
    """No request could ever be valid."""
    problem = only_problem_of(echo_of(marked(Form, model)))

    assert problem.what.startswith(
        "parameter 'x' cannot be read from the form: its field 'x' has the type "
    )
    assert problem.what.endswith(", which a form cannot hold")
    assert 'mode="before"' in problem.remedy


class Parsed(BaseModel):
    x: list[Inner]

    @pydantic.field_validator("x", mode="before")
    @classmethod
    def _parsed(cls, value: Any) -> Any:
        return [{"a": text} for text in value]


class Root(RootModel[int]): ...


class Readers(BaseModel):
    x: Annotated[Inner, pydantic.BeforeValidator(lambda text: {"a": text})]
    y: Json[dict[str, int]] = Field(default_factory=dict)
    z: Root | None = None


@pytest.mark.parametrize("model", [Parsed, Readers])
def test_a_field_with_a_validator_of_texts_is_not_a_problem(model: Any) -> None:
    """The validator reads the text."""
    echo = echo_of(marked(Form, model))

    assert problems_of(echo) == ()
    assert "1" in str(posted(echo, b"x=1&y={}&z=1", URLENCODED)["x"])


def test_a_whole_class_in_the_query_is_refused_with_a_remedy() -> None:
    """The remedy is a form, or one query parameter for each field."""
    assert only_problem_of(echo_of(Query[Inner])).remedy == (
        "Write one parameter for each field of Inner, or Form[Inner] for a form. To read"
        " whole objects, use JSON and Body[...]."
    )


@pytest.mark.parametrize(
    ("default", "remedy"),
    [
        (Field(ge=1), "Write x: Annotated[int, query(ge=1)]."),
        (Field(3, gt=1, le=4), "Write x: Annotated[int, query(gt=1, le=4)] = 3."),
        (Field(default=3), "Write x: int = 3."),
    ],
)
def test_a_pydantic_field_as_a_default_has_a_remedy(default: Any, remedy: str) -> None:
    """The remedy contains the limits and the default."""
    problem = only_problem_of(echo_of(int, default))

    assert problem.what.endswith("which has an effect only inside of a pydantic model")
    assert problem.remedy == remedy
