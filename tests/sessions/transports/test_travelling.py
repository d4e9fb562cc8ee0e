"""Every transport under every middleware: the life of a session, and the headers of each answer."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from sessions import (
    CookieTransport,
    HeaderTransport,
    SessionTooLarge,
    Transport,
    URLTransport,
)
from sessions.stateless import EncryptedToken, JWTToken, SignedToken
from tests.sessions.transports.travel import (
    BEARER,
    COOKIE,
    EDGES,
    FORM,
    HEADER,
    URL,
    Sent,
    Server,
    Way,
    serve,
)
from tests.support.apps import Answer

MAKERS: dict[str, Callable[[], Transport]] = {
    "cookie": CookieTransport,
    "header": HeaderTransport,
    "bearer": HeaderTransport.bearer,
    "URL": URLTransport,
    "form": URLTransport,
}
WAYS = {way.name: way for way in (COOKIE, HEADER, BEARER)}
LINKS = {way.name: way for way in (URL, FORM)}
FORMATS = {"stored": None, "signed": SignedToken, "encrypted": EncryptedToken}

every_edge = pytest.mark.parametrize("edge", EDGES)
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))


def _transports(*ways: str) -> list[Transport]:
    return [MAKERS[way]() for way in ways]


class Visitor:
    """Keep the token of one client between requests."""

    def __init__(self, server: Server, way: Way) -> None:
        self._server, self._way = server, way
        self.token = ""

    def ask(self, verb: str, token: str | None = None) -> Answer:
        token = self.token if token is None else token
        answer = self._server.ask(verb, self._way.send(token) if token else Sent())
        received = self._way.receive(answer)
        if received is not None:
            self.token = received
        return answer


@pytest.fixture(params=FORMATS)
def stored(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the settings of sessions in a store, and in tokens of each format."""
    kind = FORMATS[request.param]
    return {} if kind is None else {"store": kind()}


@every_edge
@every_way
def test_a_session_lives_through_its_verbs(edge: str, way: Way, stored: dict[str, Any]) -> None:
    """The session counts, gets a new id, signs a user in and ends; old tokens are invalid."""
    with serve(edge, transports=_transports(way.name), **stored) as server:
        visitor = Visitor(server, way)
        counts = [visitor.ask("count").value["n"] for _ in range(3)]
        tokens = [visitor.token]
        for verb in ("regenerate", "login", "logout"):
            visitor.ask(verb)
            tokens.append(visitor.token)
        kept = [visitor.ask("read", token).value for token in tokens[:3]]
        after = visitor.ask("count", tokens[3] or None)

    assert counts == [1, 2, 3]
    assert len({*tokens}) == 4
    assert tokens[3] == ""
    assert (after.value["n"], after.value["user"]) == (1, None)
    if not stored:
        assert [(value["n"], value["user"]) for value in kept] == [(None, None)] * 3
        assert server.told[:3] == ["created", "regenerated", "regenerated"]
        assert server.told[3:5] == ["signed_in", "destroyed"]


@every_edge
@pytest.mark.parametrize("way", LINKS.values(), ids=list(LINKS))
def test_a_session_in_links_lives_through_its_verbs(edge: str, way: Way) -> None:
    """A client that follows links and sends forms does the same."""
    test_a_session_lives_through_its_verbs(edge, way, {})


@every_edge
@every_way
def test_an_answer_has_vary_and_no_store_as_needed(edge: str, way: Way) -> None:
    """`Vary` if the session was used, `no-store` with a token, and a cookie only for cookies."""
    with serve(edge, transports=_transports(way.name)) as server:
        visitor = Visitor(server, way)
        first, second = visitor.ask("count"), visitor.ask("read")

    vary = {"cookie": "Cookie", "header": "X-Session-Id", "bearer": "Authorization"}[way.name]
    assert first.all("Vary") == second.all("Vary") == [vary]
    assert first.all("Cache-Control") == ["no-store"]
    assert second.all("Cache-Control") == []
    assert bool(first.set_cookies) is (way is COOKIE)
    assert way.receive(second) is None


