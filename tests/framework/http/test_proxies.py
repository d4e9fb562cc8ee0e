"""The headers of proxies: only values that fit into a URL are used."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from framework import (
    Application,
    HTTPSettings,
    Request,
    component,
    configuration,
    controller,
    get,
)
from framework.testing import Client
from tests.support.thoroughness import examples

EVERY_HEADER = {"for": 1, "proto": 1, "host": 1, "port": 1, "prefix": 1}


@controller("/")
class Pages:
    def __init__(self, application: Application) -> None:
        self._url_for = application.url_for

    @get("/")
    def nothing(self) -> None: ...

    @get("/page")
    def page(self, request: Request) -> dict[str, str | None]:
        return {
            "local": self._url_for("Pages.page", request),
            "external": self._url_for("Pages.page", request, _external=True),
            "root": request.url_root,
            "address": request.remote_addr,
        }


def client_with(**options: Any) -> Client:
    """Give a client of an application behind one proxy that sets every header."""

    @configuration
    class Web:
        @component
        def http(self) -> HTTPSettings:
            return HTTPSettings(trusted_proxies=EVERY_HEADER, **options)

    return Client(Application(Pages, Web))


CLIENT = client_with()


def answer_to(header: str, value: str, **options: Any) -> Any:
    client = client_with(**options) if options else CLIENT
    return client.get("/page", headers={f"X-Forwarded-{header}": value})


@pytest.mark.parametrize(
    ("header", "value"),
    [
        *(("Prefix", value) for value in (".evil.example", "pre", "//evil.example", "/\\evil")),
        *(("Prefix", value) for value in ("\\evil", "/a\\b", "/a\tb", "/a\x7f", "///", '"//evil"')),
        *(("Prefix", value) for value in ("@evil.example", ":80", "https://evil.example", "?a")),
        *(("Prefix", value) for value in ("/?", "/a#b", "/a b", "/%", "/%2", "/<b>", "/\xc5\xbc")),
        *(("Proto", value) for value in ("ftp", "javascript", "https:", "http://evil", "ws", "-")),
        *(("Host", value) for value in ("evil.example/x", "a b", "me@evil", "h:0", "h:70000")),
        *(("Host", value) for value in ("h?x", "h#x", "h\\x", "[::1", "h:port", "h:80:80")),
        *(("Port", value) for value in ("0", "70000", "-1", "80/x", "80@evil.example", "x")),
        *(("For", value) for value in ("<b>", "a b", "1.2.3.4;x", "a\x01")),
    ],
)
def test_an_unfit_value_is_a_bad_request(header: str, value: str) -> None:
    """A client may write a header that the proxy does not set: then the answer is 400."""
    response = answer_to(header, value)

    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"
    assert f"X-Forwarded-{header}" in response.get_json()["detail"]


@pytest.mark.parametrize(
    ("header", "value", "name", "seen"),
    [
        ("Prefix", "/shop", "external", "http://localhost/shop/page"),
        ("Prefix", "/shop/", "external", "http://localhost/shop/page"),
        ("Prefix", "/", "local", "/page"),
        ("Prefix", "", "local", "/page"),
        ("Prefix", "/a/b", "local", "/a/b/page"),
        ("Prefix", "/a:b@c.d", "root", "http://localhost/a:b@c.d/"),
        ("Proto", "https", "root", "https://localhost/"),
        ("Proto", "HTTPS", "root", "https://localhost/"),
        ("Proto", "ftp, https", "root", "https://localhost/"),
        ("Host", "shop.example:8000", "root", "http://shop.example:8000/"),
        ("Host", "[::1]:8000", "root", "http://[::1]:8000/"),
        ("Host", "Shop.example", "external", "http://shop.example/page"),
        ("Port", "8080", "root", "http://localhost:8080/"),
        ("For", "192.0.2.7", "address", "192.0.2.7"),
        ("For", "192.0.2.7:4711", "address", "192.0.2.7:4711"),
        ("For", '"[2001:db8::7]"', "address", "[2001:db8::7]"),
        ("For", "unknown", "address", "unknown"),
        ("For", "<b>, 192.0.2.7", "address", "192.0.2.7"),
    ],
)
def test_a_fit_value_is_used(header: str, value: str, name: str, seen: str) -> None:
    """The last value comes from the proxy."""
    response = answer_to(header, value)

    assert (response.status_code, response.get_json().get(name)) == (200, seen)


def test_a_host_of_a_private_network_is_answered() -> None:
    """The name may have underscores, like the names of containers."""
    response = CLIENT.get("/", headers={"X-Forwarded-Host": "shop_web:8000"})

    assert response.status_code == 204


def test_a_refused_head_has_no_body() -> None:
    """The status is the same as for GET."""
    response = CLIENT.head("/page", headers={"X-Forwarded-Proto": "ftp"})

    assert (response.status_code, response.data) == (400, b"")


def test_security_headers_go_by_the_scheme_of_the_proxy() -> None:
    """This also holds for a refused request."""
    over_https = answer_to("Proto", "HTTPS", security_headers=True)
    refused = answer_to("Proto", "ftp", security_headers=True)

    assert "Strict-Transport-Security" in over_https.headers
    assert refused.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert refused.status_code == 400


values = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n"), max_size=8)
parts = st.sampled_from(["/", "//", "\\", "evil.example", "@", ":", "80", "http", ".", "a", '"'])


@settings(max_examples=examples(500), deadline=None)
@given(
    st.sampled_from(["Prefix", "Proto", "Host", "Port"]),
    values | st.lists(parts, max_size=5).map("".join),
)
@example("Prefix", "/./\\evil.example")
@example("Prefix", "/?")
def test_a_url_stays_where_it_belongs(header: str, value: str) -> None:
    """For any header value, the page is refused, or its URL has the right parts."""
    response = answer_to(header, value)
    if response.status_code == 400:
        return

    seen = response.get_json()
    url = urlsplit(seen["external"])
    assert response.status_code == 200
    assert re.fullmatch(r"/(?!/)[^\\\s]*", seen["local"])
    assert url.scheme in ("http", "https")
    assert url.username is None
    assert url.path.endswith("/page")
    if header != "Host":
        assert url.hostname == "localhost"
    if header in ("Prefix", "Proto"):
        assert url.netloc == "localhost"
