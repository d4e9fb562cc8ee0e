"""The schemas of an OpenAPI document: the description of types."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import Any, ForwardRef, Literal, NamedTuple, TypedDict, Union
from uuid import UUID

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from framework import Body, controller, get, post
from tests.support.openapi_shop import document_of
from tests.support.small_applications import marked


@dataclass
class Cat:
    """Purr."""

    lives: int = 9


@dataclass
class Dog:
    """Bark."""

    name: str


class Point(NamedTuple):
    """Be somewhere."""

    x: int
    y: int


class Options(TypedDict, total=False):
    """Choose."""

    loud: bool


class Mixed(Enum):
    """Have values of several types."""

    ONE = 1
    TWO = "two"


class Foreign:
    """A class that msgspec does not know."""


def _described(result: Any) -> tuple[Any, dict[str, Any]]:
    """Return the schema of a result, and those of classes."""

    @controller("/")
    class Results:
        def show(self) -> Any: ...

        show.__annotations__ = {"return": result}
        show = get("/")(show)

    document = document_of(Results)
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    content = document["paths"]["/"]["get"]["responses"]["200"]["content"]
    return content["application/json"]["schema"], document["components"].get("schemas", {})


@pytest.mark.parametrize(
    ("result", "schema"),
    [
        (int, {"type": "integer"}),
        (UUID, {"type": "string", "format": "uuid"}),
        (date, {"type": "string", "format": "date"}),
        (timedelta, {"type": "string", "format": "duration"}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (Mixed, {"enum": [1, "two"]}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (int | bool, {"anyOf": [{"type": "integer"}, {"type": "boolean"}]}),
        (Cat, {"$ref": "#/components/schemas/Cat"}),
        (Point, {"$ref": "#/components/schemas/Point"}),
        (Options, {"$ref": "#/components/schemas/Options"}),
        (
            Cat | Dog,
            {"anyOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]},
        ),
        (list[Cat | Dog], {}),
        (list[Foreign], {"type": "array", "items": {"title": "Foreign"}}),
        (Any, {}),
        (object, {}),
    ],
    ids=str,
)
def test_the_schema_of_a_result(result: Any, schema: dict[str, Any]) -> None:
    """Types that JSON can hold are described; an unknown type allows any value."""
    found, _ = _described(result)

    assert found == schema


def test_two_classes_with_the_same_name_have_two_schemas() -> None:
    """Their names become longer until they differ."""
    other = msgspec.defstruct("Cat", [("tail", str)], module="zoo")

    @controller("/")
    class Both:
        @get("/one")
        def one(self) -> Cat:
            return Cat()

        def two(self) -> Any: ...

        two.__annotations__ = {"return": other}
        two = get("/two")(two)

    document = document_of(Both)
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert [name for name in document["components"]["schemas"] if name.endswith("Cat")] == [
        f"{__name__}.Cat",
        "zoo.Cat",
    ]


def test_a_model_of_pydantic_describes_itself() -> None:
    """It also describes the models inside it."""
    pydantic = pytest.importorskip("pydantic")
    inner = pydantic.create_model("Inner", depth=(int, 1))
    outer = pydantic.create_model("Outer", inner=(inner, ...))

    found, shared = _described(outer)
    assert found == {"$ref": "#/components/schemas/Outer"}
    assert shared["Outer"]["properties"]["inner"] == {"$ref": "#/components/schemas/Inner"}
    assert shared["Inner"]["properties"]["depth"]["type"] == "integer"


def test_pydantic_models_with_the_same_name_have_two_schemas() -> None:
    """This includes recursive and generic models, and models with one name."""
    pydantic = pytest.importorskip("pydantic")
    tree = pydantic.create_model("Tree", leaves=(marked(list, ForwardRef("Tree")), []))
    one = pydantic.create_model("User", __module__="one", age=(int, 1))
    two = pydantic.create_model("User", __module__="two", inner=(one, ...))
    page = pydantic.create_model("Page[int]", item=(int, 1))

    _, shared = _described(marked(Union, (tree, one, two, marked(list, page))))
    assert list(shared) == ["Page_int_", "Tree", "one__User", "two__User"]
    assert shared["Tree"]["properties"]["leaves"]["items"] == {"$ref": "#/components/schemas/Tree"}
    assert shared["two__User"]["properties"]["inner"] == {"$ref": "#/components/schemas/one__User"}


def test_a_pydantic_model_and_a_class_with_the_same_name_have_two_schemas() -> None:
    """A model and another class may have one name."""
    pydantic = pytest.importorskip("pydantic")
    cat = pydantic.create_model("Cat", tail=(int, 1))

    found, shared = _described(marked(Union, (Cat, cat)))
    assert found == {
        "anyOf": [
            {"$ref": "#/components/schemas/Cat"},
            {"$ref": "#/components/schemas/pydantic.Cat"},
        ]
    }
    assert list(shared["Cat"]["properties"]) == ["lives"]
    assert list(shared["pydantic.Cat"]["properties"]) == ["tail"]


def test_an_optional_body_has_its_default() -> None:
    """A client may leave it out."""

    @controller("/")
    class Optional:
        @post("/")
        def make(self, cat: Body[Cat] = Cat(7)) -> None: ...

    body = document_of(Optional)["paths"]["/"]["post"]["requestBody"]
    assert body["required"] is False
    assert body["content"]["application/json"]["schema"]["default"] == {"lives": 7}


def test_a_default_that_json_cannot_hold_is_left_out() -> None:
    """The rest of the schema is still described."""
    unfit = Cat(7)
    setattr(unfit, "lives", Foreign())  # noqa: B010

    @controller("/")
    class Optional:
        def make(self, cat: Any) -> None: ...

        make.__annotations__ = {"cat": marked(Body, Cat), "return": None}
        make.__defaults__ = (unfit,)
        make = post("/")(make)

    body = document_of(Optional)["paths"]["/"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Cat"}


class MarkedBox(msgspec.Struct):
    """An item.

    - one
    - two

        code
    """

    a: int


@dataclass
class MarkedItem:
    """An item.

    - one
    - two

        code
    """

    a: int


class MarkedOptions(TypedDict):
    """
    An item.

    - one
    - two

        code
    """

    a: int


class MarkedSize(Enum):
    """An item.

    - one
    - two

        code"""

    A = 1


MARKED = [MarkedBox, MarkedItem, MarkedOptions, MarkedSize]


@pytest.mark.parametrize("kind", MARKED)
def test_the_docstring_of_a_class_has_no_indentation(kind: Any) -> None:
    """Markdown would show indented lines as code."""
    _, shared = _described(kind)

    (described,) = shared.values()
    assert described["description"] == "An item.\n\n- one\n- two\n\n    code"
