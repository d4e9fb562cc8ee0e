"""Two requests of one session at the same time, in two threads and in two processes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sessions import MemoryStore, SQLiteStore
from sessions.testing import ManualClock
from tests.support.workers import PAUSE, Step, Worker, processes, threads

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
    """Return the session's values, as each of the two workers finds them."""
    first, second = (worker.visit(cookie, READ).value[0] for worker in pair)
    assert first == second
    found: dict[str, Any] = first
    return found


def together(pair: Pair, cookie: str, first: list[Step], second: list[Step]) -> list[Any]:
    """Run both scripts to their pause, and then let both continue at once; return the answers."""
    pair[0].begin(cookie, *first)
    pair[1].begin(cookie, *second)
    for worker in pair:
        worker.proceed()
    return [worker.answer() for worker in pair]


def wait(pair: Pair, seconds: float) -> None:
    """Let at least this much time pass for both workers, which may share a clock."""
    for worker in pair:
        worker.visit("", ("advance", seconds))


def test_writers_of_different_keys_both_survive(pair: Pair, cookie: str) -> None:
    """Both load before either commits, and the slow one commits last."""
    slow, quick = pair
    slow.begin(cookie, ("set", "slow", 1), PAUSE)
    quick.visit(cookie, ("set", "quick", 2))
    slow.finish()

    assert held(pair, cookie) == {"a": 1, "cart": ["tea"], "slow": 1, "quick": 2}


@pytest.mark.parametrize("turn", range(5))
def test_commits_at_the_same_moment_both_survive(pair: Pair, cookie: str, turn: int) -> None:
    """Both sides add a key, change a nested value and remove a key at once."""
    mine: list[Step] = [READ, ("append", "cart", "milk"), PAUSE, ("set", "mine", turn)]
    theirs: list[Step] = [READ, ("pop", "a"), PAUSE, ("set", "theirs", turn)]

    answers = together(pair, cookie, mine, theirs)

    assert [answer.set_cookies for answer in answers] == [[], []]
    assert held(pair, cookie) == {"cart": ["tea", "milk"], "mine": turn, "theirs": turn}


def test_clear_removes_only_the_keys_that_it_saw(pair: Pair, cookie: str) -> None:
    """A value that another request adds meanwhile stays."""
    slow, quick = pair
    slow.begin(cookie, ("clear",), PAUSE)
    quick.visit(cookie, ("set", "new", 1))
    slow.finish()

    assert held(pair, cookie) == {"new": 1}


@pytest.mark.parametrize("idle", [0, 61], ids=["no touch", "a touch is due"])
def test_a_slow_reader_undoes_nothing(pair: Pair, cookie: str, idle: int) -> None:
    """The reader has old values, and writes none of them."""
    slow, quick = pair
    slow.begin(cookie, READ, ("advance", idle), PAUSE)
    wait: Step = ("advance", idle)
    quick.visit(cookie, wait, ("set", "a", 2), ("append", "cart", "milk"), ("set", "new", True))
    answer = slow.finish()

    assert answer.value[0] == {"a": 1, "cart": ["tea"]}
    assert answer.set_cookies == []
    assert held(pair, cookie) == {"a": 2, "cart": ["tea", "milk"], "new": True}


def test_a_reader_that_reloads_sees_the_write(pair: Pair, cookie: str) -> None:
    """reload() shows what another thread or process has committed."""
    slow, quick = pair
    slow.begin(cookie, READ, PAUSE, ("reload",), READ)
    quick.visit(cookie, ("set", "a", 2))

    assert slow.finish().value[-1] == {"a": 2, "cart": ["tea"]}


@pytest.mark.parametrize("turn", range(5))
def test_one_of_two_first_writes_of_a_key_wins(pair: Pair, cookie: str, turn: int) -> None:
    """There is no error, and the value is from one of the two."""
    scripts: list[list[Step]] = [[PAUSE, ("set", "who", who)] for who in ("first", "second")]

    answers = together(pair, cookie, *scripts)

    assert [answer.status for answer in answers] == [200, 200]
    assert held(pair, cookie)["who"] in {"first", "second"}


