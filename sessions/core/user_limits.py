"""The largest number of sessions of a user: which sign-ins are refused, or which sessions end.

With "end_oldest", each sign-in first commits, then reads the sessions of the user, and ends the
oldest sessions, until no session is over the limit. All requests sort the sessions in the same way,
so two sign-ins at the same time end the same sessions.

With "refuse", a sign-in first joins a queue. The queue is a record of the store. A request changes
this record only if no other request has changed it since this request read it. Then the sign-in
counts the sessions of the user, and the sign-ins before it in the queue. If many requests sign the
user in at the same time, exactly the first sign-ins in the queue succeed, up to the limit. The
record exists only while a sign-in is in the queue.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any, Final, Literal, NamedTuple, get_args

from sessions.core import codec
from sessions.core.commits import no_session
from sessions.core.ids import hash_of
from sessions.core.limits import REMEMBERED_FOR, UPDATE_ATTEMPTS
from sessions.core.persistence import Flow
from sessions.core.values import WAITING
from sessions.errors import ConfigurationError, StoreUnavailable, UnreadableValue
from sessions.record import Changes, Outcome, Record
from sessions.stores.user_index import AsyncUserIndex, UserIndex, hash_of_user

Beyond = Literal["end_oldest", "refuse"]

LONGEST_WAIT: Final = 2 * REMEMBERED_FOR
"""Seconds after which a sign-in in the queue no longer counts, because its process has crashed."""
_TICK: Final = 0.000_01
"""The smallest number of seconds between two sign-ins: rounding never makes these times equal."""


@dataclass(frozen=True, slots=True)
class SessionLimit:
    """The largest number of sessions of one user, and what happens when a user reaches it.

    "end_oldest" ends the session whose sign-in is the oldest. "refuse" refuses the new sign-in with
    TooManySessions. Raises ConfigurationError with all mistakes.
    """

    most: int
    beyond: Beyond = "end_oldest"

    def __post_init__(self) -> None:
        problems = []
        if isinstance(self.most, bool) or not isinstance(self.most, int) or self.most < 1:
            problems.append(
                f"SessionLimit: most={self.most!r} is not a number of sessions. Fix: give a whole"
                " number of at least 1"
            )
        if self.beyond not in get_args(Beyond):
            problems.append(
                f'SessionLimit: beyond={self.beyond!r} is unknown. Fix: give "end_oldest" or'
                ' "refuse"'
            )
        if problems:
            raise ConfigurationError(problems)


def user_limit_problems(limit: object, store: object) -> Iterator[str]:
    """Yield what is wrong with the setting `sessions_per_user`."""
    if limit is None:
        return
    if not isinstance(limit, SessionLimit):
        yield f"sessions_per_user={limit!r} is not a limit. Fix: give one such as SessionLimit(5)"
    elif not isinstance(store, UserIndex | AsyncUserIndex):
        yield (
            f"sessions_per_user={limit!r} needs a store that knows the sessions of a user, but"
            f" store={store!r} does not. Fix: give a store with an index of users, such as"
            " SQLiteStore"
        )


class Waiting(NamedTuple):
    """A sign-in in the queue: the key of its session, and when it joined."""

    key: str
    since: float


class Queue:
    """The incomplete sign-ins of one user, in the order in which they joined the queue."""

    def __init__(self, user_id: str) -> None:
        self._key = hash_of(f"sign-ins:{hash_of_user(user_id)}")

    def join(self, key: str, now: float) -> Flow[frozenset[str]]:
        """Add the key of a sign-in to the queue, and return the keys of the sign-ins before it."""
        for _ in range(UPDATE_ATTEMPTS):
            answer = yield ("load", self._key)
            before = [one for one in _waiting_in(answer, now) if one.key != key]
            if (yield from self._write(answer, [*before, Waiting(key, now)], now)):
                return frozenset(one.key for one in before)
        raise StoreUnavailable(
            "a sign-in could not be counted, because other sign-ins of this user changed the list"
            f" of sign-ins {UPDATE_ATTEMPTS} times in a row. Fix: send the request again"
        )

    def leave(self, key: str, now: float) -> Flow[None]:
        """Leave the queue; if this fails, the entry still counts until LONGEST_WAIT is over."""
        for _ in range(UPDATE_ATTEMPTS):
            answer = yield ("load", self._key)
            if not isinstance(answer, Record):
                return
            others = [one for one in _waiting_in(answer, now) if one.key != key]
            if (yield from self._write(answer, others, now)):
                return

    def _write(self, answer: object, waiting: list[Waiting], now: float) -> Flow[bool]:
        """Replace the queue that was read; return False if it has changed in the meantime."""
        values = {WAITING: codec.encode([[*one] for one in waiting])}
        # An empty queue expires at once, so that no record is left.
        expires_at = now + LONGEST_WAIT if waiting else now
        if isinstance(answer, Record):
            changes = Changes(
                secret=answer.secret,
                accessed_at=now,
                updated_at=now,
                expires_at=expires_at,
                set=values,
                expected={WAITING: answer.values.get(WAITING)},
            )
            outcome = yield ("commit", self._key, changes)
            return outcome is Outcome.APPLIED
        if isinstance(answer, Exception):
            # The record is damaged, so nobody can read who waits.
            yield ("delete", self._key)
        created: bool = yield ("create", self._key, no_session(values, now, expires_at))
        return created


def later_than(entries: Any, created_at: float, longest: float) -> float:
    """Return a time for a new sign-in, later than all sign-ins of the user in the index.

    The clocks of other servers can be up to a minute ahead. The time of an entry in the index is
    `longest` seconds after its sign-in.
    """
    latest = max(entries.values(), default=-inf) - longest
    if not created_at <= latest <= created_at + REMEMBERED_FOR:
        return created_at
    return latest + _TICK


def _waiting_in(answer: object, now: float) -> list[Waiting]:
    if not isinstance(answer, Record):
        return []
    try:
        entries = codec.decode(answer.values.get(WAITING, b""))
        waiting = [Waiting(str(key), float(since)) for key, since in entries]
    except (UnreadableValue, ValueError, TypeError):
        return []
    return [one for one in waiting if abs(now - one.since) < LONGEST_WAIT]
