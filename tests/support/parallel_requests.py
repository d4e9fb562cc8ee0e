"""The same request many times at once, from two processes with many threads each."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

from sessions import SessionContainer, SessionManager, Store
from sessions.errors import TooManySessions
from sessions.testing import in_parallel
from sessions.users import SessionLimit
from tests.support.apps import KEY
from tests.support.patience import patience

Open = Callable[[], Store]
Work = Callable[[SessionManager, str, int], Any]

PARALLEL = 50
TAKERS = 20
MOST = 5
SECONDS = 120


def assert_updates_are_exact(opening: Open) -> None:
    """Count, append and take in one session: nothing is lost, and nothing happens twice."""
    manager = _manager(opening, None)
    session = manager.create({"n": 0, "list": [], "once": "code"})
    sums = _in_two_processes(opening, session.id, _increment, PARALLEL)
    _in_two_processes(opening, session.id, _append, PARALLEL)
    taken = _in_two_processes(opening, session.id, _take, TAKERS)
    session.reload()
    values = session.copy()
    manager.close(session)
    manager.close_all()

    assert sorted(sums) == [*range(1, PARALLEL + 1)]
    assert sorted(values["list"]) == [*range(PARALLEL)]
    assert sorted(taken, key=str) == [None] * (TAKERS - 1) + ["code"]
    assert values["n"] == PARALLEL
    assert "once" not in values


def assert_limits_are_exact(opening: Open) -> None:
    """Sign one user in many times at once: exactly the limit stays, or is let in."""
    for beyond in ("end_oldest", "refuse"):
        manager = _manager(opening, beyond)
        admitted = _in_two_processes(opening, beyond, _sign_in, PARALLEL)
        live = manager.sessions_of(beyond)
        manager.end_sessions_of(beyond)
        manager.close_all()

        assert len(live) == MOST
        assert admitted.count(True) == (MOST if beyond == "refuse" else PARALLEL)


def _in_two_processes(opening: Open, about: str, work: Work, count: int) -> list[Any]:
    """Return what the parts of the work returned, the half of them from each process."""
    halves = [range(count // 2), range(count // 2, count)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(_do, opening, about, work, half) for half in halves]
        return [result for half in running for result in half.result(SECONDS)]


def _do(opening: Open, about: str, work: Work, numbers: range) -> list[Any]:
    """Do a half of the work, in a process of its own."""
    with patience():
        manager = _manager(opening, about if work is _sign_in else None)
        results = in_parallel(len(numbers), lambda n: work(manager, about, numbers[n]))
        manager.close_all()
    return results


def _manager(opening: Open, beyond: Any) -> SessionManager:
    limit = None if beyond is None else SessionLimit(MOST, beyond)
    return SessionManager(SessionContainer(keys=[KEY], store=opening(), sessions_per_user=limit))


def _increment(manager: SessionManager, id: str, number: int) -> Any:
    with manager.get(id) as session:
        return session.increment("n")


def _append(manager: SessionManager, id: str, number: int) -> None:
    with manager.get(id) as session:
        session.update_with("list", partial(_with, number))


def _with(number: int, numbers: list[int]) -> list[int]:
    return [*numbers, number]


def _take(manager: SessionManager, id: str, number: int) -> Any:
    with manager.get(id) as session:
        return session.take("once")


def _sign_in(manager: SessionManager, user_id: str, number: int) -> bool:
    session = manager.create()
    session.set_user(user_id)
    try:
        manager.close(session)
    except TooManySessions:
        manager.close(session, failed=True)
        return False
    return True
