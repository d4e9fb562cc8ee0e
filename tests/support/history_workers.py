"""Workers that do random actions on shared sessions, and write down what each was answered."""

import fcntl
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Protocol

from sessions import Session, SessionContainer, SessionManager, SessionNotFound, StoreUnavailable
from sessions.stores.base import Store
from tests.support import histories
from tests.support.histories import FAILED, GONE, OK, UNKNOWN, Action
from tests.support.processes import wait_until

KEYS = ["a secret of 32 characters or more"]
SHARED = 2
"""How many sessions the workers share at a time."""
WORKERS = 3
SECONDS = 60.0
PLACE = 1000
"""Bytes of the file with the present session; each text has as many, and replaces the whole."""

CHANCES = {
    histories.READ: 24,
    histories.SET: 24,
    histories.ADD: 20,
    histories.APPEND: 8,
    histories.GIVE: 8,
    histories.TAKE: 8,
    histories.RENEW: 5,
    histories.END: 3,
}
EARLIER = 0.2
"""How often a worker uses a token that it has seen earlier."""

Open = Callable[[], Store]


class Plan(NamedTuple):
    """What a worker is given; it can be pickled."""

    number: int
    folder: Path
    opening: Open
    seed: int


class Place:
    """A file with the session and the token that all workers use at present."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[str, str]:
        """Return the session and its token."""
        with self._locked() as file:
            session, token = json.load(file)
            return session, token

    def replace(self, token: str | None, session: str, new: str) -> None:
        """Put another token there, unless somebody else has done so."""
        with self._locked() as file:
            text = file.read()
            if token is None or json.loads(text)[1] == token:
                # One short write: a process that is killed leaves the old text or the new one.
                os.pwrite(file.fileno(), json.dumps((session, new)).ljust(PLACE).encode(), 0)

    @contextmanager
    def _locked(self) -> Iterator[Any]:
        with self._path.open("r+" if self._path.exists() else "w+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file


class Notes:
    """The file in which one worker writes what it begins and what it is answered.

    A worker that is killed leaves an action without an answer.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY)

    def begin(self, action: Action) -> None:
        """Note an action before it is asked for."""
        self._write(action)

    def end(self, outcome: str, answer: object) -> None:
        """Note what the last action was answered."""
        self._write((time.monotonic(), outcome, answer))

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _write(self, what: tuple[Any, ...]) -> None:
        os.write(self._file, json.dumps(what).encode() + b"\n")


