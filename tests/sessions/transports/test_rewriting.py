"""Which URLs get the token of a session, and the settings of URLTransport."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions import (
    ConfigurationError,
    CookieTransport,
    SessionContainer,
    SessionManager,
    URLTransport,
)
from sessions.stateless import SignedToken
from sessions.testing import a_head
from sessions.transports.url import take_out
from tests.sessions.transports.travel import EDGES, Sent, serve
from tests.support.apps import KEY

every_edge = pytest.mark.parametrize("edge", EDGES)

URLS = {
    "": "",
    "#top": "#top",
    "/": "/?wSession=T",
    "/next?x=1#top": "/next?x=1&wSession=T#top",
    "/next?x=1&": "/next?x=1&wSession=T",
    "/next?": "/next?wSession=T",
    "?page=2": "?page=2&wSession=T",
    "next": "next?wSession=T",
    "./a:b": "./a:b?wSession=T",
    "../up?wSession=old&x=1": "../up?x=1&wSession=T",
    "/a?b=c?d#e?f#g": "/a?b=c?d&wSession=T#e?f#g",
    "/with space": "/with space?wSession=T",
    "/ż?ż=1": "/ż?ż=1&wSession=T",
    "https://shop.example": "https://shop.example?wSession=T",
    "https://shop.example/a#b": "https://shop.example/a?wSession=T#b",
    "HTTPS://SHOP.example:443/a": "HTTPS://SHOP.example:443/a?wSession=T",
    "//shop.example/a": "//shop.example/a?wSession=T",
}
FOREIGN = [
    "http://shop.example/a", "https://shop.example:444/a", "https://shop.example.evil.example/",
    "https://evil.example/?next=https://shop.example/", "//evil.example/a", "///evil.example/a",
    "////evil.example/a", "/\\evil.example/a", "\\\\evil.example/a", "https:/\\evil.example",
    "https:evil.example", "https:///evil.example", "http:/a", "\t//evil.example", " //evil.example",
    "/\t/evil.example", "/\n/evil.example", "ht\ntps://evil.example", "/a\x00b", "/a ",
    "https://user@shop.example/", "https://shop.example@evil.example/", "https://[shop.example/",
    "javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "mailto:ada@shop.example",
    "tel:+44", "blob:https://shop.example/1", "a:b", "ftp://shop.example/", "wss://shop.example/",
]  # fmt: skip


@pytest.mark.parametrize(("url", "expected"), URLS.items())
def test_an_own_url_gets_the_token(url: str, expected: str) -> None:
    """The token is added to the query once, before a fragment; all other bytes stay."""
    assert URLTransport().rewritten(url, "T", "https://shop.example") == expected


@pytest.mark.parametrize("url", FOREIGN)
def test_another_url_stays_as_it_is(url: str) -> None:
    """Its origin is another one, or a browser could read it as another one."""
    assert URLTransport().rewritten(url, "T", "https://shop.example") == url


PIECES = [
    "/", "//", "\\", ":", "@", "#", "?", "&", "=", ";", "[", "]", " ", "\t", "\n", "\x00", "..",
    "%2f", "a", "é", "https:", "http:", "javascript:", "443", "wSession", "shop.example",
    "evil.example",
]  # fmt: skip


def _read_by_a_browser(url: str) -> str:
    """Return the host that a browser reads in a URL, or an empty text for a relative URL.

    Source: the URL Standard, 4.4.
    """
    text = url.strip("".join(map(chr, range(33))))
    for removed in "\t\n\r":
        text = text.replace(removed, "")
    address = re.split("[?#]", text.replace("\\", "/"), maxsplit=1)[0]
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", address)
    if scheme is None and not address.startswith("//"):
        return ""
    if scheme is not None and scheme[1].lower() != "https":
        return address
    rest = address[scheme.end() :] if scheme else address
    return rest.lstrip("/").partition("/")[0].rpartition("@")[2].lower().removesuffix(":443")


@given(st.lists(st.sampled_from(PIECES), max_size=7).map("".join))
def test_a_token_is_never_put_into_a_url_of_another_site(url: str) -> None:
    """However strange the URL is: a browser stays on this origin, and the token is there once."""
    rewritten = URLTransport().rewritten(url, "T", "https://shop.example")

    if rewritten != url:
        query = rewritten.partition("#")[0].partition("?")[2]
        assert _read_by_a_browser(rewritten) in ("", "shop.example")
        assert take_out(query, "wSession")[1] == ["T"]


@pytest.mark.parametrize("url", ["https://shop.example/", "//shop.example/"])
def test_without_a_host_only_relative_urls_get_the_token(url: str) -> None:
    """Without a host, the origin of the request is not known."""
    assert URLTransport().rewritten(url, "T", None) == url
    assert URLTransport().rewritten("/a", "T", None) == "/a?wSession=T"


@every_edge
def test_the_origin_is_that_of_the_request(edge: str) -> None:
    """The scheme and the host that the client sees."""
    with serve(edge, transports=[URLTransport()]) as server:
        links = server.ask("links", Sent({"Host": "Shop.Example:80"})).value["links"]

    assert [bool(parse_qs(urlsplit(link).query)) for link in links] == [True, True, False, False]


@pytest.mark.parametrize("scheme", ["http", "https", "wss"])
def test_the_origin_has_the_scheme_of_the_request(scheme: str) -> None:
    """A token never leaves TLS, and a page without TLS knows no secure page of its own."""
    container = SessionContainer(keys=[KEY], transports=[URLTransport()])
    session = SessionManager(container).open(a_head(scheme=scheme))
    session["a"] = 1
    urls = ("http://shop.example/", "https://shop.example/", "//shop.example/")
    linked = ["wSession=" in session.rewrite(url) for url in urls]

    assert linked == ([True, False, True] if scheme == "http" else [False, True, True])


@every_edge
def test_a_page_that_only_has_links_depends_on_the_session(edge: str) -> None:
    """Also where the middleware has loaded the session already: a cache must know."""
    with serve(edge, transports=[CookieTransport(), URLTransport()]) as server:
        cookie = server.ask("count", Sent()).set_cookies[0].partition(";")[0]
        answer = server.ask("only rewrite", Sent({"Cookie": cookie}))

    assert (answer.value["link"], answer.all("Vary")) == ("/next#top", ["Cookie"])


def test_rewriting_takes_a_text() -> None:
    """A value that is not text is an error."""
    with (
        serve("WSGI", transports=[URLTransport()]) as server,
        pytest.raises(TypeError, match=r'Fix: give a text such as "/next\?page=2"'),
    ):
        server.ask("bad link", Sent())


@every_edge
def test_without_the_transport_nothing_is_rewritten(edge: str) -> None:
    """The session stays unused: there is no load and no `Vary`."""
    with serve(edge) as server:
        answer = server.ask("only rewrite", Sent())

    assert answer.value == {"link": "/next#top", "field": ""}
    assert answer.all("Vary") == answer.set_cookies == []


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"parameter": ""}, "parameter='' is not the name of a parameter"),
        ({"parameter": "a b"}, "parameter='a b' is not the name of a parameter"),
        ({"parameter": None}, "parameter=None is not the name of a parameter"),
        ({"always_cookie": 1}, "always_cookie=1 is not a bool"),
        ({"refuse_users": "no"}, "refuse_users='no' is not a bool"),
        ({"form_limit": -1}, "form_limit=-1 is not a number of bytes"),
        ({"form_limit": True}, "form_limit=True is not a number of bytes"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], problem: str) -> None:
    """The error has the value and says what to do."""
    with pytest.raises(ConfigurationError) as caught:
        URLTransport(**settings)

    assert re.fullmatch(rf"URLTransport: {re.escape(problem)}\. Fix: .+", str(caught.value))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"transports": [URLTransport(), URLTransport("a")]}, "has 2 URLTransports"),
        (
            {"transports": [URLTransport()], "store": SignedToken()},
            "too long and too private for a URL",
        ),
        ({"transports": [URLTransport(always_cookie=True)]}, "but no CookieTransport before it"),
        (
            {"transports": [URLTransport(always_cookie=True), CookieTransport()]},
            "but no CookieTransport before it",
        ),
        ({"transports": [URLTransport]}, "has the item"),
    ],
)
def test_a_container_refuses_impossible_transports(settings: dict[str, Any], problem: str) -> None:
    """The error says what to do."""
    with pytest.raises(ConfigurationError) as caught:
        SessionContainer(keys=[KEY], **settings)

    assert problem in str(caught.value)
    assert "Fix: " in str(caught.value)


def test_ids_in_urls_are_off_and_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """The start-up log names the danger and what to do about it."""
    SessionContainer(keys=[KEY])
    assert caplog.records == []

    SessionContainer(keys=[KEY], transports=[CookieTransport(), URLTransport()])

    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "URLTransport(parameter='wSession') puts the ids of sessions into URLs" in caplog.text
    assert "Fix: " in caplog.text
