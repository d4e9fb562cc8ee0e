"""The settings of header transports, and what a header may look like."""

from typing import Any

import pytest

from sessions import (
    AsyncSessionManager,
    ConfigurationError,
    CookieSettings,
    CookieTransport,
    HeaderTransport,
    SessionContainer,
    SessionManager,
)
from sessions.testing import a_head
from tests.support.apps import KEY
from tests.support.loops import on_a_loop


@pytest.mark.parametrize("name", ["", "a b", "a:b", "ä", "a\n", "a,b", None, 1])
def test_a_name_that_no_header_has_is_refused(name: Any) -> None:
    """The error shows the name."""
    with pytest.raises(ConfigurationError) as caught:
        HeaderTransport(name)

    assert f"name={name!r} is not the name of a header. Fix: " in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        *("Cookie", "set-cookie", "HOST", "Vary", "Content-Length", "Proxy-Authorization"),
        *("Accept", "Accept-Language", "Content-Language", "Range", "User-Agent", "Last-Event-ID"),
        *("Sec-Fetch-Site", "If-None-Match", "X-Forwarded-For", "Access-Control-Request-Method"),
    ],
)
def test_a_name_of_http_is_refused(name: str) -> None:
    """The token would change the meaning of the message, or a browser sends such a header by
    itself."""
    with pytest.raises(ConfigurationError, match="has another meaning in HTTP"):
        HeaderTransport(name)


def test_authorization_needs_a_scheme() -> None:
    """The error names the right spelling."""
    with pytest.raises(ConfigurationError, match=r"Fix: write HeaderTransport.bearer\(\)"):
        HeaderTransport("authorization")


def test_a_transport_shows_what_it_is() -> None:
    """The repr is the call that makes the transport."""
    assert repr(HeaderTransport("X-A")) == "HeaderTransport(name='X-A')"
    assert repr(HeaderTransport.bearer()) == "HeaderTransport.bearer()"


@pytest.mark.parametrize(
    ("header", "tokens"),
    [
        ("a", ["a"]),
        (" a\t", ["a"]),
        ("a, b", ["a", "b"]),
        ("a,,b,", ["a", "b"]),
        (",", []),
        ("", []),
    ],
)
def test_a_header_has_any_number_of_tokens(header: str, tokens: list[str]) -> None:
    """A server joins several headers by commas."""
    assert HeaderTransport().read(a_head({"X-Session-Id": header})) == tokens


@pytest.mark.parametrize("header", ["a" * 8001, "a," * 32])
def test_a_header_that_is_too_large_is_not_searched(header: str) -> None:
    """The request has no session, and an event says why."""
    told: list[str] = []
    container = SessionContainer(
        keys=[KEY],
        transports=[HeaderTransport()],
        listeners=[lambda event: told.append(event.detail)],
    )
    manager = SessionManager(container)
    session = manager.open(a_head({"X-Session-Id": header}))
    session["a"] = 1
    headers = manager.close(session)

    assert headers == [("Vary", "X-Session-Id")]
    assert told == [
        f"the header X-Session-Id has {len(header)} bytes in {header.count(',') + 1} values, but at"
        " most 8000 bytes in 32 values are read, so this request has no session. Fix: send one"
        " token"
    ]


@pytest.mark.parametrize(
    ("header", "tokens"),
    [
        ("Bearer a", ["a"]),
        ("bEARER   a ", ["a"]),
        ("Bearer", [""]),
        ("Bearer ", [""]),
        ("Bearer a b", ["a b"]),
        ("Bearer a, Bearer b", ["a, Bearer b"]),
        ("Basic a", []),
        ("Bearera", []),
        ("", []),
    ],
)
def test_a_bearer_token_has_its_scheme(header: str, tokens: list[str]) -> None:
    """The name of the scheme is case-insensitive."""
    assert HeaderTransport.bearer().read(a_head({"Authorization": header})) == tokens


def test_a_bare_cookie_takes_the_settings_of_its_container() -> None:
    """The container fills in the name, the attributes and the limits that are not given."""
    settings = CookieSettings(path="/shop", same_site="Strict")
    container = SessionContainer(
        keys=[KEY], session_prefix="shop", cookie=settings, cookie_pairs_limit=1
    )
    bare = CookieTransport().completed(container)
    named = CookieTransport("other").completed(container)
    whole = CookieTransport("own", CookieSettings())

    head = a_head(path="/shop")
    assert (
        bare.send(head, "t", None)[0][1] == "shop=t; Path=/shop; Secure; HttpOnly; SameSite=Strict"
    )
    assert named.send(head, "t", None)[0][1].startswith("other=t; Path=/shop")
    assert bare.obstacle(a_head({"Cookie": "a=1; b=2"}, path="/shop")) is not None
    assert whole.completed(container) is whole


def test_a_cookie_without_settings_says_what_to_do() -> None:
    """The transport was used without a container."""
    with pytest.raises(
        AttributeError, match=r"Fix: give the transport to SessionContainer\(transports="
    ):
        CookieTransport().read(a_head({"Cookie": "session=a"}))


def test_the_order_of_the_transports_is_theirs_in_the_answer() -> None:
    """Of several transports, the first one that can carry the token does."""
    over_https = SessionContainer(
        keys=[KEY],
        cookie=CookieSettings(secure=True),
        transports=[CookieTransport(), HeaderTransport()],
    )
    manager = SessionManager(over_https)
    names = []
    for scheme in ("https", "http"):
        session = manager.open(a_head(scheme=scheme))
        session["a"] = 1
        names.append([name for name, _ in manager.close(session)])

    assert [found[2] for found in names] == ["Set-Cookie", "X-Session-Id"]


@on_a_loop
async def test_a_malformed_token_of_an_abandoned_request_is_reported() -> None:
    """An eager load finds it, and then the client is gone."""
    told: list[str | None] = []
    manager = AsyncSessionManager(
        SessionContainer(
            keys=[KEY],
            transports=[HeaderTransport.bearer()],
            listeners=[lambda event: told.append(event.reason)],
        )
    )
    session = manager.open(a_head({"Authorization": "Bearer x"}))
    manager.preload_now(session)
    await manager.abandon(session)

    assert told == ["malformed"]


def test_after_a_save_the_token_is_that_of_the_response() -> None:
    """Two requests sign in with one token; each of them has a session of its own then."""
    manager = SessionManager(SessionContainer(keys=[KEY], transports=[HeaderTransport.bearer()]))
    created = manager.create({"a": 1})
    head = a_head({"Authorization": f"Bearer {manager.token(created)}"})
    sessions = [manager.open(head) for _ in range(2)]
    for session in sessions:
        session.set_user("ada")

    tokens = []
    for session in sessions:
        session.save()
        tokens.append(manager.token(session))
    sent = [dict(manager.close(session))["Authorization"] for session in sessions]

    assert sent == [f"Bearer {token}" for token in tokens]
    assert len({*tokens}) == 2
    for token in tokens:
        found = manager.from_token(token)
        assert found is not None
        assert found.user_id == "ada"
