"""What was measured, as a table for a terminal or a page for the docs."""

import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

from tests.benchmarks import contenders as c
from tests.benchmarks.measuring import Contender

VERSIONS = (
    ("Satsuma", "satsuma"),
    ("Werkzeug", "werkzeug"),
    ("Falcon", "falcon"),
    ("Bottle", "bottle"),
    ("Flask", "flask"),
    ("Beaker", "beaker"),
)


@dataclass(frozen=True)
class Target:
    """A promise about speed: `ours` takes at most `limit` times as long as `other`."""

    group: str
    ours: str
    limit: float
    other: str


TARGETS = (
    Target(c.HELLO, c.OURS, 6.0, c.BARE),
    Target(c.HELLO, c.OURS, 0.6, c.FALCON),
    Target(c.READ, c.MEMORY, 0.6, c.BEAKER),
    Target(c.READ, c.SQLITE, 0.5, c.SIGNED),
    Target(c.WRITE, c.MEMORY, 0.7, c.BEAKER),
    Target(c.WRITE, c.SQLITE, 0.5, c.SIGNED),
    Target(c.BESIDE, c.WITH, 1.05, c.WITHOUT),
)

TITLES = {
    c.HELLO: "Hello, with a path parameter",
    c.READ: "Session read",
    c.WRITE: "Session write",
    c.BESIDE: "A handler without a session, in an application of which",
}

PAGE = """\
# Benchmarks

<!-- Written by `make bench ARGS=--markdown`; edit tests/benchmarks instead. -->

The cost of one request inside the process: a WSGI call with a prepared environ, copied per call.
All contenders alternate in one process, and each keeps the minimum of many short rounds, so that
the noise of a machine hits nobody in particular. No server and no network take part.

Before it is timed, each contender has to show that it does the work: that it reads back what it
wrote, and that the writes which were timed are in the store.

{tables}

## Targets

{targets}

Measured on {date} with {versions}, on {machine}.
"""


class Results:
    """The quickest time of each contender, in microseconds."""

    def __init__(self, seconds: Mapping[Contender, float]) -> None:
        self._micros = {(each.group, each.name): 1e6 * spent for each, spent in seconds.items()}

    def ratio(self, target: Target) -> float:
        """Return how many times as long as the other our contender took."""
        return self._micros[target.group, target.ours] / self._micros[target.group, target.other]

    def missed(self) -> list[Target]:
        """Return the targets that were not reached."""
        return [target for target in TARGETS if self.ratio(target) > target.limit]

    def text(self) -> str:
        """Lay the results out for a terminal."""
        lines = []
        for group, title in TITLES.items():
            lines += ["", title]
            for name, micros, ratios in self._rows(group):
                lines.append(f"  {name:<26}{micros:>9.2f} µs   {ratios}".rstrip())
        return "\n".join([*lines, "", "Targets", *self._verdicts()])

    def markdown(self) -> str:
        """Lay the results out as a page of the docs, with versions and date."""
        return PAGE.format(
            tables="\n\n".join(self._table(group, title) for group, title in TITLES.items()),
            targets="\n".join(f"- {verdict.strip()}" for verdict in self._verdicts()),
            date=date.today().isoformat(),
            versions=", ".join(f"{name} {version(package)}" for name, package in VERSIONS),
            machine=f"Python {platform.python_version()}, {os.cpu_count()} cores",
        )

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

    def _verdicts(self) -> Iterator[str]:
        for target in TARGETS:
            ratio = self.ratio(target)
            verdict = "pass" if ratio <= target.limit else "MISS"
            yield (
                f"  {verdict}  {target.group}: {target.ours} is {ratio:.2f} × {target.other}"
                f" (at most {target.limit:g} ×)"
            )
