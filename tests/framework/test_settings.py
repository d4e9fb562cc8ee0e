"""The settings of HTTP: hosts, proxies and limits."""

from io import BytesIO
from typing import Any

import pytest

from framework import (
    Application,
    Body,
    Form,
    HTTPSettings,
    Request,
    component,
    configuration,
    controller,
    get,
    post,
)
from framework.testing import Client
from sessions import ConfigurationError
from tests.support.small_applications import client_of, only_problem_of


@controller("/")
class Pages:
    def __init__(self, application: Application) -> None:
        self._application = application

    @get("/")
    def show(self, request: Request) -> dict[str, str | None]:
        return {
            "address": request.remote_addr,
            "scheme": request.scheme,
            "host": request.host,
            "url": self._application.url_for("Pages.show", request, _external=True),
        }

    @post("/body")
    def body(self, body: Body[list[int]]) -> int:
        return len(body)

    @post("/form")
    def form(self, name: Form[str]) -> int:
        return len(name)


def application_with(*controllers: type, **settings: Any) -> Application:
    """Build an application with the settings."""

    @configuration
    class Web:
        @component
        def http(self) -> HTTPSettings:
            return HTTPSettings(**settings)

    return Application(Pages, Web, *controllers)


def client_with(*controllers: type, **settings: Any) -> Client:
    return Client(application_with(*controllers, **settings))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("shop.example", 200),
        ("shop.example:8000", 200),
        ("www.shop.example", 400),
        ("api.shop.test", 200),
        ("evil.example", 400),
        ("shop.example.evil.example", 400),
        ("shop.example@evil.example", 400),
    ],
)
def test_a_host_that_is_not_trusted_is_a_bad_request(host: str, status: int) -> None:
    """This includes a host that only looks like a trusted one."""
    client = client_with(trusted_hosts=["shop.example", ".shop.test"])
    response = client.get("/", headers={"Host": host})

    assert response.status_code == status


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_the_host_comes_first(method: str) -> None:
    """An untrusted host reaches no handler and no automatic answer."""
    client = client_with(trusted_hosts=["shop.example"])
    response = client.open("/missing", method=method, headers={"Host": "evil.example"})

    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    ("host", "shown"),
    [("localhost:8000", "'localhost:8000'"), ("Evil'", '"Evil\'"'), ("a" * 999, f"'{'a' * 261}…'")],
)
def test_the_refusal_names_the_host(host: str, shown: str) -> None:
    """So a developer sees why every request is refused."""
    client = client_with(trusted_hosts=["shop.example"])
    response = client.get("/", headers={"Host": host})

    assert (
        response.get_json()["detail"] == f"The host {shown} is not one of the application's hosts."
    )


def test_host_names_are_case_insensitive() -> None:
    """Case does not matter in the settings and in the request."""
    client = client_with(trusted_hosts=["Shop.Example"])

    assert client.get("/", base_url="http://shop.example").status_code == 200
    assert client.get("/", base_url="http://SHOP.EXAMPLE").status_code == 200


