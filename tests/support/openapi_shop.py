"""A small application with an OpenAPI document: most kinds of parameters and results are in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any

import msgspec

from framework import (
    Application,
    Body,
    Cookie,
    Header,
    Response,
    Session,
    component,
    configuration,
    controller,
    delete,
    get,
    post,
    put,
    query,
)
from framework.openapi import OpenAPI


class Size(Enum):
    """Say how large an item is."""

    SMALL = "small"
    LARGE = "large"


@dataclass
class Item:
    """Something that is for sale."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    price: int
    size: Size = Size.SMALL
    parts: list["Item"] | None = None


@dataclass
class Receipt:
    """What a customer gets."""

    item: Item
    bought: date


@controller("/items")
class Items:
    """What is for sale."""

    @get("/")
    def index(
        self,
        q: str | None = None,
        page: Annotated[int, query(ge=1, le=1000)] = 1,
        sizes: list[Size] | None = None,
        x_tenant: Header[str] = "main",
        theme: Cookie[str | None] = None,
    ) -> list[Item]:
        """List the items.

        The newest come first, `page` after page.
        """
        return [Item("cup", page)]

    @post("/", status=201)
    def add(self, item: Body[Item]) -> Item:
        """Offer an item."""
        return item

    @get("/<int:item_id>")
    def show(self, item_id: int) -> Item | None:
        """Show an item, if it is there."""
        return Item(str(item_id), 1)

    @put("/<int:number>")
    def change(self, number: int, item: Body[Item]) -> Receipt | Response:
        """Change an item."""
        return Receipt(item, date(2030, 1, 1 + number % 31))

    @delete("/<int:item_id>")
    def remove(self, item_id: int) -> None:
        """Take an item away."""

    @get("/<int:item_id>/picture")
    def picture(self, item_id: int) -> bytes:
        return b"" * item_id


@controller("/")
class Pages:
    """Pages and streams."""

    @get("/")
    def home(self, session: Session) -> str:
        """Greet."""
        return f"hello {len(session)}"

    @get("/old")
    @get("/older")
    def moved(self) -> Response:
        """Lead to the new place."""
        return Response(status=301, headers={"Location": "/"})

    @get("/stream")
    def stream(self) -> Iterator[str]:
        """Count."""
        yield "one"

    @get("/anything")
    def anything(self):  # type: ignore[no-untyped-def]  # noqa: ANN201
        return {}


@configuration
class Configuration:
    """Describe the application."""

    @component
    def openapi(self) -> OpenAPI:
        return OpenAPI(title="Shop <1>", version="2.1", description="A shop.")


def document_of(*classes: type, **settings: Any) -> dict[str, Any]:
    """Return the OpenAPI document of an application of the classes."""

    @configuration
    class Described:
        @component
        def openapi(self) -> OpenAPI:
            return OpenAPI(**{"title": "Trial", **settings})

    path = str(settings.get("path", "/docs")).rstrip("/")
    with Application(*classes, Described).test() as client:
        document: dict[str, Any] = client.get(f"{path}/openapi.json").json or {}
        return document
