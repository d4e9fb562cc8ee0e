"""The results of a measurement, as a table for a terminal or a page for the docs."""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

from tests.benchmarks import contenders as c
from tests.benchmarks import servers as s
from tests.benchmarks import worker as w
from tests.benchmarks.measuring import Timed
from tests.benchmarks.stages import Row, breakdown
from tests.benchmarks.start_up import StartUp
from tests.benchmarks.versions import BEFORE, NOW, VERSIONS, name_of

PACKAGES = (
    ("Satsuma", "satsuma"),
    ("Werkzeug", "werkzeug"),
    ("Falcon", "falcon"),
    ("Bottle", "bottle"),
    ("Flask", "flask"),
    ("Beaker", "beaker"),
    ("Flask-Session", "flask-session"),
    ("Django", "django"),
    ("redis-py", "redis"),
    ("psycopg", "psycopg"),
)


@dataclass(frozen=True)
class Target:
    """A promise about speed: `ours` takes at most `limit` times as long as `other`."""

    group: str
    ours: str
    limit: float
    other: str


def _than_before(case: str, limit: float) -> Target:
    return Target(VERSIONS, name_of(case, NOW), limit, name_of(case, BEFORE))


TARGETS = (
    Target(c.HELLO, c.OURS, 6.0, c.BARE),
    Target(c.HELLO, c.OURS, 0.6, c.FALCON),
    Target(c.READ, c.MEMORY, 0.27, c.BEAKER),
    Target(c.READ, c.SQLITE, 0.5, c.SIGNED),
    Target(c.WRITE, c.MEMORY, 0.42, c.BEAKER),
    Target(c.WRITE, c.SQLITE, 0.5, c.SIGNED),
    Target(c.BESIDE, c.WITH, 1.05, c.WITHOUT),
    Target(s.VALKEY_READ, c.OURS, 1.35, s.GET),
    Target(s.VALKEY_WRITE, c.OURS, 2.6, s.GET),
    Target(s.VALKEY_LOGIN, c.OURS, 3.0, s.GET),
    Target(s.POSTGRESQL_READ, c.OURS, 1.5, s.QUERY),
    Target(s.POSTGRESQL_WRITE, c.OURS, 2.0, s.UPDATE),
    Target(s.SQLITE_READ, c.OURS, 0.15, s.DJANGO),
    Target(s.SQLITE_WRITE, c.OURS, 0.05, s.DJANGO),
    # No slower than before: the rest is noise, which two processes do not share.
    _than_before(w.HELLO, 1.05),
    _than_before(w.MEMORY_READ, 0.6),
    _than_before(w.MEMORY_WRITE, 0.6),
    _than_before(w.SQLITE_READ, 0.6),
    _than_before(w.SQLITE_WRITE, 0.6),
)

TITLES = {
    c.HELLO: "Hello, with a path parameter",
    c.READ: "Session read",
    c.WRITE: "Session write",
    c.BESIDE: "A handler without a session, and the other handlers of its application",
    **s.TITLES,
}
STAGES_TITLE = "What separates a session from the floor"

PAGE = """\
# Benchmarks

<!-- Written by `make bench ARGS=--markdown`; edit tests/benchmarks instead. -->

This page shows the cost of one request inside the process: a WSGI call with a prepared environ,
which is copied for each call. Only the tables about Valkey and PostgreSQL include a server. All
contenders use the same server, which runs on the same machine, but on another processor. All
contenders take turns in one process. The result of each contender is the minimum of many short
rounds, so a busy moment of the machine does not count.

Each contender is also checked: it must read back the values that it wrote, and the store must have
the writes that were timed.

In the tables without a server, the floor is the lowest possible cost of a session in memory: one
file (`tests/benchmarks/floor.py`) without a framework. The floor keeps only two promises: the
cookie is signed, and changes of different keys are merged. In the tables with a server, the floor
is the call or the transaction that its row names.

{tables}

## {stages_title}

The table shows one request with a session in memory, stage by stage, in microseconds. Each stage
was timed by itself, in the same rounds as the tables above. A small difference between two stages
may be an error of measurement. A number below zero is such an error, too.

{stages}
{versions}
## Start-up

The table shows the processor time of `Application(...)` in a separate process. Each controller has
five handlers, with path values, a query with limits, JSON bodies, a session, a guard and an
injected service. The second application has the same classes, as in each `app.test()`.

| handlers | first, ms | each | second, ms | each |
|---:|---:|---:|---:|---:|
{start_ups}

## Targets

{targets}

Measured on {date} with {packages}, on {machine}.
"""

BESIDE_BEFORE = """
## {title}

The table compares version {before} with this version. Each version runs in its own process, and
the two processes take turns.

| | before, µs | now, µs | ratio |
|---|---:|---:|---:|
{rows}
"""


