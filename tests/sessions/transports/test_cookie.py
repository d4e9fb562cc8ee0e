"""The session cookie in a response: browsers accept every output."""

import itertools
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from sessions import ConfigurationError, CookieSettings, CookieTransport
from sessions.transports.base import RequestHead
from sessions.transports.cookie import CookieHead

TOKEN = "an-id-of-the-tests-0123.a-signature"  # noqa: S105

# RFC 6265, 4.1.1, with SameSite and Partitioned of its revision. The Max-Age=0 of a deletion is the
# one exception that browsers ask for.
SET_COOKIE = re.compile(
    r"(?P<name>[!#$%&'*+\-.^_`|~0-9A-Za-z]+)="
    r"(?P<value>[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]*)"
    r"(?:; Max-Age=(?P<max_age>0|[1-9][0-9]*))?"
    r"; Path=(?P<path>/[\x20-\x3A\x3C-\x7E]*)"
    r"(?:; Domain=(?P<domain>[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?))?"
    r"(?P<secure>; Secure)?"
    r"(?P<http_only>; HttpOnly)?"
    r"; SameSite=(?P<same_site>Strict|Lax|None)"
    r"(?P<partitioned>; Partitioned)?"
)

FLAGS = [True, False]
SETTINGS: list[dict[str, Any]] = [
    {
        "http_only": http_only,
        "same_site": same_site,
        "path": path,
        "domain": domain,
        "partitioned": partitioned,
        "secure": secure,
        "max_age": max_age,
    }
    for http_only, same_site, path, domain, partitioned, secure, max_age in itertools.product(
        FLAGS,
        ["Strict", "Lax", "None"],
        ["/", "/shop", "/a/%C5%BC/"],
        [None, "shop.example"],
        FLAGS,
        [True, False, "auto"],
        [None, timedelta(seconds=1.9), timedelta(days=400)],
    )
]


def head(*, secure: bool = False) -> CookieHead:
    """Make a request."""
    return CookieHead("", "/", "https" if secure else "http", None)


def transport(name: str = "session", **settings: Any) -> CookieTransport:
    """Make a transport."""
    return CookieTransport(name, CookieSettings(**settings))


def senders(*, secure: bool) -> Iterator[tuple[dict[str, Any], CookieTransport, RequestHead]]:
    """Yield each combination of settings, with its transport and a request in its scope."""
    for settings in SETTINGS:
        if refused(settings):
            continue
        scheme = "https" if secure else "http"
        path = unquote(settings["path"], "latin-1")
        request = CookieHead("", path, scheme, settings["domain"])
        sender = transport(**settings)
        # A Secure cookie is not sent over plain http, and nothing else is in the way.
        assert (sender.obstacle(request) is None) == (secure or settings["secure"] is not True)
        if sender.obstacle(request) is None:
            yield settings, sender, request


def refused(settings: dict[str, Any]) -> bool:
    """Return whether CookieSettings refuses these values."""
    try:
        CookieSettings(**settings)
    except ConfigurationError:
        return True
    return False


def parsed(headers: list[tuple[str, str]]) -> dict[str, str | None]:
    """Return the parts of the only Set-Cookie header; check its grammar."""
    (text,) = [value for name, value in headers if name == "Set-Cookie"]
    match = SET_COOKIE.fullmatch(text)
    assert match is not None, text
    return match.groupdict()


def test_cross_site_cookies_must_be_secure() -> None:
    """Exactly the settings that browsers refuse are refused."""
    for settings in SETTINGS:
        needs_secure = settings["same_site"] == "None" or settings["partitioned"]

        assert refused(settings) == (needs_secure and settings["secure"] is not True)


@pytest.mark.parametrize("secure", FLAGS)
def test_every_cookie_is_of_the_grammar(secure: bool) -> None:
    """All combinations of attributes give a valid header with exactly these attributes."""
    for settings, sender, request in senders(secure=secure):
        cookie = parsed(sender.send(request, TOKEN, None))

        is_secure = settings["secure"] is True or (settings["secure"] == "auto" and secure)
        max_age = settings["max_age"]
        assert cookie == {
            "name": cookie["name"],
            "value": TOKEN,
            "max_age": None if max_age is None else f"{int(max_age.total_seconds())}",
            "path": settings["path"],
            "domain": settings["domain"],
            "secure": "; Secure" if is_secure else None,
            "http_only": "; HttpOnly" if settings["http_only"] else None,
            "same_site": settings["same_site"],
            "partitioned": "; Partitioned" if settings["partitioned"] else None,
        }


@pytest.mark.parametrize("secure", FLAGS)
def test_a_deletion_is_the_cookie_without_value_and_time(secure: bool) -> None:
    """All other parts are the same, so the browser finds the cookie."""
    for _, sender, request in senders(secure=secure):
        cookie = parsed(sender.send(request, TOKEN, 5))

        assert parsed(sender.clear(request)) == {**cookie, "value": "", "max_age": "0"}