@pytest.mark.parametrize(
    ("trusted", "host"),
    [
        ("shop.example:8000", "shop.example:9000"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        (".b\u00fccher.example", "www.xn--bcher-kva.example"),
        ("127.0.0.1", "127.0.0.1:8000"),
    ],
)
def test_a_host_is_trusted_on_every_port(trusted: str, host: str) -> None:
    """The host may have letters that a browser writes in punycode."""
    client = client_with(trusted_hosts=[trusted])

    assert client.get("/", headers={"Host": host}).status_code == 200


def test_any_host_is_accepted_unless_hosts_are_set() -> None:
    """Without the setting, every host is accepted."""
    with client_of(Pages) as client:
        assert client.get("/", headers={"Host": "any.example"}).status_code == 200


FORWARDED = {
    "X-Forwarded-For": "192.0.2.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.example",
    "X-Forwarded-Prefix": "/shop",
}


def test_without_proxies_forwarded_headers_mean_nothing() -> None:
    """Any client can send these headers."""
    with client_of(Pages) as client:
        seen = client.get("/", headers=FORWARDED).get_json()

    assert (seen["scheme"], seen["host"]) == ("http", "localhost")


def test_a_number_of_proxies_is_for_address_and_scheme() -> None:
    """Every proxy sets these two headers; a client could forge the others."""
    seen = client_with(trusted_proxies=1).get("/", headers=FORWARDED).get_json()

    assert (seen["address"], seen["scheme"], seen["host"]) == ("192.0.2.7", "https", "localhost")


def test_urls_are_right_behind_a_proxy() -> None:
    """Scheme, host and prefix come from the trusted headers."""
    proxies = {"for": 1, "proto": 1, "host": 1, "prefix": 1}
    seen = client_with(trusted_proxies=proxies).get("/", headers=FORWARDED).get_json()

    assert seen["url"] == "https://shop.example/shop/"


def test_the_trusted_host_is_the_forwarded_one() -> None:
    """The forwarded host is checked."""
    client = client_with(trusted_hosts=["shop.example"], trusted_proxies={"host": 1})

    assert client.get("/", headers={"X-Forwarded-Host": "shop.example"}).status_code == 200
    assert client.get("/", headers={"X-Forwarded-Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(("size", "status"), [(20, 200), (21, 413)])
def test_the_limit_of_bodies_can_be_set(size: int, status: int) -> None:
    """The limit holds for JSON and for forms."""
    client = client_with(body_limit=20)
    json = client.post("/body", data=b"[]".ljust(size), content_type="application/json")
    form = client.post("/form", data={"name": "x" * (size - len("name="))})

    assert (json.status_code, form.status_code) == (status, status)


def test_the_parts_of_a_form_are_limited() -> None:
    """A form of many small fields is refused, too."""
    client = client_with(form_parts_limit=3)

    assert client.post("/form", data={"name": "x", "b": "", "c": ""}).status_code == 200
    fields = {"name": "x", "b": "", "c": "", "d": ""}
    assert client.post("/form", data=fields).status_code == 413
    multipart = client.post("/form", data=fields, content_type="multipart/form-data")
    assert multipart.status_code == 413


def test_a_field_of_a_multipart_form_is_limited() -> None:
    """The field would be held in memory."""
    client = client_with(form_memory_limit=100)
    response = client.post("/form", data={"name": "x" * 101}, content_type="multipart/form-data")

    assert response.status_code == 413
    assert response.get_json()["detail"] == (
        "The form has a field of more than 100 bytes, or more than 1000 fields and files."
    )


def test_a_file_of_a_multipart_form_may_have_more() -> None:
    """A file is not held in memory."""
    client = client_with(form_memory_limit=2_000)
    data = {"name": "x" * 2_000, "file": (BytesIO(b"x" * 200_000), "large.txt")}
    response = client.post("/form", data=data, content_type="multipart/form-data")

    assert response.get_json() == 2_000


def test_limits_of_one_application_leave_others_alone() -> None:
    """Two applications in one process share nothing."""
    small, usual = client_with(body_limit=20), client_with()
    for client, status in ((small, 413), (usual, 200)):
        response = client.post("/body", data=b"[]".ljust(21), content_type="application/json")

        assert response.status_code == status


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"body_limit": 0}, "body_limit is 0, which is not a positive whole number. Fix: give"),
        (
            {"form_parts_limit": -1},
            "form_parts_limit is -1, which is not a positive whole number. Fix: give",
        ),
        (
            {"trusted_hosts": "shop.example"},
            "trusted_hosts is 'shop.example', which is a text and not a list. Fix: give a list,"
            " ['shop",
        ),
        ({"trusted_hosts": ["*.shop.example"]}, "trusted_hosts has '*.shop.example'"),
        ({"trusted_hosts": ["https://shop.example"]}, "which is not a host"),
        ({"trusted_hosts": ["..shop.example"]}, "which is not a host"),
        ({"trusted_hosts": ["shop example"]}, "which is not a host"),
        ({"trusted_hosts": ["shop_a.example"]}, "which is not a host"),
        ({"trusted_hosts": ["x" * 64 + ".example"]}, "which is not a host"),
        ({"trusted_hosts": ["shop.example:port"]}, "which is not a host"),
        ({"trusted_hosts": ["[::1]"]}, "which is not a host"),
        ({"trusted_hosts": [""]}, "which is not a host"),
        ({"trusted_proxies": -1}, "trusted_proxies is -1"),
        ({"trusted_proxies": True}, "trusted_proxies is True"),
        ({"trusted_proxies": {"hosts": 1}}, "trusted_proxies has the unknown header 'hosts'"),
        ({"trusted_proxies": {"host": "1"}}, "trusted_proxies['host'] is '1'"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    """The constructor raises, with the value and the remedy."""
    with pytest.raises(ConfigurationError) as caught:
        HTTPSettings(**settings)

    assert message in str(caught.value)


def test_impossible_settings_are_problems_of_start_up() -> None:
    """Start-up reports all of them, with their place."""

    @configuration
    class Web:
        @component
        def http(self) -> HTTPSettings:
            return HTTPSettings(body_limit=-5)

    problem = only_problem_of(Pages, Web)

    assert problem.what == "body_limit is -5, which is not a positive whole number"
    assert "Web.http (" in problem.where


@controller("/")
class Page:
    @get("/")
    def show(self) -> None: ...


@pytest.mark.parametrize(("name", "guess"), [("trusted_host", "trusted_hosts"), ("colour", None)])
def test_an_unknown_setting_is_reported_with_the_known_ones(name: str, guess: str | None) -> None:
    """Python's own message does not list the settings."""
    given: Any = {name: ["shop.example"]}

    @configuration
    class Web:
        @component
        def http(self) -> HTTPSettings:
            return HTTPSettings(**given)

    problem = only_problem_of(Page, Web)

    assert problem.what == f"HTTPSettings has no setting {name!r}"
    assert problem.remedy == (
        (f"Did you mean {guess!r}? " if guess else "")
        + "HTTPSettings takes trusted_hosts, trusted_proxies, body_limit, form_memory_limit,"
        " form_parts_limit, security_headers."
    )


def test_an_argument_that_another_constructor_does_not_have_is_shown_as_it_is() -> None:
    """The remedy is only for the class that the method returns."""

    class Wrong:
        def __init__(self) -> None: ...

    @configuration
    class Web:
        @component
        def http(self) -> HTTPSettings:
            made: Any = Wrong
            made(trusted_host=[])
            return HTTPSettings()

    assert "trusted_hosts" not in only_problem_of(Page, Web).remedy