class Results:
    """The quickest time of each contender, in microseconds."""

    def __init__(
        self,
        seconds: Mapping[Timed, float],
        *,
        before: str | None = None,
        start_ups: Sequence[StartUp] = (),
    ) -> None:
        self._micros = {(timed.group, timed.name): 1e6 * spent for timed, spent in seconds.items()}
        self._before = before
        self._start_ups = start_ups

    @property
    def targets(self) -> list[Target]:
        """Return the targets of which both sides were measured."""
        return [target for target in TARGETS if (target.group, target.other) in self._micros]

    def ratio(self, target: Target) -> float:
        """Return how many times as long as the other our contender took."""
        return self._micros[target.group, target.ours] / self._micros[target.group, target.other]

    def missed(self) -> list[Target]:
        """Return the targets that were not reached."""
        return [target for target in self.targets if self.ratio(target) > target.limit]

    def text(self) -> str:
        """Lay the results out for a terminal."""
        lines = []
        for group, title in self.titles.items():
            lines += ["", title]
            for name, micros, ratios in self._rows(group):
                lines.append(f"  {name:<26}{micros:>9.2f} µs   {ratios}".rstrip())
        lines += ["", f"{STAGES_TITLE} (µs: read, floor; write, floor)"]
        for row in breakdown(self._micros):
            ours = (
                f"{row.read:>7.2f}{row.floor_read:>7.2f} {row.write:>7.2f}{row.floor_write:>7.2f}"
            )
            lines.append(f"  {row.name:<75}{ours}")
        if self._before is not None:
            lines += ["", f"This version and {self._before} (µs: before, now)"]
            for case, before, now in self._versions():
                lines.append(f"  {case:<26}{before:>9.2f}{now:>9.2f}   {now / before:.2f} ×")
        lines += ["", "Start-up", *(f"  {start_up.shown}" for start_up in self._start_ups)]
        return "\n".join([*lines, "", "Targets", *self._verdicts()])

    def markdown(self) -> str:
        """Lay the results out as a page of the docs, with versions and date."""
        return PAGE.format(
            tables="\n\n".join(self._table(group, title) for group, title in self.titles.items()),
            stages_title=STAGES_TITLE,
            stages=_stage_table(breakdown(self._micros)),
            versions=self._version_table(),
            start_ups="\n".join(map(_start_up_row, self._start_ups)),
            targets="\n".join(f"- {verdict.strip()}" for verdict in self._verdicts()),
            date=date.today().isoformat(),
            packages=", ".join(f"{name} {version(package)}" for name, package in PACKAGES),
            machine=f"Python {platform.python_version()}, {os.cpu_count()} cores",
        )

    @property
    def titles(self) -> dict[str, str]:
        """Return the groups that were measured, with their titles."""
        groups = {group for group, _ in self._micros}
        return {group: title for group, title in TITLES.items() if group in groups}

    def _rows(self, group: str) -> Iterator[tuple[str, float, str]]:
        """Yield name, microseconds and, for ours, the ratios to the others of the group."""
        rows = {name: micros for (of, name), micros in self._micros.items() if of == group}
        for name, micros in rows.items():
            others = [other for other in rows if other not in c.ALL_OURS]
            ratios = [f"{micros / rows[other]:.2f} × {other}" for other in others]
            yield name, micros, "; ".join(ratios) if name in c.ALL_OURS else ""

    def _table(self, group: str, title: str) -> str:
        head = f"## {title}\n\n| | µs | ratio |\n|---|---:|---|\n"
        return head + "\n".join(
            f"| {name} | {micros:.2f} | {ratios} |" for name, micros, ratios in self._rows(group)
        )

    def _versions(self) -> Iterator[tuple[str, float, float]]:
        """Yield each case with its microseconds before and now."""
        for case in w.CASES:
            yield (
                case,
                self._micros[VERSIONS, name_of(case, BEFORE)],
                self._micros[VERSIONS, name_of(case, NOW)],
            )

    def _version_table(self) -> str:
        if self._before is None:
            return ""
        rows = "\n".join(
            f"| {case} | {before:.2f} | {now:.2f} | {now / before:.2f} × |"
            for case, before, now in self._versions()
        )
        title = f"{VERSIONS[0].upper()}{VERSIONS[1:]}"
        return BESIDE_BEFORE.format(title=title, before=self._before, rows=rows)

    def _verdicts(self) -> Iterator[str]:
        for target in self.targets:
            ratio = self.ratio(target)
            verdict = "pass" if ratio <= target.limit else "MISS"
            yield (
                f"  {verdict}  {target.group}: {target.ours} is {ratio:.2f} × {target.other}"
                f" (at most {target.limit:g} ×)"
            )
        for start_up in self._start_ups:
            yield from start_up.verdicts()


def _start_up_row(found: StartUp) -> str:
    first = f"{found.first:.0f} | {found.first_each:.2f}"
    return f"| {found.handlers} | {first} | {found.second:.0f} | {found.second_each:.2f} |"


def _stage_table(rows: list[Row]) -> str:
    head = "| | read | floor | write | floor | the promise that the stage keeps |\n"
    return f"{head}|---|---:|---:|---:|---:|---|\n" + "\n".join(
        f"| {row.name} | {row.read:.2f} | {row.floor_read:.2f}"
        f" | {row.write:.2f} | {row.floor_write:.2f} | {row.promise} |"
        for row in rows
    )
