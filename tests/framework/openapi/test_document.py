"""The OpenAPI document as a whole: paths, operations, settings."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from framework import Application, controller, get, post
from framework.http.routes import Route
from framework.testing import Client
from tests.support.openapi_shop import Configuration, Items, Pages, document_of
from tests.support.thoroughness import examples


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return document_of(Items, Pages, title="Shop", version="2.1", description="A shop.")


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """It fits the official schema of OpenAPI 3.1, and every reference exists."""
    errors = list(OpenAPIV31SpecValidator(document).iter_errors())

    assert errors == []
    assert document["openapi"].startswith("3.1.")
    assert document["info"] == {"title": "Shop", "version": "2.1", "description": "A shop."}


def test_every_route_is_an_operation(document: dict[str, Any]) -> None:
    """Converters and a slash at the end are not part of a path."""
    operations = {path: list(item) for path, item in document["paths"].items()}

    assert operations == {
        "/items": ["get", "post"],
        "/items/{item_id}": ["get", "put", "delete"],
        "/items/{item_id}/picture": ["get"],
        "/": ["get"],
        "/old": ["get"],
        "/older": ["get"],
        "/stream": ["get"],
        "/anything": ["get"],
    }


def test_docstrings_describe(document: dict[str, Any]) -> None:
    """The first line is the summary; a controller's docstring describes its tag."""
    operation = document["paths"]["/items"]["get"]

    assert operation["summary"] == "List the items."
    assert operation["description"] == "The newest come first, `page` after page."
    assert operation["tags"] == ["Items"]
    assert {"name": "Items", "description": "What is for sale."} in document["tags"]


def test_each_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    """Generated clients name their functions by it."""
    names = [each["operationId"] for item in document["paths"].values() for each in item.values()]

    assert "Items.show" in names
    assert len(set(names)) == len(names)


def test_paths_that_differ_only_in_variable_names_are_one_path(document: dict[str, Any]) -> None:
    """The first rule names the variables; OpenAPI allows no other path like it."""
    change = document["paths"]["/items/{item_id}"]["put"]

    assert [each["name"] for each in change["parameters"]] == ["item_id"]
    assert change["parameters"][0]["required"] is True


def test_of_paths_that_differ_only_in_converters_the_first_is_documented() -> None:
    """OpenAPI cannot distinguish such paths."""

    @controller("/")
    class Converted:
        @get("/<int:number>")
        def number(self, number: int) -> int:
            return number

        @get("/<name>")
        def name(self, name: str) -> str:
            return name

    paths = document_of(Converted)["paths"]
    assert list(paths) == ["/{number}"]
    assert paths["/{number}"]["get"]["operationId"] == "Converted.number"


def test_the_own_pages_are_not_described(document: dict[str, Any]) -> None:
    """The pages of the document are not part of the API."""
    assert not any(path.startswith("/docs") for path in document["paths"])


def test_include_chooses_the_routes() -> None:
    """A route that is left out is still served."""

    def include(route: Route) -> bool:
        return route.method == "GET" and route.controller is Items

    paths = document_of(Items, Pages, include=include)["paths"]
    assert list(paths) == ["/items", "/items/{item_id}", "/items/{item_id}/picture"]
    assert list(paths["/items"]) == ["get"]


def test_amend_completes_the_document() -> None:
    """`amend` adds facts that the handlers do not say, such as security."""

    def amend(document: dict[str, Any]) -> None:
        scheme = {"type": "apiKey", "in": "cookie", "name": "session"}
        document["components"]["securitySchemes"] = {"session": scheme}
        document["security"] = [{"session": []}]

    document = document_of(Pages, amend=amend, servers=["https://shop.example/api"])
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert document["security"] == [{"session": []}]
    assert document["servers"] == [{"url": "https://shop.example/api"}]


