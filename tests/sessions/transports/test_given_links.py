"""Links that another person made: no browser is bound to a session of that person."""

from datetime import timedelta

import pytest

from sessions import CookieSettings, CookieTransport, URLTransport
from sessions.testing import START, ManualClock
from tests.sessions.transports.travel import COOKIE, EDGES, URL, Sent, Server, serve
from tests.support.apps import Answer

every_edge = pytest.mark.parametrize("edge", EDGES)
every_mode = pytest.mark.parametrize(
    "settings",
    [{}, {"rolling": True}, {"cookie": CookieSettings(max_age=timedelta(days=1))}],
    ids=["", "rolling", "max-age"],
)
TRANSPORTS = [CookieTransport(), URLTransport()]
TEST_COOKIE = "session-test=1"


def _token(server: Server, verb: str) -> str:
    return URL.receive(server.ask(verb, Sent())) or ""


def _follow(server: Server, token: str, site: str | None, verb: str = "read") -> Answer:
    headers = {"Cookie": TEST_COOKIE} | ({} if site is None else {"Sec-Fetch-Site": site})
    return server.ask(verb, Sent(headers, f"wSession={token}"))


def _session_cookies(answer: Answer) -> list[str]:
    found = [text.partition(";")[0] for text in answer.set_cookies]
    return [text for text in found if text.startswith("session=")]


@every_edge
@every_mode
@pytest.mark.parametrize(
    ("made_by", "site", "is_bound"),
    [
        ("count", "same-origin", True),
        ("login", "same-origin", False),
        ("count", "cross-site", False),
        ("login", "cross-site", False),
        ("count", "same-site", False),
        ("login", "same-site", False),
        ("count", "none", False),
        ("login", "none", False),
        ("count", None, True),
        ("login", None, False),
    ],
)
def test_only_an_own_page_moves_an_anonymous_session_into_a_cookie(
    edge: str, settings: dict[str, object], made_by: str, site: str | None, *, is_bound: bool
) -> None:
    """Without the header, it may move, too; a signed-in session never moves."""
    with serve(edge, transports=TRANSPORTS, **settings) as server:
        token = _token(server, made_by)
        answers = [_follow(server, token, site, verb) for verb in ("read", "count")]

    assert [bool(_session_cookies(answer)) for answer in answers] == [is_bound] * 2
    assert [answer.value["link"] for answer in answers] == ["/next#top"] * 2


@every_edge
@every_mode
@pytest.mark.parametrize(("site", "is_bound"), [("cross-site", False), ("same-origin", True)])
def test_a_cookie_of_an_ended_session_changes_nothing(
    edge: str, settings: dict[str, object], site: str, *, is_bound: bool
) -> None:
    """A browser keeps such a cookie, and it has a valid signature."""
    with serve(edge, transports=TRANSPORTS, **settings) as server:
        ended = COOKIE.receive(server.ask("count", Sent())) or ""
        server.ask("logout", COOKIE.send(ended))
        token = _token(server, "count")
        headers = {"Cookie": f"session={ended}", "Sec-Fetch-Site": site}
        answers = [
            server.ask(verb, Sent(headers, f"wSession={token}")) for verb in ("read", "count")
        ]

    assert [answer.value["n"] for answer in answers] == [1, 2]
    bound = [f"session={token}"] if is_bound else []
    assert [_session_cookies(answer) for answer in answers] == [bound] * 2


@every_edge
@pytest.mark.parametrize("site", ["cross-site", "same-origin", "none", None])
@pytest.mark.parametrize("made_by", ["count", "login"])
def test_a_sign_in_of_the_client_itself_sends_its_cookie(
    edge: str, made_by: str, site: str | None
) -> None:
    """The session has a new id then, which nobody else knows."""
    with serve(edge, transports=TRANSPORTS) as server:
        token = _token(server, made_by)
        answer = _follow(server, token, site, "login")
        (cookie,) = _session_cookies(answer)
        again = server.ask("read", Sent({"Cookie": cookie}))
        other = server.ask("read", Sent(query=f"wSession={token}"))

    assert cookie != f"session={token}"
    assert (again.value["user"], other.value["user"]) == ("ada", None)


@every_edge
def test_a_client_without_cookies_goes_on_with_its_links(edge: str) -> None:
    """No header of the browser matters for links."""
    with serve(edge, transports=TRANSPORTS) as server:
        token = _token(server, "login")
        answers = [
            server.ask("read", Sent(headers, f"wSession={token}"))
            for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-origin"})
        ]

    assert [URL.receive(answer) for answer in answers] == [token] * 3


@every_edge
@every_mode
def test_a_sign_in_by_a_clock_that_is_ahead_is_not_a_sign_in_of_the_client(
    edge: str, settings: dict[str, object]
) -> None:
    """The other person may have signed in at a process whose clock is half a minute ahead."""
    clock = ManualClock()
    with serve(edge, transports=TRANSPORTS, clock=clock, **settings) as server:
        clock.advance(30)
        token = _token(server, "login")
        clock.set(START)
        answer = _follow(server, token, "cross-site", "count")

    assert answer.value["user"] == "ada"
    assert _session_cookies(answer) == []
