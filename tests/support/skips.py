"""Skips that could have been avoided: where `FAIL_ON_SKIPS` is set, they fail the run.

`.ci/run` sets it, because it installs everything that a test can ask for.
"""

from collections import defaultdict

import pytest

UNAVOIDABLE = (
    # What a store does not have.
    "the server uses its own clock (server_expires = True)",
    "the suite does not know how to break this store",
    "the suite does not know how to damage a record of this store",
    "the suite does not know how to open this store in another process",
    "the store does not give out its expired records",
    # What a transport does not have.
    "a request has one token at most (carries_one = True)",
    # What this machine, this Python or another program is.
    "annotations are lazy from Python 3.14 on",
    "git does not know the files",
    "granian 2.8 sends no headers of websocket.accept",
    "mongoeco needs Python 3.13",
    "root may write everywhere",
    "the type statement is new in Python 3.12",
    "this system has no fork",
    "Werkzeug writes a challenge in ASCII",
    # Hours of work, for a change of the core.
    "set SESSIONS_INTERLEAVINGS=10000",
)
"""How the reasons begin that no installation removes."""


class AvoidableSkips:
    """Collect the skipped tests, and fail the run if one of them need not have been skipped."""

    def __init__(self) -> None:
        self._tests: dict[str, list[str]] = defaultdict(list)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file of tests that was left out."""
        self._note(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that was left out."""
        self._note(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run."""
        if self._tests and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say for which reasons, and name a test for each."""
        if not self._tests:
            return
        terminalreporter.section("skips that could have been avoided", red=True)
        for reason, tests in sorted(self._tests.items()):
            terminalreporter.line(f"{reason}: {len(tests)}, such as {min(tests)}")
        terminalreporter.line(
            "Fix: let .ci/run install what is missing, or, if nothing removes the reason,"
            " name it in tests/support/skips.py."
        )

    def _note(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        if report.outcome == "skipped" and not hasattr(report, "wasxfail"):
            longrepr = report.longrepr
            text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
            reason = text.removeprefix("Skipped: ")
            if not reason.startswith(UNAVOIDABLE):
                self._tests[reason].append(report.nodeid)
