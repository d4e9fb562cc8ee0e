"""Two requests of one session at the same time, in two threads and in two processes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sessions import MemoryStore, SQLiteStore
from sessions.testing import ManualClock
from tests.sessions.workers import PAUSE, Step, Worker, processes, threads

Pair = tuple[Worker, Worker]

READ: Step = ("all",)


@pytest.fixture(scope="module", params=["memory, threads", "sqlite, threads", "sqlite, processes"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Worker]]:
    """Return two workers on one store."""
    clock = ManualClock()
    path: Path = tmp_path_factory.mktemp("pair") / "sessions.db"
    if request.param == "sqlite, processes":
        running = processes(2, path)
    elif request.param == "sqlite, threads":
        running = threads(2, SQLiteStore(path, clock=clock), clock)
    else:
        running = threads(2, MemoryStore(clock=clock), clock)
    with running as workers:
        yield workers


@pytest.fixture
def cookie(pair: Pair) -> str:
    """Return the cookie of a session that both workers know."""
    return pair[0].visit("", ("set", "a", 1), ("set", "cart", ["tea"])).cookie


def held(pair: Pair, cookie: str) -> dict[str, Any]:
    """Return what both workers, each by itself, find in the session of the cookie."""
    first, second = (worker.visit(cookie, READ).value[0] for worker in pair)
    assert first == second
    found: dict[str, Any] = first
    return found


def together(pair: Pair, cookie: str, first: list[Step], second: list[Step]) -> list[Any]:
    """Play both scripts to their pause, then let both go on at once; return the answers."""
    pair[0].begin(cookie, *first)
    pair[1].begin(cookie, *second)
    for worker in pair:
        worker.proceed()
    return [worker.answer() for worker in pair]


def test_s25_p3_writers_of_different_keys_both_survive(pair: Pair, cookie: str) -> None:
    """Both have loaded before either commits, the slow one commits last."""
    slow, quick = pair
    slow.begin(cookie, ("set", "slow", 1), PAUSE)
    quick.visit(cookie, ("set", "quick", 2))
    slow.finish()

    assert held(pair, cookie) == {"a": 1, "cart": ["tea"], "slow": 1, "quick": 2}


@pytest.mark.parametrize("turn", range(5))
def test_s25_p3_commits_at_the_same_moment_both_survive(pair: Pair, cookie: str, turn: int) -> None:
    """A new key, a nested change and a removal, from two sides at once."""
    mine: list[Step] = [READ, ("append", "cart", "milk"), PAUSE, ("set", "mine", turn)]
    theirs: list[Step] = [READ, ("pop", "a"), PAUSE, ("set", "theirs", turn)]

    answers = together(pair, cookie, mine, theirs)

    assert [answer.set_cookies for answer in answers] == [[], []]
    assert held(pair, cookie) == {"cart": ["tea", "milk"], "mine": turn, "theirs": turn}


def test_s25_clear_removes_what_it_saw(pair: Pair, cookie: str) -> None:
    """What another request adds meanwhile survives it."""
    slow, quick = pair
    slow.begin(cookie, ("clear",), PAUSE)
    quick.visit(cookie, ("set", "new", 1))
    slow.finish()

    assert held(pair, cookie) == {"new": 1}


@pytest.mark.parametrize("idle", [0, 61], ids=["no touch", "a touch is due"])
def test_s26_p2_a_slow_reader_undoes_nothing(pair: Pair, cookie: str, idle: int) -> None:
    """It has seen the old values, nested ones too, and writes none of them."""
    slow, quick = pair
    slow.begin(cookie, READ, ("advance", idle), PAUSE)
    wait: Step = ("advance", idle)
    quick.visit(cookie, wait, ("set", "a", 2), ("append", "cart", "milk"), ("set", "new", True))
    answer = slow.finish()

    assert answer.value[0] == {"a": 1, "cart": ["tea"]}
    assert answer.set_cookies == []
    assert held(pair, cookie) == {"a": 2, "cart": ["tea", "milk"], "new": True}


def test_s26_a_reader_that_reloads_sees_the_write(pair: Pair, cookie: str) -> None:
    """S23 across threads and processes."""
    slow, quick = pair
    slow.begin(cookie, READ, PAUSE, ("reload",), READ)
    quick.visit(cookie, ("set", "a", 2))

    assert slow.finish().value[-1] == {"a": 2, "cart": ["tea"]}


@pytest.mark.parametrize("turn", range(5))
def test_s28_first_writes_of_one_key_one_wins(pair: Pair, cookie: str, turn: int) -> None:
    """No error, and a value that one of them wrote."""
    scripts: list[list[Step]] = [[PAUSE, ("set", "who", who)] for who in ("first", "second")]

    answers = together(pair, cookie, *scripts)

    assert [answer.status for answer in answers] == [200, 200]
    assert held(pair, cookie)["who"] in {"first", "second"}


def test_s28_first_writes_of_two_visitors_are_two_sessions(pair: Pair) -> None:
    """Each gets a cookie of its own."""
    scripts: list[list[Step]] = [[PAUSE, ("set", "who", who)] for who in ("first", "second")]

    first, second = together(pair, "", *scripts)

    assert held(pair, first.cookie) == {"who": "first"}
    assert held(pair, second.cookie) == {"who": "second"}


WRITES: dict[str, list[Step]] = {
    "writer": [("set", "late", True)],
    "nested writer": [("append", "cart", "late")],
    "writer that saved": [("set", "early", True), ("save",), ("set", "late", True)],
    "writer that saves": [("set", "late", True), PAUSE, ("save",)],
    "regenerating": [READ, PAUSE, ("regenerate",), ("set", "late", True)],
}


@pytest.mark.parametrize("script", ["writer", "nested writer", "writer that saved"])
def test_s32_p5_logout_while_a_writer_is_in_flight(pair: Pair, cookie: str, script: str) -> None:
    """The id is dead, and the late response neither sets nor clears a cookie."""
    slow, quick = pair
    slow.begin(cookie, *WRITES[script], PAUSE)
    ended = quick.visit(cookie, ("destroy",))
    late = slow.finish()

    assert ended.clears
    assert (late.status, late.set_cookies) == (200, [])
    assert held(pair, cookie) == {}


@pytest.mark.parametrize("script", ["writer that saves", "regenerating"])
def test_s32_p5_logout_before_a_save_or_a_new_id(pair: Pair, cookie: str, script: str) -> None:
    """Neither save() nor regenerate() brings an ended session back."""
    slow, quick = pair
    slow.begin(cookie, *WRITES[script])
    quick.visit(cookie, ("destroy",))
    late = slow.finish()

    assert (late.status, late.set_cookies) == (200, [])
    assert held(pair, cookie) == {}


@pytest.mark.parametrize("idle", [0, 61], ids=["no touch", "a touch is due"])
def test_s33_p5_logout_while_a_reader_is_in_flight(pair: Pair, cookie: str, idle: int) -> None:
    """What it read was true when it read it; nothing comes back."""
    slow, quick = pair
    slow.begin(cookie, READ, ("advance", idle), PAUSE)
    quick.visit(cookie, ("advance", idle), ("destroy",))
    late = slow.finish()

    assert late.value[0] == {"a": 1, "cart": ["tea"]}
    assert late.set_cookies == []
    assert held(pair, cookie) == {}


def test_s43_two_parallel_logouts_are_one(pair: Pair, cookie: str) -> None:
    """Both clear the cookie, none fails."""
    answers = together(pair, cookie, [READ, PAUSE, ("destroy",)], [PAUSE, ("destroy",)])

    assert [answer.clears for answer in answers] == [True, True]
    assert held(pair, cookie) == {}


def test_s36_p7_a_new_id_while_a_writer_is_in_flight(pair: Pair, cookie: str) -> None:
    """The late write is dropped, the new id is unaffected, its cookie is not replaced."""
    slow, quick = pair
    slow.begin(cookie, ("set", "late", True), PAUSE)
    login = quick.visit(cookie, ("regenerate",), ("set", "user", "ada"))
    late = slow.finish()

    assert (late.status, late.set_cookies) == (200, [])
    assert held(pair, login.cookie) == {"a": 1, "cart": ["tea"], "user": "ada"}
    assert held(pair, cookie) == {}


@pytest.mark.parametrize("turn", range(5))
def test_s37_p7_of_two_parallel_new_ids_one_is_reachable(
    pair: Pair, cookie: str, turn: int
) -> None:
    """Exactly one response brings a cookie; the old one is dead."""
    answers = together(pair, cookie, [READ, PAUSE, ("regenerate",)], [READ, PAUSE, ("regenerate",)])

    (winner,) = [answer for answer in answers if answer.set_cookies]
    assert held(pair, winner.cookie) == {"a": 1, "cart": ["tea"]}
    assert held(pair, cookie) == {}


def test_s39_of_two_creates_of_one_key_one_is_true(pair: Pair, cookie: str) -> None:
    """A race of fifty keys, each made by both."""
    script: list[Step] = [PAUSE, ("create", cookie, 50)]

    first, second = (answer.value[1] for answer in together(pair, "", script, script))

    assert [one != other for one, other in zip(first, second, strict=True)] == [True] * 50
