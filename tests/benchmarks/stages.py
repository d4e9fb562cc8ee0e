"""What separates a session from the floor: the stages of a request, one by one.

Each piece is a part of the real code, called by its public name. A stage is what its pieces take,
less what those of them take that are stages of their own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.benchmarks import contenders as c
from tests.benchmarks.pieces import NOTHING, PREPARE, READING, WRITING

Micros = Mapping[tuple[str, str], float]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of a request, the promise that it keeps, and the pieces that make it up."""

    name: str
    promise: str
    of: tuple[str, ...]
    less: tuple[str, ...] = ()
    floor: tuple[str, ...] = ()
    floor_less: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Row:
    """The microseconds of one stage: ours and the floor's, of a read and of a write."""

    name: str
    promise: str
    read: float
    floor_read: float
    write: float
    floor_write: float


STAGES = (
    Stage(
        name="open the session",
        promise="a request that never touches the session makes no store call",
        of=("open",),
    ),
    Stage(
        name="find the token and its id",
        promise="only ids that the server made are used; what is searched is limited",
        of=("identify",),
        floor=("floor identify",),
    ),
    Stage(
        name="ask: a turn, a deadline, a memory of failures",
        promise="a broken store is an error, not a logout; threads of a request share its session",
        of=("load",),
        less=("identify", "store load", "answer"),
    ),
    Stage(
        name="the store's load",
        promise="logout sticks: what has ended or expired is absent at that very moment",
        of=("store load",),
        floor=("floor open",),
        floor_less=("floor identify",),
    ),
    Stage(
        name="judge the token (current, grace, past, unknown) and begin",
        promise="logout sticks, and after a login the old id is dead",
        of=("answer",),
    ),
    Stage(
        name="use the values: decode each once, and watch it",
        promise="nested changes are saved; a write that comes too late raises",
        of=("use",),
        floor=("floor use",),
    ),
    Stage(
        name="the difference from what is stored",
        promise="nested changes are saved without a flag",
        of=("difference",),
        floor=("floor difference",),
    ),
    Stage(
        name="the size limit",
        promise="one session cannot fill the store",
        of=("size",),
    ),
    Stage(
        name="what the commit carries",
        promise="no lost updates: it names what changed and nothing else",
        of=("carry",),
    ),
    Stage(
        name="the store's commit, with the laws of a record",
        promise="no lost updates; what comes after logout or login is dropped; bounds of memory",
        of=("store commit",),
        floor=("floor merge",),
    ),
    Stage(
        name="learn what was applied",
        promise="no lost updates: a later commit of the request compares with what is stored",
        of=("learn",),
    ),
    Stage(
        name="is a touch due",
        promise="reading writes nothing but a throttled touch",
        of=("touch",),
    ),
    Stage(
        name="decide what is left to do, do it, close",
        promise="saved before the first header byte leaves",
        of=("close",),
        less=("difference", "size", "carry", "store commit", "learn", "touch", "headers"),
    ),
    Stage(
        name="headers, merged with those of the response",
        promise="caches cannot leak: Vary on any access, no-store with every session cookie",
        of=("headers", "merge"),
    ),
)


def breakdown(micros: Micros) -> list[Row]:
    """Return the stages of a request, and what the framework does around them."""
    stages = [*_stages(micros)]
    hello = micros[c.HELLO, c.OURS]
    call = Row(
        name="the framework: find the handler, call it, render",
        promise="(a request without a session costs this; of the floor: all the rest)",
        read=hello,
        floor_read=micros[c.READ, c.FLOOR] - sum(row.floor_read for row in stages),
        write=hello,
        floor_write=micros[c.WRITE, c.FLOOR] - sum(row.floor_write for row in stages),
    )
    around = Row(
        name="the framework: give the handler its session, settle it with the answer",
        promise="saved before the first header byte leaves; a failed request saves nothing",
        read=micros[c.READ, c.MEMORY] - hello - sum(row.read for row in stages),
        floor_read=0.0,
        write=micros[c.WRITE, c.MEMORY] - hello - sum(row.write for row in stages),
        floor_write=0.0,
    )
    return [*stages, call, around, _total([*stages, call, around])]


def _stages(micros: Micros) -> Iterator[Row]:
    for stage in STAGES:
        yield Row(
            name=stage.name,
            promise=stage.promise,
            read=_spent(micros, READING, stage.of, stage.less),
            floor_read=_spent(micros, READING, stage.floor, stage.floor_less),
            write=_spent(micros, WRITING, stage.of, stage.less),
            floor_write=_spent(micros, WRITING, stage.floor, stage.floor_less),
        )


def _total(rows: list[Row]) -> Row:
    return Row(
        name="the whole request",
        promise="",
        read=sum(row.read for row in rows),
        floor_read=sum(row.floor_read for row in rows),
        write=sum(row.write for row in rows),
        floor_write=sum(row.floor_write for row in rows),
    )


def _spent(micros: Micros, group: str, of: tuple[str, ...], less: tuple[str, ...]) -> float:
    """Return what pieces take, less others; a piece that a request does not have takes nothing."""
    there = {name for in_group, name in micros if in_group == group}

    def cost(names: tuple[str, ...]) -> float:
        return sum(
            micros[group, name] - micros.get((group, PREPARE + name), micros[group, NOTHING])
            for name in names
            if name in there
        )

    return cost(of) - cost(less)
