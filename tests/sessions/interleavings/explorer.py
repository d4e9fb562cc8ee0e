"""All that can happen to the requests of a scenario, the shortest schedules first."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple, Protocol

from sessions.core.state import Ask
from sessions.record import Outcome, Record
from sessions.stores.base import REMEMBERED_FOR
from tests.sessions.interleavings.contents import Contents
from tests.sessions.interleavings.core import IDLE, Core
from tests.sessions.interleavings.kinds import GRACE_TIME
from tests.sessions.interleavings.requests import LOST, Position, Told

PAST_GRACE = GRACE_TIME.total_seconds() + 1
# Past the time for which an end is remembered; past the idle timeout.
PASSAGES = (REMEMBERED_FOR + 1, IDLE + 400)


class World(NamedTuple):
    """Hold one moment: the time, the store, the browsers' cookies, and how far each request is."""

    now: float
    contents: Contents
    jars: tuple[str | None, str | None]
    """The cookies of the user and of the attacker."""
    positions: tuple[Position, ...]
    arriving: frozenset[int] = frozenset()
    """The requests whose answers have not reached their browsers."""
    left: tuple[int, ...] = ()
    """The requests that were answered, in the order in which their answers left."""
    first_token: str | None = None
    disturbances: int = 0
    purges: int = 0
    passages: tuple[float, ...] = PASSAGES
    """How long the times are that may pass."""
    is_calm: bool = True
    """Whether no reply was lost, and no time has passed."""


class Move(NamedTuple):
    """Hold something that may happen next.

    `number` is the request that it happens to, `ask` and `reply` what the store did for it.
    """

    name: str
    before: World
    world: World
    number: int | None = None
    ask: Ask | None = None
    reply: Any = None


@dataclass(frozen=True)
class Broken:
    """Hold a promise that was not kept, with the shortest schedule that shows it."""

    promise: str
    schedule: tuple[str, ...]

    def __str__(self) -> str:
        return "\n  ".join([self.promise, *self.schedule])


@dataclass
class Exploration:
    """Hold what was found."""

    worlds: int
    broken: Broken | None


class Promises(Protocol):
    """What an exploration checks; each method yields, in words, what is broken."""

    def of_move(self, move: Move) -> Iterator[str]: ...
    def of_moment(self, world: World) -> Iterator[str]: ...


def explore(first: World, core: Core, promises: Promises) -> Exploration:
    """Look at every world that can follow, breadth first, until a promise is broken."""
    came_from: dict[World, tuple[World, str] | None] = {first: None}
    waiting = deque([first])
    with core.drawing():
        while waiting:
            world = waiting.popleft()
            for move in moves(world):
                problems = promises.of_move(move)
                if move.world not in came_from:
                    came_from[move.world] = (world, move.name)
                    waiting.append(move.world)
                    problems = chain(problems, promises.of_moment(move.world))
                for problem in problems:
                    schedule = (*_schedule(came_from, world), move.name)
                    return Exploration(len(came_from), Broken(problem, schedule))
    return Exploration(len(came_from), None)


def moves(world: World) -> Iterator[Move]:
    """Yield all that may happen next.

    A crash needs no move of its own: a request that crashed never goes on, an answer that was lost
    never arrives, and each world is checked as if it were the last.
    """
    for number, position in enumerate(world.positions):
        if not position.has_begun:
            yield _beginning(world, number, position)
        elif position.ask is not None:
            yield from _asking(world, number, position)
    for number in sorted(world.arriving):
        yield _arrival(world, number)
    if world.disturbances and len(world.left) < len(world.positions):
        passages = world.passages
        for seconds in (PAST_GRACE, *passages) if _has_grace(world) else passages:
            later = _disturbed(world)._replace(now=world.now + seconds)
            yield Move(f"{seconds:.0f} s pass", world, later)
    if world.purges:
        purged = world.contents.purged(world.now)
        yield Move("a purge", world, world._replace(contents=purged, purges=world.purges - 1))


def _has_grace(world: World) -> bool:
    """Return whether it matters that a grace ends."""
    records = world.contents.entries.values()
    return any(isinstance(record, Record) and record.grace is not None for record in records)


def _beginning(world: World, number: int, position: Position) -> Move:
    sent = position.sent
    # An administrator has the id from a list; it may have changed since.
    token = world.first_token if sent.kind.deletes else world.jars[sent.is_attack]
    begun = position.after(Told(world.now, token))
    return Move(f"{position.sent.name} begins", world, _moved(world, number, begun), number)


def _asking(world: World, number: int, position: Position) -> Iterator[Move]:
    ask = position.ask
    assert ask is not None
    reply, contents = world.contents.ask(ask, world.now)
    done = world._replace(contents=contents)
    name = f"{position.sent.name}: {ask[0]}"

    def move(name: str, after: World, reply: Any) -> Move:
        return Move(name, world, after, number, ask, reply)

    told = _moved(done, number, position.after(Told(world.now, reply)))
    yield move(f"{name} → {_short(reply)}", told, reply)
    if not world.disturbances:
        return
    untold = position.after(Told(world.now, LOST))
    lost = _moved(_disturbed(done), number, untold)
    yield move(f"{name} is carried out, the reply is lost", lost, LOST)
    refused = _moved(_disturbed(world), number, untold)
    yield move(f"{name} does not reach the store", refused, LOST)
    if not (ask[0] == "commit" and ask[2].expected):
        again = _disturbed(done)
        yield move(f"{name} is carried out, and will be asked again", again, LOST)


def _disturbed(world: World) -> World:
    return world._replace(disturbances=world.disturbances - 1, is_calm=False)


def _moved(world: World, number: int, position: Position) -> World:
    """Return the world in which the request has come this far."""
    positions = (*world.positions[:number], position, *world.positions[number + 1 :])
    moved = world._replace(positions=positions)
    if position.answer is not None:
        arriving = world.arriving
        if position.answer.cookie is not None:
            arriving = arriving | {number}
        moved = moved._replace(left=(*world.left, number), arriving=arriving)
    return _without_what_nobody_sees(moved)


def _arrival(world: World, number: int) -> Move:
    position = world.positions[number]
    assert position.answer is not None
    jars = list(world.jars)
    jars[position.sent.is_attack] = position.answer.cookie or None
    arrived = world._replace(jars=(jars[0], jars[1]), arriving=world.arriving - {number})
    name = f"the answer of {position.sent.name} arrives"
    return Move(name, world, _without_what_nobody_sees(arrived))


def _without_what_nobody_sees(world: World) -> World:
    """Forget the cookies, and answers on their way, once nobody sends a request any more."""
    if all(position.has_begun for position in world.positions):
        return world._replace(jars=(None, None), arriving=frozenset())
    return world


def _schedule(came_from: dict[World, tuple[World, str] | None], world: World) -> tuple[str, ...]:
    names: list[str] = []
    origin = came_from[world]
    while origin is not None:
        world, name = origin
        names.append(name)
        origin = came_from[world]
    return tuple(reversed(names))


def _short(reply: Any) -> str:
    if reply is None or isinstance(reply, bool):
        return f"{reply}"
    return reply.name if isinstance(reply, Outcome) else type(reply).__name__
