"""Deeply nested JSON is an error of the client, and never of the server."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, NamedTuple, Optional

import msgspec
import pydantic
import pytest
from werkzeug.wrappers import Request

from framework import Body, controller, post
from tests.support.small_applications import client_of

# From what every type reads to what no type reads.
DEPTHS = (1, 50, *range(100, 1100, 50), 5000, 100_000)


class Prices(msgspec.Struct):
    price: Decimal | None = None
    inner: "Prices | None" = None


class Names(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(pattern="^a$")] = "a"
    inner: "Names | None" = None


class Place(NamedTuple):
    price: Decimal = Decimal(1)
    inner: Optional["Place"] = None


class Model(pydantic.BaseModel):
    name: str = pydantic.Field("a", pattern="^a$")
    inner: Optional["Model"] = None


class WithModel(msgspec.Struct):
    model: Model


def _objects(depth: int) -> str:
    return '{"inner":' * depth + "{}" + "}" * depth


def _wrong_objects(depth: int) -> str:
    return '{"inner":' * depth + '{"inner":1}' + "}" * depth


def _arrays(depth: int) -> str:
    return '["1",' * depth + '["1"]' + "]" * depth


def _in_model(depth: int) -> str:
    return '{"model":' + _objects(depth) + "}"


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    ("annotation", "nested"),
    [
        (Prices, _objects),
        (Prices, _wrong_objects),
        (Names, _objects),
        (Place, _arrays),
        (list[Any], _arrays),
        (dict[str, Any], _objects),
        (Any, _arrays),
        (Model, _objects),
        (Model, _wrong_objects),
        (WithModel, _in_model),
    ],
)
def test_a_deeply_nested_body_is_never_a_server_error(
    annotation: Any, nested: Callable[[int], str], depth: int
) -> None:
    """A body is read, or refused if it is too deep for its reader."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, body: Body[annotation]) -> None: ...  # pyright: ignore[reportInvalidTypeForm]

    with client_of(Pages) as client:
        answer = client.post("/", data=nested(depth), content_type="application/json")

    assert answer.status_code in ((204, 422) if depth <= 100 else (204, 400, 422))


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(("silent", "status"), [(False, 400), (True, 204)])
def test_the_request_object_refuses_the_same_depths(depth: int, silent: bool, status: int) -> None:
    """`request.get_json()` has the same errors."""

    @controller("/")
    class Pages:
        @post("/")
        def page(self, request: Request) -> None:
            request.get_json(silent=silent)

    with client_of(Pages) as client:
        answer = client.post("/", data=_arrays(depth), content_type="application/json")

    assert answer.status_code in ((204,) if depth <= 100 else (204, status))
