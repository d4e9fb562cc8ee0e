"""Requests in another thread or process, which pause at chosen steps."""

import multiprocessing
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sessions import Session, SessionError, SQLiteStore, Store
from sessions.testing import ManualClock, a_record
from tests.support.apps import Answer, Site
from tests.support.watched import WatchedStore

SECONDS = 20.0
PAUSE = ("pause",)

Step = tuple[Any, ...]


class Worker:
    """The connection to a worker, which answers one request at a time."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def visit(self, cookie: str, *steps: Step) -> Answer:
        """Send a request without a pause and return its answer."""
        self._pipe.send((cookie, steps))
        return self.answer()

    def begin(self, cookie: str, *steps: Step) -> None:
        """Send a request, and wait until it pauses."""
        self._pipe.send((cookie, steps))
        self._expect(str)

    def proceed(self) -> None:
        """Let the paused request go on."""
        self._pipe.send(None)

    def answer(self) -> Answer:
        """Wait for the end of the request."""
        answer: Answer = self._expect(Answer)
        return answer

    def finish(self) -> Answer:
        """Let the paused request go on, and wait for its end."""
        self.proceed()
        return self.answer()

    def _expect(self, kind: type) -> Any:
        if not self._pipe.poll(SECONDS):
            raise AssertionError(f"the worker told nothing within {SECONDS} s")
        told = self._pipe.recv()
        if not isinstance(told, kind):
            raise AssertionError(f"the worker told {told!r} where a {kind.__name__} is due")
        return told


@contextmanager
def threads(count: int, store: Store, clock: ManualClock) -> Iterator[list[Worker]]:
    """Run a number of workers in threads, on one store."""
    pipes = [multiprocessing.Pipe() for _ in range(count)]
    running = [
        threading.Thread(target=_serve, args=(there, store, clock), daemon=True)
        for _, there in pipes
    ]
    for thread in running:
        thread.start()
    yield [Worker(here) for here, _ in pipes]
    for here, _ in pipes:
        here.send(None)
    for thread in running:
        thread.join(SECONDS)


@contextmanager
def processes(count: int, path: Path) -> Iterator[list[Worker]]:
    """Run a number of workers in processes, on one SQLite file."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(count)]
    running = [
        context.Process(target=_serve_file, args=(there, path), daemon=True) for _, there in pipes
    ]
    for process in running:
        process.start()
    yield [Worker(here) for here, _ in pipes]
    for here, _ in pipes:
        here.send(None)
    for process in running:
        process.join(SECONDS)


def _serve_file(pipe: Connection, path: Path) -> None:
    clock = ManualClock()
    _serve(pipe, SQLiteStore(path, clock=clock), clock)


def _serve(pipe: Connection, store: Store, clock: ManualClock) -> None:
    """Answer the requests of the pipe until None comes."""
    site = Site(WatchedStore(store), clock)
    while (request := pipe.recv()) is not None:
        cookie, steps = request
        script = _Script(pipe, site, clock, steps)
        try:
            pipe.send(site.visit(script.play, cookie))
        # The test is told, whatever it is, in place of the answer.
        except Exception as error:  # noqa: BLE001
            pipe.send(error)


class _Script:
    """The steps of one request."""

    def __init__(
        self, pipe: Connection, site: Site, clock: ManualClock, steps: tuple[Step, ...]
    ) -> None:
        self._pipe = pipe
        self._site = site
        self._clock = clock
        self._steps = steps

    def play(self, session: Session) -> list[Any]:
        """Run each step, and return the results."""
        return [self._do(session, *step) for step in self._steps]

    def _do(self, session: Session, verb: str, *arguments: Any) -> Any:
        own = getattr(self, f"_{verb}", None)
        if own is not None:
            return own(session, *arguments)
        return getattr(session, verb)(*arguments)

    def _pause(self, session: Session) -> None:
        self._pipe.send("paused")
        self._pipe.recv()

    def _all(self, session: Session) -> dict[str, Any]:
        return dict(session)

    def _set(self, session: Session, key: str, value: object) -> None:
        session[key] = value

    def _append(self, session: Session, key: str, value: object) -> None:
        session[key].append(value)

    def _user(self, session: Session) -> str | None:
        return session.user_id

    def _renew(self, session: Session, seconds: float) -> None:
        session.regenerate(grace=timedelta(seconds=seconds))

    def _regenerate_and_save(self, session: Session) -> None:
        session.regenerate()
        session.save()

    def _advance(self, session: Session, seconds: float) -> None:
        self._clock.advance(seconds)

    def _refused(self, session: Session, verb: str, *arguments: Any) -> str:
        """Run a step that must fail, and return the name of its error."""
        try:
            self._do(session, verb, *arguments)
        except SessionError as error:
            return type(error).__name__
        return "not refused"

    def _create(self, session: Session, name: str, count: int) -> list[bool]:
        """Create a number of records with the same keys as the other workers."""
        record = a_record(self._clock, secret=secrets.token_hex())
        store = self._site.container.store
        if not isinstance(store, Store):
            raise TypeError(f"{store!r} is not a blocking store")
        return [store.create(f"{name} {n}", record) for n in range(count)]