@every_edge
@every_way
def test_an_untouched_session_costs_nothing(edge: str, way: Way) -> None:
    """This holds without a token, with a valid token and with a malformed one."""
    with serve(edge, transports=_transports(way.name)) as server:
        visitor = Visitor(server, way)
        visitor.ask("count")
        answers = [visitor.ask("untouched", token) for token in ("", visitor.token, "x y")]

    names = [{name for name, _ in answer.headers} for answer in answers]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert all(not names & {"Vary", "Set-Cookie", "Cache-Control"} for names in names)


@every_edge
def test_a_malformed_bearer_token_is_refused(edge: str) -> None:
    """The answer is 401 with the challenge, in every verb that uses the session."""
    with serve(edge, transports=_transports("bearer")) as server:
        for credentials in ("Bearer", "Bearer x", "bearer a b", "BEARER é", f"Bearer {'x' * 9000}"):
            for verb in ("count", "read", "login", "regenerate", "logout"):
                answer = server.ask(verb, Sent({"Authorization": credentials}))
                assert answer.status == 401
                (challenge,) = answer.all("WWW-Authenticate")
                assert challenge.startswith("Bearer ")
                assert 'error="invalid_token"' in challenge
                assert answer.all("Vary")[-1].endswith("Authorization")
                assert answer.all("Authorization") == []

    assert set(server.told) == {"rejected"}


@every_edge
def test_a_forged_bearer_token_is_not_a_session(edge: str) -> None:
    """A token of the right form with a wrong signature gives no session, and no error."""
    with serve(edge, transports=_transports("bearer")) as server:
        visitor = Visitor(server, BEARER)
        visitor.ask("count")
        token = visitor.token
        forged = token[:-1] + ("A" if token[-1] != "A" else "E")
        answer = visitor.ask("read", forged)

    assert (answer.status, answer.value["n"]) == (200, None)
    assert server.told == ["created", "rejected"]


@every_edge
@pytest.mark.parametrize("scheme", ["Basic", "Digest", "Bearer2", "BearerX"])
def test_another_authorization_scheme_is_not_a_token(edge: str, scheme: str) -> None:
    """The credentials belong to another scheme."""
    with serve(edge, transports=_transports("bearer")) as server:
        answer = server.ask("count", Sent({"Authorization": f"{scheme} x"}))

    assert (answer.status, answer.value["n"]) == (200, 1)
    assert server.told == ["created"]


@every_edge
@pytest.mark.parametrize("rolling", [{"rolling": True}, {"save_uninitialized": True}])
def test_a_malformed_token_fails_no_page_without_session_use(
    edge: str, rolling: dict[str, Any]
) -> None:
    """This holds also for settings that use the session of every request."""
    with serve(edge, transports=_transports("bearer"), **rolling) as server:
        answer = server.ask("untouched", Sent({"Authorization": "Bearer x"}))

    assert answer.status == 200


@every_edge
@every_way
def test_a_transport_that_is_not_configured_is_not_read(edge: str, way: Way) -> None:
    """A valid token counts only where the container looks for one."""
    for other in (*WAYS.values(), *LINKS.values()):
        with serve(edge, transports=_transports(way.name)) as server:
            visitor = Visitor(server, way)
            visitor.ask("count")
            value = server.ask("read", other.send(visitor.token)).value

        assert value["n"] == (1 if other is way else None)


def _both(one: Sent, other: Sent) -> Sent:
    return Sent({**one.headers, **other.headers}, one.query or other.query, one.form or other.form)


PAIRS = [(one, other) for one in WAYS.values() for other in WAYS.values() if one is not other]
every_pair = pytest.mark.parametrize(
    ("one", "other"), PAIRS, ids=[f"{one.name}, {other.name}" for one, other in PAIRS]
)


@every_edge
@every_pair
def test_equal_tokens_in_two_transports_are_one_session(edge: str, one: Way, other: Way) -> None:
    """The request has the session, and a new token goes back on both ways."""
    with serve(edge, transports=_transports(one.name, other.name)) as server:
        visitor = Visitor(server, one)
        visitor.ask("count")
        sent = _both(one.send(visitor.token), other.send(visitor.token))
        again, login = server.ask("count", sent), server.ask("login", sent)
        tokens = [one.receive(login), other.receive(login)]
        logout = server.ask("logout", _both(one.send(tokens[0] or ""), other.send(tokens[1] or "")))

    assert again.value["n"] == 2
    assert tokens[0] == tokens[1] not in (None, "", visitor.token)
    assert [one.receive(logout), other.receive(logout)] == ["", ""]
    assert "ambiguous" not in server.told


