"""The test suite of the transport contract."""

import re
from collections.abc import Iterator
from typing import Any
from unittest import SkipTest

from sessions.container import SessionContainer
from sessions.errors import MalformedToken
from sessions.manager import SessionManager
from sessions.session import Session
from sessions.testing.assertions import expect
from sessions.testing.heads import a_head
from sessions.transports.base import Headers, Obstacle, RequestHead, Transport

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
_KEY = "a key for the tests of transports: 0123456789"
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
# The bytes of a long cookie, which is the shortest of all limits.
_LONG = 3900


class TransportContract:
    """Test a transport against the contract of `sessions.transports.base`.

    Write a subclass in a test module, `class TestMyTransport(TransportContract)`, with the methods
    `make_transport`, `request` and `received`. `carries_one` is True if a request can have only one
    token; the tests with several tokens are then skipped.
    """

    carries_one = False

    def make_transport(self) -> Transport:
        """Return a new transport."""
        raise NotImplementedError(_unsaid(self, "make_transport(self), which returns a transport"))

    def request(self, *tokens: str) -> RequestHead:
        """Return the head of a request that sends these texts as its tokens.

        `sessions.testing.a_head` makes a head.
        """
        raise NotImplementedError(_unsaid(self, "request(self, *tokens), which returns a head"))

    def received(self, headers: Headers) -> str | None:
        """Return the token that a client reads from the headers of a response.

        Return an empty text if the headers clear the token, and None if they have no token.
        """
        raise NotImplementedError(_unsaid(self, "received(self, headers), which returns a token"))

    # Reading

    def test_a_request_without_a_token_has_none(self) -> None:
        """`read` returns an empty list, and `obstacle` returns None."""
        transport = self.make_transport()

        expect(transport.read(self.request()), [], "read without a token")
        expect(transport.obstacle(self.request()), None, "obstacle without a token")

    def test_a_token_is_read_as_it_is(self) -> None:
        """Short and long tokens, with every character that a token can have, are not changed."""
        transport = self.make_transport()
        for token in (_ALPHABET, "a", "a." * (_LONG // 2)):
            expect(transport.read(self.request(token)), [token], "read")

    def test_several_tokens_are_all_read(self) -> None:
        """The caller needs all tokens, because perhaps only one of them has a live session."""
        self._require_several()
        expect(self.make_transport().read(self.request("one", "two")), ["one", "two"], "read")

    def test_any_text_can_be_read(self) -> None:
        """`read` and `obstacle` raise no error, even for texts that are no tokens."""
        transport = self.make_transport()
        for text in _unusual_texts():
            head = self.request(text)
            found: list[object] = [*transport.read(head)]
            expect(
                [token for token in found if not isinstance(token, str)],
                [],
                "tokens of read that are not a str",
            )
            present = transport.obstacle(head)
            expect(
                isinstance(present, Obstacle | None),
                True,
                f"whether {present!r} of obstacle is an Obstacle or None",
            )

    def test_other_headers_are_not_read(self) -> None:
        """A token comes only from the header that `vary` names."""
        transport = self.make_transport()
        others = ("cookie", "authorization", "x-session-id", "x-other")
        headers = {name: "Bearer token" for name in others if name != transport.vary.lower()}

        expect(transport.read(a_head(headers)), [], "read of other headers")

    # Sending

    def test_the_client_receives_the_token(self) -> None:
        """The headers of `send` contain the token, or no token if only links carry the token."""
        transport = self.make_transport()
        for max_age in (None, 3600):
            headers = transport.send(self.request(), _ALPHABET, max_age)
            _check(headers)
            expect(self.received(headers) or _ALPHABET, _ALPHABET, "the token after send")

    def test_the_client_forgets_the_token(self) -> None:
        """After the headers of `clear`, the client has no token."""
        headers = self.make_transport().clear(self.request(_ALPHABET))

        _check(headers)
        expect(self.received(headers) or "", "", "the token after clear")

    def test_a_response_with_a_token_is_not_stored(self) -> None:
        """If a cache stored the response, another client could get the session."""
        transport = self.make_transport()
        sent = transport.send(self.request(), "token", None)
        for headers in filter(None, (sent, transport.clear(self.request("token")))):
            expect(
                ("Cache-Control", "no-store") in headers, True, f"whether {headers!r} has no-store"
            )

    # Sessions

    def test_a_session_lives_on(self) -> None:
        """The second request has the session of the first request, and gets no new token."""
        client = _Client(self)
        client.visit(_counts)

        expect(client.visit(_counts), 2, "the value that the second request counted")
        expect(self.received(client.headers), None, "the token of an unchanged session")

    def test_equal_tokens_are_one_session(self) -> None:
        """If a client sends its token twice, the request has one session."""
        self._require_several()
        client = _Client(self)
        client.visit(_counts)

        expect(client.visit(_counts, client.token, client.token), 2, "the count")

    def test_a_request_with_two_sessions_has_none(self) -> None:
        """If both tokens are of live sessions, the session of the request is empty."""
        self._require_several()
        client = _Client(self)
        client.visit(_counts)
        first, client.token = client.token, ""
        client.visit(_counts)

        expect(client.visit(_values, first, client.token), {}, "the values of the session")
        expect(client.told, ["created", "created", "ambiguous"], "the events")

    def test_a_login_changes_the_token(self) -> None:
        """The client receives the new token, and the old token has no session."""
        client = _Client(self)
        client.visit(_counts)
        old = client.token
        client.visit(lambda session: session.set_user("ada"))

        expect(client.token != old, True, "a new token")
        expect(client.visit(lambda session: session.user_id), "ada", "the user")
        expect(client.visit(_values, old), {}, "the values under the old token")

    def test_a_logout_ends_the_session(self) -> None:
        """The client is told to forget the token, and the token has no session."""
        client = _Client(self)
        client.visit(_counts)
        old = client.token
        client.visit(lambda session: session.destroy())

        expect(self.received(client.headers) or "", "", "the token after the logout")
        expect(client.visit(_values, old), {}, "the values under the old token")

    def test_a_foreign_text_is_no_session(self) -> None:
        """A transport with a `challenge` refuses a malformed text; other transports ignore it."""
        client = _Client(self)
        challenge = self.make_transport().challenge
        for text, is_malformed in (("x", True), (f"{'A' * 65}.{'A' * 43}", False)):
            found: object = client.visit_or_refuse(_values, text)
            is_refused = is_malformed and challenge is not None
            expect(found, challenge if is_refused else {}, f"the session of {text!r}")
        expect(set(client.told), {"rejected"}, "the events")

    def _require_several(self) -> None:
        if self.carries_one:
            raise SkipTest("a request has one token at most (carries_one = True)")


class _Client:
    """A client that sends requests over the transport, and keeps the token that it gets."""

    def __init__(self, suite: TransportContract) -> None:
        self._suite = suite
        self.told: list[str] = []
        self._manager = SessionManager(
            SessionContainer(
                keys=[_KEY],
                transports=[suite.make_transport()],
                listeners=[lambda event: self.told.append(event.kind)],
            )
        )
        self.token = ""
        self.headers: Headers = []

    def visit_or_refuse(self, use: Any, token: str) -> Any:
        """Return what `use(session)` returns, or the text for WWW-Authenticate after a refusal."""
        try:
            return self.visit(use, token)
        except MalformedToken as error:
            return error.challenge

    def visit(self, use: Any, *tokens: str) -> Any:
        """Send these tokens, or else the client's own token; return what `use(session)` returns."""
        own = [self.token] if self.token else []
        session = self._manager.open(self._suite.request(*(tokens or own)))
        try:
            result = use(session)
        finally:
            self.headers = self._manager.close(session)
        received = self._suite.received(self.headers)
        if not tokens and received is not None:
            self.token = received
        elif not tokens and not session.is_new:
            # A transport without headers gives the client its token in links.
            self.token = self._manager.token(session)
        return result


def _counts(session: Session) -> int:
    session["count"] = session.get("count", 0) + 1
    count: int = session["count"]
    return count


def _values(session: Session) -> dict[str, Any]:
    return session.copy()


def _unusual_texts() -> Iterator[str]:
    yield from ("", " ", "\t", ",", ";", "=", "&", "%", "%zz", "a b", '"a"', "a,b;c=d&e#f?g")
    yield from ("é", "\xff\xfe", "\x01", "=" * 100, "," * 1000, ";" * 1000, "a" * 100_000)


def _check(headers: Headers) -> None:
    """Require headers that a server can send."""
    for name, value in headers:
        expect(_NAME.fullmatch(name) is not None, True, f"the name {name!r} of a header")
        unfit = {character for character in value if character in "\r\n\0" or character > "\xff"}
        expect(unfit, set(), f"characters of the header {name}")


def _unsaid(suite: object, method: str) -> str:
    return f"{type(suite).__name__} does not say what it tests. Fix: write the method {method}"
