"""How requests end: with every status and method, without their client, or with an error."""

from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from sessions import MemoryStore, Session, SessionContainer, SessionTooLarge
from sessions.wsgi import SessionMiddleware
from tests.support.applications import TEXT
from tests.support.apps import KEY, Handler, Site, session_of, writes
from tests.support.gateway import Gateway, close, environment, serve

ENDINGS = [
    *[("GET", status) for status in (200, 204, 301, 302, 303, 304, 307, 400, 401, 404, 429, 499)],
    *[("HEAD", status) for status in (200, 204, 302, 304, 404)],
    *[("POST", status) for status in (201, 204, 303, 422)],
]


@pytest.mark.parametrize(("method", "status"), ENDINGS)
def test_every_ending_follows_the_same_cookie_rules(site: Site, method: str, status: int) -> None:
    """A first write sets the cookie, a logout clears it, and other requests do neither."""
    how: dict[str, Any] = {"method": method, "status": status}

    first = site.visit(writes(a=1), **how)
    written = site.visit(writes(a=2), first.cookie, **how)
    read = site.visit(lambda session: session["a"], first.cookie, **how)
    ended = site.visit(lambda session: session.destroy(), first.cookie, **how)

    assert read.value == 2
    assert [answer.set_cookies for answer in (written, read)] == [[], []]
    assert ended.clears
    assert {answer.status for answer in (first, written, read, ended)} == {status}
    for answer in (first, written, read, ended):
        assert answer.all("Vary") == ["Cookie"]


@pytest.mark.parametrize("status", [500, 501, 503, 599])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_failed_response_leaves_nothing_behind(site: Site, method: str, status: int) -> None:
    """A new session has no cookie, and an old session has no change."""
    cookie = site.visit(writes(a=1)).cookie

    new = site.visit(writes(a=2), method=method, status=status)
    old = site.visit(writes(a=2), cookie, method=method, status=status)

    assert new.set_cookies == old.set_cookies == []
    assert site.visit(lambda session: session["a"], cookie).value == 1
    assert site.told == ["created"]


class Door:
    """Serve each request with an application of its own."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.middleware = SessionMiddleware(
            self._app, SessionContainer(keys=[KEY], store=self.store)
        )
        self.app: Callable[[Session, StartResponse], Iterable[bytes]] = lambda *_: []

    def visit(
        self, app: Callable[[Session, StartResponse], Iterable[bytes]], cookie: str = ""
    ) -> str:
        """Let the application answer, and return the cookie that it sets."""
        self.app = app
        return serve(self.middleware, HTTP_COOKIE=cookie).cookie

    def value(self, cookie: str) -> object:
        """Return the session's value of `a`."""
        return session_of(self.middleware.manager, cookie).get("a")

    def _app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.app(environ["sessions.session"], start_response)


@pytest.fixture
def door() -> Door:
    """Return a site on an empty store."""
    return Door()


@pytest.fixture
def cookie(door: Door) -> str:
    """Return the cookie of a session whose `a` is 1."""
    return door.visit(answering(writes(a=1, b=1)))


def answering(handler: Handler) -> Callable[[Session, StartResponse], Iterable[bytes]]:
    """Make an application that lets the handler use the session and answers."""

    def app(session: Session, start_response: StartResponse) -> Iterable[bytes]:
        handler(session)
        start_response("200 OK", TEXT)
        return [b"body"]

    return app


def test_a_client_that_goes_while_the_handler_works(door: Door, cookie: str) -> None:
    """The upload stops between two changes, and neither is kept."""

    def breaks_off(session: Session, _: StartResponse) -> Iterable[bytes]:
        session["a"] = 2
        raise ConnectionResetError

    for visitor in (cookie, ""):
        with pytest.raises(ConnectionResetError):
            door.visit(breaks_off, visitor)

    assert door.value(cookie) == 1
    assert len(door.store) == 1


def test_a_client_that_goes_while_the_body_is_sent(door: Door, cookie: str) -> None:
    """The session was saved before, so all changes are kept."""

    def writes_both(session: Session, start_response: StartResponse) -> Iterable[bytes]:
        session.update(a=2, b=2)
        write = start_response("200 OK", TEXT)
        write(b"body")
        return []

    class BrokenGateway(Gateway):
        def send(self, data: bytes) -> None:
            raise BrokenPipeError

    door.app = writes_both
    with pytest.raises(BrokenPipeError):
        door.middleware(environment(HTTP_COOKIE=cookie), BrokenGateway().start_response)

    assert dict(session_of(door.middleware.manager, cookie)) == {"a": 2, "b": 2}


