"""SQLiteStore does the same as the pure model of a record, for any sequence of calls."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.record import CLOCK_TOLERANCE, UNCHANGED, Changes, Ended, Grace, Outcome, Record
from sessions.stores.base import REMEMBERED_FOR
from sessions.stores.sqlite import SQLiteStore
from sessions.testing import START, ManualClock
from tests.support.thoroughness import examples

names = st.sampled_from(["a", "b", "", "\0", "ż", "id"])
values = st.binary(max_size=3)
secrets = st.sampled_from(["s", "t", "u"])
# Times around the present, around the tolerance, and far beyond it.
times = st.sampled_from(
    [-5.0, 0.0, 1.5, 10.0, CLOCK_TOLERANCE, CLOCK_TOLERANCE + 1, 100.0, 5000.0]
).map(lambda offset: START + offset)
timeouts = st.sampled_from([None, 5.0, 500.0])
users = st.sampled_from([None, "ada", "eve"])

records = st.builds(
    Record,
    values=st.dictionaries(names, values),
    secret=secrets,
    secret_since=times,
    created_at=times,
    accessed_at=times,
    updated_at=times,
    expires_at=times,
    grace=st.none() | st.builds(Grace, secrets, times),
    timeout=timeouts,
    user_id=users,
)
changes = st.builds(
    Changes,
    secret=secrets,
    accessed_at=times,
    updated_at=times,
    expires_at=times,
    set=st.dictionaries(names, values),
    removed=st.frozensets(names, max_size=2),
    expected=st.just({}) | st.dictionaries(names, st.none() | values, max_size=1),
    user_id=st.just(UNCHANGED) | users,
    timeout=st.just(UNCHANGED) | timeouts,
    new_secret=st.none() | secrets,
    grace=st.none() | times,
    created_at=st.none() | times,
    clear=st.booleans(),
)
plain_changes = changes.map(
    lambda drawn: replace(
        drawn, user_id=UNCHANGED, timeout=UNCHANGED, new_secret=None, created_at=None, clear=False
    )
)
calls = st.one_of(
    st.tuples(st.just("create"), records),
    st.tuples(st.just("commit"), changes | plain_changes),
    st.tuples(st.just("touch"), st.tuples(secrets, times, times)),
    st.tuples(st.just("delete"), users),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 20.0, 70.0])),
    st.tuples(st.just("purge"), st.just(10)),
)


class Model:
    """Keep one record in memory, by the rules of the contract."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._state: Record | Ended | None = None

    def load(self) -> Record | Ended | None:
        """Return the live record, or None."""
        state, now = self._state, self._clock()
        if isinstance(state, Ended):
            return state if now < state.at + REMEMBERED_FOR else None
        return state if state is not None and state.expires_at > now else None

    def call(self, verb: str, argument: object) -> object:
        """Make one call and return its answer."""
        record = self.load()
        live = record if isinstance(record, Record) else None
        return getattr(self, f"_{verb}")(live, argument)

    def _create(self, live: Record | None, record: Record) -> bool:
        if live is None:
            self._state = record
        return live is None or live.secret == record.secret

    def _commit(self, live: Record | None, changes: Changes) -> Outcome:
        if live is None:
            return Outcome.GONE
        outcome = live.outcome_of(changes, self._clock())
        if outcome is Outcome.APPLIED:
            self._state = live.changed_by(changes, self._clock())
        return outcome

    def _touch(self, live: Record | None, use: tuple[str, float, float]) -> bool:
        if live is None or live.secret != use[0]:
            return False
        self._state = live.touched(use[1], use[2], self._clock())
        return True

    def _delete(self, live: Record | None, user_id: str | None) -> bool:
        if live is None or (user_id is not None and live.user_id != user_id):
            return False
        self._state = Ended(self._clock())
        return True

    def _wait(self, live: Record | None, seconds: float) -> None:
        self._clock.advance(seconds)

    def _purge(self, live: Record | None, limit: int) -> None:
        """Change nothing that a load can see."""


def call(store: SQLiteStore, key: str, verb: str, argument: Any) -> object:
    """Make the same call on the store."""
    answer: object = None
    match verb:
        case "create" | "commit":
            answer = getattr(store, verb)(key, argument)
        case "touch":
            answer = store.touch(key, *argument)
        case "delete":
            answer = store.delete(key, user_id=argument)
        case "purge":
            store.purge(argument)
    return answer


@pytest.fixture(scope="module")
def store() -> Iterator[SQLiteStore]:
    """Return one store for all examples; each example has its own key."""
    with TemporaryDirectory() as directory:
        yield SQLiteStore(Path(directory) / "sessions.db")


keys = (f"key{n}" for n in itertools.count())


@settings(deadline=None, max_examples=examples(300))
@given(first=records, drawn=st.lists(calls, max_size=12))
def test_random_calls_have_the_results_of_the_model(
    store: SQLiteStore, first: Record, drawn: list[tuple[str, object]]
) -> None:
    """Every answer, every record and the order of names are equal."""
    clock, key = ManualClock(START), next(keys)
    store.clock = clock
    model = Model(clock)

    for verb, argument in [("create", first), *drawn]:
        answer = call(store, key, verb, argument)

        assert answer == model.call(verb, argument), verb
        found, expected = store.load(key), model.load()
        assert found == expected, verb
        if isinstance(found, Record) and isinstance(expected, Record):
            assert list(found.values) == list(expected.values)
