"""Methods, paths and bodies: rules of HTTP for every handler."""

from collections.abc import Iterator

import pytest
from werkzeug.exceptions import BadRequest

from framework import (
    Application,
    Body,
    Request,
    Response,
    controller,
    delete,
    get,
    head,
    options,
    patch,
    post,
    put,
    session,
)
from framework.testing import Client


@controller("/")
class Pages:
    """Answer in every method."""

    @get("/h")
    def show(self) -> str:
        return "shown"

    @post("/h")
    def make(self) -> str:
        return "made"

    @get("/both")
    def get_both(self) -> str:
        return "get"

    @head("/both/")
    def head_both(self) -> Response:
        return Response("this is not sent", headers={"X-Head": "own"})

    @options("/asked")
    def asked(self) -> str:
        return "asked"

    @get("/items/<int:item_id>")
    def item(self, item_id: int) -> dict[str, int]:
        return {"item": item_id}

    @put("/items/<item_id>")
    @patch("/items/<item_id>")
    @delete("/items/<item_id>")
    def change(self, item_id: str, request: Request) -> str:
        return f"{request.method} {item_id}"

    @get("/typed/<number>")
    def typed(self, number: int) -> int:
        return number

    @get("/names/<name>")
    def name(self, name: str) -> str:
        return name

    @get("/names/<name>/more")
    def more(self, name: str) -> str:
        return f"more {name}"

    @get("/files/<path:rest>")
    def file(self, rest: str) -> str:
        return rest

    @post("/body")
    def body(self, body: Body[dict[str, int]]) -> dict[str, int]:
        return body

    @post("/in-session")
    def in_session(self, session: session) -> int:
        return len(session)


@pytest.fixture
def client() -> Iterator[Client]:
    with Application(Pages).test() as client:
        yield client


@pytest.mark.parametrize("path", ["/h", "/items/7", "/files/a/b", "/missing", "/both"])
def test_head_has_the_headers_of_get(client: Client, path: str) -> None:
    """HEAD answers as GET, Content-Length included, without the body."""
    got, headed = client.get(path), client.head(path)

    assert headed.status == got.status
    assert headed.data == b""
    if path != "/both":
        assert list(headed.headers) == list(got.headers)


@pytest.mark.parametrize("path", ["/both", "/both/"])
def test_an_explicit_head_wins(client: Client, path: str) -> None:
    """A @head handler answers HEAD for its path, with or without a last slash; GET is not asked."""
    response = client.head(path)

    assert response.headers["X-Head"] == "own"
    assert response.headers["Content-Length"] == "16"
    assert response.data == b""


def test_head_ends_the_response_that_is_not_sent() -> None:
    """The functions of `call_on_close` run for HEAD, too."""
    ended = []

    @controller("/")
    class Closing:
        @get("/")
        def show(self) -> Response:
            response = Response("body")
            response.call_on_close(lambda: ended.append(True))
            return response

    with Application(Closing).test() as client:
        client.head("/")

    assert ended == [True]


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/h", "GET, HEAD, OPTIONS, POST"),
        ("/h/", "GET, HEAD, OPTIONS, POST"),
        ("/both", "GET, HEAD, OPTIONS"),
        ("/items/7", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("/items/x", "DELETE, OPTIONS, PATCH, PUT"),
        ("/files/a/b", "GET, HEAD, OPTIONS"),
        ("/body", "OPTIONS, POST"),
    ],
)
def test_options_lists_the_methods_of_the_path(client: Client, path: str, allow: str) -> None:
    """OPTIONS is 204 with a sorted Allow; 405 carries the same one."""
    response = client.options(path)
    refused = client.open(path, method="TRACE")

    assert (response.status_code, refused.status_code) == (204, 405)
    assert list(response.headers) == [("Allow", allow)]
    assert refused.headers["Allow"] == allow


def test_options_runs_no_handler_and_no_parameters(client: Client) -> None:
    """The automatic answer needs no valid body, and opens no session."""
    client.set_cookie("session", "anything")

    assert client.options("/body", data="{", content_type="text/plain").status_code == 204
    assert "Vary" not in client.options("/in-session").headers


def test_an_options_handler_wins(client: Client) -> None:
    """An @options handler answers in place of the automatic one."""
    assert client.options("/asked").text == "asked"


