"""The responses of an OpenAPI document: what a client may get."""

from collections.abc import Generator, Iterator
from typing import Annotated, Any, NoReturn

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from framework import Header, Response, component, controller, get
from tests.framework.shop import Items, Pages, document_of

JSON_INTEGER = {"application/json": {"schema": {"type": "integer"}}}
TEXT = {"text/plain": {"schema": {"type": "string"}}}
OCTETS: dict[str, Any] = {"application/octet-stream": {"schema": {}}}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return document_of(Items, Pages)


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("/items", "get", ["200", "422"]),
        ("/items", "post", ["201", "400", "413", "415", "422"]),
        ("/items/{item_id}", "get", ["200", "204", "404"]),
        ("/items/{item_id}", "put", ["200", "default", "400", "404", "413", "415", "422"]),
        ("/items/{item_id}", "delete", ["204", "404"]),
        ("/old", "get", ["default"]),
        ("/anything", "get", ["default"]),
    ],
)
def test_the_statuses_of_an_operation(
    document: dict[str, Any], path: str, method: str, statuses: list[str]
) -> None:
    """What the handler returns, and what the framework refuses before it."""
    assert list(document["paths"][path][method]["responses"]) == statuses


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/items/{item_id}/picture", {"application/octet-stream": {"schema": {}}}),
        ("/", {"text/plain": {"schema": {"type": "string"}}}),
        ("/stream", {"text/plain": {"schema": {"type": "string"}}}),
    ],
)
def test_results_have_their_media_types(
    document: dict[str, Any], path: str, content: dict[str, Any]
) -> None:
    """They are rendered as the document says."""
    assert document["paths"][path]["get"]["responses"]["200"]["content"] == content


@pytest.mark.parametrize(
    ("result", "status", "contents"),
    [
        (int, None, {"200": JSON_INTEGER}),
        (int, 202, {"202": JSON_INTEGER}),
        (None, None, {"204": None}),
        (None, 202, {"202": None}),
        (str, None, {"200": TEXT}),
        (bytes, None, {"200": OCTETS}),
        (Iterator[str], None, {"200": TEXT}),
        (Generator[str, None, None], None, {"200": TEXT}),
        (Iterator[bytes], None, {"200": OCTETS}),
        (Annotated[int, "noted"], None, {"200": JSON_INTEGER}),
        (int | None, None, {"200": JSON_INTEGER, "204": None}),
        (int | None, 203, {"203": JSON_INTEGER}),
        (int | str, None, {"200": JSON_INTEGER | TEXT}),
        (int | Response, None, {"200": JSON_INTEGER, "default": None}),
        (Response, 201, {"default": None}),
        (NoReturn, None, {"default": None}),
    ],
    ids=str,
)
def test_the_responses_of_a_return_annotation(
    result: Any, status: int | None, contents: dict[str, Any]
) -> None:
    """Each kind of result has its status and its media type."""

    @controller("/")
    class Results:
        def show(self) -> Any: ...

        show.__annotations__ = {"return": result}
        show = get("/", status=status)(show)

    document = document_of(Results)
    responses = document["paths"]["/"]["get"]["responses"]
    assert {each: found.get("content") for each, found in responses.items()} == contents
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_a_resolver_that_reads_nothing_refuses_nothing() -> None:
    """There is no value that could not fit."""

    @component
    class Nobody:
        def resolve(self) -> str:
            return "nobody"

    @controller("/")
    class Resolved:
        def show(self, user: Any) -> str:
            return str(user)

        show.__annotations__["user"] = Annotated[str, Nobody]
        show = get("/")(show)

    responses = document_of(Resolved, Nobody)["paths"]["/"]["get"]["responses"]
    assert list(responses) == ["200"]


def test_a_value_that_may_not_fit_is_refused() -> None:
    """With problem details."""

    @controller("/")
    class Reading:
        @get("/")
        def show(self, x_count: Header[int]) -> int:
            return x_count

    document = document_of(Reading)
    assert document["paths"]["/"]["get"]["responses"]["422"] == {
        "$ref": "#/components/responses/UnprocessableEntity"
    }
    content = document["components"]["responses"]["UnprocessableEntity"]["content"]
    assert list(content) == ["application/problem+json"]