class Worker:
    """Do one random action after another."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._manager = SessionManager(SessionContainer(keys=KEYS, store=plan.opening()))
        self._random = Random(plan.seed + plan.number)  # noqa: S311
        self._notes = Notes(plan.folder / f"history-{plan.number}")
        self.places = [Place(plan.folder / f"place-{number}") for number in range(SHARED)]
        self._seen: list[tuple[str, str]] = []
        self._count = 0

    def run(self) -> None:
        """Go on until there is a file that says stop."""
        stop = self._plan.folder / "stop"
        while not stop.exists():
            self.do_one()
        self.close()

    def close(self) -> None:
        """Let go of the store."""
        self._manager.close_all()
        self._notes.close()

    def begin_sessions(self) -> None:
        """Make the sessions that the workers share at first."""
        for place in self.places:
            self._begin_another(place, None)

    def do_one(self) -> None:
        """Do a random action on one of the sessions."""
        place = self._random.choice(self.places)
        session, token = place.read()
        (name,) = self._random.choices([*CHANCES], [*CHANCES.values()])
        if self._seen and self._random.random() < EARLIER:
            self.ask(name, *self._random.choice(self._seen[-20:]))
            return
        self._seen.append((session, token))
        outcome, answer = self.ask(name, session, token)
        if outcome == OK and name == histories.RENEW:
            place.replace(token, session, answer)
        elif outcome == GONE or (outcome != FAILED and name in (histories.RENEW, histories.END)):
            self._begin_another(place, token)
        if outcome in (FAILED, UNKNOWN):
            # A server that is down is asked no thousand times.
            time.sleep(0.01)

    def ask(self, name: str, session: str, token: str) -> tuple[str, Any]:
        """Do an action, and note what it was answered."""
        self._count += 1
        number = self._plan.number
        asked = self._count if name == histories.SET else f"{number}.{self._count}"
        self._notes.begin(Action(number, name, session, token, asked, time.monotonic()))
        outcome, answer = self._answer(name, token, asked)
        self._notes.end(outcome, answer)
        return outcome, answer

    def _answer(self, name: str, token: str, asked: Any) -> tuple[str, Any]:
        try:
            session = self._manager.from_token(token)
        except StoreUnavailable:
            return FAILED, None
        if session is None:
            return GONE, None
        outcome, answer = UNKNOWN, None
        try:
            answer = ACTIONS[name](self, session, asked)
            outcome = OK
        except SessionNotFound:
            outcome = GONE
        except StoreUnavailable:
            pass
        finally:
            self._manager.close(session, failed=outcome != OK)
        return outcome, answer

    def _read(self, session: Session, asked: Any) -> Any:
        return dict(session)

    def _set(self, session: Session, asked: Any) -> Any:
        session[f"of {self._plan.number}"] = asked
        session.save()

    def _add(self, session: Session, asked: Any) -> Any:
        return session.increment("count")

    def _append(self, session: Session, asked: Any) -> Any:
        session.update_with("log", lambda log: [*(log or []), asked])

    def _give(self, session: Session, asked: Any) -> Any:
        # Not by a plain write, which a store may repeat when its reply was lost.
        session.update_with("prize", lambda prize: asked)

    def _take(self, session: Session, asked: Any) -> Any:
        return session.take("prize")

    def _renew(self, session: Session, asked: Any) -> Any:
        session.regenerate()
        session.save()
        return self._manager.token(session)

    def _end(self, session: Session, asked: Any) -> Any:
        session.destroy()
        session.save()

    def _begin_another(self, place: Place, token: str | None) -> None:
        self._count += 1
        name = f"{self._plan.number}.{self._count}"
        try:
            with self._manager.create({"owner": name}) as session:
                place.replace(token, name, self._manager.token(session))
        except StoreUnavailable:
            # Whoever finds the session gone tries again.
            if token is None:
                raise


ACTIONS: dict[str, Callable[[Worker, Session, Any], Any]] = {
    histories.READ: Worker._read,
    histories.SET: Worker._set,
    histories.ADD: Worker._add,
    histories.APPEND: Worker._append,
    histories.GIVE: Worker._give,
    histories.TAKE: Worker._take,
    histories.RENEW: Worker._renew,
    histories.END: Worker._end,
}


class Running(Protocol):
    """A thread or a process."""

    def start(self) -> None:
        """Begin."""

    def join(self, timeout: float) -> None:
        """Wait for the end."""

    def is_alive(self) -> bool:
        """Return whether it runs."""


class History:
    """What the workers have written down so far."""

    def __init__(self, folder: Path, workers: list[Any]) -> None:
        self._folder = folder
        self.workers = workers

    def actions(self) -> list[Action]:
        """Return all actions."""
        return [one for path in sorted(self._folder.glob("history-*")) for one in _read(path)]

    def wait_for_more(self, count: int) -> None:
        """Wait until so many more actions have been acknowledged."""
        wanted = self.acknowledged() + count
        wait_until(lambda: self.acknowledged() >= wanted, SECONDS)

    def wait_for_a_failure(self) -> None:
        """Wait until an action has been answered that the store has failed."""
        before = self._told(FAILED, UNKNOWN)
        wait_until(lambda: self._told(FAILED, UNKNOWN) > before, SECONDS)

    def acknowledged(self) -> int:
        """Return how many actions have been acknowledged."""
        return self._told(OK)

    def _told(self, *outcomes: str) -> int:
        told = [path.read_text() for path in self._folder.glob("history-*")]
        return sum(text.count(f', "{outcome}", ') for text in told for outcome in outcomes)


def assert_nothing_lost(history: History) -> None:
    """Check what all workers have noted, and what was there at the end."""
    actions = history.actions()
    done = {action.name for action in actions if action.outcome == OK}
    assert done >= {histories.READ, histories.SET, histories.ADD, histories.APPEND}
    assert histories.problems(actions) == []


@contextmanager
def workers(
    folder: Path, opening: Open, *, seed: int = 0, as_threads: bool = False
) -> Iterator[History]:
    """Let some workers do what they do; afterwards, everything that may be there is read."""
    first = Worker(Plan(0, folder, opening, seed))
    first.begin_sessions()
    running: list[Any] = [
        _running(Plan(number, folder, opening, seed), as_threads)
        for number in range(1, WORKERS + 1)
    ]
    for one in running:
        one.start()
    try:
        yield History(folder, running)
    finally:
        (folder / "stop").touch()
        for one in running:
            one.join(SECONDS)
    assert not any(one.is_alive() for one in running)
    for session, token in sorted({(one.session, one.token) for one in _all(folder)}):
        first.ask(histories.READ, session, token)
    for place in first.places:
        first.ask(histories.READ, *place.read())
    first.close()


def _all(folder: Path) -> list[Action]:
    return History(folder, []).actions()


def _running(plan: Plan, as_threads: bool) -> Running:
    if as_threads:
        return threading.Thread(target=_work, args=(plan,), daemon=True)
    return multiprocessing.get_context("spawn").Process(target=_work, args=(plan,), daemon=True)


def _work(plan: Plan) -> None:
    Worker(plan).run()


def _read(path: Path) -> Iterator[Action]:
    begun: Action | None = None
    for line in path.read_text().splitlines():
        told = json.loads(line)
        if len(told) > 3:
            if begun is not None:
                yield begun
            begun = Action(*told)
        elif begun is not None:
            ended, outcome, answer = told
            if outcome == UNKNOWN:
                yield begun
            else:
                yield begun._replace(ended=ended, outcome=outcome, answer=answer)
            begun = None
    if begun is not None:
        yield begun
