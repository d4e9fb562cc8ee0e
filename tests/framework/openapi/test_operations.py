"""The operations of an OpenAPI document: parameters, bodies and responses."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, NoReturn

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.datastructures import FileStorage

from framework import Form, Header, Response, component, controller, form, get, guard, post, query
from tests.support.openapi_shop import Items, Pages, document_of


@dataclass
class Upload:
    """Hold a picture and its name."""

    name: str
    picture: FileStorage


@dataclass
class Login:
    """Say who one is."""

    name: str
    password: str


@dataclass
class Search:
    """Say what is looked for."""

    text: str = ""
    page: int = 1


@controller("/")
class Forms:
    """Read forms."""

    @post("/fields")
    def fields(self, name: Form[str], count: Annotated[int, form("n", ge=1)] = 1) -> None: ...

    @post("/class")
    def whole(self, login: Form[Login]) -> None: ...

    @post("/both")
    def both(self, login: Form[Login], remember: Form[bool] = False) -> None: ...

    @post("/optional")
    def optional(self, name: Form[str] = "nobody") -> None: ...

    @post("/searched")
    def searched(self, search: Form[Search]) -> None: ...

    @post("/file")
    def file(self, picture: FileStorage) -> None: ...

    @post("/files")
    def files(self, upload: Form[Upload]) -> None: ...


URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return document_of(Items, Pages)


@pytest.fixture(scope="module")
def forms() -> dict[str, Any]:
    return document_of(Forms)


def test_parameters_say_where_they_are_and_what_they_hold(document: dict[str, Any]) -> None:
    """They have the names of a request, and their limits and defaults."""
    parameters = document["paths"]["/items"]["get"]["parameters"]

    assert [(each["in"], each["name"], each["schema"]) for each in parameters] == [
        ("query", "q", {"type": "string"}),
        ("query", "page", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1}),
        ("query", "sizes", {"type": "array", "items": {"$ref": "#/components/schemas/Size"}}),
        ("header", "x-tenant", {"type": "string", "default": "main"}),
        ("cookie", "theme", {"type": "string"}),
    ]
    assert not any(each["required"] for each in parameters)


def test_an_alias_is_the_name() -> None:
    """A client does not know the name in the handler."""

    @controller("/")
    class Aliased:
        @get("/")
        def show(self, size: Annotated[int, query("page_size", le=50)]) -> int:
            return size

    (parameter,) = document_of(Aliased)["paths"]["/"]["get"]["parameters"]
    assert parameter["name"] == "page_size"
    assert parameter["required"] is True
    assert parameter["schema"] == {"type": "integer", "maximum": 50}


def test_a_body_refers_to_its_class(document: dict[str, Any]) -> None:
    """Classes have one schema each, with their docstrings and limits."""
    body = document["paths"]["/items"]["post"]["requestBody"]
    item = document["components"]["schemas"]["Item"]

    schema = {"$ref": "#/components/schemas/Item"}
    assert body == {"required": True, "content": {"application/json": {"schema": schema}}}
    assert item["description"] == "Something that is for sale."
    assert item["required"] == ["name", "price"]
    assert item["properties"]["name"] == {"type": "string", "minLength": 1, "maxLength": 40}


@pytest.mark.parametrize(
    ("path", "types"),
    [
        ("/fields", [URLENCODED, MULTIPART]),
        ("/class", [URLENCODED, MULTIPART]),
        ("/both", [URLENCODED, MULTIPART]),
        ("/file", [MULTIPART]),
        ("/files", [MULTIPART]),
    ],
)
def test_a_form_has_its_media_types(forms: dict[str, Any], path: str, types: list[str]) -> None:
    """Only multipart carries files."""
    operation = forms["paths"][path]["post"]

    assert list(operation["requestBody"]["content"]) == types
    assert operation["requestBody"]["required"] is True
    assert list(operation["responses"]) == ["204", "400", "413", "415", "422"]


def test_the_fields_of_a_form_are_one_object(forms: dict[str, Any]) -> None:
    """The fields have the names that a browser sends."""
    body = forms["paths"]["/fields"]["post"]["requestBody"]

    assert body["content"][URLENCODED]["schema"] == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "n": {"type": "integer", "minimum": 1, "default": 1},
        },
        "required": ["name"],
    }


@pytest.mark.parametrize("path", ["/optional", "/searched"])
def test_a_form_without_required_fields_is_optional(forms: dict[str, Any], path: str) -> None:
    """A client may send no body at all."""
    assert forms["paths"][path]["post"]["requestBody"]["required"] is False


def test_a_class_and_fields_of_a_form_come_together(forms: dict[str, Any]) -> None:
    """The one body contains both."""
    body = forms["paths"]["/both"]["post"]["requestBody"]
    whole, fields = body["content"][URLENCODED]["schema"]["allOf"]

    assert whole == {"$ref": "#/components/schemas/Login"}
    assert list(fields["properties"]) == ["remember"]


def test_a_file_field_of_a_form_class_is_binary(forms: dict[str, Any]) -> None:
    """A client sends its bytes."""
    picture = forms["components"]["schemas"]["Upload"]["properties"]["picture"]

    assert picture == {"type": "string", "contentMediaType": "application/octet-stream"}


def test_a_document_with_forms_is_valid(forms: dict[str, Any]) -> None:
    """It follows the official schema."""
    assert list(OpenAPIV31SpecValidator(forms).iter_errors()) == []


def test_values_that_a_resolver_reads_are_parameters_of_the_operation() -> None:
    """The document lists each value once."""

    @component
    class Tenant:
        def resolve(self, x_tenant: Header[str]) -> str:
            return x_tenant

    @controller("/")
    class Resolved:
        def show(self, tenant: Any, x_tenant: Header[str]) -> None: ...

        show.__annotations__["tenant"] = Annotated[str, Tenant]
        show = get("/")(show)

    (parameter,) = document_of(Resolved, Tenant)["paths"]["/"]["get"]["parameters"]
    assert (parameter["in"], parameter["name"]) == ("header", "x-tenant")


def test_values_that_a_guard_reads_are_parameters_of_the_operation() -> None:
    """The refusal of the guard is a response."""

    class Keyed:
        def check(self, x_key: Header[str]) -> bool:
            return x_key == "secret"

    @controller("/")
    class Guarded:
        @get("/")
        @guard(Keyed)
        def show(self) -> str:
            return "shown"

    operation = document_of(Guarded)["paths"]["/"]["get"]
    assert [(each["in"], each["name"]) for each in operation["parameters"]] == [("header", "x-key")]
    assert list(operation["responses"]) == ["200", "403", "422"]


def test_a_limited_decimal_is_described_without_its_limits() -> None:
    """It is a text, for which JSON Schema has no such limits."""

    @controller("/")
    class Prices:
        @get("/")
        def show(self, least: Annotated[Decimal, query(gt=0)]) -> str:
            return str(least)

    (parameter,) = document_of(Prices)["paths"]["/"]["get"]["parameters"]
    assert parameter["schema"] == {"type": "string", "format": "decimal"}


JSON_INTEGER = {"application/json": {"schema": {"type": "integer"}}}
TEXT = {"text/plain": {"schema": {"type": "string"}}}
OCTETS: dict[str, Any] = {"application/octet-stream": {"schema": {}}}


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
    """They are the statuses of the handler and of the framework's refusals."""
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
    """The media types are those of the real responses."""
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
    """No value could be invalid."""

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
    """The refusal has problem details."""

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
