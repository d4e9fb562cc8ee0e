"""What the OpenAPI document promises, held against whatever a client may send."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS31Validator
from werkzeug.test import TestResponse

from framework import Application
from framework.testing import Client
from tests.framework.shop import Configuration, Items, Pages

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
def document(client: Client) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/docs/openapi.json").json or {}
    return document


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_answer_is_one_of_the_document(
    client: Client, document: dict[str, Any], data: st.DataObject
) -> None:
    """Its status is listed, and its body fits the schema that stands there."""
    operations = [(path, each) for path, item in document["paths"].items() for each in item]
    path, method = data.draw(st.sampled_from(operations))
    operation = document["paths"][path][method]

    response = _send(client, path, method, operation, data)

    responses = operation["responses"]
    described = responses.get(str(response.status_code)) or responses["default"]
    name = described.get("$ref", "").rpartition("/")[2]
    described = document["components"]["responses"][name] if name else described
    assert _misfits(response, described.get("content"), document["components"]) == []


def _send(
    client: Client, path: str, method: str, operation: dict[str, Any], data: st.DataObject
) -> TestResponse:
    """Send a request that may or may not be what the operation asks for."""
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
    """List where a response is not what its description says."""
    if not content:
        return []
    if response.mimetype not in content:
        return [response.mimetype]
    if "json" not in response.mimetype:
        return []
    schema = content[response.mimetype]["schema"] | {"components": components}
    return list(OAS31Validator(schema).iter_errors(json.loads(response.data)))