def test_a_client_that_goes_before_the_first_chunk_is_taken(door: Door, cookie: str) -> None:
    """The server closes the body without reading it."""

    def streams(session: Session, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        session.update(a=2, b=2)
        yield b"bo"
        session["a"] = 3

    door.app = streams
    close(door.middleware(environment(HTTP_COOKIE=cookie), Gateway().start_response))

    assert dict(session_of(door.middleware.manager, cookie)) == {"a": 2, "b": 2}


def login(session: Session) -> None:
    """Change the id, then the data."""
    session.regenerate()
    session["a"] = "signed in"


def login_and_save(session: Session) -> None:
    """Change the id, then the data, and save at once."""
    login(session)
    session.save()


def login_and_return(session: Session) -> None:
    """Sign in and save, then leave the session for another."""
    session.set_user("ada")
    session.save()
    logout_and_return(session)


def logout_and_return(session: Session) -> None:
    """Leave one session and begin another, after a change of the id."""
    session.regenerate()
    session.destroy()
    session["a"] = "another"
    session.save()


class TestAnErrorOnItsWayOut:
    """No response is sent, so the client keeps its id."""

    @pytest.mark.parametrize("handler", [lambda session: session.regenerate(), login])
    def test_a_new_id_that_was_not_sent_is_discarded(
        self, door: Door, cookie: str, handler: Handler
    ) -> None:
        """The client stays logged in, and unsaved changes are discarded."""
        self._fail_after(handler, door, cookie)

        assert door.value(cookie) == 1
        assert len(door.store) == 1

    @pytest.mark.parametrize("handler", [login_and_save, login_and_return, logout_and_return])
    def test_a_saved_sign_in_is_never_reachable_by_the_old_id(
        self, door: Door, cookie: str, handler: Handler
    ) -> None:
        """An attacker who knows the client's old id is not signed in."""
        self._fail_after(handler, door, cookie)

        assert door.value(cookie) is None

    def test_values_that_were_saved_before_the_new_id_stay(self, door: Door, cookie: str) -> None:
        """The new id is discarded, and the committed values stay."""

        def saves_first(session: Session) -> None:
            session["a"] = "saved"
            session.save()
            session.regenerate()
            session["a"] = "not saved"

        self._fail_after(saves_first, door, cookie)

        assert door.value(cookie) == "saved"

    @pytest.mark.parametrize("status", ["500 Oops", None], ids=["a 5xx", "an exception"])
    def test_a_sign_in_is_discarded(self, door: Door, cookie: str, status: str | None) -> None:
        """The client keeps its id and its data, and is not signed in."""

        def signs_in(session: Session) -> None:
            session.set_user("ada")
            session["a"] = 2

        self._fail_after(signs_in, door, cookie, status)

        session = session_of(door.middleware.manager, cookie)
        assert (session.user_id, dict(session)) == (None, {"a": 1, "b": 1})

    @pytest.mark.parametrize("status", ["500 Oops", None], ids=["a 5xx", "an exception"])
    def test_a_logout_is_carried_out(self, door: Door, cookie: str, status: str | None) -> None:
        """destroy() counts, and later writes are discarded."""

        def leaves(session: Session) -> None:
            session.destroy()
            session["a"] = "another"

        self._fail_after(leaves, door, cookie, status)

        assert len(door.store) == 0

    @pytest.mark.parametrize("status", ["500 Oops", None], ids=["a 5xx", "an exception"])
    def test_a_sign_out_is_carried_out(self, door: Door, status: str | None) -> None:
        """clear_user() counts, and other writes are discarded."""
        cookie = door.visit(answering(lambda session: session.set_user("ada", name="Ada")))

        def signs_out(session: Session) -> None:
            session["a"] = 2
            session.clear_user()

        self._fail_after(signs_out, door, cookie, status)

        session = session_of(door.middleware.manager, cookie)
        assert (session.user_id, session.user_data, session.get("a")) == (None, {}, None)

    def test_a_logout_of_a_5xx_clears_the_cookie(self, door: Door, cookie: str) -> None:
        """An answer of 5xx passes through the middleware, which can add the header."""

        def leaves(session: Session, start_response: StartResponse) -> Iterable[bytes]:
            session.destroy()
            start_response("500 Oops", TEXT)
            return [b"oops"]

        assert door.visit(leaves, cookie) == "session="

    def test_an_old_id_gets_nothing_where_the_server_refuses_the_headers(
        self, door: Door, cookie: str
    ) -> None:
        """The session was already saved, but the response is not sent."""

        def refuse(*_: object) -> Callable[[bytes], object]:
            raise ValueError("a line feed in a header")

        door.app = answering(login)
        with pytest.raises(ValueError, match="a line feed"):
            door.middleware(environment(HTTP_COOKIE=cookie), refuse)

        assert door.value(cookie) is None

    def test_a_new_id_that_was_sent_stays(self, door: Door, cookie: str) -> None:
        """The headers left with the first byte, before the error."""

        def fails_late(session: Session, start_response: StartResponse) -> Iterable[bytes]:
            session.regenerate()
            start_response("200 OK", TEXT)(b"body")
            raise ValueError("too late")

        gateway = Gateway()
        door.app = fails_late
        with pytest.raises(ValueError, match="too late"):
            door.middleware(environment(HTTP_COOKIE=cookie), gateway.start_response)

        assert door.value(gateway.reply().cookie) == 1
        assert door.value(cookie) is None

    @staticmethod
    def _fail_after(handler: Handler, door: Door, cookie: str, status: str | None = None) -> None:
        """Run the handler, and then answer with the status, or raise an error."""

        def fails(session: Session, start_response: StartResponse) -> Iterable[bytes]:
            handler(session)
            if status is None:
                raise ValueError("the handler failed")
            start_response(status, TEXT)
            return [b"oops"]

        door.app = fails
        if status is not None:
            serve(door.middleware, HTTP_COOKIE=cookie)
            return
        with pytest.raises(ValueError, match="the handler failed"):
            serve(door.middleware, HTTP_COOKIE=cookie)


def test_a_close_that_failed_can_be_tried_again(door: Door, cookie: str) -> None:
    """After the bad value is corrected, nothing is lost."""
    manager = door.middleware.manager
    session = session_of(manager, cookie)
    session["a"] = "x" * 70_000

    with pytest.raises(SessionTooLarge):
        manager.close(session)
    session["a"] = 2
    manager.close(session)

    assert door.value(cookie) == 2
