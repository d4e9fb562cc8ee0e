"""CSRF: no other site makes a user's browser send unwanted requests."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from framework import (
    Body,
    Middleware,
    Request,
    Session,
    component,
    configuration,
    controller,
    get,
    post,
    put,
)
from framework.csrf import CSRF, Verdict, csrf_token, is_csrf_token, judge
from framework.testing import Client
from tests.support.small_applications import client_of

OWN = "http://localhost"
EVIL = "https://evil.example"
PARTNER = "https://partner.example"


@controller("/")
class Bank:
    @get("/form")
    def form(self, session: Session) -> str:
        return csrf_token(session)

    @post("/login")
    def login(self, session: Session) -> None:
        session.regenerate()
        session["user"] = "ada"

    @post("/transfer")
    @put("/transfer")
    def transfer(self, request: Request) -> str:
        return request.form.get("to", "nobody")

    @post("/json")
    def json(self, order: Body[dict[str, str]]) -> dict[str, str]:
        return order


def _protected(**settings: Any) -> type:
    @configuration
    class Configuration:
        @component
        def middleware(self) -> list[Middleware]:
            return [CSRF(**settings)]

    return Configuration


@pytest.fixture
def visitor() -> Iterator[Client]:
    """Return a client of the bank without a session."""
    with client_of(Bank, _protected(trusted_origins=[PARTNER])) as client:
        yield client


@pytest.fixture
def user(visitor: Client) -> Client:
    """Return a client that has logged in."""
    visitor.post("/login")
    return visitor


def _token(client: Client) -> str:
    return client.get("/form").text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": OWN},
        {"Sec-Fetch-Site": "cross-site", "Origin": PARTNER},
        {"Origin": PARTNER},
    ],
)
def test_a_request_of_an_own_page_passes(user: Client, headers: dict[str, str]) -> None:
    """The headers say that a page of this site, or of a trusted one, made it."""
    response = user.post("/transfer", data={"to": "bob"}, headers=headers)

    assert response.text == "bob"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": EVIL},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://evil.localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        # What the browser says of the site counts more than what it says of the origin.
        {"Sec-Fetch-Site": "cross-site", "Origin": OWN},
        {"Sec-Fetch-Site": "SAME-ORIGIN"},
        {"Sec-Fetch-Site": ""},
        {"Origin": EVIL},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "http://evil-localhost"},
        {"Origin": f"{OWN}, {EVIL}"},
        {"Origin": ""},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_request_of_another_site_is_refused(
    user: Client, headers: dict[str, str], method: str
) -> None:
    """The headers say so; even a valid token does not help."""
    headers |= {"X-CSRF-Token": _token(user)}
    response = user.open("/transfer", method=method, headers=headers)

    assert response.status_code == 403


def test_the_refusal_says_what_to_do(user: Client) -> None:
    """The message names the origin and the setting."""
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": EVIL}
    response = user.post("/transfer", headers=headers)

    assert response.get_json()["detail"] == (
        f"This request was made by another site ({EVIL}). If that site may make requests, add"
        " its origin to CSRF(trusted_origins=[...])."
    )


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Origin": "https://localhost"}])
def test_a_token_decides_if_the_browser_sends_no_origin(
    user: Client, headers: dict[str, str]
) -> None:
    """This concerns old browsers, hidden origins, and a scheme that a proxy hides."""
    token = _token(user)
    without = user.post("/transfer", data={"to": "bob"}, headers=headers)
    with_field = user.post("/transfer", data={"to": "bob", "csrf_token": token}, headers=headers)

    assert without.status_code == 403
    assert "has no CSRF token. Send the token of the page" in without.get_json()["detail"]
    assert with_field.text == "bob"


def test_a_token_may_come_in_a_header(user: Client) -> None:
    """A script sends JSON, which has no form field."""
    token = _token(user)
    response = user.post("/json", json={"to": "bob"}, headers={"X-CSRF-Token": token})

    assert response.json == {"to": "bob"}
    assert user.post("/json", json={"to": "bob"}).status_code == 403


def test_a_token_may_come_in_a_form_with_a_file(user: Client) -> None:
    """Multipart forms have fields, too."""
    data = {"to": "bob", "csrf_token": _token(user)}
    response = user.post("/transfer", data=data, content_type="multipart/form-data")

    assert response.text == "bob"


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", ""])
def test_a_token_in_another_body_than_a_form_is_ignored(user: Client, content_type: str) -> None:
    """A body of another type is not read for a token."""
    body = f"csrf_token={_token(user)}"

    assert user.post("/transfer", data=body, content_type=content_type).status_code == 403


@pytest.mark.parametrize("token", ["", "x", "ż", "AAAA", "A" * 64, "A" * 63, "A" * 68, "\0"])
def test_a_made_up_token_is_refused(user: Client, token: str) -> None:
    """For any text, the answer is 403, without a crash."""
    response = user.post("/transfer", data={"csrf_token": token})

    assert response.status_code == 403
    assert "does not belong to this session" in response.get_json()["detail"]


def test_a_flipped_character_is_refused(user: Client) -> None:
    """Every character of a token counts."""
    token = _token(user)
    flipped = [
        token[:at] + ("B" if token[at] == "A" else "A") + token[at + 1 :]
        for at in range(len(token))
    ]
    statuses = {user.post("/transfer", data={"csrf_token": each}).status_code for each in flipped}

    assert statuses == {403}


def test_a_token_of_another_session_is_refused(user: Client) -> None:
    """An attacker may have tokens of their own sessions."""
    other = Client(user.app)
    other.post("/login")

    assert user.post("/transfer", data={"csrf_token": _token(other)}).status_code == 403


def test_a_token_ends_with_the_id_of_its_session(user: Client) -> None:
    """After a login, earlier tokens are invalid."""
    old = _token(user)
    user.post("/login", headers={"Sec-Fetch-Site": "same-origin"})
    new = _token(user)

    assert user.post("/transfer", data={"csrf_token": old}).status_code == 403
    assert user.post("/transfer", data={"csrf_token": new}).status_code == 200


def test_a_token_is_another_text_each_time(user: Client) -> None:
    """Its text cannot be guessed from the size of a compressed page; all texts stay valid."""
    tokens = {_token(user) for _ in range(3)}
    statuses = {user.post("/transfer", data={"csrf_token": each}).status_code for each in tokens}

    assert len(tokens) == 3
    assert all(re.fullmatch(r"[\w-]{64}", token) for token in tokens)
    assert statuses == {200}


def test_a_token_for_a_visitor_makes_no_session(visitor: Client) -> None:
    """A login page with a token sends no cookie."""
    assert "Set-Cookie" not in visitor.get("/form").headers


def test_a_token_shows_nothing_of_the_id(user: Client) -> None:
    """A reader of the page does not learn the id."""
    with user.session() as session:
        token = csrf_token(session)

        assert session.id not in token
        assert is_csrf_token(session, token)


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site", "Origin": EVIL}])
def test_a_request_without_a_cookie_passes(visitor: Client, headers: dict[str, str]) -> None:
    """A program or a web hook sends no cookie; no session is opened."""
    response = visitor.post("/transfer", headers=headers)

    assert response.status_code == 200
    assert "Vary" not in response.headers


@pytest.mark.parametrize("name", ["session", "theme"])
def test_a_request_without_a_live_session_passes(visitor: Client, name: str) -> None:
    """Without a session, an attacker gains nothing."""
    visitor.set_cookie(name, "made-up")

    assert visitor.post("/transfer").status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_safe_method_passes(user: Client, method: str) -> None:
    """Links from other sites work."""
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": EVIL}

    assert user.open("/form", method=method, headers=headers).status_code in (200, 204)


def test_visitors_can_be_protected_too() -> None:
    """Otherwise another site could log a visitor in as somebody else."""
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": EVIL}
    with client_of(Bank, _protected(visitors=True)) as client:
        for headers in (foreign, {"Origin": EVIL}, {"Origin": "null"}):
            assert client.post("/login", headers=headers).status_code == 403
        assert client.post("/login").status_code == 204


def test_a_request_of_an_own_page_does_not_touch_the_session(user: Client) -> None:
    """The headers are enough, so the store is not called."""
    response = user.post("/transfer", headers={"Sec-Fetch-Site": "same-origin"})

    assert "Vary" not in response.headers


def test_a_trusted_origin_must_be_an_origin() -> None:
    """A misspelt origin would silently have no effect."""
    with pytest.raises(
        ValueError, match=r"CSRF\.trusted_origins has 'shop\.example', which is not"
    ):
        CSRF(trusted_origins=["shop.example"])


@pytest.mark.parametrize(
    ("site", "origin", "verdict"),
    [
        (None, "https://a.example", Verdict.OURS),
        (None, "http://a.example", Verdict.UNKNOWN),
        (None, None, Verdict.UNKNOWN),
        (None, "https://b.example", Verdict.FOREIGN),
        ("same-site", "https://b.example", Verdict.FOREIGN),
        ("same-site", "https://c.example", Verdict.OURS),
    ],
)
def test_the_verdict_needs_no_request(
    site: str | None, origin: str | None, verdict: Verdict
) -> None:
    """Three texts and the trusted origins decide."""
    assert judge(site, origin, "https://a.example", {"https://c.example"}) is verdict


def test_the_log_says_once_from_where_a_form_gets_its_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The author of a form reads what to write; many refused requests do not fill the log."""
    with client_of(Bank, _protected()) as client:
        client.post("/login")
        for _ in range(3):
            assert client.post("/transfer", data={"to": "eve"}).status_code == 403

    (record,) = [record for record in caplog.records if "CSRF" in record.getMessage()]
    assert record.getMessage().startswith("POST '/transfer' was refused by CSRF")
    assert 'name="csrf_token" value="{{ csrf_token() }}"' in record.getMessage()
    assert "csrf_token(session)" in record.getMessage()


def test_a_path_adds_no_line_to_the_log(user: Client, caplog: pytest.LogCaptureFixture) -> None:
    """A client chooses the path, also with the escapes of line ends and of colours."""
    user.post("/x%0aERROR framework: all is lost%1b[31m%e2%80%ae")

    (record,) = [one for one in caplog.records if one.name == "framework"]
    assert record.getMessage().isprintable()
    assert "was refused by CSRF" in record.getMessage()