@pytest.mark.parametrize("secure", FLAGS)
def test_host_cookies_are_what_their_name_says(secure: bool) -> None:
    """`__Host-` is used if the cookie is Secure, has Path `/` and no Domain."""
    for _, sender, request in senders(secure=secure):
        cookie = parsed(sender.send(request, TOKEN, None))

        may_be = bool(cookie["secure"]) and cookie["path"] == "/" and cookie["domain"] is None
        assert cookie["name"] == ("__Host-session" if may_be else "session")


@pytest.mark.parametrize(
    "name", ["__Host-mine", "__Secure-mine", "__Http-mine", "__Host-Http-mine"]
)
def test_a_name_with_a_prefix_gets_no_second_prefix(name: str) -> None:
    """A prefix that the user wrote stays as it is."""
    cookie = parsed(transport(name, secure=True).send(head(secure=True), TOKEN, None))

    assert cookie["name"] == name


def test_a_browser_session_cookie_has_no_time() -> None:
    """The cookie has neither Max-Age nor Expires."""
    ((_, text), *_) = transport().send(head(), TOKEN, None)

    assert "age" not in text.lower()
    assert "expires" not in text.lower()


def test_a_session_with_a_time_of_its_own_overrides_the_settings() -> None:
    """Max-Age is the time of the session."""
    sender = transport(max_age=timedelta(days=1))

    assert parsed(sender.send(head(), TOKEN, 77))["max_age"] == "77"


@pytest.mark.parametrize("secure", [False, "auto"])
def test_a_cookie_with_secure_auto_is_sent_over_http(secure: Any) -> None:
    """A cookie that need not be Secure is sent over http."""
    assert transport(secure=secure).obstacle(head()) is None


def test_a_secure_cookie_is_not_sent_over_http() -> None:
    """Neither the cookie nor its deletion is sent, and the reason says what to do."""
    sender = transport(secure=True)

    assert sender.send(head(), TOKEN, None) == sender.clear(head()) == []
    obstacle = sender.obstacle(head())
    assert obstacle is not None
    assert obstacle.event == "insecure"
    assert (
        'serve over https, set trusted_proxies if https ends at a proxy, or set secure="auto"'
        in (obstacle.detail)
    )
    assert sender.obstacle(head(secure=True)) is None


@pytest.mark.parametrize("scheme", ["https", "wss"])
def test_a_websocket_may_be_secure_too(scheme: str) -> None:
    """Its scheme is `wss`."""
    request = CookieHead("", "/", scheme, None)

    assert parsed(transport().send(request, TOKEN, None))["name"] == "__Host-session"
    assert transport(secure=True).obstacle(request) is None


DOMAINS: dict[tuple[str, str], bool] = {
    ("shop.example", "shop.example"): True,
    ("shop.example", "SHOP.example"): True,
    ("Shop.Example", "www.shop.example"): True,
    ("shop.example", "a.b.shop.example:8443"): True,
    ("shop.example", "myshop.example"): False,
    ("shop.example", "example"): False,
    ("shop.example", "shop.example.evil.example"): False,
    ("www.shop.example", "shop.example"): False,
    ("shop.example", "localhost"): True,
    ("shop.example", "localhost:5000"): True,
    ("shop.example", "127.0.0.1"): True,
    ("shop.example", "[::1]:5000"): True,
    ("shop.example", "127.0.0.1.evil.example"): False,
    ("shop.example", "10.0.0.1"): False,
}


@pytest.mark.parametrize(("domain", "host"), DOMAINS)
def test_a_cookie_is_sent_to_the_hosts_of_its_domain(domain: str, host: str) -> None:
    """The rule is RFC 6265, 5.1.3; the names of the own machine always match."""
    obstacle = transport(domain=domain).obstacle(CookieHead("", "/", "http", host))

    assert (obstacle is None) == DOMAINS[domain, host]
    if obstacle is not None:
        assert obstacle.event == "misplaced"
        assert f"{host!r}" in obstacle.detail


def test_a_request_without_a_host_has_a_session() -> None:
    """A client of HTTP/1.0 sends no Host header."""
    assert transport(domain="shop.example").obstacle(head()) is None


@pytest.mark.parametrize("name", ["", "a b", "a;b", "a=b", "a,b", "ä", "a\n", '"a"', "a/b", 1])
def test_a_name_that_is_not_a_cookie_name_is_refused(name: Any) -> None:
    """The header would mean something else."""
    with pytest.raises(ConfigurationError) as caught:
        transport(name)

    assert str(caught.value) == (
        f"CookieTransport: {name!r} is not a cookie name. Fix: use letters, digits, - and _"
    )
