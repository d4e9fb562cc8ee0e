"""Check what several processes did to shared sessions, in the manner of Jepsen.

A history is a list of actions: what each asked, when it began, when it was answered, and how. An
action without an answer may have been done, at any time after its beginning, or not. `problems`
says what no store may do, whatever the order in which the actions came.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

OK = "ok"
GONE = "gone"
"""Not done: the session is not there."""
FAILED = "failed"
"""Not done: the store could not be reached."""
UNKNOWN = "unknown"
"""Perhaps done."""

READ, SET, ADD, APPEND = "read", "set", "add", "append"
GIVE, TAKE, RENEW, END = "give", "take", "renew", "end"


class Action(NamedTuple):
    """One action on a session."""

    process: int
    name: str
    session: str
    """What the session was called when it was made; it is also its value `owner`."""
    token: str
    asked: Any = None
    began: float = 0.0
    ended: float = math.inf
    outcome: str = UNKNOWN
    answer: Any = None

    @property
    def may_be_done(self) -> bool:
        """Return whether the action did something, as far as anybody knows."""
        return self.outcome in (OK, UNKNOWN)

    def is_before(self, other: "Action") -> bool:
        """Return whether this action was acknowledged before the other one began."""
        return self.outcome == OK and self.ended < other.began

    def may_be_seen_by(self, other: "Action") -> bool:
        """Return whether this action may have been done before the other one was answered."""
        return self.may_be_done and self.began < other.ended


class Told(NamedTuple):
    """The actions on one session, by their names."""

    actions: list[Action]

    def named(self, *names: str) -> list[Action]:
        """Return the actions of some kinds."""
        return [action for action in self.actions if action.name in names]

    @property
    def reads(self) -> list[Action]:
        """Return the reads that found the session."""
        return [action for action in self.named(READ) if action.outcome == OK]


def problems(actions: list[Action]) -> list[str]:
    """Return what a store must not have done, one line each."""
    sessions: dict[str, list[Action]] = defaultdict(list)
    for action in actions:
        sessions[action.session].append(action)
    return [
        f"session {name}: {problem}"
        for name, own in sessions.items()
        for check in CHECKS
        for problem in check(Told(own))
    ]


def _owned(told: Told) -> Iterator[str]:
    """Nobody sees the data of another session."""
    for read in told.reads:
        if read.answer.get("owner") != read.session:
            yield f"showed the data of {read.answer.get('owner')}"


def _written(told: Told) -> Iterator[str]:
    """The key of a process has what the process wrote last, or what may have been written late."""
    for process in {action.process for action in told.named(SET)}:
        sets = [action for action in told.named(SET) if action.process == process]
        for read in told.reads:
            found = read.answer.get(f"of {process}", 0)
            least = max((one.asked for one in sets if one.is_before(read)), default=0)
            late = [one.asked for one in sets if one.outcome == UNKNOWN]
            seen = [one.asked for one in sets if one.may_be_seen_by(read)]
            if found < least and found not in late:
                yield f"lost update {least} of process {process}, found {found}"
            if found not in (0, *seen):
                yield f"showed {found} of process {process}, which nobody has written"


def _counted(told: Told) -> Iterator[str]:
    """The counter is at least what was acknowledged, and at most what was tried."""
    adds = told.named(ADD)
    sums = [add.answer for add in adds if add.outcome == OK]
    if len(set(sums)) < len(sums):
        yield f"gave two increments the same number: {sorted(sums)}"
    for read in told.reads:
        least = sum(add.is_before(read) for add in adds)
        most = sum(add.may_be_seen_by(read) for add in adds)
        if not least <= read.answer.get("count", 0) <= most:
            found = read.answer.get("count", 0)
            yield f"counted {found} where {least} to {most} increments were made"


def _appended(told: Told) -> Iterator[str]:
    """Each entry that was acknowledged is there, and none is there twice."""
    appends = told.named(APPEND)
    for read in told.reads:
        log = read.answer.get("log", [])
        lost = {one.asked for one in appends if one.is_before(read)} - set(log)
        if lost:
            yield f"lost the entries {sorted(lost)}"
        if len(set(log)) < len(log):
            yield f"has an entry twice: {log}"
        foreign = set(log) - {one.asked for one in appends if one.may_be_seen_by(read)}
        if foreign:
            yield f"showed the entries {sorted(foreign)}, which nobody has made"


def _taken(told: Told) -> Iterator[str]:
    """What is taken goes to one taker, and is not there any more."""
    gives = told.named(GIVE)
    takes = [take for take in told.named(TAKE) if take.outcome == OK and take.answer is not None]
    taken = [take.answer for take in takes]
    for prize in {prize for prize in taken if taken.count(prize) > 1}:
        yield f"gave {prize} to {taken.count(prize)} takers"
    for take in takes:
        if take.answer not in {give.asked for give in gives if give.may_be_seen_by(take)}:
            yield f"gave {take.answer} to a taker, which nobody has put there"
    for read in told.reads:
        if read.answer.get("prize") in {take.answer for take in takes if take.is_before(read)}:
            yield f"showed {read.answer['prize']}, which was taken"


def _ended(told: Told) -> Iterator[str]:
    """After an end, or with an earlier id, nothing is read and nothing is written."""
    for action in told.actions:
        if action.outcome != OK or action.name == END:
            continue
        if any(end.is_before(action) for end in told.named(END)):
            yield f"answered {action.name} although it had ended"
        renewals = [one for one in told.named(RENEW) if one.token == action.token]
        if any(renewal.is_before(action) for renewal in renewals):
            yield f"answered {action.name} for an earlier id"


def _there(told: Told) -> Iterator[str]:
    """A session that nobody ended is there."""
    for action in told.actions:
        ends = [*told.named(END), *(o for o in told.named(RENEW) if o.token == action.token)]
        if action.outcome == GONE and not any(one.may_be_seen_by(action) for one in ends):
            yield f"was not there for {action.name}, and nothing had ended it"


CHECKS: tuple[Callable[[Told], Iterator[str]], ...] = (
    *(_owned, _written, _counted, _appended, _taken, _ended, _there),
)