def test_options_of_an_unknown_path_is_not_found(client: Client) -> None:
    """An unknown path has no methods."""
    assert client.options("/missing").status_code == 404


def test_the_static_path_does_not_hide_other_methods() -> None:
    """DELETE of `/users/me` reaches `/users/<name>` if only GET has `/users/me`."""

    @controller("/users")
    class Users:
        @get("/me")
        def me(self) -> str:
            return "me"

        @delete("/<name>")
        def remove(self, name: str) -> str:
            return f"removed {name}"

    with Application(Users).test() as client:
        assert client.get("/users/me").text == "me"
        assert client.delete("/users/me").text == "removed me"
        assert client.options("/users/me").headers["Allow"] == "DELETE, GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["/h", "/h/"])
def test_a_last_slash_makes_no_difference(client: Client, path: str) -> None:
    """Both spellings reach the handler without a redirect, POST too."""
    assert client.get(path).text == "shown"
    assert client.post(path).text == "made"


@pytest.mark.parametrize(
    "path", ["//h", "///h", "//evil.example", "//evil.example/..", "/items//7", "/h//", "//"]
)
def test_slashes_are_not_merged(client: Client, path: str) -> None:
    """A double slash reaches no handler, and redirects to no other host."""
    response = client.get("/", environ_overrides={"PATH_INFO": path})

    assert response.status_code == 404
    assert "Location" not in response.headers


def test_a_path_holds_any_text(client: Client) -> None:
    """A percent-encoded value arrives decoded."""
    assert client.get("/names/%C5%BC%20%3F").text == "ż ?"


def test_a_path_that_is_not_utf_8_is_a_bad_request(client: Client) -> None:
    """Bytes that are not UTF-8 are refused."""
    response = client.get("/", environ_overrides={"PATH_INFO": "/names/\xff"})

    assert response.status_code == 400


@pytest.mark.parametrize("path", ["/names%2Fx", "/names/x%2Fmore", "/names/x%2fmore?a=%2F"])
def test_an_encoded_slash_reaches_no_other_route(client: Client, path: str) -> None:
    """A segment with an encoded slash is not taken for two segments."""
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("name", ["..", ".", "a%5Cmore", "%5C..%5Cmore", "..%5C"])
def test_dots_and_backslashes_are_part_of_a_path_value(client: Client, name: str) -> None:
    """They are ordinary characters of a value."""
    text = name.replace("%5C", "\\")
    response = client.get("/", environ_overrides={"PATH_INFO": f"/names/{text}"})

    assert response.text == text


@pytest.mark.parametrize(
    "path", ["/items/x", "/items/-1", "/typed/x", "/typed/1.5", "/typed/" + "9" * 5000]
)
def test_a_path_value_that_does_not_convert_is_not_found(client: Client, path: str) -> None:
    """If the rule or the handler wants an int, a path without an int does not exist."""
    assert client.get(path).status_code == (405 if path.startswith("/items") else 404)


def test_a_body_over_the_limit_is_413(client: Client) -> None:
    """The Content-Length is enough to refuse it before it is read."""
    response = client.post("/body", data=b" " * (1024 * 1024 + 1), content_type="application/json")

    assert response.status_code == 413


def test_a_length_that_is_not_a_number_is_a_bad_request(client: Client) -> None:
    """`Content-Length: abc` is 400."""
    response = client.post(
        "/body",
        data="{}",
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": "abc"},
    )

    assert response.status_code == 400


def test_an_empty_body_is_invalid_and_another_type_is_unsupported(client: Client) -> None:
    """A missing body is a 422, and a body of a wrong type is a 415."""
    assert client.post("/body").status_code == 422
    assert client.post("/body", data="a=1", content_type="text/plain").status_code == 415


@pytest.mark.parametrize("raised", [BadRequest(), LookupError("a secret")])
def test_an_error_in_a_constructor_of_a_value_is_answered(
    raised: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """An error while the response is made is answered like an error of the handler."""

    class Unfinished(Response):
        def get_wsgi_headers(self, environ: object) -> object:  # type: ignore[override]
            raise raised

    @controller("/")
    class Broken:
        @get("/")
        def show(self) -> Response:
            return Unfinished()

    with Application(Broken).test() as client:
        assert client.get("/").status_code == (400 if isinstance(raised, BadRequest) else 500)
