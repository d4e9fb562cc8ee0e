"""Two concurrent requests of one session, and the rules for their results."""

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from sessions import (
    AsyncSession,
    AsyncSessionManager,
    Session,
    SessionContainer,
    SessionManager,
    SQLiteStore,
    StoreUnavailable,
)
from sessions.core.limits import LINEAGE_LENGTH
from sessions.wsgi import EnvironHead
from tests.support.hesitating_stores import HesitatingStore, hesitate

SECONDS = 20.0
RACES = (
    ("logout", "write"),
    ("logout", "login"),
    ("logout", "renewal"),
    ("login", "write"),
    ("login", "login"),
)
BEFORE = {"cart": "full"}
_KEY = "the key of sessions whose requests race, 0123456789"
_NAME = "session"


class Answer(NamedTuple):
    """The answer to a request: the token that was sent, empty for a deleted cookie."""

    token: str | None
    gone: bool
    is_served: bool = True


UNSERVED = Answer(None, gone=False, is_served=False)
"""A busy machine may let a store wait too long: such an answer, a 503, promises nothing."""


class Seen(NamedTuple):
    """The stored data of a token."""

    user: str | None
    values: dict[str, Any]


Look = Callable[[str], Seen | None]


@dataclass(frozen=True)
class Sent:
    """A request: its actions, its user, and its token."""

    act: str
    own: str
    token: str

    @property
    def head(self) -> EnvironHead:
        """Return the request head for an edge."""
        return EnvironHead(
            {"HTTP_COOKIE": f"{_NAME}={self.token}", "wsgi.url_scheme": "http", "PATH_INFO": "/"}
        )

    def use(self, session: Session | AsyncSession) -> None:
        """Do what the handler does with its loaded session."""
        if self.act == "logout":
            session.destroy()
        elif self.act == "renewal":
            session.regenerate()
        else:
            if self.act == "login":
                session.set_user(self.own)
            session[self.own] = self.own


def container_of(store: Any) -> SessionContainer:
    """Return the settings with which all of these requests are served."""
    return SessionContainer(keys=[_KEY], store=store, session_prefix=_NAME)


def serve(manager: SessionManager, sent: Sent) -> Answer:
    """Serve a request, as an edge does."""
    session = manager.open(sent.head)
    try:
        session.load()
        sent.use(session)
        return _answer(manager.close(session), session)
    except StoreUnavailable:
        manager.close(session, failed=True)
        return UNSERVED


async def serve_async(manager: AsyncSessionManager, sent: Sent) -> Answer:
    """Serve a request as an asynchronous edge does."""
    session = manager.open(sent.head)
    await session.load()
    sent.use(session)
    return _answer(await manager.close(session), session)


def seen_by(manager: SessionManager) -> Look:
    """Return the function that looks up the stored data of a token."""

    def look(token: str) -> Seen | None:
        session = manager.from_token(token)
        if session is None:
            return None
        with session:
            return Seen(session.user_id, session.copy())

    return look


