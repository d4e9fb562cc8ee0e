"""The checker of histories finds faulty stores, and reports no fault in sound stores."""

import time
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sessions.record import Changes, Ended, Record
from sessions.stores.base import wall_clock
from tests.support import histories
from tests.support.dictionary_store import DictionaryStore
from tests.support.faulty_stores.commits import CommitCreates, ExpectsNothing, ReplacesAllValues
from tests.support.faulty_stores.lives import KeepsTheDataOfTheEnded
from tests.support.faulty_stores.races import CommitTakesNoLock
from tests.support.hesitating_stores import HesitatingStore
from tests.support.histories import FAILED, GONE, OK, UNKNOWN, Action, problems
from tests.support.history_workers import workers

pytestmark = pytest.mark.slow


class LosesUpdates(CommitTakesNoLock):
    """A commit waits between its read and its write."""

    def changed(self, record: Record, changes: Changes) -> Record:
        time.sleep(0)
        return super().changed(record, changes)


class MixesUp(DictionaryStore):
    """Some loads return the values of another record."""

    def load(self, key: str) -> Record | Ended | None:
        found = super().load(key)
        if isinstance(found, Record) and len(found.values) % 3 == 0:
            with self.lock:
                return replace(found, values=next(iter(self.records.values())).values)
        return found


class Forgets(DictionaryStore):
    """A record is gone after some changes."""

    def load(self, key: str) -> Record | Ended | None:
        found = super().load(key)
        return None if isinstance(found, Record) and len(found.values) > 3 else found


class TakesOldIds(DictionaryStore):
    """A new id is acknowledged, but not stored."""

    def changed(self, record: Record, changes: Changes) -> Record:
        return super().changed(record, replace(changes, new_secret=None))


WRONG = {
    LosesUpdates: "lost update",
    ReplacesAllValues: "lost",
    CommitCreates: "although it had ended",
    KeepsTheDataOfTheEnded: "although it had ended",
    ExpectsNothing: "two increments the same number",
    MixesUp: "showed the data of",
    Forgets: "nothing had ended it",
    TakesOldIds: "for an earlier id",
}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_a_history_of_a_wrong_store_is_found(wrong: type[DictionaryStore], tmp_path: Path) -> None:
    """The report names what the store does wrong."""
    store = HesitatingStore(wrong(wall_clock), Random(1))  # noqa: S311
    with workers(tmp_path, lambda: store, as_threads=True) as history:
        history.wait_for_more(600)

    found = problems(history.actions())
    assert any(WRONG[wrong] in problem for problem in found), found[:10]


def test_a_history_of_a_correct_store_is_accepted(tmp_path: Path) -> None:
    """The checker reports nothing for a sound store that switches threads often."""
    store = HesitatingStore(DictionaryStore(wall_clock), Random(1))  # noqa: S311
    with workers(tmp_path, lambda: store, as_threads=True) as history:
        history.wait_for_more(600)

    assert problems(history.actions()) == []


# Histories by hand: an action ends half a second after its beginning.


def done(name: str, at: float, asked: object = None, answer: object = None, **more: Any) -> Action:
    """Return an action that was acknowledged."""
    return Action(1, name, "s", "t", asked, at, at + 0.5, OK, answer)._replace(**more)


def unanswered(name: str, at: float, asked: object = None) -> Action:
    """Return an action with an unknown outcome."""
    return Action(1, name, "s", "t", asked, at, outcome=UNKNOWN)


def seen(at: float, with_id: str = "t", **values: Any) -> Action:
    """Return a read."""
    return done(histories.READ, at, answer={"owner": "s", **values}, token=with_id)


def written(at: float, number: int) -> Action:
    """Return a read that shows what the process wrote."""
    return seen(at)._replace(answer={"owner": "s", "of 1": number})


def absent(at: float, with_id: str = "t") -> Action:
    """Return a read that found no session."""
    return done(histories.READ, at, outcome=GONE, token=with_id)


ALLOWED = {
    "a write, read": [done("set", 1, 7), written(2, 7)],
    "a write that is under way, read": [done("set", 1, 7), written(1.2, 7)],
    "a write that is under way, not read": [done("set", 1, 7), seen(1.2)],
    "an unanswered write, read": [unanswered("set", 1, 7), written(9, 7)],
    "an unanswered write, not read": [unanswered("set", 1, 7), seen(9)],
    "an unanswered write that comes late": [
        unanswered("set", 1, 7),
        done("set", 2, 8),
        written(3, 7),
    ],
    "an unanswered increment, done": [
        done("add", 1, answer=1),
        unanswered("add", 2),
        seen(3, count=2),
    ],
    "an unanswered increment, not done": [
        done("add", 1, answer=1),
        unanswered("add", 2),
        seen(3, count=1),
    ],
    "an end": [done("end", 1), absent(2)],
    "a read during an end": [done("end", 1), seen(1.2), absent(1.3)],
    "an unanswered end": [unanswered("end", 1), seen(2), absent(3)],
    "a new id": [done("renew", 1), absent(2), seen(2, with_id="new")],
    "a second end": [done("end", 1), done("end", 2)],
    "a take": [done("give", 1, "p"), done("take", 2, answer="p"), done("take", 3), seen(4)],
    "a store that fails": [done("set", 1, 7), done("read", 2, outcome=FAILED)],
}
FORBIDDEN = {
    "lost update 7": [done("set", 1, 7), seen(2)],
    "lost update 8": [done("set", 1, 7), done("set", 2, 8), written(3, 7)],
    "nobody has written": [done("set", 1, 7, outcome=GONE), written(2, 7)],
    "the same number": [done("add", 1, answer=1), done("add", 2, answer=1)],
    "counted 1 where 2 to 2": [
        done("add", 1, answer=1),
        done("add", 2, answer=2),
        seen(3, count=1),
    ],
    "counted 3 where 1 to 2": [done("add", 1, answer=1), unanswered("add", 2), seen(3, count=3)],
    "lost the entries ['b']": [done("append", 1, "b"), seen(2, log=["a"])],
    "showed the entries ['a']": [done("append", 1, "a", outcome=GONE), seen(2, log=["a"])],
    "an entry twice": [unanswered("append", 1, "a"), seen(2, log=["a", "a"])],
    "gave p to 2 takers": [
        done("give", 1, "p"),
        done("take", 2, answer="p"),
        done("take", 2, answer="p"),
    ],
    "which nobody has put there": [done("take", 2, answer="p")],
    "which was taken": [done("give", 1, "p"), done("take", 2, answer="p"), seen(3, prize="p")],
    "answered read although it had ended": [done("end", 1), seen(2)],
    "answered set although it had ended": [done("end", 1), done("set", 2, 7)],
    "answered read for an earlier id": [done("renew", 1), seen(2)],
    "was not there for read": [absent(1)],
    "showed the data of bob": [seen(1, owner="bob")],
}


@pytest.mark.parametrize("history", ALLOWED.values(), ids=ALLOWED)
def test_a_history_that_may_happen_is_accepted(history: list[Action]) -> None:
    """An action without a reply may be carried out later, or never."""
    assert problems(history) == []


@pytest.mark.parametrize(("problem", "history"), FORBIDDEN.items(), ids=FORBIDDEN)
def test_a_history_that_breaks_a_rule_is_reported(problem: str, history: list[Action]) -> None:
    """Each check has a history that breaks it."""
    found = problems(history)

    assert any(problem in one for one in found), found