@pytest.mark.parametrize(
    ("method", "url", "body", "status"),
    [
        ("get", "/items?page=2", None, "200"),
        ("get", "/items?page=0&sizes=huge", None, "422"),
        ("post", "/items", '{"name": "cup", "price": 1, "parts": []}', "201"),
        ("post", "/items", '{"name": ""}', "422"),
        ("post", "/items", "{", "400"),
    ],
)
def test_real_responses_fit_the_document(
    document: dict[str, Any], method: str, url: str, body: str | None, status: str
) -> None:
    """A real response fits the schema of the document."""
    with Application(Items, Configuration).test() as client:
        response = client.open(
            url, method=method.upper(), data=body, content_type="application/json"
        )

    (path, _, _) = url.partition("?")
    described = document["paths"][path][method]["responses"][status]
    name = described.get("$ref", "").rpartition("/")[2]
    content = (document["components"]["responses"][name] if name else described)["content"]
    schema = content[response.mimetype]["schema"] | {"components": document["components"]}
    assert response.status_code == int(status)
    assert list(OAS31Validator(schema).iter_errors(json.loads(response.data))) == []


def test_an_application_without_other_routes_has_a_document() -> None:
    """A document without operations is valid."""

    @controller("/")
    class Nothing:
        @post("/")
        def nothing(self) -> None: ...

    document = document_of(Nothing)
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert document["paths"]["/"]["post"]["responses"] == {"204": {"description": "No Content"}}


WORDS = st.sampled_from(["", "0", "1", "-1", "1001", "small", "true", "ż", "a b", "None", "1.5"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
NAMES = st.sampled_from(["name", "price", "size", "parts", "other"])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
ITEMS = st.fixed_dictionaries(
    {"name": st.text(max_size=3), "price": st.integers()},
    optional={"size": st.sampled_from(["small", "huge"]), "parts": JSON},
)
BODIES = st.sampled_from([b"", b"{", b"[1,]", b"\xff"]) | (JSON | ITEMS).map(
    lambda value: json.dumps(value).encode()
)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Application(Items, Pages, Configuration).test() as client:
        yield client


@pytest.fixture(scope="module")
def served_document(client: Client) -> dict[str, Any]:
    served_document: dict[str, Any] = client.get("/docs/openapi.json").json or {}
    return served_document


@settings(max_examples=examples(150), deadline=None)
@given(data=st.data())
def test_every_real_status_is_in_the_document(
    client: Client, served_document: dict[str, Any], data: st.DataObject
) -> None:
    """The document lists the status, and the body fits its schema."""
    operations = [(path, each) for path, item in served_document["paths"].items() for each in item]
    path, method = data.draw(st.sampled_from(operations))
    operation = served_document["paths"][path][method]

    response = _send(client, path, method, operation, data)

    responses = operation["responses"]
    described = responses.get(str(response.status_code)) or responses["default"]
    name = described.get("$ref", "").rpartition("/")[2]
    described = served_document["components"]["responses"][name] if name else described
    assert _misfits(response, described.get("content"), served_document["components"]) == []


def _send(
    client: Client, path: str, method: str, operation: dict[str, Any], data: st.DataObject
) -> TestResponse:
    """Send a valid or invalid request to an operation."""
    sent: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
    for each in operation.get("parameters", ()):
        if each["in"] == "path" or data.draw(st.booleans()):
            words = WORDS.filter(bool) if each["in"] == "path" else WORDS
            words = words.filter(str.isascii) if each["in"] == "header" else words
            sent[each["in"]][each["name"]] = data.draw(words)
    body = data.draw(BODIES) if "requestBody" in operation else b""
    types = st.sampled_from(["application/json", "text/plain"])
    return client.open(
        path.format(**sent["path"]),
        method=method.upper(),
        query_string=sent["query"],
        headers=sent["header"],
        data=body,
        content_type=data.draw(types) if body else None,
    )


def _misfits(
    response: TestResponse, content: dict[str, Any] | None, components: dict[str, Any]
) -> list[object]:
    """List the differences between a response and its description."""
    if not content:
        return []
    if response.mimetype not in content:
        return [response.mimetype]
    if "json" not in response.mimetype:
        return []
    schema = content[response.mimetype]["schema"] | {"components": components}
    return list(OAS31Validator(schema).iter_errors(json.loads(response.data)))
