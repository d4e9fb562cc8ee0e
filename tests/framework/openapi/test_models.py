"""Pydantic models in the document: their schemas for requests and for answers."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    computed_field,
    field_serializer,
    model_serializer,
)
from pydantic.alias_generators import to_camel
from werkzeug.datastructures import FileStorage

from framework import Application, Body, Form, controller, get, post
from tests.support.openapi_shop import Configuration, document_of
from tests.support.small_applications import marked

T = TypeVar("T")
FILE = {"type": "string", "contentMediaType": "application/octet-stream"}


class Aliased(BaseModel):
    own_title: str = Field(alias="ownTitle")


class Generated(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    own_title: str


class TwoAliases(BaseModel):
    title: str = Field(validation_alias="titleIn", serialization_alias="titleOut")


class SomeAliases(BaseModel):
    title: str = Field(validation_alias=AliasChoices("ownTitle", "title"))


class Secretive(BaseModel):
    ownTitle: str  # noqa: N815
    secret: str = Field("s", exclude=True)


class Computing(BaseModel):
    ownTitle: str  # noqa: N815

    @computed_field(alias="titleLength")  # type: ignore[prop-decorator]
    @property
    def length(self) -> int:
        return len(self.ownTitle)


class Defaulting(BaseModel):
    ownTitle: str = "none"  # noqa: N815
    tags: list[str] = Field(default_factory=list)


class Listed(BaseModel):
    a: int

    @model_serializer
    def as_list(self):  # type: ignore[no-untyped-def]  # noqa: ANN201
        return [self.a]


class Written(BaseModel):
    a: int

    @field_serializer("a")
    def as_text(self, a: int) -> str:
        return str(a)


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    barkLoud: bool = Field(serialization_alias="barksLoud")  # noqa: N815


@dataclass
class Home:
    pet: Cat | Dog


class Titles(RootModel[list[Aliased]]):
    """Hold several."""


class Outer(BaseModel):
    inner: Aliased
    others: list[Defaulting] = []


@dataclass
class Page(Generic[T]):
    items: list[T]
    next: "Page[T] | None" = None


SENT: list[tuple[Any, Any]] = [
    (Aliased, {"ownTitle": "milk"}),
    (Generated, {"ownTitle": "milk"}),
    (TwoAliases, {"titleIn": "milk"}),
    (SomeAliases, {"ownTitle": "milk"}),
    (Secretive, {"ownTitle": "milk"}),
    (Computing, {"ownTitle": "milk"}),
    (Defaulting, {}),
    (Listed, {"a": 1}),
    (Cat | Dog, {"kind": "cat"}),
    (list[Cat | Dog], [{"kind": "cat"}, {"kind": "dog", "barkLoud": True}]),
    (dict[str, Cat | Dog | None], {"a": {"kind": "dog", "barkLoud": True}, "b": None}),
    (Home, {"pet": {"kind": "dog", "barkLoud": True}}),
    (Written, {"a": 1}),
    (Titles, [{"ownTitle": "milk"}]),
    (Outer, {"inner": {"ownTitle": "milk"}, "others": [{}]}),
    (list[Defaulting], [{}, {"ownTitle": "milk"}]),
    (dict[str, Aliased], {"a": {"ownTitle": "milk"}}),
    (Page[Defaulting], {"items": [{}]}),
    (Page[Computing], {"items": [{"ownTitle": "milk"}]}),
    (Page[TwoAliases], {"items": [{"titleIn": "milk"}]}),
]


def _echo(kind: Any) -> type:
    """Return a controller that answers with the body that it has read."""

    @controller("/")
    class Echo:
        def echo(self, body: Any) -> Any:
            return body

        echo.__annotations__ = {"body": marked(Body, kind), "return": kind}
        echo = post("/")(echo)

    return Echo


def _schema(document: dict[str, Any], *path: str) -> dict[str, Any]:
    """Return a schema of the operation, in which every class allows no other fields."""
    found: Any = document["paths"]["/"]["post"]
    for step in path:
        found = found[step]
    schemas = {
        name: {**schema, "additionalProperties": False} if "properties" in schema else schema
        for name, schema in document["components"]["schemas"].items()
    }
    schema = found["content"]["application/json"]["schema"]
    return {**schema, "components": {"schemas": schemas}}


@pytest.mark.parametrize(("kind", "sent"), SENT, ids=lambda value: str(value)[:60])
def test_requests_and_answers_fit_their_schemas(kind: Any, sent: Any) -> None:
    """The two schemas may differ in names, computed and excluded fields, and required fields."""
    with Application(_echo(kind), Configuration).test() as client:
        answer = client.post("/", json=sent)
        document: Any = client.get("/docs/openapi.json").json

    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert answer.status_code == 200
    request = OAS31Validator(_schema(document, "requestBody"))
    assert list(request.iter_errors(sent)) == []
    described = OAS31Validator(_schema(document, "responses", "200"))
    assert list(described.iter_errors(json.loads(answer.data))) == []


SAME = (Aliased, Generated, Titles, Outer, dict[str, Aliased])


@pytest.mark.parametrize(("kind", "sent"), [pair for pair in SENT if pair[0] in SAME], ids=str)
def test_an_answer_is_a_request_where_both_have_the_same_aliases(kind: Any, sent: Any) -> None:
    """A client can send an answer back without a loss."""
    with Application(_echo(kind)).test() as client:
        first = client.post("/", json=sent)
        second = client.post("/", data=first.data, content_type="application/json")

    assert b'"ownTitle":"milk"' in first.data
    assert first.data == second.data


def test_defaults_are_optional_in_requests_and_always_there_in_answers() -> None:
    """The class has a schema for each side."""
    schemas = document_of(_echo(Defaulting))["components"]["schemas"]

    assert "required" not in schemas["Defaulting-Input"]
    assert schemas["Defaulting-Output"]["required"] == ["ownTitle", "tags"]


def test_a_class_around_a_model_has_a_schema_for_each_side_too() -> None:
    """Its schemas refer to those of the model, also from inside itself."""
    schemas = document_of(_echo(Page[Defaulting]))["components"]["schemas"]
    named = [name for name in schemas if name.startswith("Page")]

    assert named == ["Page_Defaulting_-Input", "Page_Defaulting_-Output"]
    for name, end in zip(named, ("-Input", "-Output"), strict=True):
        text = json.dumps(schemas[name])
        assert f"#/components/schemas/Defaulting{end}" in text
        assert f"#/components/schemas/{name}" in text


def test_a_model_with_equal_input_and_output_has_one_schema() -> None:
    """A model that only requests or only answers contain also has one schema."""

    @controller("/")
    class Both:
        @post("/")
        def echo(self, body: Body[Page[Aliased]]) -> Page[Aliased]:
            return body

        @get("/")
        def show(self) -> Defaulting:
            return Defaulting()

    schemas = document_of(Both)["components"]["schemas"]
    names = [name for name in schemas if name not in ("FieldError", "ProblemDetails")]
    assert names == ["Aliased", "Defaulting", "Page_Aliased_"]


@pytest.mark.parametrize("kind", [list[Cat | Dog], dict[str, Cat | Dog], Home], ids=str)
def test_several_models_inside_another_type_are_described(kind: Any) -> None:
    """Pydantic describes a type that msgspec cannot describe."""
    document = document_of(_echo(kind))

    schemas = document["components"]["schemas"]
    assert {"Cat-Input", "Cat-Output", "Dog-Input", "Dog-Output"} <= schemas.keys()
    assert _schema(document, "requestBody").keys() > {"components"}


class Opaque:
    """A class that no library can describe."""


class Lax(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    title: str
    picture: FileStorage
    pictures: list[FileStorage] = []
    opaque: Opaque | None = None
    call: Callable[[], int] = int
    since: Annotated[datetime, Field(default_factory=datetime.now)]
    unfit: Any = Field(default=Opaque())


@dataclass
class Around:
    lax: list[Lax]


def test_a_field_without_a_schema_may_be_anything() -> None:
    """A file is described as a file, and the other fields as usual."""

    @controller("/")
    class Uploads:
        @post("/form")
        def form(self, upload: Form[Lax]) -> None: ...

        @get("/one")
        def one(self) -> Lax: ...  # type: ignore[empty-body]

        @get("/many")
        def many(self) -> Around | list[Lax]: ...  # type: ignore[empty-body]

    document = document_of(Uploads)
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    content = document["paths"]["/form"]["post"]["requestBody"]["content"]
    assert content == {
        "multipart/form-data": {"schema": {"$ref": "#/components/schemas/Lax-Input"}}
    }
    fields = document["components"]["schemas"]["Lax-Input"]["properties"]
    assert fields["picture"] == {**FILE, "title": "Picture"}
    assert fields["pictures"]["items"] == FILE
    assert fields["title"] == {"title": "Title", "type": "string"}
    assert "type" not in fields["call"]


def test_the_default_of_a_body_has_the_names_of_a_request() -> None:
    """A client could send the default back."""

    @controller("/")
    class Optional:
        @post("/")
        def add(
            self, note: Body[TwoAliases] = TwoAliases.model_validate({"titleIn": "milk"})
        ) -> None: ...

    body = document_of(Optional)["paths"]["/"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"]["default"] == {"titleIn": "milk"}
