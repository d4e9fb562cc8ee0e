"""Sessions of clients without cookies: their id travels in links and forms."""

from typing import Any

import pytest

from sessions import (
    CookieSettings,
    CookieTransport,
    HeaderTransport,
    Transport,
    URLTransport,
)
from tests.sessions.transports.travel import (
    BEARER,
    COOKIE,
    EDGES,
    FORM,
    HEADER,
    URL,
    Sent,
    Way,
    serve,
)
from tests.support.apps import Answer
from tests.support.encrypting import NEW

every_edge = pytest.mark.parametrize("edge", EDGES)
both_links = pytest.mark.parametrize("way", [URL, FORM], ids=["URL", "form"])
TEST_COOKIE = "session-test=1"


def _cookies(answer: Answer) -> list[str]:
    return [text.partition(";")[0] for text in answer.set_cookies]


def _token(answer: Answer) -> str:
    return URL.receive(answer) or ""


def _with_cookies(*answers: Answer) -> Sent:
    return Sent({"Cookie": "; ".join(text for answer in answers for text in _cookies(answer))})


def _two(one: Sent, other: Sent) -> Sent:
    return Sent({**one.headers, **other.headers}, one.query or other.query, one.form or other.form)


def _both() -> list[Transport]:
    return [CookieTransport(), URLTransport()]


@every_edge
def test_a_client_that_sends_cookies_gets_no_more_links(edge: str) -> None:
    """The first page has a cookie and links; after a cookie comes back, links are plain."""
    with serve(edge, transports=_both()) as server:
        first = server.ask("count", Sent())
        second = server.ask("count", _with_cookies(first))
        alone = server.ask("count", Sent({"Cookie": _cookies(first)[0]}))

    assert first.value["link"] == f"/next?wSession={_token(first)}#top"
    assert f'name="wSession" value="{_token(first)}"' in first.value["field"]
    assert [text.partition("=")[0] for text in _cookies(first)] == ["session", "session-test"]
    for answer in (second, alone):
        assert (answer.value["link"], answer.value["field"]) == ("/next#top", "")
        assert answer.all("Referrer-Policy") == answer.set_cookies == []


@every_edge
@both_links
def test_a_client_without_cookies_keeps_its_links(edge: str, way: Way) -> None:
    """Each page has links with the token, and asks for cookies again."""
    with serve(edge, transports=_both()) as server:
        first = server.ask("count", Sent())
        second = server.ask("count", way.send(_token(first)))

    assert second.value["n"] == 2
    assert _token(second) == _token(first)
    assert _cookies(second) == [TEST_COOKIE]


@every_edge
def test_always_cookie_sends_no_test_cookie(edge: str) -> None:
    """The cookie of the session shows whether the client accepts cookies."""
    transports = [CookieTransport(), URLTransport(always_cookie=True)]
    with serve(edge, transports=transports) as server:
        page = server.ask("read", Sent())
        first = server.ask("count", Sent())
        second = server.ask("count", _with_cookies(first))
        tested = server.ask("count", Sent({"Cookie": TEST_COOKIE}, f"wSession={_token(first)}"))

    assert page.set_cookies == []
    assert [text.partition("=")[0] for text in _cookies(first)] == ["session"]
    assert (second.value["n"], second.value["link"]) == (2, "/next#top")
    assert (tested.value["n"], _token(tested)) == (3, _token(first))


@every_edge
def test_the_test_cookie_comes_before_the_session(edge: str) -> None:
    """A page with a login form sends the test cookie, so that the login needs no links."""
    with serve(edge, transports=_both()) as server:
        page = server.ask("read", Sent())
        login = server.ask("login", _with_cookies(page))

    assert _cookies(page) == [TEST_COOKIE]
    assert (page.value["link"], page.value["field"]) == ("/next#top", "")
    assert login.value["link"] == "/next#top"
    assert [text.partition("=")[0] for text in _cookies(login)] == ["session"]


@every_edge
def test_a_client_moves_from_links_to_cookies(edge: str) -> None:
    """A client with the test cookie and a session in the URL gets the session's cookie."""
    with serve(edge, transports=_both()) as server:
        first = server.ask("count", Sent())
        moved = server.ask("read", Sent({"Cookie": TEST_COOKIE}, f"wSession={_token(first)}"))
        last = server.ask("count", Sent({"Cookie": _cookies(moved)[0]}))

    assert moved.value["link"] == "/next#top"
    assert _cookies(moved) == [f"session={_token(first)}"]
    assert last.value["n"] == 2


