"""CORS: scripts of other sites can read only allowed responses."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from framework import Middleware, Session, component, configuration, controller, get, put
from framework.cors import CORS
from tests.support.small_applications import client_of, only_problem_of

SHOP = "https://shop.example"
ALLOWED = "Access-Control-Allow-Origin"


@controller("/")
class Prices:
    @get("/prices")
    def list(self) -> dict[str, int]:
        return {"tea": 3}

    @put("/prices/<name>")
    def change(self, name: str) -> None: ...

    @get("/mine")
    def mine(self, session: Session) -> str:
        return str(session.get("basket"))

    @get("/broken")
    def broken(self) -> None:
        raise ValueError("broken")

    @get("/page")
    def page(self, number: int) -> int:
        return number


def _configured(**settings: Any) -> type:
    @configuration
    class Configuration:
        @component
        def middleware(self) -> list[Middleware]:
            return [CORS(**settings)]

    return Configuration


def _read(
    origin: str | None = SHOP, settings: Mapping[str, Any] | None = None, path: str = "/prices"
) -> TestResponse:
    headers = {} if origin is None else {"Origin": origin}
    with client_of(Prices, _configured(**(settings or {"origins": [SHOP]}))) as client:
        return client.get(path, headers=headers)


def _preflight(origin: str = SHOP, **settings: Any) -> TestResponse:
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    with client_of(Prices, _configured(**{"origins": [SHOP], **settings})) as client:
        return client.options("/prices/tea", headers=headers)


def test_an_origin_of_the_list_may_read() -> None:
    """The response names the origin, and has `Vary: Origin` for caches."""
    response = _read(SHOP)

    assert response.headers[ALLOWED] == SHOP
    assert response.headers["Vary"] == "Origin"
    assert response.json == {"tea": 3}


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://shop.example.evil.example",
        "https://evilshop.example",
        "https://SHOP.example",
        "null",
        "*",
        None,
    ],
)
def test_any_other_origin_may_not_read(origin: str | None) -> None:
    """Only the exact text is allowed; the response still has `Vary: Origin`."""
    response = _read(origin)

    assert ALLOWED not in response.headers
    assert response.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    ("path", "status"), [("/nothing", 404), ("/prices/tea", 405), ("/broken", 500), ("/page", 422)]
)
def test_a_refusal_can_be_read_too(path: str, status: int) -> None:
    """So a script can read why the request failed."""
    response = _read(SHOP, path=path)

    assert response.status_code == status
    assert response.headers[ALLOWED] == SHOP
    assert "Origin" in response.vary


def test_a_response_that_used_the_session_varies_on_both() -> None:
    """`Vary` has Cookie and Origin."""
    response = _read(SHOP, path="/mine")

    assert response.headers["Vary"] == "Origin, Cookie"


def test_a_preflight_is_answered() -> None:
    """The answer lists what may be sent, and how long a browser may remember it."""
    response = _preflight()

    assert response.status_code == 204
    assert {name: value for name, value in response.headers if name.startswith("Access")} == {
        ALLOWED: SHOP,
        "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": "600",
    }


def test_a_preflight_is_answered_as_configured() -> None:
    """Methods, headers and time come from the settings."""
    response = _preflight(methods=["PUT"], headers=["X-CSRF-Token"], max_age=timedelta(hours=1))

    assert response.headers["Access-Control-Allow-Methods"] == "PUT"
    assert response.headers["Access-Control-Allow-Headers"] == "X-CSRF-Token"
    assert response.headers["Access-Control-Max-Age"] == "3600"


def test_only_a_preflight_is_answered_so() -> None:
    """Another OPTIONS request, and a GET with the header of a preflight, are not preflights."""
    with client_of(Prices, _configured(origins=[SHOP])) as client:
        options = client.options("/prices", headers={"Origin": SHOP})
        got = client.get("/prices", headers={"Origin": SHOP, "Access-Control-Request-Method": "A"})

    assert options.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert got.json == {"tea": 3}


def test_a_preflight_of_another_origin_allows_nothing() -> None:
    """It gets the usual answer to OPTIONS, which allows nothing."""
    response = _preflight("https://evil.example")

    assert response.headers["Allow"] == "OPTIONS, PUT"
    assert not [name for name, _ in response.headers if name.startswith("Access")]


@pytest.mark.parametrize("path", ["/nothing", "/prices"])
def test_a_preflight_asks_no_handler(path: str) -> None:
    """The answer does not depend on the existence of a handler."""
    headers = {
        "Origin": SHOP,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Private-Network": "true",
    }
    with client_of(Prices, _configured(origins=[SHOP])) as client:
        response = client.options(path, headers=headers)

    assert (response.status_code, response.headers[ALLOWED]) == (204, SHOP)
    assert "Access-Control-Allow-Private-Network" not in response.headers


def test_credentials_are_allowed_where_they_are_configured() -> None:
    """Without the header, a browser sends no cookies."""
    settings = {"origins": [SHOP], "credentials": True}

    assert _read(SHOP, settings).headers["Access-Control-Allow-Credentials"] == "true"
    assert "Access-Control-Allow-Credentials" not in _read(SHOP).headers


def test_headers_are_exposed_where_they_are_configured() -> None:
    """A script can then read more headers than the few default ones."""
    response = _read(SHOP, {"origins": [SHOP], "expose": ["ETag", "Link"]})

    assert response.headers["Access-Control-Expose-Headers"] == "ETag, Link"


def test_every_origin_may_read_without_credentials() -> None:
    """`*` is the same for all origins, so there is no `Vary`."""
    response = _read("https://anyone.example", {"origins": ["*"]})

    assert response.headers[ALLOWED] == "*"
    assert "Vary" not in response.headers


def test_cors_does_not_set_up_sessions() -> None:
    """This middleware alone does not set sessions up."""
    with client_of(Prices, _configured(origins=[SHOP])) as client:
        client.set_cookie("session", "x")
        response = client.get("/prices", headers={"Origin": SHOP})

    assert response.headers["Vary"] == "Origin"


def test_every_origin_with_credentials_is_a_startup_problem() -> None:
    """With it, every site could act as the user."""
    problem = only_problem_of(Prices, _configured(origins=["*"], credentials=True))

    assert "CORS.origins is ['*'] with credentials=True" in problem.what


@pytest.mark.parametrize(
    "origin",
    [
        "shop.example",
        "ftp://shop.example",
        "https://shop.example/",
        "https://shop.example/path",
        "https://*.shop.example",
        "https://user@shop.example",
        "https://",
        "https://shop.example:port",
        "https://shop.example?",
        "https://b\u00fccher.example",
        "https://[1::2::3]",
        "null",
        "",
    ],
)
def test_a_text_that_is_not_an_origin_is_refused(origin: str) -> None:
    """A browser never sends such a text, so the setting would have no effect."""
    with pytest.raises(
        ValueError, match=r"CORS\.origins has .*, which is not an origin. Fix: write"
    ):
        CORS(origins=[origin])


@pytest.mark.parametrize("setting", ["origins", "methods", "headers", "expose"])
@pytest.mark.parametrize("value", [None, 5, [None], [5], [b"x"], [["GET"]]])
def test_an_origin_that_is_none_is_refused(setting: str, value: Any) -> None:
    """A missing environment variable is None, and the error shows it."""
    settings: dict[str, Any] = {"origins": [SHOP], setting: value}
    shown = value[0] if isinstance(value, list) else value

    with pytest.raises(ValueError, match=rf"CORS\.{setting} (is|has) {re.escape(repr(shown))}"):
        CORS(**settings)


@pytest.mark.parametrize("setting", ["origins", "methods", "headers", "expose"])
def test_a_text_in_place_of_a_list_is_refused(setting: str) -> None:
    """A text would be a list of letters."""
    settings: dict[str, Any] = {"origins": [SHOP], setting: "GET"}

    with pytest.raises(ValueError, match=rf"CORS\.{setting} is the text 'GET'"):
        CORS(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"methods": ["put"]}, r"CORS\.methods has 'put'. Fix: write 'PUT', because methods are"),
        (
            {"headers": ["X-A, X-B"]},
            r"CORS\.headers has 'X-A, X-B', which is not the name of a header",
        ),
        ({"expose": [""]}, r"CORS\.expose has '', which is not the name of a header"),
        ({"expose": ["ETag\r\nX: y"]}, r"CORS\.expose has .*, which is not the name of a header"),
        (
            {"headers": ["*"], "credentials": True},
            r"CORS\.headers has '\*' with credentials=True, where '\*' does not stand for",
        ),
        ({"origins": ["*", SHOP]}, r"CORS\.origins has '\*', which is not an origin"),
        ({"max_age": 600}, r"CORS\.max_age is 600. Fix: give a timedelta that is not negative"),
        ({"max_age": timedelta(-1)}, r"CORS\.max_age is datetime\.timedelta"),
    ],
)
def test_a_setting_that_a_browser_would_not_understand_is_refused(
    settings: dict[str, Any], message: str
) -> None:
    """Such a setting would have no effect."""
    with pytest.raises(ValueError, match=message):
        CORS(**{"origins": [SHOP], **settings})


def test_every_header_may_be_allowed_without_credentials() -> None:
    """Without credentials, `*` means all headers."""
    response = _preflight(headers=["*"], methods=["*"])

    assert response.headers["Access-Control-Allow-Headers"] == "*"
    assert response.headers["Access-Control-Allow-Methods"] == "*"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("https://Shop.example", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://[0:0::0:1]", "http://[::1]"),
    ],
)
def test_an_origin_may_be_written_in_other_ways(given: str, sent: str) -> None:
    """Another spelling of an origin is converted to a browser's spelling."""
    assert _read(sent, {"origins": [given]}).headers[ALLOWED] == sent


def test_cors_does_not_make_an_application_need_sessions() -> None:
    """The files of the default sessions are not made."""

    @controller("/")
    class Plain:
        @get("/")
        def show(self) -> str:
            return "plain"

    with client_of(Plain, _configured(origins=[SHOP])) as client:
        assert client.app.sessions is None
        assert client.get("/", headers={"Origin": SHOP}).headers[ALLOWED] == SHOP
