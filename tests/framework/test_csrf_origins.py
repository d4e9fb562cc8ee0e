"""Requests from pages of this site: its address has many spellings."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import werkzeug.test
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import (
    Application,
    HTTPSettings,
    Middleware,
    Request,
    Session,
    component,
    configuration,
    controller,
    delete,
    get,
    patch,
    post,
    put,
)
from framework.csrf import CSRF, csrf_token
from framework.testing import Client
from tests.support.thoroughness import examples

EVIL = "https://evil.example"
FIELD, HEADER = "csrf_token", "X-CSRF-Token"


@controller("/")
class Bank:
    @get("/form")
    def form(self, session: Session) -> str:
        return csrf_token(session)

    @post("/login")
    def login(self, session: Session) -> None:
        session["user"] = "ada"

    @post("/transfer")
    @put("/transfer")
    @patch("/transfer")
    @delete("/transfer")
    def transfer(self, request: Request) -> str:
        return request.form.get("to", "nobody")


def _bank(http: Mapping[str, Any] | None = None, trusted: tuple[str, ...] = ()) -> Application:
    @configuration
    class Configuration:
        @component
        def middleware(self) -> list[Middleware]:
            return [CSRF(trusted_origins=trusted)]

        @component
        def http(self) -> HTTPSettings:
            return HTTPSettings(**(http or {}))

    return Application(Bank, Configuration)


def _transfer(
    app: Application,
    base_url: str,
    headers: dict[str, str],
    forwarded: dict[str, str] | None = None,
) -> int:
    """Log in, and return the answer to a transfer with these headers."""
    with app.test() as client:
        # This client sends a Cookie header as it is given.
        browser = werkzeug.test.Client(client.app, use_cookies=False)
        login = browser.post("/login", base_url=base_url, headers=forwarded, buffered=True)
        cookie = login.headers["Set-Cookie"].partition(";")[0]
        headers = {**(forwarded or {}), **headers, "Cookie": cookie}
        response = browser.post("/transfer", base_url=base_url, headers=headers, buffered=True)
        return response.status_code


@pytest.mark.parametrize(
    ("base_url", "host", "origin"),
    [
        ("https://shop.example", "shop.example:443", "https://shop.example"),
        ("https://shop.example", "SHOP.example", "https://shop.example"),
        ("https://shop.example", "Shop.Example:443", "https://shop.example"),
        ("https://shop.example", "shop.example", "HTTPS://SHOP.example"),
        ("https://shop.example", "shop.example", "https://shop.example:443"),
        ("http://shop.example", "shop.example:80", "http://shop.example"),
        ("http://shop.example", "shop.example:8080", "http://shop.example:8080"),
        ("http://[::1]:8000", "[::1]:8000", "http://[::1]:8000"),
        ("http://[::1]", "[0:0:0:0:0:0:0:1]:80", "http://[::1]"),
        ("http://xn--bcher-kva.example", "XN--BCHER-KVA.example", "http://xn--bcher-kva.example"),
    ],
)
def test_spellings_of_one_origin_are_equal(base_url: str, host: str, origin: str) -> None:
    """Case does not matter in scheme and host, and the usual port is optional."""
    assert _transfer(_bank(), base_url, {"Host": host, "Origin": origin}) == 200


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("shop.example", "http://shop.example:443"),
        ("shop.example", "https://shop.example."),
        ("shop.example", "https://shop.example/"),
        ("shop.example", "https://user@shop.example"),
        ("shop.example", "https://[::1]"),
        ("shop.example", "https://[1::2::3]"),
        ("shop.example", "shop.example"),
        ("shop.example", "://shop.example"),
        ("shop.example", "chrome-extension://shop.example"),
        ("shop.example", "https://shop.example, https://shop.example"),
        ("shop.example", "https://shop.example https://evil.example"),
        # No browser sends these hosts; what they are is nobody's origin.
        ("shop/example", "https://"),
        ("", "https://"),
    ],
)
def test_another_address_is_another_site(host: str, origin: str) -> None:
    """This also holds for a very similar address."""
    assert _transfer(_bank(), "https://shop.example", {"Host": host, "Origin": origin}) == 403


@pytest.mark.parametrize("host", ["shop.example", "shop.example:80", "shop.example:443"])
def test_a_token_decides_if_a_proxy_changed_the_scheme(host: str) -> None:
    """A proxy that hides https may also write the port."""
    with _bank().test() as client:
        headers = {"Host": host, "Origin": "https://shop.example"}
        client.post("/login", base_url="http://shop.example")
        token = client.get("/form", base_url="http://shop.example").text
        without = client.post("/transfer", base_url="http://shop.example", headers=headers)
        headers |= {HEADER: token}
        with_token = client.post("/transfer", base_url="http://shop.example", headers=headers)

    assert "has no CSRF token" in without.get_json()["detail"]
    assert with_token.status_code == 200


def test_behind_proxies_the_address_is_the_one_that_the_browser_sees() -> None:
    """Scheme and host come from the trusted headers."""
    app = _bank({"trusted_proxies": {"proto": 1, "host": 1}, "trusted_hosts": ["shop.example"]})
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example:443"}

    def status(origin: str) -> int:
        return _transfer(app, "http://localhost:8000", {"Origin": origin}, forwarded)

    assert status("https://shop.example") == 200
    assert status("http://localhost:8000") == 403
    assert status(EVIL) == 403


def test_a_forwarded_host_that_is_not_trusted_is_ignored() -> None:
    """Otherwise an attacker could give the name of their own site."""
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}

    assert _transfer(_bank(), "https://shop.example", {"Origin": EVIL}, forwarded) == 403


def test_spellings_of_a_trusted_origin_are_equal() -> None:
    """This holds for the setting and for the request."""
    app = _bank(trusted=("https://Partner.example:443",))

    assert _transfer(app, "https://shop.example", {"Origin": "https://PARTNER.example"}) == 200


def test_no_token_is_looked_for_in_a_body_over_the_limit() -> None:
    """The limit of bodies also applies to the search for a token."""
    with _bank({"body_limit": 200}).test() as client:
        client.post("/login")
        response = client.post("/transfer", data={FIELD: "A" * 200})

    assert response.status_code == 413


@pytest.fixture(scope="module")
def attacked() -> Iterator[Client]:
    """Return a client that has logged in, as the victim of an attacker."""
    with _bank().test() as client:
        client.post("/login", base_url="https://shop.example")
        yield client


# What a browser says of a page that is not this site's, the old ones without the first header.
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site", "Origin": EVIL},
    {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://blog.shop.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://shop.example"},
    {"Origin": EVIL},
    {"Origin": "https://shop.example.evil.example"},
    {"Origin": "https://shop.example:8443"},
    {"Origin": "http://shop.example"},
    {"Origin": "null"},
    {"Referer": f"{EVIL}/shop.example"},
    {},
]
OF_ANOTHER_SESSION = "that the attacker has got for a session of their own"
TYPES = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]


@settings(max_examples=examples(150), deadline=None)
@given(
    headers=st.sampled_from(FOREIGN),
    method=st.sampled_from(["POST", "PUT", "PATCH", "DELETE"]),
    content_type=st.sampled_from(TYPES),
    token=st.sampled_from([None, OF_ANOTHER_SESSION]) | st.text("A-_=B", max_size=70),
    place=st.sampled_from([FIELD, HEADER]),
)
def test_no_unsafe_request_of_another_site_passes(
    attacked: Client,
    headers: dict[str, str],
    method: str,
    content_type: str,
    token: str | None,
    place: str,
) -> None:
    """This holds for all headers, and for everything that an attacker may know."""
    if token == OF_ANOTHER_SESSION:
        token = Client(attacked.app).get("/form", base_url="https://shop.example").text
    sent = {} if token is None else {place: token}
    response = attacked.open(
        "/transfer",
        method=method,
        base_url="https://shop.example",
        headers={**headers, **(sent if place == HEADER else {})},
        data=sent if place == FIELD and content_type != "text/plain" else "to=eve",
        content_type=content_type,
    )

    # 400 where no form can be read in search of a token.
    assert response.status_code in (400, 403)


def test_a_hidden_origin_passes_without_a_session() -> None:
    """Without a session, an attacker gains nothing, unless visitors are protected."""
    with _bank().test() as client:
        response = client.post("/transfer", headers={"Origin": "null"})

    assert response.status_code == 200