@every_edge
@both_links
def test_the_parameter_is_hidden_from_the_application(edge: str, way: Way) -> None:
    """The application sees all other parameters in their order, and a correct length."""
    with serve(edge, transports=_both()) as server:
        first = server.ask("count", Sent())
        seen = server.ask("echo", way.send(_token(first))).value["seen"]

    assert seen == {
        "query": "x=1&y=2" if way is URL else "",
        "form": "x=1&y=2" if way is FORM else "",
    }


@every_edge
@pytest.mark.parametrize(
    ("query", "rest"),
    [
        ("wSession={}", ""),
        ("wSession={}&x=1", "x=1"),
        ("x=1&wSession={}", "x=1"),
        ("x=%26wSession%3D1&w%53ession={}&&y", "x=%26wSession%3D1&&y"),
        ("awSession=1&wSession={}&wSessionb=2", "awSession=1&wSessionb=2"),
        ("wSession={}&wSession={}", ""),
        ("wsession={}", "wsession={}"),
        ("x=%ff+%20&wSession=", "x=%ff+%20"),
    ],
)
def test_only_the_parameter_is_taken_out(edge: str, query: str, rest: str) -> None:
    """Every other byte of the query stays, and names that look alike are other names."""
    with serve(edge, transports=_both()) as server:
        token = _token(server.ask("count", Sent()))
        for kind in ("query", "form"):
            text = query.format(token, token)
            sent = Sent(query=text) if kind == "query" else Sent(form=text)
            seen = server.ask("echo", sent).value["seen"]
            assert seen[kind] == rest.format(token, token)


@every_edge
def test_a_page_with_a_token_in_its_url_forbids_referrers_and_caches(edge: str) -> None:
    """The answer forbids referrers and caches, also on pages without a session, and for a client
    that sends a cookie, too."""
    with serve(edge, transports=_both()) as server:
        token = _token(server.ask("count", Sent()))
        both = _two(COOKIE.send(token), URL.send(token))
        for sent in (URL.send(token), URL.send("forged"), both):
            for verb in ("untouched", "read", "count", "weak policy"):
                answer = server.ask(verb, sent)
                assert answer.all("Referrer-Policy") == ["no-referrer"]
                assert answer.all("Cache-Control") == ["no-store"]
        plain = server.ask("untouched", Sent())

    assert plain.all("Referrer-Policy") == plain.all("Cache-Control") == plain.all("Vary") == []


@every_edge
def test_a_login_gives_new_links(edge: str) -> None:
    """The old token in URLs is invalid, and a browser with cookies gets a cookie."""
    with serve(edge, transports=_both()) as server:
        token = _token(server.ask("count", Sent()))
        login = server.ask("login", URL.send(token))
        old, new = (server.ask("read", URL.send(one)) for one in (token, _token(login)))

    assert _token(login) not in ("", token)
    assert _cookies(login)[0] == f"session={_token(login)}"
    assert (old.value["user"], new.value["user"]) == (None, "ada")


@every_edge
@pytest.mark.parametrize("settings", [{}, {"encryption_keys": [NEW]}], ids=["plain", "encrypted"])
def test_signed_in_users_can_be_refused(edge: str, settings: dict[str, Any]) -> None:
    """Signed-in sessions then need a cookie, and visitors may still use links."""
    transports = [CookieTransport(), URLTransport(refuse_users=True)]
    with serve(edge, transports=transports, **settings) as server:
        visitor = server.ask("count", Sent())
        again = server.ask("count", URL.send(_token(visitor)))
        login = server.ask("login", URL.send(_token(visitor)))
        token = _cookies(login)[0].partition("=")[2]
        in_url = server.ask("read", URL.send(token))
        in_cookie = server.ask("read", COOKIE.send(token))
        in_both = server.ask("read", _two(COOKIE.send(token), URL.send(token)))

    assert again.value["n"] == 2
    assert (login.value["link"], login.value["field"]) == ("/next#top", "")
    assert [answer.value["user"] for answer in (in_url, in_cookie, in_both)] == [None, "ada", "ada"]
    assert [(event.kind, event.reason) for event in server.events if event.kind == "rejected"] == [
        ("rejected", "in_url")
    ]


@every_edge
def test_links_alone_carry_a_session(edge: str) -> None:
    """A container without a cookie transport sends no test cookie."""
    with serve(edge, transports=[URLTransport("sid")]) as server:
        first = server.ask("count", Sent())
        token = first.value["link"].partition("sid=")[2].partition("#")[0]
        second = server.ask("count", Sent({"Cookie": f"session={token}"}, f"sid={token}"))

    assert second.value["n"] == 2
    assert "sid=" in second.value["link"]
    assert first.set_cookies == second.set_cookies == first.all("Vary") == []


