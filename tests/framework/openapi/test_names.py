"""The names of classes in the document: each class has a name of its own."""

import enum
from collections.abc import Callable
from dataclasses import dataclass, make_dataclass
from itertools import combinations
from typing import Any, Generic, NamedTuple, TypedDict, TypeVar

import attrs
import msgspec
import pydantic
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from framework import controller, get
from tests.support.openapi_shop import document_of
from tests.support.small_applications import marked

T = TypeVar("T")
Make = Callable[[str], Any]


@dataclass
class Page(Generic[T]):
    items: list[T]


class Box(msgspec.Struct, Generic[T]):
    content: T


class Shelf(pydantic.BaseModel, Generic[T]):
    books: list[T]


def _dataclass(field: str) -> Any:
    return make_dataclass("Item", [(field, int)])


def _dataclass_statement(field: str) -> Any:
    @dataclass
    class Item:
        pass

    Item.__annotations__ = {field: int}
    return dataclass(Item)


def _struct(field: str) -> Any:
    return msgspec.defstruct("Item", [(field, int)])


def _struct_in_module(field: str) -> Any:
    return msgspec.defstruct("Item", [(field, int)], module=field)


def _typed_dict(field: str) -> Any:
    return marked_typed_dict("Item", {field: int})


def _named_tuple(field: str) -> Any:
    return named_tuple("Item", [(field, int)])


def _enum(field: str) -> Any:
    return enum.Enum("Item", {field: field})


def _attrs_class(field: str) -> Any:
    return attrs.make_class("Item", {field: attrs.field(type=int)})


def _model(field: str) -> Any:
    return pydantic.create_model("Item", **{field: (int, ...)})  # type: ignore[call-overload]


# A type checker refuses names that are not literals.
marked_typed_dict: Any = TypedDict
named_tuple: Any = NamedTuple

PLAIN: list[Make] = [
    _dataclass,
    _dataclass_statement,
    _struct,
    _struct_in_module,
    _typed_dict,
    _named_tuple,
    _enum,
    _attrs_class,
    _model,
]
AROUND: list[Callable[[Any], Any]] = [
    lambda kind: kind,
    lambda kind: marked(Box, marked(Page, kind)),
]
MORE_AROUND: list[Callable[[Any], Any]] = [
    lambda kind: marked(Page, kind),
    lambda kind: marked(Box, kind),
    lambda kind: marked(Page, marked(list, kind)),
]


def _document_of(*results: Any) -> dict[str, Any]:
    """Return the document of handlers that return the types."""
    routes = {f"show{at}": get(f"/{at}")(_returning(kind)) for at, kind in enumerate(results)}
    return document_of(controller("/")(type("Shows", (), routes)))


def _returning(kind: Any) -> Any:
    def show(self: object) -> Any: ...

    show.__annotations__ = {"return": kind}
    return show


def _fields(document: dict[str, Any], at: int) -> set[str]:
    """Return which of the fields are in the schema of a result, with its references."""

    def put(schema: Any) -> Any:
        if isinstance(schema, list):
            return [put(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            return put(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        return {key: put(item) for key, item in schema.items()}

    content = document["paths"][f"/{at}"]["get"]["responses"]["200"]["content"]
    whole = str(put(content["application/json"]["schema"]))
    return {name for name in ("sku", "isbn", "pages", "weight") if name in whole}


PAIRS = [*combinations(PLAIN, 2), *zip(PLAIN, PLAIN, strict=True)]
# Pydantic's own generic classes take these only.
IN_MODELS = [(one, two) for one, two in PAIRS if {one, two} <= {_dataclass, _enum, _model}]


@pytest.mark.parametrize(
    "around", [*AROUND, *(pytest.param(more, marks=pytest.mark.slow) for more in MORE_AROUND)]
)
@pytest.mark.parametrize(("one", "two"), PAIRS)
def test_two_classes_with_the_same_name_get_different_names(
    one: Make, two: Make, around: Callable[[Any], Any]
) -> None:
    """Each result is described by its own class, alone or inside a generic one."""
    document = _document_of(around(one("sku")), around(two("isbn")))

    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert _fields(document, 0) == ({"sku"} if _is_described(one) else set())
    assert _fields(document, 1) == ({"isbn"} if _is_described(two) else set())


@pytest.mark.parametrize(("one", "two"), IN_MODELS)
def test_generic_models_with_the_same_name_get_different_names(one: Make, two: Make) -> None:
    """Pydantic names them, and msgspec names other classes."""
    kinds = [marked(Shelf, one("sku")), marked(Shelf, two("isbn")), one("pages"), two("weight")]
    document = _document_of(*kinds)

    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert [_fields(document, at) for at in range(4)] == [{"sku"}, {"isbn"}, {"pages"}, {"weight"}]


def _is_described(make: Make) -> bool:
    """Return whether the schema of a class has the names of its fields; a tuple has none."""
    return make is not _named_tuple


def test_many_classes_with_the_same_name_get_different_names() -> None:
    """There are three classes of each kind, each with a generic class around it."""
    kinds = [make(f"field{number}") for make in PLAIN for number in range(3)]
    document = _document_of(*kinds, *(marked(Page, kind) for kind in kinds))

    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    names = list(document["components"]["schemas"])
    assert len([name for name in names if "Page" in name]) == len(kinds)
    assert len([name for name in names if "Item" in name and "Page" not in name]) == len(kinds)
