"""For handlers of any kind, the document of the application is valid OpenAPI."""

import datetime
import decimal
import enum
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, NewType, NotRequired, TypedDict, TypeVar

import attrs
import msgspec
import pydantic
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.datastructures import FileStorage

from framework import (
    Body,
    Form,
    Header,
    Session,
    component,
    controller,
    get,
    guard,
    head,
    header,
    options,
    patch,
    post,
    put,
    query,
    session_value,
)
from tests.support.openapi_shop import document_of

T = TypeVar("T")
UserId = NewType("UserId", int)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Circle(msgspec.Struct, tag="circle"):
    radius: float


class Square(msgspec.Struct, tag="square"):
    side: Annotated[float, msgspec.Meta(gt=0)]


class Node(msgspec.Struct):
    value: int
    children: list["Node"] = []


class Page(msgspec.Struct, Generic[T]):
    items: list[T]
    next: str | None = None


class Options(TypedDict):
    loud: bool
    name: NotRequired[str]


class Comment(pydantic.BaseModel):
    stars: int = pydantic.Field(ge=1, le=5)
    answers: "list[Comment]" = []


@attrs.define
class Point:
    x: decimal.Decimal
    y: datetime.timedelta


@dataclass
class Upload:
    name: str
    pictures: list[FileStorage]


@dataclass
class Cart:
    items: list[str] = field(default_factory=list)


@component
class Tenant:
    def resolve(self, x_tenant: Header[str], session: Session, region: str = "eu") -> str:
        return x_tenant + region


class Keyed:
    def check(self, key: Annotated[str, query("api-key", min_length=8)]) -> bool:
        return bool(key)


@controller("/text")
class Text:
    @get("/query")
    @put("/query", status=202)
    def query(
        self,
        level: Level,
        kind: Literal["a", "b"] = "a",
        levels: list[Level] | None = None,
        ids: Annotated[list[uuid.UUID], query("id", max_length=4)] = [],  # noqa: B006
        since: datetime.date | None = None,
        ratio: Annotated[float, query(gt=0, lt=1)] = 0.5,
        user: UserId | None = None,
    ) -> dict[str, Any]:
        return {}

    # OpenAPI ignores the first three; they are told all the same, for people.
    @get("/headers")
    def headers(
        self,
        accept: Header[str],
        content_type: Header[str | None] = None,
        authorization: Header[str | None] = None,
        own: Annotated[str, header("X-Own", pattern="^x")] = "x",
    ) -> None: ...

    @get("/<int:a>/<uuid:b>/<float:c>/<any(x,y):d>/<string(length=2):e>/<path:f>")
    def path(self, a: int, b: uuid.UUID, c: float, d: str, e: str, f: str) -> int:
        return a

    @get("/<int(min=1, max=5):number>/<name>.<kind>")
    def parts(self, number: int, name: str, kind: str) -> Iterator[bytes]:
        yield name.encode()

    @head("/<name>")
    @options("/<name>")
    def around(self, name: str) -> None: ...

    @get("/guarded")
    @guard(Keyed)
    def guarded(self, tenant: Annotated[str, Tenant]) -> str:
        return tenant

    @get("/cart")
    def cart(self, cart: Annotated[Cart, session_value("cart")] = Cart()) -> Cart:
        return cart

    @get("/basket")
    def basket(self, cart: Annotated[Cart, session_value("cart")]) -> frozenset[str]:
        return frozenset(cart.items)


@controller("/bodies")
class Bodies:
    @post("/union")
    def union(self, shape: Body[Circle | Square]) -> Circle | Square:
        return shape

    @post("/node", status=201)
    def node(self, node: Body[Node | None] = None) -> Node | None:
        return node

    @post("/page")
    def page(self, page: Body[Page[Point]]) -> Page[int]:
        return Page([len(page.items)])

    @post("/options")
    def options(self, options: Body[Options]) -> Options:
        return options

    @post("/comments")
    @patch("/comments")
    def comments(self, comments: Body[list[Comment]]) -> Comment | None:
        return comments[0] if comments else None

    @post("/point")
    def point(self, point: Body[Point]) -> Point:
        return point

    @post("/anything")
    def anything(self, body: Body[Any]) -> object:
        return body

    @post("/upload")
    def upload(self, upload: Form[Upload], note: Form[str] = "") -> None: ...

    @post("/file")
    def file(self, file: FileStorage | None = None) -> None: ...


@controller("/again")
class Again(Bodies):
    """Inherit the handlers."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return document_of(Text, Bodies, Again, Tenant)


def test_every_kind_of_handler_makes_a_valid_document(document: dict[str, Any]) -> None:
    """The document fits the official schema, and operation names are unique."""
    errors = list(OpenAPIV31SpecValidator(document).iter_errors())
    operations = [each for item in document["paths"].values() for each in item.values()]

    assert errors == []
    assert len({each["operationId"] for each in operations}) == len(operations) == 30


@pytest.mark.parametrize(("path", "refused"), [("/text/cart", False), ("/text/basket", True)])
def test_a_session_value_is_refused_only_where_it_has_no_default(
    document: dict[str, Any], path: str, refused: bool
) -> None:
    """With a default, an unfit value is not an error."""
    assert ("422" in document["paths"][path]["get"]["responses"]) is refused


def test_values_that_guards_and_resolvers_read_are_documented(document: dict[str, Any]) -> None:
    """A client has to send these values, too."""
    operation = document["paths"]["/text/guarded"]["get"]

    assert [each["name"] for each in operation["parameters"]] == ["x-tenant", "region", "api-key"]
    assert list(operation["responses"]) == ["200", "403", "422"]