@every_edge
@every_pair
def test_different_tokens_in_two_transports_are_ignored(edge: str, one: Way, other: Way) -> None:
    """If both sessions are live, the request has none, and an event says so."""
    with serve(edge, transports=_transports(one.name, other.name)) as server:
        first, second = Visitor(server, one), Visitor(server, one)
        first.ask("count")
        second.ask("count")
        sent = _both(one.send(first.token), other.send(second.token))
        read, written = server.ask("read", sent), server.ask("count", sent)
        told = server.told
        logout = server.ask("logout", sent)
        left = [visitor.ask("read").value["n"] for visitor in (first, second)]

    assert (read.value["n"], read.value["user"]) == (None, None)
    assert [one.receive(written), other.receive(written)] == [None, None]
    assert told == ["created", "created", "ambiguous", "ambiguous", "gone"]
    assert [one.receive(logout), other.receive(logout)] == ["", ""]
    assert left == [None, None]


@every_edge
@every_pair
def test_the_live_session_of_two_transports_is_used(edge: str, one: Way, other: Way) -> None:
    """A token of an ended session, or a forged token, does not matter."""
    with serve(edge, transports=_transports(one.name, other.name)) as server:
        dead, alive = Visitor(server, one), Visitor(server, one)
        dead.ask("count")
        ended = dead.token
        dead.ask("logout")
        alive.ask("count")
        forged = alive.token[:-1] + ("A" if alive.token[-1] != "A" else "E")
        values = [
            server.ask("read", _both(one.send(a), other.send(b))).value["n"]
            for bad in (ended, forged)
            for a, b in ((bad, alive.token), (alive.token, bad))
        ]

    assert values == [1, 1, 1, 1]


@every_edge
@every_pair
def test_a_new_session_is_sent_over_the_first_transport(edge: str, one: Way, other: Way) -> None:
    """The order of the list decides, unless the client already sends a token another way."""
    with serve(edge, transports=_transports(one.name, other.name)) as server:
        fresh = server.ask("count", Sent())
        token = one.receive(fresh)
        moved = server.ask("regenerate", other.send(token or ""))

    assert token
    assert other.receive(fresh) is None
    assert one.receive(moved) is None
    assert other.receive(moved) not in (None, token)


@every_edge
def test_jwt_tokens_travel_in_headers(edge: str) -> None:
    """A JSON Web Token can be the bearer token."""
    pytest.importorskip("jwt")
    store = JWTToken(issuer="https://shop.example", audience="shop")
    with serve(edge, transports=_transports("bearer"), store=store) as server:
        visitor = Visitor(server, BEARER)
        counts = [visitor.ask("count").value["n"] for _ in range(2)]

    assert counts == [1, 2]
    assert visitor.token.count(".") == 2


@every_edge
def test_the_newest_token_of_two_transports_is_used(edge: str) -> None:
    """A session in its token: an older copy on the other way changes nothing."""
    transports = _transports("cookie", "header")
    with serve(edge, transports=transports, store=SignedToken()) as server:
        old = COOKIE.receive(server.ask("count", Sent())) or ""
        new = HEADER.receive(server.ask("count", HEADER.send(old))) or ""
        answers = [
            server.ask("read", _both(COOKIE.send(one), HEADER.send(two)))
            for one, two in ((old, new), (new, old), (new, new))
        ]

    assert [answer.value["n"] for answer in answers] == [2, 2, 2]
    assert "ambiguous" not in server.told


@every_edge
def test_a_token_that_no_header_can_hold_is_an_error(edge: str) -> None:
    """It would be cut on its way; the session in the client's hands stays."""
    with serve(edge, transports=_transports("header"), store=SignedToken()) as server:
        token = HEADER.receive(server.ask("count", Sent())) or ""
        with suppress(SessionTooLarge):
            assert server.ask("much", HEADER.send(token)).status == 500
        after = server.ask("read", HEADER.send(token))

    assert after.value["n"] == 1
