"""The headers that tell browsers to be strict."""

from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.exceptions import NotFound

from framework import (
    Application,
    HTTPSettings,
    Response,
    component,
    configuration,
    controller,
    get,
)
from framework.testing import Client
from tests.support.small_applications import client_of


@controller("/")
class Pages:
    @get("/")
    def show(self) -> str:
        return "text"


def strict_client(target: type, **settings: Any) -> Client:
    """Return a client of a controller with security headers."""

    @configuration
    class WebConfiguration:
        @component
        def http(self) -> HTTPSettings:
            return HTTPSettings(security_headers=True, **settings)

    return Client(Application(target, WebConfiguration))


@pytest.mark.parametrize("path", ["/", "/missing"])
def test_one_setting_turns_all_security_headers_on(path: str) -> None:
    """Every response has them; Strict-Transport-Security only over https."""
    client = strict_client(Pages)
    plain, secure = client.get(path), client.get(path, base_url="https://localhost")

    assert plain.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert plain.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert plain.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in plain.headers
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("name", ["X-Frame-Options", "x-frame-options"])
def test_a_security_header_of_the_applications_own_stays(name: str) -> None:
    """The header is not sent twice."""

    @controller("/own")
    class Own:
        @get("/")
        def show(self) -> Response:
            return Response(headers={name: "DENY"})

    client = strict_client(Own)

    assert client.get("/own").headers.getlist("X-Frame-Options") == ["DENY"]


def test_most_security_headers_are_off_by_default() -> None:
    """An application that sends its own needs none of ours."""
    with client_of(Pages) as client:
        assert "X-Frame-Options" not in client.get("/").headers


@pytest.mark.parametrize(
    "result",
    ["text", b"bytes", {"a": 1}, Response("page"), NotFound(), KeyError("bug")],
    ids=lambda result: type(result).__name__,
)
def test_no_browser_guesses_the_type_of_an_answer(result: object) -> None:
    """Each answer with a body has `nosniff`, with any settings."""

    @controller("/")
    class Own:
        @get("/")
        def show(self) -> object:
            if isinstance(result, Exception):
                raise result
            return result

        @get("/stream")
        def stream(self) -> Iterator[str]:
            yield "text"

    with client_of(Own) as client:
        for path in ("/", "/stream", "/missing"):
            assert client.get(path).headers.getlist("X-Content-Type-Options") == ["nosniff"]


def test_a_refused_host_has_the_security_headers() -> None:
    """The headers are added outside of the check of hosts."""
    client = strict_client(Pages, trusted_hosts=["shop.example"])

    assert client.get("/").headers["X-Frame-Options"] == "SAMEORIGIN"


def test_a_nosniff_header_of_the_response_is_not_repeated() -> None:
    """The response may write the header in any case."""

    @controller("/own")
    class Own:
        @get("/")
        def show(self) -> Response:
            return Response("text", headers={"x-content-type-options": "nosniff"})

    with client_of(Own) as client:
        response = client.get("/own/")

    assert response.headers.getlist("X-Content-Type-Options") == ["nosniff"]
