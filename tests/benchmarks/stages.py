"""The stages of a request with a session, each with its cost above the floor.

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
    """The microseconds of one stage, for us and for the floor, of a read and of a write."""

    name: str
    promise: str
    read: float
    floor_read: float
    write: float
    floor_write: float


STAGES = (
    Stage(
        name="open the session",
        promise="a request that does not use the session makes no store call",
        of=("open",),
    ),
    Stage(
        name="find the token and its id",
        promise="only ids of the server are used; the search is limited",
        of=("identify",),
        floor=("floor identify",),
    ),
    Stage(
        name="prepare the store call: lock, deadline, earlier failures",
        promise="a broken store is an error, not a logout; threads of a request share its session",
        of=("load",),
        less=("identify", "store load", "answer"),
    ),
    Stage(
        name="the store's load",
        promise="logout is final: an ended or expired session is gone at once",
        of=("store load",),
        floor=("floor open",),
        floor_less=("floor identify",),
    ),
    Stage(
        name="check the token (current, grace, past, unknown)",
        promise="logout is final, and after a login the old id is invalid",
        of=("answer",),
    ),
    Stage(
        name="use the values: decode each once, and watch for changes",
        promise="nested changes are saved; a late write raises an error",
        of=("use",),
        floor=("floor use",),
    ),
    Stage(
        name="find the changed values",
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
        name="prepare the commit",
        promise="no lost updates: the commit contains only the changes",
        of=("carry",),
    ),
    Stage(
        name="the store's commit, with all rules for a record",
        promise="no lost updates; late writes after logout or login are dropped; limits of memory",
        of=("store commit",),
        floor=("floor merge",),
    ),
    Stage(
        name="remember the stored values",
        promise="no lost updates: a later commit compares with the stored values",
        of=("learn",),
    ),
    Stage(
        name="check whether a touch is due",
        promise="reading writes at most an occasional touch",
        of=("touch",),
    ),
    Stage(
        name="finish the session, and close it",
        promise="saved before the first header byte is sent",
        of=("close",),
        less=("difference", "size", "carry", "store commit", "learn", "touch", "headers"),
    ),
    Stage(
        name="headers, merged with those of the response",
        promise="no leak through caches: Vary on any access, no-store with every session cookie",
        of=("headers", "merge"),
    ),
)


def breakdown(micros: Micros) -> list[Row]:
    """Return the stages of a request, and what the framework does around them."""
    stages = [*_stages(micros)]
    hello = micros[c.HELLO, c.OURS]
    call = Row(
        name="the framework: find the handler, call it, render",
        promise="(the cost of a request without a session; for the floor: the rest)",
        read=hello,
        floor_read=micros[c.READ, c.FLOOR] - sum(row.floor_read for row in stages),
        write=hello,
        floor_write=micros[c.WRITE, c.FLOOR] - sum(row.floor_write for row in stages),
    )
    around = Row(
        name="the framework: give the handler its session, and save it with the answer",
        promise="saved before the first header byte is sent; a failed request saves nothing",
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
    """Return the time of some pieces minus others; a missing piece takes no time."""
    there = {name for in_group, name in micros if in_group == group}

    def cost(names: tuple[str, ...]) -> float:
        return sum(
            micros[group, name] - micros.get((group, PREPARE + name), micros[group, NOTHING])
            for name in names
            if name in there
        )

    return cost(of) - cost(less)
