"""The suite of transports finds the fault of each faulty transport."""

from unittest import SkipTest

import pytest

from sessions import HeaderTransport
from sessions.testing import TransportContract, a_head
from sessions.transports.base import Headers, RequestHead, Transport

NAME = "X-Session-Id"


class ReadsOne(HeaderTransport):
    """Reads the first of several tokens."""

    def read(self, head: RequestHead) -> list[str]:
        return super().read(head)[:1]


class ReadsAnything(HeaderTransport):
    """Takes the token from a header that it does not name in `vary`."""

    def read(self, head: RequestHead) -> list[str]:
        other = head.header("X-Other")
        return super().read(head) or ([other] if other else [])


class Shortens(HeaderTransport):
    """Cuts long tokens."""

    def read(self, head: RequestHead) -> list[str]:
        return [token[:100] for token in super().read(head)]


class Raises(HeaderTransport):
    """Accepts ASCII only."""

    def read(self, head: RequestHead) -> list[str]:
        (head.header(NAME) or "").encode("ascii")
        return super().read(head)


class SendsNothing(HeaderTransport):
    """Says that there is a token, but not which one."""

    def send(self, head: RequestHead, token: str, max_age: int | None) -> Headers:
        return [(NAME, "token"), ("Cache-Control", "no-store")]


class LetsCachesStore(HeaderTransport):
    """Sends the token in a response that any cache may store."""

    def send(self, head: RequestHead, token: str, max_age: int | None) -> Headers:
        return [(NAME, token)]


class BreaksHeaders(HeaderTransport):
    """Puts a line break into a header."""

    def send(self, head: RequestHead, token: str, max_age: int | None) -> Headers:
        return [(NAME, token), ("X-More", "a\r\nb"), ("Cache-Control", "no-store")]


class ClearsNothing(HeaderTransport):
    """Sends the token again when it should clear it."""

    def clear(self, head: RequestHead) -> Headers:
        return self.send(head, "token", None)


class SeesObstacles(HeaderTransport):
    """Reads no token, since there is always an obstacle."""

    has_obstacles = True

    def obstacle(self, head: RequestHead) -> None:
        raise ValueError("no head is good enough")


FAULTS = [
    ReadsOne, ReadsAnything, Shortens, Raises, SendsNothing, LetsCachesStore, BreaksHeaders,
    ClearsNothing, SeesObstacles,
]  # fmt: skip


def _failed_tests(kind: type[HeaderTransport]) -> list[str]:
    class Suite(TransportContract):
        def make_transport(self) -> Transport:
            return kind(NAME)

        def request(self, *tokens: str) -> RequestHead:
            return a_head({NAME: ", ".join(tokens)} if tokens else {})

        def received(self, headers: Headers) -> str | None:
            return dict(headers).get(NAME)

    suite, broken = Suite(), []
    for name in dir(suite):
        if name.startswith("test_"):
            try:
                getattr(suite, name)()
            except SkipTest:
                continue
            except (AssertionError, ValueError, UnicodeError):
                broken.append(name)
    return broken


def test_the_suite_passes_for_a_correct_store() -> None:
    """Every test passes for our own transport."""
    assert _failed_tests(HeaderTransport) == []


@pytest.mark.parametrize("kind", FAULTS)
def test_the_suite_finds_each_fault(kind: type[HeaderTransport]) -> None:
    """At least one test fails."""
    assert _failed_tests(kind)


def test_a_suite_without_its_methods_says_so() -> None:
    """The error names the method."""
    suite = TransportContract()
    for method, call in (
        ("make_transport", suite.make_transport),
        ("request", suite.request),
        ("received", lambda: suite.received([])),
    ):
        with pytest.raises(NotImplementedError, match=rf"Fix: write the method {method}\(self"):
            call()