def test_first_writes_of_two_visitors_are_two_sessions(pair: Pair) -> None:
    """Each visitor gets a separate cookie."""
    scripts: list[list[Step]] = [[PAUSE, ("set", "who", who)] for who in ("first", "second")]

    first, second = together(pair, "", *scripts)

    assert held(pair, first.cookie) == {"who": "first"}
    assert held(pair, second.cookie) == {"who": "second"}


WRITES: dict[str, list[Step]] = {
    "writer": [("set", "late", True)],
    "nested writer": [("append", "cart", "late")],
    "writer that saved": [("set", "early", True), ("save",), ("set", "late", True)],
    "regenerating": [READ, PAUSE, ("regenerate",), ("set", "late", True)],
}


@pytest.mark.parametrize("script", ["writer", "nested writer", "writer that saved"])
def test_logout_while_a_writer_is_in_flight(pair: Pair, cookie: str, script: str) -> None:
    """The session has ended, and the late answer neither sets nor clears a cookie."""
    slow, quick = pair
    slow.begin(cookie, *WRITES[script], PAUSE)
    ended = quick.visit(cookie, ("destroy",))
    late = slow.finish()

    assert ended.clears
    assert (late.status, late.set_cookies) == (200, [])
    assert held(pair, cookie) == {}


def test_logout_before_a_new_id(pair: Pair, cookie: str) -> None:
    """regenerate() does not bring an ended session back."""
    slow, quick = pair
    slow.begin(cookie, *WRITES["regenerating"])
    quick.visit(cookie, ("destroy",))
    late = slow.finish()

    assert (late.status, late.set_cookies) == (200, [])
    assert held(pair, cookie) == {}


@pytest.mark.parametrize(
    "verb", [("save",), ("increment", "n"), ("take", "cart"), ("regenerate_and_save",)]
)
def test_logout_before_a_verb_on_which_somebody_acts(pair: Pair, cookie: str, verb: Step) -> None:
    """The verb raises SessionNotFound, and returns no value."""
    slow, quick = pair
    slow.begin(cookie, ("set", "late", True), PAUSE, ("refused", *verb))
    quick.visit(cookie, ("destroy",))
    late = slow.finish()

    assert late.value[-1] == "SessionNotFound"
    assert (late.status, late.set_cookies) == (200, [])
    assert held(pair, cookie) == {}


@pytest.mark.parametrize("idle", [0, 61], ids=["no touch", "a touch is due"])
def test_logout_while_a_reader_is_in_flight(pair: Pair, cookie: str, idle: int) -> None:
    """The reader keeps the values that it loaded, and the session stays ended."""
    slow, quick = pair
    slow.begin(cookie, READ, ("advance", idle), PAUSE)
    quick.visit(cookie, ("advance", idle), ("destroy",))
    late = slow.finish()

    assert late.value[0] == {"a": 1, "cart": ["tea"]}
    assert late.set_cookies == []
    assert held(pair, cookie) == {}


def test_two_parallel_logouts_end_the_session_once(pair: Pair, cookie: str) -> None:
    """No request fails, and the request that ended the session clears the cookie."""
    answers = together(pair, cookie, [READ, PAUSE, ("destroy",)], [PAUSE, ("destroy",)])

    assert sorted(answer.clears for answer in answers) == [False, True]
    assert held(pair, cookie) == {}


def test_a_new_id_while_a_writer_is_in_flight(pair: Pair, cookie: str) -> None:
    """The late write is dropped, the new id is unaffected, its cookie is not replaced."""
    slow, quick = pair
    slow.begin(cookie, ("set", "late", True), PAUSE)
    login = quick.visit(cookie, ("regenerate",), ("set", "user", "ada"))
    late = slow.finish()

    assert (late.status, late.set_cookies) == (200, [])
    assert held(pair, login.cookie) == {"a": 1, "cart": ["tea"], "user": "ada"}
    assert held(pair, cookie) == {}