class Race(NamedTuple):
    """Two concurrent requests with one token, and their answers."""

    token: str
    sent: tuple[Sent, Sent]
    answers: tuple[Answer, Answer]

    @property
    def is_served(self) -> bool:
        """Return whether both requests were served."""
        return all(answer.is_served for answer in self.answers)

    def problems(self, look: Look) -> list[str]:
        """Return the broken rules."""
        found = ["the id from before is alive"] if look(self.token) is not None else []
        if self.sent[0].act == "logout":
            return [*found, *self._after_logout(look)]
        if self.sent[1].act == "write":
            return [*found, *self._after_login_and_write(look)]
        return [*found, *self._after_two_logins(look)]

    def _after_logout(self, look: Look) -> Iterator[str]:
        logout, answer = self.answers
        act = self.sent[1].act
        if logout.token != "":
            yield "the logout left its cookie"
        if answer.token == "":
            yield "the other request cleared the cookie"
        seen = look(answer.token) if answer.token else None
        if act == "write" and answer.token is not None:
            yield "a late write was answered with a cookie"
        if act == "renewal" and seen is not None:
            yield "a renewal brought the session back"
        if act == "login":
            yield from self._after_logout_and_login(answer, seen)

    def _after_logout_and_login(self, answer: Answer, seen: Seen | None) -> Iterator[str]:
        """Yield the problems if one request logged out and the other logged in."""
        own = self.sent[1].own
        if not answer.token or answer.gone:
            yield "a login was answered without a cookie"
        elif self._is_old(answer):
            if seen is not None:
                yield "the session came back"
        elif seen != Seen(own, {own: own}):
            yield f"a login beside a logout is left with {seen}"

    def _after_login_and_write(self, look: Look) -> Iterator[str]:
        (login, write), (answer, written) = self.sent, self.answers
        if written.token is not None:
            yield "the write was answered with a cookie"
        kept = {**BEFORE, login.own: login.own}
        if not written.gone:
            kept[write.own] = write.own
        seen = look(answer.token) if answer.token else None
        if seen != Seen(login.own, kept):
            yield f"{seen} is stored, and {kept} was acknowledged"
        if not self._is_old(answer):
            yield "the login lost its session to a write"

    def _after_two_logins(self, look: Look) -> Iterator[str]:
        for login, answer in zip(self.sent, self.answers, strict=True):
            seen = look(answer.token) if answer.token else None
            before = BEFORE if self._is_old(answer) else {}
            if seen != Seen(login.own, {**before, login.own: login.own}):
                yield f"{login.own} is left with {seen}"
        if sum(map(self._is_old, self.answers)) != 1:
            yield "two logins did not end with the session and a fresh one"

    def _is_old(self, answer: Answer) -> bool:
        """Return whether the answer has the session of both requests."""
        return (answer.token or "")[:LINEAGE_LENGTH] == self.token[:LINEAGE_LENGTH]


def _answer(headers: list[tuple[str, str]], session: Session | AsyncSession) -> Answer:
    cookies = [value for name, value in headers if name == "Set-Cookie"]
    tokens = [cookie.partition(";")[0].partition("=")[2] for cookie in cookies]
    return Answer(tokens[0] if tokens else None, session.gone)


class Opponent:
    """The connection to another thread or process that serves requests."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def begin(self, sent: Sent) -> None:
        """Send a request."""
        self._pipe.send(sent)

    def answer(self) -> Answer:
        """Wait for its answer."""
        if not self._pipe.poll(SECONDS):
            raise AssertionError(f"no answer within {SECONDS} s")
        answer = self._pipe.recv()
        if not isinstance(answer, Answer):
            raise AssertionError(f"the other request failed: {answer!r}")
        return answer


@contextmanager
def opponent_in_thread(manager: SessionManager, random: Random) -> Iterator[Opponent]:
    """Serve requests in a thread of this process."""
    here, there = multiprocessing.Pipe()
    thread = threading.Thread(target=_serve_all, args=(there, manager, random), daemon=True)
    thread.start()
    try:
        yield Opponent(here)
    finally:
        here.send(None)
        thread.join(SECONDS)


@contextmanager
def opponent_in_process(path: Path, seed: int) -> Iterator[Opponent]:
    """Serve requests in a process of its own, on the SQLite file at the path."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve_file, args=(there, path, seed), daemon=True)
    process.start()
    # A process that dies is heard of at once.
    there.close()
    try:
        yield Opponent(here)
    finally:
        with suppress(OSError):
            here.send(None)
        process.join(SECONDS)


def _serve_file(pipe: Connection, path: Path, seed: int) -> None:
    random = Random(seed)  # noqa: S311
    store = HesitatingStore(SQLiteStore(path), random)
    _serve_all(pipe, SessionManager(container_of(store)), random)


def _serve_all(pipe: Connection, manager: SessionManager, random: Random) -> None:
    """Answer the requests of the pipe until None comes."""
    while (sent := pipe.recv()) is not None:
        hesitate(random)
        try:
            pipe.send(serve(manager, sent))
        # The test is told, whatever it is, in place of the answer.
        except Exception as error:  # noqa: BLE001
            pipe.send(error)