@every_edge
@both_links
@pytest.mark.parametrize("other", [COOKIE, HEADER, BEARER], ids=lambda way: way.name)
def test_a_token_in_a_link_and_in_another_transport(edge: str, way: Way, other: Way) -> None:
    """Equal tokens are one session, and two different live sessions are none."""
    transports: dict[str, Transport] = {
        "cookie": CookieTransport(),
        "header": HeaderTransport(),
        "bearer": HeaderTransport.bearer(),
    }
    with serve(edge, transports=[transports[other.name], URLTransport()]) as server:
        first, second = (other.receive(server.ask("count", Sent())) or "" for _ in range(2))
        server.ask("logout", other.send(third := other.receive(server.ask("count", Sent())) or ""))
        pairs = [(first, first), (first, second), (first, third), (third, first)]
        counts = [
            server.ask("read", _two(other.send(one), way.send(two))).value["n"]
            for one, two in pairs
        ]

    assert counts == [1, None, 1, 1]
    assert server.told.count("ambiguous") == 1


@every_edge
@pytest.mark.parametrize("other", [HEADER, BEARER], ids=lambda way: way.name)
def test_a_client_that_sends_a_header_gets_no_links(edge: str, other: Way) -> None:
    """Its token is in no URL, and its answers may be stored and have a referrer."""
    header = HeaderTransport() if other is HEADER else HeaderTransport.bearer()
    with serve(edge, transports=[header, CookieTransport(), URLTransport()]) as server:
        first = server.ask("count", Sent())
        second = server.ask("read", other.send(other.receive(first) or ""))

    assert "wSession=" in first.value["link"]
    assert (second.value["n"], second.value["link"], second.value["field"]) == (1, "/next#top", "")
    assert second.all("Referrer-Policy") == second.all("Cache-Control") == []


@every_edge
def test_a_query_and_a_form_are_one_transport(edge: str) -> None:
    """Two different live sessions in the query and the form count as none."""
    with serve(edge, transports=[URLTransport()]) as server:
        one, two = (_token(server.ask("count", Sent())) for _ in range(2))
        same = server.ask("read", _two(URL.send(one), FORM.send(one)))
        different = server.ask("read", _two(URL.send(one), FORM.send(two)))

    assert (same.value["n"], different.value["n"]) == (1, None)
    assert server.told[-1] == "ambiguous"


@every_edge
def test_a_visitor_without_a_session_gets_no_id(edge: str) -> None:
    """A page that only reads stores nothing, so its links stay as they are."""
    with serve(edge, transports=[URLTransport()]) as server:
        answer = server.ask("read", Sent())

    assert (answer.value["link"], answer.value["field"]) == ("/next#top", "")
    assert server.told == []


@every_edge
@pytest.mark.parametrize("size", [100, 300])
def test_a_large_form_is_not_searched(edge: str, size: int) -> None:
    """The application receives the whole form."""
    with serve(edge, transports=[URLTransport(form_limit=200)]) as server:
        token = _token(server.ask("count", Sent()))
        rest = "&x=" + "a" * (size - len(token) - 12)
        answer = server.ask("echo", Sent(form=f"wSession={token}{rest}"))

    is_small = size < 200
    assert answer.value["n"] == (1 if is_small else None)
    assert ("wSession" in answer.value["seen"]["form"]) is not is_small


@every_edge
def test_a_cookie_that_cannot_be_sent_leaves_the_links(edge: str) -> None:
    """A Secure cookie is not sent over http, so the client keeps its links."""
    cookie = CookieSettings(secure=True)
    with serve(edge, transports=_both(), cookie=cookie) as server:
        first = server.ask("count", Sent())
        second = server.ask("count", _two(Sent({"Cookie": TEST_COOKIE}), URL.send(_token(first))))

    assert first.set_cookies == []
    assert second.value["n"] == 2
    assert _token(second) == _token(first)


@every_edge
@both_links
def test_too_many_tokens_are_not_read(edge: str, way: Way) -> None:
    """The request has no session, and an event says why; the parameter is hidden all the same."""
    with serve(edge, transports=[URLTransport()]) as server:
        token = _token(server.ask("count", Sent()))
        text = "&".join([f"wSession={token}"] * 33)
        answer = server.ask("echo", Sent(query=text) if way is URL else Sent(form=text))

    assert answer.value["n"] is None
    assert answer.value["seen"] == {"query": "", "form": ""}
    assert "33 values of 'wSession'" in server.events[-1].detail
    assert server.events[-1].kind == "rejected"