@pytest.mark.parametrize("turn", range(5))
def test_two_parallel_new_ids_leave_one_session(pair: Pair, cookie: str, turn: int) -> None:
    """Exactly one answer sends a cookie, and the old id is past."""
    answers = together(pair, cookie, [READ, PAUSE, ("regenerate",)], [READ, PAUSE, ("regenerate",)])

    (winner,) = [answer for answer in answers if answer.set_cookies]
    assert held(pair, winner.cookie) == {"a": 1, "cart": ["tea"]}
    assert held(pair, cookie) == {}


def test_one_of_two_creates_of_a_key_returns_true(pair: Pair, cookie: str) -> None:
    """Both sides create each of fifty keys."""
    script: list[Step] = [PAUSE, ("create", cookie, 50)]

    first, second = (answer.value[1] for answer in together(pair, "", script, script))

    assert [one != other for one, other in zip(first, second, strict=True)] == [True] * 50


SIGNED_OUT: list[Any] = [None, {}]
WHO: list[Step] = [("user",), READ]


def who(pair: Pair, cookie: str) -> list[Any]:
    """Return the user and the data of the cookie, as both workers find them."""
    first, second = (worker.visit(cookie, *WHO).value for worker in pair)
    assert first == second
    found: list[Any] = first
    return found


class TestSignIns:
    """A sign-in is never dropped, and never gets data of another user."""

    @pytest.mark.parametrize("turn", range(3))
    def test_two_parallel_sign_ins_are_both_signed_in(
        self, pair: Pair, cookie: str, turn: int
    ) -> None:
        """One keeps the session's data, and the other gets a fresh session."""
        mine: list[Step] = [READ, PAUSE, ("set_user", "ada"), ("set", "mine", turn)]
        theirs: list[Step] = [READ, PAUSE, ("set_user", "eve"), ("set", "theirs", turn)]

        ada, eve = (who(pair, one.cookie) for one in together(pair, cookie, mine, theirs))

        old = {"a": 1, "cart": ["tea"]}
        assert (ada, eve) in [
            (["ada", {**old, "mine": turn}], ["eve", {"theirs": turn}]),
            (["ada", {"mine": turn}], ["eve", {**old, "theirs": turn}]),
        ]
        assert who(pair, cookie) == SIGNED_OUT

    @pytest.mark.parametrize("end", ["destroy", "regenerate"])
    def test_a_sign_in_that_comes_too_late_begins_a_fresh_session(
        self, pair: Pair, cookie: str, end: str
    ) -> None:
        """The fresh session has the values that the request has set, and a new cookie."""
        slow, quick = pair
        slow.begin(cookie, READ, ("set", "mine", 1), PAUSE, ("set_user", "ada"))
        other = quick.visit(cookie, (end,))
        late = slow.finish()

        assert who(pair, late.cookie) == ["ada", {"mine": 1}]
        assert other.cookie != late.cookie
        assert who(pair, cookie) == SIGNED_OUT

    @pytest.mark.parametrize("other", [("set_user", "eve"), ("renew", 30), ("regenerate",)])
    def test_signing_out_beside_a_sign_in_or_a_new_id_ends_the_session(
        self, pair: Pair, other: Step
    ) -> None:
        """After that, no user is signed in, with the old id or with the new id."""
        slow, quick = pair
        cookie = slow.visit("", ("set_user", "ada")).cookie
        slow.begin(cookie, ("user",), PAUSE, ("clear_user",))
        renewed = quick.visit(cookie, other)
        late = slow.finish()

        assert who(pair, renewed.cookie) == SIGNED_OUT
        assert who(pair, cookie) == SIGNED_OUT
        assert late.status == 200

    @pytest.mark.parametrize("end", [("destroy",), ("clear_user",)])
    def test_signing_out_with_an_earlier_id_ends_the_session(self, pair: Pair, end: Step) -> None:
        """A tab that was left open signs out a later sign-in of the same session."""
        cookie = pair[0].visit("", ("set_user", "ada")).cookie
        renewed = pair[0].visit(cookie, ("regenerate",)).cookie

        wait(pair, 3600)
        pair[1].visit(cookie, end)

        assert who(pair, renewed) == SIGNED_OUT

    def test_a_second_logout_leaves_the_next_sign_in_alone(self, pair: Pair, cookie: str) -> None:
        """The second logout clears no cookie, because it could be the cookie of a sign-in."""
        slow, quick = pair
        slow.begin(cookie, PAUSE, ("destroy",))
        quick.visit(cookie, ("destroy",))
        login = quick.visit(cookie, ("set_user", "ada"))
        late = slow.finish()

        assert late.set_cookies == []
        assert who(pair, login.cookie) == ["ada", {}]


