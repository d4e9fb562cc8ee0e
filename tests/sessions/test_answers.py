"""For every answer and every end of a request, the cookie and the store agree."""

import io
from typing import Any

import pytest

from sessions import Session
from tests.support.apps import Browser, everything, in_turn, untouched, writes

ANSWERS = [(200, "GET"), (200, "HEAD"), (204, "POST"), (302, "POST"), (304, "GET"), (404, "GET")]


@pytest.mark.parametrize(("status", "method"), ANSWERS)
def test_every_answer_follows_the_same_cookie_rules(
    browser: Browser, status: int, method: str
) -> None:
    """A first write sets a cookie, a read only Vary, and a logout clears the cookie."""
    written = browser.visit(writes(a=1), status=status, method=method)
    read = browser.visit(everything, status=status, method=method)
    left_alone = browser.visit(untouched, status=status, method=method)
    ended = browser.visit(Session.destroy, status=status, method=method)

    assert (len(written.set_cookies), written.all("Cache-Control")) == (1, ["no-store"])
    assert (read.value, read.all("Vary"), read.set_cookies) == ({"a": 1}, ["Cookie"], [])
    assert (left_alone.all("Vary"), left_alone.set_cookies) == ([], [])
    assert (ended.clears, ended.all("Cache-Control")) == (True, ["no-store"])
    assert {written.status, read.status, left_alone.status, ended.status} == {status}


@pytest.mark.parametrize("act", [Session.regenerate, in_turn(Session.destroy, writes(a=1))])
def test_no_cache_keeps_a_session_cookie(browser: Browser, act: Any) -> None:
    """A new id comes with `no-store`, and with `Vary` for who looks at the page."""
    browser.visit(writes(a=1))

    answer = browser.visit(act)

    assert len(answer.set_cookies) == 1
    assert (answer.all("Cache-Control"), answer.all("Vary")) == (["no-store"], ["Cookie"])


class ClientThatWent(io.RawIOBase):
    """Be the input of a client that has left."""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fail as a socket does."""
        raise ConnectionResetError("the client went away")


def test_a_client_that_disconnects_leaves_no_half_written_record(browser: Browser) -> None:
    """The handler fails between two writes, and neither is stored."""
    browser.visit(writes(a=1, b=1))

    def handler(session: Session) -> None:
        session["a"] = 2
        ClientThatWent().read()
        session["b"] = 2

    with pytest.raises(ConnectionResetError):
        browser.visit(handler)
    assert browser.holds() == {"a": 1, "b": 1}


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_worker_that_is_stopped_leaves_no_half_written_record(
    browser: Browser, end: type[BaseException]
) -> None:
    """This holds also for SystemExit and other exceptions that are no Exception."""

    def handler(session: Session) -> None:
        session["a"] = 2
        raise end

    with pytest.raises(end):
        browser.visit(handler)
    assert browser.site.store_calls() == []


def test_a_sign_in_of_a_worker_that_is_stopped_signs_nobody_in(browser: Browser) -> None:
    """The client keeps the id and the data that it had."""
    browser.visit(writes(a=1))

    def handler(session: Session) -> None:
        session.set_user("ada")
        session["a"] = 2
        raise SystemExit

    with pytest.raises(SystemExit):
        browser.visit(handler)
    assert browser.visit(lambda session: (session.user_id, dict(session))).value == (None, {"a": 1})