class TestGrace:
    """A renewal with grace lets requests with the earlier id go on for a while."""

    def test_a_write_in_flight_is_kept(self, pair: Pair, cookie: str) -> None:
        """The late answer does not send the earlier cookie again."""
        slow, quick = pair
        slow.begin(cookie, ("set", "late", True), PAUSE)
        renewed = quick.visit(cookie, ("renew", 30))
        late = slow.finish()

        assert late.set_cookies == []
        assert held(pair, renewed.cookie) == {"a": 1, "cart": ["tea"], "late": True}

    @pytest.mark.parametrize("turn", range(3))
    def test_the_values_of_both_renewals_are_kept(self, pair: Pair, cookie: str, turn: int) -> None:
        """One new id is valid, and the other answer sends no cookie."""
        mine: list[Step] = [READ, PAUSE, ("renew", 30), ("set", "mine", turn)]
        theirs: list[Step] = [READ, PAUSE, ("renew", 30), ("set", "theirs", turn)]

        answers = together(pair, cookie, mine, theirs)

        (winner,) = [answer for answer in answers if answer.set_cookies]
        both = {"a": 1, "cart": ["tea"], "mine": turn, "theirs": turn}
        assert held(pair, winner.cookie) == held(pair, cookie) == both

    def test_an_earlier_id_works_until_its_grace_ends(self, pair: Pair, cookie: str) -> None:
        """After its time, the earlier id reads and writes nothing."""
        renewed = pair[0].visit(cookie, ("renew", 30)).cookie

        pair[1].visit(cookie, ("set", "late", True))
        in_time = held(pair, cookie)
        wait(pair, 30)

        assert in_time == held(pair, renewed) == {"a": 1, "cart": ["tea"], "late": True}
        assert held(pair, cookie) == {}

    @pytest.mark.parametrize("step", [("set_user", "ada"), ("regenerate",)])
    def test_a_sign_in_or_a_plain_new_id_ends_the_grace(
        self, pair: Pair, cookie: str, step: Step
    ) -> None:
        """The earlier id stops working."""
        renewed = pair[0].visit(cookie, ("renew", 30)).cookie

        pair[0].visit(renewed, step)

        assert held(pair, cookie) == held(pair, renewed) == {}

    def test_an_earlier_id_changes_neither_id_nor_user(self, pair: Pair, cookie: str) -> None:
        """A sign-in with an earlier id gets a fresh session, and no new id is given."""
        renewed = pair[0].visit(cookie, ("renew", 30)).cookie

        pair[1].visit(cookie, ("regenerate",), ("set", "late", True))
        login = pair[1].visit(cookie, ("set_user", "ada"), ("set", "mine", 1))

        assert who(pair, renewed) == [None, {"a": 1, "cart": ["tea"], "late": True}]
        assert who(pair, login.cookie) == ["ada", {"mine": 1}]


@pytest.mark.parametrize("turn", range(2))
def test_parallel_atomic_changes_are_all_counted(pair: Pair, cookie: str, turn: int) -> None:
    """Both sides increment one number."""
    script: list[Step] = [PAUSE, *[("increment", "n")] * 25]

    together(pair, cookie, script, script)

    assert held(pair, cookie)["n"] == 50


@pytest.mark.parametrize("turn", range(3))
def test_a_value_that_two_requests_take_goes_to_one(pair: Pair, cookie: str, turn: int) -> None:
    """One side gets the value, and the other one gets the default."""
    script: list[Step] = [PAUSE, ("take", "cart")]

    taken = [answer.value[1] for answer in together(pair, cookie, script, script)]

    assert sorted(taken, key=repr) == [None, ["tea"]]
    assert held(pair, cookie) == {"a": 1}
